"""The index system: indicators, each in its direction, normalised and weighed, make a score, and scores make tiers.

A score is 0 to 100. Tiers hold parts of the customers, the best first, as when retail licences are graded by 8 or 30.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from crmlab.contracts import InputError, suggest
from crmlab.model import Unfitted, blank_of, needs_fit, or_unfitted, prediction, why_blank
from crmlab.segments.models import scheme, weights
from crmlab.segments.models.scales import Scale
from crmlab.segments.tables.scorecard import WEIGHTINGS, Scorecard
from crmlab.stats.intervals import percentile_interval

DIGITS = 9  # of a score; what rounding alone sets apart is tied
ALIKE = 1e-6
UNSTABLE_FROM = 0.25  # probability of another tier, from which a customer's tier is unstable
ALL = "all"


@dataclass(frozen=True)
class IndexSystem(scheme.Scheme):
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
    cuts: tuple
    name: str = "index_system"

    title = "Index system"

    def __post_init__(self) -> None:
        falls = all(a >= b for a, b in pairwise(self.cuts))
        if not self.scales or len(self.scales) != len(self.weights.values) or not falls:
            raise InputError(
                f"IndexSystem: {len(self.scales)} scales, {len(self.weights.values)} weights, cuts = {self.cuts!r}; "
                "give a weight for each scale, and cuts that fall"
            )

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
        shares, columns = _shares(tiers), scorecard.columns
        if not why_blank(features):
            _check_indicators(features, scorecard, len(shares))
        scheme.require_features(features, scorecard.name, columns, columns, len(shares))
        variant = _entropy_variant(weighting or scorecard.weighting)
        if variant and (breaches := weights.entropy_faults(_indicators(features, scorecard), variant)):
            raise scheme.unfit(*breaches)
        scales = tuple(Scale.fit(features, name, card) for name, card in scorecard.indicators.items())
        model = cls(scales, indicator_weights(features, scorecard, weighting), (), scorecard.name)
        best = np.sort(model.score(features).to_numpy())[::-1]
        last = np.clip(np.round(np.cumsum(shares)[:-1] * len(best)).astype(int) - 1, 0, None)
        return cls(scales, model.weights, tuple(best[last].tolist()), scorecard.name)

    @property
    def columns(self) -> tuple[str, ...]:
        """The features that `assign` reads."""
        return tuple(scale.column for scale in self.scales)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of tiers, the best first."""
        return scheme.numbered("tier", len(self.cuts) + 1)

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
        scores = _scores(self._normalised(features), self.weights.values)
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
        found = zip(self.scales, self.weights.values, self._normalised(features), strict=True)
        return pd.DataFrame({s.indicator: 100 * weight * points for s, weight, points in found}, features.index)

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
        labels, normalised = self.assign(features), self._normalised(features)
        now, everyone = labels.cat.codes.to_numpy(), np.arange(len(labels))
        upto = np.cumsum(np.bincount(now, minlength=len(self.labels)))
        held = np.zeros((len(now), len(self.labels)), dtype=np.int32)
        for drawn in _drawn(np.array(self.weights.values), error, replicates, seed):
            held[everyone, _graded(_scores(normalised, drawn), upto[:-1])] += 1
        below = np.cumsum(held, axis=1)
        share = below / replicates
        found = {
            "score": self.score(features),
            "tier": labels,
            "probability": 1 - held[everyone, now] / replicates,
            "probability_better": (share - held / replicates)[everyone, now],
            "probability_worse": 1 - share[everyone, now],
        }
        ranks = percentile_interval(np.arange(1, replicates + 1))  # of the draws at the ends of the interval
        for name, rank in zip(("best_tier", "worst_tier"), ranks, strict=True):
            found[name] = self._labelled((below < rank).sum(axis=1), features.index)
        return pd.DataFrame(found)

    def _normalised(self, features):
        """Points of customers by each indicator, 0 to 1: a list of arrays."""
        scheme.check_features(features, self.name, self.columns)
        return [scale.normalise(features) for scale in self.scales]

    def _places(self, features):
        return _below(self.score(features).to_numpy(), self.cuts)

    def _descriptions(self):
        ends = pairwise([np.inf, *self.cuts, 0.0])
        return [f"score {scheme.format_range(low, high, 'at least', 'below')}" for high, low in ends]


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
    return weights.entropy_weights(_indicators(features, scorecard), _entropy_variant(how), scorecard.lower)


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
    if faults := scheme.feature_faults(features, scorecard.name, scorecard.columns, scorecard.columns):
        return blank_of(pd.DataFrame, "; ".join(faults))
    lacking = {
        "given": not scorecard.given_weights,
        "ahp": not scorecard.comparisons,
        "entropy sum": (_indicators(features, scorecard) < 0).any(axis=None),
    }
    found = {how: indicator_weights(features, scorecard, how).values for how in WEIGHTINGS if not lacking.get(how)}
    return pd.DataFrame(found, pd.Index(scorecard.names, name="indicator"))


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
    unstable = (sensitivity.probability >= limit).astype(int)
    each = pd.DataFrame({"customers": 1, "unstable": unstable, "probability": sensitivity.probability})
    table = each.groupby(sensitivity.tier, observed=False).sum()
    table.index = pd.Index(map(str, table.index), name="tier")
    table.loc[ALL] = each.sum()
    customers = table.customers.clip(lower=1)
    counts = table[["customers", "unstable"]].astype(int)
    return counts.assign(share=table.unstable / customers, probability=table.probability / customers)


def _indicators(features, scorecard):
    """The features of indicators, by the names of these."""
    return features[list(scorecard.columns)].set_axis(list(scorecard.names), axis=1)


def _entropy_variant(weighting):
    """The variant of an entropy weighting; "" of others."""
    return weighting.removeprefix("entropy ") if weighting in WEIGHTINGS and weighting.startswith("entropy") else ""


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
        raise InputError(*breaches, *scheme.feature_faults(features, scorecard.name, sound, sound, min_customers))


def _shares(tiers):
    """The share of customers in each tier, best first. Raises InputError where there are no such tiers."""
    shares = np.full(int(tiers), 1 / tiers) if np.ndim(tiers) == 0 and tiers >= 2 and tiers % 1 == 0 else tiers
    shares = np.array(shares, float)
    if shares.ndim != 1 or len(shares) < 2 or not (shares > 0).all() or abs(shares.sum() - 1) > ALIKE:
        raise InputError(f"tiers = {tiers!r}: give a whole number of 2 or more, or shares above 0 that sum to 1")
    return shares


def _scores(normalised, indicator_weights):
    """Weighted points of 100, column by column, so that who is alike has the same score to the last bit."""
    return np.round(sum(100 * w * points for w, points in zip(indicator_weights, normalised, strict=True)), DIGITS)


def _below(scores, cuts):
    """How many cuts each score is below: 0 is the best tier."""
    return len(cuts) - np.searchsorted(np.array(cuts)[::-1], scores, side="right")


def _graded(scores, upto):
    """Tiers that hold as many customers as before, as far as ties allow."""
    lined = np.append(np.sort(scores)[::-1], np.inf)  # the last is the cut of tiers that nobody is in
    return _below(scores, lined[upto - 1])


def _drawn(center, error, replicates, seed):
    """Weights about `center`; those that are 0 stay so."""
    held, drawn = center > 0, np.zeros((replicates, len(center)))
    concentration = (held.sum() - 1) / error**2 - 1
    if held.sum() > 1:
        drawn[:, held] = np.random.default_rng(seed).dirichlet(concentration * center[held], replicates)
    else:
        drawn[:, held] = 1.0
    return drawn
