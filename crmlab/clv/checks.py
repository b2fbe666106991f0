"""What models of repeat buying assume, and whether they beat baselines: a Check each.

`assumptions` asks all that one model assumes; the other functions are its parts, and may be asked alone.
"""

from dataclasses import replace
from typing import Any, Literal, cast

import numpy as np
import pandas as pd
from scipy import special, stats
from statsmodels.stats.proportion import proportion_confint

from crmlab import holdout
from crmlab.check import Check, Judgement, Outcome, all_of, assumption, comparison, finding, judged, within
from crmlab.clv.models.bgbb import BGBB
from crmlab.clv.models.bgnbd import MBGNBD
from crmlab.clv.models.fitting import fit
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.names import Choice
from crmlab.clv.models.nbd import NBD
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.valuation import CORRELATION_LIMIT, heavy_tail, spend_correlation, total
from crmlab.clv.tables import Customers, Orders, collapsed, first_interpurchase_times
from crmlab.dataset import Period
from crmlab.estimate import Estimate
from crmlab.model import Unfitted
from crmlab.orders import order_days
from crmlab.stats.intervals import percentile_interval

__all__ = [
    "assumptions",
    "beats_baselines",
    "cohorts_homogeneous",
    "dropout_as_modelled",
    "forecast_rests_on_data",
    "mean_spend_finite",
    "model_can_be_fitted",
    "observed_from_first_order",
    "observed_to_the_end",
    "one_time_buyers_can_drop_out",
    "orders_at_random",
    "parameters_moved",
    "spend_independent_of_frequency",
    "total_within_prediction_interval",
]


def __dir__():
    return __all__


MIN_ORDER_DAYS = 10  # days with an order, below which a silence is not judged
MOST_FOLLOWS = 0.3  # rank correlation of first waits and own times between orders, below which they do not follow these
MIN_CUSTOMERS = 30  # customers with three order days, below which regularity is not judged
MEASURES = ("rmse", "spearman")  # by which a model is compared with baselines; absolute error rewards predicting none


@all_of("assumption")
def assumptions(
    fitted: OrderModel,
    customers: Customers,
    orders: Orders,
    period: Period,
    spend: GammaGamma,
    spend_correlation_limit: float = CORRELATION_LIMIT,
    seed: int = 1,
) -> list[Check]:
    """Ask all that a model of orders and a model of spend assume.

    Parameters
    ----------
    fitted : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        What they were fitted to: the table of `summarise`, or the frame of `collapse`.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    period : Period
        Of `orders.period`; its split is the day the customers were summarised.
    spend : GammaGamma or Unfitted
        Fitted model of spend.
    spend_correlation_limit : float
        How far spend may correlate with frequency, 0 to 1.
    seed : int
        Start of the generator of draws, of models fitted to early and late customers.

    Returns
    -------
    list of Check
        Eight assumptions, and `forecast_rests_on_data` where the model was fitted with a prior.
    """
    times = first_interpurchase_times(orders, period.split, period.acquired_from)
    rests = bool(fitted) and fitted.uncertainty is not None and bool(fitted.uncertainty.prior)
    return [
        *([forecast_rests_on_data(fitted, customers, period.horizon_days)] if rests else []),
        spend_independent_of_frequency(customers, spend_correlation_limit),
        mean_spend_finite(spend),
        dropout_as_modelled(fitted, customers),
        one_time_buyers_can_drop_out(fitted, customers),
        orders_at_random(times),
        observed_from_first_order(customers),
        observed_to_the_end(orders, period),
        cohorts_homogeneous(fitted, customers, period.horizon_days, seed=seed),
    ]


@assumption
def model_can_be_fitted(
    choice: Choice, customers: Customers, prior: Literal["none", "weak"] = "none", later: Customers | None = None
) -> Judgement:
    """Ask whether the model that was chosen can be fitted; else, which takes its place.

    Parameters
    ----------
    choice : Choice
        Of `choose`.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    prior : str
        As `fit` takes it.
    later : Ibis table or DataFrame, optional
        The same customers as of a later day, to whom the model is fitted again.

    Returns
    -------
    Check
        An assumption.
    """
    model, frames = choice.model, [collapsed(each) for each in (customers, later) if each is not None]
    fits = [fit(frame, choice, replicates=0, prior=prior) for frame in frames]
    for frame, fitted in zip(frames, fits, strict=True):
        if not isinstance(fitted, model):
            asked: Any = fit(frame, choice.name, replicates=0, prior=prior)
            case = "nobody_leaves" if isinstance(fitted, NBD) else "simpler"
            if not fitted:
                case = "later_alone" if fits[-1] else "baselines"
            return judged("failed", case, model=model.title, why=asked.reason, used=(fitted or fits[-1]).title)
    with_prior = " with a weakly informative prior" if prior == "weak" else ""
    known = int(frames[-1].customers.sum())
    return judged("passed", model=model.title, customers=known, choice=choice.reason, with_prior=with_prior)


@assumption
def forecast_rests_on_data(
    fitted: OrderModel, customers: Customers, horizon_days: int, limit: float = 0.1
) -> Judgement:
    """Ask whether the forecast rests on the data, not on a prior: the same with twice the prior's standard deviation.

    Parameters
    ----------
    fitted : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        What it was fitted to: the table of `summarise`, or the frame of `collapse`.
    horizon_days : int
        How far ahead, days.
    limit : float
        Largest change of the expected orders that passes, as a share.

    Returns
    -------
    Check
        An assumption; not applicable where the model was fitted without a prior.
    """
    if fitted.uncertainty is None or not fitted.uncertainty.prior:
        return judged("not applicable", case="none")
    frame = collapsed(customers)
    wider: Any = type(fitted).fit(frame, replicates=0, prior_sd=2.0)
    here = total(fitted.expected_orders(frame, horizon_days), frame.customers)
    if not wider:
        return judged("failed", case="alone", expected=here, why=wider.reason)
    there = total(wider.expected_orders(frame, horizon_days), frame.customers)
    change = abs(there / here - 1)
    return judged("passed" if change <= limit else "failed", expected=here, wider=there, change=change)


@assumption
def spend_independent_of_frequency(customers: Customers, limit: float = CORRELATION_LIMIT) -> Judgement:
    """Ask whether repeat buyers' spend a day is independent enough of how often they order, by their correlation.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or a frame with frequency, monetary_value and, where a row is several, customers.
    limit : float
        How far spend may correlate with frequency, 0 to 1.

    Returns
    -------
    Check
        An assumption.
    """
    r = spend_correlation(customers)
    if r.ci_low is None or r.ci_high is None:
        return judged("not applicable", case="alike", why=r.reason)
    return judged(within(r.ci_low, r.ci_high, -limit, limit), correlation=r, customers=r.n)


@assumption
def mean_spend_finite(spend: GammaGamma) -> Judgement:
    """Ask whether customers have a mean spend that is finite: Gamma-Gamma's q above 1, with its interval.

    Parameters
    ----------
    spend : GammaGamma or Unfitted
        Fitted model of spend.

    Returns
    -------
    Check
        An assumption.
    """
    q = heavy_tail(spend)
    if q.ci_low is None or q.ci_high is None:
        return judged("not applicable", case="by_hand", q=q.value)
    return judged("passed" if q.ci_low > 1 else "failed" if q.ci_high <= 1 else "undecided", q=q)


@assumption
def dropout_as_modelled(fitted: OrderModel, customers: Customers, level: float = 0.95) -> Judgement:
    """Ask whether customers leave, or stay, as the model has it: its likelihood beside that of one which has not.

    That customers leave is shown where twice the gain in log-likelihood of a model of leaving over NBD, in which nobody
    does, is beyond the chi-squared quantile of its two further parameters: a model of leaving then passes, and NBD
    fails. A test that does not reject shows neither, and both are undecided. BG/BB, whose likelihood is of another
    kind, is judged by MBG/NBD.

    Parameters
    ----------
    fitted : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    level : float
        Confidence level of the likelihood ratio test.

    Returns
    -------
    Check
        An assumption; not applicable where the model to compare with could not be fitted.
    """
    customers = collapsed(customers)
    staying, threshold = isinstance(fitted, NBD), stats.chi2.ppf(level, 2)
    stay = fitted if staying else NBD.fit(customers, replicates=0)
    leave = MBGNBD.fit(customers, replicates=0) if staying or isinstance(fitted, BGBB) else fitted
    case, about = "staying" if staying else "leaving", {"threshold": threshold, "by": leave.title}
    for other in (stay, leave):
        if isinstance(other, Unfitted):
            return judged("not applicable", case=case, other=other.title, why=str(other), **about)
    gain = 2 * (leave.log_likelihood(customers) - stay.log_likelihood(customers))
    shown: Outcome = "failed" if staying else "passed"
    return judged(shown if gain > threshold else "undecided", case=case, gain=gain, **about)


@assumption
def one_time_buyers_can_drop_out(fitted: OrderModel, customers: Customers) -> Judgement:
    """Ask whether, by the model, customers who ordered once may have left, as others may; by BG/NBD they cannot.

    Parameters
    ----------
    fitted : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.

    Returns
    -------
    Check
        An assumption.
    """
    customers = collapsed(customers)
    once = customers.frequency == 0
    share = customers.customers[once].sum() / customers.customers.sum()
    if not once.any():
        return judged("not applicable", case="nobody")
    if isinstance(fitted, NBD):
        return judged("not applicable", case="nobody_leaves", share=share)
    probability = fitted.p_alive(customers[once])
    least, most = probability.min(), probability.max()
    return judged("passed" if least < 1 else "failed", share=share, least=least, most=most)


@assumption
def orders_at_random(interpurchase_times: pd.DataFrame, limit: float = 1.5, level: float = 0.95) -> Judgement:
    """Ask whether orders come at random rather than regularly or in clumps.

    At random, the share z of the first of two times between orders in both is uniform, and regularity
    k = (1 / (4 mean (z - 1/2)^2) - 1) / 2 is 1; it is larger where orders are regular and smaller where they clump. It
    may lie from the inverse of `limit` to `limit`.

    Parameters
    ----------
    interpurchase_times : DataFrame
        Of `first_interpurchase_times`, days.
    limit : float
        Largest regularity that passes as random, above 1.
    level : float
        Confidence level of the interval.

    Returns
    -------
    Check
        An assumption.

    References
    ----------
    Wheat & Morrison (1990), Estimating Purchase Regularity with Two Interpurchase Times.
    """
    about: dict[str, Any] = {"lowest": 1 / limit, "customers": len(interpurchase_times)}
    if len(interpurchase_times) < MIN_CUSTOMERS:
        return judged("not applicable", case="few", needed=MIN_CUSTOMERS, **about)
    first, second = interpurchase_times.first_interpurchase_time, interpurchase_times.second_interpurchase_time
    square = (first / (first + second) - 0.5) ** 2
    mean, reach = square.mean(), stats.norm.ppf((1 + level) / 2) * square.std() / np.sqrt(len(square))
    low, k, high = (np.inf if v <= 0 else (1 / (4 * v) - 1) / 2 for v in (mean + reach, mean, mean - reach))
    if np.isinf(k):
        return judged("failed", case="even", **about)
    return judged(within(low, high, 1 / limit, limit), regularity=Estimate(k, low, high, level=level), **about)


@assumption
def observed_from_first_order(
    customers: Customers, initial_days: int = 30, limit: float = 2.0, level: float = 0.95
) -> Judgement:
    """Ask whether the data show customers from their first order on, rather than beginning amid their lives.

    Data that begin in mid-life meet their old customers at once. First orders then come more than `limit` times as
    often in the first `initial_days` as on the later days of acquisition; and those who order again are first seen
    within one of their own mean times between orders, the sooner the shorter these are (forward recurrence times).
    Customers who all came on one day cannot be judged.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`; ages give the day each customer was acquired.
    initial_days : int
        Length of the beginning of the data, days.
    limit : float
        Largest ratio of daily first orders, early to late, that passes.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    Check
        An assumption.

    References
    ----------
    Cox (1962), Renewal Theory, section 5.
    """
    customers = collapsed(customers)
    if customers.empty:
        return judged("not applicable", case="nobody")
    acquired, total = customers.age.max() - customers.age, int(customers.customers.sum())
    span, length = int(acquired.max()) + 1, int(customers.age.max()) + 1
    early = int(customers.customers[acquired < initial_days].sum())
    about: dict[str, Any] = {"early": early, "total": total, "span": span, "buyers": 0, "needed": MIN_CUSTOMERS}
    if span == 1:
        return judged("not applicable", case="one_day", **about)
    arrivals: Outcome | None = None
    ratio = None
    if span > initial_days and length > 2 * initial_days:
        ratio = _early_to_late(early, total, initial_days, span, level)
        arrivals = within(cast(float, ratio.ci_low), cast(float, ratio.ci_high), 0, limit)
    again = customers.frequency >= 2
    about |= {"ratio": ratio, "buyers": int(customers.customers[again].sum())}
    if arrivals in ("failed", "undecided") or about["buyers"] < MIN_CUSTOMERS:
        return judged(arrivals or "not applicable", case="arrivals" if arrivals else "few", **about)
    outcome, seen = _like_old_customers(acquired[again], customers[again], level)
    return judged(outcome, case="recurrence" if "follows" in seen else "alike", **seen, **about)


def _early_to_late(early, total, initial_days, span, level):
    """First orders a day in the first `initial_days`, to those a day later, with an exact interval."""
    shares = np.array([early / total, *proportion_confint(early, total, alpha=1 - level, method="beta")])
    later = np.maximum((1 - shares) / (span - initial_days), 1e-9)  # of all customers, each day
    ratio, low, high = shares / initial_days / later
    return Estimate(ratio, low, high, kind="ratio", level=level)


def _like_old_customers(waits, customers, level):
    """Outcome of the assumption that customers are not first seen as those who ordered before; and what shows it.

    Of old customers, 63 % are first seen within their own mean time between orders where these are random, all where
    they are even; about a quarter within a quarter of it; and those who order often are seen sooner. The less of the
    variance of their own times is between customers, the weaker that correlation is (Spearman 1904).
    """
    own, weights = customers.recency / customers.frequency, customers.customers
    within_own, within_quarter = (
        np.array(proportion_confint(weights[waits <= share * own].sum(), weights.sum(), alpha=1 - level, method="beta"))
        for share in (1, 0.25)
    )
    r = holdout.spearman(waits, own, weights) if own.nunique() > 1 and waits.nunique() > 1 else np.nan
    low, high = holdout.correlation_interval(r, int(weights.sum()), level) if np.isfinite(r) else (np.nan, np.nan)
    share = float(weights[waits <= own].sum() / weights.sum())
    seen = {"within": Estimate(share, within_own[0], within_own[1], kind="share", level=level)}
    if np.isfinite(r):
        seen["follows"] = Estimate(r, low, high, kind="correlation", level=level)
    follows_little = MOST_FOLLOWS * np.sqrt(_reliability(own, customers.frequency, weights))
    if within_own[1] < 0.5 or within_quarter[0] > 0.5 or high < follows_little:
        return "passed", seen
    return "failed" if within_own[0] >= 0.5 and not low <= 0 else "undecided", seen


def _reliability(own, gaps, weights):
    """Share of the variance of the logs of mean times between orders that is between customers, where times are random.

    The log of a mean of n exponential times has the variance ψ'(n) about the customer's own.
    """
    logs, sampling = np.log(own), np.average(special.polygamma(1, gaps), weights=weights)
    variance = np.average((logs - np.average(logs, weights=weights)) ** 2, weights=weights)
    return max(1 - sampling / variance, 0.0) if variance > 0 else 0.0


@assumption
def observed_to_the_end(orders: Orders, period: Period) -> Judgement:
    """Ask whether orders come up to the day on which observation ends: the silence before it, beside those between.

    It passes where no more days without an order lie before that day than once before between two days with one. Where
    nobody said up to which day orders are complete, the end is that of the last order, and no silence can be judged.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    period : Period
        Of `orders.period`.

    Returns
    -------
    Check
        An assumption.
    """
    if period.until_is_last_row:
        return judged("not applicable", case="assumed", latest=period.until)
    days = pd.DatetimeIndex(order_days(orders, period.until).select("day").distinct().execute().day).sort_values()
    if len(days) < MIN_ORDER_DAYS:
        return judged("not applicable", case="few", days=len(days), needed=MIN_ORDER_DAYS)
    silent, longest = (pd.Timestamp(period.until) - days[-1]).days, int(np.diff(days).max() / np.timedelta64(1, "D"))
    outcome: Outcome = "passed" if silent <= longest else "failed"
    return judged(outcome, silent=silent, longest=longest, latest=days[-1].date())


@assumption
def cohorts_homogeneous(
    fitted: OrderModel,
    customers: Customers,
    horizon_days: int,
    limit: float = 0.25,
    seed: int = 1,
    level: float = 0.95,
) -> Judgement:
    """Ask whether early and late customers behave alike: the model fitted to either half, and what each fit expects.

    It passes where the ratio of repeat orders of a new customer in `horizon_days`, late to early, lies all within
    1 ± `limit`.

    Parameters
    ----------
    fitted : OrderModel or Unfitted
        Fitted model of orders.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    horizon_days : int
        How far ahead, days.
    limit : float
        How far the ratio may lie from 1.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the interval.

    Returns
    -------
    Check
        An assumption.
    """
    customers = collapsed(customers)
    about: dict[str, Any] = {"lowest": 1 - limit, "highest": 1 + limit}
    late = customers.age <= np.quantile(customers.age, 0.5, weights=customers.customers, method="inverted_cdf")
    if late.all():
        return judged("not applicable", case="first_day", **about)
    fits = [type(fitted).fit(customers[half], seed=seed + n) for n, half in enumerate((~late, late))]
    for half in fits:
        if isinstance(half, Unfitted):
            return judged("not applicable", case="unfitted", why=str(half), **about)

    def late_to_early(early, late):
        return float(late.expected_orders_new(horizon_days) / early.expected_orders_new(horizon_days))

    drawn = [late_to_early(*pair) for pair in zip(*(half.draws for half in fits), strict=True)]
    low, high = percentile_interval(drawn, level)
    ratio = Estimate(late_to_early(*fits), low, high, kind="ratio", level=level)
    return judged(within(low, high, 1 - limit, 1 + limit), ratio=ratio, **about)


@assumption
def total_within_prediction_interval(expected: Estimate, actual: Estimate, fitted: OrderModel) -> Judgement:
    """Ask whether all orders of the holdout together lie within the prediction interval of the model's forecast.

    Parameters
    ----------
    expected : Estimate
        Of `forecast_orders`.
    actual : Estimate
        Of `holdout_orders`.
    fitted : OrderModel or Unfitted
        Fitted model of orders.

    Returns
    -------
    Check
        An assumption.
    """
    came, low, high = cast(float, actual.value), expected.pi_low, expected.pi_high
    values: dict[str, Any] = {"expected": expected.value, "came": came}
    if low is None or high is None:
        return judged("not applicable", case="no_interval", **values)
    excess = came / cast(float, expected.value) - 1
    values |= {"off": abs(excess), "direction": "fewer" if excess < 0 else "more", "percent": 100 * expected.level}
    return judged(within(came, came, low, high), low=low, high=high, **values)


@finding
def parameters_moved(change: pd.DataFrame, level: float = 0.95) -> Judgement:
    """Ask whether the parameters of the model have moved since the split.

    They move where customers or shop have changed, and also where the model does not describe customers who stay the
    same: fitted to a longer log of the same, it then finds others.

    Parameters
    ----------
    change : DataFrame
        Of `parameter_change`.
    level : float
        Confidence level of the test.

    Returns
    -------
    Check
        A finding.
    """
    found = change.iloc[0]
    outcome: Outcome = "yes" if found.p < 1 - level else "undecided"
    return judged(outcome, statistic=found.statistic, df=int(found.df), p=Estimate(found.p, kind="p"))


def _by_measure(population: str, **_: Any) -> dict[str, dict[str, str]]:
    return holdout.parts_by_measure(MEASURES, population)


@comparison(parts=_by_measure)
def beats_baselines(
    comparison: pd.DataFrame, fitted: OrderModel, population: str = holdout.ALL_CUSTOMERS, choice: Choice | None = None
) -> list[Judgement]:
    """Ask whether a model beats the best baseline, by root mean squared error and Spearman's correlation.

    A model that was asked for is judged over all origins; one that the data chose from the latest alone, whose holdout
    had no part in the choice. Where it had, the comparison is undecided.

    Parameters
    ----------
    comparison : DataFrame
        Of `backtest`.
    fitted : OrderModel or Unfitted
        Fitted model of orders.
    population : str
        Whose orders are compared: "all customers", or "repeaters".
    choice : Choice, optional
        Of `choose`; without it, the model was asked for.

    Returns
    -------
    list of Check
        Two comparisons.
    """
    origin = holdout.ALL_ORIGINS
    if choice is not None and choice.automatic:
        origin = comparison.origin[comparison.origin != holdout.ALL_ORIGINS].max()
    found = [
        holdout.judged_against_baseline(comparison, fitted.title, measure, population, origin) for measure in MEASURES
    ]
    if choice is None or not choice.on_holdout:
        return found
    return [
        judgement
        if judgement.outcome == "not applicable"
        else replace(judgement, outcome="undecided", case="same_days")
        for judgement in found
    ]
