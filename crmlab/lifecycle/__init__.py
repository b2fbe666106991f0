"""Lifecycle curves: how long customers stay, and where each customer and product stands.

Words of this domain:

cohort        customers whose first order was in the same calendar period
period        week, month, quarter or year; of a cohort, counted from its own, which is 0
state         of a cell of the triangle: "observed", "in progress", or "not yet": unknown, never 0
setting       "contractual", where the end of a contract is observed, or "noncontractual", where departures are not
durations     what every model of contracts takes: group, renewals (survived), churned, customers
renewal       the end of a period that a contract may outlive; `survival` is the share that outlives so many
overdue       waiting longer than nine in ten of those who come back at all
stage         establishment, growth, maturity or decline: of a customer at the end of a period; of a product, read along
              the path of its sales, introduction in place of establishment
transitions   counts of customers by stage and by the stages of one and two periods earlier
"""

from crmlab.surface import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
