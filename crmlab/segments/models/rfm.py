"""RFM: scores for how recently, how often and for how much customers bought; named segments, and tiers of the score.

A score is 1, and one more for each cut that a customer is beyond; the highest is best. Customers who are alike have
the same score, so that scores may hold unequal numbers of customers, or none.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.estimate import number
from crmlab.model import Model, Unfitted, or_unfitted, prediction
from crmlab.segments.models import scheme
from crmlab.segments.models.rfm_audit import MAX_BINS, RFM_RULES, RFMRule, check_bins, rfm_cell, rfm_rule_audit
from crmlab.segments.models.scheme import Scheme, require_fitted, to_tuples

AXES = ("days_since_last", "orders", "spend")
AXIS_TEXTS = (  # of days, order days and spend: a range, and the words for its ends
    ("last order {} days ago", "at least", "less than"),
    ("{} order days", "more than", "up to"),
    ("spend {}", "above", "up to"),
)


@dataclass(frozen=True)
class Scores(Model):
    """Cuts of recency, frequency and money.

    Independent cuts are one row an axis. Nested ones part customers by frequency anew within each score of recency, and
    by money within each cell of both: they have a row for each of these, in order.

    Parameters
    ----------
    recency : tuple of float
        Days since the last order; a score more for each cut a customer is below.
    frequency : tuple
        Order days; a score more for each cut a customer is above.
    money : tuple
        Spend, in the currency of the data; a score more for each cut a customer is above.

    References
    ----------
    Hughes (1994), Strategic Database Marketing: nested cuts.
    """

    recency: tuple
    frequency: tuple
    money: tuple

    title = "RFM scores"

    def __post_init__(self) -> None:
        if not 2 <= self.bins <= MAX_BINS:
            raise InputError(f"Scores: recency = {self.recency!r}; give 1 to {MAX_BINS - 1} cuts")

    @classmethod
    @or_unfitted
    def fit(
        cls, features: pd.DataFrame, bins: int = 5, nested: bool = False, min_customers: int = 0
    ) -> "Scores | Unfitted":
        """Cuts at quantiles of customers.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        bins : int
            Scores an axis, 2 to 20.
        nested : bool
            Cut frequency within each score of recency, and money within each cell of both [Hughes 1994].
        min_customers : int
            Customers needed; never fewer than cells.

        Returns
        -------
        Scores or Unfitted
            Unfitted where a feature is missing or the same for all, or customers are too few.

        Raises
        ------
        InputError
            Where bins are not a whole number, 2 to 20.
        """
        check_bins(bins)
        scheme.require_features(features, "rfm", AXES, AXES, max(min_customers, bins**3 if nested else bins))
        late, orders, spend = _axes(features)
        recency, frequency, money = (_cuts(values, bins) for values in (late, orders, spend))
        if nested:
            r = _scored(late, recency)
            frequency = _cuts_within(orders, r - 1, np.tile(frequency, (bins, 1)))
            f = _scored(orders, frequency[r - 1])
            money = _cuts_within(spend, (r - 1) * bins + f - 1, np.tile(money, (bins**2, 1)))
        return cls(to_tuples(-recency), to_tuples(frequency), to_tuples(money))

    @property
    def bins(self) -> int:
        """Scores an axis."""
        return len(self.recency) + 1

    @property
    def nested(self) -> bool:
        """Whether frequency and money are cut within the scores before them."""
        return isinstance(self.frequency[0], tuple)

    @prediction
    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """Scores of recency, frequency and money of each customer.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        DataFrame
            By customer. r, f, m, whole numbers from 1, the highest best.
        """
        scheme.check_features(features, "rfm", AXES)
        late, orders, spend = _axes(features)
        frequency, money = np.array(self.frequency), np.array(self.money)
        r = _scored(late, -np.array(self.recency))
        f = _scored(orders, frequency[r - 1] if self.nested else frequency)
        m = _scored(spend, money[(r - 1) * self.bins + f - 1] if self.nested else money)
        return pd.DataFrame({"r": r, "f": f, "m": m}, features.index)

    def describe(self, box: Any) -> str:
        """Which values of the features the scores of a box have, in words.

        Parameters
        ----------
        box : sequence
            Lowest and highest score of recency, frequency and money, 3 x 2.

        Returns
        -------
        str
            Empty where cuts are nested, as values then depend on cells.
        """
        if self.nested:
            return ""
        (r_low, r_high), (f_low, f_high), (m_low, m_high) = box
        days = np.array([np.inf, *self.recency, -np.inf])  # a score holds days from its second to below its first
        orders, spend = (np.array([-np.inf, *cuts, np.inf]) for cuts in (self.frequency, self.money))
        ends = ((days[r_high], days[r_low - 1]), (orders[f_low - 1], orders[f_high]), (spend[m_low - 1], spend[m_high]))
        spans = [scheme.format_range(*span, *words) for (_, *words), span in zip(AXIS_TEXTS, ends, strict=True)]
        # days run from their low end to below the high one, order days from above it to it, and from 1
        least = (ends[0][0], max(ends[1][0], 0) + 1)
        for axis, (one, most) in enumerate(zip(least, (ends[0][1] - 1, ends[1][1]), strict=True)):
            spans[axis] = f"exactly {scheme.format_amount(one)}" if one == most else spans[axis]
        text = "; ".join(axis.format(span) for (axis, *_), span in zip(AXIS_TEXTS, spans, strict=True) if span)
        return re.sub(r"(exactly 1( order)? day)s", r"\1", text)


@dataclass(frozen=True)
class RFM(Scheme):
    """Named segments by cells of the three scores.

    Parameters
    ----------
    scores : Scores
        Cuts of recency, frequency and money.
    names : tuple of RFMRule
        Which cells bear which name.
    """

    scores: Scores
    names: tuple = RFM_RULES

    name, title, columns = "rfm", "RFM segments", AXES

    def __post_init__(self) -> None:
        _audited(tuple(self.names), self.scores.bins)

    @classmethod
    @or_unfitted
    def fit(
        cls, features: pd.DataFrame, bins: int = 5, nested: bool = False, names: tuple[RFMRule, ...] = RFM_RULES
    ) -> "RFM | Unfitted":
        """Scores learned from features, with names for their cells.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        bins : int
            Scores an axis, 2 to 20.
        nested : bool
            Cut frequency within each score of recency, and money within each cell of both [Hughes 1994].
        names : tuple of RFMRule
            Which cells bear which name.

        Returns
        -------
        RFM or Unfitted
            Unfitted where a feature is missing or the same for all, or customers are too few.

        Raises
        ------
        InputError
            Where bins or names are not possible.
        """
        _audited(tuple(names), bins)
        return cls(require_fitted(Scores.fit(features, bins, nested)), names)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of segments, in the order of their rules."""
        return tuple(rule.name for rule in self.names)

    @prediction
    def score(self, features: pd.DataFrame) -> pd.DataFrame:
        """Scores of recency, frequency and money of each customer.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        DataFrame
            By customer. r, f, m, whole numbers from 1, the highest best.
        """
        return self.scores.score(features)

    @prediction
    def rules(self) -> pd.DataFrame:
        """Which scores bear each name, and where cuts are independent which values.

        Returns
        -------
        DataFrame
            By label. rule, a sentence; cells, how many the segment has once those of several names or none are settled.
        """
        held = _audited(tuple(self.names), self.scores.bins).segment.value_counts()
        return super().rules().assign(cells=held.reindex(self.labels, fill_value=0).to_numpy())

    def _places(self, features):
        of_cell = pd.Index(self.labels).get_indexer(_audited(tuple(self.names), self.scores.bins).segment)
        return of_cell[rfm_cell(self.score(features), self.scores.bins)]

    def _descriptions(self):
        for box in (rule.box.tolist() for rule in self.names):
            ends = (f"{low}" if low == high else f"{low}–{high}" for low, high in box)
            span = ", ".join(f"{axis} {end}" for axis, end in zip("RFM", ends, strict=True))
            yield f"{span}: {values}" if (values := self.scores.describe(box)) else span


@dataclass(frozen=True)
class RFMTiers(Scheme):
    """Tiers by the weighted mean of the three scores.

    Parameters
    ----------
    scores : Scores
        Cuts of recency, frequency and money.
    weights : tuple of float
        Of recency, frequency and money; they sum to 1.
    cuts : tuple of float
        Of the weighted mean; a tier higher for each a customer is above.
    """

    scores: Scores
    weights: tuple
    cuts: tuple

    name, title, columns = "rfm_tiers", "RFM tiers", AXES

    def __post_init__(self) -> None:
        if not _are_weights(self.weights) or not self.cuts:
            raise InputError(
                f"RFMTiers: weights = {self.weights!r}, cuts = {self.cuts!r}; give three weights of 0 or "
                "more, and a cut"
            )

    @classmethod
    @or_unfitted
    def fit(
        cls,
        features: pd.DataFrame,
        tiers: int = 5,
        weights: Sequence[float] = (1, 1, 1),
        bins: int = 5,
        nested: bool = False,
    ) -> "RFMTiers | Unfitted":
        """Scores learned from features, and cuts that part customers into equal tiers, as far as equal means allow.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        tiers : int
            Number of tiers, 2 or more.
        weights : sequence of float
            Of recency, frequency and money, 0 or more.
        bins : int
            Scores an axis, 2 to 20.
        nested : bool
            Cut frequency within each score of recency, and money within each cell of both [Hughes 1994].

        Returns
        -------
        RFMTiers or Unfitted
            Unfitted where a feature is missing or the same for all, or customers are too few.

        Raises
        ------
        InputError
            Where bins, tiers or weights are not possible.
        """
        if not _are_weights(weights) or tiers < 2 or tiers % 1:
            raise InputError(
                f"weights = {tuple(weights)}, tiers = {tiers}: give three weights of 0 or more, and 2 tiers or more, "
                "a whole number"
            )
        scores = require_fitted(Scores.fit(features, bins, nested, min_customers=tiers))
        shares = tuple(float(w) / sum(weights) for w in weights)
        return cls(scores, shares, to_tuples(_cuts(_mean(scores.score(features), shares), tiers)))

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of tiers, the best first."""
        return scheme.numbered("tier", len(self.cuts) + 1)

    @prediction
    def score(self, features: pd.DataFrame) -> pd.Series:
        """The weighted mean of the three scores of each customer.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        Series
            By customer, 1 to the number of scores an axis.
        """
        return pd.Series(_mean(self.scores.score(features), self.weights), features.index, name="rfm_score")

    def _places(self, features):
        return len(self.labels) - _scored(self.score(features).to_numpy(), np.array(self.cuts))

    def _descriptions(self):
        mean = " + ".join(f"{number(w)} {axis}" for w, axis in zip(self.weights, "RFM", strict=True))
        ends = pairwise([np.inf, *self.cuts[::-1], -np.inf])
        if len(set(self.weights)) == 1:
            return [f"mean of R, F and M {_mean_range(low, high)}" for high, low in ends]
        return [f"{mean}: {scheme.format_range(low, high, 'above', 'up to')}" for high, low in ends]


@cache
def _audited(names, bins):
    """The cells of some names, made once: customers are assigned thousands of times. Nobody changes the frame."""
    return rfm_rule_audit(names, bins)


def _mean_range(low, high):
    """A range of means of three scores, which are in thirds: its ends rounded up part the same customers."""
    ends = (("above", low), ("up to", high))
    return ", ".join(f"{word} {np.ceil(100 * end - 1e-6) / 100:g}" for word, end in ends if np.isfinite(end))


def _axes(features):
    """The three features, each the higher the better: arrays."""
    days, orders, spend = (features[axis].to_numpy(float) for axis in AXES)
    return -days, orders, spend


def _cuts(values, bins):
    """Values up to which the first, second, ... of `bins` equal parts reach."""
    return np.quantile(values, np.arange(1, bins) / bins, method="inverted_cdf")


def _cuts_within(values, groups, cuts):
    """Cuts of each group, a row each; those given where a group is empty."""
    for group in np.unique(groups):
        cuts[group] = _cuts(values[groups == group], cuts.shape[1] + 1)
    return cuts


def _scored(values, cuts):
    """1, and one more for each cut, of one row for all or a row for each, that a value is above."""
    return 1 + (np.searchsorted(cuts, values) if cuts.ndim == 1 else (values[:, None] > cuts).sum(axis=1))


def _mean(scores, weights):
    """The weighted mean, rounded so that equal means are equal in floating point too."""
    return np.round(sum(w * scores[axis].to_numpy() for w, axis in zip(weights, "rfm", strict=True)), 9)


def _are_weights(weights):
    return len(weights) == 3 and all(0 <= w < np.inf for w in weights) and sum(weights) > 0
