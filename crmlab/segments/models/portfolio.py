"""The portfolio of customers: how far value is concentrated, where it lies, and how each segment is treated.

[Buttle, customer portfolio analysis; Peppers & Rogers, identify - differentiate - interact - customise]
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.model import blank_of, needs_fit, why_blank
from crmlab.orders import need_amounts
from crmlab.segments.models.scheme import to_boolean, to_floats
from crmlab.segments.models.value import shares_by

TOP_SHARES = (0.01, 0.05, 0.1, 0.2, 0.5)
TREATMENT_FIELDS = ["principle", "owner", "budget_share", "success"]
STAGES = ("establishment", "growth", "maturity", "decline")  # of customers, in their order, where stages are text
NEW = "new"  # the stage of customers without one: no whole period of theirs is over


@needs_fit
def value_concentration(value: pd.Series, shares: Sequence[float] = TOP_SHARES) -> pd.DataFrame:
    """The share of all value that the best customers bring.

    Parameters
    ----------
    value : Series
        Value of each customer by customer_id, in the currency of the data; 0 or less counts as 0.
    shares : sequence of float
        Shares of customers, the best first, above 0 and up to 1, rising.

    Returns
    -------
    DataFrame
        By share of customers. customers, count, at least one; value, their sum, in the currency of the data;
        value_share of all, 0 to 1. Blank where value is not above 0 for anyone.

    Raises
    ------
    InputError
        Where shares are out of order, or value is empty for a customer.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import segments
    >>> segments.value_concentration(pd.Series([50.0, 30, 10, 10, 0]), shares=(0.2, 0.4)).value_share.tolist()
    [0.5, 0.8]
    """
    need_amounts(value)
    top, breaches = np.array(shares, float), [*_value_faults(value)]
    if not top.size or not ((top > 0) & (top <= 1)).all() or (np.diff(top) <= 0).any():
        breaches.append(f"shares = {tuple(top.tolist())}: give shares of customers that rise, above 0 and up to 1")
    if breaches:
        raise InputError(*breaches)
    if not (value > 0).any():
        return blank_of(pd.DataFrame, f"value is 0 or less for all {len(value):,} customers, so that it has no shares")
    best = np.sort(np.clip(value.to_numpy(float), 0, None))[::-1]
    customers = np.clip(np.round(top * len(best)).astype(int), 1, None)
    brought = np.cumsum(best)[customers - 1]
    found = {"customers": customers, "value": brought, "value_share": brought / best.sum()}
    return pd.DataFrame(found, pd.Index(top, name="share"))


def segment_portfolio(
    labels: pd.Series, value: pd.Series, stage: pd.Series | None = None, clv: pd.Series | None = None
) -> pd.DataFrame:
    """Where customers and value lie, by segment and, where stages are given, by lifecycle stage.

    Parameters
    ----------
    labels : Series
        Class of each customer by customer_id, of `assign` of a scheme.
    value : Series
        Value of each customer by customer_id, in the currency of the data.
    stage : Series, optional
        Lifecycle stage of customers, text or ordered categories; customers without one are "new". None or blank leaves
        stages out.
    clv : Series, optional
        Expected value of each customer to come, in the currency of the data. None or blank leaves it out.

    Returns
    -------
    DataFrame
        By segment, or segment and stage, the empty ones too. customers, count; share of them; value, sum, and
        value_share, of `value_shares`; with `clv` also clv, its sum, and clv_mean. Means are 0 where there is nobody,
        shares where the sum is 0. Blank where labels are.

    Raises
    ------
    InputError
        Where a customer has no label, value or clv.
    """
    if reason := why_blank(labels):
        return blank_of(pd.DataFrame, reason)
    given = _given(labels, value, stage=stage, clv=clv)
    keys = [labels.rename("segment")]
    if "stage" in given:
        keys.append(given.pop("stage").rename("stage"))
    frame = pd.DataFrame({"customers": 1} | {name: series.astype(float) for name, series in given.items()})
    sums = frame.groupby(keys, observed=False).sum()
    table = pd.DataFrame({"customers": sums.customers, "share": sums.customers / len(labels)})
    table = table.assign(value=sums.value, value_share=shares_by(keys, given["value"]))
    if "clv" in given:
        table = table.assign(clv=sums.clv, clv_mean=sums.clv / table.customers.clip(lower=1))
    classes = table.index.to_frame().astype(str)  # names as text, in their order
    return table.set_axis(pd.MultiIndex.from_frame(classes) if len(keys) > 1 else pd.Index(classes.segment))


@needs_fit
def segment_treatments(labels: pd.Series, value: pd.Series, playbook: pd.DataFrame) -> pd.DataFrame:
    """How each segment is treated, beside what it brings.

    Parameters
    ----------
    labels : Series
        Class of each customer by customer_id, of `assign` of a scheme.
    value : Series
        Value of each customer by customer_id, in the currency of the data.
    playbook : DataFrame
        Treatment of each class by scheme and label, of `load_playbook`.

    Returns
    -------
    DataFrame
        By segment, the empty ones too. customers, count; share of them; value, sum, in the currency of the data, and
        value_share; principle, owner, budget_share, success of the playbook; budget_per_customer, in units of the mean
        customer's, 0 where there is nobody.

    Raises
    ------
    InputError
        Where the playbook lacks a class, or a customer has no label or value.
    """
    _given(labels, value)
    rows = _rows(labels, playbook)
    table = segment_portfolio(labels, value).join(rows)
    each = table.budget_share / table.share.where(table.customers > 0)
    return table.assign(budget_per_customer=each.fillna(0.0))


def customer_treatments(
    labels: pd.Series, value: pd.Series, playbook: pd.DataFrame, **more: pd.Series | None
) -> pd.DataFrame:
    """How each customer is treated.

    Parameters
    ----------
    labels : Series
        Class of each customer by customer_id, of `assign` of a scheme.
    value : Series
        Value of each customer by customer_id, in the currency of the data.
    playbook : DataFrame
        Treatment of each class by scheme and label, of `load_playbook`.
    **more : Series, optional
        Further Series by customer_id, each a column of its name: stage, clv, p_alive, reachable, ... Those that are
        None or blank are left out; customers without a stage are "new".

    Returns
    -------
    DataFrame
        By customer_id, sorted. segment, treatment (the principle), owner, success; budget, in units of the mean
        customer's; value; and `more`.

    Raises
    ------
    InputError
        Where the playbook lacks a class, or a Series lacks a customer.
    """
    if reason := why_blank(labels):
        return blank_of(pd.DataFrame, reason)
    given, rows = _given(labels, value, **more), segment_treatments(labels, value, playbook)
    segment = labels.astype(str)
    found = {"segment": segment, "treatment": segment.map(rows.principle), "owner": segment.map(rows.owner)}
    found |= {"success": segment.map(rows.success), "budget": segment.map(rows.budget_per_customer)}
    return pd.DataFrame(found | given, labels.index).rename_axis("customer_id").sort_index()


def idic(
    labels: pd.Series,
    value: pd.Series,
    playbook: pd.DataFrame | None = None,
    reachable: pd.Series | None = None,
    needs: pd.Series | None = None,
) -> pd.DataFrame:
    """How far customers are identified, differentiated, interacted with and treated each in their own way.

    Parameters
    ----------
    labels : Series
        Class of each customer by customer_id, of `assign` of a scheme.
    value : Series
        Value of each customer by customer_id, in the currency of the data.
    playbook : DataFrame, optional
        Treatment of each class by scheme and label, of `load_playbook`; None leaves the last step without a value.
    reachable : Series, optional
        Whether each customer can be reached; blanks count as no. None leaves the step without a value.
    needs : Series, optional
        Class by needs, such as of `BrandLoyalty.assign`, of those customers who have one. None leaves the step without
        a value.

    Returns
    -------
    DataFrame
        By step and measure. value, a share of customers or of value, 0 to 1; summary; reason why there is no value.

    Raises
    ------
    InputError
        Where a customer has no label or value, or the playbook lacks a class.

    References
    ----------
    Peppers & Rogers, identify - differentiate - interact - customise.
    """
    if reason := why_blank(labels):
        return blank_of(pd.DataFrame, reason)
    _check(labels, {"value": value} | ({} if reachable is None else {"reachable": reachable}))
    known = f"{len(labels):,} customers; orders without an id are refused"
    own = "share of customers with a treatment of their segment's own"
    rows = [
        ("identify", "share of customers with an id", Estimate(1.0), known),
        ("differentiate", "share of value of the best fifth", *_best_fifth(value.loc[labels.index])),
        ("differentiate", "share of customers with a known need", *_needs(labels, needs)),
        ("interact", "share of customers who can be reached", *_reach(labels, reachable)),
        ("customise", own, *_customised(labels, playbook)),
    ]
    found = [(step, measure, share.value, summary, share.reason) for step, measure, share, summary in rows]
    table = pd.DataFrame(found, columns=["step", "measure", "value", "summary", "reason"])
    return table.astype({"value": float}).set_index(["step", "measure"])


def _best_fifth(value):
    top = value_concentration(value, (0.2,))
    if reason := why_blank(top):
        return Estimate(None, reason=reason), ""
    return Estimate(top.value_share.iloc[0]), f"{top.customers.iloc[0]:,.0f} customers"


def _needs(labels, needs):
    if needs is None or why_blank(needs):
        absent = "there is no scheme of needs; give one, such as loyalty to brands"
        return Estimate(None, reason=why_blank(needs) or absent), ""
    known = needs.reindex(labels.index).notna()
    return Estimate(known.mean()), f"{needs.nunique():,} kinds of need among {known.sum():,} customers"


def _reach(labels, reachable):
    if reachable is None:
        return Estimate(None, reason="there is no column 'reachable'; name data of customers that have it"), ""
    held = to_boolean(reachable.loc[labels.index])
    return Estimate(held.fillna(False).mean()), f"{held.isna().sum():,} not known, taken as no"


def _customised(labels, playbook):
    if playbook is None:
        return Estimate(None, reason="there is no playbook; give one"), ""
    principle = _rows(labels, playbook).principle
    own = principle[~principle.duplicated(keep=False)].index
    summary = f"{principle.nunique()} treatments for {len(principle)} segments"
    return Estimate(labels.astype(str).isin(own).mean()), summary


def _rows(labels, playbook):
    """The playbook's rows of a scheme by segment. Raises InputError naming the classes it lacks."""
    scheme, classes = labels.name, [*map(str, _kinds(labels).categories)]
    held = playbook[playbook.index.get_level_values("scheme") == scheme].droplevel("scheme")
    if lacking := [name for name in classes if name not in held.index]:
        listed = ", ".join(map(repr, lacking))
        raise InputError(f"playbook: [{scheme}] lacks {listed}; add a table for each")
    return held.loc[classes, TREATMENT_FIELDS]


def _kinds(labels):
    """The classes of labels in their order, lifecycle stages in theirs, and other text in that of the alphabet."""
    if isinstance(labels.dtype, pd.CategoricalDtype):
        return labels.dtype
    found = sorted(labels.astype(str).unique())
    known = [stage for stage in STAGES if stage in found]
    return pd.CategoricalDtype(known if len(known) == len(found) else found, ordered=True)


def _given(labels, value, **more):
    """Value and the others of each customer, those that are None or blank left out. Raises InputError as `_check`."""
    given = {"value": value} | {name: s for name, s in more.items() if s is not None and not why_blank(s)}
    if "stage" in given:
        given["stage"] = _with_new(given["stage"], labels.index)
    _check(labels, given)
    return {name: series.loc[labels.index] for name, series in given.items()}


def _with_new(stage, customers):
    """The stage of each customer, "new" for those without one: an ordered Series."""
    kinds = [kind for kind in _kinds(stage).categories if kind != NEW]
    held = stage.loc[stage.index.intersection(customers)].astype(object).reindex(customers, fill_value=NEW)
    more = [NEW] if len(customers.difference(stage.index)) else []
    return held.astype(pd.CategoricalDtype([*kinds, *more], ordered=True))


def _check(labels, given):
    """Raises InputError where labels are blank or a Series lacks a customer, with every breach.

    Raises FitError where value is of data that hold no amounts.
    """
    need_amounts(given["value"])
    breaches = []
    if not len(labels) or labels.index.has_duplicates:
        breaches.append(f"labels: {len(labels):,} customers, some twice or none at all; give each one row")
    if blank := int(labels.isna().sum()):
        breaches.append(f"labels: none for {blank:,} of {len(labels):,} customers; assign them")
    for name, series in given.items():
        if unknown := labels.index.difference(series.index).tolist():
            breaches.append(f"{name}: no row for {len(unknown):,} customers (first: {unknown[0]!r}); add them")
        elif name in ("value", "clv"):
            if (values := to_floats(series.loc[labels.index])) is None:
                breaches.append(f"{name}: it holds no numbers; give amounts")
            elif blank := int((~np.isfinite(values)).sum()):
                breaches.append(f"{name}: empty for {blank:,} of {len(labels):,} customers; fill it")
        elif name == "stage" and (blank := int(series.loc[labels.index].isna().sum())):
            breaches.append(f"{name}: empty for {blank:,} of {len(labels):,} customers; fill it")
    if breaches:
        raise InputError(*breaches)


def _value_faults(value):
    if (held := to_floats(value)) is None:
        yield "value: it holds no numbers; give what each customer brings"
    elif bad := int((~np.isfinite(held)).sum()):
        yield f"value: empty or infinite for {bad:,} of {len(held):,} customers; fill it"
