"""Models of repeat buying and of spend: fitted, they are their numbers."""

from crmlab.clv.models.bgbb import BGBB
from crmlab.clv.models.bgnbd import BGNBD, MBGNBD
from crmlab.clv.models.crosscheck import by_lifetimes
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.naive import past_rate
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.pareto_nbd import ParetoNBD
from crmlab.clv.models.totals import active_customers, expected_of_each, orders_ahead, value_ahead
from crmlab.clv.models.value import expected_by_week, score, total, value

__all__ = [
    "BGBB",
    "BGNBD",
    "MBGNBD",
    "NBD",
    "GammaGamma",
    "ParetoNBD",
    "active_customers",
    "by_lifetimes",
    "expected_by_week",
    "expected_of_each",
    "orders_ahead",
    "past_rate",
    "score",
    "total",
    "value",
    "value_ahead",
]
