"""What a public function says where it is given what it cannot take: what came, and what to give; all at once."""

import functools
import inspect
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd
from ibis.common.exceptions import IbisError

from crmlab import engines
from crmlab.contracts.errors import InputError, suggest
from crmlab.model import FitError, P, T, Unfitted, blank_of, why_blank

NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    date: "a day",
    type(None): "None",
}
BOUNDS: dict[str, tuple[Callable[[Any], bool], str]] = {  # of parameters that mean one thing everywhere
    "level": (lambda level: 0 < level < 1, "choose a share between 0 and 1, as 0.95"),
    "replicates": (lambda replicates: replicates >= 0, "choose a whole number, 0 or more"),
    "seed": (lambda seed: seed >= 0, "choose a whole number, 0 or more"),
}
FAULTS = (KeyError, AttributeError, TypeError, ValueError, IndexError, IbisError)


def guarded(function: Callable[P, T]) -> Callable[P, T]:
    """Decorates a public function: what it is given is held to its hints, and numbers of numpy's become Python's.

    An InputError names every argument of a wrong type or out of bounds, a column that frames lack, and a connection
    that was lost. What the function cannot make of something blank (Unfitted, a frame or an Estimate with a reason) is
    blank too; and so is, with its reason, what a FitError ends.
    """
    name = function.__qualname__.rpartition("<locals>.")[2]
    _, *inside = function.__module__.split(".")
    public = inside[:2] if inside[1:2] in (["plots"], ["checks"]) else inside[:1]
    where, signature = ".".join([*public, name]), inspect.signature(function)
    hints = functools.cache(lambda: typing.get_type_hints(inspect.unwrap(function)))

    @functools.wraps(function)
    def call(*given: P.args, **named: P.kwargs) -> T:
        try:
            bound = signature.bind(*given, **named)
        except TypeError:
            return function(*given, **named)  # Python says what is missing
        bound.arguments |= {name: _python(value) for name, value in bound.arguments.items()}
        if breaches := list(_breaches(signature, bound.arguments, hints())):
            raise InputError(*(f"{where}: {breach}" for breach in breaches))
        blank = why_blank(*bound.arguments.values())
        try:
            return function(*bound.args, **bound.kwargs)
        except FitError as problem:
            return _unfit(hints().get("return"), problem, name)
        except FAULTS as problem:
            if blank:
                return _blank(hints().get("return"), f"{where}: {blank}", name, problem)
            if lacking := _lacking(problem, bound.arguments):
                raise InputError(f"{where}: {lacking}") from problem
            raise
        except Exception as problem:
            if engines.lost(problem):
                raise InputError("{}: the query failed ({}); {}".format(where, *engines.failure(problem))) from None
            raise

    return call


def _python(value: Any) -> Any:
    """A single number or day of numpy's as Python's own."""
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value)
    alone = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and not value.ndim)
    return value.item() if alone else value


def _breaches(signature: inspect.Signature, arguments: Mapping[str, Any], hints: Mapping[str, Any]) -> Iterator[str]:
    for name, value in _each(signature, arguments):
        hint = hints.get(name, Any)
        if why_blank(value):
            continue
        if not _fits(value, hint):
            yield f"{name} is of type {_seen(value)}; give {_words(hint)}"
        elif name in BOUNDS and isinstance(value, (int, float)) and not BOUNDS[name][0](value):
            yield f"{name} = {value!r}: {BOUNDS[name][1]}"


def _blank(kind: Any, reason: str, name: str, problem: Exception) -> Any:
    """A blank of what a function gives; InputError where that has none."""
    try:
        return blank_of(kind, reason.partition(": ")[2], name)
    except TypeError:
        raise InputError(f"{reason}; give what is not blank") from problem


def _unfit(kind: Any, problem: FitError, name: str) -> Any:
    """A blank of what a function gives; the FitError itself where that has none, as of a check."""
    try:
        return blank_of(kind, problem.advised, name)
    except TypeError:
        raise problem from None


def _each(signature: inspect.Signature, arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values of arguments; of those behind a star, each with the name of all."""
    for name, value in arguments.items():
        kind = signature.parameters[name].kind
        several = value if kind is kind.VAR_POSITIONAL else value.values() if kind is kind.VAR_KEYWORD else [value]
        yield from ((name, each) for each in several)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type; arrays are sequences, text is none, and True is no number."""
    from beartype import BeartypeConf
    from beartype.door import is_bearable

    if isinstance(value, (str, bool)):
        kinds = [typing.get_origin(kind) or kind for kind in _branches(hint)]
        return any(kind in (type(value), object, Any, typing.Literal) for kind in kinds)
    if value is pd.NaT:
        return hint is Any
    alike = BeartypeConf(is_pep484_tower=True)  # a whole number is a number
    if isinstance(value, (np.ndarray, pd.Index, pd.Series)) and is_bearable(value[:1].tolist(), hint, conf=alike):
        return True
    return is_bearable(value, hint, conf=alike)


def _branches(hint: Any) -> tuple:
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _seen(value: Any) -> str:
    """A value of a wrong type in a few words: its type, and itself where it is short."""
    shown = repr(value)
    return type(value).__name__ + (
        f" ({shown})" if len(shown) <= 40 and "\n" not in shown and not callable(value) else ""
    )


def _words(hint: Any) -> str:
    """A type in words: of what can be given, one after the other."""
    names = [NAMES.get(branch) or _name(branch) for branch in _branches(hint) if branch is not Unfitted]
    return " or ".join(dict.fromkeys(names))


def _name(hint: Any) -> str:
    if typing.get_origin(hint) is Callable:
        return "a function"
    origin, inner = typing.get_origin(hint) or hint, [_words(part) for part in typing.get_args(hint) if part is not ...]
    name = getattr(origin, "__name__", str(origin))
    if source := getattr(origin, "given_by", ""):
        name += f", as {source} gives"
    article = "an" if name[0] in "AEIOUaeiou" else "a"
    return f"{article} {name} of {', '.join(inner)}" if inner else f"{article} {name}"


def _lacking(problem: Exception, arguments: Mapping[str, Any]) -> str:
    """Which column the frames lack that a problem is about; empty where it is about something else."""
    tables = {name: getattr(value, "table", value) for name, value in arguments.items()}  # of Data, its table
    frames = {name: list(v.columns) for name, v in tables.items() if isinstance(v, (pd.DataFrame, ir.Table))}
    if isinstance(problem, AttributeError):
        made_of = type(problem.obj).__module__.partition(".")[0]
        asked = [problem.name] if made_of in ("pandas", "ibis") or isinstance(problem.obj, tuple) else []
    elif isinstance(problem, (KeyError, IbisError)):
        asked = re.findall(r"'([^']+)'", str(problem))
    else:
        asked = []
    lacked = [name for name in asked if not any(name in columns for columns in frames.values())]
    if not frames or not lacked:
        return ""
    there = "; ".join(f"{name} has {', '.join(map(str, columns)) or 'none'}" for name, columns in frames.items())
    known = {column for columns in frames.values() for column in columns}
    return f"no column {lacked[0]!r}: {there}; {suggest(lacked[0], known, 'give a frame that has it')}"
