"""BG/BB: at every opportunity customers order or not, until, before some opportunity, they leave."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import betaln, expit

from crmlab.clv.models.inputs import daily_rate, infinite_mean, validated_periods
from crmlab.clv.models.orders import NOBODY_LEAVES, RATE_SD, SHAPE_SD, TOTAL, OrderModel
from crmlab.clv.models.quadrature import LOST, beta_nodes
from crmlab.contracts import InputError
from crmlab.likelihood import LogPrior
from crmlab.model import prediction

MOST = 100_000  # opportunities of a customer; a sum is taken over all of them
UPPER = np.triu_indices(4)  # second derivatives by four parameters, each once
MOMENTS = 1 + 4 + len(UPPER[0])


@dataclass(frozen=True, repr=False)
class BGBB(OrderModel):
    """Orders at some of a customer's opportunities, until the customer leaves unobserved.

    Time is counted in opportunities, one a period, as by `summarise_periods`: frequency is how many periods had an
    order, recency the number of the last that had, age how many there were; what a method calls days are periods,
    those ahead begin where the last one counted ended. A customer is alive who has not left before the last
    opportunity observed, the paper's "alive at n" (its equation 11 asks for the next, n + 1). A living customer may
    thus leave at the start of the next period, as a new one may, and expected orders are p_alive times those of a
    living customer.

    Parameters
    ----------
    alpha, beta : float
        The probability of an order at an opportunity varies across customers as Beta(alpha, beta).
    gamma, delta : float
        The probability of leaving at the start of a period varies as Beta(gamma, delta).

    References
    ----------
    Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting.
    """

    title = "BG/BB"
    SIMPLER = ("gamma", *NOBODY_LEAVES)
    LIMITS = (
        (("alpha", "beta"), 1, "all customers order equally often"),
        (("gamma", "delta"), 1, "all customers leave with the same probability"),
        (("gamma", "delta"), -1, "customers leave at once or never"),
    )
    alpha: float
    beta: float
    gamma: float
    delta: float
    _validated_horizon: ClassVar[Callable[..., Any]] = staticmethod(validated_periods)

    @prediction
    def discounted_orders(  # type: ignore[override]  # in periods, whose length it has to know
        self, customers: pd.DataFrame, discount_annual: float, periods: int | None = None, *, period_days: float
    ) -> pd.Series:
        """Expected orders of each customer from now on, each worth less by `discount_annual` a year until it comes.

        Parameters
        ----------
        customers : DataFrame
            frequency, recency and age, periods.
        discount_annual : float
            Yearly rate at which later orders count for less, .1 for 10 %.
        periods : int, optional
            How far ahead, periods (DECT); None is an infinite horizon (DERT).
        period_days : float
            Length of a period, days; an order in the first one ahead counts (1 + discount_annual)^(-period_days / 365).

        Returns
        -------
        Series
            Count, discounted.

        Raises
        ------
        InputError
            Where the sum is infinite: undiscounted, infinite horizon, gamma at most 1.

        References
        ----------
        Fader, Hardie & Shang (2010), Customer-Base Analysis in a Discrete-Time Noncontractual Setting. [eq. 14]
        """
        if not 0 < period_days < np.inf:
            raise InputError(f"period_days = {period_days!r}: choose the days a period has, more than 0")
        periods = None if periods is None else validated_periods(periods)
        return self._expected_ahead("discounted_orders", customers, daily_rate(discount_annual) * period_days, periods)

    @staticmethod
    def _prior(x, t_x, n, weights):
        order, leave = np.log((x @ weights) / (n @ weights)), -np.log(1 + np.average(n, weights=weights))
        terms = [
            (pair, pair + 1, "share", (centre, RATE_SD), (TOTAL, SHAPE_SD)) for pair, centre in ((0, order), (2, leave))
        ]
        return LogPrior("weak", tuple(terms))

    @staticmethod
    def _starts_at(rate):
        misses = max(1 / rate - 1, 0.05)
        return [(1, misses, 1, 5), (0.5, 0.3 * misses, 0.3, 1)]

    @staticmethod
    def _likelihood(x, t_x, n, weights):
        """parameters -> log-likelihood, gradient and Hessian by alpha, beta, gamma, delta. [eq. 5: `here` + `gone`]"""
        sums, misses, periods = _Sums(x, t_x, n), (n - x).astype(int), n.astype(int)
        of_count = np.bincount(x.astype(int), weights, sums.top + 1)

        def total(theta, odds):
            order, either, miss, fate, stay = _rising(_bases(theta), sums.top, np.log)
            here = order[x.astype(int)] + miss[misses] - either[periods] + stay[periods] - fate[periods]
            return float(weights @ (here + np.logaddexp(0, odds)))

        def derivatives(theta):
            slopes = _slopes(theta, sums.top)
            odds, when_gone = sums.gone(theta, slopes, MOMENTS)
            gone = expit(odds)
            moments = gone * when_gone + (1 - gone) * slopes(periods, misses, leaving=0)[1:]
            gradient, hessian = moments[:4] @ weights, np.empty((4, 4))
            hessian[UPPER] = hessian.T[UPPER] = moments[4:] @ weights
            hessian -= (moments[:4] * weights) @ moments[:4].T
            gradient[0] += of_count @ _rising(_bases(theta)[:1], sums.top, np.reciprocal)[0]
            hessian[0, 0] -= of_count @ _rising(_bases(theta)[:1], sums.top, lambda z: z**-2)[0]
            return total(theta, odds), gradient, hessian

        derivatives.value = lambda theta: total(theta, sums.odds(theta))  # type: ignore[attr-defined]
        return derivatives

    def _log_odds_inactive(self, x, t_x, n):
        return _Sums(x, t_x, n).odds((self.alpha, self.beta, self.gamma, self.delta))

    def _posterior(self, x, n):
        return self.alpha + x, self.beta + n - x, np.full_like(x, self.gamma), self.delta + n

    @staticmethod
    def _discounted(posterior, rate, periods):
        """E[p] times the sum over k of E[(1 - theta)^k] e^(-rate k), as an integral over theta. [eq. 13, 14]"""
        a, b, gamma, delta = posterior
        if periods is None and not rate:
            if (gamma <= 1).any():
                raise InputError(infinite_mean("gamma", gamma[0]))
            return a / (a + b) * delta / (gamma - 1)
        ahead = np.broadcast_to(np.inf if periods is None else periods, delta.shape)
        kinds, back = np.unique(np.stack([gamma, delta, ahead]), axis=1, return_inverse=True)
        gamma, delta, ahead = kinds[:, :, None]
        leaving, weight = beta_nodes(gamma, delta, np.minimum(ahead, LOST / rate) if rate else ahead, 1.0)
        log_kept = np.log1p(-np.minimum(leaving, 1 - 1e-16)) - rate
        sums = (weight * np.exp(log_kept) * np.expm1(ahead * log_kept) / np.expm1(log_kept)).sum(axis=1)
        return a / (a + b) * sums[back]

    @staticmethod
    def _order_probability(posterior, periods, count):
        """The probability of `count` orders by any period and of leaving then, summed, or of none leaving. [eq. 8]"""
        a, b, gamma, delta = posterior
        ahead = np.broadcast_to(periods, np.shape(a))
        if (longest := np.max(periods, initial=0)) > MOST:
            raise InputError(f"periods = {longest}: a probability is a sum over them; choose {MOST:,} of them or fewer")
        here = betaln(a + count, b) - betaln(a, b) + betaln(gamma, delta + count) - betaln(gamma, delta)
        gone = np.full_like(a, -np.inf)
        for i in range(count, int(longest)):
            left = np.logaddexp(gone, here + np.log(gamma / (gamma + delta + i)))
            stays = (delta + i) / (gamma + delta + i)
            stayed = here + np.log((i + 1) / (i + 1 - count) * (b + i - count) / (a + b + i) * stays)
            gone, here = np.where(i < ahead, left, gone), np.where(i < ahead, stayed, here)
        return np.where(count > ahead, 0.0, np.exp(np.logaddexp(gone, here)))

    @staticmethod
    def _simulate(posterior, periods, rng):
        a, b, gamma, delta = posterior
        p, leaving = (np.maximum(rng.beta(*shapes), 1e-12) for shapes in ((a, b), (gamma, delta)))
        last = np.minimum(rng.geometric(leaving) - 1, periods)
        owner, when = np.arange(a.size), np.zeros(a.size, dtype=int)
        owners, whens = [owner[:0]], [when[:0]]
        while owner.size:  # each turn is every customer's next order
            when = when + rng.geometric(p[owner])
            lived = when <= last[owner]
            owner, when = owner[lived], when[lived]
            owners.append(owner)
            whens.append(when)
        return np.concatenate(owners), np.concatenate(whens)


class DailyBGBB(BGBB):
    """BG/BB whose opportunities are days: it takes what `summarise` gives, and answers in days, as other models do."""

    discounted_orders = OrderModel.discounted_orders  # type: ignore[assignment]  # by days, as of other models


class _Sums:
    """The second term of equation 5 of each customer: the sum of f(x, i) over t_x <= i < n.

    f(x, i) is the probability of a history with x orders by period i, and of leaving right then. It falls with i, so a
    sum may be taken as the difference of two tails, which reach to the largest n and are shared by all of an x.
    """

    def __init__(self, x, t_x, n):
        bad = (x > t_x) | (t_x % 1 > 0) | (n % 1 > 0) | (n > MOST)
        if bad.any():
            first = f"frequency {x[bad][0]:g}, recency {t_x[bad][0]:g}, age {n[bad][0]:g}"
            raise InputError(
                f"customers: {bad.sum():,} of {bad.size:,} kinds have more orders than opportunities by the last of "
                f"them, parts of opportunities, or more than {MOST:,} (first: {first}); count whole periods, as "
                "summarise_periods does, of so many days that there are fewer"
            )
        self.n, self.top = n, int(n.max(initial=0))
        self.x, column = np.unique(x.astype(int), return_inverse=True)
        ends = np.concatenate([t_x, n]).astype(int) * self.x.size + np.tile(column, 2)
        wanted, place = np.unique(ends, return_inverse=True)
        self.j, self.column = np.divmod(wanted, max(self.x.size, 1))
        self.first, self.beyond = np.split(place, 2)

    def odds(self, theta):
        """Log odds of having left by n."""
        return self.gone(theta, lambda i, misses: 1.0, 1)[0]

    def gone(self, theta, terms, rows):
        """Log odds of having left by n, then the mean of `terms`, but the first, over when a customer left.

        terms : period i, misses i - x (array) -> `rows` numbers for each of these customers, the first of them 1
        """
        gamma, delta = theta[2:]
        tails, heights = self._tails(theta, terms, rows)
        rise, some = heights[self.first] - heights[self.beyond], self.first != self.beyond
        sums = np.where(some, tails[:, self.first] - np.exp(-rise) * tails[:, self.beyond], 1.0)
        odds = np.log(sums[0]) + rise + np.log(gamma / (gamma + delta + self.n))
        return np.where(some, odds, -np.inf), sums[1:] / sums[0]

    def _tails(self, theta, terms, rows):
        """Sums over i >= j of f(x, i) / f(x, j) terms(i), then log f(x, j), at each x and j that a customer needs."""
        alpha, beta, gamma, delta = theta
        steps = np.arange(self.top + 2)
        wanted, reached = np.searchsorted(self.j, steps), np.searchsorted(self.x, steps, side="right")
        tail, height = np.zeros((rows, self.x.size)), np.zeros(self.x.size)
        tails, heights = np.empty((rows, self.j.size)), np.empty(self.j.size)
        for j in range(self.top, -1, -1):
            if j < self.top:
                misses = j - self.x[: reached[j]]
                next_to_this = (beta + misses) / (alpha + beta + j) * (delta + j) / (gamma + delta + j + 1)
                tail = terms(j, misses) + next_to_this * tail[:, : misses.size]
                height = height[: misses.size] - np.log(next_to_this)
            here = slice(wanted[j], wanted[j + 1])
            tails[:, here], heights[here] = tail[:, self.column[here]], height[self.column[here]]
        return tails, heights


def _bases(theta):
    """Bases of the rising factorials: orders, periods with and without one, leaving or staying, staying."""
    alpha, beta, gamma, delta = theta
    return np.array([alpha, alpha + beta, beta, gamma + delta, delta])


def _rising(bases, top, of):
    """`of` z + j, summed over j < k, for k from 0 to `top`: bases x k. As sums, they keep their digits where z is huge.

    With the log they are those of the rising factorials z (z + 1) … (z + k - 1), with 1 / z their first derivatives.
    """
    steps = np.zeros((len(bases), top + 1))
    np.cumsum(of(bases[:, None] + np.arange(top)), axis=1, out=steps[:, 1:])
    return steps


def _slopes(theta, top):
    """Derivatives of log f(x, i): a function of period i and misses i - x, which gives the rows of MOMENTS.

    They are 1, the gradient by the parameters, and UPPER of its square plus the Hessian, all but for what x alone
    settles. With leaving=0 they are those of the probability of still being active.
    """
    gamma = theta[2]
    _, either, miss, fate, stay = _rising(_bases(theta), top + 1, np.reciprocal)
    _, either_2, miss_2, fate_2, stay_2 = -_rising(_bases(theta), top + 1, lambda z: z**-2)

    def slopes(i, misses, leaving=1):
        rows = np.zeros((MOMENTS, misses.size))
        rows[0] = 1
        rows[1] = -either[i]
        rows[2] = miss[misses] - either[i]
        rows[3] = leaving / gamma - fate[i + leaving]
        rows[4] = stay[i] - fate[i + leaving]
        rows[5:] = rows[1:5][UPPER[0]] * rows[1:5][UPPER[1]]
        rows[[5, 6, 9]] -= either_2[i]
        rows[9] += miss_2[misses]
        rows[[12, 13, 14]] -= fate_2[i + leaving]
        rows[12] -= leaving / gamma**2
        rows[14] += stay_2[i]
        return rows

    return slopes
