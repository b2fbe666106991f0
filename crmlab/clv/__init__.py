"""Customer lifetime value: how often customers will buy again, and what that is worth.

Words of this domain, all as of a day called `end`:

frequency          days with a repeat order, count: order days but the first
recency            first order to last order, days; time since the last order is `days_since_last`, never this
age                first order to `end`, days (T in the papers)
monetary_value     mean spend per repeat-order day, in the currency of the data
customers          how many customers a row of a collapsed table stands for
p_alive            chance that a customer has not left for good, 0 to 1
expected_orders    orders to come in a number of days, count
discounted_orders  the same, each worth less the later it comes; for ever, or for a number of days
value              discounted orders x expected spend x margin
"""

from crmlab.clv.metrics import (
    calibration,
    concentration,
    lorenz,
    order_groups,
    quiet_groups,
    spend_by_orders,
    spend_is_independent,
    total_is_likely,
    tracking,
)
from crmlab.clv.models import (
    BGBB,
    BGNBD,
    MBGNBD,
    MODELS,
    NBD,
    RIVALS,
    TITLES,
    DailyBGBB,
    GammaGamma,
    ParetoNBD,
    active_customers,
    alive_map,
    alive_path,
    assumptions,
    backtest_orders,
    backtest_spend,
    by_lifetimes,
    chances_of_each,
    departures,
    expected_of_each,
    likely_by_group,
    newcomers,
    order_gaps,
    orders_ahead,
    orders_by_week,
    past_rate,
    score,
    total,
    value,
    value_ahead,
)
from crmlab.clv.tables import collapse, first_gaps, summarise, summarise_periods, weekly_orders, with_holdout

__all__ = [
    "BGBB",
    "BGNBD",
    "MBGNBD",
    "MODELS",
    "NBD",
    "RIVALS",
    "TITLES",
    "DailyBGBB",
    "GammaGamma",
    "ParetoNBD",
    "active_customers",
    "alive_map",
    "alive_path",
    "assumptions",
    "backtest_orders",
    "backtest_spend",
    "by_lifetimes",
    "calibration",
    "chances_of_each",
    "collapse",
    "concentration",
    "departures",
    "expected_of_each",
    "first_gaps",
    "likely_by_group",
    "lorenz",
    "newcomers",
    "order_gaps",
    "order_groups",
    "orders_ahead",
    "orders_by_week",
    "past_rate",
    "quiet_groups",
    "score",
    "spend_by_orders",
    "spend_is_independent",
    "summarise",
    "summarise_periods",
    "total",
    "total_is_likely",
    "tracking",
    "value",
    "value_ahead",
    "weekly_orders",
    "with_holdout",
]
