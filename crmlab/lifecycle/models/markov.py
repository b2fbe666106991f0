"""What customers are worth who move between states at random. [Pfeifer & Carraway 2000]"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models import transitions
from crmlab.lifecycle.tables.stages import STAGES, customers_by
from crmlab.model import FitError, Model, blank_of, needs_fit, or_unfitted, prediction, why_blank
from crmlab.stats.intervals import percentile_interval

REPLICATES = 1024
SLACK = 1e-9  # by which probabilities may miss 1


@dataclass(frozen=True)
class MarkovChain(Model):
    """Customers who move between states once a period, with probabilities that the present state alone decides.

    Parameters
    ----------
    states : tuple of str
        Names of the states.
    transition : tuple of tuples
        Probability of moving from each state (row) to each (column), 0 to 1.
    reward : tuple of float
        What a customer brings in a period spent in each state, costs deducted, in currency.

    Raises
    ------
    InputError
        Where these do not make a chain.

    References
    ----------
    Pfeifer & Carraway (2000), Modeling customer relationships as Markov chains, Journal of Interactive Marketing 14.

    Examples
    --------
    >>> chain = MarkovChain(("buys", "left"), [[0.9, 0.1], [0, 1]], [1, 0])
    >>> chain.value(discount=0.0, periods=2).round(2).tolist()  # 1 + .9 + .81
    [2.71, 0.0]
    """

    title = "Markov chain"
    states: Sequence[str]
    transition: Sequence[Sequence[float]]
    reward: Sequence[float]

    def __post_init__(self) -> None:
        P, R = np.array(self.transition, float), np.array(self.reward, float)
        if breaches := _faults(self.states, P, R):
            raise InputError(*breaches)
        for name, value in {"states": self.states, "transition": map(tuple, P.tolist()), "reward": R.tolist()}.items():
            object.__setattr__(self, name, tuple(value))

    @classmethod
    @or_unfitted
    def fit(cls, stage_transitions: pd.DataFrame, margin: float = 1.0, cost: float = 0.0) -> "MarkovChain":
        """The chain of customers between stages.

        Probabilities are posterior means under Jeffreys' prior; a reward is the mean spend of a period that ended in
        the stage, times margin, less cost. Stages nobody was ever in are left out.

        Parameters
        ----------
        stage_transitions : DataFrame
            Counts of moves between stages, as from `stage_transitions`.
        margin : float
            Share of spend that is earned.
        cost : float
            Cost of each customer a period, in the currency of the data.

        Returns
        -------
        MarkovChain or Unfitted
            Unfitted where nobody in a stage was observed a period later.
        """
        if reason := why_blank(stage_transitions):
            raise FitError(reason)
        spend = transitions.spend_by_stage(stage_transitions).query("customers > 0")
        moved = transitions.transition_counts(stage_transitions).sum(axis=1)
        unseen = [stage for stage in spend.index if not moved[stage]]
        if unseen or spend.empty:
            reason = f"nobody in {', '.join(unseen) or 'any stage'} was observed a period later"
            raise FitError(reason, "take a longer log, or shorter periods")
        alpha = transitions.transition_posterior(stage_transitions).loc[spend.index, spend.index]
        probabilities = alpha.div(alpha.sum(axis=1), axis=0).to_numpy().tolist()
        return cls(tuple(spend.index), probabilities, (margin * spend["mean"] - cost).tolist())

    @property
    @prediction
    def parameters(self) -> pd.DataFrame:
        """A row a probability or reward: value; standard_error, ci_low and ci_high are blank; reason, why."""
        moves = pd.DataFrame(self.transition, self.states, self.states).stack()
        moves.index = [f"{previous} to {state}" for previous, state in moves.index]
        rewards = pd.Series(self.reward, [f"reward in {state}" for state in self.states])
        frame = pd.concat([moves, rewards]).rename_axis("parameter").to_frame("value")
        reason = "a chain is numbers without errors: see `transition_probabilities` and `spend_by_stage`"
        return frame.assign(standard_error=np.nan, ci_low=np.nan, ci_high=np.nan, reason=reason)

    @prediction
    def value(
        self, discount: float, periods: int | None = None, stop: tuple = (), include_present: bool = True
    ) -> pd.Series:
        """What a customer now in each state is worth.

        Parameters
        ----------
        discount : float
            Rate a period at which later money counts for less, above −1; above 0 over an infinite horizon.
        periods : int or None
            Counts the present one and so many more; None is an infinite horizon, (I − P/(1 + d))⁻¹R.
        stop : tuple of str
            States from which the relationship is ended: nothing is spent, and nothing comes back.
        include_present : bool
            Whether the reward of the present period counts; without it, what the following ones bring.

        Returns
        -------
        Series
            By state, in the currency of `reward`.

        Raises
        ------
        InputError
            Where the sum has no end, `periods` is no whole number, or `stop` names an unknown state.
        """
        self._check(discount, periods, stop)
        kept = np.array([state not in stop for state in self.states], float)
        reward = np.array(self.reward) * kept
        values = _values(np.array(self.transition) * np.outer(kept, kept), reward, discount, periods)
        values -= 0 if include_present else reward
        return pd.Series(values, pd.Index(self.states, name="state"), name="value")

    def optimal_stop(self, discount: float) -> tuple[str, ...]:
        """The states from which it pays to end the relationship, by policy iteration.

        Parameters
        ----------
        discount : float
            Rate a period at which later money counts for less, above 0, as by `discount_per_period`.

        Returns
        -------
        tuple of str
            Names of the states.

        References
        ----------
        Howard (1960), Dynamic Programming and Markov Processes.
        """
        transition, reward, states = map(np.array, (self.transition, self.reward, self.states))
        stop, ending = None, reward < 0
        while stop != (stop := tuple(states[ending].tolist())):
            ending = reward + transition @ self.value(discount, stop=stop) / (1 + discount) <= SLACK
        return stop

    def _check(self, discount, periods, stop):
        """Raises InputError where a value cannot be asked for so."""
        breaches = []
        if not -1 < discount < np.inf:
            breaches.append(f"discount = {discount!r}: choose a rate above -1, such as 0.01 a period")
        elif periods is None and discount <= 0:
            endless = "a sum over an infinite horizon has no end; choose a rate above 0, or periods"
            breaches.append(f"discount = {discount:g}: {endless}")
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
        sizes = " and reward ".join("x".join(map(str, part.shape)) or "a single number" for part in (P, R))
        return [f"transition is {sizes} for {n} states; give a row, a column and a reward for each"]
    found = []
    if wrong := (~((P >= 0) & (P <= 1 + SLACK))).sum():
        found.append(f"transition: {wrong} cells are no probabilities; write 0 to 1")
    elif off := [f"{s} ({row.sum():.6g})" for s, row in zip(states, P, strict=True) if abs(row.sum() - 1) > SLACK]:
        found.append(f"transition: the rows of {', '.join(off)} do not sum to 1; divide each by its sum")
    if not np.isfinite(R).all():
        found.append(f"reward: {(~np.isfinite(R)).sum()} of {n} are not numbers; give one for every state")
    return found


@needs_fit
def stage_values(
    stage_transitions: pd.DataFrame,
    discount: float,
    periods: int = 12,
    margin: float = 1.0,
    cost: float = 0.0,
    replicates: int = REPLICATES,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """What a customer in each stage is still worth, after the present period.

    Parameters
    ----------
    stage_transitions : DataFrame
        Counts of moves between stages, as from `stage_transitions`.
    discount : float
        Rate a period at which later money counts for less, above 0, as by `discount_per_period`.
    periods : int
        Periods of the finite horizon.
    margin : float
        Share of spend that is earned.
    cost : float
        Cost of each customer a period, in the currency of the data.
    replicates : int
        Draws from the posterior of the moves, for the intervals.
    seed : int
        Seed of the draws.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        By stage, in the currency of the data; blank with the reason where a stage's future was not observed:

        - reward: what a period in the stage brings
        - horizon_value, horizon_value_ci_low, horizon_value_ci_high: over the next `periods`, with its interval
        - lifetime_value, lifetime_value_ci_low, lifetime_value_ci_high: over an infinite horizon
        - stopping_value: the same, where the relationship is ended in stages that do not pay
        - keep: whether continuing pays
        - reason: why there is no value
    """
    model = MarkovChain.fit(stage_transitions, margin, cost)
    if reason := why_blank(model):
        return blank_of(pd.DataFrame, reason)
    states, rng = list(model.states), np.random.default_rng(seed)
    alpha = transitions.transition_posterior(stage_transitions).loc[states, states].to_numpy()
    error = transitions.spend_by_stage(stage_transitions).standard_error[states]
    P = rng.gamma(alpha, size=(replicates, *alpha.shape))  # a gamma of shape 0 is 0: what is impossible stays so
    R = rng.normal(model.reward, margin * error, (replicates, len(alpha)))
    P /= P.sum(axis=2, keepdims=True)
    found = pd.DataFrame({"reward": model.reward}, pd.Index(states, name="stage"))
    for name, horizon in (("horizon_value", periods), ("lifetime_value", None)):
        found[name] = model.value(discount, horizon, include_present=False)
        drawn = _values(P, R, discount, horizon) - R
        found[f"{name}_ci_low"], found[f"{name}_ci_high"] = percentile_interval(drawn, level)
    stop = model.optimal_stop(discount)
    found["stopping_value"] = model.value(discount, stop=stop)
    found["stopping_value"] -= found.reward.where(~found.index.isin(stop), 0)
    found = found.assign(keep=pd.array(~found.index.isin(stop), "boolean"), reason="").reindex(list(STAGES))
    return found.fillna({"reason": "nobody was in it"})


@needs_fit
def second_order_values(
    stage_transitions: pd.DataFrame,
    discount: float,
    margin: float = 1.0,
    replicates: int = REPLICATES,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """What all customers of the last period are worth to a chain that also knows the stage before the present one.

    The value is over an infinite horizon, the present period left out. Moves are drawn anew from their posterior, the
    same for both chains, so that the interval is of their difference. [Bayesian bootstrap, Rubin 1981]

    Parameters
    ----------
    stage_transitions : DataFrame
        Counts of moves between stages, as from `stage_transitions`.
    discount : float
        Rate a period at which later money counts for less, above 0, as by `discount_per_period`.
    margin : float
        Share of spend that is earned.
    replicates : int
        Draws from the posterior of the moves, for the intervals.
    seed : int
        Seed of the draws.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    DataFrame
        Rows "first order", "second order" and "relative difference", the second over the first less 1:

        - customers: of the last period, count
        - value, ci_low, ci_high: in the currency of the data, and as a ratio
    """
    model = MarkovChain.fit(stage_transitions, margin)
    if reason := why_blank(model):
        return blank_of(pd.DataFrame, reason)
    pairs = pd.MultiIndex.from_product([["", *model.states], model.states])  # stage before, "" where none, and stage
    moves = customers_by(stage_transitions[stage_transitions.previous != ""], ["before_previous", "previous"])
    counts = moves.reindex(index=pairs, columns=list(model.states), fill_value=0).to_numpy(float)
    last = stage_transitions[stage_transitions.period == stage_transitions.period.max()]
    now = last.groupby(["previous", "stage"]).customers.sum().reindex(pairs, fill_value=0)
    drawn = np.random.default_rng(seed).gamma(counts, size=(replicates, *counts.shape))
    value, totals = (_totals(each, model, pairs, discount, now.to_numpy()) for each in (counts, drawn))
    ci_low, ci_high = percentile_interval(totals, level)
    chains = pd.Index(["first order", "second order", "relative difference"], name="chain")
    return pd.DataFrame({"customers": now.sum(), "value": value, "ci_low": ci_low, "ci_high": ci_high}, chains)


def _totals(counts, model, pairs, discount, now):
    """Value of all customers to both chains, and their relative difference, by moves counted or drawn out of pairs."""
    states = list(model.states)
    stage = np.array([states.index(stage) for _, stage in pairs])
    out_of = np.stack([counts[..., stage == k, :].sum(axis=-2) for k in range(len(states))], axis=-2)
    possible = [[(was, to) not in transitions.IMPOSSIBLE for to in states] for was in states]
    first = out_of + transitions.PRIOR * np.array(possible)
    first /= first.sum(axis=-1, keepdims=True)
    second = counts + first[..., stage, :]  # the first-order chain counts as one more move out of each pair
    second /= second.sum(axis=-1, keepdims=True)
    ahead = pairs.get_indexer([(was, to) for _, was in pairs for to in states]).reshape(len(pairs), -1)
    P = np.zeros((*counts.shape[:-1], len(pairs)))
    np.put_along_axis(P, np.broadcast_to(ahead, second.shape), second, axis=-1)
    reward = np.array(model.reward)
    one = (_values(first, reward, discount, None) - reward)[..., stage] @ now
    other = (_values(P, reward[stage], discount, None) - reward[stage]) @ now
    return np.stack([one, other, other / one - 1], axis=-1)
