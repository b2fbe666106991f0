"""Files of settings: the one way they are read, and what is wrong in one, in words.

A fault reads "where: what; what to do", whatever the file: `suite.toml: limits.run_seconds = 'x'; write a number`.
"""

import re
import tomllib
from collections.abc import Iterator
from datetime import date
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from crmlab.contracts.errors import InputError, suggest

TABLE, LIST, DAY = "a table, as {{ a = 1 }}", "a list, as [1, 2]", "a day, as 1997-09-30"
WANTED = {  # pydantic's type of an error -> what to write, filled with what pydantic says of the bounds
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_inexact": DAY,
    "date_from_datetime_parsing": DAY,
    "date_parsing": DAY,
    "date_type": DAY,
    "dict_type": TABLE,
    "finite_number": "a finite number",
    "float_parsing": "a number",
    "float_type": "a number",
    "frozen_set_type": LIST,
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "{ge:g} or more",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "less_than": "less than {lt:g}",
    "less_than_equal": "{le:g} or less",
    "list_type": LIST,
    "literal_error": "{expected}",
    "model_type": TABLE,
    "string_too_long": "a text of length {max_length} or less",
    "string_too_short": "a text of length {min_length} or more",
    "string_type": "a text in quotes",
    "too_short": "a list of length {min_length} or more",
    "tuple_type": LIST,
}
LONGEST = 60  # characters of a wrong value that are shown
KEY = r"""(?:[\w-]+|"(?:\\.|[^"\n])*"|'[^'\n]*')"""  # of TOML
PARTS = re.compile(
    rf"^[ \t]*\[[ \t]*(?P<table>{KEY})(?:[ \t]*\.[ \t]*{KEY})*[ \t]*\]"
    r'|"{3}(?:\\.|.)*?"{3,5}|"(?:\\.|[^"\n])*"'
    r"|'{3}.*?'{3,5}|'[^'\n]*'"
    r"|#(?P<said>[^\n]*)",
    re.DOTALL | re.MULTILINE,
)  # the heads of tables, the strings and the comments of a TOML text
DECIDE = "decide:"  # of a comment on a guess that is doubtful


def read_toml(path, missing_message):
    """A TOML file as a dict. Raises InputError where it cannot be read, or is absent: then `missing_message`."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except OSError:
        raise InputError(missing_message) from None
    except RecursionError:
        raise InputError(f"{path.name}: cannot be read as TOML (brackets within brackets); correct it") from None
    except (tomllib.TOMLDecodeError, UnicodeError) as problem:
        raise InputError(f"{path.name}: cannot be read as TOML ({problem}); correct it") from None


def undecided(toml: str) -> Iterator[tuple[str, str]]:
    """What the comments of a TOML text leave to decide: of each, the table it stands in, and in words which line.

    Strings are passed over, so that what looks like a comment in one is none. A table is given by the first of its
    keys; it is empty for what stands before all tables.
    """
    lines, table = toml.split("\n"), ""
    for found in PARTS.finditer(toml):
        if key := found["table"]:
            table = tomllib.loads(f"key = {key}")["key"] if key[0] in "\"'" else key
        if DECIDE in (found["said"] or ""):
            at = toml.count("\n", 0, found.start())
            line = f"line {at + 1}: {lines[at].strip()}; correct the line if need be, and remove the word `{DECIDE}`"
            yield table, line


def read_settings(model, given, where, table=""):
    """Settings as the pydantic `model` of them. Raises InputError with everything wrong in them.

    given : what a file holds, or a table of it
    where : the name of the file
    table : what that table is called in it, such as "[cdnow]"
    """
    try:
        return model.model_validate(given)
    except ValidationError as problem:
        raise InputError(*(f"{where}: {fault}" for fault in faults(problem, model, given, table))) from None


def faults(problem, model, given, table=""):
    """What is wrong in settings, from pydantic's account of it: a list of faults, each with what to do."""
    found = {}
    for error in problem.errors():  # of a union, one a branch
        found.setdefault(_place(error, given), []).append(error)
    return [fault for place, errors in found.items() for fault in _faults(place, errors, model, table)]


def _place(error, given):
    """The keys that lead to what an error is about, without pydantic's own: branches of a union, marks of a key."""
    place, here = [], given
    for i, part in enumerate(error["loc"], 1):
        if _holds(here, part):
            here = here[part]
        elif error["type"] != "missing" or i < len(error["loc"]):
            continue
        place.append(part)
    return tuple(place)


def _holds(here, part):
    if isinstance(here, dict):
        return part in here
    return isinstance(here, (list, tuple)) and isinstance(part, int)


def _faults(place, errors, model, table):
    """What is wrong at one place."""
    error, at = errors[0], ".".join(map(str, place))
    head = f"{table} " if table else ""
    if error["type"] == "missing":
        return [f"{head}lacks {at!r}; add it"]
    if error["type"] == "extra_forbidden" or "[key]" in error["loc"]:
        if (name := str(place[-1])) in getattr(model, "column_names", ()) and len(place) == 1:
            return [f"{head}has no field {at!r}, which is a column; write columns.{name} = {_quoted(error['input'])}"]
        return [f"{head}has no field {at!r}; {suggest(name, _known(error, model, place))}"]
    kind, description = _expected(model, place)
    value = "" if _is_model(kind) else f" = {_quoted(error['input'])}"
    if error["type"] == "value_error":  # one of ours
        subject = f"{head}{at}{value}".rstrip()
        return [f"{subject}: {line}" if subject else line for line in str(error["ctx"]["error"]).split("\n")]
    if not place:
        *names, last = model.model_fields
        return [f"{head}is no table of {', '.join(names)} and {last}; make it one"]
    shown = at if _is_hidden(model, place) else f"{at} = {_quoted(error['input'])}"
    return [f"{head}{shown}; write {description or _wanted(errors)}"]


def _is_hidden(model, place):
    """Whether what stands at a place is not for all eyes: a field that its model leaves out of its repr."""
    return not model.model_fields[place[0]].repr


def _known(error, model, place):
    """The names that may stand where an unknown one does."""
    if "[key]" in error["loc"]:
        return re.findall(r"'([^']*)'", error["ctx"]["expected"])
    return _expected(model, place[:-1])[0].model_fields


def _expected(model, place):
    """The type of what should be at a place, and the description of the field that it belongs to, or None."""
    kind, description = model, None
    for part in place:
        if _is_model(kind):
            field = kind.model_fields[part]
            kind, description = field.annotation, field.description
        else:  # a table or list of values of one type
            kind = get_args(kind)[1 if get_origin(kind) is dict else 0]
        kind = _bare(kind)
    return kind, description


def _bare(kind):
    """A type without None beside it, and without what pydantic checks besides."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, UnionType):
        others = [other for other in get_args(kind) if other is not type(None)]
        return _bare(others[0]) if len(others) == 1 else kind
    return kind


def _is_model(kind):
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _wanted(errors):
    """What to write, whichever branch of a union is meant."""
    wanted = dict.fromkeys(
        WANTED[error["type"]].format(**error.get("ctx", {}))
        if error["type"] in WANTED
        else error["msg"].removeprefix("Input should be ")
        for error in errors
    )
    if "a number" in wanted:
        wanted.pop("a whole number", None)
    return " or ".join(wanted)


def _quoted(value):
    """A wrong value as it is shown."""
    text = str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
