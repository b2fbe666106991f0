"""What models of repeat buying assume, and whether they beat baselines: a Check each.

`assumptions` asks all that one model assumes; the other functions are its parts, and may be asked alone.
"""

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from crmlab import holdout
from crmlab.catalog import Data, Period
from crmlab.check import Check, Judgement, all_of, assumption, comparison, judged, within
from crmlab.clv.models.bgbb import BGBB
from crmlab.clv.models.bgnbd import MBGNBD
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.valuation import CORRELATION_LIMIT, heavy_tail, spend_correlation
from crmlab.clv.tables import collapsed, first_interpurchase_times
from crmlab.estimate import Estimate
from crmlab.model import Unfitted
from crmlab.stats.intervals import percentile_interval

__all__ = [
    "assumptions",
    "beats_baselines",
    "cohorts_homogeneous",
    "dropout_as_modelled",
    "mean_spend_finite",
    "observed_from_first_order",
    "one_time_buyers_can_drop_out",
    "orders_at_random",
    "spend_independent_of_frequency",
    "total_within_prediction_interval",
]

MIN_CUSTOMERS = 30  # customers with three order days, below which regularity is not judged
MEASURES = ("mae", "spearman")  # by which a model is compared with baselines

Customers = ir.Table | pd.DataFrame


@all_of("assumption")
def assumptions(
    fitted: OrderModel | Unfitted,
    customers: Customers,
    orders: Data | ir.Table,
    period: Period,
    spend: GammaGamma | Unfitted,
    spend_correlation_limit: float = CORRELATION_LIMIT,
    seed: int = 1,
) -> list[Check]:
    """All that a model of orders and a model of spend assume.

    Parameters
    ----------
    fitted, spend : models or Unfitted
        Of `fit` and `fit_spend`.
    customers : Ibis table or DataFrame
        What they were fitted to.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    period : Period
        Of `orders.period`; its split is the day the customers were summarised.
    spend_correlation_limit : float
        How far spend may correlate with frequency.
    seed : int
        Of the draws of models fitted to early and late customers.

    Returns
    -------
    list of Check
    """
    times = first_interpurchase_times(orders, period.split, period.acquired_from)
    return [
        spend_independent_of_frequency(customers, spend_correlation_limit),
        mean_spend_finite(spend),
        dropout_as_modelled(fitted, customers),
        one_time_buyers_can_drop_out(fitted, customers),
        orders_at_random(times),
        observed_from_first_order(customers),
        cohorts_homogeneous(fitted, customers, period.horizon_days, seed=seed),
    ]


@assumption
def spend_independent_of_frequency(customers: Customers, limit: float = CORRELATION_LIMIT) -> Judgement:
    """Whether repeat buyers' spend a day is independent enough of how often they order, by their correlation."""
    r = spend_correlation(customers)
    if not r:
        return judged("not applicable", case="alike", why=r.reason)
    outcome = within(r.ci_low, r.ci_high, -limit, limit)
    return judged(outcome, correlation=r, customers=r.n)


@assumption
def mean_spend_finite(spend: GammaGamma | Unfitted) -> Judgement:
    """Whether customers have a mean spend that is finite: Gamma-Gamma's q above 1, with its interval."""
    q = heavy_tail(spend)
    if q.ci_low is None:
        return judged("not applicable", case="by_hand", q=q.value)
    return judged("passed" if q.ci_low > 1 else "failed" if q.ci_high <= 1 else "undecided", q=q)


@assumption
def dropout_as_modelled(fitted: OrderModel | Unfitted, customers: Customers, level: float = 0.95) -> Judgement:
    """Whether customers leave or stay as the model has it: its likelihood beside that of one which has it otherwise.

    Customers leave where twice the gain in log-likelihood of a model of leaving over NBD, in which nobody does, is
    beyond the chi-squared quantile of its two further parameters. BG/BB, whose likelihood is of another kind, is judged
    by MBG/NBD.
    """
    customers = collapsed(customers)
    staying, threshold = isinstance(fitted, NBD), stats.chi2.ppf(level, 2)
    stay = fitted if staying else NBD.fit(customers, replicates=0)
    leave = MBGNBD.fit(customers, replicates=0) if staying or isinstance(fitted, BGBB) else fitted
    family = "nbd" if staying else "leaving"
    about = {"leaves": "never leave" if staying else "leave", "threshold": threshold, "by": leave.title}
    if not (stay and leave):
        missing = leave if stay else stay
        return judged("undecided", case="no_maximum", other=missing.title, why=missing.reason, **about)
    gain = 2 * (leave.log_likelihood(customers) - stay.log_likelihood(customers))
    outcome = "passed" if (gain > threshold) != staying else "failed"
    return judged(outcome, case=f"{family}_{outcome}", gain=gain, **about)


@assumption
def one_time_buyers_can_drop_out(fitted: OrderModel | Unfitted, customers: Customers) -> Judgement:
    """Whether, by the model, customers who ordered once may have left, as others may; by BG/NBD they cannot."""
    customers = collapsed(customers)
    once = customers.frequency == 0
    share = customers.customers[once].sum() / customers.customers.sum()
    if not once.any():
        return judged("not applicable", case="nobody")
    if isinstance(fitted, NBD):
        return judged("not applicable", case="nobody_leaves", share=share)
    probability = fitted.p_alive(customers[once])
    outcome = "passed" if probability.min() < 1 else "failed"
    return judged(outcome, share=share, least=probability.min(), most=probability.max())


@assumption
def orders_at_random(interpurchase_times: pd.DataFrame, limit: float = 1.5) -> Judgement:
    """Whether orders come at random rather than regularly or in clumps.

    At random, the share z of the first of two times between orders in both is uniform, and regularity
    k = (1 / (4 mean (z - 1/2)^2) - 1) / 2 is 1; it is larger where orders are regular and smaller where they clump. It
    may lie from the inverse of `limit` to `limit`.

    interpurchase_times : frame of `first_interpurchase_times`

    References
    ----------
    Wheat & Morrison (1990), Estimating Purchase Regularity with Two Interpurchase Times.
    """
    about = {"lowest": 1 / limit, "customers": len(interpurchase_times)}
    if len(interpurchase_times) < MIN_CUSTOMERS:
        return judged("not applicable", case="few", needed=MIN_CUSTOMERS, **about)
    first, second = interpurchase_times.first_interpurchase_time, interpurchase_times.second_interpurchase_time
    square = (first / (first + second) - 0.5) ** 2
    mean, reach = square.mean(), stats.norm.ppf(0.975) * square.std() / np.sqrt(len(square))
    low, k, high = (np.inf if v <= 0 else (1 / (4 * v) - 1) / 2 for v in (mean + reach, mean, mean - reach))
    if np.isinf(k):
        return judged("failed", case="even", **about)
    return judged(within(low, high, 1 / limit, limit), regularity=Estimate(k, low, high), **about)


@assumption
def observed_from_first_order(
    customers: Customers, initial_days: int = 30, limit: float = 2.0, level: float = 0.95
) -> Judgement:
    """Whether the data show customers from their first order on, rather than beginning amid their lives.

    Data that begin in mid-life meet their old customers at once: first orders then come more than `limit` times as
    often in the first `initial_days` as on the later days of acquisition. Data no longer than twice `initial_days`
    cannot be judged, nor can one cohort.

    customers : their ages give the day each was acquired
    """
    customers = collapsed(customers)
    acquired = customers.age.max() - customers.age
    span, length = int(acquired.max()) + 1, int(customers.age.max()) + 1
    total = int(customers.customers.sum())
    if length <= 2 * initial_days:
        return judged("not applicable", case="short", length=length, needed=2 * initial_days)
    early = int(customers.customers[acquired < initial_days].sum())
    if span <= initial_days:
        return judged("not applicable", case="one_cohort", total=total, span=span)
    ends = np.array(proportion_confint(early, total, alpha=1 - level, method="beta"))
    low, ratio, high = (_times_the_later_rate(share, initial_days, span) for share in (ends[0], early / total, ends[1]))
    return judged(
        within(low, high, 0, limit), early=early, total=total, span=span, ratio=Estimate(ratio, low, high, kind="ratio")
    )


@assumption
def cohorts_homogeneous(
    fitted: OrderModel | Unfitted, customers: Customers, horizon_days: int, limit: float = 0.25, seed: int = 1
) -> Judgement:
    """Whether early and late customers behave alike: the model fitted to either half, and what each fit expects.

    It passes where the ratio of repeat orders of a new customer in `horizon_days`, late to early, lies all within
    1 ± `limit`.
    """
    customers = collapsed(customers)
    about = {"lowest": 1 - limit, "highest": 1 + limit}
    late = customers.age <= _weighted_median(customers.age, customers.customers)
    if late.all():
        return judged("not applicable", case="first_day", **about)
    early_fit, late_fit = (type(fitted).fit(customers[half], seed=seed + n) for n, half in enumerate((~late, late)))
    if not (early_fit and late_fit):
        problem = late_fit if early_fit else early_fit
        return judged("not applicable", case="unfitted", why=str(problem), **about)
    draws = zip(early_fit.draws, late_fit.draws, strict=True)
    low, high = percentile_interval([_late_to_early(*pair, horizon_days) for pair in draws])
    ratio = _late_to_early(early_fit, late_fit, horizon_days)
    return judged(within(low, high, *about.values()), ratio=Estimate(ratio, low, high, kind="ratio"), **about)


@assumption
def total_within_prediction_interval(expected: Estimate, actual: Estimate, fitted: OrderModel | Unfitted) -> Judgement:
    """Whether all orders of the holdout together lie within the prediction interval of the model's forecast.

    expected : of `forecast_orders`
    actual   : of `holdout_orders`
    """
    values = {"expected": expected.value, "came": actual.value}
    if expected.pi_low is None:
        return judged("not applicable", case="no_interval", **values)
    outcome = within(actual.value, actual.value, expected.pi_low, expected.pi_high)
    direction = "fewer" if actual.value < expected.value else "more"
    return judged(outcome, direction=direction, low=expected.pi_low, high=expected.pi_high, **values)


@comparison
def beats_baselines(
    comparison: pd.DataFrame, fitted: OrderModel | Unfitted, population: str = holdout.ALL_CUSTOMERS
) -> list[Judgement]:
    """Whether a model beats the best baseline over all origins: by mean absolute error, and by Spearman's correlation.

    comparison : the frame of `backtest`
    """
    return [holdout.judged_against_baseline(comparison, fitted.title, measure, population) for measure in MEASURES]


def _times_the_later_rate(share, initial_days, span):
    """How many times as many customers a day in the first days as later, where `share` of them came in the first."""
    return share / initial_days / max((1 - share) / (span - initial_days), 1e-9)


def _late_to_early(early, late, horizon_days):
    return float(late.expected_orders_new(horizon_days) / early.expected_orders_new(horizon_days))


def _weighted_median(values, weights):
    order = np.argsort(values.to_numpy(), kind="stable")
    so_far = weights.to_numpy()[order].cumsum()
    return values.to_numpy()[order][np.searchsorted(so_far, so_far[-1] / 2)]
