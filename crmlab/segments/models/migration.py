"""Who moved between segments from one day to another, who rose, who fell, and what they carried with them.

Classes run from the best to the last, as `assign` orders them: to rise is to move to a better one. For segments without
an order, such as clusters, to rise is to move to one of greater mean spend. By values that only grow, such as spend
so far, nobody falls: take a scheme of what customers did in a window.
"""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.model import needs_fit
from crmlab.stats.shares import wilson_interval

NEW, GONE = "new", "gone"
CHANGES = ("rose", "stayed", "fell", NEW, GONE)
COLUMNS = ["before", "after", "change", "customers", "n", "probability", "ci_low", "ci_high"]
COLUMNS += ["value_before", "value_after", "reason"]


@needs_fit
def customer_moves(
    before: pd.Series, after: pd.Series, value_before: pd.Series, value_after: pd.Series
) -> pd.DataFrame:
    """In which class each customer was, and is.

    Parameters
    ----------
    before, after : Series
        Classes of one scheme on an earlier and a later day, by customer_id; ordered categories, the best first.
    value_before, value_after : Series
        Value of each customer as of these days, in the currency of the data.

    Returns
    -------
    DataFrame
        By customer_id. before, after, classes, "new" for customers first known later and "gone" for those no longer
        known; change, "rose", "stayed", "fell", "new" or "gone"; value_before, value_after, in the currency of the
        data, 0 where the customer is new or gone.

    Raises
    ------
    InputError
        Where labels have no order, are empty or of two schemes, or a value is missing.
    """
    if breaches := [*_faults(before, after, value_before, value_after)]:
        raise InputError(*breaches)
    names = [*map(str, before.cat.categories)]
    everyone = before.index.union(after.index, sort=True)
    was, now = (labels.cat.codes.reindex(everyone, fill_value=-1).to_numpy() for labels in (before, after))
    moved = np.select([was < 0, now < 0, now < was, now > was], [3, 4, 0, 2], 1)
    found = {
        "before": pd.Categorical.from_codes(np.where(was < 0, len(names), was), [*names, NEW]),
        "after": pd.Categorical.from_codes(np.where(now < 0, len(names), now), [*names, GONE]),
        "change": pd.Categorical.from_codes(moved, list(CHANGES)),
    }
    for name, labels, value in (("before", before, value_before), ("after", after, value_after)):
        found[f"value_{name}"] = value.loc[labels.index].reindex(everyone, fill_value=0.0).to_numpy(float)
    return pd.DataFrame(found, everyone)


@needs_fit
def migration_matrix(
    before: pd.Series, after: pd.Series, value_before: pd.Series, value_after: pd.Series, level: float = 0.95
) -> pd.DataFrame:
    """How many customers moved from each class to each, and what they brought.

    Parameters
    ----------
    before, after : Series
        Classes of one scheme on an earlier and a later day, by customer_id; ordered categories, the best first.
    value_before, value_after : Series
        Value of each customer as of these days, in the currency of the data.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        A row for each pair of classes, best first, "new" and "gone" last where there are such customers. before, after;
        change, "rose", "stayed", "fell", "new" or "gone"; customers, count; n, customers in `before`; probability,
        share of n, 0 to 1, with ci_low, ci_high; value_before, value_after, sums in the currency of the data; reason
        why there is no probability.

    Raises
    ------
    InputError
        Where labels have no order, are empty or of two schemes, or a value is missing.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    each = customer_moves(before, after, value_before, value_after)
    by = [each.before, each.after]
    table = each[["value_before", "value_after"]].groupby(by, observed=False).sum()
    table.insert(0, "customers", each.groupby(by, observed=False).size())
    table = table.reset_index().astype({"before": object, "after": object})
    held = (table.before != NEW) | (each.before == NEW).any()
    held &= (table.after != GONE) | (each.after == GONE).any()
    table = table[held & ((table.before != NEW) | (table.after != GONE))].reset_index(drop=True)
    n = table.groupby("before").customers.transform("sum")
    places = {name: place for place, name in enumerate(map(str, before.cat.categories))}
    was, now = table.before.map(places), table.after.map(places)
    change = np.select([was.isna(), now.isna(), now < was, now > was], [NEW, GONE, "rose", "fell"], "stayed")
    table = table.assign(change=change, customers=table.customers.astype(int), n=n.astype(int))
    table["ci_low"], table["ci_high"] = wilson_interval(table.customers, n, level)
    table["probability"] = table.customers / n.where(n > 0)
    empty = "nobody was in " + table.before.astype(str)
    table["reason"] = empty.where(n == 0, "")
    return table[COLUMNS]


@needs_fit
def migration_summary(moves: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """How many customers rose, stayed and fell, and what they brought.

    Parameters
    ----------
    moves : DataFrame
        Of `migration_matrix`.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        By change. customers, count; share of the customers known on both days, and of all customers for "new" and
        "gone", 0 to 1, with ci_low, ci_high; value_before, value_after, sums, and value_change, in the currency of the
        data.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    sums = moves.groupby("change")[["customers", "value_before", "value_after"]].sum()
    sums = sums.reindex(
        [change for change in CHANGES if change in sums.index or change not in (NEW, GONE)], fill_value=0
    )
    known, every = sums.customers.drop([NEW, GONE], errors="ignore").sum(), sums.customers.sum()
    n = pd.Series(np.where(sums.index.isin([NEW, GONE]), every, known), sums.index)
    found = {"customers": sums.customers.astype(int), "share": sums.customers / n}
    found["ci_low"], found["ci_high"] = wilson_interval(sums.customers, n, level)
    values = sums[["value_before", "value_after"]]
    moves = pd.DataFrame(found).join(values).assign(value_change=values.value_after - values.value_before)
    return moves.rename_axis("change")


def _faults(before, after, value_before, value_after):
    """What is wrong with the input, in words."""
    sides = {"before": (before, value_before), "after": (after, value_after)}
    for name, (labels, value) in sides.items():
        if not isinstance(labels.dtype, pd.CategoricalDtype) or not labels.cat.ordered:
            yield f"{name}: labels are in no order; take the Series that `assign` of a scheme gives"
        elif taken := {NEW, GONE} & set(map(str, labels.cat.categories)):
            yield f"{name}: classes are called {', '.join(sorted(taken))}, names that moves have; rename them"
        if blank := int(labels.isna().sum()):
            yield f"{name}: no label for {blank:,} of {len(labels):,} customers; assign them"
        if labels.index.has_duplicates or not len(labels):
            twice = labels.index.duplicated().sum()
            yield f"{name}: {twice:,} of {len(labels):,} customers are there twice; give at least one, and one row each"
            continue
        lacking = labels.index.difference(value.index[np.isfinite(value.to_numpy(float))]).tolist()
        if lacking:
            yield f"value_{name}: empty for {len(lacking):,} customers (first: {lacking[0]!r}); fill it"
    kinds = [[*map(str, labels.cat.categories)] for labels, _ in sides.values() if hasattr(labels, "cat")]
    if len(kinds) == 2 and kinds[0] != kinds[1]:
        yield f"before has classes {', '.join(kinds[0])}, after {', '.join(kinds[1])}; assign both by one fitted scheme"
    if len(before.index.intersection(after.index)) == 0:
        yield "nobody is known on both days; take labels of the same customers"
