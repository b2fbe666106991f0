"""What is expected of all customers together and of each, with its intervals.

confidence (ci) : of the expected value; parameters are drawn about the fitted ones, the customers are those observed
prediction (pi) : of the value that will be observed; on top of it, who is still active and who orders when, and spends
                  what, is drawn

Draws are those of the fitted model; a model without draws gives the value without an interval.
"""

from collections.abc import Callable, Iterator
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.inputs import Validated, daily_rate
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.valuation import total, value
from crmlab.clv.tables import collapsed
from crmlab.estimate import Estimate
from crmlab.model import Unfitted, blank_of, needs_fit, why_blank
from crmlab.stats.intervals import percentile_interval

Customers = ir.Table | pd.DataFrame
TOP = 10
ENDS = ["ci_low", "ci_high", "pi_low", "pi_high"]


@needs_fit
def active_customers(model: OrderModel, customers: Customers, seed: int = 1, level: float = 0.95) -> Estimate:
    """How many customers are still active, by this model of orders, with both intervals."""
    customers = Validated(collapsed(customers))
    return _total(
        lambda m: total(m.p_alive(customers), customers.customers),
        lambda m, rng: rng.binomial(customers.customers, m.p_alive(customers)).sum(),
        (model,), customers, seed, level, unit=f"customers, by {model.title}", kind="count",
    )  # fmt: skip


@needs_fit
def forecast_orders(
    model: OrderModel, customers: Customers, horizon_days: int, seed: int = 1, level: float = 0.95
) -> Estimate:
    """Forecast the orders that all customers will place in the next `horizon_days`, with both intervals.

    Parameters
    ----------
    model : OrderModel or Unfitted
        The fitted model.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse`.
    horizon_days : int
        How far ahead, days.
    seed : int
        Of the draws of what will be observed.
    level : float
        Of both intervals.

    Returns
    -------
    Estimate
        Expected orders; ci, of the expected value; pi, of the orders that will be observed.

    Examples
    --------
    >>> from crmlab import catalog, clv
    >>> customers = clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30")
    >>> ahead = clv.forecast_orders(clv.fit(customers, "bg_nbd"), customers, 273)
    >>> round(ahead.value)
    1653
    """
    customers = Validated(collapsed(customers))
    return _total(
        lambda m: total(m.expected_orders(customers, horizon_days), customers.customers),
        lambda m, rng: len(m.simulate_orders(customers, horizon_days, rng)),
        (model,), customers, seed, level, unit="orders", kind="count",
    )  # fmt: skip


@needs_fit
def customer_equity(
    model: OrderModel,
    spend_model: GammaGamma | None,
    customers: Customers,
    horizon_days: int | None,
    discount_annual: float,
    margin: float = 1.0,
    seed: int = 1,
    unit: str = "",
    level: float = 0.95,
    period_days: float | None = None,
) -> Estimate:
    """What all customers are worth over the next `horizon_days`, customer equity, with both intervals.

    Parameters
    ----------
    model : OrderModel or Unfitted
        The fitted model of orders.
    spend_model : GammaGamma, Unfitted or None
        The fitted model of spend. Unfitted gives a blank with the reason; None leaves money out: the orders customers
        will place, each worth less the later it comes.
    customers : Ibis table or DataFrame
        The table of `summarise`, or the frame of `collapse` by monetary_value.
    horizon_days : int or None
        How far ahead, days; None is an infinite horizon, of which there is only a confidence interval.
    discount_annual, margin : float
        Yearly rate at which later money counts for less; share of spend that is profit.
    seed : int
        Of the draws of what will be observed.
    unit : str
        The currency.
    level : float
        Of both intervals.
    period_days : float, optional
        Days a period has, for BGBB, whose `horizon_days` are periods.

    Returns
    -------
    Estimate
        Discounted margin, in the currency of the data; undiscounted, the margin of what they spend.
    """
    customers = Validated(collapsed(customers, "monetary_value"))
    periods = _periods(period_days)

    def expected(model, spend_model=None):
        ahead = model.discounted_orders(customers, discount_annual, horizon_days, **periods)
        return total(
            _expected_value(ahead, spend_model, customers, margin) if spend_model else ahead, customers.customers
        )

    def simulated(*models, rng):
        drawn = _simulated(
            *models, customers=customers, horizon_days=horizon_days, rate=discount_annual, rng=rng, **periods
        )
        return margin * drawn["value"].sum() if spend_model else drawn["discounted_orders"].sum()

    models = (model, spend_model) if spend_model else (model,)
    simulate = None if horizon_days is None else simulated
    kind = "money" if spend_model else "number"
    return _total(expected, simulate, models, customers, seed, level, unit=unit, kind=kind)


def predict_customers(
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | Unfitted | None,
    customers: pd.DataFrame,
    horizon_days: int | None,
    discount_annual: float,
    margin: float = 1.0,
    seed: int = 1,
    level: float = 0.95,
    period_days: float | None = None,
) -> pd.DataFrame:
    """Predict each customer's next `horizon_days`, with both intervals: a frame beside `customers`.

    Parameters
    ----------
    model : OrderModel or Unfitted
        The fitted model of orders; Unfitted gives a blank frame.
    spend_model : GammaGamma, Unfitted or None
        Without one, value is left out.
    customers : DataFrame
        One row a customer: frequency, recency, age, monetary_value.
    horizon_days : int or None
        How far ahead, days; None is an infinite horizon: without expected_orders, and without prediction intervals.
    discount_annual, margin, seed, level, period_days
        As `customer_equity` takes them.

    Returns
    -------
    DataFrame
        p_alive, expected_orders, discounted_orders, value, each with its confidence interval as _ci_low and _ci_high;
        expected_orders, discounted_orders and value also with their prediction interval, _pi_low and _pi_high.
    """
    if reason := why_blank(model, customers):
        return blank_of(pd.DataFrame, reason)
    models, rng = (model, spend_model) if spend_model else (model,), np.random.default_rng(seed)
    pairs = list(_draws(models))
    asked = {
        "customers": Validated(customers.assign(customers=1)),
        "horizon_days": horizon_days,
        "rate": discount_annual,
        **_periods(period_days),
    }
    found = _expected(*models, margin=margin, **asked)
    low, high = _ends([_expected(*pair, margin=margin, **asked) for pair in pairs], found.shape, level)
    columns = {}
    for name, *ends in zip(found, low.T, high.T, strict=True):
        columns |= {name: found[name], f"{name}_ci_low": ends[0], f"{name}_ci_high": ends[1]}
    if horizon_days is not None:
        outcomes = [_simulated(*pair, **asked, rng=rng) for pair in pairs]
        for name in [column for column in found if column != "p_alive"]:
            unit = margin if name == "value" else 1
            ends = _ends([outcome[name] * unit for outcome in outcomes], len(found), level)
            columns |= {f"{name}_pi_low": ends[0], f"{name}_pi_high": ends[1]}
    return pd.DataFrame(columns, index=customers.index)


def top_customers(
    model: OrderModel | Unfitted,
    scored: ir.Table | pd.DataFrame,
    spend_model: GammaGamma | Unfitted | None,
    horizon_days: int,
    discount_annual: float,
    margin: float = 1.0,
    count: int = TOP,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """The customers with the highest expectation: by value, or by discounted orders where there is no model of spend.

    scored : the table of `score`
    returns : customer_id, frequency, monetary_value, and what `predict_customers` gives but discounted orders
    """
    if reason := why_blank(model, scored):
        return blank_of(pd.DataFrame, reason)
    rank = "value" if spend_model and "value" in scored.columns else "discounted_orders"
    top = scored.order_by(scored[rank].desc(), scored.customer_id).head(count).execute()
    each = predict_customers(model, spend_model, top, horizon_days, discount_annual, margin, seed, level)
    spend = [name for name in ("expected_spend",) if name in top and not spend_model]
    shown = each.filter(regex="^(?!p_alive_|discounted)")
    return top[["customer_id", "frequency", "monetary_value", *spend]].join(shown)


@needs_fit
def order_probabilities(
    model: OrderModel, customers: pd.DataFrame, horizon_days: int, count: int, level: float = 0.95
) -> pd.DataFrame:
    """Probability that each customer places exactly `count` orders in the next `horizon_days`.

    returns : beside `customers`: probability, 0 to 1, with its confidence interval as ci_low and ci_high
    """
    customers = Validated(customers)
    drawn = [draw.probability_of_orders(customers, horizon_days, count) for draw in model.draws]
    low, high = _ends(drawn, len(customers), level)
    probability = model.probability_of_orders(customers, horizon_days, count)
    return pd.DataFrame({"probability": probability, "ci_low": low, "ci_high": high}, index=customers.index)


def new_customers(n: int = 1) -> pd.DataFrame:
    """`n` customers who place their first order today: a collapsed summary."""
    return pd.DataFrame({"frequency": [0], "recency": [0], "age": [0], "monetary_value": [0.0], "customers": [n]})


def predict_new_customer(
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | Unfitted | None,
    horizon_days: int,
    discount_annual: float,
    margin: float = 1.0,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Predict one customer who places the first order today.

    returns : by prediction (p_alive, expected_orders, discounted_orders, value, probability_of_no_order): value,
              ci_low, ci_high, pi_low, pi_high
    """
    new = new_customers()
    each = predict_customers(model, spend_model, new, horizon_days, discount_annual, margin, seed, level)
    if reason := why_blank(each):
        return blank_of(pd.DataFrame, reason)
    one, none = each.iloc[0], order_probabilities(model, new, horizon_days, 0, level).iloc[0]
    names = [name for name in each if not name.endswith(("_low", "_high"))]
    table = {name: {"value": one[name]} | {end: one.get(f"{name}_{end}", np.nan) for end in ENDS} for name in names} | {
        "probability_of_no_order": {"value": none.probability, "ci_low": none.ci_low, "ci_high": none.ci_high}
    }
    frame = pd.DataFrame(table).T[["value", *ENDS]]
    return frame.rename_axis("of_a_new_customer")


@needs_fit
def prediction_interval_by_group(
    model: OrderModel, customers: pd.DataFrame, horizon_days: int, by: pd.Series, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Prediction interval of the orders per customer of each group in the next `horizon_days`: pi_low and pi_high.

    by : the group of each row, a Series
    """
    place, groups = pd.factorize(by, sort=True)
    customers = Validated(customers)
    groups, rng = pd.Index(groups, name=by.name), np.random.default_rng(seed)
    size = np.bincount(place, customers.customers, len(groups))
    drawn = [
        np.bincount(place[draw.simulate_orders(customers, horizon_days, rng).row], minlength=len(groups)) / size
        for draw in model.draws
    ]
    return pd.DataFrame(dict(zip(("pi_low", "pi_high"), _ends(drawn, len(groups), level), strict=True)), groups)


@needs_fit
def forecast_weekly_orders(
    model: OrderModel, customers: pd.DataFrame, weeks: pd.Index, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """Forecast repeat orders of all customers in each week since the first acquisition: a frame by week.

    customers : the collapsed summary; the customers' ages give the day each was acquired
    weeks     : week numbers from 1, without gaps
    returns   : expected, count; pi_low and pi_high, prediction interval, for the week
                cumulative_pi_low and cumulative_pi_high, for all weeks up to it
    """
    acquired = customers.customers.groupby(customers.age.max() - customers.age).sum()
    day, last_days = acquired.index.to_numpy(), 7 * np.arange(len(weeks) + 1) - 1
    so_far = model.expected_orders_new(np.clip(last_days[:, None] - day[None, :], 0, None))
    new = Validated(pd.DataFrame({"frequency": 0, "recency": 0, "age": 0, "customers": acquired.to_numpy()}))
    rng, drawn = np.random.default_rng(seed), []
    for draw in model.draws:
        found = draw.simulate_orders(new, 7 * len(weeks), rng)
        week = np.ceil(found.day + day[found.row]).astype(int) // 7
        drawn.append(np.bincount(week, minlength=len(weeks))[: len(weeks)])
    summed = [counts.cumsum() for counts in drawn]
    bands = *_ends(drawn, len(weeks), level), *_ends(summed, len(weeks), level)
    columns = dict(zip(("pi_low", "pi_high", "cumulative_pi_low", "cumulative_pi_high"), bands, strict=True))
    return pd.DataFrame({"expected": np.diff(so_far @ acquired.to_numpy())} | columns, weeks)


def _total(
    expected: Callable, outcome: Callable | None, models: tuple, customers: pd.DataFrame, seed: int, level: float,
    **about: Any,
) -> Estimate:  # fmt: skip
    """The Estimate of a sum over customers; without an outcome to draw, it has no prediction interval."""
    drawn, rng = list(_draws(models)), np.random.default_rng(seed)
    ends = {}
    if drawn:
        ends["ci"] = percentile_interval([expected(*each) for each in drawn], level)
    if drawn and outcome:
        ends["pi"] = percentile_interval([outcome(*each, rng=rng) for each in drawn], level)
    named = {f"{kind}_{end}": at for kind, pair in ends.items() for end, at in zip(("low", "high"), pair, strict=True)}
    return Estimate(expected(*models), **named, n=int(customers.customers.sum()), level=level, **about)


def _ends(drawn: list, shape: Any, level: float) -> np.ndarray:
    """Lower and upper ends; NaN where nothing was drawn."""
    return percentile_interval(drawn, level) if drawn else np.full((2, *np.atleast_1d(shape)), np.nan)


def _draws(models: tuple) -> Iterator[tuple]:
    """Models drawn about the fitted ones, side by side: as many as each of them has."""
    return zip(*(model.draws for model in models), strict=False)


def _periods(period_days: float | None) -> dict[str, float]:
    return {} if period_days is None else {"period_days": period_days}


def _expected(model, spend_model=None, *, customers, horizon_days, rate, margin, **periods):
    """Expected of each row's customers: a frame."""
    columns = {"p_alive": model.p_alive(customers)}
    if horizon_days is not None:
        columns["expected_orders"] = model.expected_orders(customers, horizon_days)
    columns["discounted_orders"] = ahead = model.discounted_orders(customers, rate, horizon_days, **periods)
    if spend_model:
        columns["value"] = _expected_value(ahead, spend_model, customers, margin)
    return pd.DataFrame(columns)


def _expected_value(ahead, spend_model, customers, margin):
    """What orders ahead are expected to be worth: infinite where mean spend is."""
    each = spend_model.expected_spend(customers) if spend_model.q > 1 else np.where(ahead * margin > 0, np.inf, 0.0)
    return value(ahead, each, margin)


def _simulated(model, spend_model=None, *, customers, horizon_days, rate, rng, period_days=1):
    """Drawn for each row over the next `horizon_days`: count of orders, discounted count and, with spend, discounted
    spend."""
    orders = model.simulate_orders(customers, horizon_days, rng)
    discount_factor = np.exp(-daily_rate(rate) * period_days * orders.day.to_numpy())
    sums = {"expected_orders": None, "discounted_orders": discount_factor}
    if spend_model:
        sums["value"] = spend_model.simulate_spend(customers, orders, rng) * discount_factor
    return {name: np.bincount(orders.row, each, len(customers)) for name, each in sums.items()}
