"""What all schemes share: features held to what a scheme needs, labels as a Series, and several schemes at once."""

import abc
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from crmlab import masks
from crmlab.contracts import InputError
from crmlab.estimate import number
from crmlab.model import FitError, Model, Unfitted, prediction, why_blank
from crmlab.orders import need_amounts

FEATURE_MEANINGS = {
    "orders": "days with an order",
    "spend": "spent so far",
    "days_since_last": "days since the last order",
    "window_spend": "spent in the window",
    "expected_margin": "discounted margin of as long a time ahead, from a CLV model",
    "store_strength": "strength of the home store, from `store_strength`",
    "usage": "spent on the category, from `brand_usage`",
    "own_label_share": "share of usage on own label, from `brand_usage`",
    "national_share": "share of usage on one national brand, from `brand_usage`",
}
SPEND = ("spend", "mean_spend", "window_spend")  # features that a log without amounts leaves empty
M = TypeVar("M", bound=Model)


class Scheme(Model, abc.ABC):
    """Rules that give every customer a class, the best first; `fit` of each kind learns them from features.

    `name` is what labels and the playbook call it, `labels` are its classes, the best first, and `columns` the features
    that `assign` reads.
    """

    name: str = ""

    @property
    @abc.abstractmethod
    def labels(self) -> tuple[str, ...]:
        """Names of its classes, the best first."""

    @property
    @abc.abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The features that `assign` reads."""

    def can_assign(self, *frames: pd.DataFrame) -> bool:
        """Whether customers can be assigned by frames of features.

        Parameters
        ----------
        *frames : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        bool
            True where all of them have the columns that `assign` reads.
        """
        return all(column in features for features in frames for column in self.columns)

    @prediction
    def assign(self, features: pd.DataFrame) -> pd.Series:
        """The class of each customer.

        Parameters
        ----------
        features : DataFrame
            One row a customer, of `customer_features`.

        Returns
        -------
        Series
            Ordered categories of `labels`, the best first, by customer; named for the scheme.

        Raises
        ------
        InputError
            Where a feature is missing, or empty for a customer.
        """
        return self._labelled(self._places(features), features.index)

    @prediction
    def rules(self) -> pd.DataFrame:
        """Which customers each class holds, in words.

        Returns
        -------
        DataFrame
            By label, the best first; column rule, a sentence.
        """
        return pd.DataFrame({"rule": list(self._descriptions())}, pd.Index(self.labels, name="label"))

    @abc.abstractmethod
    def _places(self, features: pd.DataFrame) -> np.ndarray:
        """The place of each customer's class in `labels`. Raises InputError where features do not allow it."""

    @abc.abstractmethod
    def _descriptions(self) -> Iterable[str]:
        """Which customers each class holds, a sentence each."""

    def _labelled(self, places: np.ndarray, index: pd.Index) -> pd.Series:
        """Labels from places: an ordered Series named for the scheme."""
        return pd.Series(pd.Categorical.from_codes(places, dtype=_kinds(self.labels)), index, name=self.name)


@cache
def _kinds(labels):
    """Ordered categories of names, made once: customers are assigned thousands of times."""
    return pd.CategoricalDtype(list(labels), ordered=True)


def check_features(features: pd.DataFrame, scheme: str, needed: Collection[str]) -> None:
    """Raise InputError where customers cannot be assigned by features, with every breach; see `feature_faults`."""
    if breaches := feature_faults(features, scheme, needed):
        raise InputError(*breaches)


def require_features(
    features: pd.DataFrame, scheme: str, needed: Collection[str], varying: Iterable[str] = (), min_customers: int = 1
) -> None:
    """The same for a fit: raise FitError."""
    if reason := why_blank(features):
        raise FitError(reason)
    if breaches := feature_faults(features, scheme, needed, varying, min_customers):
        raise unfit(*breaches)


def unfit(*breaches: str) -> FitError:
    """The FitError of what is wrong with features, each "what is wrong; what to do"."""
    if len(breaches) > 1:
        return FitError("; ".join(breaches))
    reason, _, recommendation = breaches[0].rpartition("; ")
    return FitError(reason or recommendation, recommendation if reason else "")


def require_fitted(model: M | Unfitted) -> M:
    """A model that another is made of. Raises FitError where it was not fitted."""
    if isinstance(model, Unfitted):
        raise FitError(model.reason, model.recommendation)
    return model


def feature_faults(
    features: pd.DataFrame, scheme: str, needed: Collection[str], varying: Iterable[str] = (), min_customers: int = 1
) -> list[str]:
    """What is wrong with features, a line each.

    needed  : columns, of finite numbers
    varying : those that must not be the same for all
    min_customers : how many are needed, as many as the scheme has segments
    Raises FitError where one that is needed is spend, and the data hold no amounts.
    """
    if not isinstance(features, pd.DataFrame):
        return [f"features: {type(features).__name__} is no table; give the frame of `customer_features`"]
    if not len(features):
        return [f"features: there are no customers, and {scheme} needs {min_customers:,} at least; take more"]
    for name in (name for name in SPEND if name in needed and name in features):
        need_amounts(features[name])
    breaches = []
    if len(features) < min_customers:
        breaches.append(
            f"features: {len(features):,} customers are fewer than the {min_customers} that {scheme} needs; "
            "take fewer segments, or more customers"
        )
    for name in needed:
        if name == "store_strength" and not {name, "home_store"} & {*features}:
            breaches.append(f"the data name no store, whose strength {scheme} needs; map store_id in data/catalog.toml")
        elif name not in features:
            meaning = f" ({FEATURE_MEANINGS[name]})" if name in FEATURE_MEANINGS else ""
            breaches.append(f"features: no column {name!r}{meaning}, which {scheme} needs; join it")
        elif (values := to_floats(features[name])) is None:
            breaches.append(f"features: {name!r} holds no numbers, which {scheme} needs; give it as numbers")
        elif not (good := np.isfinite(values)).all():
            breaches.append(
                f"features: {name!r} is empty or infinite for {(~good).sum():,} of {len(features):,} customers "
                f"(first: customer {masks.in_message(features.index[~good][0])}); "
                f"fill it, or leave them out of {scheme}"
            )
        elif name in varying and (values == values[0]).all():
            breaches.append(constant_message(name, values, scheme))
    return breaches


def to_floats(values: pd.Series) -> np.ndarray | None:
    """A Series as an array of floats, blanks as NaN; None where it holds something else, such as text or times."""
    try:
        return None if values.dtype.kind in "mM" else values.to_numpy(float, na_value=np.nan)
    except (TypeError, ValueError):
        return None


def to_boolean(values: pd.Series) -> pd.Series:
    """Whether each customer can be reached, with blanks where it is not known. Raises InputError for text."""
    try:
        return values.astype("boolean")
    except (TypeError, ValueError):
        raise InputError("reachable: neither true, false nor empty for some customers; give it as these") from None


def constant_message(name: str, values: np.ndarray, scheme: str) -> str:
    """What to say of a feature that is the same for all."""
    return (
        f"features: {name!r} is {format_amount(values[0])} for all {len(values):,} customers, "
        f"so {scheme} cannot part them; take another feature, or more customers"
    )


def fit_schemes(
    schemes: Mapping[str, Callable[[pd.DataFrame], Any]], features: pd.DataFrame
) -> dict[str, Scheme | Unfitted]:
    """Schemes fitted to features, by name.

    Parameters
    ----------
    schemes : mapping
        Name -> what fits the scheme to features: of `define_schemes`, or such as `ABC.fit`.
    features : DataFrame
        One row a customer, of `customer_features` or `rolling_features`.

    Returns
    -------
    dict
        Name -> fitted scheme, or Unfitted with the reason where features do not allow it.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import segments
    >>> features = pd.DataFrame({"spend": [90.0, 8.0, 1.0, 1.0]}, index=list("abcd"))
    >>> fitted = segments.fit_schemes({"abc": segments.ABC.fit, "rfm": segments.RFM.fit}, features)
    >>> bool(fitted["abc"]), bool(fitted["rfm"])
    (True, False)
    """
    return {name: fit(features) for name, fit in schemes.items()}


def scheme_rules(fitted: Mapping[str, Scheme | Unfitted]) -> pd.DataFrame:
    """The rules of each scheme in words.

    Parameters
    ----------
    fitted : mapping
        Name -> fitted scheme or Unfitted, of `fit_schemes`.

    Returns
    -------
    DataFrame
        A row for each class, and one for a scheme that was not fitted. Columns scheme, label, rule, reason; empty text
        where one does not apply.
    """
    rows = []
    for name, scheme in fitted.items():
        if isinstance(scheme, Unfitted):
            rows.append((name, "", "", str(scheme)))
        else:
            rows += [(name, str(label), rule, "") for label, rule in scheme.rules().rule.items()]
    return pd.DataFrame(rows, columns=["scheme", "label", "rule", "reason"])


def assign_schemes(fitted: Mapping[str, Scheme | Unfitted], features: pd.DataFrame) -> pd.DataFrame:
    """The class of each customer by each scheme that was fitted.

    Parameters
    ----------
    fitted : mapping
        Name -> fitted scheme or Unfitted, of `fit_schemes`.
    features : DataFrame
        One row a customer, of `customer_features`.

    Returns
    -------
    DataFrame
        By customer, a column of ordered categories for each scheme; attrs["names"], what the playbook calls each.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmlab import segments
    >>> features = pd.DataFrame({"spend": [90.0, 8.0, 1.0, 1.0]}, index=list("abcd"))
    >>> segments.assign_schemes(segments.fit_schemes({"abc": segments.ABC.fit}, features), features).abc.tolist()
    ['A', 'B', 'C', 'C']
    """
    found = {name: scheme.assign(features) for name, scheme in fitted.items() if not isinstance(scheme, Unfitted)}
    table = pd.DataFrame(found, features.index)
    table.attrs["names"] = {name: labels.name for name, labels in found.items()}
    return table


def first_scheme(
    fitted: Mapping[str, Scheme | Unfitted], names: Iterable[str], *frames: pd.DataFrame
) -> Scheme | Unfitted:
    """The first of some schemes that was fitted and can be assigned by all of some frames of features.

    Parameters
    ----------
    fitted : mapping
        Name -> fitted scheme or Unfitted, of `fit_schemes`.
    names : iterable of str
        Which schemes, the preferred one first.
    *frames : DataFrame
        One row a customer, of `customer_features`, as of one or more days.

    Returns
    -------
    Scheme or Unfitted
        The last of the names, where none of them will do.

    Raises
    ------
    InputError
        Where a name is unknown.
    """
    names = list(names)
    if unknown := [name for name in names if name not in fitted]:
        raise InputError(f"names: there is no scheme {unknown[0]!r}; take one of {', '.join(fitted)}")
    usable = (fitted[name] for name in names if fitted[name] and fitted[name].can_assign(*frames))
    return next(usable, fitted[names[-1]])


def to_tuples(array: np.ndarray) -> tuple:
    """An array as tuples of numbers, however deep."""
    return tuple(to_tuples(row) for row in array) if array.ndim > 1 else tuple(array.tolist())


def numbered(word: str, count: int) -> tuple[str, ...]:
    """Names of classes that have none of their own: a word, and the place from 1."""
    return tuple(f"{word} {place + 1}" for place in range(count))


def format_amount(value: float) -> str:
    """A number of a rule as one reads it: whole ones without decimals."""
    return number(int(value) if float(value).is_integer() else float(value))


def format_range(low: float, high: float, above: str, up_to: str) -> str:
    """A range in words, with the words for its ends; "" where both are infinite."""
    return ", ".join(f"{word} {format_amount(end)}" for word, end in ((above, low), (up_to, high)) if np.isfinite(end))


def check_rising(cuts: Any, lower: float, upper: float, name: str) -> tuple[float, ...]:
    """Cuts as a tuple of numbers. Raises InputError unless they rise, between `lower` and `upper`."""
    try:
        given = tuple(float(cut) for cut in np.ravel(cuts))
    except (TypeError, ValueError):
        raise InputError(f"{name} = {cuts!r}: cuts must be numbers, above {lower:g} and below {upper:g}") from None
    if not given or not all(a < b for a, b in pairwise([lower, *given, upper])):
        raise InputError(
            f"{name} = {given}: cuts must rise, each above {lower:g} and below {upper:g}; put them in order"
        )
    return given


def check_finite(model: Model, *names: str) -> None:
    """Raise InputError where parameters of a model that are amounts are no finite numbers."""
    given = {name: getattr(model, name) for name in names}
    wrong = [n for n, v in given.items() if not isinstance(v, (int, float, np.number)) or not np.isfinite(v)]
    if wrong:
        raise InputError(*(f"{type(model).__name__}: {n} = {given[n]!r}; give a finite amount" for n in wrong))
