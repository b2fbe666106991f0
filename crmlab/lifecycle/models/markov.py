"""What customers are worth who move between states by chance. [Pfeifer & Carraway 2000]"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models import transitions
from crmlab.result import Verdict, number
from crmlab.stats.intervals import percentile_interval

REPLICATES = 1024
TOLERANCE = 0.05  # by which values may differ and be called alike
SLACK = 1e-9  # by which chances may miss 1


@dataclass(frozen=True)
class MarkovChain:
    """Customers who move between states once a period, by chances that the present state alone decides.

    states     : their names
    transition : chance of moving from each state (row) to each (column), 0 to 1
    reward     : what a customer brings in a period spent in each state, costs deducted, in currency
    Raises InputError where these do not make a chain.
    """

    states: tuple
    transition: tuple
    reward: tuple

    def __post_init__(self):
        P, R = np.array(self.transition, float), np.array(self.reward, float)
        if breaches := _faults(self.states, P, R):
            raise InputError(*breaches)
        for name, value in (("states", self.states), ("transition", map(tuple, P.tolist())), ("reward", R.tolist())):
            object.__setattr__(self, name, tuple(value))

    def value(self, discount, periods=None, stop=(), include_present=True):
        """What a customer now in each state is worth: a Series by state, in the currency of `reward`.

        discount : by how much money is worth less a period later
        periods  : count the present one and so many more; None is for ever, (I − P/(1 + d))⁻¹R
        stop     : states from which the relation is given up: nothing is spent, and nothing comes back
        include_present : whether the reward of the present period counts; without it, what the following ones bring
        """
        self._check(discount, periods, stop)
        kept = np.array([state not in stop for state in self.states], float)
        reward = np.array(self.reward) * kept
        values = _values(np.array(self.transition) * np.outer(kept, kept), reward, discount, periods)
        return pd.Series(
            values if include_present else values - reward, pd.Index(self.states, name="state"), name="value"
        )

    def optimal_stop(self, discount):
        """The states from which it pays to give the relation up: their names. [policy iteration, Howard 1960]"""
        stop, better = None, tuple(state for state, reward in zip(self.states, self.reward, strict=True) if reward < 0)
        while better != stop:
            stop = better
            ahead = np.array(self.transition) @ self.value(discount, stop=stop).to_numpy() / (1 + discount)
            going_on = zip(self.states, self.reward + ahead, strict=True)
            better = tuple(state for state, more in going_on if more <= SLACK)
        return stop

    def _check(self, discount, periods, stop):
        """Raises InputError where a value cannot be asked for so."""
        breaches = []
        if not discount > -1 or np.isinf(discount):
            breaches.append(f"discount = {discount!r}: choose a rate above -1, such as 0.01 a period")
        elif periods is None and discount <= 0:
            breaches.append(f"discount = {discount:g}: a sum for ever has no end; choose a rate above 0, or periods")
        if periods is not None and (periods < 0 or periods % 1):
            breaches.append(f"periods = {periods!r}: choose a whole number, 0 or more")
        if unknown := [state for state in stop if state not in self.states]:
            breaches.append(f"stop: no state {', '.join(map(repr, unknown))}; choose among {', '.join(self.states)}")
        if breaches:
            raise InputError(*breaches)


def _values(P, R, discount, periods):
    """What chains are worth in each state, the present period included; P and R may hold one chain or many."""
    step, reward = P / (1 + discount), np.asarray(R)[..., None]
    if periods is None:
        return np.linalg.solve(np.eye(P.shape[-1]) - step, reward)[..., 0]
    values = reward
    for _ in range(periods):
        values = reward + step @ values
    return values[..., 0]


def _faults(states, P, R):
    """What is wrong with a chain, in words."""
    n = len(states)
    if P.shape != (n, n) or R.shape != (n,):
        sizes = ["x".join(map(str, part.shape)) or "a single number" for part in (P, R)]
        return [
            f"transition is {sizes[0]} and reward {sizes[1]} for {n} states; give a row, a column and a reward for each"
        ]
    found = []
    if not ((P >= 0) & (P <= 1 + SLACK)).all():
        found.append(f"transition: {(~((P >= 0) & (P <= 1 + SLACK))).sum()} cells are no chances; write 0 to 1")
    elif off := [f"{s} ({row.sum():.6g})" for s, row in zip(states, P, strict=True) if abs(row.sum() - 1) > SLACK]:
        found.append(f"transition: the rows of {', '.join(off)} do not sum to 1; divide each by its sum")
    if not np.isfinite(R).all():
        found.append(f"reward: {(~np.isfinite(R)).sum()} of {n} are not numbers; give one for every state")
    return found


def stage_chain(stage_transitions, margin=1.0, cost=0.0):
    """The MarkovChain of customers between stages, from `stage_transitions`.

    margin : share of spend that is earned
    cost   : spent on each customer a period, in currency
    Chances are posterior means under Jeffreys' prior; a reward is the mean spend of a period that ended in the stage,
    times margin, less cost. Stages nobody was ever in are left out.
    Raises InputError where a stage was never left or kept, so that what follows it is unknown.
    """
    spend = transitions.spend_by_stage(stage_transitions)
    seen = spend.customers > 0
    if reason := _unknown(stage_transitions, seen):
        raise InputError(reason)
    known = transitions.transition_posterior(stage_transitions)
    rows = np.vstack([known[stage][seen] for stage in spend.index[seen]])
    probabilities = rows / rows.sum(axis=1, keepdims=True)
    return MarkovChain(tuple(spend.index[seen]), probabilities, (margin * spend["mean"] - cost)[seen])


def stage_values(stage_transitions, discount, periods=12, margin=1.0, cost=0.0, seed=1):
    """What a customer in each stage is still worth, after the present period: a frame by stage.

    stage_transitions : of `tables.stages`
    discount  : by how much money is worth less a period later, above 0; see `discount_per_period`
    periods   : the horizon of the value that has one
    margin, cost : as of `stage_chain`
    returns, in the currency of the data
        reward                what a period in the stage brings
        horizon_value, horizon_value_ci_low, horizon_value_ci_high   over the next `periods`, with its 95 % interval
        lifetime_value, lifetime_value_ci_low, lifetime_value_ci_high   over an infinite horizon
        stopping_value        the same, where the relation is given up in stages that do not pay
        keep                  whether going on pays
        reason                why there is no number
    Intervals: moves drawn from their posterior and rewards about their means, as if all moves were independent.
    """
    columns = [
        "reward",
        "horizon_value",
        "horizon_value_ci_low",
        "horizon_value_ci_high",
        "lifetime_value",
        "lifetime_value_ci_low",
        "lifetime_value_ci_high",
        "stopping_value",
    ]
    spend = transitions.spend_by_stage(stage_transitions)
    seen = spend.customers > 0
    if reason := _unknown(stage_transitions, seen):
        found = pd.DataFrame(np.nan, spend.index, columns)
        return found.assign(keep=pd.Series(pd.NA, spend.index, dtype="boolean"), reason=reason)
    model, rng = stage_chain(stage_transitions, margin, cost), np.random.default_rng(seed)
    alpha = np.vstack(
        [known[seen] for stage, known in transitions.transition_posterior(stage_transitions).items() if seen[stage]]
    )
    P = rng.gamma(alpha, size=(REPLICATES, *alpha.shape))  # a gamma of shape 0 is 0: what is impossible stays so
    R = rng.normal(model.reward, margin * spend.standard_error[seen], (REPLICATES, len(alpha)))
    P /= P.sum(axis=2, keepdims=True)
    found = pd.DataFrame({"reward": model.reward}, pd.Index(model.states, name="stage"))
    for name, horizon in (("horizon_value", periods), ("lifetime_value", None)):
        found[name] = model.value(discount, horizon, include_present=False)
        found[f"{name}_ci_low"], found[f"{name}_ci_high"] = percentile_interval(_values(P, R, discount, horizon) - R)
    stop = model.optimal_stop(discount)
    found["stopping_value"] = model.value(discount, stop=stop)
    found["stopping_value"] -= found.reward.where(~found.index.isin(stop), 0)
    found = found.reindex(spend.index)
    keep = pd.Series(~found.index.isin(stop), found.index, dtype="boolean").where(seen)
    return found[columns].assign(keep=keep, reason=np.where(seen, "", "cannot be estimated: nobody was in it"))


def second_order_values_agree(stage_transitions, discount, margin=1.0):
    """Whether customers are worth the same to a chain that also knows the stage before the present one: a Verdict.

    It passes where the value for ever of all customers of the last period, present period left out, differs by less
    than TOLERANCE. Arguments as of `stage_values`.
    """
    claim = f"A chain that also remembers the stage before values customers alike, within {TOLERANCE:.0%}"
    instead = "values over a few periods rather than for ever, as those far ahead rest on moves that have a memory"
    spend = transitions.spend_by_stage(stage_transitions)
    if reason := _unknown(stage_transitions, spend.customers > 0):
        return Verdict(claim, False, reason, instead)
    first = stage_chain(stage_transitions, margin)
    second = _second_order(stage_transitions, first)
    last = stage_transitions[stage_transitions.period == stage_transitions.period.max()]
    now = last.groupby(["previous", "stage"]).customers.sum()
    plain = (now * now.index.get_level_values("stage").map(first.value(discount, include_present=False))).sum()
    known = second.value(discount, include_present=False)
    remembering = (now * [known[" → ".join(pair)] for pair in now.index]).sum()
    change = remembering / plain - 1
    return Verdict(
        claim,
        bool(abs(change) < TOLERANCE),
        f"it puts the {now.sum():,} customers of the last period at {number(remembering)} for ever, the plain chain at "
        f"{number(plain)}: {change:+.1%}",
        instead,
    )


def _second_order(stage_transitions, first):
    """The MarkovChain of customers between pairs of stages; `first` counts as one more move out of each."""
    pairs = [(before_previous, stage) for before_previous in ("", *first.states) for stage in first.states]
    place = {pair: i for i, pair in enumerate(pairs)}
    P = np.zeros((len(pairs), len(pairs)))
    for (_, stage), row in zip(pairs, P, strict=True):
        row[[place[stage, to] for to in first.states]] = first.transition[first.states.index(stage)]
    seen = (
        stage_transitions[stage_transitions.previous != ""]
        .groupby(["before_previous", "previous", "stage"])
        .customers.sum()
    )
    for (before_previous, previous, stage), count in seen.items():
        P[place[before_previous, previous], place[previous, stage]] += count
    P /= P.sum(axis=1, keepdims=True)
    return MarkovChain([" → ".join(pair) for pair in pairs], P, [first.reward[first.states.index(s)] for _, s in pairs])


def _unknown(stage_transitions, seen):
    """Which stages have no known future, in words; "" where all have."""
    out = transitions.transition_counts(stage_transitions).sum(axis=1)
    lost = [stage for stage in out.index if seen[stage] and not out[stage]]
    if not seen.any() or lost:
        where = ", ".join(lost) or "any stage"
        return f"cannot be estimated: nobody in {where} was seen a period later; take a longer log, or shorter periods"
    return ""
