"""The index system: indicators, each in its direction, normalised and weighed, make a score, and scores make tiers.

A score is 0 to 100. Tiers hold parts of the customers, the best first, as when retail licences are graded by 8 or 30.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from crmlab.contracts import InputError, suggest
from crmlab.model import Model, Unfitted, blank_of, needs_fit, or_unfitted, prediction, why_blank
from crmlab.segments.models import weights
from crmlab.segments.models.scheme import (
    Scheme,
    check_features,
    feature_faults,
    format_amount,
    require_features,
    to_labels,
    unfit,
)
from crmlab.segments.tables.scorecard import WEIGHTINGS, Scorecard

ENDS = {"minmax": (0.0, 1.0), "winsorised": (0.01, 0.99)}
POINTS = 101  # of a rank, at most
DIGITS = 9  # of a score; what rounding alone sets apart is tied
ALIKE = 1e-6
UNSTABLE_FROM = 0.25  # probability of another tier, from which a customer's tier is unstable
ALL = "all"


@dataclass(frozen=True)
class Scale(Model):
    """How values of an indicator become 0, the worst, to 1: by straight lines through points, flat beyond the ends."""

    indicator: str
    column: str
    direction: str
    normalisation: str
    values: tuple  # rising
    normalised: tuple  # 0 to 1, one each

    @property
    def ends(self):
        """The values of no marks, and of all."""
        min_customers, greatest = self.values[0], self.values[-1]
        return (greatest, min_customers) if self.direction == "lower" else (min_customers, greatest)

    def normalise(self, features):
        """Marks of customers: an array."""
        return np.interp(features[self.column].to_numpy(float), self.values, self.normalised)


@dataclass(frozen=True)
class IndexSystem(Scheme):
    """Tiers of customers by a weighted score of indicators.

    Parameters
    ----------
    scales : tuple of Scale
        How values of each indicator become 0 to 1.
    weights : Weights
        What each indicator counts for.
    cuts : tuple of float
        Least score of each tier but the last, falling.
    name : str
        What labels and the playbook call it.
    """

    scales: tuple
    weights: weights.Weights
    cuts: tuple  # the least score of each tier but the last
    name: str = "index_system"

    title: ClassVar = "Index system"

    def __post_init__(self):
        falls = all(a >= b for a, b in pairwise(self.cuts))
        if not self.scales or len(self.scales) != len(self.weights.values) or not falls:
            raise InputError(
                f"IndexSystem: {len(self.scales)} scales, {len(self.weights.values)} weights, cuts = {self.cuts!r}; "
                "give a weight for each scale, and cuts that fall"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that `assign` reads."""
        return tuple(scale.column for scale in self.scales)

    @classmethod
    @or_unfitted
    def fit(
        cls,
        features: pd.DataFrame,
        scorecard: Scorecard,
        tiers: int | Sequence[float] = 8,
        weighting: str | None = None,
    ) -> "IndexSystem | Unfitted":
        """Scales, weights and cuts learned from features.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        scorecard : Scorecard
            Indicators and how they are weighed, of `load_scorecard`.
        tiers : int or sequence of float
            Number of equal tiers, or the share of customers in each, the best first; customers of equal score are of
            one tier.
        weighting : str, optional
            "equal", "given", "ahp", "entropy sum" or "entropy minmax"; None takes that of the scorecard.

        Returns
        -------
        IndexSystem or Unfitted
            Unfitted where an indicator is empty or the same for all, or customers are fewer than tiers.

        Raises
        ------
        InputError
            Where features lack an indicator, or tiers or weights are not possible.
        """
        shares = _shares(tiers)
        if not why_blank(features):
            _check_indicators(features, scorecard, len(shares))
        require_features(
            features, scorecard.name, scorecard.columns, varying=scorecard.columns, min_customers=len(shares)
        )
        if (how := weighting or scorecard.weighting) in WEIGHTINGS and how.startswith("entropy"):
            _check_entropy(features, scorecard, how)
        scales = tuple(_scale(features, name, card) for name, card in scorecard.indicators.items())
        model = cls(scales, indicator_weights(features, scorecard, weighting), (), scorecard.name)
        best = np.sort(model.score(features).to_numpy())[::-1]
        last = np.clip(np.round(np.cumsum(shares)[:-1] * len(best)).astype(int) - 1, 0, None)
        return cls(scales, model.weights, tuple(best[last].tolist()), scorecard.name)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of tiers, the best first."""
        return tuple(f"tier {place + 1}" for place in range(len(self.cuts) + 1))

    @prediction
    def score(self, features: pd.DataFrame) -> pd.Series:
        """The score of each customer, the weighted sum of indicators.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        Series
            By customer, 0 to 100.
        """
        check_features(features, self.name, [scale.column for scale in self.scales])
        scores = _scores([scale.normalise(features) for scale in self.scales], self.weights.values)
        return pd.Series(scores, features.index, name="score")

    @prediction
    def contributions(self, features: pd.DataFrame) -> pd.DataFrame:
        """What each indicator adds to the score of each customer.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        DataFrame
            By customer, a column for each indicator; points, which sum to the score.
        """
        check_features(features, self.name, [scale.column for scale in self.scales])
        pairs = zip(self.scales, self.weights.values, strict=True)
        return pd.DataFrame({s.indicator: 100 * weight * s.normalise(features) for s, weight in pairs}, features.index)

    @prediction
    def assign(self, features: pd.DataFrame) -> pd.Series:
        """The class of each customer.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        Series
            Ordered categories of `labels`, the best first, by customer; named for the scheme.

        Raises
        ------
        InputError
            Where a feature is missing, or empty for a customer.
        """
        return to_labels(_places(self.score(features).to_numpy(), self.cuts), self, features.index)

    @prediction
    def rules(self) -> pd.DataFrame:
        """Which customers each class holds, in words.

        Returns
        -------
        DataFrame
            By label, the best first; column rule, a sentence.
        """
        ends = [np.inf, *self.cuts, 0.0]
        descriptions = []
        for place, high in enumerate(ends[:-1]):
            low = f"score at least {format_amount(ends[place + 1])}"
            descriptions.append(low + (f", below {format_amount(high)}" if np.isfinite(high) else ""))
        return pd.DataFrame({"rule": descriptions}, pd.Index(self.labels, name="label"))

    @prediction
    def indicators(self) -> pd.DataFrame:
        """How each indicator is read, and what it weighs.

        Returns
        -------
        DataFrame
            By indicator. column, direction, normalisation; worst and best, the values of no points and of all, in its
            own units; weight, 0 to 1; weighting, how it was found.
        """
        rows = [(s.column, s.direction, s.normalisation, *s.ends) for s in self.scales]
        columns = ["column", "direction", "normalisation", "worst", "best"]
        index = pd.Index(self.weights.names, name="indicator")
        return pd.DataFrame(rows, index, columns).assign(weight=self.weights.values, weighting=self.weights.method)

    @prediction
    def weight_sensitivity(
        self, features: pd.DataFrame, error: float = 0.2, replicates: int = 500, seed: int = 1
    ) -> pd.DataFrame:
        """In which tier each customer would be under somewhat different weights.

        Weights are drawn from a Dirichlet distribution about those of the model, and customers graded anew, as many to
        a tier as now.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.
        error : float
            How far weights may be off: standard deviation of an average weight over itself, above 0 and below 1.
        replicates : int
            Number of draws.
        seed : int
            Seed of the random generator.

        Returns
        -------
        DataFrame
            By customer. score, tier, as they are; probability of another tier, probability_better, probability_worse, 0
            to 1; best_tier, worst_tier, between which 95 % of the draws lie.

        Raises
        ------
        InputError
            Where the error is not above 0 and below 1, or there are no draws.
        """
        if not 0 < error < 1 or replicates < 1:
            raise InputError(
                f"error = {error!r}, replicates = {replicates!r}: give an error above 0 and below 1, and draws"
            )
        labels, score = self.assign(features), self.score(features)
        now, normalised = labels.cat.codes.to_numpy(), [scale.normalise(features) for scale in self.scales]
        upto = np.cumsum(np.bincount(now, minlength=len(self.labels)))
        held = np.zeros((len(now), len(self.labels)), dtype=np.int32)
        everyone = np.arange(len(now))
        for drawn in _drawn(np.array(self.weights.values), error, replicates, seed):
            held[everyone, _graded(_scores(normalised, drawn), upto[:-1])] += 1
        share = np.cumsum(held, axis=1) / replicates
        better, kept = (share - held / replicates)[everyone, now], held[everyone, now] / replicates
        found = {
            "score": score,
            "tier": labels,
            "probability": 1 - kept,
            "probability_better": better,
            "probability_worse": 1 - share[everyone, now],
        }
        for name, end in (("best_tier", 0.025), ("worst_tier", 0.975)):
            found[name] = to_labels((share < end - ALIKE).sum(axis=1), self, features.index)
        return pd.DataFrame(found)


def indicator_weights(features: pd.DataFrame, scorecard: Scorecard, weighting: str | None = None) -> weights.Weights:
    """Weights of a scorecard's indicators.

    Parameters
    ----------
    features : DataFrame
        One row a customer, of `customer_features`.
    scorecard : Scorecard
        Indicators and how they are weighed, of `load_scorecard`.
    weighting : str, optional
        "equal", "given", "ahp", "entropy sum" or "entropy minmax"; None takes that of the scorecard.

    Returns
    -------
    Weights
        One weight for each indicator; they sum to 1.

    Raises
    ------
    InputError
        Where the weighting is unknown, or the scorecard or the features do not allow it.
    """
    how = weighting or scorecard.weighting
    if how not in WEIGHTINGS:
        raise InputError(f"weighting = {how!r}: choose one of {', '.join(WEIGHTINGS)}")
    if how == "equal":
        return weights.equal_weights(scorecard.names)
    if how == "given":
        return weights.given_weights(scorecard.given_weights, scorecard.names)
    if how == "ahp":
        if not scorecard.comparisons:
            raise InputError("weighting = 'ahp': the scorecard has no [comparisons]; write a row for each indicator")
        return weights.ahp_weights(scorecard.matrix)
    values = features[list(scorecard.columns)].set_axis(list(scorecard.names), axis=1)
    return weights.entropy_weights(values, how.removeprefix("entropy "), scorecard.lower)


@needs_fit
def weighting_comparison(features: pd.DataFrame, scorecard: Scorecard) -> pd.DataFrame:
    """Weights of indicators by each weighting that the scorecard allows.

    Parameters
    ----------
    features : DataFrame
        One row a customer, of `customer_features`.
    scorecard : Scorecard
        Indicators and how they are weighed, of `load_scorecard`.

    Returns
    -------
    DataFrame
        Indicators by weightings; weights sum to 1 in each column. Blank where an indicator is empty or the same for
        all.

    Raises
    ------
    InputError
        Where features lack an indicator.
    """
    _check_indicators(features, scorecard, 2)
    if faults := feature_faults(features, scorecard.name, scorecard.columns, varying=scorecard.columns):
        return blank_of(pd.DataFrame, "; ".join(faults))
    values = features[list(scorecard.columns)]
    lacking = {
        "given": not scorecard.given_weights,
        "ahp": not scorecard.comparisons,
        "entropy sum": bool((values.to_numpy(float) < 0).any()),
    }
    found = {how: indicator_weights(features, scorecard, how) for how in WEIGHTINGS if not lacking.get(how, False)}
    index = pd.Index(scorecard.names, name="indicator")
    return pd.DataFrame({how: weight.values for how, weight in found.items()}, index)


@needs_fit
def weight_sensitivity_by_tier(sensitivity: pd.DataFrame, limit: float = UNSTABLE_FROM) -> pd.DataFrame:
    """How many customers of each tier have an unstable tier.

    Parameters
    ----------
    sensitivity : DataFrame
        Of `IndexSystem.weight_sensitivity`.
    limit : float
        Probability of another tier from which a customer's tier is unstable.

    Returns
    -------
    DataFrame
        By tier, the empty ones too, "all" last. customers, unstable, counts; share of the tier's customers who are
        unstable; probability, the mean; 0 where there is nobody.
    """
    counted = pd.DataFrame(
        {
            "unstable": (sensitivity.probability >= limit).astype(int),
            "probability": sensitivity.probability,
            "customers": 1,
        }
    )
    table = counted.groupby(sensitivity.tier, observed=False).sum()
    table.index = pd.Index(map(str, table.index), name="tier")
    table.loc[ALL] = counted.sum()
    customers = table.customers.clip(lower=1)
    counts = table[["customers", "unstable"]].astype(int)
    return counts.assign(share=table.unstable / customers, probability=table.probability / customers)


def _check_indicators(features, scorecard, min_customers):
    """Raises InputError where features lack an indicator, or one holds text, with every breach, others among them."""
    breaches, sound = [], []
    for name, column in zip(scorecard.names, scorecard.columns, strict=True):
        if column not in features:
            advice = suggest(column, map(str, features), "join it, or drop the indicator")
            breaches.append(f"features: no column {column!r}, which indicator {name!r} needs; {advice}")
        elif not is_numeric_dtype(features[column]):
            breaches.append(f"features: {column!r} of indicator {name!r} holds no numbers; take another column")
        else:
            sound.append(column)
    if breaches:
        raise InputError(*breaches, *feature_faults(features, scorecard.name, sound, sound, min_customers))


def _check_entropy(features, scorecard, weighting):
    """Raises FitError where entropy cannot weigh an indicator of these customers."""
    values = features[list(scorecard.columns)].set_axis(list(scorecard.names), axis=1)
    if breaches := weights.entropy_faults(values, weighting.removeprefix("entropy ")):
        raise unfit(*breaches)


def _shares(tiers):
    """The share of customers in each tier, best first. Raises InputError where there are no such tiers."""
    shares = np.full(int(tiers), 1 / tiers) if np.ndim(tiers) == 0 and tiers >= 2 and tiers % 1 == 0 else tiers
    shares = np.array(shares, float)
    if shares.ndim != 1 or len(shares) < 2 or not (shares > 0).all() or abs(shares.sum() - 1) > ALIKE:
        raise InputError(f"tiers = {tiers!r}: give a whole number of 2 or more, or shares above 0 that sum to 1")
    return shares


def _scale(features, name, indicator):
    """The Scale of an indicator among these customers."""
    column = indicator.column or name
    values = features[column].to_numpy(float)
    if indicator.normalisation == "rank":
        knots, normalised = _ranked(values)
    else:
        knots, normalised = np.quantile(values, ENDS[indicator.normalisation]), np.array([0.0, 1.0])
        if knots[0] == knots[1]:
            raise unfit(
                f"features: {column!r} of indicator {name!r} is {format_amount(knots[0])} for all but "
                "a hundredth at either end, so 'winsorised' cannot part customers; take 'rank' or 'minmax'"
            )
    normalised = 1 - normalised if indicator.direction == "lower" else normalised
    line = tuple(knots.tolist()), tuple(normalised.tolist())
    return Scale(name, column, indicator.direction, indicator.normalisation, *line)


def _ranked(values):
    """Points of values, and the share of customers below each, half of those at it included, moved to 0 to 1."""
    lined = np.sort(values)
    knots = np.unique(lined)
    if len(knots) > POINTS:
        knots = np.unique(lined[np.round(np.linspace(0, len(lined) - 1, POINTS)).astype(int)])
    below, upto = np.searchsorted(lined, knots), np.searchsorted(lined, knots, side="right")
    middle = (below + upto) / 2
    return knots, (middle - middle[0]) / (middle[-1] - middle[0])


def _scores(normalised, indicator_weights):
    """Weighted marks of 100, column by column, so that who is alike has the same score to the last bit."""
    total = np.zeros(len(normalised[0]))
    for value, weight in zip(normalised, indicator_weights, strict=True):
        total += 100 * weight * value
    return np.round(total, DIGITS)


def _places(scores, cuts):
    """How many cuts each score is below: 0 is the best tier."""
    return len(cuts) - np.searchsorted(np.array(cuts)[::-1], scores, side="right")


def _graded(scores, upto):
    """Tiers that hold as many customers as before, as far as ties allow."""
    lined = np.append(np.sort(scores)[::-1], np.inf)  # the last is the cut of tiers that nobody is in
    return _places(scores, lined[upto - 1])


def _drawn(center, error, replicates, seed):
    """Weights about `center`; those that are 0 stay so."""
    held = center > 0
    drawn = np.zeros((replicates, len(center)))
    if held.sum() > 1:
        concentration = (held.sum() - 1) / error**2 - 1
        drawn[:, held] = np.random.default_rng(seed).dirichlet(concentration * center[held], replicates)
    else:
        drawn[:, held] = 1.0
    return drawn
