"""How many answers a wanted precision takes."""

import math
from dataclasses import dataclass

from scipy import stats


@dataclass(frozen=True)
class Plan:
    """answers: that must come back; invitations: to send for them; half_width: of the interval they then give."""

    answers: int
    invitations: int
    half_width: float


def for_mean(half_width, sd, level=0.95, population=None, response=1.0):
    """The Plan for a mean, such as a gap, whose t interval is no wider than ± `half_width`. [Cochran 1977, 4.7]

    sd         : standard deviation of the answers, or of a respondent's gap
    population : how many there are to ask; None for very many
    response   : share of invitations that are answered
    """

    def reached(n):
        return stats.t.ppf(0.5 + level / 2, n - 1) * sd * math.sqrt(_correction(n, population) / n)

    return _plan(reached, half_width, population, response)


def for_share(half_width, share=0.5, level=0.95, population=None, response=1.0):
    """The Plan for a share near `share` whose normal interval is no wider than ± `half_width`. [Cochran 1977, 4.4]"""

    def reached(n):
        z = stats.norm.ppf(0.5 + level / 2)
        return z * math.sqrt(share * (1 - share) * _correction(n, population) / n)

    return _plan(reached, half_width, population, response)


def _correction(n, population):
    """How much smaller a variance is in a finite population."""
    return 1.0 if population is None else max(population - n, 0) / max(population - 1, 1)


def _plan(reached, half_width, population, response):
    """The fewest answers that reach a half-width, found by halving."""
    low, high = 1, 2
    while reached(high) > half_width and (population is None or high < population):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) <= half_width else (middle, high)
    high = high if population is None else min(high, population)
    return Plan(high, math.ceil(high / response - 1e-9), float(reached(high)))
