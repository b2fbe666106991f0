"""Models of repeat buying and of spend: fitted, they are their numbers."""

from crmlab.clv.models import assumptions
from crmlab.clv.models.backtest import backtest_orders, backtest_spend
from crmlab.clv.models.bgbb import BGBB, DailyBGBB
from crmlab.clv.models.bgnbd import BGNBD, MBGNBD
from crmlab.clv.models.crosscheck import by_lifetimes
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.naive import past_rate
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.pareto_nbd import ParetoNBD
from crmlab.clv.models.totals import (
    active_customers,
    chances_of_each,
    expected_of_each,
    likely_by_group,
    newcomers,
    orders_ahead,
    orders_by_week,
    value_ahead,
)
from crmlab.clv.models.value import score, total, value
from crmlab.clv.models.views import alive_map, alive_path, departures, order_gaps

# as a parameter names them
MODELS = {"nbd": NBD, "bg_nbd": BGNBD, "mbg_nbd": MBGNBD, "pareto_nbd": ParetoNBD, "bg_bb": DailyBGBB}
TITLES = {name: model.title for name, model in MODELS.items()}
RIVALS = {TITLES[name]: model for name, model in MODELS.items()}  # as a race does

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
    "chances_of_each",
    "departures",
    "expected_of_each",
    "likely_by_group",
    "newcomers",
    "order_gaps",
    "orders_ahead",
    "orders_by_week",
    "past_rate",
    "score",
    "total",
    "value",
    "value_ahead",
]
