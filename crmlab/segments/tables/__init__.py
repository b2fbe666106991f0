"""What is known of each customer, and the files that say how to grade and treat them."""

from crmlab.segments.tables import brands, features, playbook, scorecard, stores

__all__ = ["brands", "features", "playbook", "scorecard", "stores"]
