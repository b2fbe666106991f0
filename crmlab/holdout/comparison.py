"""Predictions against baselines on the holdout, each difference with its interval by a paired bootstrap."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from crmlab.holdout.measures import ERROR_MEASURES, MEASURES, TIE_TOLERANCE, Weighted
from crmlab.stats.intervals import percentile_interval

CELLS = 500_000  # weights drawn at a time: enough to be quick, few enough for a small machine
NOT_FITTED, NO_VALUE = "not fitted", "no value"  # outcomes without numbers, which come with a reason
NOTHING_CAME = "nothing came, so that the measure has no value"
ALL_CUSTOMERS = "all customers"
VALUE_COLUMNS = ["value", "ci_low", "ci_high", "difference", "difference_ci_low", "difference_ci_high"]
COLUMNS = [
    "population", "measure", "model", "is_baseline", *VALUE_COLUMNS[:3], "baseline", *VALUE_COLUMNS[3:], "outcome",
    "reason",
]  # fmt: skip


def compare(
    predictions: Mapping[str, Any],
    actual: Any,
    weights: Any = 1,
    baselines: Iterable[str] = (),
    populations: Mapping[str, Any] | None = None,
    unfitted: Mapping[str, str] | None = None,
    replicates: int = 1000,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """Every measure of every model, beside that of the best baseline.

    Customers are drawn anew within each population, the same for all models; replicates in which a measure has no value
    are left out. An interval speaks for itself alone: one in twenty differences of nothing looks like something.

    Parameters
    ----------
    predictions : mapping or DataFrame
        Name -> predicted Series, or a column a model.
    actual : array
        What was observed, with a row for each of `weights` customers alike.
    weights : array or int
        How many customers each row stands for.
    baselines : iterable of str
        Names of the predictions that the others must beat.
    populations : mapping, optional
        Name -> whose comparison it is, Series of bool; one without customers is left out. None is all customers.
    unfitted : mapping, optional
        Name -> why a model that was to take part could not be fitted.
    replicates, seed, level : int, int, float
        Of the bootstrap.

    Returns
    -------
    DataFrame
        A row for each population, measure and model: population, measure, model; is_baseline, whether it is one of
        `baselines`; value with ci_low and ci_high; baseline, the one with the best value on these same customers, so
        that luck speaks for it; difference, value less that of the baseline, both without sign where 0 is best, with
        difference_ci_low and difference_ci_high; outcome, "better" or "worse" than the baseline where the interval of
        the difference leaves out 0, else "undecided", "reference" for the baseline itself, "not fitted" or "no value"
        without numbers; reason, why there are none.

    Raises
    ------
    ValueError
        Where no baseline is named, or one that is not among the predictions.
    """
    predictions, baselines = {name: np.asarray(p, dtype=float) for name, p in predictions.items()}, list(baselines)
    if not baselines or not set(baselines) <= set(predictions):
        known = ", ".join(map(repr, predictions))
        raise ValueError(f"baselines = {baselines!r}: name at least one of the predictions {known}")
    actual = np.asarray(actual, dtype=float)
    weights = np.broadcast_to(weights, actual.shape)
    tables, names = [], [measure.__name__ for measure in MEASURES]
    for population, held in (populations or {ALL_CUSTOMERS: weights > 0}).items():
        held = np.asarray(held) & (weights > 0)
        if held.any():
            own = {name: expected[held] for name, expected in predictions.items()}
            values, drawn = _drawn(own, actual[held], weights[held], replicates, seed)
            tables.append(tabulate(values, drawn, list(own), baselines, names, unfitted, population, level))
    return pd.concat(tables, ignore_index=True)


def tabulate(
    values: np.ndarray,
    draws: np.ndarray,
    models: Sequence[str],
    baselines: Iterable[str],
    measures: Sequence[str],
    unfitted: Mapping[str, str] | None = None,
    population: str = ALL_CUSTOMERS,
    level: float = 0.95,
) -> pd.DataFrame:
    """The table of `compare`, from measures that were worked out and drawn elsewhere.

    Parameters
    ----------
    values : array
        Of models x measures.
    draws : array
        The same under resampling, models x measures x replicates, each replicate one draw of customers for all.
    models, measures : sequence of str
        Names of the rows and columns of `values`.
    baselines, unfitted, level : iterable of str, mapping, float
        As of `compare`.
    population : str
        Whose comparison it is.

    Returns
    -------
    DataFrame
        The columns of `compare`.
    """
    names = pd.Index(models, name="model")
    is_baseline, errors = names.isin(list(baselines)), [measure.__name__ for measure in ERROR_MEASURES]
    tables = [
        _versus_best_baseline(values[:, i], draws[:, i], names, is_baseline, measure in errors, level).assign(
            measure=measure
        )
        for i, measure in enumerate(measures)
    ]
    table = pd.concat(tables).reset_index()
    table = table.assign(outcome=outcomes(table))
    table = table.assign(reason=np.where(table.outcome == NO_VALUE, NOTHING_CAME, ""))
    return _with_unfitted(table, unfitted or {}).assign(population=population)[COLUMNS].reset_index(drop=True)


def outcomes(table: pd.DataFrame) -> pd.Series:
    """What the interval of each difference says, as `compare` words it: a Series."""
    is_error = table.measure.isin([measure.__name__ for measure in ERROR_MEASURES])
    above, below = table.difference_ci_low > 0, table.difference_ci_high < 0
    cases = {
        NO_VALUE: table.difference.isna(),
        "reference": table.model == table.baseline,
        "better": np.where(is_error, below, above),
        "worse": np.where(is_error, above, below),
    }
    return pd.Series(np.select([*cases.values()], [*cases], "undecided"), table.index)


def _drawn(predictions, actual, weights, replicates, seed):
    """Each measure of each model, and the same in customers drawn anew: two arrays."""

    def measured(drawn_weights):
        return _measured(predictions.values(), actual, drawn_weights)

    return measured(weights), _bootstrapped(measured, weights, replicates, seed)


def _versus_best_baseline(value, drawn, names, is_baseline, is_error, level):
    """One measure of each model and its difference from the best baseline: a frame by model."""
    size = np.abs if is_error else np.positive
    merit = np.nan_to_num(-size(value) if is_error else value, nan=-np.inf)
    best = np.flatnonzero(is_baseline)[np.argmax(merit[is_baseline])]
    differences = size(drawn) - size(drawn[best])
    differences[np.abs(differences) <= TIE_TOLERANCE * size(drawn[best])] = 0  # no more than rounding
    ends = [percentile_interval(v.T, level) for v in (drawn, differences)]
    columns = [value, *ends[0], size(value) - size(value[best]), *ends[1]]
    return pd.DataFrame(dict(zip(VALUE_COLUMNS, columns, strict=True)), names).assign(
        is_baseline=is_baseline, baseline=names[best]
    )


def _with_unfitted(table, unfitted):
    """The comparison with a row more for each measure and each model that could not take part."""
    missing = [
        {
            "measure": measure,
            "model": model,
            "is_baseline": False,
            "baseline": baseline,
            "outcome": NOT_FITTED,
            "reason": reason,
        }
        for measure, baseline in table.groupby("measure", sort=False).baseline.first().items()
        for model, reason in unfitted.items()
    ]
    return pd.concat([table, pd.DataFrame(missing, columns=table.columns)]) if missing else table


def _measured(predictions, actual, weights):
    """Each measure of each model: an array, models x measures, and x replicates where `weights` is a matrix."""
    actual = Weighted(actual, weights)
    each = (Weighted(expected, weights) for expected in predictions)
    return np.array([[measure(expected, actual) for measure in MEASURES] for expected in each])


def _bootstrapped(measured, weights, replicates, seed):
    """What `measured` says of the customers drawn anew: its arrays with the replicates along the last axis."""
    rng, count = np.random.default_rng(seed), int(weights.sum())
    step = max(CELLS // len(weights), 1)
    sizes = (min(step, replicates - begun) for begun in range(0, replicates, step))
    replicate_weights = (rng.multinomial(count, weights / count, size).T.astype(float, order="C") for size in sizes)
    return np.concatenate([measured(w) for w in replicate_weights], axis=-1)
