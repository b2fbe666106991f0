"""The portfolio of customers: how far value is concentrated, where it lies, and what is done about whom.

[Buttle, customer portfolio analysis; Peppers & Rogers, identify - differentiate - interact - customise]
"""

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.segments.models.scheme import to_boolean, to_floats

TOP_SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
TREATMENT_FIELDS = ["principle", "owner", "budget_share", "success"]
NOT_MEASURED = "not measured: "


def value_concentration(value, shares=TOP_SHARES):
    """What the best customers bring: a frame by share of customers.

    value   : of each customer, Series; who brings 0 or less counts as 0
    shares  : of customers, the best first, rising
    returns : customers, count, at least one; value, their sum; value_share of all, 0 to 1
    Raises InputError for shares out of order, and value that is empty or not above 0 for anyone.
    """
    shares = np.array(shares, float)
    breaches = [*_value_faults(value)]
    if not shares.size or not ((shares > 0) & (shares <= 1)).all() or (np.diff(shares) <= 0).any():
        breaches.append(f"shares = {tuple(shares.tolist())}: give shares of customers that rise, above 0 and up to 1")
    if breaches:
        raise InputError(*breaches)
    best = np.sort(np.clip(value.to_numpy(float), 0, None))[::-1]
    customers = np.clip(np.round(shares * len(best)).astype(int), 1, None)
    brought = np.cumsum(best)[customers - 1]
    found = {"customers": customers, "value": brought, "value_share": brought / best.sum()}
    return pd.DataFrame(found, pd.Index(shares, name="share"))


def segment_portfolio(labels, value, stage=None, clv=None):
    """Where customers and value lie: a frame by segment, and by lifecycle stage where stages are given.

    labels  : of a scheme, ordered Series by customer
    value   : of each customer, Series, in the currency of the data
    stage   : lifecycle stage of each customer, Series of text or ordered
    clv     : expected value of each customer to come, Series, in the currency of the data
    returns : customers, share of them; value, value_share; with `clv`: clv, clv_share and clv_mean. Empty cells too:
              means are 0 there, and shares where the sum is 0
    Raises InputError where a customer has no label, value, stage or clv.
    """
    given = {"value": value, "stage": stage, "clv": clv}
    _check(labels, {name: series for name, series in given.items() if series is not None})
    keys = [labels.rename("segment")]
    if stage is not None:
        keys.append(stage.loc[labels.index].astype(_kinds(stage)).rename("stage"))
    frame = pd.DataFrame({"customers": 1, "value": value.loc[labels.index].astype(float)}, labels.index)
    if clv is not None:
        frame["clv"] = clv.loc[labels.index].astype(float)
    sums = frame.groupby(keys, observed=False).sum()
    table = pd.DataFrame({"customers": sums.customers.astype(int), "share": sums.customers / len(labels)})
    for name in frame.columns[1:]:
        table[name], table[f"{name}_share"] = sums[name], sums[name] / (sums[name].sum() or 1)
    if clv is not None:
        table["clv_mean"] = table.clv / table.customers.clip(lower=1)
    return _plain(table)


def segment_treatments(labels, value, playbook):
    """What is done about each segment, beside what it brings: a frame by segment, the empty ones too.

    labels   : of a scheme, named for it
    value    : of each customer, Series, in the currency of the data
    playbook : frame of `tables.playbook.load`
    returns
        customers, share       count, and share of all
        value, value_share     sum, and share of it
        principle, owner, budget_share, success   of the playbook
        budget_per_customer            budget of a customer, in that of the mean customer; 0 where there is nobody
    Raises InputError where the playbook lacks a class, naming it, and where a customer has no label or value.
    """
    _check(labels, {"value": value})
    rows = _rows(labels, playbook)
    table = segment_portfolio(labels, value).join(rows)
    each = table.budget_share / table.share.where(table.customers > 0)
    return table.assign(budget_per_customer=each.fillna(0.0))


def customer_treatments(labels, value, playbook, **more):
    """What is done about each customer: a frame by customer, sorted.

    labels, value, playbook : as of `segment_treatments`
    more    : further Series by customer, each a column of its name: stage, clv, p_alive, reachable, ...
    returns : segment, treatment (the principle), owner, success, budget (of the customer, in that of the mean one),
              value, and `more`
    Raises InputError as `segment_treatments`, and for Series that lack a customer.
    """
    _check(labels, {"value": value} | more)
    rows = segment_treatments(labels, value, playbook)
    segment = labels.astype(str).rename("segment")
    found = {"segment": segment, "treatment": segment.map(rows.principle), "owner": segment.map(rows.owner)}
    found |= {"success": segment.map(rows.success), "budget": segment.map(rows.budget_per_customer)}
    found |= {name: series.loc[labels.index] for name, series in ({"value": value} | more).items()}
    return pd.DataFrame(found, labels.index).rename_axis("customer_id").sort_index()


def idic(labels, value, playbook=None, reachable=None, needs=None):
    """How far customers are identified, told apart, within reach and treated: a frame by step and measure.

    labels, value, playbook : as of `segment_treatments`; None leaves a step unmeasured
    reachable : whether each customer can be reached, Series; blanks count as no
    needs     : labels of a scheme of needs, such as loyalty to brand, Series of those customers who have one
    returns   : value, a share of customers or of value, 0 to 1; summary, or "not measured: " and why
    """
    _check(labels, {"value": value} | ({} if reachable is None else {"reachable": reachable}))
    top = value_concentration(value.loc[labels.index], (0.2,)).iloc[0]
    rows = [
        (
            "identify",
            "share of customers with an id",
            1.0,
            f"{len(labels):,} customers; orders without an id are refused",
        ),
        ("differentiate", "share of value of the best fifth", top.value_share, f"{top.customers:,.0f} customers"),
        _needs(labels, needs),
        _reach(labels, reachable),
        _customised(labels, playbook),
    ]
    table = pd.DataFrame(rows, columns=["step", "measure", "value", "summary"])
    return table.astype({"value": float}).set_index(["step", "measure"])


def _needs(labels, needs):
    measure = "share of customers with a known need"
    if needs is None:
        return (
            "differentiate",
            measure,
            np.nan,
            f"{NOT_MEASURED}no scheme of needs; give one, such as usage by loyalty to brand",
        )
    known = needs.reindex(labels.index).notna()
    return "differentiate", measure, known.mean(), f"{needs.nunique():,} kinds of need among {known.sum():,} customers"


def _reach(labels, reachable):
    measure = "share of customers who can be reached"
    if reachable is None:
        return "interact", measure, np.nan, f"{NOT_MEASURED}there is no column 'reachable'; join CUSTOMERS"
    held = to_boolean(reachable.loc[labels.index])
    return "interact", measure, held.fillna(False).mean(), f"{held.isna().sum():,} not known, taken as no"


def _customised(labels, playbook):
    measure = "share of customers with a treatment of their segment's own"
    if playbook is None:
        return "customise", measure, np.nan, f"{NOT_MEASURED}there is no playbook; give one"
    principle = _rows(labels, playbook).principle
    own = principle[~principle.duplicated(keep=False)].index
    summary = f"{principle.nunique()} treatments for {len(principle)} segments"
    return "customise", measure, labels.astype(str).isin(own).mean(), summary


def _rows(labels, playbook):
    """The playbook's rows of a scheme by segment. Raises InputError naming the classes it lacks."""
    scheme, classes = labels.name, [*map(str, _kinds(labels).categories)]
    held = playbook[playbook.index.get_level_values("scheme") == scheme].droplevel("scheme")
    if lacking := [name for name in classes if name not in held.index]:
        listed = ", ".join(map(repr, lacking))
        raise InputError(f"playbook: [{scheme}] lacks {listed}; add a table for each")
    return held.loc[classes, TREATMENT_FIELDS]


def _kinds(labels):
    """The classes of labels, in their order if they have one."""
    held = isinstance(labels.dtype, pd.CategoricalDtype)
    return labels.dtype if held else pd.CategoricalDtype(sorted(labels.astype(str).unique()), ordered=True)


def _plain(table):
    """The frame with names of classes as text, in their order."""
    if table.index.nlevels == 1:
        return table.set_axis(pd.Index(map(str, table.index), name="segment"))
    names = [tuple(map(str, cell)) for cell in table.index]
    return table.set_axis(pd.MultiIndex.from_tuples(names, names=["segment", "stage"]))


def _check(labels, given):
    """Raises InputError where labels are blank or a Series lacks a customer, with every breach."""
    breaches = []
    if not len(labels) or labels.index.has_duplicates:
        breaches.append(f"labels: {len(labels):,} customers, some twice or none at all; give each one row")
    if blank := int(labels.isna().sum()):
        breaches.append(f"labels: none for {blank:,} of {len(labels):,} customers; assign them")
    for name, series in given.items():
        if unknown := labels.index.difference(series.index).tolist():
            breaches.append(f"{name}: no row for {len(unknown):,} customers (first: {unknown[0]!r}); add them")
            continue
        breaches += _faults(name, series.loc[labels.index])
    if breaches:
        raise InputError(*breaches)


def _faults(name, held):
    """What is wrong with a Series that has a row for each customer, in words."""
    try:
        blank = (~np.isfinite(to_floats(held))).sum() if name in ("value", "clv") else held.isna().sum()
    except (TypeError, ValueError):
        yield f"{name}: it holds no numbers; give amounts"
        return
    if blank and name in ("value", "clv", "stage"):
        yield f"{name}: empty for {blank:,} of {len(held):,} customers; fill it"


def _value_faults(value):
    try:
        held = to_floats(value)
    except (TypeError, ValueError):
        yield "value: it holds no numbers; give what each customer brings"
        return
    if bad := int((~np.isfinite(held)).sum()):
        yield f"value: empty or infinite for {bad:,} of {len(held):,} customers; fill it"
    elif not (held > 0).any():
        yield f"value: 0 or less for all {len(held):,} customers, so it has no shares; take customers who bring some"
