"""Gamma-Gamma: what a customer spends on an order day varies about a mean of the customer's own."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from scipy.special import gammaln, polygamma, psi

from crmlab.clv.models.inputs import count_customers
from crmlab.likelihood import FitError, maximise


@dataclass(frozen=True)
class GammaGamma:
    """Spend per order day, independent of how often one orders. [Fader & Hardie 2013]

    Every method takes a frame with frequency and monetary_value, one row a customer or one row for each of
    `customers` alike. `covariance` is that of the logs of the parameters, where they were fitted.
    """

    p: float  # shape of the spend of one day
    q: float  # shape of the customers' scales
    gamma: float  # scale of the customers' scales, currency
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)

    @classmethod
    def fit(cls, summary):
        """The parameters most likely to have made the mean spends of who `fits`. Raises FitError if there are none."""
        x, m, customers = _spenders(summary)
        if customers.sum() < 2:
            raise FitError(
                f"GammaGamma needs repeat buyers who spent; there are {customers.sum()}: try a longer calibration"
            )
        mean = (m * customers).sum() / customers.sum()
        return maximise(
            cls,
            lambda theta: _derivatives(theta, x, m, customers),
            start=(2, 3, mean),
            customers=int(customers.sum()),
        )

    @staticmethod
    def fits(summary):
        """Whose spend the model can learn from: repeat buyers whose mean spend is above zero; a Series of bool."""
        return (summary.frequency > 0) & (summary.monetary_value > 0)

    def log_likelihood(self, summary):
        """Log of the density of the mean spends of who `fits`. [eq. 1a]"""
        return _derivatives((self.p, self.q, self.gamma), *_spenders(summary))[0]

    def expected_spend(self, summary):
        """Expected spend of each customer on an order day, in the currency of the data. [eq. 5]

        Who has not come back is expected to spend what all customers do on average; q must exceed 1.
        """
        x, m = summary.frequency, summary.monetary_value
        return pd.Series(self.spend_given(x, m), summary.index, name="expected_spend")

    def spend_given(self, frequency, monetary_value):
        """The same from two columns, on whatever engine they live. Linear in `monetary_value`."""
        if self.q <= 1:
            raise ValueError(f"mean spend is not finite: q = {self.q:.4g} is at most 1")
        x, m = frequency, monetary_value
        return (m * x + self.gamma) * self.p / (x * self.p + self.q - 1)


def _spenders(summary):
    kept = summary[GammaGamma.fits(summary)]
    return kept.frequency.to_numpy(float), kept.monetary_value.to_numpy(float), count_customers(kept)


def _derivatives(theta, x, m, customers):
    """Log-likelihood, gradient and Hessian by p, q, gamma. [eq. 1a]"""
    p, q, gamma = theta
    px, total = p * x, gamma + m * x
    value = gammaln(px + q) - gammaln(px) - gammaln(q) + q * np.log(gamma) - np.log(m)
    value = value + px * (np.log(m) + np.log(x)) - (px + q) * np.log(total)
    gradient = np.stack(
        [
            x * (psi(px + q) - psi(px) + np.log(m) + np.log(x) - np.log(total)),
            psi(px + q) - psi(q) + np.log(gamma) - np.log(total),
            q / gamma - (px + q) / total,
        ]
    )
    both = polygamma(1, px + q)
    pp, pq, pg = x**2 * (both - polygamma(1, px)), x * both, -x / total
    qq, qg, gg = both - polygamma(1, q), 1 / gamma - 1 / total, -q / gamma**2 + (px + q) / total**2
    hessian = np.stack([np.stack([pp, pq, pg]), np.stack([pq, qq, qg]), np.stack([pg, qg, gg])])
    return float(customers @ value), gradient @ customers, hessian @ customers
