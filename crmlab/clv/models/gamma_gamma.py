"""Gamma-Gamma: what a customer spends on an order day varies about a mean of the customer's own."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy.special import betaln, polygamma, psi

from crmlab.clv.models.inputs import customer_weights, spend_columns
from crmlab.clv.models.orders import CustomerModel
from crmlab.contracts import InputError
from crmlab.likelihood import REPLICATES
from crmlab.model import FitError, or_unfitted, prediction


@dataclass(frozen=True, repr=False)
class GammaGamma(CustomerModel):
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
    LIMITS = (
        (("q", "gamma"), 1, "all customers spend the same on average"),
        (("p",), 1, "each customer spends the same on every order"),
    )
    SEED_STEP = 1
    NEEDS = ("monetary_value",)
    p: float
    q: float
    gamma: float

    @classmethod
    @or_unfitted
    def fit(cls, customers: pd.DataFrame, replicates: int = REPLICATES, seed: int = 1) -> Self:
        """Fit to the mean spends of eligible customers by maximum likelihood.

        Parameters
        ----------
        customers : DataFrame
            frequency and monetary_value, one row a customer or one for each of `customers` alike.
        replicates : int
            Draws of the parameters kept for intervals; 0 keeps none, and gives no interval.
        seed : int
            Start of the generator of draws, which are independent of those of a model of orders by the same seed.

        Returns
        -------
        GammaGamma or Unfitted
            The fitted model; Unfitted, with its reason, where the likelihood has no clear maximum.

        Raises
        ------
        InputError
            Where customers are impossible.

        References
        ----------
        Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value. [eq. 1a]
        """
        return cls._fit(customers, (), replicates, seed)

    @staticmethod
    def eligible(customers: pd.DataFrame) -> pd.Series:
        """Which customers the model can learn from: repeat buyers whose mean spend is above zero.

        Parameters
        ----------
        customers : DataFrame
            frequency and monetary_value.

        Returns
        -------
        Series
            Of bool.
        """
        return (customers.frequency > 0) & (customers.monetary_value > 0)

    @classmethod
    def _statistics(cls, customers):
        """frequency, monetary_value and number of customers of those eligible: three arrays."""
        x, m = spend_columns(customers)
        kept = (x > 0) & (m > 0)
        return x[kept], m[kept], customer_weights(customers)[kept]

    @staticmethod
    def _columns(customers):
        x, m = spend_columns(customers)
        kept = (x > 0) & (m > 0)
        return [x[kept], m[kept]], kept

    @prediction
    def expected_spend(self, customers: pd.DataFrame) -> pd.Series:
        """Expected spend of each customer on an order day.

        Customers without a repeat order are expected to spend what all customers do on average.

        Parameters
        ----------
        customers : DataFrame
            frequency and monetary_value.

        Returns
        -------
        Series
            In the currency of the data.

        Raises
        ------
        InputError
            Where q is at most 1, so that mean spend is infinite.

        References
        ----------
        Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value. [eq. 5]
        """
        expected = self.conditional_expected_spend(*spend_columns(customers))
        return pd.Series(expected, customers.index, name="expected_spend")

    def conditional_expected_spend(self, frequency: Any, monetary_value: Any) -> Any:
        """Expected spend on an order day from two columns, on whatever engine they live.

        Parameters
        ----------
        frequency : array, Series or Ibis column
            Days with a repeat order, count.
        monetary_value : array, Series or Ibis column
            Mean spend per repeat-order day, in which the result is linear.

        Returns
        -------
        array, Series or Ibis column
            In the currency of the data.

        Raises
        ------
        InputError
            Where q is at most 1, so that mean spend is infinite.

        References
        ----------
        Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value. [eq. 5]
        """
        if self.q <= 1:
            raise InputError(
                f"{self.title}: mean spend is not finite as q = {self.q:.4g} is at most 1; use orders alone"
            )
        x, m = frequency, monetary_value
        return (m * x + self._scale(x)) * self.p / (x * self.p + self.q - 1)

    def simulate_spend(self, customers: pd.DataFrame, orders: pd.DataFrame, rng: np.random.Generator) -> np.ndarray:
        """Draw what each of `orders` costs.

        Parameters
        ----------
        customers : DataFrame
            frequency and monetary_value.
        orders : DataFrame
            Orders that a model's `simulate_orders` drew of `customers`.
        rng : Generator
            Of numpy; it is advanced.

        Returns
        -------
        array
            Spend of each order, in the currency of the data.
        """
        _, first, back = np.unique(orders.customer, return_index=True, return_inverse=True)
        x, m = (v[orders.row.to_numpy()[first]] for v in spend_columns(customers))
        scale = rng.gamma(self.p * x + self.q, 1 / (self._scale(x) + m * x))
        return rng.gamma(self.p, 1 / scale[back])

    def _scale(self, frequency: Any) -> Any:
        """Scale of spend of customers with so many repeat orders."""
        return self.gamma

    @classmethod
    def _refuse_too_few(cls, x: np.ndarray, m: np.ndarray, weights: np.ndarray) -> None:
        if weights.sum() < 2:
            few = f"{cls.title} needs repeat buyers who spent; there are {weights.sum()}"
            raise FitError(few, "try a longer calibration")

    @staticmethod
    def _starts(x, m, weights):
        mean = (m * weights).sum() / weights.sum()
        return [(2, 3, mean), (8, 8, mean), (1, 1.5, mean)]

    @staticmethod
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
    by_p, by_q = weights @ (x * (psi(both) - psi(px))), weights @ psi(both) + everybody * (np.log(gamma) - psi(q))
    gradient = np.array([by_p, by_q, everybody * q / gamma])
    curved = polygamma(1, both)
    pp, pq = weights @ (x**2 * (curved - polygamma(1, px))), weights @ (x * curved)
    qq, qg = weights @ curved - everybody * polygamma(1, q), everybody / gamma
    return value, gradient, np.array([[pp, pq, 0], [pq, qq, qg], [0, qg, -everybody * q / gamma**2]])
