"""The limit of Gamma-Gamma in which all customers spend the same on average."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from crmlab.clv.models.gamma_gamma import GammaGamma
from crmlab.likelihood import REPLICATES, Uncertainty, with_uncertainty
from crmlab.model import FitError, Unfitted, or_unfitted

ENDLESS = 1e6  # of q, and of p where customers spend the same on every order: as good as without end


@dataclass(frozen=True, repr=False)
class MeanSpend(GammaGamma):
    """All customers expect to spend the mean of all: Gamma-Gamma as q and gamma grow without end.

    Parameters
    ----------
    p, q, gamma : float
        As of GammaGamma, where q is one million.

    References
    ----------
    Fader & Hardie (2013), The Gamma-Gamma Model of Monetary Value, whose limit it is.
    """

    title = "mean spend of all"

    @classmethod
    @or_unfitted
    def fit(cls, customers: pd.DataFrame, replicates: int = REPLICATES, seed: int = 1) -> Self:
        """Fit to the mean spends of eligible customers by moments: their mean, and how they scatter about it.

        Parameters
        ----------
        customers : DataFrame
            frequency and monetary_value, one row a customer or one for each of `customers` alike.
        replicates : int
            Draws of the parameters kept for intervals; 0 keeps none, and gives no interval.
        seed : int
            Start of the generator of draws.

        Returns
        -------
        MeanSpend or Unfitted
            Unfitted where there are fewer than two repeat buyers.

        Raises
        ------
        InputError
            Where customers are impossible.
        """
        x, m, weights = cls._statistics(customers)
        count, orders = weights.sum(), weights @ x
        if count < 2:
            raise FitError(f"the {cls.title} needs two repeat buyers; there are {count}", "take a longer log")
        mean = weights @ (x * m) / orders
        scatter = weights @ (x * (m / mean - 1) ** 2) / (count - 1)  # 1 / p, as a mean of x orders has 1 / (p x)
        p = 1 / max(scatter, 1 / ENDLESS)
        model = cls(p, ENDLESS, mean * (ENDLESS - 1) / p)
        of_p, of_mean = 2 / (count - 1), 1 / (p * orders)
        covariance = np.array([[of_p, 0, -of_p], [0, 0, 0], [-of_p, 0, of_p + of_mean]])
        rng = np.random.default_rng([seed, cls.SEED_STEP])
        scattered = rng.standard_normal((replicates, 2)) * np.sqrt([of_p, of_mean])
        logs = np.log([model.p, model.q, model.gamma])
        drawn = logs + np.column_stack([scattered[:, 0], np.zeros(replicates), scattered[:, 1] - scattered[:, 0]])
        return with_uncertainty(model, Uncertainty(covariance, drawn))

    def _influence(self, customers, change):
        """As of GammaGamma, by the moments that this was fitted by."""
        x, m, weights = self._statistics(customers)
        _, kept = self._columns(customers)
        off = m * (ENDLESS - 1) / (self.gamma * self.p) - 1  # from the mean of all
        of_mean = (x * off) @ change[kept] / (weights @ x)
        of_p = (1 - self.p * x * off**2) @ change[kept] / max(weights.sum() - 1, 1)
        return np.array([of_p, np.zeros(change.shape[1]), of_mean - of_p])


def or_mean(
    spend_model: GammaGamma | Unfitted, customers: pd.DataFrame, replicates: int, seed: int = 1
) -> GammaGamma | Unfitted:
    """MeanSpend where Gamma-Gamma could not be fitted as all spend the same on average; else what is given."""
    if not isinstance(spend_model, Unfitted):
        return spend_model
    spent = customers.monetary_value[GammaGamma.eligible(customers)]
    alike = GammaGamma.LIMITS[0][2] in spend_model.reason or spent.nunique() == 1
    return MeanSpend.fit(customers, replicates, seed) if alike else spend_model
