"""The chain of customers between states of buying: counted, drawn from its posterior, and simulated."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from crmlab.lifecycle.tables.order_states import MOST, state_name
from crmlab.model import FitError, why_blank
from crmlab.orders import need_amounts

WIDTH = MOST + 1  # states of as many periods since the last order
TINY = np.finfo(float).tiny
FEW = 30  # moves out of states of so many periods since the last order and more, without which they count as fewer


@dataclass(frozen=True)
class Counts:
    """Moves by period, and what a period brought by the state it ended in."""

    states: np.ndarray  # as `state_transitions` gives them, in order
    moves: np.ndarray  # by period, state and next state
    spend: np.ndarray  # by period and next state
    variance: np.ndarray  # of what one customer spends, by next state

    @property
    def since(self):
        """Periods since the last order, by state."""
        return self.states // WIDTH

    @property
    def recent(self):
        """Repeat orders of late, by state."""
        return self.states % WIDTH

    @property
    def names(self):
        """The states in words; the last number of periods stands for more."""
        more = np.where(self.since == self.since.max(), " and more", "")
        return tuple(map(state_name, self.states, more))

    def places(self, states):
        """Where states stand among those of the chain."""
        return np.searchsorted(self.states, _lumped(states, self.since.max()))

    def posterior(self, moves):
        """Dirichlet parameters: to the moves one is added, spread as those out of all states of as many periods."""
        pooled = self._alike() @ self.moves.sum(axis=0)
        return moves + pooled / pooled.sum(axis=1, keepdims=True)

    def mean_spend(self, moves, spend):
        """Mean spend by next state; one customer is added, who spends as all in states of as many periods."""
        arrived, alike = moves.sum(axis=-2), self._alike()
        return (spend + (spend @ alike) / np.maximum(arrived @ alike, 1)) / (arrived + 1)

    def expected(self):
        """Probabilities of moving, and mean spend, by the moves of all periods."""
        alpha = self.posterior(self.moves.sum(axis=0))
        return alpha / alpha.sum(axis=1, keepdims=True), self.mean_spend(self.moves.sum(axis=0), self.spend.sum(axis=0))

    def draw(self, replicates, rng):
        """Probabilities of moving, and mean spend, drawn.

        Whole periods are drawn by the Bayesian bootstrap (Rubin 1981), as customers share the season; then moves from
        their Dirichlet posterior, and mean spend by its standard error.
        """
        weight = rng.dirichlet(np.ones(len(self.moves)), replicates) * len(self.moves)
        moves = np.tensordot(weight, self.moves, 1)
        P = rng.gamma(self.posterior(moves))  # a gamma of shape 0 is 0: what is impossible stays so
        spread = self.variance / np.maximum(self.moves.sum(axis=(0, 1)), 1)
        return P / P.sum(axis=2, keepdims=True), _amount(self.mean_spend(moves, weight @ self.spend), spread, rng)

    def seasons(self):
        """Customers who ordered in each period to those expected by the moves of all periods; 1 where none were."""
        share = self.expected()[0][:, self.since == 0].sum(axis=1)
        expected, ordered = self.moves.sum(axis=2) @ share, self.moves[:, :, self.since == 0].sum(axis=(1, 2))
        return np.divide(ordered, expected, out=np.ones_like(expected), where=expected > 0)

    def simulate(self, P, mean, now, periods, discount, rng):
        """Spend over the next periods, discounted, by draw and group; `now` are customers by group and state.

        The next periods are as many consecutive ones of those seen, from one drawn, by the ratio of their orders.
        """
        here, spent = np.broadcast_to(now, (len(P), *now.shape)), 0.0
        for ahead, step in enumerate(self._steps(P, periods, rng), 1):
            here = rng.multinomial(here, step[:, None]).sum(axis=2)
            spent += _amount(here * mean[:, None], here * self.variance, rng).sum(axis=2) / (1 + discount) ** ahead
        return spent

    def simulate_one(self, P, mean, periods, discount, rng):
        """What a single customer of each state spends, as by `simulate`, by draw and state."""
        here, spent = np.broadcast_to(np.arange(len(self.states)), P.shape[:2]), 0.0
        for ahead, step in enumerate(self._steps(P, periods, rng), 1):
            up_to = np.take_along_axis(step.cumsum(axis=2), here[..., None], axis=1)
            here = (rng.random(here.shape)[..., None] > up_to[..., :-1]).sum(axis=2)
            mine = np.take_along_axis(mean, here, axis=1)
            spent += _amount(mine, self.variance[here], rng) / (1 + discount) ** ahead
        return spent

    def _steps(self, P, periods, rng):
        """Probabilities of moving in each of the next periods."""
        seasons = self.seasons()
        begin = rng.integers(len(seasons), size=len(P))
        for ahead in range(periods):
            yield _in_season(P, self.since == 0, seasons[(begin + ahead) % len(seasons)])

    def _alike(self):
        return (self.since[:, None] == self.since).astype(float)


def counts(state_transitions):
    """The Counts of `state_transitions`; FitError where there are too few moves, or no amounts."""
    if reason := why_blank(state_transitions):
        raise FitError(reason)
    need_amounts(state_transitions.spend)
    known = state_transitions[state_transitions.previous >= 0]
    out_of = known.groupby(known.previous // WIDTH).customers.sum()
    silent = out_of[out_of.index > 0][::-1].cumsum()
    if not (silent >= FEW).any():
        reason = f"{silent.max() if len(silent) else 0} moves out of periods without an order were observed"
        raise FitError(f"{reason}, and {FEW} are needed", "take a longer log, or shorter periods")
    most = silent.index[silent >= FEW].max()
    every = state_transitions.state, known.previous
    states = np.unique(np.concatenate([_lumped(each.to_numpy(), most) for each in every]))
    size = known.period.nunique(), len(states)
    found = Counts(states, np.zeros((*size, len(states))), np.zeros(size), np.zeros(len(states)))
    period, was, now = pd.factorize(known.period)[0], found.places(known.previous), found.places(known.state)
    squares = np.zeros(len(states))
    np.add.at(found.moves, (period, was, now), known.customers)
    np.add.at(found.spend, (period, now), known.spend)
    np.add.at(squares, now, known.spend_squares)
    arrived = np.maximum(found.moves.sum(axis=(0, 1)), 1)
    if not found.moves[:, :, found.since == 0].any():
        raise FitError("nobody ordered in a period after that of the first order", "take a longer log")
    found.variance[:] = np.maximum(squares / arrived - (found.spend.sum(axis=0) / arrived) ** 2, 0)
    return found


def values_of(P, R, discount, periods):
    """What chains are worth in each state, the present period included; P and R may hold one chain or many."""
    step, reward = P / (1 + discount), np.asarray(R)[..., None]
    if periods is None:
        return np.linalg.solve(np.eye(P.shape[-1]) - step, reward)[..., 0]
    values = reward
    for _ in range(periods):
        values = reward + step @ values
    return values[..., 0]


def _lumped(states, most):
    """States with up to so many periods since the last order."""
    return np.minimum(states // WIDTH, most) * WIDTH + states % WIDTH


def _in_season(P, ordered, season):
    """Probabilities of moving where orders are so many times as frequent; `ordered` are the states after an order."""
    share = P[..., ordered].sum(axis=2, keepdims=True)
    then = np.minimum(share * season[:, None, None], 1)
    made = P * np.where(ordered, then / np.maximum(share, TINY), (1 - then) / np.maximum(1 - share, TINY))
    return made / made.sum(axis=2, keepdims=True)


def _amount(mean, variance, rng):
    """Money of that mean and variance, drawn: a gamma, which is never below 0; a normal where the mean is not above."""
    mean, variance = np.broadcast_arrays(mean, variance)
    usual = (mean > 0) & (variance > 0)
    shape = np.divide(mean**2, variance, out=np.ones_like(mean), where=usual)
    scale = np.divide(variance, mean, out=np.zeros_like(mean), where=usual)
    return np.where(usual, rng.gamma(shape) * scale, rng.normal(mean, np.sqrt(variance)))
