"""Gamma-Gamma: what a customer spends on an order day varies about a mean of the customer's own."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import betaln, polygamma, psi

from crmlab.clv.models.inputs import count_customers, distinct, spending
from crmlab.likelihood import Around, FitError, bootstrap, fit


@dataclass(frozen=True)
class GammaGamma:
    """Spend per order day, independent of how often one orders. [Fader & Hardie 2013]

    Every method takes a frame with frequency and monetary_value, one row a customer or one row for each of
    `customers` alike. `covariance` is that of the logs of the parameters, where they were fitted.
    """

    title = "Gamma-Gamma"
    p: float  # shape of the spend of one day
    q: float  # shape of the customers' scales
    gamma: float  # scale of the customers' scales, currency
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)
    around: Around | None = field(default=None, repr=False, compare=False)

    @classmethod
    def fit(cls, summary):
        """The parameters most likely to have made the mean spends of who `fits`. Raises FitError if there are none."""
        x, m, customers = _learnt_from(summary)
        mean = (m * customers).sum() / customers.sum()
        starts = [(2, 3, mean), (8, 8, mean), (1, 1.5, mean)]
        return fit(cls, _likelihood, (x, m), customers, starts)

    def bootstrap(self, summary, count, seed):
        """Models fitted as this one was, to customers drawn anew `count` times: rows are reweighted, and it is near.

        Draws without a clear maximum are left out, so that fewer models may come.
        """
        *seen, customers = _learnt_from(summary)
        *kinds, which = distinct(*seen)
        return bootstrap(self, _likelihood, kinds, np.bincount(which, customers).astype(int), count, seed)

    @staticmethod
    def fits(summary):
        """Whose spend the model can learn from: repeat buyers whose mean spend is above zero; a Series of bool."""
        return (summary.frequency > 0) & (summary.monetary_value > 0)

    def log_likelihood(self, summary):
        """Log of the density of the mean spends of who `fits`. [eq. 1a]"""
        return _likelihood(*spenders(summary))((self.p, self.q, self.gamma))[0]

    def expected_spend(self, summary):
        """Expected spend of each customer on an order day, in the currency of the data. [eq. 5]

        Who has not come back is expected to spend what all customers do on average; q must exceed 1.
        """
        x, m = spending(summary)
        return pd.Series(self.spend_given(x, m), summary.index, name="expected_spend")

    def spend_given(self, frequency, monetary_value):
        """The same from two columns, on whatever engine they live. Linear in `monetary_value`."""
        if self.q <= 1:
            raise ValueError(f"mean spend is not finite: q = {self.q:.4g} is at most 1")
        x, m = frequency, monetary_value
        return (m * x + self.gamma) * self.p / (x * self.p + self.q - 1)

    def simulate_spend(self, summary, orders, rng):
        """What each of `orders`, drawn by a model's simulate_orders from `summary`, costs: an array, in currency."""
        _, first, back = np.unique(orders.customer, return_index=True, return_inverse=True)
        x, m = (v[orders.row.to_numpy()[first]] for v in spending(summary))
        scale = rng.gamma(self.p * x + self.q, 1 / (self.gamma + m * x))
        return rng.gamma(self.p, 1 / scale[back])


def _learnt_from(summary):
    """What `spenders` gives. Raises FitError where they are fewer than two."""
    *seen, customers = spenders(summary)
    if customers.sum() < 2:
        raise FitError(
            f"{GammaGamma.title} needs repeat buyers who spent; there are {customers.sum()}: try a longer calibration"
        )
    return *seen, customers


def spenders(summary):
    """frequency, monetary_value and number of customers of who `fits`: three arrays."""
    x, m = spending(summary)
    kept = np.flatnonzero((x > 0) & (m > 0))
    return x[kept], m[kept], count_customers(summary)[kept]


def _likelihood(x, m, customers):
    """parameters -> log-likelihood, gradient and Hessian by p, q, gamma. [eq. 1a]"""
    which, counts = pd.factorize(x)
    customers = customers.astype(float)  # a product of integers and floats is slow
    of_count = np.bincount(which, customers)
    spent, of_order = m * x, customers * x
    log_spent, logs = np.log(spent), customers @ np.log(m)

    def derivatives(theta):
        p, q, gamma = theta
        per_total, over = 1 / (gamma + spent), np.log1p(gamma / spent)  # no difference of logs, which p makes huge
        by_customer, by_order = customers @ (log_spent + over), of_order @ over
        once, orders_over = customers @ per_total, of_order @ per_total
        settled, gradient, hessian = _by_count(theta, counts, of_count)
        value = settled - logs - p * by_order - q * by_customer
        gradient += [-by_order, -by_customer, -p * orders_over - q * once]
        hessian[[0, 2], [2, 0]] -= orders_over
        hessian[[1, 2], [2, 1]] -= once
        squared = per_total * per_total
        hessian[2, 2] += p * (of_order @ squared) + q * (customers @ squared)
        return float(value), gradient, hessian

    return derivatives


def _by_count(theta, x, customers):
    """The parts of log-likelihood, gradient and Hessian that a customer's count of orders alone settles."""
    p, q, gamma = theta
    px, both, everybody = p * x, p * x + q, customers.sum()
    value = everybody * q * np.log(gamma) - customers @ betaln(px, q)
    gradient = np.array(
        [
            customers @ (x * (psi(both) - psi(px))),
            customers @ psi(both) + everybody * (np.log(gamma) - psi(q)),
            everybody * q / gamma,
        ]
    )
    curved = polygamma(1, both)
    pp, pq = customers @ (x**2 * (curved - polygamma(1, px))), customers @ (x * curved)
    qq, qg = customers @ curved - everybody * polygamma(1, q), everybody / gamma
    return value, gradient, np.array([[pp, pq, 0], [pq, qq, qg], [0, qg, -everybody * q / gamma**2]])
