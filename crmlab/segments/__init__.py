"""Segment evaluation: many schemes, one holdout, no favourites.

Words of this domain:

features    one row a customer as of a day: orders, spend, days_since_last, age, and those of the last window_days
scheme      a set of rules; `fit` learns its cuts from features, `assign` gives every customer a class, best first, and
            `rules` says how in words
window      the last window_days up to a day; *current* value is the margin of the window
potential   expected discounted margin over as long a time, less current value, plus what else is declared
home store  where a customer has spent most; its strength leaves out the customer's own purchases
clusters    shown where customers are more separate, and more surely found again, than customers of one kind
useful      predicts spend, orders or activity in the holdout; beside continuous baselines, which need no segments
playbook    how each class is treated: principle, owner, share of the budget, measure of success
"""

from crmlab.surface import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
