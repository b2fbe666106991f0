"""The surface of a domain: its names, flat and lazy, and what is said where one is given what it cannot take."""

import functools
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import ibis.expr.types as ir
import lazy_loader
import numpy as np
import pandas as pd

from crmlab.contracts.errors import InputError, suggest
from crmlab.model import P, T, Unfitted, why_blank

NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    date: "a day",
    type(None): "None",
}


def attach(package: str, file: str) -> tuple[Callable, Callable, list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package whose public names stand in the stub beside `file`.

    A name is imported when it is first asked for; functions are `guarded`.
    """
    load, listed, names = lazy_loader.attach_stub(package, file)

    def found(name: str) -> Any:
        thing = load(name)
        if inspect.isfunction(thing):
            thing = guarded(thing)
            thing.__module__, thing.__qualname__ = package, name  # where pickle finds it
        setattr(sys.modules[package], name, thing)
        return thing

    return found, listed, names


def guarded(function: Callable[P, T]) -> Callable[P, T]:
    """The function, with an InputError that names every argument of a wrong type, or a column that its frames lack."""
    _, *inside = function.__module__.split(".")
    public = inside[:2] if inside[1:2] in (["plots"], ["checks"]) else inside[:1]
    where = ".".join([*public, function.__name__])
    signature = inspect.signature(function)
    hints = functools.cache(lambda: typing.get_type_hints(inspect.unwrap(function)))

    @functools.wraps(function)
    def call(*given: P.args, **named: P.kwargs) -> T:
        try:
            arguments = signature.bind(*given, **named).arguments
        except TypeError:
            return function(*given, **named)  # Python says what is missing
        if why_blank(*arguments.values()):
            return function(*given, **named)  # whose answer is blank, whatever else it is given
        typed = [(name, value, hints().get(name, Any)) for name, value in _each(signature, arguments)]
        if wrong := [f"{n} is of type {_seen(v)}; give {_words(hint)}" for n, v, hint in typed if not _fits(v, hint)]:
            raise InputError(*(f"{where}: {breach}" for breach in wrong))
        try:
            return function(*given, **named)
        except (KeyError, AttributeError) as problem:
            if lacking := _lacking(problem, arguments):
                raise InputError(f"{where}: {lacking}") from problem
            raise

    return call


def _each(signature: inspect.Signature, arguments: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Names and values of arguments; of those behind a star, each with the name of all."""
    for name, value in arguments.items():
        kind = signature.parameters[name].kind
        several = value if kind is kind.VAR_POSITIONAL else value.values() if kind is kind.VAR_KEYWORD else [value]
        yield from ((name, each) for each in several)


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value is of a type; arrays are sequences, and text is none."""
    from beartype import BeartypeConf
    from beartype.door import is_bearable

    if isinstance(value, str) and _takes_text(hint):
        return True
    alike = BeartypeConf(is_pep484_tower=True)  # a whole number is a number
    if isinstance(value, (np.ndarray, pd.Index, pd.Series)) and is_bearable(value[:1].tolist(), hint, conf=alike):
        return True
    value = value.item() if isinstance(value, np.generic) else value
    return not isinstance(value, str) and is_bearable(value, hint, conf=alike)


def _branches(hint: Any) -> tuple:
    return typing.get_args(hint) if typing.get_origin(hint) in (typing.Union, types.UnionType) else (hint,)


def _takes_text(hint: Any) -> bool:
    return any(branch in (str, Any) or typing.get_origin(branch) is typing.Literal for branch in _branches(hint))


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
    article = "an" if name[0] in "AEIOUaeiou" else "a"
    return f"{article} {name} of {', '.join(inner)}" if inner else f"{article} {name}"


def _lacking(problem: KeyError | AttributeError, arguments: Mapping[str, Any]) -> str:
    """Which column the frames lack that a problem is about; empty where it is about something else."""
    tables = {name: getattr(value, "table", value) for name, value in arguments.items()}  # of Data, its table
    frames = {name: list(v.columns) for name, v in tables.items() if isinstance(v, (pd.DataFrame, ir.Table))}
    if isinstance(problem, AttributeError):
        asked = [problem.name] if isinstance(problem.obj, (pd.DataFrame, ir.Table)) else []
    else:
        asked = re.findall(r"'([^']+)'", str(problem))
    lacked = [name for name in asked if not any(name in columns for columns in frames.values())]
    if not frames or not lacked:
        return ""
    there = "; ".join(f"{name} has {', '.join(map(str, columns)) or 'none'}" for name, columns in frames.items())
    known = {column for columns in frames.values() for column in columns}
    return f"no column {lacked[0]!r}: {there}; {suggest(lacked[0], known, 'give a frame that has it')}"
