"""Whether segments can be worked with: Kotler's five criteria, as numbers beside their thresholds.

measurable      a small decision tree on features reproduces the segments
substantial     no segment with customers in it is too small, in customers or in revenue
accessible      customers can be reached
differentiable  segments differ in what customers spend in the holdout
actionable      customers have a treatment that pays
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

from crmlab.check import within
from crmlab.contracts import InputError
from crmlab.estimate import number
from crmlab.model import blank_of, needs_fit
from crmlab.segments.models.scheme import feature_faults, to_boolean
from crmlab.segments.models.value import SHARE_OF_VALUE, value_shares
from crmlab.stats import intervals, resample
from crmlab.stats.shares import wilson_interval

MAX_DEPTH = 8
FOLDS = 5
SAMPLE = 20_000  # customers that trees are grown on, at most
TREE_ACCURACY, TREE_DEPTH = "accuracy of a decision tree, out of sample", "depth of the decision tree"
SMALLEST_SHARE, SMALLEST_VALUE_SHARE = "smallest share of customers", f"smallest {SHARE_OF_VALUE}"
REACHABLE_SHARE = "share of customers who can be reached"
VARIANCE_SHARE = "share of holdout variance between segments"
TREATED_SHARE = "share of customers with a treatment that pays"
NO_INTERVAL = "it is counted of these customers, and has no interval"
MEASURES = {  # measure -> criterion, and the name of its threshold
    TREE_ACCURACY: ("measurable", "accuracy"),
    TREE_DEPTH: ("measurable", "depth"),
    SMALLEST_SHARE: ("substantial", "customers"),
    SMALLEST_VALUE_SHARE: ("substantial", "revenue"),
    REACHABLE_SHARE: ("accessible", "reachable"),
    VARIANCE_SHARE: ("differentiable", "differentiable"),
    TREATED_SHARE: ("actionable", "actionable"),
}


@dataclass(frozen=True)
class Thresholds:
    """Thresholds that segments must meet: the least of each measure, and the greatest depth.

    Parameters
    ----------
    accuracy : float
        Out-of-sample accuracy of a decision tree, 0 to 1.
    depth : int
        Greatest depth of that tree, 1 to 8.
    customers, revenue : float
        Share of customers, and share of value, of the smallest segment, 0 to 1.
    reachable : float
        Share of customers who can be reached, 0 to 1.
    differentiable : float
        Share of holdout variance between segments, 0 to 1; a small effect is .01.
    actionable : float
        Share of customers with a treatment that pays, 0 to 1.

    References
    ----------
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences.
    """

    accuracy: float = 0.9
    depth: int = 4
    customers: float = 0.02
    revenue: float = 0.01
    reachable: float = 0.8
    differentiable: float = 0.01
    actionable: float = 0.8

    @classmethod
    def from_dict(cls, thresholds: Mapping[str, Any]) -> "Thresholds":
        """Thresholds of which some are given by name.

        Parameters
        ----------
        thresholds : mapping
            Name -> threshold; the others keep their defaults.

        Returns
        -------
        Thresholds
            Those given, and the rest as they are.

        Raises
        ------
        InputError
            Where a name is unknown, or a threshold is not possible.
        """
        names = [field.name for field in fields(cls)]
        if unknown := [name for name in thresholds if name not in names]:
            raise InputError(f"thresholds: there is no {', '.join(unknown)}; there are {', '.join(names)}")
        return cls(**thresholds)

    def __post_init__(self) -> None:
        shares = {name: value for name, value in asdict(self).items() if name != "depth"}
        wrong = [f"{name} = {v!r}: give a share, 0 to 1" for name, v in shares.items() if not 0 <= v <= 1]
        if not (1 <= self.depth <= MAX_DEPTH and self.depth % 1 == 0):
            wrong.append(f"depth = {self.depth!r}: give a whole number, 1 to {MAX_DEPTH}")
        if wrong:
            raise InputError(*(f"thresholds: {line}" for line in wrong))


def kotler_criteria(
    assignments: Mapping[str, pd.Series] | pd.DataFrame,
    features: pd.DataFrame,
    holdout: pd.DataFrame,
    playbook: pd.DataFrame | None = None,
    contact_cost: float = 0.0,
    thresholds: Thresholds | Mapping[str, float] | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Kotler's five criteria of useful segments, measured for each scheme.

    Parameters
    ----------
    assignments : mapping or DataFrame
        Name -> class of each customer, or a column for each scheme, of `assign_schemes`; by customer_id. The rows of
        the playbook are those of the scheme that the Series is named for.
    features : DataFrame
        One row a customer, of `customer_features`, as of the origin; with `reachable` (true or false) and
        `expected_margin` where they are known.
    holdout : DataFrame
        Of `holdout_activity`; its `spend` shows whether segments differ.
    playbook : DataFrame, optional
        Treatment of each class by scheme and label, of `load_playbook`; None leaves actionable without a value.
    contact_cost : float
        Cost of treating one customer, in the currency of the data.
    thresholds : Thresholds or mapping, optional
        What must be met; a mapping names some of `Thresholds`, None takes the defaults.
    replicates : int
        Number of draws.
    seed : int
        Seed of the random generator.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        A row for each scheme, criterion and measure: value, ci_low, ci_high, NaN where it has none (that of variance is
        of the bootstrap, and too wide where segments hardly differ); threshold, which the depth must not exceed and
        others must reach; outcome, "passed" where the whole interval meets the threshold, "failed" where no part of it
        does, else "undecided", "not applicable" without a value; summary; reason why there is no value, or no interval.
        Blank where there are no schemes.

    Raises
    ------
    InputError
        Where labels or spend are missing, or the contact cost is below 0.

    References
    ----------
    Kelley (1935), An unbiased correlation ratio measure: epsilon squared.
    """
    if not isinstance(thresholds, Thresholds):
        thresholds = Thresholds.from_dict(thresholds or {})
    names = assignments.attrs.get("names", {}) if isinstance(assignments, pd.DataFrame) else {}
    assignments = dict(assignments.items())
    if breaches := [*_faults(assignments, features, holdout, contact_cost, replicates)]:
        raise InputError(*breaches)
    if not assignments:
        return blank_of(pd.DataFrame, "no scheme was fitted")
    rows = []
    for scheme, labels in assignments.items():
        if reason := _too_few(scheme, labels):
            rows += [{"scheme": scheme} | _row(thresholds, measure, reason=reason) for measure in MEASURES]
            continue
        held, spend = features.loc[labels.index], holdout.spend.loc[labels.index]
        labels = labels.rename(names.get(scheme, labels.name))
        found = [
            *_measurable(labels, held, thresholds, seed, level),
            *_substantial(labels, held.spend, thresholds),
            _accessible(labels, held, thresholds),
            _differentiable(labels, spend, thresholds, replicates, seed, level),
            _actionable(labels, held, playbook, contact_cost, thresholds),
        ]
        rows += [{"scheme": scheme} | row for row in found]
    return pd.DataFrame(rows)


@needs_fit
def criteria_by_scheme(criteria: pd.DataFrame) -> pd.DataFrame:
    """The measures of each scheme in a row, below their thresholds.

    Parameters
    ----------
    criteria : DataFrame
        Of `kotler_criteria`.

    Returns
    -------
    DataFrame
        By scheme, "threshold" the first; a column for each measure, NaN where it has no value, and reason, why.
    """
    wide = criteria.pivot(index="scheme", columns="measure", values="value").loc[criteria.scheme.unique()]
    thresholds = criteria.drop_duplicates("measure").set_index("measure").threshold
    table = pd.concat([thresholds.to_frame("threshold").T, wide[thresholds.index]])
    blank = criteria[criteria.value.isna()].groupby("scheme").reason.agg(lambda reasons: "; ".join(reasons.unique()))
    table["reason"] = blank.reindex(table.index, fill_value="")
    return table.rename_axis(index="scheme", columns=None)


@needs_fit
def tree_accuracy(labels: pd.Series, features: pd.DataFrame, seed: int = 1, level: float = 0.95) -> pd.DataFrame:
    """How well decision trees of features reproduce labels, by their depth.

    All features that hold numbers for everyone are used, but not `reachable`; at most 20,000 customers, drawn with the
    seed, in five folds.

    Parameters
    ----------
    labels : Series
        Class of each customer by customer_id, of `assign` of a scheme.
    features : DataFrame
        One row a customer, of `customer_features`.
    seed : int
        Seed of the random generator.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        By depth, 1 to 8. accuracy, share of customers that a tree grown on the other folds puts into their segment, 0
        to 1; ci_low, ci_high, its interval.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    columns = [n for n in features if n != "reachable" and is_numeric_dtype(features[n]) and features[n].notna().all()]
    taken = np.random.default_rng(seed).permutation(len(labels))[:SAMPLE]
    X, y = features[columns].to_numpy(float)[taken], _codes(labels.iloc[taken])
    depths, split = pd.RangeIndex(1, MAX_DEPTH + 1, name="depth"), PredefinedSplit(np.arange(len(y)) % FOLDS)
    trees = (DecisionTreeClassifier(max_depth=depth, random_state=seed) for depth in depths)
    right = np.array([(cross_val_predict(tree, X, y, cv=split) == y).sum() for tree in trees])
    ci_low, ci_high = wilson_interval(right, len(y), level)
    return pd.DataFrame({"accuracy": right / len(y), "ci_low": ci_low, "ci_high": ci_high}, depths)


def _too_few(scheme, labels):
    """Why nothing can be measured of a scheme, "" where it can."""
    if (n := len(labels)) < FOLDS:
        return f"{scheme} has {n} customers; {FOLDS} at least are needed"
    return "" if (kinds := labels.nunique()) > 1 else f"{scheme} has all customers in {kinds} segment; 2 are needed"


def _measurable(labels, features, thresholds, seed, level):
    trees = tree_accuracy(labels, features, seed, level)
    enough = trees.index[trees.accuracy >= thresholds.accuracy]
    depth = int(enough[0] if len(enough) else trees.accuracy.idxmax())
    best, largest = trees.loc[depth], labels.value_counts(normalize=True)
    summary = f"the largest segment alone is {largest.iloc[0]:.1%}"
    yield _row(thresholds, TREE_ACCURACY, best.accuracy, summary, ci=best[1:])
    place = "the first to reach it" if len(enough) else f"the best of {MAX_DEPTH}, none of which reaches it"
    shallow = trees.loc[: thresholds.depth].max()
    outcome = within(shallow.ci_low, shallow.ci_high, thresholds.accuracy, 1)
    yield _row(thresholds, TREE_DEPTH, depth, place, outcome=outcome)


def _substantial(labels, spend, thresholds):
    customers = labels.value_counts(normalize=True, sort=False)
    empty = ", ".join(map(str, customers.index[customers == 0]))
    for measure, shares in ((SMALLEST_SHARE, customers), (SMALLEST_VALUE_SHARE, value_shares(labels, spend))):
        if not shares.sum() > 0:
            yield _row(thresholds, measure, reason=f"nobody of {len(labels):,} customers spent anything")
            continue
        held = shares[customers > 0]
        summary = f"of {held.idxmin()}" + (f"; nobody in {empty}" if empty else "")
        yield _row(thresholds, measure, held.min(), summary)


def _accessible(labels, features, thresholds):
    if "reachable" not in features:
        reason = "there is no column 'reachable'; name data of customers that have it"
        return _row(thresholds, REACHABLE_SHARE, reason=reason)
    known = to_boolean(features.reachable)
    share = known.fillna(False).astype(float)
    by = share.groupby(labels, observed=True).mean()
    summary = f"least in {by.idxmin()}, {by.min():.1%}"
    summary += f"; not known of {blank:,}, taken as no" if (blank := int(known.isna().sum())) else ""
    return _row(thresholds, REACHABLE_SHARE, share.mean(), summary)


def _differentiable(labels, spend, thresholds, replicates, seed, level):
    """Share of the variance of holdout spend between segments, less what so many segments have by luck alone."""
    codes, y = _codes(labels), spend.to_numpy(float)
    if (y == y[0]).all():
        return _row(thresholds, VARIANCE_SHARE, reason="holdout spend is the same for all")
    y, k = (y - y.mean()) / y.std(), codes.max() + 1
    onehot = np.eye(k)[codes]
    columns = np.hstack([onehot, onehot * y[:, None], (y**2)[:, None]])
    plain = float(_eta(columns.sum(axis=0)[None])[0])
    value = _epsilon_squared(plain, len(y), k)
    # a replicate has the luck of its own draw on top of that of the data
    drawn = _epsilon_squared(_eta(resample.totals(columns, replicates, seed)), len(y), k) - (plain - value)
    summary = f"{number(plain, 3)} before what {k} segments have by luck alone was taken off"
    return _row(thresholds, VARIANCE_SHARE, value, summary, ci=intervals.percentile_interval(drawn, level))


def _codes(labels):
    """The place of each customer's segment among those that have customers."""
    return np.unique(labels.astype(str).to_numpy(), return_inverse=True)[1]


def _eta(totals):
    """Variance between segments over all: from counts, sums and the sum of squares, a row a replicate."""
    k = totals.shape[1] // 2
    counts, sums, squares = totals[:, :k], totals[:, k:-1], totals[:, -1]
    n, mean = counts.sum(axis=1), sums.sum(axis=1) / counts.sum(axis=1)
    between = (np.divide(sums**2, counts, out=np.zeros_like(sums), where=counts > 0)).sum(axis=1) - n * mean**2
    whole = squares - n * mean**2
    return np.divide(between, whole, out=np.zeros_like(whole), where=whole > 0)


def _epsilon_squared(eta, n, k):
    """Epsilon squared [Kelley 1935]."""
    return 1 - (1 - eta) * (n - 1) / max(n - k, 1)


def _actionable(labels, features, playbook, contact_cost, thresholds):
    lacking = "playbook" if playbook is None else "" if "expected_margin" in features else "column 'expected_margin'"
    if lacking:
        return _row(thresholds, TREATED_SHARE, reason=f"there is no {lacking}; give one")
    rows = playbook.index[playbook.index.get_level_values("scheme") == labels.name].get_level_values("label")
    if not len(rows):
        return _row(thresholds, TREATED_SHARE, reason=f"the playbook treats no segment of {labels.name}")
    treated, pays = labels.astype(str).isin(rows), features.expected_margin > contact_cost
    without = [str(label) for label in labels.value_counts(sort=False).index if str(label) not in rows]
    summary = f"{treated.mean():.1%} with a row in the playbook, {pays.mean():.1%} expected to bring more than "
    summary += f"{number(contact_cost)}" + (f"; no row for {', '.join(without)}" if without else "")
    return _row(thresholds, TREATED_SHARE, (treated & pays).mean(), summary)


def _row(thresholds, measure, value=np.nan, summary="", reason="", ci=(np.nan, np.nan), outcome=""):
    """A row of criteria; the outcome follows from the interval, or from the value where it is exact."""
    (criterion, name), (ci_low, ci_high) = MEASURES[measure], map(float, ci)
    threshold = float(getattr(thresholds, name))
    low, high = (value, value) if np.isnan(ci_low) else (ci_low, ci_high)
    outcome = outcome or ("not applicable" if reason else within(low, high, threshold, np.inf))
    reason = reason or (NO_INTERVAL if np.isnan(ci_low) else "")
    row = {"criterion": criterion, "measure": measure, "value": float(value), "ci_low": ci_low, "ci_high": ci_high}
    return row | {"threshold": threshold, "outcome": outcome, "summary": summary, "reason": reason}


def _faults(assignments, features, holdout, contact_cost, replicates):
    """What is wrong with the input, in words."""
    if faults := feature_faults(features, f"a {SHARE_OF_VALUE}", ["spend"]):
        yield from faults
    if "spend" not in holdout:
        yield "holdout: no column 'spend' (spent after the origin); take the frame of `holdout_activity`"
    if not 0 <= contact_cost < np.inf or replicates < 1:
        yield f"contact_cost = {contact_cost!r}, replicates = {replicates!r}: give a cost of 0 or more, and replicates"
    for scheme, labels in assignments.items():
        if blank := int(labels.isna().sum()):
            yield f"assignments: {scheme} has no label for {blank:,} of {len(labels):,} customers; assign them"
        for name, frame in (("features", features), ("holdout", holdout)):
            if unknown := labels.index.difference(frame.index).tolist():
                yield f"{name}: no row for {len(unknown):,} customers of {scheme} (first: {unknown[0]!r}); add them"
