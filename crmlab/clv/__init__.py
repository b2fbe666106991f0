"""Customer lifetime value: how often customers will buy again, and what that is worth.

Words of this domain, all as of a day called `end`:

frequency          days with a repeat order, count: order days but the first
recency            first order to last order, days; time since the last order is `days_since_last`, never this
age                first order to `end`, days (T in the papers)
monetary_value     mean spend per repeat-order day, in the currency of the data
customers          how many customers a row of a collapsed table stands for
p_alive            probability that a customer has not left, 0 to 1
expected_orders    orders to come in a number of days, count
discounted_orders  the same, each worth less the later it comes; over an infinite horizon, or for a number of days
value              discounted orders x expected spend x margin
"""

from crmlab.surface import attach

__getattr__, __dir__, __all__ = attach(__name__, __file__)
