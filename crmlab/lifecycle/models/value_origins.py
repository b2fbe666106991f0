"""What customers were predicted to spend beside what they spent, from one origin after another."""

import numpy as np
import pandas as pd

from crmlab.lifecycle.models.buying_chain import counts, values_of
from crmlab.lifecycle.tables.order_states import RECENT
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.model import FitError, blank_of, needs_fit
from crmlab.orders import need_amounts
from crmlab.stats.intervals import percentile_interval

ALL = "all"
REPLICATES = 1024
MOST_ORIGINS = 12


@needs_fit
def value_backtest(
    state_transitions: pd.DataFrame, periods: int, replicates: int = REPLICATES, seed: int = 1, level: float = 0.95
) -> pd.DataFrame:
    """What customers of each stage were predicted to spend, by what was known then, beside what they spent.

    Origins are ends of periods, up to 12, evenly from the sixth to the last after which the next `periods` are known.
    Customers are those acquired by then; money is neither discounted nor turned into earnings.

    Parameters
    ----------
    state_transitions : DataFrame
        Counts of moves between states, as from `state_transitions` with the same number of periods ahead.
    periods : int
        Periods over which spend is predicted, 1 or more.
    replicates : int
        Draws behind the intervals.
    seed : int
        Seed of the draws.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        A row an origin and stage, "all" the last of each; blank with the reason where there is no origin:

        - origin: last day that was known
        - stage: at its end
        - customers: count
        - expected, pi_low, pi_high: spend of all of them, with its prediction interval
        - spent: what they spent
        - ratio: expected to spent
        - held: whether the interval holds what was spent
    """
    need_amounts(state_transitions.spend)
    over = state_transitions.groupby("period").spend_ahead.apply(lambda spend: spend.notna().all())
    origins = over.index[over & (np.arange(1, len(over) + 1) >= RECENT)]
    if origins.empty:
        reason = f"{len(over)} periods are known; a backtest of {periods} takes {RECENT + periods}"
        return blank_of(pd.DataFrame, reason)
    chosen = origins[np.unique(np.linspace(0, len(origins) - 1, MOST_ORIGINS).round().astype(int))]
    parts = []
    for period in chosen:
        known = state_transitions[state_transitions.period <= period]
        try:
            parts.append(_from(known, periods, replicates, seed, level))
        except FitError as problem:
            reason = str(problem)
    return pd.concat(parts, ignore_index=True) if parts else blank_of(pd.DataFrame, reason)


def _from(known, periods, replicates, seed, level):
    """The rows of one origin, the end of the last period known."""
    seen, rng = counts(known), np.random.default_rng(seed)
    now, last = customers_now(seen, known), known[known.period == known.period.max()]
    P, mean = seen.expected()
    expected = now @ (values_of(P, mean, 0.0, periods) - mean)
    low, high = percentile_interval(
        with_total(seen.simulate(*seen.draw(replicates, rng), now, periods, 0.0, rng)), level
    )
    spent = with_total(last.groupby("stage").spend_ahead.sum().reindex(list(STAGES), fill_value=0).to_numpy())
    rows = {"origin": last.as_of.max(), "stage": [*STAGES, ALL], "customers": with_total(now.sum(axis=1))}
    rows |= {"expected": with_total(expected), "pi_low": low, "pi_high": high, "spent": spent}
    found = pd.DataFrame(rows).query("customers > 0")
    held = (found.pi_low <= found.spent) & (found.spent <= found.pi_high)
    return found.assign(ratio=found.expected / found.spent.where(found.spent > 0), held=held)


def customers_now(seen, state_transitions):
    """Customers of the last period by stage (rows) and state of the chain (columns)."""
    last = state_transitions[state_transitions.period == state_transitions.period.max()]
    now = np.zeros((len(STAGES), len(seen.states)), int)
    np.add.at(now, (last.stage.map(STAGES.index), seen.places(last.state)), last.customers)
    return now


def with_total(values):
    """Values by stage, in the last dimension, with their sum."""
    return np.concatenate([values, values.sum(axis=-1, keepdims=True)], axis=-1)
