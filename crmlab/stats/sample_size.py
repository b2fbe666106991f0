"""How many answers a wanted precision takes, or what precision those who are there can give."""

import math
from dataclasses import dataclass

from scipy import stats

MAX_ANSWERS = 10**10  # answers; more people than there are


@dataclass(frozen=True)
class Plan:
    """How many to ask.

    answers     : that must come back
    invitations : to send for them
    half_width  : of the interval they then give
    reached     : whether that is as narrow as wanted; else there are too few to ask, and it is what asking all gives
    """

    answers: int
    invitations: int
    half_width: float
    reached: bool = True


def for_mean(
    half_width: float, sd: float, level: float = 0.95, population: int | None = None, response_rate: float = 1.0
) -> Plan:
    """The Plan for a mean, such as a gap, whose t interval is no wider than ± `half_width`. [Cochran 1977, 4.7]

    sd         : standard deviation of the answers, or of a respondent's gap
    population : how many there are to ask; None for very many
    response_rate : share of invitations that are answered
    """

    def reached(n):
        return (
            stats.t.ppf(0.5 + level / 2, n - 1) * sd * math.sqrt(_correction(n, population) / n) if n > 1 else math.inf
        )

    return _plan(reached, half_width, population, response_rate)


def for_share(
    half_width: float,
    share: float = 0.5,
    level: float = 0.95,
    population: int | None = None,
    response_rate: float = 1.0,
) -> Plan:
    """The Plan for a share near `share` whose normal interval is no wider than ± `half_width`. [Cochran 1977, 4.4]"""

    def reached(n):
        if n < 2:
            return math.inf
        return stats.norm.ppf(0.5 + level / 2) * math.sqrt(share * (1 - share) * _correction(n, population) / n)

    return _plan(reached, half_width, population, response_rate)


def _correction(n, population):
    """How much smaller a variance is in a finite population."""
    return 1.0 if population is None else max(population - n, 0) / max(population - 1, 1)


def _plan(reached, half_width, population, response_rate):
    """The fewest answers that reach a half-width, found by halving, of as many as can be had."""
    most = MAX_ANSWERS if population is None else math.floor(population * response_rate + 1e-9)
    if not reached(most) <= half_width:
        return Plan(most, MAX_ANSWERS if population is None else population, float(reached(most)), reached=False)
    low, high = 1, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if reached(middle) <= half_width else (middle, high)
    return Plan(high, math.ceil(high / response_rate - 1e-9), float(reached(high)))
