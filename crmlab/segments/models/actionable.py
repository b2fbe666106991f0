"""Whether segments can be worked with: Kotler's five demands, as numbers beside what is asked of them.

measurable      a small decision tree on features tells who belongs where
substantial     no segment with customers in it is too small, in customers or in revenue
accessible      customers can be reached
differentiable  segments differ in what customers do later
actionable      there is something to do about a customer, and it pays
"""

from dataclasses import asdict, dataclass, fields

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from scipy import stats
from sklearn.tree import DecisionTreeClassifier

from crmlab.contracts import InputError
from crmlab.result import Verdict, number
from crmlab.segments.models.scheme import check, reached
from crmlab.stats import intervals, resample

INSTEAD = {  # of what falls short of a demand
    "measurable": "a scheme with simpler rules",
    "substantial": "fewer segments",
    "accessible": "a scheme only for those who can be reached",
    "differentiable": "a scheme that tells later spend apart",
    "actionable": "a row in the playbook for every segment that pays",
}
DEEPEST = 8
FOLDS = 5
SAMPLE = 20_000  # customers that trees are grown on, at most
ACCURACY, DEPTH = "accuracy of a tree, out of sample", "depth of that tree"
SMALLEST, REVENUE = "smallest share of customers", "smallest share of revenue"
REACHED = "share of customers who can be reached"
ETA = "share of variance between segments, later"
TREATED = "share of customers with a treatment that pays"
UNTOLD = "not measured: "


@dataclass(frozen=True)
class Thresholds:
    """What is asked of segments: the least of each, and the greatest depth."""

    accuracy: float = 0.9
    depth: int = 4
    customers: float = 0.02  # of the smallest segment
    revenue: float = 0.01
    reachable: float = 0.8
    differentiable: float = 0.01  # of the lower end of the interval; a small effect is .01 [Cohen 1988]
    actionable: float = 0.8

    @classmethod
    def of(cls, asked):
        """Those that a mapping names, and the rest as they are. Raises InputError for others than there are."""
        known = [field.name for field in fields(cls)]
        if unknown := [name for name in asked if name not in known]:
            raise InputError(f"thresholds: there is no {', '.join(unknown)}; there are {', '.join(known)}")
        return cls(**asked)

    def __post_init__(self):
        shares = {name: value for name, value in asdict(self).items() if name != "depth"}
        wrong = [f"{name} = {v!r}: give a share, 0 to 1" for name, v in shares.items() if not 0 <= v <= 1]
        if not (1 <= self.depth <= DEEPEST and self.depth % 1 == 0):
            wrong.append(f"depth = {self.depth!r}: give a whole number, 1 to {DEEPEST}")
        if wrong:
            raise InputError(*(f"thresholds: {line}" for line in wrong))


def kotler(assignments, features, later, playbook=None, contact_cost=0.0, thresholds=None, replicates=1000, seed=1):
    """The five demands on each scheme: a frame, one row a scheme, demand and measure.

    assignments  : name -> labels Series, or a frame with a column a scheme; by customer. The playbook's rows are those
                   of the scheme that the Series is named for
    features     : of `tables.features` at the origin; `reachable` (true or false) and `expected_margin` where known
    later        : frame of `tables.later`; its `spend` tells whether segments differ
    playbook     : frame of `tables.playbook.load`; None leaves actionable unmeasured
    contact_cost : of treating one customer, in the currency of the data
    thresholds   : what is asked; None is `Thresholds()`
    returns
        scheme, demand, measure
        value, low, high   the measure, with its 95 % interval where there is one; that of variance between segments,
                           by bootstrap, is too wide where segments hardly differ
        threshold          what is asked of `value`, of `low` where segments are to differ
        passed             true, false, or NA where nothing was measured
        evidence           what else there is to know, or "not measured: " and why
    Raises InputError for labels or spend that are missing, fewer than two segments, and a contact cost below 0.
    """
    asked = thresholds or Thresholds()
    assignments = dict(assignments.items())
    if breaches := [*_faults(assignments, features, later, contact_cost, replicates)]:
        raise InputError(*breaches)
    rows = []
    for scheme, labels in assignments.items():
        held = features.loc[labels.index]
        found = [
            *_measurable(labels, held, asked, seed),
            *_substantial(labels, held.spend, asked),
            _accessible(labels, held, asked),
            _differentiable(labels, later.spend.loc[labels.index], asked, replicates, seed),
            _actionable(labels, held, playbook, contact_cost, asked),
        ]
        rows += [{"scheme": scheme} | row for row in found]
    return pd.DataFrame(rows).astype({"passed": "boolean"})


def meets_all(table):
    """Whether each scheme meets all demands that were measured: Verdicts, a scheme each.

    table : of `kotler`
    """
    return tuple(_met(scheme, rows) for scheme, rows in table.groupby("scheme", sort=False))


def side_by_side(table):
    """Each measure of each scheme below what is asked: a frame by scheme, "asked" the first, a column a measure.

    table : of `kotler`; NaN where nothing was measured
    """
    wide = table.pivot(index="scheme", columns="measure", values="value").loc[table.scheme.unique()]
    asked = table.drop_duplicates("measure").set_index("measure").threshold
    return pd.concat([asked.to_frame("asked").T, wide[asked.index]]).rename_axis(index="scheme", columns=None)


def tree_accuracy(labels, features, seed=1):
    """How well trees of features reproduce labels: a frame by depth, 1 to 8.

    accuracy  : share of customers whom a tree grown on others puts into their segment, five folds; at most 20,000
                customers, drawn with the seed
    low, high : its 95 % interval [Wilson 1927]
    All features that hold numbers for everyone are used, but not `reachable`.
    """
    columns = [n for n in features if n != "reachable" and is_numeric_dtype(features[n]) and features[n].notna().all()]
    rng = np.random.default_rng(seed)
    taken = rng.permutation(len(labels))[:SAMPLE]
    X, y = (
        features[columns].to_numpy(float)[taken],
        np.unique(labels.astype(str).to_numpy()[taken], return_inverse=True)[1],
    )
    fold, right = np.arange(len(y)) % FOLDS, np.zeros((DEEPEST, len(y)), dtype=bool)
    for k in range(FOLDS):
        out = fold == k
        tree = DecisionTreeClassifier(max_depth=DEEPEST, random_state=seed).fit(X[~out], y[~out])
        right[:, out] = tree.classes_[_by_depth(tree.tree_, X[out])] == y[out]
    ends = [stats.binomtest(int(r.sum()), len(y)).proportion_ci(method="wilson") for r in right]
    index = pd.RangeIndex(1, DEEPEST + 1, name="depth")
    return pd.DataFrame(
        {"accuracy": right.mean(axis=1), "low": [e.low for e in ends], "high": [e.high for e in ends]}, index
    )


def _by_depth(tree, X):
    """The class that a tree cut at each depth gives: an array, depths x rows."""
    says, node = tree.value[:, 0, :].argmax(axis=1), np.zeros(len(X), dtype=int)
    rows, found, single = np.arange(len(X)), [], X.astype(np.float32)  # as trees compare them
    for _ in range(DEEPEST):
        inner = tree.children_left[node] >= 0
        left = single[rows, np.where(inner, tree.feature[node], 0)] <= tree.threshold[node]
        node = np.where(inner, np.where(left, tree.children_left[node], tree.children_right[node]), node)
        found.append(says[node])
    return np.array(found)


def _measurable(labels, features, asked, seed):
    trees = tree_accuracy(labels, features, seed)
    enough = trees.index[trees.accuracy >= asked.accuracy]
    depth = int(enough[0] if len(enough) else trees.accuracy.idxmax())
    best, largest = trees.loc[depth], labels.value_counts(normalize=True)
    told = f"the largest segment alone is {largest.iloc[0]:.1%}"
    yield _row("measurable", ACCURACY, best.accuracy, asked.accuracy, best.accuracy >= asked.accuracy, told, *best[1:])
    place = "the first to reach it" if len(enough) else f"the best of {DEEPEST}, none of which reaches it"
    yield _row("measurable", DEPTH, depth, asked.depth, bool(len(enough)) and depth <= asked.depth, place)


def _substantial(labels, spend, asked):
    customers = labels.value_counts(normalize=True, sort=False)
    revenue = spend.groupby(labels, observed=False).sum() / spend.sum()
    empty = ", ".join(map(str, customers.index[customers == 0]))
    nobody = f"; nobody in {empty}" if empty else ""
    for measure, shares, least in ((SMALLEST, customers, asked.customers), (REVENUE, revenue, asked.revenue)):
        held = shares[customers > 0]
        yield _row("substantial", measure, held.min(), least, held.min() >= least, f"of {held.idxmin()}{nobody}")


def _accessible(labels, features, asked):
    if "reachable" not in features:
        told = f"{UNTOLD}there is no column 'reachable'; join CUSTOMERS"
        return _row("accessible", REACHED, np.nan, asked.reachable, pd.NA, told)
    known = reached(features.reachable)
    share = known.fillna(False).astype(float)
    by = share.groupby(labels, observed=True).mean()
    told = f"least in {by.idxmin()}, {by.min():.1%}"
    told += f"; not known of {blank:,}, taken as no" if (blank := int(known.isna().sum())) else ""
    return _row("accessible", REACHED, share.mean(), asked.reachable, share.mean() >= asked.reachable, told)


def _differentiable(labels, spend, asked, replicates, seed):
    """Share of the variance of later spend between segments, less what chance alone gives so many segments."""
    codes, y = np.unique(labels.astype(str).to_numpy(), return_inverse=True)[1], spend.to_numpy(float)
    held = (y != y[0]).any()
    if not held or codes.max() == 0:
        told = f"{UNTOLD}later spend is the same for all" if not held else f"{UNTOLD}all are of one segment"
        return _row("differentiable", ETA, np.nan, asked.differentiable, pd.NA, told)
    y = (y - y.mean()) / y.std()
    onehot = np.eye(codes.max() + 1)[codes]
    columns = np.hstack([onehot, onehot * y[:, None], (y**2)[:, None]])
    plain = float(_eta(columns.sum(axis=0)[None])[0])
    value = _less_chance(plain, len(y), codes.max() + 1)
    drawn = _eta(resample.totals(columns, replicates, seed))
    # a replicate has the chance of its own draw on top of that of the data
    low, high = intervals.tails(_less_chance(drawn, len(y), codes.max() + 1) - (plain - value))
    told = f"{number(plain, 3)} before what chance gives {codes.max() + 1} segments was taken off"
    return _row("differentiable", ETA, value, asked.differentiable, low > asked.differentiable, told, low, high)


def _eta(totals):
    """Variance between segments over all: from counts, sums and the sum of squares, a row a replicate."""
    k = totals.shape[1] // 2
    counts, sums, squares = totals[:, :k], totals[:, k:-1], totals[:, -1]
    n, mean = counts.sum(axis=1), sums.sum(axis=1) / counts.sum(axis=1)
    between = (np.divide(sums**2, counts, out=np.zeros_like(sums), where=counts > 0)).sum(axis=1) - n * mean**2
    whole = squares - n * mean**2
    return np.divide(between, whole, out=np.zeros_like(whole), where=whole > 0)


def _less_chance(eta, n, k):
    """Epsilon squared [Kelley 1935]."""
    return 1 - (1 - eta) * (n - 1) / max(n - k, 1)


def _actionable(labels, features, playbook, contact_cost, asked):
    lacking = "playbook" if playbook is None else "" if "expected_margin" in features else "column 'expected_margin'"
    if lacking:
        return _row("actionable", TREATED, np.nan, asked.actionable, pd.NA, f"{UNTOLD}there is no {lacking}; give one")
    rows = playbook.index[playbook.index.get_level_values("scheme") == labels.name].get_level_values("label")
    treated, pays = labels.astype(str).isin(rows), features.expected_margin > contact_cost
    without = [str(label) for label in labels.value_counts(sort=False).index if str(label) not in set(rows)]
    told = f"{treated.mean():.1%} with a row in the playbook, {pays.mean():.1%} expected to bring more than "
    told += f"{number(contact_cost)}" + (f"; no row for {', '.join(without)}" if without else "")
    share = (treated & pays).mean()
    return _row("actionable", TREATED, share, asked.actionable, share >= asked.actionable, told)


def _row(demand, measure, value, threshold, passed, evidence, low=np.nan, high=np.nan):
    ends = {"value": float(value), "low": float(low), "high": float(high), "threshold": float(threshold)}
    return {"demand": demand, "measure": measure, **ends, "passed": passed, "evidence": evidence}


def _met(scheme, rows):
    failed, blank = rows[rows.passed.eq(False).fillna(False)], rows[rows.passed.isna()]
    told = [
        f"{r.demand}: {r.measure} {r.value:.3g}, asked {r.threshold:.3g} ({r.evidence})" for r in failed.itertuples()
    ]
    told = told or [f"{rows.passed.sum()} of {len(rows)} measures as asked"]
    told += [f"{r.demand} {r.evidence}" for r in blank.itertuples()]
    claim = f"{scheme} meets Kotler's demands, as far as they were measured"
    return Verdict(
        claim, failed.empty, "; ".join(told), " and ".join(INSTEAD[demand] for demand in failed.demand.unique())
    )


def _faults(assignments, features, later, contact_cost, replicates):
    """What is wrong with the input, in words."""
    if not assignments:
        yield "assignments: there are no schemes; give one at least"
    yield from _spend_faults(features)
    if "spend" not in later:
        yield "later: no column 'spend' (spent after the origin); take the frame of `tables.later`"
    if not 0 <= contact_cost < np.inf or replicates < 1:
        yield f"contact_cost = {contact_cost!r}, replicates = {replicates!r}: give a cost of 0 or more, and replicates"
    for scheme, labels in assignments.items():
        yield from _labels_faults(scheme, labels, {"features": features, "later": later})


def _spend_faults(features):
    try:
        check(features, "a share of revenue", ["spend"])
    except InputError as problem:
        yield from problem.breaches
        return
    if not (total := features.spend.sum()) > 0:
        yield f"features: 'spend' of all {len(features):,} customers is {total:g}; revenue has no shares"


def _labels_faults(scheme, labels, frames):
    if blank := int(labels.isna().sum()):
        yield f"assignments: {scheme} has no label for {blank:,} of {len(labels):,} customers; assign them"
    if labels.nunique() < 2:
        yield f"assignments: {scheme} has {labels.nunique()} segment among its customers; two at least can be compared"
    if len(labels) < FOLDS:
        yield f"assignments: {scheme} has {len(labels)} customers; {FOLDS} at least are needed"
    for name, frame in frames.items():
        if unknown := labels.index.difference(frame.index).tolist():
            yield f"{name}: no row for {len(unknown):,} customers of {scheme} (first: {unknown[0]!r}); add them"
