"""Whether segments are of use: a backtest of schemes and of continuous baselines that predict what customers do later.

A continuous baseline orders customers by one feature, such as past spend. Segments ignore the differences of that
feature within them, so they must predict more by what else they know.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import combinations, product
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from crmlab import holdout
from crmlab.contracts import InputError
from crmlab.dataset import Data
from crmlab.days import as_date
from crmlab.estimate import Estimate
from crmlab.holdout.comparison import COLUMNS, NO_VALUE, NOT_FITTED, NOTHING_CAME, VALUE_COLUMNS
from crmlab.holdout.measures import TIE_TOLERANCE
from crmlab.holdout.rolling import ALL_ORIGINS
from crmlab.model import FitError, blank_of, needs_fit
from crmlab.orders import NO_AMOUNTS, need_amounts, rows
from crmlab.segments.models.cross_fit import MEASURES, assign_folds, cross_fitted_measures
from crmlab.segments.models.scheme import SPEND, feature_faults
from crmlab.segments.tables.features import collect, customer_features, holdout_activity
from crmlab.segments.tables.stores import store_strength
from crmlab.sentences import sentence, templates
from crmlab.stats.intervals import percentile_interval

TARGETS = ("spend", "orders", "active")
BASELINES = {"past spend": "spend", "spend in the window": "window_spend", "recency": "-days_since_last"}
MARGIN_BASELINE = {"discounted margin": "expected_margin"}
BOUNDS = {"gini": (-1, 1), "lift": (0, 10), "r2": (-np.inf, 1)}  # what a measure can be
PAIR_KEYS = ["target", "measure", "model", "other"]
PAIR_ENDS = ["difference", "difference_ci_low", "difference_ci_high"]
WITHOUT_AMOUNTS = FitError(*NO_AMOUNTS).advised
MIN_FOLD_SIZE = 10  # customers a fold, so that its best tenth is someone

Rolling = Mapping[Any, tuple[pd.DataFrame, pd.DataFrame]]


def rolling_features(
    orders: Data | ir.Table,
    origins: Sequence[date | str],
    horizon_days: int,
    window_days: int = 365,
    margins: pd.DataFrame | None = None,
) -> dict[date, tuple[pd.DataFrame, pd.DataFrame]]:
    """What is known of customers at each origin, and what they did after it.

    Parameters
    ----------
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    origins : sequence of days
        Customers are those with an order by then, judged on the `horizon_days` that follow.
    horizon_days, window_days : int
        Length of the holdout after each origin, and of the window before it, days.
    margins : DataFrame, optional
        `expected_margin` by origin and customer_id, as `clv.expected_margins` gives them; an origin of which it is
        empty goes without.

    Returns
    -------
    dict
        Origin -> (features, holdout): frames by customer_id, of `customer_features` with `store_strength` where stores
        are known and `expected_margin` where it is, and of `holdout_activity`.
    """
    table, found = rows(orders), {}
    for origin in map(as_date, origins):
        features = collect(customer_features(table, origin, window_days))
        if "store_id" in table.columns:
            strength = collect(store_strength(table, origin, window_days=window_days))
            features = features.join(strength[["store_strength"]])
        features = features.join(_margins_on(margins, origin))
        activity = collect(holdout_activity(table, origin, origin + timedelta(horizon_days)))
        found[origin] = (features, activity)
    return found


def origin_note(margins: pd.DataFrame, orders: Data | ir.Table, origins: Sequence[date | str], window_days: int) -> str:
    """Say at which origins no margin is expected, and why; which by which model, where this differs; and where the data
    do not fill the window.

    Parameters
    ----------
    margins : DataFrame
        expected_margin, model and reason by origin and customer_id, of `clv.expected_margins`.
    orders : Data or Ibis table
        Rows of the TRANSACTIONS contract.
    origins : sequence of days
        Days that windows end with.
    window_days : int
        Length of the window, days.

    Returns
    -------
    str
        Sentences; empty where nothing is left out.
    """
    blank = margins[margins.expected_margin.isna()].reset_index().drop_duplicates("origin")
    without: dict[str, list[str]] = {}
    for row in blank.itertuples():
        without.setdefault(row.reason, []).append(str(as_date(row.origin)))
    said = [sentence(_notes()["no_margin"], {"days": ", ".join(of), "reason": why}) for why, of in without.items()]
    known = margins[margins.expected_margin.notna()].reset_index().drop_duplicates("origin")
    days = {model: ", ".join(str(as_date(day)) for day in of) for model, of in known.groupby("model").origin}
    if len(days) > 1:
        by = "; ".join(f"by {model} on {on}" for model, on in days.items())
        said.append(sentence(_notes()["models"], {"by": by}))
    first = rows(orders).time.date().min().execute()
    short = [day for day in map(as_date, origins) if pd.notna(first) and (day - as_date(first)).days < window_days - 1]
    if short:
        said.append(sentence(_notes()["short_window"], {"days": ", ".join(map(str, short))}))
    return " ".join(said)


def _notes():
    return templates("crmlab.segments")["notes"]


def compare_schemes(
    schemes: Mapping[str, Callable[[pd.DataFrame], Any]],
    rolling: Rolling,
    baselines: Mapping[str, str] | None = None,
    folds: int = 5,
    replicates: int = 500,
    seed: int = 1,
    level: float = 0.95,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """How well schemes predict later spend, orders and activity, beside baselines: a rolling-origin backtest.

    In each of `folds` parts of the customers, a segment predicts the mean of its customers in the other parts, and a
    baseline the rising curve fitted to them (see `cross_fit`). Intervals are of the bootstrap of customers.

    Parameters
    ----------
    schemes : mapping
        Name -> what fits it to features, of `define_schemes` or such as `ABC.fit`; fitted anew at each origin.
    rolling : mapping
        Origin -> (features, holdout), of `rolling_features`.
    baselines : mapping, optional
        Name -> column of features, with a "-" before it where less is better. None is past spend, spend in the window
        and recency, and the discounted margin where each origin has `expected_margin`.
    folds, replicates, seed, level : int, int, int, float
        Parts of the customers; draws of the bootstrap, where they begin, and the confidence level.

    Returns
    -------
    comparison : DataFrame
        The columns of `holdout.rolling`, "all origins" last, and target (spend, orders, active) and segments, how many
        have customers in them, the most of all origins. Measures are gini and lift as of `holdout`, and r2, the share
        of variance predicted beside the mean of the other parts. An origin with fewer than 10 customers a part
        is left out: its rows are "not fitted", and say how many are needed.
    pairs : DataFrame
        A row for each origin, target, measure and pair of schemes: model, other, difference (model less other),
        difference_ci_low, difference_ci_high, outcome, reason.

    Raises
    ------
    InputError
        Where there is nothing to compare, or columns are missing.

    Examples
    --------
    >>> from crmlab import catalog, segments
    >>> rolling = segments.rolling_features(catalog.orders("cdnow_sample"), ["1997-09-30"], 180, window_days=180)
    >>> comparison, pairs = segments.compare_schemes({"abc": segments.ABC.fit}, rolling, replicates=50)
    >>> comparison.query("model == 'abc' and target == 'spend' and measure == 'gini'").iloc[-1][["baseline", "outcome"]]
    baseline    past spend
    outcome          worse
    Name: 12, dtype: object
    """
    baselines = dict(baselines or _default_baselines(rolling))
    if breaches := [*_faults(schemes, rolling, baselines, folds, replicates)]:
        raise InputError(*breaches)
    few = {origin: _too_few(len(features), folds) for origin, (features, _) in rolling.items()}
    found = {
        origin: _left_out([*schemes, *baselines], baselines, few[origin])
        if few[origin]
        else _compare_at(schemes, features.sort_index(), activity, baselines, folds, replicates, seed, level)
        for origin, (features, activity) in rolling.items()
    }
    table = pd.concat([_pooled(found, target) for target in TARGETS], ignore_index=True)
    table = table[["origin", "origins", "target", *table.columns.drop(["origin", "origins", "target"])]]
    if all(few.values()):
        table["reason"] = table.reason.where(table.origin != ALL_ORIGINS, [*few.values()][-1])
    without = table.reason == WITHOUT_AMOUNTS
    at_no_origin = without.groupby([table.target, table.measure, table.model]).transform("sum") == len(rolling)
    table["reason"] = table.reason.mask(at_no_origin, WITHOUT_AMOUNTS)
    pairs = pd.concat([paired.assign(origin=str(o)) for o, (_, _, paired) in found.items()], ignore_index=True)
    return table, _pairs_with_all(pairs, sum(not reason for reason in few.values()))


@needs_fit
def baseline_differences(comparison: pd.DataFrame, measure: str = "gini", target: str = "spend") -> pd.DataFrame:
    """The schemes of a comparison over all origins, by one measure of one target.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_schemes`.
    measure : str
        Measure of prediction: "gini", "lift" or "r2".
    target : str
        What is predicted: "spend", "orders" or "active".

    Returns
    -------
    DataFrame
        Rows of `comparison` with a value, the best scheme first, baselines last. Blank where no scheme has one.
    """
    rows = _over_all(comparison, measure, target)
    known = rows.dropna(subset="value")
    if known.is_baseline.all():
        return blank_of(pd.DataFrame, "; ".join(dict.fromkeys(rows.reason[~rows.is_baseline])))
    known = known.sort_values("difference", ascending=False, kind="stable")
    return known.sort_values("is_baseline", kind="stable", ignore_index=True)


def scheme_estimates(comparison: pd.DataFrame, measure: str = "gini", target: str = "spend") -> dict[str, Estimate]:
    """A measure of each scheme and baseline over all origins.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_schemes`.
    measure : str
        Measure of prediction: "gini", "lift" or "r2".
    target : str
        What is predicted: "spend", "orders" or "active".

    Returns
    -------
    dict
        Name -> Estimate, blank with the reason where there is no value.
    """
    return {
        row.model: Estimate(row.value, row.ci_low, row.ci_high, reason=row.reason)
        for row in _over_all(comparison, measure, target).itertuples()
    }


def _over_all(comparison, measure, target):
    """The rows of a comparison over all origins, by one measure of one target."""
    held = (comparison.origin == ALL_ORIGINS) & (comparison.target == target) & (comparison.measure == measure)
    return comparison[held]


def _unknown_targets(activity):
    """Targets that the data do not hold, each with the reason: spend, where there are no amounts."""
    held = activity.reindex(columns=[*TARGETS])
    try:
        need_amounts(held.spend[held.orders > 0])
    except FitError as problem:
        return {"spend": problem.advised}
    return {}


def _known_targets(activity):
    unknown = _unknown_targets(activity)
    return [target for target in TARGETS if target in activity and target not in unknown]


def _compare_at(schemes, features, activity, baselines, folds, replicates, seed, level):
    """The backtest from one origin: the comparison by target, the number of segments by scheme, and the pairs."""
    known = _known_targets(activity)
    targets = activity.loc[features.index, known].to_numpy(float)
    codes, reasons = _labelled(schemes, features)
    scores = {name: _score(features, column) for name, column in baselines.items()}
    fold = assign_folds(len(features), folds, [seed, 0])
    drawn = cross_fitted_measures([*codes.values()], [*scores.values()], targets, fold, replicates, [seed, 1])
    order = {name: place for place, name in enumerate([*schemes, *baselines])}
    by_target = {
        target: _without_values(order, baselines, reason) for target, reason in _unknown_targets(activity).items()
    }
    for o, target in enumerate(known):
        values = drawn[:, o, :, 0].copy()
        values[:, np.isnan(values).any(axis=0)] = np.nan
        names, draws = [*codes, *scores], drawn[:, o, :, 1:]
        table = holdout.tabulate(values, draws, names, baselines, MEASURES, reasons, level=level)
        lower, upper = (table.measure.map(lambda measure, end=end: float(BOUNDS[measure][end])) for end in (0, 1))
        table = table.assign(**{end: table[end].clip(lower, upper) for end in ("ci_low", "ci_high")})
        by_target[target] = table.sort_values("model", key=lambda names: names.map(order), kind="stable")
    sizes = {name: len(np.unique(places)) for name, places in codes.items()}
    return by_target, sizes, _pairs(drawn, [*codes], known, level)


def _too_few(customers, folds):
    needed = MIN_FOLD_SIZE * folds
    return "" if customers >= needed else f"{customers:,} customers are too few for {folds} folds; {needed} are needed"


def _left_out(names, baselines, reason):
    """What `_compare_at` gives of an origin from which nothing can be compared."""
    table = _without_values(names, baselines, reason)
    return dict.fromkeys(TARGETS, table), {}, _pairs(np.empty(0), [], TARGETS, 0.95)


def _without_values(names, baselines, reason):
    """The comparison by a target by which nothing can be compared."""
    rows = [{"population": holdout.ALL_CUSTOMERS, "measure": m, "model": name} for m, name in product(MEASURES, names)]
    table = pd.DataFrame(rows, columns=COLUMNS).astype(dict.fromkeys(VALUE_COLUMNS, float))
    return table.assign(is_baseline=table.model.isin([*baselines]), baseline="", outcome=NOT_FITTED, reason=reason)


def _pooled(found, target):
    """The comparison of a target over origins, with the number of segments, the most of all where they are pooled."""
    table = holdout.over_origins({origin: by_target[target] for origin, (by_target, _, _) in found.items()})
    sizes = pd.DataFrame({str(origin): pd.Series(s, dtype=float) for origin, (_, s, _) in found.items()})
    sizes[ALL_ORIGINS] = sizes.max(axis=1)
    joined = table.join(sizes.stack().rename("segments"), on=["model", "origin"])
    return joined.assign(target=target, segments=joined.segments.astype("Int64"))


def _pairs(drawn, names, targets, level):
    """Differences between every two schemes: a frame."""
    found = []
    for (i, one), (j, other) in combinations(enumerate(names), 2):
        difference, rounding = drawn[i] - drawn[j], TIE_TOLERANCE * (1 + np.abs(drawn[j]))
        difference = np.where(np.abs(difference) <= rounding, 0.0, difference)
        low, high = percentile_interval(np.moveaxis(difference[..., 1:], -1, 0), level)
        for (o, target), (m, measure) in product(enumerate(targets), enumerate(MEASURES)):
            found.append((target, measure, one, other, difference[o, m, 0], low[o, m], high[o, m]))
    return pd.DataFrame(found, columns=[*PAIR_KEYS, *PAIR_ENDS]).astype(dict.fromkeys(PAIR_ENDS, float))


def _pairs_with_all(pairs, count):
    """The pairs with those over all origins, where both schemes were fitted at each."""
    by = pairs.groupby(PAIR_KEYS, sort=False)
    pooled = by[PAIR_ENDS].mean(skipna=False)[(by.size() == count).to_numpy()].reset_index()
    table = pd.concat([pairs, pooled.assign(origin=ALL_ORIGINS)], ignore_index=True)
    cases = [table.difference.isna(), table.difference_ci_low > 0, table.difference_ci_high < 0]
    outcome = np.select(cases, [NO_VALUE, "better", "worse"], "undecided")
    table = table.assign(outcome=outcome, reason=np.where(outcome == NO_VALUE, NOTHING_CAME, ""))
    return table[["origin", *PAIR_KEYS, *PAIR_ENDS, "outcome", "reason"]]


def _labelled(schemes, features):
    """The segment of each customer by each scheme that can be fitted, from 0; and why others cannot."""
    codes, reasons = {}, {}
    for name, fit in schemes.items():
        if scheme := fit(features):
            codes[name] = np.unique(pd.Categorical(scheme.assign(features)).codes, return_inverse=True)[1]
        else:
            reasons[name] = str(scheme)
    return codes, reasons


def _score(features, column):
    values = features[column.removeprefix("-")].to_numpy(float)
    return -values if column.startswith("-") else values


def _margins_on(margins, origin):
    """The margins that are expected on a day: a frame with that column, or with none."""
    if margins is None or margins.empty:
        return pd.DataFrame()
    days = margins.index.get_level_values("origin").map(as_date)
    held = margins.loc[days == origin, ["expected_margin"]].droplevel("origin").dropna()
    return held if len(held) else pd.DataFrame()


def _default_baselines(rolling):
    """The continuous baselines that there are columns for at every origin; without spend where there are no amounts."""
    frames = [features for features, _ in rolling.values()]
    without = SPEND if any(_unknown_targets(activity) for _, activity in rolling.values()) else ()
    known = {name: column for name, column in (BASELINES | MARGIN_BASELINE).items() if column not in without}
    return {name: c for name, c in known.items() if all(c.removeprefix("-") in features for features in frames)}


def _faults(schemes, rolling, baselines, folds, replicates):
    """What is wrong with the input, in words."""
    for what, given in (("schemes", schemes), ("rolling", rolling), ("baselines", baselines)):
        if not given:
            yield f"{what}: there are none; give one at least"
    if both := sorted(set(schemes) & set(baselines)):
        yield f"schemes: {', '.join(both)} is the name of a baseline, too; give it another"
    if folds < 2 or replicates < 1:
        yield f"folds = {folds}, replicates = {replicates}: give 2 folds or more, and replicates"
    for origin, (features, activity) in rolling.items():
        if absent := [c for c in TARGETS if c not in activity]:
            yield f"{origin}: holdout has no column {', '.join(absent)}; take the frame of `holdout_activity`"
        if unknown := features.index.difference(activity.index).tolist():
            yield f"{origin}: holdout lacks {len(unknown):,} customers (first: {unknown[0]!r}); take both at one origin"
        elif blank := [c for c in _known_targets(activity) if activity.loc[features.index, c].isna().any()]:
            yield f"{origin}: holdout has empty {', '.join(blank)}; fill them with 0"
        for name, column in baselines.items():
            faults = feature_faults(features, f"the baseline {name!r}", [column.removeprefix("-")])
            yield from (f"{origin}: {fault}" for fault in faults)
