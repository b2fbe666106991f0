"""NBD: customers order at random and never leave."""

from dataclasses import dataclass, field

import numpy as np
from scipy.special import exprel, polygamma, psi
from scipy.stats import nbinom

from crmlab.clv.models.orders import OrderModel
from crmlab.likelihood import Around
from crmlab.stats.rising import log_rising


@dataclass(frozen=True)
class NBD(OrderModel):
    """Repeat orders without a goodbye: what a model of leaving must improve on. [Ehrenberg 1959]

    `covariance` is that of the logs of the parameters, and `around` what the data say of others, where it was fitted.
    """

    title = "NBD"
    r: float  # shape of order rates across customers
    alpha: float  # scale of order rates, days
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)
    around: Around | None = field(default=None, repr=False, compare=False)

    @staticmethod
    def _starts(rate):
        return [(1, 1 / rate), (0.2, 0.2 / rate)]

    @staticmethod
    def _likelihood(x, t_x, T, customers):
        """parameters -> log-likelihood, gradient and Hessian by r, alpha."""
        counts, which = np.unique(x, return_inverse=True)
        of_count = np.bincount(which, customers)

        def derivatives(theta):
            r, alpha = theta
            k, scale = r + x, alpha + T
            waited = np.log1p(T / alpha)
            value = of_count @ log_rising(r, counts) - customers @ (r * waited + x * np.log(scale))
            gradient = [
                of_count @ (psi(r + counts) - psi(r)) - customers @ waited,
                customers @ (r / alpha - k / scale),
            ]
            mixed = customers @ (1 / alpha - 1 / scale)
            rr = of_count @ (polygamma(1, r + counts) - polygamma(1, r))
            return (
                float(value),
                np.array(gradient),
                np.array([[rr, mixed], [mixed, customers @ (k / scale**2 - r / alpha**2)]]),
            )

        return derivatives

    def _log_odds_gone(self, x, t_x, T):
        return np.full_like(x, -np.inf)

    def _living(self, x, T):
        return self.r + x, self.alpha + T

    @staticmethod
    def _orders(living, days):
        shape, scale = living
        return shape / scale * days

    @staticmethod
    def _discounted(living, delta, days):
        shape, scale = living
        if days is not None:
            return shape / scale * days * exprel(-delta * days)
        if delta == 0:
            raise ValueError("undiscounted orders for ever have no finite mean as nobody leaves")
        return shape / scale / delta

    @staticmethod
    def _chance(living, days, count):
        shape, scale = living
        return nbinom.pmf(count, shape, scale / (scale + days))

    @staticmethod
    def _simulate(living, days, rng):
        shape, scale = living
        orders = rng.poisson(rng.gamma(shape, 1 / scale) * days)
        owner = np.repeat(np.arange(len(shape)), orders)
        return owner, rng.random(owner.size) * days
