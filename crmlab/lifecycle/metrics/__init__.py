"""Expected beside actual, and what it says in words."""

from crmlab.lifecycle.metrics import cohorts, products, stages

__all__ = ["cohorts", "products", "stages"]
