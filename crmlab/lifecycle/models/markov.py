"""What customers are worth who move between states by chance. [Pfeifer & Carraway 2000]"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models import transitions
from crmlab.result import Verdict, number
from crmlab.stats.intervals import tails

DRAWS = 1024
NEAR = 0.05  # by which values may differ and be called alike
SLACK = 1e-9  # by which chances may miss 1


@dataclass(frozen=True)
class Chain:
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

    def value(self, discount, periods=None, stop=(), present=True):
        """What a customer now in each state is worth: a Series by state, in the currency of `reward`.

        discount : by how much money is worth less a period later
        periods  : count the present one and so many more; None is for ever, (I − P/(1 + d))⁻¹R
        stop     : states from which the relation is given up: nothing is spent, and nothing comes back
        present  : whether the reward of the present period counts; without it, what the following ones bring
        """
        self._check(discount, periods, stop)
        kept = np.array([state not in stop for state in self.states], float)
        reward = np.array(self.reward) * kept
        worth = _worth(np.array(self.transition) * np.outer(kept, kept), reward, discount, periods)
        return pd.Series(worth if present else worth - reward, pd.Index(self.states, name="state"), name="value")

    def best_stop(self, discount):
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


def _worth(P, R, discount, periods):
    """What chains are worth in each state, the present period included; P and R may hold one chain or many."""
    step, reward = P / (1 + discount), np.asarray(R)[..., None]
    if periods is None:
        return np.linalg.solve(np.eye(P.shape[-1]) - step, reward)[..., 0]
    worth = reward
    for _ in range(periods):
        worth = reward + step @ worth
    return worth[..., 0]


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


def chain(moves, margin=1.0, cost=0.0):
    """The Chain of customers between stages, from `tables.stages.moves`.

    margin : share of spend that is earned
    cost   : spent on each customer a period, in currency
    Chances are posterior means under Jeffreys' prior; a reward is the mean spend of a period that ended in the stage,
    times margin, less cost. Stages nobody was ever in are left out.
    Raises InputError where a stage was never left or kept, so that what follows it is unknown.
    """
    spend = transitions.spending(moves)
    seen = spend.customers > 0
    if told := _unknown(moves, seen):
        raise InputError(told)
    known = transitions.posterior(moves)
    rows = np.vstack([known[stage][seen] for stage in spend.index[seen]])
    chances = rows / rows.sum(axis=1, keepdims=True)
    return Chain(tuple(spend.index[seen]), chances, (margin * spend["mean"] - cost)[seen])


def by_stage(moves, discount, periods=12, margin=1.0, cost=0.0, seed=1):
    """What a customer in each stage is still worth, after the present period: a frame by stage.

    moves     : of `tables.stages`
    discount  : by how much money is worth less a period later, above 0; see `sbg.discount_a_period`
    periods   : the horizon of the value that has one
    margin, cost : as of `chain`
    returns, in the currency of the data
        reward                what a period in the stage brings
        ahead, ahead_low, ahead_high   over the next `periods`, with its 95 % interval
        ever, ever_low, ever_high      for ever
        stopped               for ever, where the relation is given up in stages that do not pay
        keep                  whether going on pays
        reason                why there is no number
    Intervals: moves drawn from their posterior and rewards about their means, as if all moves were independent.
    """
    columns = ["reward", "ahead", "ahead_low", "ahead_high", "ever", "ever_low", "ever_high", "stopped"]
    spend = transitions.spending(moves)
    seen = spend.customers > 0
    if told := _unknown(moves, seen):
        found = pd.DataFrame(np.nan, spend.index, columns)
        return found.assign(keep=pd.Series(pd.NA, spend.index, dtype="boolean"), reason=told)
    model, rng = chain(moves, margin, cost), np.random.default_rng(seed)
    alpha = np.vstack([known[seen] for stage, known in transitions.posterior(moves).items() if seen[stage]])
    P = rng.gamma(alpha, size=(DRAWS, *alpha.shape))  # a gamma of shape 0 is 0: what is impossible stays so
    R = rng.normal(model.reward, margin * spend.error[seen], (DRAWS, len(alpha)))
    P /= P.sum(axis=2, keepdims=True)
    found = pd.DataFrame({"reward": model.reward}, pd.Index(model.states, name="stage"))
    for name, horizon in (("ahead", periods), ("ever", None)):
        found[name] = model.value(discount, horizon, present=False)
        found[f"{name}_low"], found[f"{name}_high"] = tails(_worth(P, R, discount, horizon) - R)
    stop = model.best_stop(discount)
    found["stopped"] = model.value(discount, stop=stop)
    found["stopped"] -= found.reward.where(~found.index.isin(stop), 0)
    found = found.reindex(spend.index)
    keep = pd.Series(~found.index.isin(stop), found.index, dtype="boolean").where(seen)
    return found[columns].assign(keep=keep, reason=np.where(seen, "", "cannot be estimated: nobody was in it"))


def memory_is_worthless(moves, discount, margin=1.0):
    """Whether customers are worth the same to a chain that also knows the stage before the present one: a Verdict.

    It passes where the value for ever of all customers of the last period, present period left out, differs by less
    than NEAR. Arguments as of `by_stage`.
    """
    claim = f"A chain that also remembers the stage before values customers alike, within {NEAR:.0%}"
    instead = "values over a few periods rather than for ever, as those far ahead rest on moves that have a memory"
    spend = transitions.spending(moves)
    if told := _unknown(moves, spend.customers > 0):
        return Verdict(claim, False, told, instead)
    first = chain(moves, margin)
    second = _second_order(moves, first)
    last = moves[moves.period == moves.period.max()]
    now = last.groupby(["previous", "stage"]).customers.sum()
    plain = (now * now.index.get_level_values("stage").map(first.value(discount, present=False))).sum()
    known = second.value(discount, present=False)
    remembering = (now * [known[" → ".join(pair)] for pair in now.index]).sum()
    change = remembering / plain - 1
    return Verdict(
        claim,
        bool(abs(change) < NEAR),
        f"it puts the {now.sum():,} customers of the last period at {number(remembering)} for ever, the plain chain at "
        f"{number(plain)}: {change:+.1%}",
        instead,
    )


def _second_order(moves, first):
    """The Chain of customers between pairs of stages; `first` counts as one more move out of each."""
    pairs = [(before, stage) for before in ("", *first.states) for stage in first.states]
    place = {pair: i for i, pair in enumerate(pairs)}
    P = np.zeros((len(pairs), len(pairs)))
    for (_, stage), row in zip(pairs, P, strict=True):
        row[[place[stage, to] for to in first.states]] = first.transition[first.states.index(stage)]
    seen = moves[moves.previous != ""].groupby(["before", "previous", "stage"]).customers.sum()
    for (before, previous, stage), count in seen.items():
        P[place[before, previous], place[previous, stage]] += count
    P /= P.sum(axis=1, keepdims=True)
    return Chain([" → ".join(pair) for pair in pairs], P, [first.reward[first.states.index(s)] for _, s in pairs])


def _unknown(moves, seen):
    """Which stages have no known future, in words; "" where all have."""
    out = transitions.counts(moves).sum(axis=1)
    lost = [stage for stage in out.index if seen[stage] and not out[stage]]
    if not seen.any() or lost:
        where = ", ".join(lost) or "any stage"
        return f"cannot be estimated: nobody in {where} was seen a period later; take a longer log, or shorter periods"
    return ""
