"""What customers are worth who move between states at random. [Pfeifer & Carraway 2000]"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models import transitions
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
    states: tuple
    transition: tuple
    reward: tuple

    def __post_init__(self) -> None:
        P, R = np.array(self.transition, float), np.array(self.reward, float)
        if breaches := _faults(self.states, P, R):
            raise InputError(*breaches)
        for name, value in (("states", self.states), ("transition", map(tuple, P.tolist())), ("reward", R.tolist())):
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
        spend = transitions.spend_by_stage(stage_transitions)
        occupied = spend.customers > 0
        if reason := _unknown(stage_transitions, occupied):
            raise FitError(reason, "take a longer log, or shorter periods")
        posterior = transitions.transition_posterior(stage_transitions)
        rows = np.vstack([posterior[stage][occupied] for stage in spend.index[occupied]])
        probabilities = rows / rows.sum(axis=1, keepdims=True)
        return cls(tuple(spend.index[occupied]), probabilities, (margin * spend["mean"] - cost)[occupied])

    @property
    @prediction
    def parameters(self) -> pd.DataFrame:
        """A row a probability or reward: value; standard errors and intervals are blank, as it is made of numbers."""
        moves = pd.DataFrame(self.transition, self.states, self.states).stack()
        moves.index = [f"{previous} to {state}" for previous, state in moves.index]
        rewards = pd.Series(self.reward, [f"reward in {state}" for state in self.states])
        frame = pd.concat([moves, rewards]).rename_axis("parameter").to_frame("value")
        return frame.assign(standard_error=np.nan, ci_low=np.nan, ci_high=np.nan)

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
        return pd.Series(
            values if include_present else values - reward, pd.Index(self.states, name="state"), name="value"
        )

    def optimal_stop(self, discount: float) -> tuple:
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
            breaches.append(
                f"discount = {discount:g}: a sum over an infinite horizon has no end; choose a rate above 0, or periods"
            )
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
        found.append(f"transition: {(~((P >= 0) & (P <= 1 + SLACK))).sum()} cells are no probabilities; write 0 to 1")
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
    spend, rng = transitions.spend_by_stage(stage_transitions), np.random.default_rng(seed)
    occupied = spend.customers > 0
    posterior = transitions.transition_posterior(stage_transitions)
    alpha = np.vstack([posterior[stage][occupied] for stage in spend.index[occupied]])
    P = rng.gamma(alpha, size=(replicates, *alpha.shape))  # a gamma of shape 0 is 0: what is impossible stays so
    R = rng.normal(model.reward, margin * spend.standard_error[occupied], (replicates, len(alpha)))
    P /= P.sum(axis=2, keepdims=True)
    found = pd.DataFrame({"reward": model.reward}, pd.Index(model.states, name="stage"))
    for name, horizon in (("horizon_value", periods), ("lifetime_value", None)):
        found[name] = model.value(discount, horizon, include_present=False)
        drawn = _values(P, R, discount, horizon) - R
        found[f"{name}_ci_low"], found[f"{name}_ci_high"] = percentile_interval(drawn, level)
    stop = model.optimal_stop(discount)
    found["stopping_value"] = model.value(discount, stop=stop)
    found["stopping_value"] -= found.reward.where(~found.index.isin(stop), 0)
    found = found.reindex(spend.index)
    keep = pd.Series(~found.index.isin(stop), found.index, dtype="boolean").where(occupied)
    return found.assign(keep=keep, reason=np.where(occupied, "", "cannot be estimated: nobody was in it"))


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
    last = stage_transitions[stage_transitions.period == stage_transitions.period.max()]
    now = last.groupby(["previous", "stage"]).customers.sum()
    first = (now * now.index.get_level_values("stage").map(model.value(discount, include_present=False))).sum()
    names = [" → ".join(pair) for pair in now.index]
    second = (now * list(_second_order(stage_transitions, model).value(discount, include_present=False)[names])).sum()
    drawn = _drawn_totals(stage_transitions, model, discount, now, replicates, seed)
    values = {"first order": first, "second order": second, "relative difference": second / first - 1}
    drawn = np.column_stack([drawn, drawn[:, 1] / drawn[:, 0] - 1])
    ci_low, ci_high = percentile_interval(drawn, level)
    found = pd.DataFrame({"value": pd.Series(values), "ci_low": ci_low, "ci_high": ci_high}).rename_axis("chain")
    found.insert(0, "customers", int(now.sum()))
    return found


def _drawn_totals(stage_transitions, model, discount, now, replicates, seed):
    """Value of all customers to both chains under moves drawn from their posterior: rows of (first, second)."""
    states, pairs = list(model.states), _pairs(model)
    place = {pair: i for i, pair in enumerate(pairs)}
    stage, customers = np.array([states.index(s) for _, s in pairs]), now.to_numpy()
    now_in = np.array([place[pair] for pair in now.index])
    counts = _moves(stage_transitions).unstack("stage", fill_value=0).reindex(index=pairs, columns=states, fill_value=0)
    drawn = np.random.default_rng(seed).gamma(counts.to_numpy(float), size=(replicates, *counts.shape))
    impossible = [[(was, to) in transitions.IMPOSSIBLE for to in states] for was in states]
    out_of = np.stack([drawn[:, stage == k].sum(axis=1) for k in range(len(states))], axis=1)
    first = out_of + np.where(impossible, 0.0, transitions.PRIOR)
    first /= first.sum(axis=2, keepdims=True)
    second = drawn + first[:, stage]  # as in `_second_order`
    second /= second.sum(axis=2, keepdims=True)
    ahead = np.array([[place[now_stage, to] for to in states] for _, now_stage in pairs])
    P = np.zeros((replicates, len(pairs), len(pairs)))
    np.put_along_axis(P, np.broadcast_to(ahead, second.shape), second, axis=2)
    reward = np.array(model.reward)
    one = _values(first, reward, discount, None) - reward
    other = _values(P, reward[stage], discount, None) - reward[stage]
    return np.column_stack([one[:, stage[now_in]] @ customers, other[:, now_in] @ customers])


def _moves(stage_transitions):
    """Customers by stage two periods earlier, one period earlier and now, all periods together: a Series."""
    moves = stage_transitions[stage_transitions.previous != ""]
    return moves.groupby(["before_previous", "previous", "stage"]).customers.sum()


def _pairs(first):
    """The states of a second-order chain: stage before, "" where there was none, and stage."""
    return [(before, stage) for before in ("", *first.states) for stage in first.states]


def _second_order(stage_transitions, first):
    """The MarkovChain of customers between pairs of stages; `first` counts as one more move out of each."""
    pairs = _pairs(first)
    place = {pair: i for i, pair in enumerate(pairs)}
    P = np.zeros((len(pairs), len(pairs)))
    for (_, stage), row in zip(pairs, P, strict=True):
        row[[place[stage, to] for to in first.states]] = first.transition[first.states.index(stage)]
    for (before_previous, previous, stage), count in _moves(stage_transitions).items():
        P[place[before_previous, previous], place[previous, stage]] += count
    P /= P.sum(axis=1, keepdims=True)
    return MarkovChain([" → ".join(pair) for pair in pairs], P, [first.reward[first.states.index(s)] for _, s in pairs])


def _unknown(stage_transitions, occupied):
    """Which stages have no known future, in words; "" where all have."""
    out = transitions.transition_counts(stage_transitions).sum(axis=1)
    lost = [stage for stage in out.index if occupied[stage] and not out[stage]]
    if not occupied.any() or lost:
        return f"nobody in {', '.join(lost) or 'any stage'} was observed a period later"
    return ""
