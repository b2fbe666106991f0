"""BG/NBD and MBG/NBD: customers order at random until, after some order, they leave."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.polynomial import chebyshev
from scipy.fft import dct
from scipy.special import betainc, betaln, expit, polygamma, psi
from scipy.stats import nbinom

from crmlab.clv.models.inputs import infinite_mean
from crmlab.clv.models.nbd import PoissonModel
from crmlab.clv.models.orders import NOBODY_LEAVES, SHAPE_SD, TOTAL
from crmlab.clv.models.quadrature import LOST, beta_nodes, legendre
from crmlab.contracts import InputError
from crmlab.stats.rising import log_pochhammer

AT_A_TIME = 8  # functions tabulated together, which then fit in a processor's cache
STIFFEST = 1e4  # beyond what any log needs; it keeps the strangest parameters affordable


@dataclass(frozen=True, repr=False)
class BGNBD(PoissonModel):
    """Repeat orders until customers leave unobserved, right after a repeat order.

    Parameters
    ----------
    r, alpha : float
        Order rates vary across customers as Gamma(r, alpha); alpha in days.
    a, b : float
        The probability of leaving after an order varies as Beta(a, b).

    References
    ----------
    Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way; (2008), Computing
    P(alive) Using the BG/NBD Model.

    Examples
    --------
    >>> import pandas as pd
    >>> model = BGNBD(0.243, 30.9, 0.793, 2.426)
    >>> model
    BGNBD(r=0.243, alpha=30.9, a=0.793, b=2.426)
    >>> customers = pd.DataFrame({"frequency": [2], "recency": [213], "age": [272]})
    >>> round(float(model.expected_orders(customers, 273)[0]), 2)
    1.23
    """

    title = "BG/NBD"
    SIMPLER = ("a", *NOBODY_LEAVES)
    LIMITS = (
        *PoissonModel.LIMITS,
        (("a", "b"), 1, "all customers leave with the same probability"),
        (("a", "b"), -1, "customers leave at once or never"),
    )
    AT_ONCE: ClassVar[int] = 0  # 1 where customers may leave right after the first order
    a: float
    b: float

    @staticmethod
    def _starts_at(rate):
        return [(1, 1 / rate, 1, 1), (0.3, 0.3 / rate, 0.5, 3)]

    @classmethod
    def _likelihood(cls, x, t_x, T, weights):
        """parameters -> log-likelihood, gradient and Hessian by r, alpha, a, b. [eq. 6, as terms `here` and `gone`]"""
        counts, of_row = np.unique(x, return_inverse=True)
        days, of_time = np.unique(np.concatenate([t_x, T]), return_inverse=True)
        last, end = np.split(of_time, 2)  # logs are taken of distinct days and counts, of which there are few
        of_count, of_end = np.bincount(of_row, weights), np.bincount(end, weights, days.size)
        orders_of_end, weights = np.bincount(end, weights * x, days.size), weights.astype(float)
        stays = counts + cls.AT_ONCE
        could_leave, later = stays > 0, np.maximum(stays - 1, 0)
        later_orders = later[of_row]

        def of_history(theta):
            """What T and t_x add to the log-likelihood; log(1 + days / alpha); its rise to T; log odds of `gone`."""
            r, alpha, a, b = theta
            waited = np.log1p(days / alpha)
            since = waited[end] - waited[last]
            odds = np.where(could_leave, np.log(a * (1 / (b + later))), -np.inf)[of_row] + (r + x) * since
            of_waiting = of_end @ (r * waited) + orders_of_end @ (np.log(alpha) + waited)
            return weights @ np.logaddexp(0, odds) - of_waiting, waited, since, odds

        def derivatives(theta):
            r, alpha, a, b = theta
            of_days, waited, since, odds = of_history(theta)
            k, per_T, per_t, per_b = r + x, 1 / (alpha + T), 1 / (alpha + t_x), 1 / (b + later_orders)
            gone = expit(odds)
            at_T, at_t = weights * (1 - gone), weights * gone
            value, gradient, hessian = _by_count(theta, counts, counts + cls.AT_ONCE, of_count)
            value += of_days
            gradient -= [
                of_end @ waited - at_t @ since,
                at_T @ (k * per_T) + at_t @ (k * per_t),
                -at_t.sum() / a,
                at_t @ per_b,
            ]
            contrast = np.stack([since, k * (per_T - per_t), np.full_like(gone, 1 / a), -per_b])
            hessian += (contrast * (at_t * (1 - gone))) @ contrast.T
            hessian[[0, 1], [1, 0]] -= at_T @ per_T + at_t @ per_t
            hessian[1, 1] += at_T @ (k * per_T**2) + at_t @ (k * per_t**2)
            hessian[2, 2] -= at_t.sum() / a**2
            hessian[3, 3] += at_t @ per_b**2
            return float(value), gradient, hessian

        def value(theta):
            return float(_by_count(theta, counts, counts + cls.AT_ONCE, of_count)[0] + of_history(theta)[0])

        derivatives.value = value  # type: ignore[attr-defined]
        return derivatives

    @staticmethod
    def _prior_of_leaving(x, T, weights):
        each = -np.log(2 + np.average(x, weights=weights))  # of the probability to leave after an order
        return ((2, 3, "share", (each, SHAPE_SD), (TOTAL, SHAPE_SD)),)

    def _log_stayed(self, x, T):
        stays = x + self.AT_ONCE
        return log_pochhammer(self.b, stays) - log_pochhammer(self.a + self.b, stays)

    def _log_odds_inactive(self, x, t_x, T):
        stays = x + self.AT_ONCE
        waited = (self.r + x) * np.log1p((T - t_x) / (self.alpha + t_x))
        odds = np.log(self.a) - np.log(self.b + np.maximum(stays - 1, 0)) + waited
        return np.where(stays > 0, odds, -np.inf)

    def _posterior(self, x, T):
        return self.r + x, self.alpha + T, np.full_like(x, self.a), self.b + x + self.AT_ONCE

    @staticmethod
    def _discounted(posterior, delta, horizon_days):
        """The integral of e^(-delta u) E[rate e^(-rate p u)] over the next `horizon_days`, or all time.

        The expectation is k / scale G(u / scale) with G(v) = E[(1 + p v)^-(k + 1)], one smooth function for
        each k: it is tabulated on Chebyshev nodes of s = log(1 + v), in which the integral is taken.
        """
        k, scale, (a, *_), b = posterior
        if horizon_days is None and not delta:
            if a <= 1:
                raise InputError(infinite_mean("a", a))
            return (a + b - 1) / (a - 1)
        shapes, first, which = np.unique(k, return_index=True, return_inverse=True)
        reach = np.log1p((LOST / delta if horizon_days is None else horizon_days) / scale)[:, None]
        farthest = max(reach.max(), 1e-9)
        stiff = np.sqrt(min(((k + 1) * a / (a + b)).max() * farthest, STIFFEST))
        node, weight = legendre(int(20 + 6 * farthest + 3 * stiff))
        s = reach * node
        table = _table(a, b[first], shapes + 1, farthest, int(24 + 6 * farthest + 6 * stiff))
        g = chebyshev.chebval(2 * s / farthest - 1, table[:, which, None], tensor=False)
        return k * reach[:, 0] * (weight * np.exp(-delta * scale[:, None] * np.expm1(s)) * g).sum(axis=1)

    @staticmethod
    def _order_probability(posterior, horizon_days, count):
        k, scale, a, b = posterior
        still = np.exp(betaln(a, b + count) - betaln(a, b)) * nbinom.pmf(count, k, scale / (scale + horizon_days))
        if count == 0:
            return still
        left = np.exp(betaln(a + 1, b + count - 1) - betaln(a, b))
        return still + left * betainc(count, k, horizon_days / (scale + horizon_days))

    @staticmethod
    def _simulate(posterior, horizon_days, rng):
        k, scale, a, b = posterior
        orders = rng.poisson(rng.gamma(k, 1 / scale) * horizon_days)
        last = rng.geometric(np.maximum(rng.beta(a, b), 1e-12))
        owner = np.repeat(np.arange(k.size), orders)
        day = rng.random(owner.size) * horizon_days
        sorted_by_day = np.lexsort((day, owner))
        nth = np.arange(owner.size) - np.repeat(np.cumsum(orders) - orders, orders)
        kept = nth < last[owner]
        return owner[kept], day[sorted_by_day][kept]


class MBGNBD(BGNBD):
    """BG/NBD whose customers may leave right after the first order too. [Batislam, Denizel & Filiztekin 2007]"""

    title = "MBG/NBD"
    AT_ONCE = 1


def _by_count(theta, counts, stays, weights):
    """The parts of log-likelihood, gradient and Hessian that a customer's count of orders alone settles."""
    r, alpha, a, b = theta
    k, b_then = r + counts, b + stays
    value = log_pochhammer(r, counts) + log_pochhammer(b, stays) - log_pochhammer(a + b, stays)
    ab, ab_then = psi(a + b), psi(a + b_then)
    both = polygamma(1, a + b) - polygamma(1, a + b_then)
    gradient = [psi(k) - psi(r), np.full_like(k, r / alpha), ab - ab_then]
    gradient.append(psi(b_then) - ab_then - psi(b) + ab)
    hessian = np.zeros((4, 4))
    hessian[0, 0] = weights @ (polygamma(1, k) - polygamma(1, r))
    hessian[[0, 1], [1, 0]] = weights.sum() / alpha
    hessian[1, 1] = -weights.sum() * r / alpha**2
    hessian[2:, 2:] = weights @ both
    hessian[3, 3] += weights @ (polygamma(1, b_then) - polygamma(1, b))
    return weights @ value, np.stack(gradient) @ weights, hessian


def _table(a, b, shapes, reach, degree):
    """(1 + v) G(v) of each of `shapes`, as functions of s = log(1 + v) from 0 to `reach`: Chebyshev coefficients."""
    s = reach * (1 + np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1))) / 2
    values = np.empty((len(shapes), degree + 1))
    for some in np.array_split(np.arange(len(shapes)), len(shapes) // AT_A_TIME + 1):
        p, weight = beta_nodes(a, b[some, None], shapes[some, None], np.expm1(reach))
        powers = np.log1p(p[:, None, :] * np.expm1(s)[:, None])
        powers *= -shapes[some, None, None]
        powers += s[:, None]
        values[some] = (np.exp(powers, out=powers) @ weight[:, :, None])[:, :, 0]
    coefficients = dct(values, axis=1).T / (degree + 1)
    coefficients[0] /= 2
    return coefficients
