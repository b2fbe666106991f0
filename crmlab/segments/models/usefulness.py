"""Whether segments are of use: a race of schemes and continuous rules to foretell what customers do later.

A continuous rule orders customers by one feature, such as past spend. Segments throw away what that feature says within
them, so they must earn their place by what they say beyond it.
"""

from dataclasses import dataclass
from datetime import timedelta
from itertools import combinations

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.days import as_date
from crmlab.holdout.measures import TIE_TOLERANCE
from crmlab.result import Verdict, number
from crmlab.segments.models.cross_fit import MEASURES, assign_folds, cross_fitted_measures
from crmlab.segments.models.scheme import check_features, error_text
from crmlab.segments.tables.features import collect, customer_features, holdout_activity

TARGETS = ("spend", "orders", "active")
BASELINES = {"past spend": "spend", "spend in the window": "window_spend", "recency": "-days_since_last"}
TITLES = {"gini": "Gini", "lift10": "lift of the top tenth", "r2": "R²"}
BOUNDS = {"gini": (-1, 1), "lift10": (0, 10), "r2": (-np.inf, 1)}  # what a measure can be
ALL_ORIGINS = "all origins"
NOT_ESTIMATED = "cannot be estimated: "
MIN_FOLD_SIZE = 10  # customers a fold, so that its best tenth is someone


@dataclass(frozen=True)
class SchemeComparison:
    """How a race ended.

    schemes : one row an origin, target and scheme or rule, all origins last
        origin, target, scheme
        kind                 "model" or "baseline"
        segments             how many it has with customers in them, the most of all origins; NA for a rule
        gini, lift10, r2     the measure; and of each, as gini_…
        …_ci_low, …_ci_high        its 95 % interval
        …_baseline            the continuous rule that is best by it at this origin
        …_difference         from that rule; …_difference_ci_low, …_difference_ci_high: its 95 % interval
        …_outcome               "better", "worse", "no difference" where the interval holds 0, "reference" for the rule
                             itself, or "cannot be estimated: " and why
    pairs   : one row an origin, target, measure and pair of schemes
        origin, target, measure, model, other, difference (model less other), ci_low, ci_high, outcome
    As origins share customers, an interval of all origins is the mean of theirs: as wide as if all erred together. Each
    speaks for itself alone: one in twenty differences of nothing looks like something.
    """

    schemes: pd.DataFrame
    pairs: pd.DataFrame


def rolling_features(orders, origins, horizon_days, window_days=365, *more):
    """What was known at each origin, and what came after: a dict, origin -> (features, holdout).

    origins : days; customers are those with an order by then, judged on the `horizon_days` that follow
    more    : each origin -> frame of further columns by customer_id, such as `expected_margin`, joined to the features;
              an origin that is not in it goes without
    """
    found = {}
    for origin in map(as_date, origins):
        features = collect(customer_features(orders, origin, window_days))
        for columns in more:
            features = features.join(columns[origin]) if origin in columns else features
        holdout = collect(holdout_activity(orders, origin, origin + timedelta(horizon_days)))
        found[origin] = (features, holdout)
    return found


def compare_schemes(schemes, rounds, baselines=None, folds=5, replicates=500, seed=1):
    """How well schemes foretell later spend, orders and activity, beside continuous rules: a SchemeComparison.

    schemes : name -> what fits it to features, such as `ABC.fit`; it is fitted anew at each origin
    rounds  : origin -> (features, later), as `rolling_features` gives them
    baselines : name -> column of features, with a "-" before it where less is better; None is past spend, spend in the
              window and recency, and the discounted margin where there is `expected_margin`
    folds   : parts of the customers, each judged by means of the others; see `cross_fit`
    Measures are Gini, as in `holdout`; lift10, what the best tenth brings over what all bring, a customer; and r2, the
    share of variance foretold, beside the mean of the others. Intervals are of the bootstrap of customers.
    Raises InputError where there is nothing to race, columns are missing, or customers are too few.
    """
    baselines = dict(baselines or _default_baselines(rounds))
    if breaches := [*_faults(schemes, rounds, baselines, folds, replicates)]:
        raise InputError(*breaches)
    tables, pairs = [], []
    for origin, (features, holdout) in rounds.items():
        table, paired = _compare_at(schemes, features.sort_index(), holdout, baselines, folds, replicates, seed)
        tables.append(table.assign(origin=str(origin)))
        pairs.append(paired.assign(origin=str(origin)))
    table, paired = pd.concat(tables, ignore_index=True), pd.concat(pairs, ignore_index=True)
    return SchemeComparison(
        _wide(_with_all(table, ["target", "measure", "model"])), _pairs_with_all(paired, len(rounds))
    )


def schemes_beat_baselines(comparison, target="spend", measure="gini"):
    """Whether the best scheme foretells more than the best continuous rule, over all origins: a Verdict.

    comparison : `schemes` of a SchemeComparison. Several schemes were tried, so that the best owes something to chance.
    """
    rows = comparison[(comparison.origin == ALL_ORIGINS) & (comparison.target == target) & (comparison.kind == "model")]
    claim = f"segments foretell later {target} better than the best continuous rule: {TITLES[measure]}"
    fitted = rows[rows[f"{measure}_difference"].notna()]
    if fitted.empty:
        return Verdict(claim, False, "; ".join(rows[f"{measure}_outcome"].unique()), "another horizon")
    best = fitted.loc[fitted[f"{measure}_difference"].idxmax()]
    value, difference, ci_low, ci_high, outcome, baseline = (
        best[f"{measure}{s}"]
        for s in ("", "_difference", "_difference_ci_low", "_difference_ci_high", "_outcome", "_baseline")
    )
    evidence = (
        f"{outcome}: the best of {len(rows)} schemes, {best.model}, has {number(value)}, apart by {number(difference)} "
        f"(95 % {number(ci_low)} to {number(ci_high)}) from {baseline}"
    )
    instead = f"{baseline} to order customers, and segments only where they are easier to act on"
    return Verdict(claim, outcome == "better", evidence, instead)


def _compare_at(schemes, features, holdout, baselines, folds, replicates, seed):
    """The race from one origin: the long table of measures, and that of pairs."""
    targets = holdout.loc[features.index, list(TARGETS)].to_numpy(float)
    codes, reasons = _labelled(schemes, features)
    scores = {name: _score(features, column) for name, column in baselines.items()}
    fold = assign_folds(len(features), folds, [seed, 0])
    drawn = cross_fitted_measures([*codes.values()], [*scores.values()], targets, fold, replicates, [seed, 1])
    names = [*codes, *scores]
    table = pd.concat(
        [_measure(drawn[:, o, m], names, len(codes), measure).assign(target=target, measure=measure)
         for o, target in enumerate(TARGETS) for m, measure in enumerate(MEASURES)]
    )  # fmt: skip
    blank = [
        {"target": o, "measure": m, "model": name, "kind": "model", "outcome": NOT_ESTIMATED + why}
        for name, why in reasons.items() for o in TARGETS for m in MEASURES
    ]  # fmt: skip
    table = pd.concat([table, pd.DataFrame(blank, columns=table.columns)]) if blank else table
    sizes = {name: len(np.unique(places)) for name, places in codes.items()}
    table["segments"] = table.model.map(sizes).astype("Int64")
    table["model"] = pd.Categorical(table.model, [*schemes, *baselines])
    return table.sort_values("model", kind="stable"), _pairs(drawn, [*codes])


def _measure(drawn, names, schemes, measure):
    """One measure of one target: value, interval, and difference from the best continuous rule, a row a rule."""
    value = drawn[:, 0]
    table = pd.DataFrame({"model": names, "kind": "baseline", "value": value})
    table.loc[: schemes - 1, "kind"] = "model"
    if np.isnan(value).any():
        return table.assign(outcome=NOT_ESTIMATED + "what came later is the same for all customers").astype(
            {"outcome": object}
        )
    best = schemes + int(np.argmax(value[schemes:]))
    ci_low, ci_high = (np.clip(end, *BOUNDS[measure]) for end in _ends(drawn))
    difference = _difference(drawn, drawn[best])
    difference_ci_low, difference_ci_high = _ends(difference)
    ends = {"ci_low": ci_low, "ci_high": ci_high, "baseline": names[best], "difference": difference[:, 0]}
    table = table.assign(**ends, difference_ci_low=difference_ci_low, difference_ci_high=difference_ci_high)
    table["outcome"] = _outcome(table.difference_ci_low, table.difference_ci_high)
    table.loc[best, "outcome"] = "reference"
    return table


def _pairs(drawn, names):
    """Differences between every two schemes: a frame."""
    rows = []
    for (i, one), (j, other) in combinations(enumerate(names), 2):
        difference = _difference(drawn[i], drawn[j])
        ci_low, ci_high = _ends(difference)
        for o, target in enumerate(TARGETS):
            for m, measure in enumerate(MEASURES):
                row = {"target": target, "measure": measure, "model": one, "other": other}
                rows.append(row | {"difference": difference[o, m, 0], "ci_low": ci_low[o, m], "ci_high": ci_high[o, m]})
    columns = ["target", "measure", "model", "other", "difference", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=columns)


def _difference(one, other):
    """Differences; what is no more than rounding is 0."""
    difference = one - other
    return np.where(np.abs(difference) <= TIE_TOLERANCE * np.abs(other) + TIE_TOLERANCE, 0.0, difference)


def _ends(drawn):
    """The 95 % interval of the replicates, which stand behind the value on the last axis; NaN where none says much."""
    ends = pd.DataFrame(drawn[..., 1:].reshape(-1, drawn.shape[-1] - 1).T).quantile([0.025, 0.975]).to_numpy()
    return ends.reshape(2, *drawn.shape[:-1])


def _outcome(ci_low, ci_high):
    outcome = np.select(
        [ci_low.isna(), ci_low > 0, ci_high < 0], [NOT_ESTIMATED + "no value", "better", "worse"], "no difference"
    )
    return pd.Series(outcome, ci_low.index, dtype=object)


def _with_all(table, keys):
    """The table with the rows of all origins, where a scheme was fitted at each of them."""
    numbers = ["value", "ci_low", "ci_high", "difference", "difference_ci_low", "difference_ci_high"]
    table = table.reindex(columns=["origin", *keys, "kind", "segments", *numbers, "baseline", "outcome"])
    by = table.groupby(keys, sort=False, observed=True)
    pooled = by[numbers].mean(skipna=False).join(by.agg(kind=("kind", "first"), segments=("segments", "max")))
    pooled = pooled.join(by.agg(baseline=("baseline", _listed), unfitted_reason=("outcome", _blanks))).reset_index()
    reference = by.outcome.agg(lambda outcome: (outcome == "reference").all()).to_numpy()
    outcome = _outcome(pooled.difference_ci_low, pooled.difference_ci_high).mask(reference, "reference")
    pooled["outcome"] = outcome.where(pooled.unfitted_reason == "", pooled.unfitted_reason)
    return pd.concat([table, pooled.drop(columns="unfitted_reason").assign(origin=ALL_ORIGINS)], ignore_index=True)


def _pairs_with_all(pairs, count):
    keys = ["target", "measure", "model", "other"]
    by = pairs.groupby(keys, sort=False)
    pooled = by[["difference", "ci_low", "ci_high"]].mean(skipna=False)[(by.size() == count).to_numpy()].reset_index()
    table = pd.concat([pairs, pooled.assign(origin=ALL_ORIGINS)], ignore_index=True)
    return table.assign(outcome=_outcome(table.ci_low, table.ci_high))[
        ["origin", *keys, "difference", "ci_low", "ci_high", "outcome"]
    ]


def _wide(table):
    """One row an origin, target and scheme; the columns of each measure behind its name."""
    keys, measures = ["origin", "target", "model", "kind", "segments"], []
    for measure in MEASURES:
        held = table[table.measure == measure].drop(columns="measure")
        names = {c: measure if c == "value" else f"{measure}_{c}" for c in held if c not in keys}
        measures.append(held.rename(columns=names).set_index(["origin", "target", "model"]))
    first, *rest = measures
    wide = first.join([one.drop(columns=["kind", "segments"]) for one in rest])
    front = ["kind", "segments", *MEASURES]
    return wide[[*front, *wide.columns.drop(front)]].reset_index().astype({"model": str})


def _labelled(schemes, features):
    """The segment of each customer by each scheme that can be fitted, from 0; and why others cannot."""
    codes, reasons = {}, {}
    for name, fit in schemes.items():
        try:
            labels = fit(features).assign(features)
        except InputError as problem:
            reasons[name] = error_text(problem)
            continue
        codes[name] = np.unique(pd.Categorical(labels).codes, return_inverse=True)[1]
    return codes, reasons


def _score(features, column):
    values = features[column.removeprefix("-")].to_numpy(float)
    return -values if column.startswith("-") else values


def _default_baselines(rounds):
    """The continuous rules that there are columns for at every origin."""
    candidates = BASELINES | {"discounted margin": "expected_margin"}
    return {
        n: c for n, c in candidates.items() if all(c.removeprefix("-") in features for features, _ in rounds.values())
    }


def _listed(names):
    return " or ".join(names.dropna().unique())


def _blanks(outcome):
    """Why there is nothing to say of all origins, "" where there is."""
    return next((s for s in outcome if s.startswith(NOT_ESTIMATED)), "")


def _faults(schemes, rounds, baselines, folds, replicates):
    """What is wrong with the input, in words."""
    for what, given in (("schemes", schemes), ("rounds", rounds), ("baselines", baselines)):
        if not given:
            yield f"{what}: there are none; give one at least"
    if both := sorted(set(schemes) & set(baselines)):
        yield f"schemes: {', '.join(both)} is the name of a rule, too; give it another"
    if folds < 2 or replicates < 1:
        yield f"folds = {folds}, replicates = {replicates}: give 2 folds or more, and replicates"
    for origin, (features, holdout) in rounds.items():
        if len(features) < MIN_FOLD_SIZE * folds:
            yield (
                f"{origin}: {len(features):,} customers are too few for {folds} folds; "
                f"{MIN_FOLD_SIZE * folds} are needed"
            )
        if absent := [c for c in TARGETS if c not in holdout]:
            yield f"{origin}: holdout has no column {', '.join(absent)}; take the frame of `holdout_activity`"
        if unknown := features.index.difference(holdout.index).tolist():
            yield f"{origin}: holdout lacks {len(unknown):,} customers (first: {unknown[0]!r}); take both at one origin"
        elif blank := [c for c in TARGETS if c in holdout and holdout.loc[features.index, c].isna().any()]:
            yield f"{origin}: holdout has empty {', '.join(blank)}; fill them with 0"
        for name, column in baselines.items():
            bare = column.removeprefix("-")
            try:
                check_features(features, f"the rule {name!r}", [bare])
            except InputError as problem:
                yield from (f"{origin}: {breach}" for breach in problem.breaches)
