"""What customers are worth who move between states at random. [Pfeifer & Carraway 2000]"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.models.buying_chain import counts, values_of
from crmlab.model import Model, or_unfitted, prediction

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
    def fit(cls, state_transitions: pd.DataFrame, margin: float = 1.0, cost: float = 0.0) -> "MarkovChain":
        """The chain of customers between states of buying.

        Probabilities are posterior means: to the moves out of a state one is added, spread as those out of all states
        of as many periods since the last order. A reward is the mean spend of a period that ended in the state, times
        margin, less cost. The last number of periods since the order stands for more: 30 moves out of it were seen.

        Parameters
        ----------
        state_transitions : DataFrame
            Counts of moves between states, as from `state_transitions`.
        margin : float
            Share of spend that is earned.
        cost : float
            Cost of each customer a period, in the currency of the data.

        Returns
        -------
        MarkovChain or Unfitted
            Unfitted with fewer than 30 moves out of periods without an order, or where nobody ordered again.
        """
        seen = counts(state_transitions)
        P, mean = seen.expected()
        return cls(seen.names, P.tolist(), (margin * mean - cost).tolist())

    @property
    @prediction
    def parameters(self) -> pd.DataFrame:
        """A row a probability or reward: value; standard_error, ci_low and ci_high are blank; reason, why."""
        moves = pd.DataFrame(self.transition, self.states, self.states).stack()
        moves.index = [f"{previous} to {state}" for previous, state in moves.index]
        rewards = pd.Series(self.reward, [f"reward in {state}" for state in self.states])
        frame = pd.concat([moves, rewards]).rename_axis("parameter").to_frame("value")
        reason = "a chain is numbers without errors: see `stage_values`"
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
        values = values_of(np.array(self.transition) * np.outer(kept, kept), reward, discount, periods)
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
