"""What all schemes share: features held to what a scheme needs, and labels as a Series."""

from itertools import pairwise

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.result import Verdict, number

FEATURE_MEANINGS = {
    "orders": "days with an order",
    "spend": "spent so far",
    "days_since_last": "days since the last order",
    "window_spend": "spent in the window",
    "expected_margin": "discounted margin of as long a time ahead, from a CLV model",
    "store_strength": "strength of the home store, from tables.stores",
    "usage": "spent on the category, from tables.brands",
    "own_label_share": "share of usage on own label, from tables.brands",
    "national_share": "share of usage on one national brand, from tables.brands",
}


def check_features(features, scheme, needed, varying=(), min_customers=1):
    """Raise InputError where a scheme cannot be fitted to features or assigned by them, with every breach.

    needed  : columns, of finite numbers
    varying : those that must not be the same for all
    min_customers : customers, as many as the scheme has segments
    """
    breaches = []
    if not len(features):
        raise InputError(f"features: there are no customers, and {scheme} needs {min_customers:,} at least; take more")
    if len(features) < min_customers:
        breaches.append(
            f"features: {len(features):,} customers are fewer than the {min_customers} segments of {scheme}; "
            "take fewer segments, or more customers"
        )
    for name in needed:
        if name not in features:
            meaning = f" ({FEATURE_MEANINGS[name]})" if name in FEATURE_MEANINGS else ""
            breaches.append(f"features: no column {name!r}{meaning}, which {scheme} needs; join it")
            continue
        try:
            values = to_floats(features[name])
        except (TypeError, ValueError):
            breaches.append(f"features: {name!r} holds no numbers, which {scheme} needs; give it as numbers")
            continue
        if not (good := np.isfinite(values)).all():
            first = features.index[~good][0]
            breaches.append(
                f"features: {name!r} is empty or infinite for {(~good).sum():,} of {len(features):,} customers "
                f"(first: customer {first!r}); fill it, or leave them out of {scheme}"
            )
        elif name in varying and len(values) and (values == values[0]).all():
            breaches.append(constant_message(name, values, scheme))
    if breaches:
        raise InputError(*breaches)


def to_floats(values):
    """A Series as an array of floats, blanks as NaN. Raises TypeError or ValueError where it holds something else."""
    if values.dtype.kind in "mM":
        raise TypeError("times are no numbers")
    return values.to_numpy(float, na_value=np.nan)


def to_boolean(values):
    """Whether each customer can be reached, with blanks where it is not known: a Series. Raises InputError for text."""
    try:
        return values.astype("boolean")
    except (TypeError, ValueError):
        raise InputError("reachable: neither true, false nor empty for some customers; give it as these") from None


def constant_message(name, values, scheme):
    """What to say of a feature that tells nobody apart."""
    return (
        f"features: {name!r} is {format_amount(values[0])} for all {len(values):,} customers, "
        f"so {scheme} tells nobody apart; take another feature, or more customers"
    )


def fit_schemes(schemes, features, required=()):
    """Those of several schemes that can be fitted to features, by name; and of each other one, why not: a Verdict.

    schemes : name -> what fits it to features, such as `ABC.fit`
    required  : names of those that must be fitted: InputError then says why one cannot be
    """
    fitted, left_out = {}, []
    for name, fit in schemes.items():
        try:
            fitted[name] = fit(features)
        except InputError as problem:
            if name in required:
                raise
            left_out.append(
                Verdict(f"{name} can be made of what is known", False, error_text(problem), "another scheme")
            )
    return fitted, tuple(left_out)


def error_text(problem):
    """What an InputError says, in one line."""
    first, *rest = problem.breaches
    return first + (f" (and {len(rest)} more)" if rest else "")


def to_labels(codes, scheme, index):
    """Labels from the place of each in `scheme.labels`, best class first: an ordered Series named for the scheme."""
    kinds = pd.CategoricalDtype(list(scheme.labels), ordered=True)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=kinds), index, name=scheme.name)


def to_tuples(array):
    """An array as tuples of numbers, however deep."""
    return tuple(to_tuples(row) for row in array) if array.ndim > 1 else tuple(array.tolist())


def format_amount(value):
    """A number of a rule as one reads it: whole ones without decimals."""
    return number(int(value) if float(value).is_integer() else float(value))


def check_rising(cuts, lower, upper, name):
    """Cuts as a tuple of numbers. Raises InputError unless they rise, between `lower` and `upper`."""
    try:
        given = tuple(float(cut) for cut in np.ravel(cuts))
    except (TypeError, ValueError):
        raise InputError(f"{name} = {cuts!r}: cuts must be numbers, above {lower:g} and below {upper:g}") from None
    inside = all(lower < cut < upper for cut in given)
    if not given or not inside or any(a >= b for a, b in pairwise(given)):
        raise InputError(
            f"{name} = {given}: cuts must rise, each above {lower:g} and below {upper:g}; put them in order"
        )
    return given
