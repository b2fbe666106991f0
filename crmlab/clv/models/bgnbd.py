"""BG/NBD: customers order at random until, after some order, they are gone."""

from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pandas as pd
from numpy.polynomial import chebyshev
from scipy.fft import dct
from scipy.special import betaln, expit, gammaln, polygamma, psi

from crmlab.clv.models.inputs import count_customers, daily_rate, repeat_buying
from crmlab.likelihood import FitError, maximise

LOST = 37  # e^-37 of a whole is lost in its last digit
STIFFEST, MOST_NODES = 1e4, 4000  # beyond what any log needs; they keep the strangest parameters affordable


@dataclass(frozen=True)
class BGNBD:
    """Repeat orders until an unseen goodbye. [Fader, Hardie & Lee 2005]

    Every method takes a frame with frequency, recency and age in days, one row a customer or one row
    for each of `customers` alike. `covariance` is that of the logs of the parameters, where they were fitted.
    """

    r: float  # shape of order rates across customers
    alpha: float  # scale of order rates, days
    a: float  # drop-out after an order ~ Beta(a, b)
    b: float
    covariance: np.ndarray | None = field(default=None, repr=False, compare=False)

    @classmethod
    def fit(cls, summary):
        """The parameters most likely to have made `summary`. Raises FitError where there are none."""
        x, t_x, T = repeat_buying(summary)
        customers = count_customers(summary)
        if not x.any():
            raise FitError(
                f"BGNBD needs repeat orders; {customers.sum():,} customers had none: try a longer calibration"
            )
        rate = (x * customers).sum() / (T * customers).sum()
        return maximise(
            cls,
            lambda theta: _derivatives(theta, x, t_x, T, customers),
            start=(1, 1 / rate, 1, 1),
            customers=int(customers.sum()),
        )

    def log_likelihood(self, summary):
        """Log of the chance of what all customers did, with time in days. [eq. 6]"""
        x, t_x, T = repeat_buying(summary)
        value, *_ = _derivatives((self.r, self.alpha, self.a, self.b), x, t_x, T, count_customers(summary))
        return value

    def p_alive(self, summary):
        """Chance that each customer is still active; 1 for who has not come back yet. [Fader, Hardie & Lee 2008]"""
        x, t_x, T = repeat_buying(summary)
        waited = (self.r + x) * np.log1p((T - t_x) / (self.alpha + t_x))
        odds_gone = np.log(self.a) - np.log(self.b + np.maximum(x, 1) - 1) + waited
        return pd.Series(np.where(x > 0, expit(-odds_gone), 1.0), summary.index, name="p_alive")

    def expected_orders(self, summary, days):
        """Expected orders of each customer in the next `days`, count. [eq. 10, as an integral over drop-out chances]"""
        x, _, T = repeat_buying(summary)
        return (self.p_alive(summary) * self._orders_while_alive(x, T, days)).rename("expected_orders")

    def expected_orders_new(self, days):
        """Expected repeat orders of a customer `days` after the first order, count: shaped as `days`. [eq. 9]"""
        days = np.asarray(days, dtype=float)
        return self._orders_while_alive(0.0, 0.0, days).reshape(days.shape)

    def discounted_orders(self, summary, discount_annual, days=None):
        """Expected orders of each customer from now on, each worth less by `discount_annual` a year until it comes.

        days    : count only those of the next `days` (DECT); None counts all (DERT)
        Raises ValueError where the sum has no end: undiscounted, for ever, with a at most 1.
        """
        x, _, T = repeat_buying(summary)
        delta = daily_rate(discount_annual)
        if days is None and delta == 0:
            if self.a <= 1:
                raise ValueError(f"undiscounted orders for ever have no finite mean as a = {self.a:.4g} is at most 1")
            later = (self.a + self.b + x - 1) / (self.a - 1)
        else:
            later = self._discounted_while_alive(x, T, delta, days)
        return (self.p_alive(summary) * later).rename("discounted_orders")

    def simulate_orders(self, summary, days, rng):
        """Orders of the next `days` drawn for each customer: a Series of sums over each row's `customers`."""
        customers = count_customers(summary)
        x, _, T = (np.repeat(v, customers) for v in repeat_buying(summary))
        alive = rng.random(x.size) < np.repeat(self.p_alive(summary).to_numpy(), customers)
        rate = rng.gamma(self.r + x, 1 / (self.alpha + T))
        leaves = np.maximum(rng.beta(self.a, self.b + x), 1e-12)
        orders = np.where(alive, np.minimum(rng.poisson(rate * days), rng.geometric(leaves)), 0)
        row = np.repeat(np.arange(len(summary)), customers)
        return pd.Series(np.bincount(row, orders, len(summary)), summary.index, name="orders")

    def _orders_while_alive(self, x, T, days):
        """E[(1 - e^(-rate p days)) / p] over rate and p, as known of a living customer."""
        columns = [np.ravel(v) for v in np.broadcast_arrays(x, T, days)]
        distinct, back = np.unique(np.stack(columns), axis=1, return_inverse=True)
        x, T, days = distinct[:, :, None]
        shape, horizon = self.r + x, days / (self.alpha + T)
        p, weight = _beta_nodes(self.a, self.b + x, shape, horizon)
        gone = -np.expm1(-shape * np.log1p(p * horizon))
        return (weight * gone / p).sum(axis=1)[back.reshape(np.shape(columns[0]))]

    def _discounted_while_alive(self, x, T, delta, days):
        """The integral of e^(-delta u) E[rate e^(-rate p u)] over the next `days`, or for ever.

        The expectation is (r+x)/(alpha+T) G(u / (alpha+T)) with G(v) = E[(1 + p v)^-(r+x+1)], one smooth
        function for each x: it is tabulated on Chebyshev nodes of s = log(1 + v), in which the integral is taken.
        """
        days = LOST / delta if days is None else days
        pairs, back = np.unique(np.stack([x, T]), axis=1, return_inverse=True)
        counts, which = np.unique(pairs[0], return_inverse=True)
        scale = self.alpha + pairs[1][:, None]
        reach = np.log1p(days / scale)
        farthest = max(reach.max(), 1e-9)
        leaving = (self.r + counts + 1) * self.a / (self.a + self.b + counts)
        stiff = np.sqrt(min(leaving.max() * farthest, STIFFEST))
        node, weight = _legendre(int(20 + 6 * farthest + 3 * stiff))
        s = reach * node
        table = self._table(counts, farthest, int(24 + 6 * farthest + 6 * stiff))
        g = chebyshev.chebval(2 * s / farthest - 1, table[:, which, None], tensor=False)
        later = (self.r + pairs[0]) * reach[:, 0] * (weight * np.exp(-delta * scale * np.expm1(s)) * g).sum(axis=1)
        return later[back.reshape(-1)]

    def _table(self, counts, reach, degree):
        """(1 + v) G(v) for each of `counts`, a function of s = log(1 + v) from 0 to `reach`: Chebyshev coefficients."""
        s = reach * (1 + np.cos(np.pi * (np.arange(degree + 1) + 0.5) / (degree + 1)))[:, None] / 2
        values = np.empty((len(counts), degree + 1))
        for row, shape in enumerate(self.r + counts + 1):
            p, weight = _beta_nodes(self.a, np.array([[self.b + counts[row]]]), shape, np.expm1(reach))
            values[row] = (weight * np.exp(s - shape * np.log1p(p * np.expm1(s)))).sum(axis=1)
        coefficients = dct(values, axis=1).T / (degree + 1)
        coefficients[0] /= 2
        return coefficients


def _derivatives(theta, x, t_x, T, customers):
    """Log-likelihood, gradient and Hessian by r, alpha, a, b. [eq. 6, whose two terms are `here` and `gone`]"""
    r, alpha, a, b = theta
    back = x > 0
    k, log_T, log_t = r + x, np.log(alpha + T), np.log(alpha + t_x)
    later = np.where(back, b + x - 1, 1.0)
    gone_over_here = np.where(back, np.log(a) - np.log(later) + k * (log_T - log_t), -np.inf)
    w = expit(gone_over_here)  # share of the second term
    value = gammaln(k) - gammaln(r) + r * np.log(alpha) + betaln(a, b + x) - betaln(a, b) - k * log_T
    value = value + np.logaddexp(0, gone_over_here)
    ab, abx = psi(a + b), psi(a + b + x)
    gradient = np.stack(
        [
            psi(k) - psi(r) + np.log(alpha) - (1 - w) * log_T - w * log_t,
            r / alpha - k * ((1 - w) / (alpha + T) + w / (alpha + t_x)),
            ab - abx + w / a,
            psi(b + x) - abx - psi(b) + ab - w / later,
        ]
    )
    apart = np.stack([log_T - log_t, k * (1 / (alpha + T) - 1 / (alpha + t_x)), np.full_like(w, 1 / a), -1 / later])
    hessian = w * (1 - w) * apart[:, None] * apart[None, :]
    tri = polygamma(1, a + b) - polygamma(1, a + b + x)
    mixed = 1 / alpha - (1 - w) / (alpha + T) - w / (alpha + t_x)
    hessian[0, 0] += polygamma(1, k) - polygamma(1, r)
    hessian[0, 1] += mixed
    hessian[1, 0] += mixed
    hessian[1, 1] += -r / alpha**2 + k * ((1 - w) / (alpha + T) ** 2 + w / (alpha + t_x) ** 2)
    hessian[2, 2] += tri - w / a**2
    hessian[2, 3] += tri
    hessian[3, 2] += tri
    hessian[3, 3] += polygamma(1, b + x) - polygamma(1, b) + tri + w / later**2
    return float(customers @ value), gradient @ customers, hessian @ customers


def _beta_nodes(a, b, shape, v):
    """Nodes and weights of an expectation over p ~ Beta(a, b) of functions of (1 + p v)^-shape.

    b : column, one row a distribution
    The trapezoidal rule in logit(p), whose error falls with exp(-10 / step). Beyond the nodes at either end the density
    is geometric and such a function hardly changes, or there is no mass: the end weights hold all that is beyond.
    """
    mode, width, bend = np.log(a) - np.log(b), np.sqrt(1 / a + 1 / b), np.log1p(shape * v)
    left = (LOST + bend) / a + np.sqrt(2 * (LOST + bend)) * width
    right = LOST / b + np.sqrt(2 * LOST) * width
    low = np.maximum(mode - left, np.minimum(mode, -LOST - bend))
    high = np.minimum(mode + right, np.maximum(mode, LOST))
    step = np.minimum(0.2, 0.5 * np.sqrt(1 / a + 1 / (b + shape)))
    count = int(min(np.ceil((high - low) / step).max(), MOST_NODES))
    step = (high - low) / count
    off = low - mode + step * np.arange(count + 1)
    towards = np.where(off > 0, a, b)
    weight = np.exp(towards * np.abs(off) - (a + b) * np.log1p(towards / (a + b) * np.expm1(np.abs(off))))
    weight[:, :1] /= -np.expm1(-a * step)
    weight[:, -1:] /= -np.expm1(-b * step)
    return expit(mode + off), weight / weight.sum(axis=1, keepdims=True)


@cache
def _legendre(count):
    """Nodes and weights of Gauss and Legendre's quadrature from 0 to 1."""
    node, weight = np.polynomial.legendre.leggauss(count)
    return (node + 1) / 2, weight / 2
