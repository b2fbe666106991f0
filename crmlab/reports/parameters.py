"""What a notebook takes, and whether what it was given will do: settled before any kernel starts."""

import ast
import difflib
import io
import json
import re
import tokenize
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, get_args

from pydantic import Field, TypeAdapter
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import to_jsonable_python

from crmlab import catalog, files
from crmlab.contracts import InputError
from crmlab.reports import secret
from crmlab.reports.suite import Limits, Range, suite

TYPES = {
    "str": str,
    "int": int,
    "float": Annotated[float, Field(allow_inf_nan=False)],
    "bool": bool,
    "date": date,
    "Dataset": catalog.Dataset,
    "Customers": catalog.Customers,
    "Products": catalog.Products,
    "File": files.File,
    "Literal": Literal,
    "Optional": Optional,
    "list": list,
}

HOLD = {"Dataset": None, "Customers": "customers", "Products": "products"}  # types of data -> contract they must hold


@dataclass(frozen=True)
class Parameter:
    """One line of a notebook's parameters cell: `name: type = default  # meaning`."""

    name: str
    annotation: str
    type: Any
    default: Any
    meaning: str
    range: Range | None = None

    @property
    def data(self):
        """Which type of data it names; None where it names none."""
        return next((kind for kind in HOLD if re.search(rf"\b{kind}\b", self.annotation)), None)


@dataclass(frozen=True)
class Report:
    """A notebook that can be run: `name` is its stem without the number."""

    name: str
    notebook: Path
    parameters: dict = field(hash=False)

    @property
    def title(self):
        """The first heading of the notebook."""
        cells = json.loads(self.notebook.read_text("utf-8"))["cells"]
        prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
        return next((line.lstrip("# ") for line in prose.splitlines() if line.startswith("#")), "")


@dataclass(frozen=True)
class Job:
    """A report with parameters that were found good, and the data they name, past the door."""

    report: Report
    given: dict = field(hash=False)  # as text
    typed: dict = field(hash=False)  # as JSON holds them, defaults included
    logs: dict = field(hash=False)  # parameter -> catalog.Log
    files: dict = field(hash=False)  # parameter -> Path
    limits: Limits = field(default_factory=Limits)


def reports(root, only=None):
    """The reports of a project by name, each with its parameters; of others than `only` these are not read."""
    folder = root / "notebooks"
    listed = folder / "suite.toml"
    ranges = suite(listed).ranges if listed.is_file() else {}
    found = {}
    for path in sorted(folder.glob("[!.]*.ipynb")):
        name = re.sub(r"^\d+_", "", path.stem) or path.stem
        if name in found:
            raise InputError(f"{found[name].notebook.name} and {path.name} are both the report {name!r}; rename one")
        read = only is None or name in only
        found[name] = Report(name, path, _declared(path, ranges.get(name, {})) if read else {})
    if strange := ranges.keys() - found.keys():
        raise InputError(*(f"suite.toml: ranges: {_unknown('report', name, found)}" for name in sorted(strange)))
    return found


def prepare(root, wanted, limits=None):
    """Jobs for `wanted`, pairs of a report's name and what was given for its parameters.

    limits : fields of Limits that go before those of suite.toml

    Raises InputError with every breach of every one: unknown reports, unknown or ill-named parameters,
    wrong types, values out of range, data that the door refuses.
    """
    known, jobs, breaches = reports(root, only={name for name, _ in wanted}), [], []
    listed = root / "notebooks" / "suite.toml"
    allowed = (suite(listed).limits if listed.is_file() else Limits()).model_copy(update=limits or {})
    for name, given in wanted:
        if name not in known:
            breaches.append(_unknown("report", name, known))
            continue
        try:
            jobs.append(replace(_job(known[name], given), limits=allowed))
        except InputError as found:
            breaches += found.breaches
    if breaches:
        raise InputError(*dict.fromkeys(breaches))
    return jobs


def _job(report, given):
    values, breaches = {name: p.default for name, p in report.parameters.items()}, []
    for name, value in given.items():
        if secret.NAMES.search(name):
            breaches.append(f"{report.name}: {name!r} looks like a secret; give it as an environment variable instead")
        elif not name.isidentifier():
            breaches.append(f"{report.name}: a parameter name must be a Python identifier; {name!r} is not")
        elif name not in report.parameters:
            breaches.append(f"{report.name}: {_unknown('parameter', name, report.parameters)}")
        else:
            try:
                values[name] = _read(report.parameters[name], value)
            except ValueError as misfit:
                breaches.append(f"{report.name}: {misfit}")
    logs, read, unreadable = _sources(report, values)
    breaches += unreadable
    for name, p in report.parameters.items():
        if p.range and values[name] is not None:
            try:
                breaches += [f"{report.name}: {fault}" for fault in _outside(p, values[name], logs)]
            except TypeError:
                breaches.append(f"suite.toml: the range of {report.name}.{name} does not fit its type, {p.annotation}")
    if breaches:
        raise InputError(*breaches)
    typed = {name: to_jsonable_python(value) for name, value in values.items()}
    return Job(report, {name: _as_text(value) for name, value in given.items()}, typed, logs, read)


def _sources(report, values):
    """The data past the door, by parameter, the files, and what is wrong; `values` then name both from anywhere."""
    logs, read, breaches = {}, {}, []
    for name, p in report.parameters.items():
        if not isinstance(values[name], str):
            continue
        try:
            if p.data:
                values[name] = _settled(values[name])
                logs[name] = catalog.check(values[name], HOLD[p.data])
            elif "File" in p.annotation:
                values[name] = files.settled(values[name])
                read[name] = files.path(values[name])
        except InputError as found:
            breaches += found.breaches
    return logs, read, breaches


def _settled(data):
    """A data set's name, or its path as it holds wherever the notebook runs."""
    path = Path(data).expanduser()
    return data if data in catalog.entries() or not path.exists() else str(path.resolve())


def text(typed):
    """Parameters as a manifest holds them, as one would give them again."""
    return {name: "none" if value is None else _as_text(value) for name, value in typed.items()}


def _as_text(value):
    return value if isinstance(value, str) else str(value) if isinstance(value, date) else json.dumps(value)


def _read(parameter, value):
    """A value of the parameter's type, from text or from TOML's own types. Raises ValueError."""
    adapter = TypeAdapter(parameter.type)
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
        if re.match(r"(Optional\[)?Literal\[", parameter.annotation):
            for literal in _literals(parameter.type):
                if str(literal) == value:
                    return literal
        if re.match(r"(Optional\[)?date\b", parameter.annotation) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            raise ValueError("pydantic would take digits alone for seconds since 1970")
        return adapter.validate_strings(value)
    except ValueError:
        raise ValueError(f"{parameter.name} = {value!r} is not of type {parameter.annotation}") from None


def _is_optional(kind):
    return type(None) in get_args(kind)


def _literals(kind):
    return [v for part in get_args(kind) for v in (get_args(part) or [part])]


def _outside(parameter, value, logs):
    bounds, told = parameter.range, f"{parameter.name} = {value}"
    if bounds.within:
        log = logs.get(bounds.within)
        if log and log.first is None:
            yield f"{told} is to lie within {log.name}, which knows no days; leave it out, or name data that do"
        elif log and not log.first <= _as_day(value) <= log.last:
            yield f"{told} lies outside {log.name}, which runs from {log.first} to {log.last}"
        return
    for each in value if isinstance(value, list) else [value]:
        each = _as_day(each) if isinstance(bounds.min or bounds.max, date) else each
        if (bounds.min is not None and each < bounds.min) or (bounds.max is not None and each > bounds.max):
            yield f"{told} is out of range, which is {bounds}"


def _as_day(value):
    return value if isinstance(value, date) else date.fromisoformat(value)


def _unknown(what, name, known):
    near = difflib.get_close_matches(name, known, n=1)
    return f"there is no {what} {name!r}; there are {', '.join(known)}" + (
        f"; did you mean {near[0]!r}?" if near else ""
    )


def _declared(path, ranges):
    """The parameters of a notebook. Raises InputError on lines of its parameters cell that declare none."""
    try:
        notebook = json.loads(path.read_text("utf-8"))
        tagged = [c for c in notebook["cells"] if "parameters" in c["metadata"].get("tags", ())]
    except (OSError, ValueError, KeyError, TypeError) as fault:
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
    declared, breaches = {}, []
    for line in lines:
        try:
            found = _parameter(line, meanings.get(line.end_lineno, ""), ranges)
            declared[found.name] = found
        except (ValueError, TypeError, SyntaxError, PydanticSchemaGenerationError) as fault:
            breaches.append(
                f"{path.name}: parameters, line {line.lineno}: {fault}; write `name: type = value  # meaning`"
            )
    breaches += [
        f"suite.toml: ranges of {path.stem}: {_unknown('parameter', n, declared)}" for n in ranges if n not in declared
    ]
    breaches += [
        f"suite.toml: ranges of {path.stem}: {n} is to lie within {p.range.within!r}, which is no data set it takes"
        for n, p in declared.items()
        if p.range and p.range.within and not getattr(declared.get(p.range.within), "data", None)
    ]
    if breaches:
        raise InputError(*breaches)
    return declared


def _parameter(line, meaning, ranges):
    if not (isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value):
        raise ValueError(f"{ast.unparse(line)!r} declares no parameter")
    name, annotation = line.target.id, ast.unparse(line.annotation)
    if secret.NAMES.search(name):
        raise ValueError(
            f"{name!r} looks like a secret, which would be written down; read an environment variable instead"
        )
    strange = {n.id for n in ast.walk(line.annotation) if isinstance(n, ast.Name)} - TYPES.keys()
    allowed = (ast.Name, ast.Constant, ast.BinOp, ast.BitOr, ast.Subscript, ast.Tuple, ast.Load)
    if strange or not all(isinstance(n, allowed) for n in ast.walk(line.annotation)):
        raise ValueError(f"{annotation!r} is not a type that parameters have ({', '.join(TYPES)})")
    found = Parameter(name, annotation, None, None, meaning, ranges.get(name))
    if found.data and annotation not in (found.data, f"{found.data} | None", f"Optional[{found.data}]"):
        raise ValueError(f"{annotation!r}: a parameter names one data set, so that its content is known")
    kind = eval(annotation, {"__builtins__": {}}, TYPES)  # only the names and operators allowed above
    default = ast.literal_eval(line.value)
    TypeAdapter(kind).validate_json(json.dumps(default), strict=True)
    return replace(found, type=kind, default=default)
