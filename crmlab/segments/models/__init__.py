"""Schemes that put customers into segments, and what is asked of them: are they real, stable, different, of use?"""

from crmlab.segments.models import (
    actionable,
    brand_loyalty,
    clusters,
    eight_classes,
    how_many,
    index_system,
    migration,
    null_model,
    portfolio,
    profiles,
    rfm_audit,
    stability,
    transforms,
    usefulness,
    value_matrix,
    weights,
)

__all__ = [
    "actionable",
    "brand_loyalty",
    "clusters",
    "eight_classes",
    "how_many",
    "index_system",
    "migration",
    "null_model",
    "portfolio",
    "profiles",
    "rfm_audit",
    "stability",
    "transforms",
    "usefulness",
    "value_matrix",
    "weights",
]
