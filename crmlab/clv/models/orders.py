"""What every model of repeat buying predicts, whatever it assumes of customers."""

from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import expit

from crmlab.clv.models.inputs import customer_weights, daily_rate, distinct, distinct_histories, validated_horizon
from crmlab.contracts import InputError
from crmlab.likelihood import REPLICATES, LikelihoodModel, bootstrap, fit, values
from crmlab.model import FitError, or_unfitted, prediction


class OrderModel(LikelihoodModel):
    """Repeat orders of customers who may leave unobserved.

    Every method takes a frame with frequency, recency and age in days, one row a customer or one row
    for each of `customers` alike. All rest on one fact: what an active customer will do is what a new one
    does, under parameters updated by what was observed.
    """

    _validated_horizon = staticmethod(validated_horizon)  # what `horizon_days` may be asked for

    @classmethod
    @or_unfitted
    def fit(
        cls, customers: pd.DataFrame, starts: Sequence[tuple] = (), replicates: int = REPLICATES, seed: int = 1
    ) -> Self:
        """Fit to `customers` by maximum likelihood; Unfitted where there is no maximum.

        Parameters
        ----------
        customers : DataFrame
            The frame of `collapse`, or one row a customer.
        starts : tuples of parameters
            Where to begin, rather than at a few of the model's own.
        replicates, seed : int
            How many draws of the parameters are kept, and by which seed; 0 keeps none, and gives no interval.
        """
        x, t_x, T, weights = sufficient_statistics(customers)
        if problem := cls._too_little(x, weights):
            raise FitError(*problem)
        rate = (x @ weights) / (T @ weights)
        starts = starts or cls._starts(rate)
        return fit(cls, cls._likelihood, (x, t_x, T), weights, starts, replicates=replicates, seed=seed)

    def bootstrap(self, customers: pd.DataFrame, replicates: int, seed: int = 1) -> Iterator[Self]:
        """Fit to customers drawn anew `replicates` times, by reweighting rows, from near this fit.

        Draws without a clear maximum are left out, so that fewer models may come.
        """
        *statistics, weights = sufficient_statistics(customers)
        if problem := self._too_little(statistics[0], weights):
            raise InputError("customers: " + "; ".join(problem))
        return bootstrap(self, self._likelihood, statistics, weights, replicates, seed)

    @classmethod
    def _too_little(cls, x: np.ndarray, weights: np.ndarray) -> tuple[str, str] | None:
        """Why there is nothing to be fitted, and what to do; None where there is."""
        if not weights.sum():
            return f"{cls.title} needs customers, and there are none", "try a later split or an earlier acquired_from"
        if not x @ weights:
            count = f"{weights.sum():,} customers" if weights.sum() > 1 else "the one customer"
            return f"{cls.title} needs repeat orders; {count} had none", "try a longer calibration"
        return None

    @prediction
    def log_likelihood(self, customers: pd.DataFrame) -> float:
        """Log of the probability of what all customers did, with time in days."""
        return self._likelihood(*sufficient_statistics(customers))(values(self))[0]

    @prediction
    def p_alive(self, customers: pd.DataFrame) -> pd.Series:
        """Probability that each customer is still active, 0 to 1."""
        return self._expected("p_alive", customers, lambda posterior: 1.0)

    @prediction
    def expected_orders(self, customers: pd.DataFrame, horizon_days: float) -> pd.Series:
        """Expected orders of each customer in the next `horizon_days`, count."""
        horizon_days = self._validated_horizon(horizon_days)
        return self._expected(
            "expected_orders", customers, lambda posterior: self._mean_orders(posterior, horizon_days)
        )

    @prediction
    def probability_of_orders(self, customers: pd.DataFrame, horizon_days: float, count: int) -> pd.Series:
        """Probability that each customer places exactly `count` orders in the next `horizon_days`, 0 to 1."""
        horizon_days, count = self._validated_horizon(horizon_days), _whole(count)
        probability = self._expected(
            "probability_of_orders",
            customers,
            lambda posterior: self._order_probability(posterior, horizon_days, count),
        )
        return probability + (1 - self.p_alive(customers)) if count == 0 else probability

    def expected_orders_new(self, horizon_days: Any) -> np.ndarray:
        """Expected repeat orders of a customer `horizon_days` after the first order, count: shaped as
        `horizon_days`."""
        horizon_days = np.asarray(self._validated_horizon(horizon_days), dtype=float)
        alive, posterior = self._new_customer(horizon_days.size)
        return (alive * self._mean_orders(posterior, horizon_days.ravel())).reshape(horizon_days.shape)

    @prediction
    def probability_of_orders_new(self, horizon_days: float, count: int) -> float:
        """Probability that a customer places exactly `count` repeat orders within `horizon_days` of the first, 0 to
        1."""
        horizon_days, count = self._validated_horizon(horizon_days), _whole(count)
        alive, posterior = self._new_customer(1)
        return float(
            alive * self._order_probability(posterior, horizon_days, count)[0] + (1 - alive if count == 0 else 0)
        )

    @prediction
    def discounted_orders(
        self, customers: pd.DataFrame, discount_annual: float, horizon_days: float | None = None
    ) -> pd.Series:
        """Expected orders of each customer from now on, each worth less by `discount_annual` a year until it comes.

        horizon_days : count only those of the next `horizon_days` (DECT); None counts all (DERT)
        Raises InputError where the sum is infinite: undiscounted, infinite horizon, of customers who leave too rarely.
        """
        delta, horizon_days = (
            daily_rate(discount_annual),
            horizon_days if horizon_days is None else self._validated_horizon(horizon_days),
        )
        return self._expected(
            "discounted_orders", customers, lambda posterior: self._discounted(posterior, delta, horizon_days)
        )

    @prediction
    def simulate_orders(self, customers: pd.DataFrame, horizon_days: float, rng: np.random.Generator) -> pd.DataFrame:
        """Draw the orders of the next `horizon_days`: a frame with row, customer and day, one row an order.

        row      : position in `customers` of the row that the customer belongs to
        customer : position among all customers, those of each row side by side
        day      : how far ahead, days
        """
        horizon_days = self._validated_horizon(horizon_days)
        x, t_x, T, which = distinct_histories(customers)
        row = np.repeat(np.arange(len(customers)), customer_weights(customers))
        alive = self._alive(x, t_x, T)[which][row]
        active = np.flatnonzero(rng.random(row.size) < alive)
        kind = which[row[active]]
        owner, day = self._simulate(self._posterior(x[kind], T[kind]), horizon_days, rng)
        return pd.DataFrame({"row": row[active[owner]], "customer": active[owner], "day": day})

    def _expected(self, name, customers, of_posterior):
        """What is expected of each customer, from what is of active ones, computed once where x and T agree."""
        x, t_x, T, which = distinct_histories(customers)
        if not len(customers):
            return pd.Series(0.0, customers.index, name=name)
        counts, ages, pair = distinct(x, T)
        active = np.broadcast_to(of_posterior(self._posterior(counts, ages)), counts.shape)
        found = self._alive(x, t_x, T) * active[pair]
        return pd.Series(found[which], customers.index, name=name)

    def _alive(self, x, t_x, T):
        return expit(-self._log_odds_inactive(x, t_x, T))

    def _new_customer(self, count):
        nothing = np.zeros(count)
        return self._alive(*np.zeros((3, 1)))[0], self._posterior(nothing, nothing)


def sufficient_statistics(customers):
    """frequency, recency, age and number of customers of each distinct kind: four arrays."""
    *kinds, which = distinct_histories(customers)
    return *kinds, np.bincount(which, customer_weights(customers), len(kinds[0])).astype(int)


def _whole(count):
    if count < 0 or count % 1:
        raise InputError(f"count = {count!r}: choose a whole number of orders, 0 or more")
    return int(count)
