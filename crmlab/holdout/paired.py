"""Rules against each other on what came later, each difference with its interval by a paired bootstrap."""

import numpy as np
import pandas as pd

from crmlab.holdout.measures import ALIKE, MEASURES, NEARER, Weighed

CELLS = 500_000  # weights drawn at a time: enough to be quick, few enough for a small machine
NO_VALUE = "no value: nothing came"  # of measures that divide by what came
EVERYONE = "all customers"
NUMBERS = ["value", "low", "high", "difference", "difference_low", "difference_high"]
COLUMNS = ["population", "measure", "rule", "naive", *NUMBERS[:3], "against", *NUMBERS[3:], "outcome"]


def race(rules, actual, customers=1, naive=(), populations=None, unfitted=None, replicates=1000, seed=1):
    """Every measure of every rule, beside that of the best naive rule: a frame, one row a population, measure and rule.

    rules       : name -> expected Series, or a frame with a column a rule
    actual      : what came, with a row for each of `customers` alike
    naive       : names of the simple rules that the others must beat
    populations : name -> whose race it is, Series of bool; one without customers is left out. None is all customers
    unfitted    : name -> why a rule that was to take part has nothing to say
    returns
        population, measure, rule
        naive       whether the rule is one of `naive`
        value       the measure; low and high: its 95 % interval
        against     the naive rule with the best value on these same customers, so that chance speaks for it
        difference  value less that of `against`, both without sign where 0 is best; difference_low, difference_high
        outcome     "better" or "worse" than `against` where the interval of the difference leaves out 0, else
                    "undecided"; "reference" is `against` itself; "not fitted: …" and "no value: …" stand without
                    numbers
    Customers are drawn anew within each population, the same for all rules; replicates in which a measure says nothing
    are left out. An interval speaks for itself alone: one in twenty differences of nothing looks like something.
    """
    rules = {name: np.asarray(expected, dtype=float) for name, expected in rules.items()}
    if not naive or not set(naive) <= set(rules):
        raise ValueError(f"naive = {naive!r}: name at least one of the rules {', '.join(map(repr, rules))}")
    actual = np.asarray(actual, dtype=float)
    customers = np.broadcast_to(customers, actual.shape)
    tables = []
    for population, held in (populations or {EVERYONE: customers > 0}).items():
        held = np.asarray(held) & (customers > 0)
        if held.any():
            told = {name: expected[held] for name, expected in rules.items()}
            table = _compared(told, actual[held], customers[held], list(naive), replicates, seed)
            tables.append(_with_unfitted(table, unfitted or {}).assign(population=population))
    return pd.concat(tables, ignore_index=True)[COLUMNS]


def outcomes(table):
    """What the interval of each difference says, as `race` words it: a Series."""
    nearer = table.measure.isin([measure.__name__ for measure in NEARER])
    above, below = table.difference_low > 0, table.difference_high < 0
    cases = {
        NO_VALUE: table.difference.isna(),
        "reference": table.rule == table.against,
        "better": np.where(nearer, below, above),
        "worse": np.where(nearer, above, below),
    }
    return pd.Series(np.select([*cases.values()], [*cases], "undecided"), table.index)


def _compared(rules, actual, customers, naive, replicates, seed):
    """The race of one population."""
    measured = lambda w: _measured(rules.values(), actual, w)  # noqa: E731
    values, drawn = measured(customers), _drawn(measured, customers, replicates, seed)
    names = pd.Index(rules, name="rule")
    tables = [
        _beside_best(values[:, i], drawn[:, i], names, names.isin(naive), measure in NEARER).assign(
            measure=measure.__name__
        )
        for i, measure in enumerate(MEASURES)
    ]
    table = pd.concat(tables).reset_index()
    return table.assign(outcome=outcomes(table))


def _beside_best(value, drawn, names, naive, nearer):
    """One measure of each rule and its difference from the best naive rule: a frame by rule."""
    size = np.abs if nearer else np.positive
    merit = np.nan_to_num(-size(value) if nearer else value, nan=-np.inf)
    best = np.flatnonzero(naive)[np.argmax(merit[naive])]
    apart = size(drawn) - size(drawn[best])
    apart[np.abs(apart) <= ALIKE * size(drawn[best])] = 0  # no more than rounding
    ends = [pd.DataFrame(v.T).quantile([0.025, 0.975]).to_numpy() for v in (drawn, apart)]  # leaves out NaN
    columns = [value, *ends[0], size(value) - size(value[best]), *ends[1]]
    return pd.DataFrame(dict(zip(NUMBERS, columns, strict=True)), names).assign(naive=naive, against=names[best])


def _with_unfitted(table, unfitted):
    """The race with a row more for each measure and each rule that could not take part."""
    missing = [
        {"measure": measure, "rule": rule, "naive": False, "against": against, "outcome": f"not fitted: {reason}"}
        for measure, against in table.groupby("measure", sort=False).against.first().items()
        for rule, reason in unfitted.items()
    ]
    return pd.concat([table, pd.DataFrame(missing, columns=table.columns)]) if missing else table


def _measured(rules, actual, customers):
    """Each measure of each rule: an array, rules x measures, and x replicates where `customers` is a matrix."""
    actual = Weighed(actual, customers)
    each = (Weighed(expected, customers) for expected in rules)
    return np.array([[measure(expected, actual) for measure in MEASURES] for expected in each])


def _drawn(measured, customers, replicates, seed):
    """What `measured` says of the customers drawn anew: its arrays with the replicates along the last axis."""
    rng, count = np.random.default_rng(seed), int(customers.sum())
    step = max(CELLS // len(customers), 1)
    sizes = (min(step, replicates - begun) for begun in range(0, replicates, step))
    weights = (rng.multinomial(count, customers / count, size).T.astype(float, order="C") for size in sizes)
    return np.concatenate([measured(w) for w in weights], axis=-1)
