"""Means of a sample, or of two, with tests and intervals; weights make the answers stand for more or fewer people.

Weighted means take the variance of a with-replacement design, by linearisation: n/(n−1) Σw²(x−mean)²/(Σw)², on
(Σw)²/Σw² − 1 degrees of freedom; with equal weights both are the textbook's. The signed-rank test ranks by weighted
mid-distribution and takes its variance from the weights in the same way [after Lumley & Scott 2013, who do so for
two samples]; with equal weights it is Wilcoxon's, ties and all.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

from crmlab.stats import bootstrap
from crmlab.stats.intervals import percentile_interval

DIGITS = 9  # means of whole answers that differ by less are one value
EXACT = 50  # differences up to which the signed-rank test runs through every choice of signs


@dataclass(frozen=True)
class Sample:
    """A sample as its distinct values, ascending, with the rows, weights and squared weights on each."""

    value: np.ndarray
    rows: np.ndarray
    weight: np.ndarray
    square: np.ndarray
    weighted: bool

    @classmethod
    def of(cls, values, weights=None):
        """The sample of `values`, NaN and weights of zero left out; None weighs all alike."""
        kept = ~np.isnan(values) if weights is None else ~np.isnan(values) & (weights > 0)
        rounded = np.round(values[kept], DIGITS) + 0.0  # + 0.0, as −0.0 is 0.0
        if weights is None:
            value, rows = np.unique(rounded, return_counts=True)
            return cls(value, rows, rows.astype(float), rows.astype(float), False)
        value, place, rows = np.unique(rounded, return_inverse=True, return_counts=True)
        weight, square = (np.bincount(place, weights[kept] ** power, len(value)) for power in (1, 2))
        return cls(value, rows, weight, square, True)

    @property
    def n(self):
        return int(self.rows.sum())

    @property
    def n_effective(self):
        """How many equal answers would be as precise: (Σw)²/Σw². [Kish 1965]"""
        return float(self.weight.sum() ** 2 / self.square.sum()) if self.n else 0.0

    @property
    def mean(self):
        return float(self.weight @ self.value / self.weight.sum()) if self.n else np.nan

    @property
    def standard_deviation(self):
        """Standard deviation in the population the sample stands for."""
        spread = self.weight @ (self.value - self.mean) ** 2 / self.weight.sum()
        return float(np.sqrt(spread * self.n_effective / (self.n_effective - 1)))

    @property
    def standard_error(self):
        """Standard error of the mean."""
        spread = self.square @ (self.value - self.mean) ** 2 / self.weight.sum() ** 2
        return float(np.sqrt(spread * self.n / (self.n - 1)))

    def blank(self, what="answers"):
        """Why the mean has no interval, in words; "" where it has one."""
        if self.n < 2 or self.n_effective < 1 + 1e-9:
            return f"fewer than 2 {what}"
        return f"all {self.n:,} {what} are the same" if len(self.value) == 1 else ""


def one_sample(sample: Sample, level: float = 0.95) -> dict[str, float]:
    """A mean against zero: dict of ci_low, ci_high, t, p, d. [Student; d is the mean over the deviation]"""
    t, df = sample.mean / sample.standard_error, sample.n_effective - 1
    margin = special.stdtrit(df, (1 + level) / 2) * sample.standard_error
    return {
        "ci_low": sample.mean - margin,
        "ci_high": sample.mean + margin,
        "t": t,
        "p": float(2 * special.stdtr(df, -abs(t))),
        "d": sample.mean / sample.standard_deviation,
    }


def two_samples(one: Sample, other: Sample, level: float = 0.95) -> dict[str, float]:
    """The mean of `one` less that of `other`, independent of it: dict of gap, ci_low, ci_high, t, df, p, d. [Welch]

    d is the difference over the root of the mean of both variances.
    """
    gap, parts = one.mean - other.mean, np.array([one.standard_error, other.standard_error]) ** 2
    df = parts.sum() ** 2 / (parts**2 / [one.n_effective - 1, other.n_effective - 1]).sum()
    t, margin = gap / np.sqrt(parts.sum()), special.stdtrit(df, (1 + level) / 2) * np.sqrt(parts.sum())
    pooled = np.sqrt((one.standard_deviation**2 + other.standard_deviation**2) / 2)
    p = float(2 * special.stdtr(df, -abs(t)))
    return {"gap": gap, "ci_low": gap - margin, "ci_high": gap + margin, "t": t, "df": df, "p": p, "d": gap / pooled}


def signed_rank(sample: Sample) -> float:
    """p of differences so far from symmetry about zero: two-sided; NaN where all are zero. [Wilcoxon 1945]

    Zeros are left out. Equal weights and at most EXACT differences: every choice of signs, given the ties; else normal.
    """
    kept = sample.value != 0
    if not kept.any():
        return np.nan
    scale = sample.rows[kept].sum() / sample.weight[kept].sum()  # weights of mean one, so that ranks are ranks
    weight, square = sample.weight[kept] * scale, sample.square[kept] * scale**2
    size, place = np.unique(np.abs(sample.value[kept]), return_inverse=True)
    mass = np.bincount(place, weight, len(size))
    rank = (np.cumsum(mass) - (mass - 1) / 2)[place]
    sign = np.sign(sample.value[kept])
    if not sample.weighted and weight.sum() <= EXACT:
        return _exact_p(np.repeat(rank, sample.rows[kept]), float(weight @ (rank * (sign > 0))))
    return float(2 * special.ndtr(-abs(weight * sign @ rank) / np.sqrt(square @ rank**2)))


def _exact_p(ranks, above):
    """Two-sided p of a sum of ranks `above` zero, each rank above or below by the toss of a coin."""
    doubled = np.round(2 * ranks).astype(int)
    ways, top = np.zeros(doubled.sum() + 1), 0
    ways[0] = 1
    for rank in doubled:
        ways[rank : top + rank + 1] += ways[: top + 1].copy()
        top += rank
    ways /= ways.sum()
    at = round(2 * above)
    return float(min(1.0, 2 * min(ways[: at + 1].sum(), ways[at:].sum())))


def bootstrap_means(sample: Sample, replicates: int = 2000, seed: Any = 1) -> np.ndarray:
    """Means of an unweighted sample drawn anew: an array, one a replicate."""
    return bootstrap.histogram_means(sample.value, sample.rows, replicates, seed)


def bootstrap_intervals(
    values: np.ndarray, weights: np.ndarray | None = None, replicates: int = 2000, seed: int = 1, level: float = 0.95
) -> np.ndarray:
    """Percentile intervals of the means of columns, by the bootstrap: two arrays, low and high.

    values : rows x columns; unweighted columns are drawn as histograms, weighted ones row by row
    """
    if weights is not None:
        return percentile_interval(bootstrap.means(values, weights, replicates, seed), level)
    ends = np.full((2, values.shape[1]), np.nan)
    for i in range(values.shape[1]):
        sample = Sample.of(values[:, i])
        if sample.n:
            ends[:, i] = percentile_interval(bootstrap_means(sample, replicates, [seed, i]), level)
    return ends
