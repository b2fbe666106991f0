"""What is counted of customers, contracts and products, where the data live."""

from crmlab.lifecycle.tables import cohorts, contracts, cycle, products, stages

__all__ = ["cohorts", "contracts", "cycle", "products", "stages"]
