"""Draw what the other parts found."""

from crmlab.lifecycle.plots import cohorts, cycle, products, projection, stages, survival

__all__ = ["cohorts", "cycle", "products", "projection", "stages", "survival"]
