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
    """Where each customer was and is: a frame by customer.

    before, after : labels of one scheme on an earlier and a later day, ordered Series by customer
    value_before, value_after : what customers bring as of these days, Series; in the currency of the data
    returns
        before, after              classes; "new" for customers first known later, "gone" for those no longer known
        change                     "rose", "stayed", "fell", "new" or "gone"
        value_before, value_after  0 where the customer was new, or is gone
    Raises InputError for labels of two kinds, without order or empty, and for values that are missing.
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
    """How many moved from each class to each, and what they brought: a frame, one row a pair of classes.

    Arguments and errors as of `customer_moves`.
    returns
        before, after              classes, best first; "new" after them where there are new customers, "gone" likewise
        change                     "rose", "stayed", "fell", "new" or "gone"
        customers                  who moved so, count
        n                          customers in `before`, count
        probability, ci_low, ci_high  share of `n`, 0 to 1, and its interval at `level` [Wilson 1927]
        value_before, value_after  what they brought before, and bring after; in the currency of the data
        reason                     why there is no probability
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
    """How many rose, stayed and fell, and what they carried: a frame by change.

    moves   : of `migration_matrix`
    returns
        customers                  count
        share, ci_low, ci_high     of the customers known on both days, 0 to 1, and its interval [Wilson 1927];
                                   of "new" and "gone" among all customers
        value_before, value_after  sums; value_change: what they bring more
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
