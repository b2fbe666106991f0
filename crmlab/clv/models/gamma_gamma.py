"""Gamma-Gamma: what a customer spends on an order day varies about a mean of the customer's own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.special import betaln, polygamma, psi

from crmlab.clv.models.inputs import customer_weights, distinct, spend_columns
from crmlab.contracts import InputError
from crmlab.likelihood import REPLICATES, LikelihoodModel, bootstrap, fit
from crmlab.model import FitError, or_unfitted, prediction


@dataclass(frozen=True, repr=False)
class GammaGamma(LikelihoodModel):
    """Spend per order day, independent of how often a customer orders.

    Every method takes a frame with frequency and monetary_value, one row a customer or one row for each of
    `customers` alike.

    Parameters
    ----------
    p : float
        Shape of the spend of one day.
    q, gamma : float
        Scales of spend vary across customers as Gamma(q, gamma); gamma in the currency of the data.

    References
    ----------
    Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value.

    Examples
    --------
    >>> spend = GammaGamma(6.25, 3.74, 15.44)
    >>> round(float(spend.expected_spend(pd.DataFrame({"frequency": [0, 2], "monetary_value": [0.0, 22.35]}))[1]), 2)
    24.66
    """

    title = "Gamma-Gamma"
    SEED_STEP: ClassVar[int] = 1  # added to `seed`, as a model of orders has draws by `seed` itself
    p: float
    q: float
    gamma: float

    @classmethod
    @or_unfitted
    def fit(cls, customers: pd.DataFrame, replicates: int = REPLICATES, seed: int = 1) -> Self:
        """Fit to the mean spends of eligible customers by maximum likelihood; Unfitted where there is no maximum."""
        x, m, weights = spend_statistics(customers)
        if problem := _too_little(weights):
            raise FitError(*problem)
        mean = (m * weights).sum() / weights.sum()
        starts = [(2, 3, mean), (8, 8, mean), (1, 1.5, mean)]
        return fit(cls, _likelihood, (x, m), weights, starts, replicates=replicates, seed=seed + cls.SEED_STEP)

    def bootstrap(self, customers: pd.DataFrame, replicates: int, seed: int = 1) -> Iterator[Self]:
        """Fit to customers drawn anew `replicates` times, by reweighting rows, from near this fit.

        Draws without a clear maximum are left out, so that fewer models may come.
        """
        *statistics, weights = spend_statistics(customers)
        if problem := _too_little(weights):
            raise InputError("customers: " + "; ".join(problem))
        *kinds, which = distinct(*statistics)
        return bootstrap(self, _likelihood, kinds, np.bincount(which, weights).astype(int), replicates, seed)

    @staticmethod
    def eligible(customers: pd.DataFrame) -> pd.Series:
        """Which customers the model can learn from: repeat buyers whose mean spend is above zero; a Series of bool."""
        return (customers.frequency > 0) & (customers.monetary_value > 0)

    @prediction
    def log_likelihood(self, customers: pd.DataFrame) -> float:
        """Log of the density of the mean spends of eligible customers. [eq. 1a]"""
        return _likelihood(*spend_statistics(customers))((self.p, self.q, self.gamma))[0]

    @prediction
    def expected_spend(self, customers: pd.DataFrame) -> pd.Series:
        """Expected spend of each customer on an order day, in the currency of the data. [eq. 5]

        Customers without a repeat order are expected to spend what all customers do on average; q must exceed 1.
        """
        x, m = spend_columns(customers)
        return pd.Series(self.conditional_expected_spend(x, m), customers.index, name="expected_spend")

    def conditional_expected_spend(self, frequency: Any, monetary_value: Any) -> Any:
        """The same from two columns, on whatever engine they live. Linear in `monetary_value`."""
        if self.q <= 1:
            raise InputError(
                f"{self.title}: mean spend is not finite as q = {self.q:.4g} is at most 1; use orders alone"
            )
        x, m = frequency, monetary_value
        return (m * x + self.gamma) * self.p / (x * self.p + self.q - 1)

    def simulate_spend(self, customers: pd.DataFrame, orders: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Draw what each of `orders`, drawn by a model's simulate_orders from `customers`, costs, in currency."""
        _, first, back = np.unique(orders.customer, return_index=True, return_inverse=True)
        x, m = (v[orders.row.to_numpy()[first]] for v in spend_columns(customers))
        scale = rng.gamma(self.p * x + self.q, 1 / (self.gamma + m * x))
        return rng.gamma(self.p, 1 / scale[back])


def _too_little(weights: np.ndarray) -> tuple[str, str] | None:
    """Why there is nothing to be fitted, and what to do; None where there is."""
    if weights.sum() < 2:
        return (
            f"{GammaGamma.title} needs repeat buyers who spent; there are {weights.sum()}", "try a longer calibration"
        )  # fmt: skip
    return None


def spend_statistics(customers):
    """frequency, monetary_value and number of customers of those eligible: three arrays."""
    x, m = spend_columns(customers)
    kept = np.flatnonzero((x > 0) & (m > 0))
    return x[kept], m[kept], customer_weights(customers)[kept]


def _likelihood(x, m, weights):
    """parameters -> log-likelihood, gradient and Hessian by p, q, gamma. [eq. 1a]"""
    which, counts = pd.factorize(x)
    weights = weights.astype(float)  # a product of integers and floats is slow
    of_count = np.bincount(which, weights)
    spent, of_order = m * x, weights * x
    log_spent, logs = np.log(spent), weights @ np.log(m)

    def derivatives(theta):
        p, q, gamma = theta
        per_total, over = 1 / (gamma + spent), np.log1p(gamma / spent)  # no difference of logs, which p makes huge
        by_customer, by_order = weights @ (log_spent + over), of_order @ over
        once, orders_over = weights @ per_total, of_order @ per_total
        settled, gradient, hessian = _by_count(theta, counts, of_count)
        value = settled - logs - p * by_order - q * by_customer
        gradient += [-by_order, -by_customer, -p * orders_over - q * once]
        hessian[[0, 2], [2, 0]] -= orders_over
        hessian[[1, 2], [2, 1]] -= once
        squared = per_total * per_total
        hessian[2, 2] += p * (of_order @ squared) + q * (weights @ squared)
        return float(value), gradient, hessian

    return derivatives


def _by_count(theta, x, weights):
    """The parts of log-likelihood, gradient and Hessian that a customer's count of orders alone settles."""
    p, q, gamma = theta
    px, both, everybody = p * x, p * x + q, weights.sum()
    value = everybody * q * np.log(gamma) - weights @ betaln(px, q)
    gradient = np.array(
        [
            weights @ (x * (psi(both) - psi(px))),
            weights @ psi(both) + everybody * (np.log(gamma) - psi(q)),
            everybody * q / gamma,
        ]
    )
    curved = polygamma(1, both)
    pp, pq = weights @ (x**2 * (curved - polygamma(1, px))), weights @ (x * curved)
    qq, qg = weights @ curved - everybody * polygamma(1, q), everybody / gamma
    return value, gradient, np.array([[pp, pq, 0], [pq, qq, qg], [0, qg, -everybody * q / gamma**2]])
