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
from crmlab.holdout.measures import ALIKE
from crmlab.result import Verdict, number
from crmlab.segments.models.cross_fit import MEASURES, folds_of, measured
from crmlab.segments.models.scheme import check, reason
from crmlab.segments.tables.features import collect, features, later

OUTCOMES = ("spend", "orders", "active")
RULES = {"past spend": "spend", "spend in the window": "window_spend", "recency": "-days_since_last"}
TITLES = {"gini": "Gini", "lift10": "lift of the top tenth", "r2": "R²"}
BOUNDS = {"gini": (-1, 1), "lift10": (0, 10), "r2": (-np.inf, 1)}  # what a measure can be
ALL_ORIGINS = "all origins"
BLANK = "cannot be estimated: "
LEAST = 10  # customers a fold, so that its best tenth is someone


@dataclass(frozen=True)
class Race:
    """How a race ended.

    schemes : one row an origin, outcome and scheme or rule, all origins last
        origin, outcome, scheme
        kind                 "scheme" or "continuous rule"
        segments             how many it has with customers in them, the most of all origins; NA for a rule
        gini, lift10, r2     the measure; and of each, as gini_…
        …_low, …_high        its 95 % interval
        …_against            the continuous rule that is best by it at this origin
        …_difference         from that rule; …_difference_low, …_difference_high: its 95 % interval
        …_says               "better", "worse", "no difference" where the interval holds 0, "reference" for the rule
                             itself, or "cannot be estimated: " and why
    pairs   : one row an origin, outcome, measure and pair of schemes
        origin, outcome, measure, scheme, other, difference (scheme less other), low, high, says
    As origins share customers, an interval of all origins is the mean of theirs: as wide as if all erred together. Each
    speaks for itself alone: one in twenty differences of nothing looks like something.
    """

    schemes: pd.DataFrame
    pairs: pd.DataFrame


def rounds(transactions, origins, horizon_days, window_days=365, *more):
    """What was known at each origin, and what came after: a dict, origin -> (features, later), as `race` takes them.

    origins : days; customers are those with an order by then, judged on the `horizon_days` that follow
    more    : each origin -> frame of further columns by customer_id, such as `expected_margin`, joined to the features;
              an origin that is not in it goes without
    """
    found = {}
    for origin in map(as_date, origins):
        known = collect(features(transactions, origin, window_days))
        for columns in more:
            known = known.join(columns[origin]) if origin in columns else known
        after = collect(later(transactions, origin, origin + timedelta(horizon_days)))
        found[origin] = (known, after)
    return found


def race(schemes, rounds, rules=None, folds=5, replicates=500, seed=1):
    """How well schemes foretell later spend, orders and activity, beside continuous rules: a Race.

    schemes : name -> what fits it to features, such as `ABC.fit`; it is fitted anew at each origin
    rounds  : origin -> (features, later), as `rounds` gives them
    rules   : name -> column of features, with a "-" before it where less is better; None is past spend, spend in the
              window and recency, and the discounted margin where there is `expected_margin`
    folds   : parts of the customers, each judged by means of the others; see `cross_fit`
    Measures are Gini, as in `holdout`; lift10, what the best tenth brings over what all bring, a customer; and r2, the
    share of variance foretold, beside the mean of the others. Intervals are of the bootstrap of customers.
    Raises InputError where there is nothing to race, columns are missing, or customers are too few.
    """
    rules = dict(rules or _rules(rounds))
    if breaches := [*_faults(schemes, rounds, rules, folds, replicates)]:
        raise InputError(*breaches)
    tables, pairs = [], []
    for origin, (known, after) in rounds.items():
        table, paired = _round(schemes, known.sort_index(), after, rules, folds, replicates, seed)
        tables.append(table.assign(origin=str(origin)))
        pairs.append(paired.assign(origin=str(origin)))
    table, paired = pd.concat(tables, ignore_index=True), pd.concat(pairs, ignore_index=True)
    return Race(_wide(_with_all(table, ["outcome", "measure", "scheme"])), _pairs_with_all(paired, len(rounds)))


def verdict(table, outcome="spend", measure="gini"):
    """Whether the best scheme foretells more than the best continuous rule, over all origins: a Verdict.

    table : `schemes` of a Race. Several schemes were tried, so that the best owes something to chance.
    """
    rows = table[(table.origin == ALL_ORIGINS) & (table.outcome == outcome) & (table.kind == "scheme")]
    claim = f"segments foretell later {outcome} better than the best continuous rule: {TITLES[measure]}"
    fitted = rows[rows[f"{measure}_difference"].notna()]
    if fitted.empty:
        return Verdict(claim, False, "; ".join(rows[f"{measure}_says"].unique()), "another horizon")
    best = fitted.loc[fitted[f"{measure}_difference"].idxmax()]
    value, apart, low, high, says, against = (
        best[f"{measure}{s}"] for s in ("", "_difference", "_difference_low", "_difference_high", "_says", "_against")
    )
    evidence = (
        f"{says}: the best of {len(rows)} schemes, {best.scheme}, has {number(value)}, apart by {number(apart)} "
        f"(95 % {number(low)} to {number(high)}) from {against}"
    )
    instead = f"{against} to order customers, and segments only where they are easier to act on"
    return Verdict(claim, says == "better", evidence, instead)


def _round(schemes, known, after, rules, folds, replicates, seed):
    """The race from one origin: the long table of measures, and that of pairs."""
    outcomes = after.loc[known.index, list(OUTCOMES)].to_numpy(float)
    codes, reasons = _labelled(schemes, known)
    scores = {name: _score(known, column) for name, column in rules.items()}
    fold = folds_of(len(known), folds, [seed, 0])
    drawn = measured([*codes.values()], [*scores.values()], outcomes, fold, replicates, [seed, 1])
    names = [*codes, *scores]
    table = pd.concat(
        [_measure(drawn[:, o, m], names, len(codes), measure).assign(outcome=outcome, measure=measure)
         for o, outcome in enumerate(OUTCOMES) for m, measure in enumerate(MEASURES)]
    )  # fmt: skip
    blank = [
        {"outcome": o, "measure": m, "scheme": name, "kind": "scheme", "says": BLANK + why}
        for name, why in reasons.items() for o in OUTCOMES for m in MEASURES
    ]  # fmt: skip
    table = pd.concat([table, pd.DataFrame(blank, columns=table.columns)]) if blank else table
    sizes = {name: len(np.unique(places)) for name, places in codes.items()}
    table["segments"] = table.scheme.map(sizes).astype("Int64")
    table["scheme"] = pd.Categorical(table.scheme, [*schemes, *rules])
    return table.sort_values("scheme", kind="stable"), _pairs(drawn, [*codes])


def _measure(drawn, names, schemes, measure):
    """One measure of one outcome: value, interval, and difference from the best continuous rule, a row a rule."""
    value = drawn[:, 0]
    table = pd.DataFrame({"scheme": names, "kind": "continuous rule", "value": value})
    table.loc[: schemes - 1, "kind"] = "scheme"
    if np.isnan(value).any():
        return table.assign(says=BLANK + "what came later is the same for all customers").astype({"says": object})
    best = schemes + int(np.argmax(value[schemes:]))
    low, high = (np.clip(end, *BOUNDS[measure]) for end in _ends(drawn))
    difference = _apart(drawn, drawn[best])
    apart_low, apart_high = _ends(difference)
    ends = {"low": low, "high": high, "against": names[best], "difference": difference[:, 0]}
    table = table.assign(**ends, difference_low=apart_low, difference_high=apart_high)
    table["says"] = _says(table.difference_low, table.difference_high)
    table.loc[best, "says"] = "reference"
    return table


def _pairs(drawn, names):
    """Differences between every two schemes: a frame."""
    rows = []
    for (i, one), (j, other) in combinations(enumerate(names), 2):
        apart = _apart(drawn[i], drawn[j])
        low, high = _ends(apart)
        for o, outcome in enumerate(OUTCOMES):
            for m, measure in enumerate(MEASURES):
                row = {"outcome": outcome, "measure": measure, "scheme": one, "other": other}
                rows.append(row | {"difference": apart[o, m, 0], "low": low[o, m], "high": high[o, m]})
    columns = ["outcome", "measure", "scheme", "other", "difference", "low", "high"]
    return pd.DataFrame(rows, columns=columns)


def _apart(one, other):
    """Differences; what is no more than rounding is 0."""
    apart = one - other
    return np.where(np.abs(apart) <= ALIKE * np.abs(other) + ALIKE, 0.0, apart)


def _ends(drawn):
    """The 95 % interval of the replicates, which stand behind the value on the last axis; NaN where none says much."""
    told = pd.DataFrame(drawn[..., 1:].reshape(-1, drawn.shape[-1] - 1).T).quantile([0.025, 0.975]).to_numpy()
    return told.reshape(2, *drawn.shape[:-1])


def _says(low, high):
    says = np.select([low.isna(), low > 0, high < 0], [BLANK + "no value", "better", "worse"], "no difference")
    return pd.Series(says, low.index, dtype=object)


def _with_all(table, keys):
    """The table with the rows of all origins, where a scheme was fitted at each of them."""
    numbers = ["value", "low", "high", "difference", "difference_low", "difference_high"]
    table = table.reindex(columns=["origin", *keys, "kind", "segments", *numbers, "against", "says"])
    by = table.groupby(keys, sort=False, observed=True)
    pooled = by[numbers].mean(skipna=False).join(by.agg(kind=("kind", "first"), segments=("segments", "max")))
    pooled = pooled.join(by.agg(against=("against", _listed), told=("says", _blanks))).reset_index()
    reference = by.says.agg(lambda says: (says == "reference").all()).to_numpy()
    says = _says(pooled.difference_low, pooled.difference_high).mask(reference, "reference")
    pooled["says"] = says.where(pooled.told == "", pooled.told)
    return pd.concat([table, pooled.drop(columns="told").assign(origin=ALL_ORIGINS)], ignore_index=True)


def _pairs_with_all(pairs, count):
    keys = ["outcome", "measure", "scheme", "other"]
    by = pairs.groupby(keys, sort=False)
    pooled = by[["difference", "low", "high"]].mean(skipna=False)[(by.size() == count).to_numpy()].reset_index()
    table = pd.concat([pairs, pooled.assign(origin=ALL_ORIGINS)], ignore_index=True)
    return table.assign(says=_says(table.low, table.high))[["origin", *keys, "difference", "low", "high", "says"]]


def _wide(table):
    """One row an origin, outcome and scheme; the columns of each measure behind its name."""
    keys, measures = ["origin", "outcome", "scheme", "kind", "segments"], []
    for measure in MEASURES:
        held = table[table.measure == measure].drop(columns="measure")
        names = {c: measure if c == "value" else f"{measure}_{c}" for c in held if c not in keys}
        measures.append(held.rename(columns=names).set_index(["origin", "outcome", "scheme"]))
    first, *rest = measures
    wide = first.join([one.drop(columns=["kind", "segments"]) for one in rest])
    front = ["kind", "segments", *MEASURES]
    return wide[[*front, *wide.columns.drop(front)]].reset_index().astype({"scheme": str})


def _labelled(schemes, known):
    """The segment of each customer by each scheme that can be fitted, from 0; and why others cannot."""
    codes, reasons = {}, {}
    for name, fit in schemes.items():
        try:
            labels = fit(known).assign(known)
        except InputError as problem:
            reasons[name] = reason(problem)
            continue
        codes[name] = np.unique(pd.Categorical(labels).codes, return_inverse=True)[1]
    return codes, reasons


def _score(known, column):
    values = known[column.removeprefix("-")].to_numpy(float)
    return -values if column.startswith("-") else values


def _rules(rounds):
    """The continuous rules that there are columns for at every origin."""
    asked = RULES | {"discounted margin": "expected_margin"}
    return {n: c for n, c in asked.items() if all(c.removeprefix("-") in known for known, _ in rounds.values())}


def _listed(names):
    return " or ".join(names.dropna().unique())


def _blanks(says):
    """Why there is nothing to say of all origins, "" where there is."""
    return next((s for s in says if s.startswith(BLANK)), "")


def _faults(schemes, rounds, rules, folds, replicates):
    """What is wrong with the input, in words."""
    for what, given in (("schemes", schemes), ("rounds", rounds), ("rules", rules)):
        if not given:
            yield f"{what}: there are none; give one at least"
    if both := sorted(set(schemes) & set(rules)):
        yield f"schemes: {', '.join(both)} is the name of a rule, too; give it another"
    if folds < 2 or replicates < 1:
        yield f"folds = {folds}, replicates = {replicates}: give 2 folds or more, and replicates"
    for origin, (known, after) in rounds.items():
        if len(known) < LEAST * folds:
            yield f"{origin}: {len(known):,} customers are too few for {folds} folds; {LEAST * folds} are needed"
        if absent := [c for c in OUTCOMES if c not in after]:
            yield f"{origin}: later has no column {', '.join(absent)}; take the frame of `tables.features.later`"
        if unknown := known.index.difference(after.index).tolist():
            yield f"{origin}: later lacks {len(unknown):,} customers (first: {unknown[0]!r}); take both at one origin"
        elif blank := [c for c in OUTCOMES if c in after and after.loc[known.index, c].isna().any()]:
            yield f"{origin}: later has empty {', '.join(blank)}; fill them with 0"
        for name, column in rules.items():
            bare = column.removeprefix("-")
            try:
                check(known, f"the rule {name!r}", [bare])
            except InputError as problem:
                yield from (f"{origin}: {breach}" for breach in problem.breaches)
