"""Draw what the other parts found."""

from crmlab.segments.plots import clusters, index_system, migration, portfolio, race, schemes

__all__ = ["clusters", "index_system", "migration", "portfolio", "race", "schemes"]
