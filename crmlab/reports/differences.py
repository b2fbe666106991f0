"""Facts of two runs: by how much they differ, and whether that is more than error.

Of runs of the same data every difference is real, as none of it is sampling error. Of runs of other data the errors of
both add: the interval of a difference is that of two independent estimates [MOVER: Zou & Donner 2008, "Construction of
confidence intervals about effect measures"]. Where both runs kept bootstrap replicates of a fact with the same weights
(`crmlab.stats.poisson_bootstrap`), these are paired, so that the error of customers whom both share counts once. What
is flagged is adjusted for the number of facts [Holm 1979].
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy import stats

from crmlab.estimate import Estimate, written
from crmlab.exported import REPLICATES
from crmlab.reports.manifest import Manifest
from crmlab.stats.comparisons import holm

TOLERANCE = 1e-6  # of a value, by which two computations of the same may differ
LEVEL = 0.95
FEWEST = 3  # replicates
OUTCOMES = ("differs", "within error", "the same", "not judged")


@dataclass(frozen=True)
class Difference:
    """A fact of two runs: the second less the first."""

    name: str
    before: Estimate
    after: Estimate
    outcome: str  # one of OUTCOMES
    low: float | None = None  # interval of the difference
    high: float | None = None
    p: float | None = None  # adjusted for all facts
    reason: str = ""  # why it is not judged
    paired: bool = False  # whether it was judged by replicates that are paired

    @property
    def value(self) -> float | None:
        """How much more the second is; None where one of them is blank."""
        return self.after.value - self.before.value if self.before and self.after else None  # type: ignore[operator]

    @property
    def relative(self) -> float | None:
        """The same as a share of the first; None where that is 0, or one is blank."""
        return self.value / abs(self.before.value) if self.value is not None and self.before.value else None

    def in_words(self) -> str:
        """The difference, its share of the first, and its interval; empty where there is none."""
        if self.value is None or (self.value == 0 and self.low is None):
            return ""
        share = f" ({100 * self.relative:+.1f} %)" if self.relative is not None and self._points == 1 else ""
        known = self.paired or None not in (self.before.ci_low, self.after.ci_low)
        kind = "confidence" if known else "prediction"
        ends = f", {100 * self.before.level:.4g} % {kind} interval {self.ends}" if self.low is not None else ""
        return f"{'+' if self.value > 0 else ''}{self.written(self.value)}{self._unit}{share}{ends}"

    @property
    def ends(self) -> str:
        """The ends of the interval of the difference."""
        return "" if self.low is None else f"{self.written(self.low)} to {self.written(self.high)}"

    @property
    def _points(self):
        """What a difference is multiplied by: shares differ by percentage points."""
        return 100 if self.before.kind == "share" else 1

    @property
    def _unit(self):
        return " percentage points" if self._points == 100 else ""

    def written(self, value: float | None) -> str:
        """A difference, or a part of one, as a reader sees it."""
        if value is not None and self._points == 100:
            return f"{100 * value:.1f}"
        return written(value, self.before.kind if self.before.kind in ("money", "count", "days") else "number")


def differences(
    one: Manifest, other: Manifest, same_data: bool, deviations: tuple[pd.DataFrame, pd.DataFrame] | None = None
) -> list[Difference]:
    """The facts that both runs have, judged.

    deviations : of each run, those of its facts in bootstrap replicates, as from `deviations_of`
    """
    pairs = [(n, Estimate(**one.facts[n]), Estimate(**other.facts[n])) for n in one.facts if n in other.facts]
    if same_data:
        return [_same(*pair) for pair in pairs]
    before, after = deviations or (pd.DataFrame(), pd.DataFrame())
    named = [[data.name for data in run.data] for run in (one, other)]  # ids of another shop name others
    paired = one.masking is not None and one.masking == other.masking and len(before) == len(after)
    paired = paired and named[0] == named[1]
    found = []
    for name, then, now in pairs:
        if name not in before or name not in after or min(len(before), len(after)) < FEWEST:
            found.append(_independent(name, then, now))
        elif paired:
            found.append(
                _by_replicates(name, then, now, np.std(after[name] - before[name], ddof=1), len(after) - 1, True)
            )
        else:  # by other weights, so that the errors of both add
            error = math.hypot(np.std(before[name], ddof=1), np.std(after[name], ddof=1))
            found.append(_by_replicates(name, then, now, error, min(len(before), len(after)) - 1, False))
    return _adjusted(found)


def deviations_of(folder: Path) -> pd.DataFrame:
    """The deviations of a run's facts in bootstrap replicates: a column a fact, a row each; empty where unknown."""
    try:
        found = pd.read_csv(folder / REPLICATES)
        return found.loc[:, [is_numeric_dtype(each) and np.isfinite(each).all() for _, each in found.items()]]
    except (OSError, ValueError):
        return pd.DataFrame()


def _same(name, before, after):
    """Of the same data: any difference beyond that of two computations is real."""
    if not before and not after:
        return Difference(name, before, after, "the same")
    if not (before and after):
        blank = "was blank" if not before else "is blank"
        return Difference(name, before, after, "differs", reason=f"it {blank}: {(before.reason or after.reason)}")
    if (before.unit, before.kind) != (after.unit, after.kind):
        return Difference(name, before, after, "not judged", reason="its unit differs")
    if not _alike(before.value, after.value):
        return Difference(name, before, after, "differs")
    ends = zip(_ends(before), _ends(after), strict=True)
    if not all(one == other or (None not in (one, other) and _alike(one, other)) for one, other in ends):
        return Difference(name, before, after, "differs", reason="its interval differs")
    return Difference(name, before, after, "the same")


def _alike(one, other):
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=0)


def _by_replicates(name, before, after, error, df, paired):
    """By the standard deviation of the difference over bootstrap replicates."""
    if reason := _why_not_judged(before, after):
        return Difference(name, before, after, "not judged", reason=reason)
    difference, error = after.value - before.value, float(error)
    if _alike(before.value, after.value):
        p = 1.0
    else:
        p = float(2 * stats.t.sf(abs(difference) / error, df)) if error > 0 else 0.0
    reach = stats.t.ppf(0.5 + before.level / 2, df) * error
    return Difference(name, before, after, "within error", difference - reach, difference + reach, p, paired=paired)


def _why_not_judged(before, after):
    """Why the difference of two facts cannot be judged, whatever they err; empty where it can."""
    if not (before and after):
        return "it was blank" if after else "it is blank" if before else "it is blank in both"
    return "its unit differs" if (before.unit, before.kind) != (after.unit, after.kind) else ""


def _independent(name, before, after):
    """Of other data: the interval of the difference of two independent estimates, and its p."""
    if reason := _why_not_judged(before, after):
        return Difference(name, before, after, "not judged", reason=reason)
    if before.conditional or after.conditional:
        reason = "its interval is of those customers alone, and says nothing of others"
        return Difference(name, before, after, "not judged", reason=reason)
    (low_1, high_1), (low_2, high_2) = _ends(before), _ends(after)
    if None in (low_1, low_2):
        return Difference(name, before, after, "not judged", reason="it has no interval to judge by")
    if before.level != after.level:
        return Difference(name, before, after, "not judged", reason="its intervals have other levels")
    difference = after.value - before.value
    below = math.hypot(after.value - low_2, high_1 - before.value)
    above = math.hypot(high_2 - after.value, before.value - low_1)
    reach = below if difference > 0 else above  # the side on which 0 lies
    z = stats.norm.ppf(0.5 + before.level / 2)
    p = 1.0 if difference == 0 else 0.0 if reach == 0 else 2 * stats.norm.sf(abs(difference) * z / reach)
    return Difference(name, before, after, "within error", difference - below, difference + above, float(p))


def _ends(estimate):
    """The confidence interval, else the prediction interval, which is wider."""
    if estimate.ci_low is not None:
        return estimate.ci_low, estimate.ci_high
    return estimate.pi_low, estimate.pi_high


def _adjusted(found):
    """The same with p adjusted by Holm's method, and flagged where it is below what LEVEL leaves."""
    judged = [fact for fact in found if fact.p is not None]
    adjusted = dict(zip((f.name for f in judged), holm([f.p for f in judged]) if judged else (), strict=True))
    return [
        replace(fact, p=float(p), outcome="differs" if p < 1 - LEVEL else "within error")
        if (p := adjusted.get(fact.name)) is not None
        else fact
        for fact in found
    ]
