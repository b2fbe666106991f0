"""Whether segments differ in anything but what they were made of."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype
from scipy import stats

from crmlab.contracts import InputError
from crmlab.holdout.comparison import NO_VALUE
from crmlab.model import needs_fit
from crmlab.stats.comparisons import holm
from crmlab.stats.intervals import percentile_interval

DESCRIBED, DESIGN = "described", "not tested, as segments were made of it or of the same orders"
CERTAIN = partial(float, 1)  # p of a test that has nothing to compare
SMALL, LARGE = 0.01, 0.1  # effects: a share of variance, a Cramér's V [Cohen 1988]


@needs_fit
def segment_differences(
    labels: pd.Series,
    features: pd.DataFrame,
    used: Sequence[str],
    columns: Sequence[str] | None = None,
    replicates: int = 500,
    seed: int = 1,
    level: float = 0.95,
) -> pd.DataFrame:
    """How far segments differ, with tests in what they were not made of, such as what customers did later.

    What segments were made of, and what follows from that, as the mean spend from spend and orders, differs for that
    reason alone: it is described, without a test.

    Parameters
    ----------
    labels : Series
        Class of each customer by customer_id, of `assign` of a scheme.
    features : DataFrame
        One row a customer, of `customer_features`.
    used : sequence of str
        Columns that the segments were made of, and those that follow from the same orders.
    columns : sequence of str, optional
        Columns to compare; None takes all.
    replicates : int
        Number of draws.
    seed : int
        Seed of the random generator.
    level : float
        Confidence level.

    Returns
    -------
    DataFrame
        A row for each variable, the largest effect first. variable; measure, "eta²", the share of variance between
        segments, for numbers, and "Cramér's V" for text and yes or no; value, 0 to 1, less what so many segments have
        by luck alone (epsilon squared; Bergsma's V), with ci_low, ci_high of the bootstrap; p of the F and chi-squared
        tests, p_adjusted after Holm; outcome, "differs" where p_adjusted is below 1 - level, "differs little" where the
        effect is small, else "undecided", "described" of used columns, "no value" where there is none; reason why there
        is no value, or no test.

    Raises
    ------
    InputError
        Where `columns` name one that is missing, or one that is not known for all.

    References
    ----------
    Kelley (1935), An unbiased correlation ratio measure.
    Bergsma (2013), A bias-correction for Cramér's V and Tschuprow's T.
    Cohen (1988), Statistical Power Analysis for the Behavioral Sciences.
    """
    chosen = [*features] if columns is None else [*columns]
    if breaches := [*_faults(labels, features, chosen, columns is not None)]:
        raise InputError(*breaches)
    codes = np.unique(pd.Categorical(labels).codes, return_inverse=True)[1]
    held = features.loc[labels.index]
    rows = [{"variable": c} | _compared(codes, held[c], replicates, [seed, i], level) for i, c in enumerate(chosen)]
    table = pd.DataFrame(rows, columns=["variable", "measure", "value", "ci_low", "ci_high", "p", "reason"])
    described = table.variable.isin([*used]) & table.value.notna()
    table = table.assign(p=table.p.mask(described), reason=table.reason.mask(described, DESIGN))
    table.insert(6, "p_adjusted", holm(table.p.astype(float)))
    little = np.where(table.measure == "eta²", table.value < SMALL, table.value < LARGE)
    cases = [table.value.isna(), described, ~(table.p_adjusted < 1 - level), little]
    table.insert(7, "outcome", np.select(cases, [NO_VALUE, DESCRIBED, "undecided", "differs little"], "differs"))
    table.attrs["kinds"] = {"p": "p", "p_adjusted": "p"}
    return table.sort_values("value", ascending=False, kind="stable", ignore_index=True)


@needs_fit
def segment_means(labels: pd.Series, features: pd.DataFrame, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Mean of each number in each segment.

    Parameters
    ----------
    labels : Series
        Class of each customer by customer_id, of `assign` of a scheme.
    features : DataFrame
        One row a customer, of `customer_features`.
    columns : sequence of str, optional
        Columns of numbers; None takes all there are.

    Returns
    -------
    DataFrame
        By label, the empty ones left out, "all" last. customers, count, and the mean of each column in its own units;
        attrs["standard_deviations"], of each column among all customers.
    """
    numeric = [c for c in features if is_numeric_dtype(features[c])] if columns is None else [*columns]
    held = features.loc[labels.index, numeric].astype(float)
    by = held.groupby(labels, observed=True)
    found = by.mean()
    found.insert(0, "customers", by.size())
    found.index = found.index.astype(str)
    found.loc["all"] = [len(held), *held.mean()]
    found.attrs["standard_deviations"] = held.std().to_dict()
    return found.astype({"customers": int}).rename_axis("label")


def _compared(codes, values, replicates, seed, level):
    """One variable: measure, value, interval, p, and why there are none."""
    row = {"measure": "eta²" if _is_number(values) else "Cramér's V"}
    if reason := _unmeasurable(codes, values):
        return row | dict.fromkeys(["value", "ci_low", "ci_high", "p"], np.nan) | {"reason": reason}
    rng = np.random.default_rng(seed)
    draws = (rng.integers(0, len(codes), len(codes)) for _ in range(replicates))
    if _is_number(values):
        x = values.to_numpy(float)
        measure, x = _eta, (x - x.mean()) / x.std()
    else:
        measure, x = _cramer, np.unique(values.astype(str), return_inverse=True)[1]
    value, p_value = measure(codes, x)
    drawn = [measure(codes[d], x[d])[0] for d in draws]
    # a replicate has the luck of its own draw on top of that of the data
    ci_low, ci_high = np.maximum(percentile_interval(drawn, level) - (np.mean(drawn) - value), 0)
    return row | {"value": value, "ci_low": ci_low, "ci_high": ci_high, "p": float(p_value()), "reason": ""}


def _unmeasurable(codes, values):
    """Why nothing can be said of a variable, "" where it can."""
    if codes.max() == 0:
        return "all are of one segment"
    if empty := int(values.isna().sum()):
        return f"it is empty for {empty:,} of {len(values):,} customers"
    return "it is the same for all customers" if values.nunique() < 2 else ""


def _eta(codes, x):
    """Epsilon squared, 0 where it is below, and what gives p of the F test."""
    counts, sums = np.bincount(codes), np.bincount(codes, x)
    k, n = (counts > 0).sum(), len(x)
    within = (x**2).sum() - (sums[counts > 0] ** 2 / counts[counts > 0]).sum()
    whole = (x**2).sum() - x.sum() ** 2 / n
    if k < 2 or n <= k or whole <= 0:
        return 0.0, CERTAIN
    f = np.inf if within <= 1e-12 * whole else (whole - within) / (k - 1) / (within / (n - k))
    return max(1 - within / whole * (n - 1) / (n - k), 0.0), partial(stats.f.sf, f, k - 1, n - k)


def _cramer(codes, kinds):
    """Bergsma's V, and what gives p of Pearson's test."""
    shape = codes.max() + 1, kinds.max() + 1
    table = np.bincount(np.ravel_multi_index((codes, kinds), shape), minlength=shape[0] * shape[1]).reshape(shape)
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    n, (r, c) = table.sum(), table.shape
    if min(r, c) < 2:
        return 0.0, CERTAIN
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / n
    chi2, free = ((table - expected) ** 2 / expected).sum(), (r - 1) * (c - 1)
    phi2 = max(chi2 / n - free / (n - 1), 0.0)
    least = min(r - (r - 1) ** 2 / (n - 1), c - (c - 1) ** 2 / (n - 1)) - 1
    return float(np.sqrt(phi2 / least)) if least > 0 else 0.0, partial(stats.chi2.sf, chi2, free)


def _is_number(values):
    return is_numeric_dtype(values) and not is_bool_dtype(values)


def _faults(labels, features, columns, named):
    if not len(labels):
        yield "labels: there are no customers; take some"
        return
    if absent := labels.index.difference(features.index).tolist():
        yield f"features: lack {len(absent):,} labelled customers (first: {absent[0]!r}); take both at one origin"
        return
    if unknown := [c for c in columns if c not in features]:
        yield f"columns: features have no {', '.join(unknown)}; join it"
    for name in columns:
        if named and name in features and (blank := int(features.loc[labels.index, name].isna().sum())):
            yield f"features: {name!r} is empty for {blank:,} of {len(labels):,} customers; fill it, or leave it out"
