"""From orders and spend to money: for a customer, for all of them, and written by the engine."""

from typing import Any, cast

import ibis
import ibis.expr.types as ir
import pandas as pd

from crmlab import holdout
from crmlab.clv.models.dependent_spend import SpendByFrequency
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.inputs import customer_weights, validated_margin
from crmlab.clv.models.mean_spend import or_mean
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.tables import (
    BIN_WIDTH,
    MOST_MEANS,
    SUFFICIENT_STATISTICS,
    Customers,
    collapse,
    collapsed_spend,
    mean_spends,
)
from crmlab.estimate import Estimate, written
from crmlab.likelihood import REPLICATES
from crmlab.model import FitError, Unfitted, blank_of, needs_fit, why_blank
from crmlab.stats.intervals import percentile_interval

CORRELATION_LIMIT = 0.2  # correlation of spend and frequency that value may bear


def value(discounted_orders: pd.Series, spend: pd.Series, margin: float = 1.0) -> pd.Series:
    """Customer lifetime value: discounted orders x spend an order x margin.

    Parameters
    ----------
    discounted_orders : Series
        Expected orders, each worth less the later it comes, count.
    spend : Series
        Expected spend on an order day, in the currency of the data.
    margin : float
        Share of spend that is profit, 0 to 1.

    Returns
    -------
    Series
        In the currency of `spend`.

    Raises
    ------
    InputError
        Where `margin` is no share.
    """
    return (discounted_orders * spend * validated_margin(margin)).rename("value")


def total(series: pd.Series, weights: pd.Series | int = 1) -> float:
    """Sum a prediction over all customers.

    Parameters
    ----------
    series : Series
        Prediction of each row.
    weights : Series or int
        How many customers each row stands for.

    Returns
    -------
    float
        In the unit of `series`; NaN where a row has none.
    """
    return float((series * weights).sum(skipna=False))


def discounted_orders(model, customers, discount_annual, horizon_days, period_days=None):
    """The `discounted_orders` of any model: that of BGBB asks how many days a period has."""
    periods = {} if period_days is None else {"period_days": period_days}
    return model.discounted_orders(customers, discount_annual, horizon_days, **periods)


def spend_correlation(customers: Customers, level: float = 0.95) -> Estimate:
    """Estimate the correlation of repeat buyers' mean spend with how often they order.

    Parameters
    ----------
    customers : Ibis table or DataFrame
        The table of `summarise`, or a frame with frequency, monetary_value and, where a row is several, customers.
    level : float
        Confidence level of the interval.

    Returns
    -------
    Estimate
        Pearson's correlation, with its interval by Fisher's z; blank where one of the two is constant.
    """
    frame = collapsed_spend(customers)
    buyers = frame[frame.frequency > 0]
    weights = customer_weights(buyers)
    count = int(weights.sum())
    names = (("place as many orders", buyers.frequency), ("spend the same", buyers.monetary_value))
    alike = " and ".join(name for name, column in names if column.nunique() < 2)
    if alike:
        return Estimate(None, reason=f"all {count:,} repeat buyers {alike}" if count else "there are no repeat buyers")
    r = holdout.correlation(buyers.frequency, buyers.monetary_value, weights)
    low, high = holdout.correlation_interval(r, count, level)
    return Estimate(r, low, high, n=count, kind="correlation", level=level)


@needs_fit
def heavy_tail(spend_model: GammaGamma) -> Estimate:
    """Gamma-Gamma's q, with the interval of its draws: mean spend is finite where q is above 1.

    Where it is all above 1, the confidence interval of what customers are worth is finite, as it is of the same draws.
    """
    drawn = [model.q for model in spend_model.draws]
    return Estimate(spend_model.q, *percentile_interval(drawn)) if drawn else Estimate(spend_model.q)


def spend_for_value(
    spend_model: GammaGamma | Unfitted,
    customers: Customers,
    limit: float = CORRELATION_LIMIT,
    replicates: int = REPLICATES,
    seed: int = 1,
) -> GammaGamma | Unfitted:
    """Give the model of spend that orders may be multiplied by.

    Where the whole confidence interval of the correlation of spend and frequency lies beyond ± `limit`, that is a model
    whose spend depends on frequency, fitted here; else the one given, or MeanSpend where that could not be fitted as
    all customers spend the same on average. The whole interval of Gamma-Gamma's q has to lie above 1, so that mean
    spend is finite.

    Parameters
    ----------
    spend_model : GammaGamma or Unfitted
        Fitted model of spend.
    customers : Ibis table or DataFrame
        The table of `summarise`, or a frame with frequency, monetary_value and, where a row is several, customers.
    limit : float
        How far spend may correlate with frequency, 0 to 1.
    replicates : int
        Draws of the parameters kept with a model that is fitted here.
    seed : int
        Start of the generator of draws.

    Returns
    -------
    GammaGamma, SpendByFrequency, MeanSpend or Unfitted
        Unfitted, with the reason, where mean spend may be infinite, none could be fitted, or the data hold no amounts.
    """
    try:
        r, frame = spend_correlation(customers), mean_spends(customers)
    except FitError as problem:
        return Unfitted(GammaGamma, problem.reason, problem.recommendation)
    depends = r.ci_low is not None and r.ci_high is not None and (r.ci_low > limit or r.ci_high < -limit)
    by_frequency = SpendByFrequency.fit(frame, replicates, seed) if depends else None
    chosen: Any = or_mean(spend_model, frame, replicates, seed) if by_frequency is None else by_frequency
    if isinstance(chosen, Unfitted):
        return chosen
    q = heavy_tail(chosen)
    lowest = cast(float, q.value if q.ci_low is None else q.ci_low)
    if lowest > 1:
        return chosen
    reason = f"mean spend may be infinite: q is {written(q.value)}, and its interval begins at {written(lowest)}"
    return Unfitted(GammaGamma, reason, "read orders and spend separately")


def spend_note(spend_model: GammaGamma | Unfitted, valued: GammaGamma | Unfitted) -> str:
    """Say which model of spend value rests on, where it is not the one that was fitted first, and what bins change.

    Parameters
    ----------
    spend_model : GammaGamma or Unfitted
        Of `fit_spend`.
    valued : GammaGamma or Unfitted
        Of `spend_for_value`.

    Returns
    -------
    str
        Sentences; empty where it is the same, or there is none, and mean spends were fitted one by one.
    """
    return " ".join(filter(None, (_other_model(spend_model, valued), _bins(spend_model))))


def _bins(spend_model):
    if isinstance(spend_model, Unfitted) or spend_model.uncertainty is None or not spend_model.uncertainty.bin_error:
        return ""
    grouped = f"Of more than {MOST_MEANS:,} repeat buyers, mean spends are fitted in bins {BIN_WIDTH:.1%} wide"
    return f"{grouped}: that moves a parameter by {spend_model.uncertainty.bin_error:.1g} of itself at most."


def _other_model(spend_model, valued):
    if isinstance(valued, Unfitted) or type(valued) is type(spend_model):
        return ""
    why = f": {spend_model.reason}" if isinstance(spend_model, Unfitted) else ", as spend depends on frequency"
    return f"Money rests on {valued.title}, not on {GammaGamma.title}{why}."


def score(
    customers: ir.Table,
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | Unfitted | None,
    horizon_days: int,
    discount_annual: float,
    margin: float = 1.0,
    with_value: bool = True,
    period_days: float | None = None,
) -> ir.Table | pd.DataFrame:
    """Score each customer with what is expected of them, computed where `customers` is stored.

    Parameters
    ----------
    customers : Ibis table
        The table of `summarise`.
    model : OrderModel or Unfitted
        Fitted model of orders; Unfitted gives a blank frame.
    spend_model : GammaGamma, Unfitted or None
        Fitted model of spend; without one, and where its mean is infinite, orders alone are scored.
    horizon_days : int
        How far ahead, days.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.
    with_value : bool
        False keeps orders and spend separate, where the two depend on each other and have no product.
    period_days : float, optional
        Length of a period, days, for BGBB, whose `horizon_days` are periods.

    Returns
    -------
    Ibis table
        One row a customer: the columns of `summarise` but repeat_spend, with p_alive, 0 to 1; expected_orders and
        discounted_orders, count; expected_spend on an order day and value, in the currency of the data. By
        SpendByFrequency also spend_extrapolated: whether the customer has no repeat order, so that spend is by trend.
    """
    if reason := why_blank(model):
        return blank_of(pd.DataFrame, reason)
    alike = collapse(customers)[[*SUFFICIENT_STATISTICS]]
    expected = alike.assign(
        p_alive=model.p_alive(alike),
        expected_orders=model.expected_orders(alike, horizon_days),
        discounted_orders=discounted_orders(model, alike, discount_annual, horizon_days, period_days),
    )
    scored = customers.drop("repeat_spend").inner_join(ibis.memtable(expected), SUFFICIENT_STATISTICS)
    if spend_model and spend_model.q > 1:
        spend = spend_model.conditional_expected_spend(scored.frequency, scored.monetary_value)
        scored = scored.mutate(expected_spend=spend)
        if isinstance(spend_model, SpendByFrequency):
            scored = scored.mutate(spend_extrapolated=scored.frequency == 0)
        if with_value:
            scored = scored.mutate(value=scored.discounted_orders * scored.expected_spend * validated_margin(margin))
    return scored.order_by("customer_id")
