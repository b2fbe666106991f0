"""What customers will still spend: by state of buying, by customer, by stage, and in all."""

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crmlab.estimate import Estimate
from crmlab.lifecycle.models.buying_chain import counts, values_of
from crmlab.lifecycle.models.markov import MarkovChain
from crmlab.lifecycle.models.value_origins import ALL, REPLICATES, customers_now, with_total
from crmlab.lifecycle.tables.order_states import with_state
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.model import FitError, blank_of, needs_fit, why_blank
from crmlab.stats.intervals import ENDS, percentile_interval

MISSED = "what customers spent in the last backtest lay outside the interval that was predicted"
SMALL = 0.1  # Cohen's w up to which the state before the present one is taken to add nothing


@needs_fit
def state_values(
    state_transitions: pd.DataFrame,
    discount: float,
    periods: int,
    margin: float = 1.0,
    replicates: int = REPLICATES,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """What a customer in each state of buying is worth over the next periods.

    Parameters
    ----------
    state_transitions : DataFrame
        Counts of moves between states, as from `state_transitions`.
    discount : float
        Rate a period at which later money counts for less, above -1, as by `discount_per_period`.
    periods : int
        Periods of the horizon, 1 or more.
    margin : float
        Share of spend that is earned.
    replicates : int
        Draws behind the intervals.
    seed : int
        Seed of the draws.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By state, in words, in the currency of the data:

        - since, recent: periods since the last order, and repeat orders in the last 6 periods; the last of each
          stands for more
        - customers: in it at the end of the last period, count
        - value, ci_low, ci_high: expected, with its confidence interval
        - pi_low, pi_high: of a single customer
    """
    try:
        seen = counts(state_transitions)
    except FitError as problem:
        return blank_of(pd.DataFrame, problem.advised)
    rng, (P, mean) = np.random.default_rng(seed), seen.expected()
    drawn = seen.draw(replicates, rng)
    ends = [*percentile_interval(_ahead(drawn[0], drawn[1], discount, periods), level)]
    ends += [*percentile_interval(seen.simulate_one(*drawn, periods, discount, rng), level)]
    customers = customers_now(seen, state_transitions).sum(axis=0)
    found = {"since": seen.since, "recent": seen.recent, "customers": customers}
    found |= {"value": margin * _ahead(P, mean, discount, periods)}
    found |= {name: margin * end for name, end in zip(ENDS, ends, strict=True)}
    return pd.DataFrame(found, pd.Index(seen.names, name="state"))


def customer_values(stages: ir.Table | pd.DataFrame, state_values: pd.DataFrame) -> ir.Table | pd.DataFrame:
    """What each customer is worth over the next periods, by the customer's state of buying.

    Parameters
    ----------
    stages : Ibis table or blank frame
        Stages by customer and period, as from `customer_stages`, up to the same day.
    state_values : DataFrame
        Values by state, as from `state_values`.

    Returns
    -------
    Ibis table
        Lazy, sorted by customer_id, of the last period; a blank frame with the reason where there are no values:

        - customer_id, stage
        - since, recent: the state; see `state_values`
        - value, ci_low, ci_high, pi_low, pi_high: in the currency of the data
    """
    if reason := why_blank(stages, state_values):
        return blank_of(pd.DataFrame, reason)
    last = with_state(stages, "period")
    last = last.filter(last.period == last.period.max())
    known = state_values.reset_index()
    since, recent = ibis.least(last.since, int(known.since.max())), last.recent
    last = last.select("customer_id", "stage", since=since.cast("int64"), recent=recent.cast("int64"))
    worth = ibis.memtable(known[["since", "recent", "value", *ENDS]])
    return last.inner_join(worth, ["since", "recent"]).order_by("customer_id")


def stage_values(
    state_transitions: pd.DataFrame,
    discount: float,
    periods: int,
    order_test: pd.DataFrame,
    backtest: pd.DataFrame,
    margin: float = 1.0,
    cost: float = 0.0,
    replicates: int = REPLICATES,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """What a customer of each stage is still worth, after the present period: the mean over states of those in it.

    Parameters
    ----------
    state_transitions : DataFrame
        Counts of moves between states, as from `state_transitions`.
    discount : float
        Rate a period at which later money counts for less, above 0, as by `discount_per_period`.
    periods : int
        Periods of the finite horizon.
    order_test : DataFrame
        Whether an earlier state matters, as from `markov_order_test` of the same moves.
    backtest : DataFrame
        What was predicted and spent, as from `value_backtest` of the same moves.
    margin : float
        Share of spend that is earned.
    cost : float
        Cost of each customer a period, in the currency of the data.
    replicates : int
        Draws behind the intervals.
    seed : int
        Seed of the draws.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By stage, the last row "all", a mean over customers in the currency of the data:

        - customers: at the end of the last period, count
        - horizon_value, horizon_value_ci_low, horizon_value_ci_high: over the next `periods`, expected
        - horizon_value_pi_low, horizon_value_pi_high: what they will bring, as a mean over as many customers
        - lifetime_value, lifetime_value_ci_low, lifetime_value_ci_high: over an infinite horizon
        - stopping_value: the same, where the relationship is ended in states that do not pay
        - held: whether the interval of the last origin of the backtest held what was spent; blank where there is none
        - reason: why a value is blank: of a lifetime, that the chain did not pass its tests
    """
    model = MarkovChain.fit(state_transitions, margin, cost)
    if reason := why_blank(model):
        return blank_of(pd.DataFrame, reason)
    seen, rng = counts(state_transitions), np.random.default_rng(seed)
    now, drawn = customers_now(seen, state_transitions), seen.draw(replicates, rng)
    by = np.vstack([now, now.sum(axis=0)])
    of = by.sum(axis=1)
    shares = by / np.where(of, of, np.nan)[:, None]
    P, R = drawn[0], margin * drawn[1] - cost
    found = pd.DataFrame({"customers": of}, pd.Index([*STAGES, ALL], name="stage"))
    costs = cost * _ahead(np.eye(1), np.ones(1), discount, periods)[0] if cost else 0.0
    whole = with_total(seen.simulate(*drawn, now, periods, discount, rng)) / np.where(of, of, np.nan)
    reason = _untested(order_test, backtest)
    for name, horizon in (("horizon_value", periods), ("lifetime_value", None)):
        blank = np.nan if reason and horizon is None else 1.0
        found[name] = blank * shares @ model.value(discount, horizon, include_present=False).to_numpy()
        ends = percentile_interval(_ahead(P, R, discount, horizon) @ shares.T, level)
        found[f"{name}_ci_low"], found[f"{name}_ci_high"] = blank * ends
        if horizon:
            found[f"{name}_pi_low"], found[f"{name}_pi_high"] = percentile_interval(margin * whole - costs, level)
    stopped = model.value(discount, stop=model.optimal_stop(discount), include_present=False).to_numpy()
    found["stopping_value"] = np.nan if reason else shares @ stopped
    last = blank_of(pd.Series, "") if why_blank(backtest) else _last(backtest).held
    found["held"] = last.reindex(found.index).astype("boolean")
    return found.assign(reason=np.where(of > 0, reason, "nobody is in it"))


def compare_stage_values(values: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Set what customers of each stage are worth by several methods one below the other.

    Parameters
    ----------
    values : mapping
        Method -> values by stage, as from `stage_values` or `clv.value_by_group`; a blank one has no rows.

    Returns
    -------
    DataFrame
        By method and stage, in the currency of the data; blank with the reason where all are:

        - customers: count
        - horizon_value, with ci_low, ci_high, pi_low and pi_high: see `stage_values`
        - held: whether the last backtest of the method held what was spent

        Methods without values are left out; `attrs` has their reasons.
    """
    blank = {method: why_blank(frame) for method, frame in values.items()}
    known = {method: frame for method, frame in values.items() if not blank[method]}
    if not known:
        return blank_of(pd.DataFrame, "; ".join(dict.fromkeys(blank.values())))
    columns = ["customers", "horizon_value", *(f"horizon_value_{end}" for end in ENDS), "held"]
    order = [*STAGES, ALL]
    frame = pd.concat({method: frame.reindex(order)[columns] for method, frame in known.items()}, names=["method"])
    frame.attrs["left_out"] = {method: reason for method, reason in blank.items() if reason}
    return frame


def total_values(compared: pd.DataFrame, currency: str = "", level: float = 0.95) -> dict[str, Estimate] | pd.DataFrame:
    """What all customers together are worth over the next periods, by method; blank where the last backtest missed it.

    Parameters
    ----------
    compared : DataFrame
        Values by method and stage, as from `compare_stage_values`.
    currency : str
        Currency of the amounts; "" names none.
    level : float
        Confidence level of the intervals.

    Returns
    -------
    dict
        Method -> Estimate in the currency of the data, with both intervals, blank where the method has no values;
        `compared` itself where it is blank.
    """
    if why_blank(compared):
        return compared
    totals = {str(method): _total(row, currency, level) for method, row in compared.xs(ALL, level=1).iterrows()}
    return totals | {method: Estimate(None, reason=why) for method, why in compared.attrs.get("left_out", {}).items()}


def _total(row, currency, level):
    if row.held is not pd.NA and not row.held:
        return Estimate(None, reason=MISSED)
    parts = {end: row.customers * row[f"horizon_value_{end}"] for end in ENDS}
    return Estimate(
        row.customers * row.horizon_value, **parts, n=int(row.customers), unit=currency, kind="money", level=level,
        conditional=True,
    )  # fmt: skip


def _last(backtest):
    """The last origin of a backtest, by stage."""
    return backtest[backtest.origin == backtest.origin.max()].set_index("stage")


def _missed(backtest):
    """Why a total is no fact: that the last backtest missed it; empty where it did not, or there is none."""
    if why_blank(backtest):
        return ""
    row = _last(backtest).loc[ALL]
    ends = f"{row.pi_low:,.0f} to {row.pi_high:,.0f}"
    return "" if row.held else f"in the last backtest {ends} was predicted and {row.spent:,.0f} was spent"


def _untested(order_test, backtest):
    """Why no value over an infinite horizon is shown; empty where the chain passed both tests."""
    if reason := why_blank(order_test, backtest) or _missed(backtest):
        return reason
    high = order_test.effect_size_ci_high["all"]
    return "" if high <= SMALL else f"the state before the present one may add an effect of up to w = {high:.3f}"


def _ahead(P, reward, discount, periods):
    """What chains are worth in each state after the present period."""
    return values_of(P, reward, discount, periods) - reward
