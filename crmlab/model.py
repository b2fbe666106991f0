"""What every model is: numbers, and predictions that it declares; or Unfitted, with the reason.

A fit gives a model or `Unfitted`. Every prediction, function, check and plot takes either; of Unfitted it makes a
blank that carries the reason: a Series or a frame with `attrs["reason"]`, an Estimate with `reason`, a check that is
not applicable, empty axes.
"""

import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any, ClassVar, Literal, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from crmlab.estimate import Estimate

P = ParamSpec("P")
T = TypeVar("T")


class FitError(RuntimeError):
    """Inside a fit or another function: there is nothing to give, for a reason.

    `or_unfitted` makes it Unfitted; of a public function it makes a blank, and of a check one that is not applicable.
    """

    def __init__(self, reason: str, recommendation: str = "") -> None:
        super().__init__(reason)
        self.reason, self.recommendation = reason, recommendation

    @property
    def advised(self) -> str:
        """The reason, and what to do about it."""
        return _advised(self.reason, self.recommendation)


class Model:
    """Base of every model: a frozen dataclass of numbers, picklable, without data."""

    title: ClassVar[str] = ""


class Unfitted:
    """Stands where a model could not be fitted: false, where a model is true.

    It answers the predictions that its model class declares, each with a blank that carries the reason; any other
    attribute raises AttributeError.

    Parameters
    ----------
    model : type
        The class that could not be fitted.
    reason : str
        Why, in a sentence.
    recommendation : str
        What to do about it.
    """

    def __init__(self, model: type[Model], reason: str, recommendation: str = "") -> None:
        self.model, self.reason, self.recommendation = model, reason, recommendation

    @property
    def title(self) -> str:
        """The name of the model that could not be fitted."""
        return self.model.title

    def __bool__(self) -> Literal[False]:
        return False

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unfitted) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.model, self.reason))

    def __repr__(self) -> str:
        return f"Unfitted({self.model.__name__}: {self})"

    def __str__(self) -> str:
        return _advised(self.reason, self.recommendation)

    def __getattr__(self, name: str) -> Any:
        declared = inspect.getattr_static(self.__dict__.get("model", object), name, None)
        if isinstance(declared, property) and (blank := getattr(declared.fget, "blank", None)):
            return blank(self)
        if blank := getattr(declared, "blank", None):
            return functools.partial(blank, self)
        raise AttributeError(f"{self.__dict__.get('model', object).__name__} was not fitted and has no {name!r}")

    def __reduce__(self) -> tuple:
        return Unfitted, (self.model, self.reason, self.recommendation)


def or_unfitted(fit: Callable[P, T]) -> Callable[P, T]:
    """Decorates the `fit` of a model class: what raises FitError gives Unfitted."""

    @functools.wraps(fit)
    def fitted(*given: P.args, **named: P.kwargs) -> Any:
        try:
            return fit(*given, **named)
        except FitError as problem:
            cls: Any = given[0]
            return Unfitted(cls, problem.reason, problem.recommendation)

    return fitted


def prediction(method: Callable[P, T]) -> Callable[P, T]:
    """Declares a method (or, below @property, a property) of a model as a prediction, which Unfitted answers blank."""
    kind = _returned(method)

    def blank(unfitted: Unfitted, *given: Any, **named: Any) -> Any:
        rows = next(
            (value for value in (*given, *named.values()) if isinstance(value, (pd.DataFrame, pd.Series))), None
        )
        return blank_of(kind, str(unfitted), method.__name__, None if rows is None else rows.index)

    method.blank = blank  # type: ignore[attr-defined]
    return method


def needs_fit(function: Callable[P, T]) -> Callable[P, T]:
    """Decorates a function that takes models: where one of them is Unfitted, or a frame is blank, so is its answer."""
    kind = _returned(function)

    @functools.wraps(function)
    def answered(*given: P.args, **named: P.kwargs) -> T:
        if reason := why_blank(*given, *named.values()):
            return blank_of(kind, reason, function.__name__)
        return function(*given, **named)

    return answered


def why_blank(*given: Any) -> str:
    """Why what was given is blank: the reason of the first Unfitted, blank Estimate, frame or Series; else empty."""
    for value in given:
        if isinstance(value, Unfitted):
            return str(value)
        if isinstance(value, Estimate) and not value:
            return value.reason
        if isinstance(value, (pd.DataFrame, pd.Series)) and value.attrs.get("reason"):
            return value.attrs["reason"]
    return ""


def blank_of(kind: Any, reason: str, name: str = "", index: pd.Index | None = None) -> Any:
    """A blank of a type (Series, frame, Estimate, float, or a tuple of those) that carries the reason."""
    if typing.get_origin(kind) is tuple:
        return tuple(blank_of(part, reason, name, index) for part in typing.get_args(kind))
    if kind is Estimate:
        return Estimate(None, reason=reason)
    if kind is float:
        return np.nan
    if kind is pd.Series:
        made = pd.Series(np.nan, pd.RangeIndex(0) if index is None else index, dtype=float, name=name)
    elif kind is pd.DataFrame:
        made = pd.DataFrame(index=pd.RangeIndex(0))
    else:
        raise TypeError(f"{name}: a prediction gives a Series, a DataFrame, an Estimate or a float, not {kind!r}")
    made.attrs["reason"] = reason
    return made


def _advised(reason: str, recommendation: str) -> str:
    return f"{reason}; {recommendation}" if recommendation else reason


def _returned(function: Callable) -> Any:
    """The type that a function says it gives; one that is not among those of `blank_of` is refused at definition."""
    kind = inspect.signature(function).return_annotation
    blank_of(kind, "checked", function.__name__)
    return kind
