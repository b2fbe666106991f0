"""What the customers of each group, such as a stage or a segment, will spend: by models of orders and of spend."""

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crmlab.clv.models.drawn import draws_of, simulated, worth
from crmlab.clv.models.fitting import fit, fit_spend
from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.clv.models.inputs import Validated
from crmlab.clv.models.names import Choice
from crmlab.clv.models.orders import OrderModel
from crmlab.clv.models.valuation import CORRELATION_LIMIT, discounted_orders, spend_for_value
from crmlab.clv.tables import SUFFICIENT_STATISTICS, Orders, summarise, with_holdout
from crmlab.contracts import InputError
from crmlab.days import day_literal
from crmlab.likelihood import REPLICATES
from crmlab.model import Unfitted, blank_of, why_blank
from crmlab.stats.intervals import ENDS, percentile_interval

ALL = "all"
ORIGINS = 4


def value_by_group(
    model: OrderModel | Unfitted,
    spend_model: GammaGamma | Unfitted,
    orders: Orders,
    groups: ir.Table | pd.DataFrame,
    by: str,
    periods: int,
    discount_annual: float,
    margin: float = 1.0,
    backtest: pd.DataFrame | None = None,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Value the customers of each group over the next periods, by models of orders and of spend.

    Parameters
    ----------
    model : OrderModel or Unfitted
        Fitted model of orders, in days.
    spend_model : GammaGamma or Unfitted
        Fitted model of spend, as from `spend_for_value`.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    groups : Ibis table or blank frame
        customer_id; as_of, a day; and the column `by`, the group of the customer on it: as from
        `lifecycle.customer_stages`. Valued are those of the latest day.
    by : str
        Name of the column.
    periods : int
        Horizon, in times from one day of `groups` to the next, on average; 1 or more.
    discount_annual : float
        Yearly rate at which later orders count for less, .1 for 10 %.
    margin : float
        Share of spend that is profit, 0 to 1.
    backtest : DataFrame, optional
        What was expected before and spent, as from `backtest_by_group`.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        By group, the last row "all", a mean over customers in the currency of the data:

        - customers: count
        - horizon_value, horizon_value_ci_low, horizon_value_ci_high: expected
        - horizon_value_pi_low, horizon_value_pi_high: what they will bring, as a mean over as many customers
        - held: whether the interval of the last origin of `backtest` held what was spent; blank where there is none

    Raises
    ------
    InputError
        Where `groups` lacks a column, or `periods` is no count.
    """
    if reason := why_blank(model, spend_model, groups):
        return blank_of(pd.DataFrame, reason)
    days = _days(groups, by, periods)
    if len(days) < 2:
        return blank_of(pd.DataFrame, "groups of two days are needed, to know how long a period is")
    horizon = round(periods * (days[-1] - days[0]).days / (len(days) - 1))
    customers, sums, names = _collapsed(_with_group(summarise(orders, days[-1]), groups, by, days[-1]), by)
    rng, size = np.random.default_rng(seed), sums(customers.customers)

    def expected(model, spend_model):
        ahead = discounted_orders(model, customers, discount_annual, horizon)
        return sums(worth(ahead, spend_model, customers, margin) * customers.customers) / size

    def outcome(*models):
        return margin * sums(simulated(models, customers, horizon, discount_annual, None, rng)["value"]) / size

    models = model, spend_model
    found = {"customers": size.astype(int), "horizon_value": expected(*models)}
    drawn = [end for of in (expected, outcome) for end in _interval([of(*each) for each in draws_of(models)], level)]
    found |= {f"horizon_value_{name}": end for name, end in zip(ENDS, drawn, strict=True)}
    table = pd.DataFrame(found, pd.Index([*names, ALL], name=by))
    if backtest is None or why_blank(backtest):
        return table.assign(held=pd.array([None] * len(table), "boolean"))
    last = backtest[backtest.origin == backtest.origin.max()].set_index(by).held
    return table.assign(held=last.reindex(table.index).astype("boolean"))


def backtest_by_group(
    orders: Orders,
    groups: ir.Table | pd.DataFrame,
    by: str,
    model: str | Choice,
    periods: int,
    origins: int = ORIGINS,
    limit: float = CORRELATION_LIMIT,
    replicates: int = REPLICATES,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare what customers of each group were expected to spend with what they spent, from one origin after another.

    Origins are days of `groups`, evenly over the later half of those after which the next `periods` are known. Models
    of orders and of spend are fitted anew at each, to the customers known then; money is neither discounted nor turned
    into profit.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    groups : Ibis table or blank frame
        customer_id; as_of, a day; and the column `by`, the group of the customer on it, by what was known then: as from
        `lifecycle.customer_stages`.
    by : str
        Name of the column.
    model : str or Choice
        Model of orders, as `fit` takes it.
    periods : int
        Horizon, in days of `groups`: that many of them ahead; 1 or more.
    origins : int
        How many at most.
    limit : float
        How far spend may correlate with frequency; see `spend_for_value`.
    replicates : int
        Draws about each fit, behind the intervals.
    seed : int
        Start of the generator of draws.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        A row an origin and group, "all" the last of each; blank with the reason where there is no origin at which
        both models could be fitted:

        - origin: last day that was known
        - the group, in the column named by `by`
        - customers: count
        - expected, pi_low, pi_high: spend of all of them, with its prediction interval
        - spent: what they spent
        - ratio: expected to spent
        - held: whether the interval holds what was spent; blank without draws

    Raises
    ------
    InputError
        Where `groups` lacks a column, `periods` is no count, or there is no such model.

    References
    ----------
    Tashman (2000), Out-of-sample tests of forecasting accuracy: origins that roll.
    """
    if reason := why_blank(groups):
        return blank_of(pd.DataFrame, reason)
    days = _days(groups, by, periods)
    if len(days) <= periods:
        return blank_of(pd.DataFrame, f"{len(days)} periods are known; a backtest of {periods} takes {periods + 1}")
    able = days[:-periods]
    later = able[len(able) // 2 :]
    places = np.unique(np.linspace(0, len(later) - 1, origins).round().astype(int)) if origins > 1 else [-1]
    chosen = [later[place] for place in places]
    parts, reason = [], ""
    for origin in chosen:
        until = days[days.index(origin) + periods]
        customers = with_holdout(_with_group(summarise(orders, origin), groups, by, origin), orders, origin, until)
        rows = _from(customers, by, (until - origin).days, model, limit, replicates, seed, level)
        reason = why_blank(rows)
        if not reason:
            parts.append(rows.assign(origin=pd.Timestamp(origin)))
    if not parts:
        return blank_of(pd.DataFrame, reason)
    found = pd.concat(parts, ignore_index=True)
    held = found.spent.between(found.pi_low, found.pi_high).astype("boolean").where(found.pi_low.notna())
    return found.assign(ratio=found.expected / found.spent.where(found.spent > 0), held=held)


def _from(known, by, horizon_days, model, limit, replicates, seed, level):
    """The rows of one origin; a blank frame where a model could not be fitted."""
    customers, sums, names = _collapsed(known, by, spend=known.spend.sum())
    fitted = fit(customers, model, replicates, seed)
    spend = spend_for_value(fit_spend(customers, replicates, seed), customers, limit, replicates, seed)
    if reason := why_blank(fitted, spend):
        return blank_of(pd.DataFrame, reason)
    models, rng = (fitted, spend), np.random.default_rng(seed)
    each = fitted.expected_orders(customers, horizon_days) * spend.expected_spend(customers) * customers.customers
    drawn = [sums(simulated(pair, customers, horizon_days, 0.0, None, rng)["value"]) for pair in draws_of(models)]
    rows = {"origin": pd.NaT, by: [*names, ALL], "customers": sums(customers.customers).astype(int)}
    rows |= {"expected": sums(each)} | dict(zip(("pi_low", "pi_high"), _interval(drawn, level), strict=True))
    return pd.DataFrame(rows | {"spent": sums(customers.spend)})


def _days(groups, by, periods):
    """The days of groups, sorted."""
    if periods < 1:
        raise InputError(f"periods = {periods}: choose a whole number, 1 or more")
    missing = {"customer_id", "as_of", by} - set(groups.columns)
    if missing:
        raise InputError(f"groups lack {', '.join(sorted(missing))}; they have {', '.join(groups.columns)}")
    return sorted(groups.select("as_of").distinct().execute().as_of)


def _with_group(customers, groups, by, day):
    """Those customers that have a group on the day, with it."""
    return customers.inner_join(
        groups.filter(groups.as_of == day_literal(day)).select("customer_id", by), "customer_id"
    )


def _collapsed(known, by, **more):
    """Like customers of a group in one row, with `more` sums; what adds rows up by group, and in all; the groups."""
    keys = [*SUFFICIENT_STATISTICS, "monetary_value", by]
    customers = known.group_by(keys).aggregate(customers=known.count(), **more).order_by(keys).execute()
    place, names = pd.factorize(customers[by], sort=True)

    def sums(values):
        found = np.bincount(place, values, len(names))
        return np.append(found, found.sum())

    return Validated(customers), sums, names


def _interval(drawn, level):
    return percentile_interval(drawn, level) if drawn else (np.nan, np.nan)
