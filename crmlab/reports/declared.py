"""What a notebook declares that it takes: its parameters cell, line by line."""

import ast
import io
import json
import re
import tokenize
from dataclasses import dataclass
from datetime import date
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Optional, Union, get_args, get_origin

from pydantic import Field, TypeAdapter
from pydantic.errors import PydanticUserError

from crmlab import catalog, files, places
from crmlab.contracts import InputError, suggest
from crmlab.reports import secret
from crmlab.reports.suite import Range

TYPES = {
    "str": str,
    "int": int,
    "float": Annotated[float, Field(allow_inf_nan=False)],
    "bool": bool,
    "date": date,
    "Dataset": catalog.Dataset,
    "Customers": catalog.Customers,
    "Products": catalog.Products,
    "Condition": catalog.Condition,
    "File": files.File,
    "Literal": Literal,
    "Optional": Optional,
    "list": list,
}

CONTRACT_BY_TYPE = {
    "Dataset": None,
    "Customers": "customers",
    "Products": "products",
}  # types of data -> contract they must hold


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell: `name: type = default  # meaning`."""

    name: str
    annotation: str
    type: Any
    default: Any
    meaning: str
    range: Range | None = None
    source: str | None = None  # the type, where it names data or a file, or selects rows of data


def read_parameters(path, ranges):
    """The parameters of a notebook. Raises InputError on lines of its parameters cell that declare none."""
    try:
        notebook = json.loads(places.held(path).read_text("utf-8"))
        tagged = [c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", ())]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as fault:
        raise InputError(f"{path.name}: no notebook that can be read ({type(fault).__name__}: {fault})") from None
    if len(tagged) > 1:
        raise InputError(f"{path.name}: {len(tagged)} cells are tagged parameters; keep one")
    source = "".join(tagged[0]["source"]) if tagged else ""
    try:
        lines = ast.parse(source).body
    except SyntaxError as fault:
        raise InputError(
            f"{path.name}: parameters, line {fault.lineno}: {fault.msg}; write `name: type = value  # meaning`"
        ) from None
    meanings = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found, breaches = {}, []
    for line in lines:
        try:
            parameter = _parameter(line, meanings.get(line.end_lineno or 0, ""), ranges)
            found[parameter.name] = parameter
        except ValueError as fault:
            breaches.append(
                f"{path.name}: parameters, line {line.lineno}: {fault}; write `name: type = value  # meaning`"
            )
    breaches += [
        f"suite.toml: ranges of {path.stem}: {unknown('parameter', n, found)}" for n in ranges if n not in found
    ]
    breaches += [
        f"suite.toml: ranges of {path.stem}: {n} is to lie within {p.range.within!r}, which is no data set it takes"
        for n, p in found.items()
        if p.range and p.range.within and getattr(found.get(p.range.within), "source", None) not in CONTRACT_BY_TYPE
    ]
    if breaches:
        raise InputError(*breaches)
    return found


def _parameter(line, meaning, ranges):
    if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value):
        raise ValueError(f"{ast.unparse(line)!r} declares no parameter")
    name, annotation = line.target.id, ast.unparse(line.annotation)
    if secret.NAMES.search(name):
        raise ValueError(
            f"{name!r} looks like a secret, which would be written down; read it from an environment variable"
        )
    kinds = {n.id for n in ast.walk(line.annotation) if isinstance(n, ast.Name)}
    allowed = (ast.Name, ast.Constant, ast.BinOp, ast.BitOr, ast.Subscript, ast.Tuple, ast.Load)
    no_type = f"{annotation!r} is not a type that parameters have ({', '.join(TYPES)})"
    if kinds - TYPES.keys() or not all(isinstance(n, allowed) for n in ast.walk(line.annotation)):
        raise ValueError(no_type)
    source = next(iter(kinds & {*CONTRACT_BY_TYPE, "Condition", "File"}), None)
    if source and annotation not in (source, f"{source} | None", f"Optional[{source}]"):
        raise ValueError(f"{annotation!r}: a parameter names one data set or file, so that its content is known")
    default, text = _default(line.value)
    try:
        kind = eval(annotation, {"__builtins__": {}}, TYPES)  # only the names and operators allowed above
        TypeAdapter(kind).validate_json(text, strict=True)
    except ValueError:
        raise ValueError(f"{name} = {default!r} is not of type {annotation}") from None
    except (TypeError, SyntaxError, PydanticUserError):
        raise ValueError(no_type) from None
    return Parameter(name, annotation, kind, default, meaning, ranges.get(name), source)


def _default(node):
    """The value that a declaration gives, and its text as JSON."""
    try:
        value = ast.literal_eval(node)
        return value, json.dumps(value)
    except (ValueError, TypeError):
        raise ValueError(f"{ast.unparse(node)} is no plain value") from None


def read_value(parameter, value):
    """A value of the parameter's type, from text or from TOML's own types. Raises ValueError."""
    adapter, allowed = TypeAdapter(parameter.type), _allowed(parameter.type)
    try:
        if not isinstance(value, str):
            return adapter.validate_python(value, strict=True)
        if value.lower() == "none" and _is_optional(parameter.type):
            return None
        if re.match(r"(Optional\[)?list\b", parameter.annotation):
            return (
                adapter.validate_json(value, strict=True)
                if value.startswith("[")
                else adapter.validate_python(value.split(","))
            )
        for each in allowed:
            if str(each) == value:
                return each
        if re.match(r"(Optional\[)?date\b", parameter.annotation) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise ValueError("pydantic would take digits alone for seconds since 1970")
        return adapter.validate_strings(value)
    except ValueError:
        if allowed:
            listed = ["none" if each is None else str(each) for each in allowed]
            advice = suggest(value, listed, "write one of these")
            raise ValueError(f"{parameter.name} = {value!r}: none of {', '.join(listed)}; {advice}") from None
        raise ValueError(f"{parameter.name} = {value!r} is not of type {parameter.annotation}") from None


def _is_optional(kind):
    return type(None) in get_args(kind)


def _allowed(kind):
    """The values of a Literal, with None where it is optional; none where other values are allowed too."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    parts = get_args(kind) if get_origin(kind) in (Union, UnionType) else ()
    values = [[None] if part is NoneType else _allowed(part) for part in parts]
    return [each for of_part in values for each in of_part] if all(values) else []


def unknown(what, name, known):
    """What to say of a name that is none of those known."""
    advice = suggest(name, known, "")
    return f"there is no {what} {name!r}; there are {', '.join(known)}" + (advice and f"; {advice}")
