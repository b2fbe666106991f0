"""What every model of repeat buying can be asked, whatever it takes customers to be."""

import numpy as np
import pandas as pd
from scipy.special import expit

from crmlab.clv.models.inputs import count_customers, daily_rate, distinct, horizon, repeat_buying
from crmlab.likelihood import FitError, bootstrap, fit, names


class OrderModel:
    """Repeat orders of customers who may leave unseen.

    Every method takes a frame with frequency, recency and age in days, one row a customer or one row
    for each of `customers` alike. All rest on one fact: what a living customer will do is what a new one
    does, under parameters that what was seen has moved.
    """

    _horizon = staticmethod(horizon)  # what `days` may be asked for

    @classmethod
    def fit(cls, summary, starts=()):
        """The parameters most likely to have made `summary`. Raises FitError where there are none.

        starts : tuples of parameters to begin at, rather than a few of the model's own
        """
        x, t_x, T, customers = cls._learnt_from(summary)
        rate = (x @ customers) / (T @ customers)
        return fit(cls, cls._likelihood, (x, t_x, T), customers, starts or cls._starts(rate))

    def bootstrap(self, summary, count, seed):
        """Models fitted as this one was, to customers drawn anew `count` times: rows are reweighted, and it is near.

        Draws without a clear maximum are left out, so that fewer models may come.
        """
        *seen, customers = self._learnt_from(summary)
        return bootstrap(self, self._likelihood, seen, customers, count, seed)

    @classmethod
    def _learnt_from(cls, summary):
        """What `counted` gives. Raises FitError where nobody came back, or is there at all."""
        *seen, customers = counted(summary)
        if not customers.sum():
            raise FitError(
                f"{cls.title} needs customers, and there are none: try a later split or an earlier acquired_from"
            )
        if not (seen[0] @ customers):
            whom = f"{customers.sum():,} customers" if customers.sum() > 1 else "the one customer"
            raise FitError(f"{cls.title} needs repeat orders; {whom} had none: try a longer calibration")
        return *seen, customers

    def log_likelihood(self, summary):
        """Log of the chance of what all customers did, with time in days."""
        theta = [getattr(self, name) for name in names(self)]
        return self._likelihood(*counted(summary))(theta)[0]

    def p_alive(self, summary):
        """Chance that each customer is still active, 0 to 1."""
        return self._expected("p_alive", summary, lambda living: 1.0)

    def expected_orders(self, summary, days):
        """Expected orders of each customer in the next `days`, count."""
        days = self._horizon(days)
        return self._expected("expected_orders", summary, lambda living: self._orders(living, days))

    def probability_of_orders(self, summary, days, count):
        """Chance that each customer places exactly `count` orders in the next `days`, 0 to 1."""
        days, count = self._horizon(days), _whole(count)
        chance = self._expected("probability_of_orders", summary, lambda living: self._chance(living, days, count))
        return chance + (1 - self.p_alive(summary)) if count == 0 else chance

    def expected_orders_new(self, days):
        """Expected repeat orders of a customer `days` after the first order, count: shaped as `days`."""
        days = np.asarray(self._horizon(days), dtype=float)
        alive, living = self._newcomer(days.size)
        return (alive * self._orders(living, days.ravel())).reshape(days.shape)

    def probability_of_orders_new(self, days, count):
        """Chance that a customer places exactly `count` repeat orders within `days` of the first order, 0 to 1."""
        days, count = self._horizon(days), _whole(count)
        alive, living = self._newcomer(1)
        return float(alive * self._chance(living, days, count)[0] + (1 - alive if count == 0 else 0))

    def discounted_orders(self, summary, discount_annual, days=None):
        """Expected orders of each customer from now on, each worth less by `discount_annual` a year until it comes.

        days    : count only those of the next `days` (DECT); None counts all (DERT)
        Raises ValueError where the sum has no end: undiscounted, for ever, of customers who leave too rarely.
        """
        delta, days = daily_rate(discount_annual), days if days is None else self._horizon(days)
        return self._expected("discounted_orders", summary, lambda living: self._discounted(living, delta, days))

    def simulate_orders(self, summary, days, rng):
        """Orders of the next `days`, drawn: a frame with row, customer and day, one row an order.

        row      : position in `summary` of the row that the customer belongs to
        customer : position among all customers, those of each row side by side
        day      : how far ahead, days
        """
        days = self._horizon(days)
        x, t_x, T, which = repeat_buying(summary)
        row = np.repeat(np.arange(len(summary)), count_customers(summary))
        alive = self._alive(x, t_x, T)[which][row]
        active = np.flatnonzero(rng.random(row.size) < alive)
        kind = which[row[active]]
        owner, day = self._simulate(self._living(x[kind], T[kind]), days, rng)
        return pd.DataFrame({"row": row[active[owner]], "customer": active[owner], "day": day})

    def _expected(self, name, summary, of_living):
        """What is expected of each customer, from what is of living ones, computed once where x and T agree."""
        x, t_x, T, which = repeat_buying(summary)
        if not len(summary):
            return pd.Series(0.0, summary.index, name=name)
        seen, ages, pair = distinct(x, T)
        found = self._alive(x, t_x, T) * np.broadcast_to(of_living(self._living(seen, ages)), seen.shape)[pair]
        return pd.Series(found[which], summary.index, name=name)

    def _alive(self, x, t_x, T):
        return expit(-self._log_odds_gone(x, t_x, T))

    def _newcomer(self, count):
        nothing = np.zeros(count)
        return self._alive(*np.zeros((3, 1)))[0], self._living(nothing, nothing)


def counted(summary):
    """frequency, recency, age and number of customers of each distinct kind: four arrays."""
    *kinds, which = repeat_buying(summary)
    return *kinds, np.bincount(which, count_customers(summary), len(kinds[0])).astype(int)


def _whole(count):
    if count < 0 or count % 1:
        raise ValueError(f"count = {count!r}: choose a whole number of orders, 0 or more")
    return int(count)
