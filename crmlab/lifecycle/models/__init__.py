"""What is estimated of lives: survival, renewals, waits, stages, moves between them, and growth."""

from crmlab.lifecycle.models import (
    alive,
    backtest,
    cycle,
    growth,
    growth_backtest,
    growth_paths,
    heterogeneity,
    markov,
    product_stages,
    projection,
    sbg,
    shapes,
    stages,
    survival,
    transitions,
)

__all__ = [
    "alive",
    "backtest",
    "cycle",
    "growth",
    "growth_backtest",
    "growth_paths",
    "heterogeneity",
    "markov",
    "product_stages",
    "projection",
    "sbg",
    "shapes",
    "stages",
    "survival",
    "transitions",
]
