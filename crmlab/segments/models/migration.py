"""Who moved between segments from one day to another, who rose, who fell, and what they carried with them.

Classes run from the best to the last, as `assign` orders them: to rise is to move to a better one. For segments without
an order, such as clusters, to rise is to move to one of greater mean spend. By values that only grow, such as spend
so far, nobody falls: take a scheme of what customers did in a window.
"""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.model import needs_fit
from crmlab.orders import need_amounts
from crmlab.sentences import sentence, templates
from crmlab.stats.shares import wilson_interval

NEW, GONE = "new", "gone"
CHANGES = ("rose", "stayed", "fell", NEW, GONE)
COLUMNS = ["before", "after", "change", "customers", "n", "probability", "ci_low", "ci_high"]
COLUMNS += ["value_before", "value_after", "reason"]
SUMMARY_COLUMNS = ["customers", "share", "ci_low", "ci_high", "value_before", "value_after", "value_change", "summary"]


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
    for value in (value_before, value_after):
        need_amounts(value)
    if breaches := [*_faults(before, after, value_before, value_after)]:
        raise InputError(*breaches)
    names = [*map(str, before.cat.categories)]
    everyone = before.index.union(after.index, sort=True)
    was, now = (labels.cat.codes.reindex(everyone, fill_value=-1).to_numpy() for labels in (before, after))
    found = {
        "before": pd.Categorical.from_codes(np.where(was < 0, len(names), was), [*names, NEW]),
        "after": pd.Categorical.from_codes(np.where(now < 0, len(names), now), [*names, GONE]),
        "change": pd.Categorical(_changes(was, now), CHANGES),
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
    each = customer_moves(before, after, value_before, value_after).assign(customers=1)
    sums = each.groupby(["before", "after"], observed=False)[["customers", "value_before", "value_after"]].sum()
    table = sums.reset_index().astype({"before": object, "after": object})
    empty = ((table.before == NEW) & (each.before != NEW).all()) | ((table.after == GONE) & (each.after != GONE).all())
    table = table[~empty & ((table.before != NEW) | (table.after != GONE))].reset_index(drop=True)
    n = table.groupby("before").customers.transform("sum")
    places = {name: place for place, name in enumerate(map(str, before.cat.categories))}
    was, now = (table[side].map(places).fillna(-1) for side in ("before", "after"))
    low, high = wilson_interval(table.customers, n, level)
    table = table.assign(change=_changes(was, now), n=n, probability=table.customers / n.where(n > 0))
    reason = ("nobody was in " + table.before.astype(str)).where(n == 0, "")
    return table.assign(ci_low=low, ci_high=high, reason=reason)[COLUMNS]


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
        data; summary, where value goes against the change, as classes go by more than this value.

    References
    ----------
    Wilson (1927), Probable inference, the law of succession, and statistical inference.
    """
    sums = moves.groupby("change")[["customers", "value_before", "value_after"]].sum()
    shown = [change for change in CHANGES if change in sums.index or change not in (NEW, GONE)]
    sums = sums.reindex(shown, fill_value=0).rename_axis("change")
    ends = sums.index.isin([NEW, GONE])
    n = np.where(ends, sums.customers.sum(), sums.customers[~ends].sum())
    low, high = wilson_interval(sums.customers, n, level)
    table = sums.assign(share=sums.customers / n, ci_low=low, ci_high=high)
    table["value_change"] = table.value_after - table.value_before
    table["summary"] = [_against(change, more) for change, more in table.value_change.items()]
    return table[SUMMARY_COLUMNS]


def _against(change, more):
    """What to say of those who rose and bring less, or fell and bring more; "" of others."""
    case = {"rose": "rose_for_less" if more < 0 else "", "fell": "fell_for_more" if more > 0 else ""}.get(change)
    return sentence(templates("crmlab.segments")["notes"][case], {"amount": abs(more)}) if case else ""


def _changes(was, now):
    """What a move from one place to another is; places are below 0 where customers are not known."""
    return np.select([was < 0, now < 0, now < was, now > was], [NEW, GONE, "rose", "fell"], "stayed")


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
        elif lacking := labels.index.difference(value.index[np.isfinite(value.to_numpy(float))]).tolist():
            yield f"value_{name}: empty for {len(lacking):,} customers (first: {lacking[0]!r}); fill it"
    kinds = [[*map(str, labels.cat.categories)] for labels, _ in sides.values() if hasattr(labels, "cat")]
    if len(kinds) == 2 and kinds[0] != kinds[1]:
        yield f"before has classes {', '.join(kinds[0])}, after {', '.join(kinds[1])}; assign both by one fitted scheme"
    if before.index.intersection(after.index).empty:
        yield "nobody is known on both days; take labels of the same customers"
