"""The same race run from several origins, as one period may flatter a rule."""

from datetime import timedelta

import pandas as pd

from crmlab.contracts import InputError
from crmlab.holdout.paired import NUMBERS, outcomes, race

ALL_ORIGINS = "all origins"
KEYS = ["population", "measure", "rule"]


def origins(first, last, horizon_days, count=3):
    """`count` days to foretell `horizon_days` from, evenly placed, oldest first: dates.

    first, last : first and last day of the data
    The latest leaves a holdout that ends on `last`; the oldest comes after half as many days as the latest, so that
    there is something to learn from. Raises InputError where the data are too short.
    """
    span, least = (last - first).days, max(2 * (count - 1), 1)
    longest = span - horizon_days
    if count < 1 or horizon_days < 1 or longest < least:
        raise InputError(
            f"{count} origins with {horizon_days} days after each do not fit into the {span} days from {first} to "
            f"{last}; choose at least one origin, and at least one day but no more than {span - least}"
        )
    return [first + timedelta(longest - longest // 2 * back // max(count - 1, 1)) for back in reversed(range(count))]


def rolling(rounds, **options):
    """`race` from each origin and over all of them: its frame behind the column origin, "all origins" last.

    rounds  : origin -> arguments of `race` by name
    options : arguments of `race` that all share
    The rows of all origins hold means over them. A difference is from the best naive rule of its origin, and `against`
    names all of those. As origins share customers, and holdouts may overlap, an interval is the mean of theirs: as wide
    as if all erred together, and so not too narrow. A rule that was not fitted from every origin has no mean.
    """
    each = [race(**arguments, **options).assign(origin=str(origin)) for origin, arguments in rounds.items()]
    table = pd.concat(each, ignore_index=True)
    table = pd.concat([table, _pooled(table)], ignore_index=True)
    return table[["origin", *table.columns.drop("origin")]]


def _pooled(table):
    """The rows of all origins."""
    parts = table.assign(out=table.outcome.str.startswith("not fitted")).groupby(KEYS, sort=False)
    told = parts.agg(naive=("naive", "first"), against=("against", _alternatives), out=("out", "sum"))
    pooled = parts[NUMBERS].mean(skipna=False).join(told).reset_index()
    missing = [f"not fitted from {count} of {table.origin.nunique()} origins" for count in pooled.out]
    return pooled.assign(outcome=outcomes(pooled).where(pooled.out == 0, missing), origin=ALL_ORIGINS).drop(
        columns="out"
    )


def _alternatives(rules):
    return " or ".join(rules.unique())
