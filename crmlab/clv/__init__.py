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
    frequency_groups,
    gini_coefficient,
    inactivity_groups,
    lorenz,
    spend_by_frequency,
    spend_independent_of_frequency,
    total_within_prediction_interval,
    tracking,
)
from crmlab.clv.models import (
    BGBB,
    BGNBD,
    MBGNBD,
    MODELS,
    MODELS_BY_TITLE,
    NBD,
    TITLES,
    DailyBGBB,
    GammaGamma,
    ParetoNBD,
    active_customers,
    assumptions,
    backtest_orders,
    backtest_spend,
    compare_with_lifetimes,
    customer_equity,
    dropout_distribution,
    forecast_orders,
    forecast_weekly_orders,
    interpurchase_time_distribution,
    new_customers,
    order_probabilities,
    past_rate,
    predict_customers,
    prediction_interval_by_group,
    probability_alive_history,
    probability_alive_matrix,
    score,
    total,
    value,
)
from crmlab.clv.tables import (
    collapse,
    first_interpurchase_times,
    summarise,
    summarise_periods,
    weekly_orders,
    with_holdout,
)

__all__ = [
    "BGBB",
    "BGNBD",
    "MBGNBD",
    "MODELS",
    "MODELS_BY_TITLE",
    "NBD",
    "TITLES",
    "DailyBGBB",
    "GammaGamma",
    "ParetoNBD",
    "active_customers",
    "assumptions",
    "backtest_orders",
    "backtest_spend",
    "calibration",
    "collapse",
    "compare_with_lifetimes",
    "customer_equity",
    "dropout_distribution",
    "first_interpurchase_times",
    "forecast_orders",
    "forecast_weekly_orders",
    "frequency_groups",
    "gini_coefficient",
    "inactivity_groups",
    "interpurchase_time_distribution",
    "lorenz",
    "new_customers",
    "order_probabilities",
    "past_rate",
    "predict_customers",
    "prediction_interval_by_group",
    "probability_alive_history",
    "probability_alive_matrix",
    "score",
    "spend_by_frequency",
    "spend_independent_of_frequency",
    "summarise",
    "summarise_periods",
    "total",
    "total_within_prediction_interval",
    "tracking",
    "value",
    "weekly_orders",
    "with_holdout",
]
