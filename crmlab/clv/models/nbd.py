"""NBD: customers order at random and never leave."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import exprel, polygamma, psi
from scipy.stats import nbinom

from crmlab.clv.models.orders import RATE_SD, SHAPE, SHAPE_SD, OrderModel
from crmlab.contracts import InputError
from crmlab.likelihood import Limits, LogPrior
from crmlab.stats.rising import log_pochhammer


@dataclass(frozen=True, repr=False)
class PoissonModel(OrderModel):
    """Orders of active customers come at random, at rates that vary across customers as Gamma(r, alpha)."""

    LIMITS: ClassVar[Limits] = ((("r", "alpha"), 1, "all customers order equally often"),)
    _log_stayed: ClassVar[Callable[..., np.ndarray | float]]  # frequency, age -> log probability of not leaving
    r: float
    alpha: float

    @classmethod
    def _prior(cls, x, t_x, T, weights):
        rate = np.log((x @ weights) / (T @ weights))
        return LogPrior(
            "weak", ((0, 1, "rate", (rate, RATE_SD), (SHAPE, SHAPE_SD)), *cls._prior_of_leaving(x, T, weights))
        )

    @staticmethod
    def _prior_of_leaving(x, T, weights):
        return ()

    def _log_active(self, x, T):
        rises = log_pochhammer(self.r, x)
        return rises - self.r * np.log1p(T / self.alpha) - x * np.log(self.alpha + T) + self._log_stayed(x, T)


class NBD(PoissonModel):
    """Repeat orders of customers who never leave: what a model of leaving must improve on.

    Parameters
    ----------
    r, alpha : float
        Order rates vary across customers as Gamma(r, alpha); alpha in days.

    References
    ----------
    Ehrenberg (1959), The Pattern of Consumer Purchases.
    """

    title = "NBD"

    @staticmethod
    def _starts_at(rate):
        return [(1, 1 / rate), (0.2, 0.2 / rate)]

    @staticmethod
    def _likelihood(x, t_x, T, weights):
        """parameters -> log-likelihood, gradient and Hessian by r, alpha."""
        counts, which = np.unique(x, return_inverse=True)
        of_count = np.bincount(which, weights)

        def derivatives(theta):
            r, alpha = theta
            k, scale, waited = r + x, alpha + T, np.log1p(T / alpha)
            rises, slope, bend = rising(r, counts, of_count)
            value = rises - weights @ (r * waited + x * np.log(scale))
            gradient = [slope - weights @ waited, weights @ (r / alpha - k / scale)]
            mixed = weights @ (1 / alpha - 1 / scale)
            hessian = [[bend, mixed], [mixed, weights @ (k / scale**2 - r / alpha**2)]]
            return float(value), np.array(gradient), np.array(hessian)

        return derivatives

    def _log_odds_inactive(self, x, t_x, T):
        return np.full_like(x, -np.inf)

    def _log_stayed(self, x, T):
        return 0.0

    def _posterior(self, x, T):
        return self.r + x, self.alpha + T

    @staticmethod
    def _discounted(posterior, delta, horizon_days):
        shape, scale = posterior
        if horizon_days is not None:
            return shape / scale * horizon_days * exprel(-delta * horizon_days)
        if delta == 0:
            raise InputError(
                "discount_annual = 0: undiscounted orders over an infinite horizon have no finite mean as nobody "
                "leaves; choose a rate above 0, or a number of horizon_days"
            )
        return shape / scale / delta

    @staticmethod
    def _order_probability(posterior, horizon_days, count):
        shape, scale = posterior
        return nbinom.pmf(count, shape, scale / (scale + horizon_days))

    @staticmethod
    def _simulate(posterior, horizon_days, rng):
        shape, scale = posterior
        orders = rng.poisson(rng.gamma(shape, 1 / scale) * horizon_days)
        owner = np.repeat(np.arange(len(shape)), orders)
        return owner, rng.random(owner.size) * horizon_days


def rising(z, counts, weights):
    """The sum of log Γ(z + k) / Γ(z) over weighted counts k, with its first and second derivative by z."""
    slopes, bends = psi(z + counts) - psi(z), polygamma(1, z + counts) - polygamma(1, z)
    return weights @ log_pochhammer(z, counts), weights @ slopes, weights @ bends
