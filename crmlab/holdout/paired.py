"""Rules against each other on what came later, each difference with its interval by a paired bootstrap."""

import numpy as np
import pandas as pd

from crmlab.holdout.measures import ERROR_MEASURES, MEASURES, TIE_TOLERANCE, Weighted

CELLS = 500_000  # weights drawn at a time: enough to be quick, few enough for a small machine
NO_VALUE = "no value: nothing came"  # of measures that divide by what came
ALL_CUSTOMERS = "all customers"
VALUE_COLUMNS = ["value", "ci_low", "ci_high", "difference", "difference_ci_low", "difference_ci_high"]
COLUMNS = [
    "population",
    "measure",
    "model",
    "is_baseline",
    *VALUE_COLUMNS[:3],
    "baseline",
    *VALUE_COLUMNS[3:],
    "outcome",
]


def compare(predictions, actual, weights=1, baselines=(), populations=None, unfitted=None, replicates=1000, seed=1):
    """Every measure of every rule, beside that of the best naive rule: a frame, one row a population, measure and rule.

    predictions : name -> expected Series, or a frame with a column a model
    actual      : what came, with a row for each of `weights` alike
    baselines   : names of the simple rules that the others must beat
    populations : name -> whose race it is, Series of bool; one without customers is left out. None is all customers
    unfitted    : name -> why a rule that was to take part has nothing to say
    returns
        population, measure, model
        is_baseline whether the model is one of `baselines`
        value       the measure; ci_low and ci_high: its 95 % interval
        baseline    the naive rule with the best value on these same customers, so that chance speaks for it
        difference  value less that of `baseline`, both without sign where 0 is best; difference_ci_low, …_ci_high
        outcome     "better" or "worse" than `baseline` where the interval of the difference leaves out 0, else
                    "undecided"; "reference" is `baseline` itself; "not fitted: …" and "no value: …" stand without
                    numbers
    Customers are drawn anew within each population, the same for all rules; replicates in which a measure says nothing
    are left out. An interval speaks for itself alone: one in twenty differences of nothing looks like something.
    """
    predictions = {name: np.asarray(expected, dtype=float) for name, expected in predictions.items()}
    if not baselines or not set(baselines) <= set(predictions):
        raise ValueError(
            f"baselines = {baselines!r}: name at least one of the rules {', '.join(map(repr, predictions))}"
        )
    actual = np.asarray(actual, dtype=float)
    weights = np.broadcast_to(weights, actual.shape)
    tables = []
    for population, held in (populations or {ALL_CUSTOMERS: weights > 0}).items():
        held = np.asarray(held) & (weights > 0)
        if held.any():
            own_predictions = {name: expected[held] for name, expected in predictions.items()}
            table = _compare_population(own_predictions, actual[held], weights[held], list(baselines), replicates, seed)
            tables.append(_with_unfitted(table, unfitted or {}).assign(population=population))
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def outcomes(table):
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


def _compare_population(predictions, actual, weights, baselines, replicates, seed):
    """The race of one population."""
    measured = lambda w: _measured(predictions.values(), actual, w)  # noqa: E731
    values, drawn = measured(weights), _bootstrapped(measured, weights, replicates, seed)
    names = pd.Index(predictions, name="model")
    tables = [
        _versus_best_baseline(
            values[:, i], drawn[:, i], names, names.isin(baselines), measure in ERROR_MEASURES
        ).assign(measure=measure.__name__)
        for i, measure in enumerate(MEASURES)
    ]
    table = pd.concat(tables).reset_index()
    return table.assign(outcome=outcomes(table))


def _versus_best_baseline(value, drawn, names, is_baseline, is_error):
    """One measure of each rule and its difference from the best naive rule: a frame by rule."""
    size = np.abs if is_error else np.positive
    merit = np.nan_to_num(-size(value) if is_error else value, nan=-np.inf)
    best = np.flatnonzero(is_baseline)[np.argmax(merit[is_baseline])]
    differences = size(drawn) - size(drawn[best])
    differences[np.abs(differences) <= TIE_TOLERANCE * size(drawn[best])] = 0  # no more than rounding
    ends = [pd.DataFrame(v.T).quantile([0.025, 0.975]).to_numpy() for v in (drawn, differences)]  # leaves out NaN
    columns = [value, *ends[0], size(value) - size(value[best]), *ends[1]]
    return pd.DataFrame(dict(zip(VALUE_COLUMNS, columns, strict=True)), names).assign(
        is_baseline=is_baseline, baseline=names[best]
    )


def _with_unfitted(table, unfitted):
    """The race with a row more for each measure and each rule that could not take part."""
    missing = [
        {
            "measure": measure,
            "model": model,
            "is_baseline": False,
            "baseline": baseline,
            "outcome": f"not fitted: {reason}",
        }
        for measure, baseline in table.groupby("measure", sort=False).baseline.first().items()
        for model, reason in unfitted.items()
    ]
    return pd.concat([table, pd.DataFrame(missing, columns=table.columns)]) if missing else table


def _measured(predictions, actual, weights):
    """Each measure of each rule: an array, rules x measures, and x replicates where `weights` is a matrix."""
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
