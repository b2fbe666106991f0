"""What every model of repeat buying can be asked, whatever it takes customers to be."""

import numpy as np
import pandas as pd
from scipy.special import expit

from crmlab.clv.models.inputs import customer_weights, daily_rate, distinct, distinct_histories, validated_horizon
from crmlab.likelihood import FitError, bootstrap, fit, parameter_names


class OrderModel:
    """Repeat orders of customers who may leave unseen.

    Every method takes a frame with frequency, recency and age in days, one row a customer or one row
    for each of `customers` alike. All rest on one fact: what a living customer will do is what a new one
    does, under parameters that what was seen has moved.
    """

    _validated_horizon = staticmethod(validated_horizon)  # what `horizon_days` may be asked for

    @classmethod
    def fit(cls, customers, starts=()):
        """The parameters most likely to have made `customers`. Raises FitError where there are none.

        starts : tuples of parameters to begin at, rather than a few of the model's own
        """
        x, t_x, T, weights = cls._fit_statistics(customers)
        rate = (x @ weights) / (T @ weights)
        return fit(cls, cls._likelihood, (x, t_x, T), weights, starts or cls._starts(rate))

    def bootstrap(self, customers, replicates, seed):
        """Models fitted as this one was, to customers drawn anew `replicates` times: rows are reweighted, and it is
        near.

        Draws without a clear maximum are left out, so that fewer models may come.
        """
        *seen, weights = self._fit_statistics(customers)
        return bootstrap(self, self._likelihood, seen, weights, replicates, seed)

    @classmethod
    def _fit_statistics(cls, customers):
        """What `sufficient_statistics` gives. Raises FitError where nobody came back, or is there at all."""
        *seen, weights = sufficient_statistics(customers)
        if not weights.sum():
            raise FitError(
                f"{cls.title} needs customers, and there are none: try a later split or an earlier acquired_from"
            )
        if not (seen[0] @ weights):
            whom = f"{weights.sum():,} customers" if weights.sum() > 1 else "the one customer"
            raise FitError(f"{cls.title} needs repeat orders; {whom} had none: try a longer calibration")
        return *seen, weights

    def log_likelihood(self, customers):
        """Log of the chance of what all customers did, with time in days."""
        theta = [getattr(self, name) for name in parameter_names(self)]
        return self._likelihood(*sufficient_statistics(customers))(theta)[0]

    def p_alive(self, customers):
        """Chance that each customer is still active, 0 to 1."""
        return self._expected("p_alive", customers, lambda posterior: 1.0)

    def expected_orders(self, customers, horizon_days):
        """Expected orders of each customer in the next `horizon_days`, count."""
        horizon_days = self._validated_horizon(horizon_days)
        return self._expected(
            "expected_orders", customers, lambda posterior: self._mean_orders(posterior, horizon_days)
        )

    def probability_of_orders(self, customers, horizon_days, count):
        """Chance that each customer places exactly `count` orders in the next `horizon_days`, 0 to 1."""
        horizon_days, count = self._validated_horizon(horizon_days), _whole(count)
        probability = self._expected(
            "probability_of_orders",
            customers,
            lambda posterior: self._order_probability(posterior, horizon_days, count),
        )
        return probability + (1 - self.p_alive(customers)) if count == 0 else probability

    def expected_orders_new(self, horizon_days):
        """Expected repeat orders of a customer `horizon_days` after the first order, count: shaped as
        `horizon_days`."""
        horizon_days = np.asarray(self._validated_horizon(horizon_days), dtype=float)
        alive, posterior = self._new_customer(horizon_days.size)
        return (alive * self._mean_orders(posterior, horizon_days.ravel())).reshape(horizon_days.shape)

    def probability_of_orders_new(self, horizon_days, count):
        """Chance that a customer places exactly `count` repeat orders within `horizon_days` of the first order, 0 to
        1."""
        horizon_days, count = self._validated_horizon(horizon_days), _whole(count)
        alive, posterior = self._new_customer(1)
        return float(
            alive * self._order_probability(posterior, horizon_days, count)[0] + (1 - alive if count == 0 else 0)
        )

    def discounted_orders(self, customers, discount_annual, horizon_days=None):
        """Expected orders of each customer from now on, each worth less by `discount_annual` a year until it comes.

        horizon_days : count only those of the next `horizon_days` (DECT); None counts all (DERT)
        Raises ValueError where the sum has no end: undiscounted, for ever, of customers who leave too rarely.
        """
        delta, horizon_days = (
            daily_rate(discount_annual),
            horizon_days if horizon_days is None else self._validated_horizon(horizon_days),
        )
        return self._expected(
            "discounted_orders", customers, lambda posterior: self._discounted(posterior, delta, horizon_days)
        )

    def simulate_orders(self, customers, horizon_days, rng):
        """Orders of the next `horizon_days`, drawn: a frame with row, customer and day, one row an order.

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
        """What is expected of each customer, from what is of living ones, computed once where x and T agree."""
        x, t_x, T, which = distinct_histories(customers)
        if not len(customers):
            return pd.Series(0.0, customers.index, name=name)
        seen, ages, pair = distinct(x, T)
        found = self._alive(x, t_x, T) * np.broadcast_to(of_posterior(self._posterior(seen, ages)), seen.shape)[pair]
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
        raise ValueError(f"count = {count!r}: choose a whole number of orders, 0 or more")
    return int(count)
