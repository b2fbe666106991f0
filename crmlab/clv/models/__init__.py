"""Models of repeat buying and of spend: fitted, they are their numbers."""

from crmlab.clv.models import assumptions
from crmlab.clv.models.backtest import backtest_orders, backtest_spend
from crmlab.clv.models.bgbb import BGBB, DailyBGBB
from crmlab.clv.models.bgnbd import BGNBD, MBGNBD
from crmlab.clv.models.crosscheck import compare_with_lifetimes
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.naive import past_rate
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.pareto_nbd import ParetoNBD
from crmlab.clv.models.totals import (
    active_customers,
    customer_equity,
    forecast_orders,
    forecast_weekly_orders,
    new_customers,
    order_probabilities,
    predict_customers,
    prediction_interval_by_group,
)
from crmlab.clv.models.value import score, total, value
from crmlab.clv.models.views import (
    dropout_distribution,
    interpurchase_time_distribution,
    probability_alive_history,
    probability_alive_matrix,
)

# as a parameter names them
MODELS = {"nbd": NBD, "bg_nbd": BGNBD, "mbg_nbd": MBGNBD, "pareto_nbd": ParetoNBD, "bg_bb": DailyBGBB}
TITLES = {name: model.title for name, model in MODELS.items()}
MODELS_BY_TITLE = {TITLES[name]: model for name, model in MODELS.items()}  # as a race does

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
    "compare_with_lifetimes",
    "customer_equity",
    "dropout_distribution",
    "forecast_orders",
    "forecast_weekly_orders",
    "interpurchase_time_distribution",
    "new_customers",
    "order_probabilities",
    "past_rate",
    "predict_customers",
    "prediction_interval_by_group",
    "probability_alive_history",
    "probability_alive_matrix",
    "score",
    "total",
    "value",
]
