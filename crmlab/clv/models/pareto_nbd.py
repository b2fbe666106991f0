"""Pareto/NBD: customers order at random until, at an unobserved time of their own, they leave."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaln, expit, exprel, xlogy

from crmlab.clv.models.inputs import distinct, infinite_mean
from crmlab.clv.models.nbd import PoissonModel, rising
from crmlab.clv.models.orders import NOBODY_LEAVES, RATE_SD, SHAPE, SHAPE_SD
from crmlab.clv.models.quadrature import LOST, legendre
from crmlab.contracts import InputError
from crmlab.stats.rising import log_pochhammer

STEP = 0.25  # between nodes; the error falls with exp(-10 / STEP), to about 4e-15
HUGE = 600  # e^600 squares into an overflow, and 1 + e^600 is e^600
BLOCK = 64  # days whose nodes are held at once: they fit the cache, whatever the number of customers
NEAR = 1e-3  # a difference this small, of a whole, keeps too few of its digits
FARTHEST = 1e50  # no search needs parameters beyond it or its inverse, and products of larger ones overflow
MOST_ORDERS = 1_000_000  # of a simulated customer; the tail of rates would otherwise exhaust the memory
FIRST, SECOND = np.triu_indices(5)  # pairs of features, of which the first is 1


@dataclass(frozen=True, repr=False)
class ParetoNBD(PoissonModel):
    """Repeat orders until customers leave unobserved, at a time that has nothing to do with orders.

    Parameters
    ----------
    r, alpha : float
        Order rates vary across customers as Gamma(r, alpha); alpha in days.
    s, beta : float
        Rates of leaving vary as Gamma(s, beta); beta in days.

    References
    ----------
    Schmittlein, Morrison & Colombo (1987), Counting Your Customers; Fader & Hardie (2005), A Note on Deriving the
    Pareto/NBD Model.
    """

    title = "Pareto/NBD"
    SIMPLER = ("s", *NOBODY_LEAVES)
    LIMITS = (
        *PoissonModel.LIMITS,
        (("s", "beta"), 1, "all customers leave at the same rate"),
        (("s", "beta"), -1, "customers leave at once or never"),
    )
    s: float
    beta: float

    @staticmethod
    def _starts_at(rate):
        return [(1, 1 / rate, 1, 1 / rate), (0.3, 0.1 / rate, 0.3, 0.1 / rate)]

    @staticmethod
    def _likelihood(x, t_x, T, weights):
        """parameters -> log-likelihood, gradient and Hessian by r, alpha, s, beta.

        After the last order observed, the next event is either leaving, at any time after t_x, or an order, after T.
        """
        at_last, at_end = _Pairs.of(x, t_x), _Pairs.of(x, T)
        of_count = np.bincount(at_end.count[at_end.of_row], weights, at_end.counts.size)

        def derivatives(theta):
            if not all(1 / FARTHEST < value < FARTHEST for value in theta):
                return np.nan, np.full(4, np.nan), np.full((4, 4), np.nan)
            rises, slope, bend = rising(theta[0], at_end.counts, of_count)
            leaves, leaves_slope, leaves_bend = _next_event(theta, at_last, 0)
            orders, orders_slope, orders_bend = _next_event(theta, at_end, 1)
            if_leaves = leaves[at_last.of_row]
            leaving = expit(if_leaves - orders[at_end.of_row])
            at_leaving = np.bincount(at_last.of_row, weights * leaving, leaves.size)
            at_order = np.bincount(at_end.of_row, weights * (1 - leaving), orders.size)
            contrast = leaves_slope[at_last.of_row] - orders_slope[at_end.of_row]
            value = weights @ (if_leaves - np.log(leaving)) + rises
            gradient = at_leaving @ leaves_slope + at_order @ orders_slope
            hessian = np.tensordot(at_leaving, leaves_bend, 1) + np.tensordot(at_order, orders_bend, 1)
            hessian += (contrast * (weights * leaving * (1 - leaving))[:, None]).T @ contrast
            gradient[0] += slope
            hessian[0, 0] += bend
            return float(value), gradient, hessian

        def value(theta):
            if not all(1 / FARTHEST < value < FARTHEST for value in theta):
                return np.nan
            leaves, orders = _log_next_event(theta, at_last, 0), _log_next_event(theta, at_end, 1)
            each = np.logaddexp(leaves[at_last.of_row], orders[at_end.of_row])
            return float(weights @ each + of_count @ log_pochhammer(theta[0], at_end.counts))

        derivatives.value = value  # type: ignore[attr-defined]
        return derivatives

    @staticmethod
    def _prior_of_leaving(x, T, weights):
        rate = -np.log(np.average(T, weights=weights))  # of leaving, a day
        return ((2, 3, "rate", (rate, RATE_SD), (SHAPE, SHAPE_SD)),)

    def _log_stayed(self, x, T):
        return -self.s * np.log1p(T / self.beta)

    def _log_odds_inactive(self, x, t_x, T):
        """Leaving at any time after t_x less leaving after T, by the probability of neither event until T."""
        theta = self.r, self.alpha, self.s, self.beta
        at, then = _log_leaving(theta, x, t_x), _log_leaving(theta, x, T)
        wait = T - t_x
        at += (self.r + x) * np.log1p(wait / (self.alpha + t_x)) + self.s * np.log1p(wait / (self.beta + t_x))
        odds = at + np.log(-np.expm1(np.minimum(then - at, -NEAR / 2)))
        near = np.flatnonzero(then - at > -NEAR)
        for rows in np.array_split(near, near.size // 10_000 + 1):
            odds[rows] = _log_odds_short_wait(theta, x[rows], t_x[rows], wait[rows])
        return odds

    def _posterior(self, x, T):
        return self.r + x, self.alpha + T, np.full_like(x, self.s), self.beta + T

    @staticmethod
    def _discounted(posterior, delta, horizon_days):
        """r / alpha times the integral of e^(-delta u) (1 + u / beta)^-s over the next `horizon_days`, in log(1 + u /
        beta)."""
        r, alpha, s, beta = posterior
        if delta == 0 and horizon_days is None:
            if (s <= 1).any():
                raise InputError(infinite_mean("s", s[0]))
            return r / alpha * beta / (s - 1)
        if delta == 0:  # r / alpha times the mean time until leaving
            reach = np.log1p(horizon_days / beta)
            return r / alpha * beta * reach * exprel((1 - s) * reach)
        scale, which = np.unique(beta, return_inverse=True)
        falls, stays = delta * scale[:, None], 1 - s[:1, None]
        ahead = np.inf if horizon_days is None else horizon_days
        reach = np.log1p(np.minimum(ahead / scale[:, None], LOST / falls))
        reach = np.minimum(reach, np.divide(-LOST, stays, out=np.full_like(stays, np.inf), where=stays < 0))
        node, weight = legendre(int(40 + 6 * reach.max(initial=0)))
        rate = np.exp(stays * reach * node - falls * np.expm1(reach * node))
        return r / alpha * beta * (reach[:, 0] * (rate @ weight))[which]

    @staticmethod
    def _order_probability(posterior, horizon_days, count):
        """Staying, and so many orders in all of `horizon_days`, or leaving within them after so many orders."""
        r, alpha, s, beta = posterior
        horizon_days = np.maximum(horizon_days, np.finfo(float).tiny)
        stays = np.exp(_log_order_probability(r, alpha, horizon_days, count) - s * np.log1p(horizon_days / beta))
        b = (1 - r) * beta + (count - s) * alpha
        root = np.sqrt(b**2 + 4 * (r + s) * (count + 1) * alpha * beta)
        mode = np.where(b > 0, (b + root) / 2 / (r + s), 2 * (count + 1) * alpha * beta / (root - np.minimum(b, 0)))
        mode = np.minimum(mode, horizon_days)

        def fall(z):
            """How far the log of the density of log leaving times is below that at `mode`, at mode e^z."""
            away = mode[:, None] * np.expm1(z)
            of_order, of_leaving = away / (alpha + mode)[:, None], away / (beta + mode)[:, None]
            fallen = (r + count)[:, None] * np.log1p(of_order) + (s + 1)[:, None] * np.log1p(of_leaving)
            return fallen - (count + 1) * z

        log_top = _log_order_probability(r, alpha, mode, count) - s * np.log1p(mode / beta)
        top = np.exp(log_top) * s * mode / (beta + mode)
        latest = np.log(horizon_days / mode)
        node, weight = legendre(48)
        before, after = _reach(fall, -1, np.full_like(mode, np.inf)), _reach(fall, 1, latest)
        mass = before * (np.exp(-fall(-before[:, None] * node)) @ weight)
        return stays + top * (mass + after * (np.exp(-fall(after[:, None] * node)) @ weight))

    @staticmethod
    def _simulate(posterior, horizon_days, rng):
        r, alpha, s, beta = posterior
        stays = np.minimum(beta * rng.pareto(s), horizon_days)
        orders = rng.poisson(np.minimum(rng.gamma(r, 1 / alpha) * stays, MOST_ORDERS))
        owner = np.repeat(np.arange(orders.size), orders)
        return owner, rng.random(owner.size) * stays[owner]


@dataclass(frozen=True)
class _Pairs:
    """The distinct pairs of a count of orders and a day, by day: what integrals are taken for."""

    counts: np.ndarray  # distinct counts
    days: np.ndarray  # distinct days
    count: np.ndarray  # of each pair, a position in `counts`
    day: np.ndarray  # of each pair, a position in `days`; ascending
    of_row: np.ndarray  # the pair of each row

    @classmethod
    def of(cls, x, t):
        t, x, of_row = distinct(t, x)
        counts, count = np.unique(x, return_inverse=True)
        days, day = np.unique(t, return_inverse=True)
        return cls(counts, days, count, day, of_row)


def _log_next_event(theta, pairs, orders):
    """The first of what `_next_event` gives, without the integrals that the others need."""
    return _log_event_probability(theta, pairs, orders, _sums(theta, pairs, orders, [(0, 0)])[:, 0])


def _log_event_probability(theta, pairs, orders, total):
    r, alpha, s, beta = theta
    x, t = pairs.counts[pairs.count], pairs.days[pairs.day]
    a, b = alpha + t, beta + t
    value = np.log(total * ((r + x) if orders else s * a / b)) - x * np.log(a)
    return value - r * np.log1p(t / alpha) - s * np.log1p(t / beta)


def _next_event(theta, pairs, orders):
    """Log of the probability that a customer's next event comes after a day, gradient and Hessian by the parameters.

    orders : 1 where that event is an order, 0 where it is leaving
    It is alpha^r beta^s times the integral of k^orders s^(1 - orders) (alpha + u)^-p (beta + u)^-q from the day on,
    with k = r + x, p = k + orders and q = s + 1 - orders: x orders before, and no further event until u.
    """
    r, alpha, s, beta = theta
    x, t = pairs.counts[pairs.count], pairs.days[pairs.day]
    k, a, b = r + x, alpha + t, beta + t
    p, q, waited, lived = k + orders, s + 1 - orders, np.log1p(t / alpha), np.log1p(t / beta)
    total, mean, second = _moments(theta, pairs, orders)
    value = _log_event_probability(theta, pairs, orders, total)
    here_a, here_b = 1 - mean[:, 1], 1 - mean[:, 3]  # of (alpha + t) / (alpha + u), (beta + t) / (beta + u): means
    first = [orders / k - waited - mean[:, 0], r / alpha - p * here_a / a]
    first += [(1 - orders) / s - lived - mean[:, 2], s / beta - q * here_b / b]
    scale = np.stack([np.full_like(a, -1), p / a, np.full_like(a, -1), q / b], axis=1)
    bend = scale[:, :, None] * scale[:, None, :] * (second - mean[:, :, None] * mean[:, None, :])
    bend[:, 0, 0] -= orders / k**2
    bend[:, 2, 2] -= (1 - orders) / s**2
    bend[:, [0, 1], [1, 0]] += (1 / alpha - here_a / a)[:, None]
    bend[:, [2, 3], [3, 2]] += (1 / beta - here_b / b)[:, None]
    bend[:, 1, 1] += p / a**2 * (2 * here_a - 1 + second[:, 1, 1]) - r / alpha**2
    bend[:, 3, 3] += q / b**2 * (2 * here_b - 1 + second[:, 3, 3]) - s / beta**2
    return value, np.stack(first, axis=1), bend


def _log_leaving(theta, x, t):
    """Log of the probability of leaving after t with no order before, by that of neither until t."""
    pairs = _Pairs.of(x, t)
    value = np.log(_sums(theta, pairs, 0, [(0, 0)])[:, 0])
    return value[pairs.of_row] + np.log(theta[2] * (theta[1] + t) / (theta[3] + t))


def _log_odds_short_wait(theta, x, t_x, wait):
    """`_log_odds_inactive` where the wait is so short that next to nobody leaves in it: by quadrature over it alone."""
    r, alpha, s, beta = theta
    a, b = (alpha + t_x)[:, None], (beta + t_x)[:, None]
    scale, wait, (node, weight) = np.minimum(a, b), wait[:, None], legendre(32)
    reach = np.log1p(wait / scale)
    u = scale * np.expm1(reach * node)
    still = np.exp((r + x)[:, None] * np.log1p((wait - u) / (a + u)) + s * np.log1p((wait - u) / (b + u)))
    with np.errstate(divide="ignore"):
        return np.log(s * reach[:, 0] * ((still * (scale + u) / (b + u)) @ weight))


def _moments(theta, pairs, orders):
    """The integral of `_next_event` for each pair, as a multiple, with means and mean products under its integrand.

    They are of log((alpha + u) / (alpha + t)), (u - t) / (alpha + u), and the same with beta.
    """
    sums = _sums(theta, pairs, orders, list(zip(FIRST, SECOND, strict=True)))
    means, i, j = sums[:, 1:] / sums[:, :1], FIRST[5:] - 1, SECOND[5:] - 1
    second = np.empty((len(sums), 4, 4))
    second[:, i, j] = second[:, j, i] = means[:, 4:]
    return sums[:, 0], means[:, :4], second


def _sums(theta, pairs, orders, products):
    """Integrals of `_next_event` over (u - t) / (alpha + t) = e^z for each pair, of each of `products` of features.

    At nodes that all pairs share, the integrand is one factor of the count times one of the day.
    """
    r, alpha, s, beta = theta
    ratio = ((alpha + pairs.days) / (beta + pairs.days))[:, None]
    z, log_weight = _nodes(theta, pairs.counts, ratio)
    y, beyond = np.exp(np.minimum(z, HUGE)), np.maximum(z - HUGE, 0)
    waited = np.log1p(y) + beyond
    of_count = np.exp(-np.multiply.outer(r + pairs.counts, waited))
    first = np.searchsorted(pairs.day, np.arange(pairs.days.size + 1))
    sums = np.empty((pairs.day.size, len(products)))
    for block in range(0, pairs.days.size, BLOCK):
        y_b = ratio[block : block + BLOCK] * y
        lived = np.log1p(y_b) + beyond
        features = [1, waited, y / (1 + y), lived, y_b / (1 + y_b)]
        weight = np.exp(log_weight - orders * waited - (s + 1 - orders) * lived)
        weighted = [weight * feature for feature in features]
        of_day = np.stack([weighted[i] * features[j] for i, j in products], axis=2)
        for day, factor in enumerate(of_day, block):
            rows = slice(first[day], first[day + 1])
            sums[rows] = of_count[pairs.count[rows]] @ factor
    return sums


def _nodes(theta, counts, ratio):
    """z and the log of e^z dz for a trapezoidal rule over all z, for all `counts` and ratios of scales at once.

    Between the largest rate at which an integrand falls and its last bend, the nodes are even; on either side their
    distance grows like an exponential, as the integrand is geometric there.
    """
    r, _, s, _ = theta
    left = -np.log(r + counts.max(initial=0) + 1 + (s + 1) * ratio.max(initial=1))
    right = 1 - np.log(ratio.min(initial=1))
    low, high = left - np.log(LOST), right + np.log1p(LOST / (r + s + counts.min(initial=np.inf)))
    v, step = np.linspace(low, high, int((high - low) / STEP) + 2, retstep=True)
    below, above = np.exp(left - v), np.exp(v - right)
    return v - below + above, v - below + above + np.log(step * (1 + below + above))


def _log_order_probability(r, alpha, horizon_days, count):
    """Log of the probability of `count` orders within `horizon_days`, nobody leaving."""
    ways = -betaln(r, count) - np.log(count) if count else 0
    return ways + xlogy(count, horizon_days / (alpha + horizon_days)) - r * np.log1p(horizon_days / alpha)


def _reach(fall, side, limit):
    """How far to go to one side until `fall` is LOST, about, at most `limit`: by bisection of its logarithm."""
    low, high = np.full(limit.shape, -12.0), np.full(limit.shape, 6.0)
    for _ in range(10):
        middle = (low + high) / 2
        enough = fall(side * np.exp(middle)[:, None])[:, 0] > LOST
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return np.minimum(np.exp(high), limit)
