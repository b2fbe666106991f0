"""A name or a path becomes a checked lazy table. This file alone reads `data/`.

`data/catalog.toml` says what data exists, where it lies, which contract it keeps and how its columns map onto that. A
path may stand wherever a name may: its columns must then bear the contract's names already, and tell which it is.
"""

import hashlib
import importlib.util
import os
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, NewType, TypeAlias

import ibis.expr.types as ir
import pandas as pd
from pydantic import ConfigDict, Field, model_validator

from crmlab.contracts import CONTRACTS, Contract, InputError, Policy, infer_contract, memory, sources, suggest, validate
from crmlab.contracts.memory import ArrowTable
from crmlab.contracts.settings import read_settings, read_toml
from crmlab.days import as_date
from crmlab.guard import guarded

Dataset = NewType("Dataset", str)  # annotates a notebook parameter that names data
Customers = NewType("Customers", Dataset)  # the same, of data that hold what is known of customers
Products = NewType("Products", Dataset)  # or of products
Source: TypeAlias = str | Path | pd.DataFrame | ir.Table | ArrowTable  # what a reader takes
TABLE, LISTED = (
    "the table",
    "in data/catalog.toml",
)  # what messages call a table in memory, and where files are described


def root() -> Path:
    """The project's folder: `$CRMLAB_ROOT`, else the nearest one upward that holds data/catalog.toml."""
    given = os.environ.get("CRMLAB_ROOT")
    here = Path(given or Path.cwd()).resolve()
    for folder in [here] if given else [here, *here.parents, Path(__file__).resolve().parents[1]]:
        if (folder / "data" / "catalog.toml").is_file():
            return folder
    raise InputError(f"{here}: no data/catalog.toml in it; set CRMLAB_ROOT to a folder that holds data/catalog.toml")


NATURES = {
    "real": "real data",
    "demonstration": "demonstration data, not real",
    "simulated": "simulated data, not real",
    "own": "your own data",
}
# fields that mean something of TRANSACTIONS only
ORDER_FIELDS = ("returns", "zero", "split", "acquired_from", "observed_until")


class Known(Policy):
    """What is known of data, and how to read them, wherever they lie."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    about: str = ""  # one sentence
    nature: Literal[tuple(NATURES)] = "own"  # type: ignore[valid-type]
    source: str = ""  # where it comes from, for the report
    currency: str = ""  # for the report, such as USD
    split: date | None = None  # default end of calibration
    acquired_from: date | None = None  # customers whose first order is earlier were acquired before the log began
    observed_until: date | None = None  # orders are complete up to this day, which may come after the last order
    observed_from: date | None = None  # contracts that ended from this day on are complete; earlier ones may be missing

    @property
    def unit(self):
        """The currency, as it stands behind an amount."""
        return f" {self.currency}".rstrip()

    @model_validator(mode="after")
    def _of_this_contract(self):
        if self.contract != "transactions" and (
            idle := [name for name in ORDER_FIELDS if name in self.model_fields_set]
        ):
            only = "only of contract = 'transactions'"
            raise ValueError(f"{', '.join(idle)}: {only}, this one is {self.contract!r}; leave out what is not of it")
        if self.observed_from and self.contract != "subscriptions":
            only = "only of contract = 'subscriptions'"
            raise ValueError(f"observed_from: {only}, this one is {self.contract!r}; leave out what is not of it")
        return self


class Entry(Known):
    """One entry of the catalog: where data lies, what it is, and how to read it."""

    path: str | None = None  # a file, or a folder of files; relative to data/, or to `package`
    package: str | None = None  # an installed package that ships the file
    uri: str | None = None  # an engine in place of a file: any Ibis connection string; ${NAME} from the environment
    table: str | None = None  # the table on that engine
    format: Literal["csv", "parquet", "whitespace"] | None = None  # else by suffix
    delimiter: str | None = Field(None, min_length=1, max_length=1)  # else found in the header
    encoding: Literal["utf-8", "utf-16", "latin-1"] = "utf-8"
    header: tuple[str, ...] | None = Field(None, min_length=1)  # names for a file that has no header line
    skip: int = Field(0, ge=0)  # lines before the first row or header

    @model_validator(mode="after")
    def _one_place(self):
        if (self.path is None) == (self.uri is None) or (self.uri is None) != (self.table is None):
            raise ValueError("it is not said where the data lie; give either path, or uri with table")
        if self.format == "whitespace" and self.header is None:
            raise ValueError("format = 'whitespace' needs header, the names of the columns; add it")
        if self.header and len(set(self.header)) < len(self.header):
            raise ValueError("header names a column more than once; rename all but one")
        return self


@dataclass(frozen=True)
class Findings:
    """What validation found: the name of the data, how they were read, and what was counted.

    name   : as the catalog, or the file, has it
    entry  : how the data were read, and what is known of them: about, nature, source, currency
    counts : by name
    """

    name: str
    entry: Known
    counts: dict = field(hash=False)

    @property
    def first(self) -> date | None:
        """Day of the first order, contract or period; None where the data know no days."""
        return self.counts.get("first")

    @property
    def last(self) -> date | None:
        """Day of the last one."""
        return self.counts.get("last")

    @property
    def observed_until(self) -> date | None:
        """The day up to which they are complete: the entry's, else that of the last one."""
        day, last = self.entry.observed_until, self.last
        return last if day is None or last is None else max(day, last)


@dataclass(frozen=True)
class Data:
    """A validated data set.

    table    : lazy table of the contract's columns
    contract : the Contract that it keeps
    findings : what validation found
    """

    given_by: ClassVar[str] = "a reader of crmlab.catalog"
    table: ir.Table
    contract: Contract
    findings: Findings

    @property
    def currency(self) -> str:
        """Of the amounts, for what is shown; empty where the catalog names none."""
        return self.findings.entry.currency

    @cached_property
    def summary(self) -> pd.DataFrame:
        """What validation found and changed, a line each."""
        name, entry, counts = self.findings.name, self.findings.entry, self.findings.counts
        called = "a table in memory, not recorded" if name == TABLE else name
        found = {"data": f"{called} ({NATURES[entry.nature]})"}
        if self.contract.kind != "transactions":
            found["contract"] = f"{self.contract.name}: {self.contract.description}"
        return pd.DataFrame({"found": found | self.contract.describe(counts, entry)})

    def period(
        self, split: date | str | None = None, until: date | str | None = None, acquired_from: date | str | None = None
    ) -> "Period":
        """When calibration and holdout end: as given, else the catalog's, else two thirds of the span and its last day.

        The catalog's split stands only where it comes before `until`; else two thirds of the span up to that are taken.
        `acquired_from` leaves out customers whose first order is earlier; None takes the catalog's. Where the data are
        complete beyond the last order, the holdout ends on that day.
        Raises InputError where they leave the data or are out of order.
        """
        return _period(self.findings, split, until, acquired_from)


@dataclass(frozen=True)
class Period:
    """Calibration to `split`, holdout from then to `until`; both are last days, inclusive."""

    given_by: ClassVar[str] = "Data.period"
    first: date
    split: date
    until: date
    acquired_from: date | None
    summary: pd.DataFrame = field(compare=False)  # which days, and who chose them
    until_is_last_row: bool = False  # as nobody said up to which day data are complete

    @property
    def horizon_days(self) -> int:
        """Length of the holdout, days."""
        return (self.until - self.split).days


def entries() -> dict[str, Entry]:
    """The catalog: entries by name, but for those that cannot be read, which only `find` of that name tells."""
    return _catalog()[0]


def _catalog():
    """Entries by name; and of each that cannot be read, what is wrong."""
    path = root() / "data" / "catalog.toml"
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; set CRMLAB_ROOT to a folder that holds data/catalog.toml")
    return _entries(path, path.stat().st_mtime_ns)


@cache
def _entries(path, _changed):
    given = read_toml(path, f"{path}: there is no such file")
    read, broken = {}, {}
    for name, fields in given.items():
        if not isinstance(fields, dict):
            loose = f"{name} = {fields!r} stands outside an entry"
            broken[name] = (f"{path.name}: {loose}; begin one with a line [{name}]",)
            continue
        try:
            read[name] = read_settings(Entry, fields, path.name, f"[{name}]")
        except InputError as wrong:
            broken[name] = wrong.breaches
    return read, broken


def find(data: str | Path) -> tuple[str, Entry, Path | None]:
    """The entry behind a name or a path, with its name and its place (a path, or None for an engine).

    Raises InputError where there is no such data, naming what there is.
    """
    (known, broken), data = _catalog(), str(data)
    if not data.strip():
        raise InputError(
            "the name of the data is empty, as an unset variable leaves it; name data, or the path of a file"
        )
    if data in broken:
        raise InputError(*broken[data])
    if data in known:
        entry = known[data]
        name, base, listed = data, root() / "data", f" in [{data}] of data/catalog.toml"
    elif os.sep in data or Path(data).suffix.lower() in sources.SUFFIXES or os.path.exists(os.path.expanduser(data)):
        name, base, listed = Path(data).resolve().name, Path.cwd(), ""
        entry = Entry(path=data)
    else:
        raise InputError(
            f"no data {data!r} in data/catalog.toml, which has {', '.join(sorted(known)) or 'no entries'}; "
            + suggest(data, known, "name one of these, or the path of a file")
        )
    if entry.path is None:
        return name, entry, None
    if entry.package:
        base = _package_folder(entry.package, name)
    place = (base / os.path.expanduser(entry.path)).resolve()
    if not os.path.exists(place):
        raise InputError(f"{name}: there is no file or folder {place}; correct the path{listed}")
    if Path.home().resolve().is_relative_to(place):
        raise InputError(f"{name}: {place} is your home folder, or holds it; give the folder of the data{listed}")
    return name, entry, place


def portable(data: str) -> str:
    """A data set's name, or the path of a file or folder as it holds from anywhere. Raises as `find` does."""
    place = find(data)[2]
    return data if data in entries() or place is None else str(place)


def _package_folder(package, name):
    """The folder of an installed package."""
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"{name}: the package {package!r} that ships it is not installed; install it")
    return Path(spec.submodule_search_locations[0])


@guarded
def check(data: Source, contract: str | None = None, **fields: Any) -> Data:
    """A data set validated against its contract. Raises InputError with every breach found.

    data     : a name in the catalog, the path of a file, or a table in memory: of pandas, polars, pyarrow or Ibis
    contract : the one that is needed, such as "transactions"; data that hold another are refused. What the catalog does
               not list is read by it; without it, by the contract that its columns tell
    fields   : of data that the catalog does not list: names of their columns, as customer_id="Client", and any field
               of the catalog, as returns="net"
    """
    if contract not in (None, *CONTRACTS):
        raise InputError(f"there is no contract {contract!r}; there are {', '.join(CONTRACTS)}")
    if not isinstance(data, (str, Path)):
        return _check_memory(data, contract, fields)
    name, entry, place = find(data)
    listed = str(data) in entries()
    if listed and fields:
        advice = f"change [{name}] there, or give the path of the file in place of its name"
        raise InputError(f"{name} is read as data/catalog.toml says, not by {', '.join(fields)}; {advice}")
    if listed and contract and entry.contract != contract:
        raise InputError(_wrong_contract(name, entry.contract, contract))
    if fields:
        entry = _given(Entry, fields, contract, name, path=entry.path)
    stamp = tuple((str(f), f.stat().st_mtime_ns, f.stat().st_size) for f in sources.files(place)) if place else None
    return _check(name, entry.model_dump_json(exclude_unset=True), stamp, place, entry.contract if listed else contract)


def _given(model, fields, contract, where, **place):
    """What a call says of data: names of columns among `fields`, and settings."""
    held = CONTRACTS.values() if contract is None else [CONTRACTS[contract]]
    names = [column.name for each in held for column in each.columns]
    settings = [name for name in model.model_fields if name not in ("path", "uri", "table", "package", "columns")]
    if unknown := [name for name in fields if name not in (*names, *settings)]:
        advice = suggest(unknown[0], [*names, *settings], f"give columns, {', '.join(names)}, or {', '.join(settings)}")
        raise InputError(f"{where}: there is no {', '.join(unknown)} to give; {advice}")
    columns = {name: fields[name] for name in fields if name in names}
    rest = {name: value for name, value in fields.items() if name not in columns}
    kind = {} if contract is None else {"contract": contract}
    return read_settings(model, kind | place | rest | {"columns": columns}, where)


def _check_memory(data, contract, fields):
    raw = memory.read(data, TABLE)
    mapped = {fields[name]: name for name in fields if isinstance(fields[name], str)}
    kind = contract or infer_contract([mapped.get(name, name) for name in raw.columns])
    known = _given(Known, fields, kind, TABLE)
    with sources.raise_input_errors(TABLE, None):
        try:
            validated = validate(raw, TABLE, known)
        except InputError as wrong:
            raise InputError(*(breach.replace(LISTED, "as an argument") for breach in wrong.breaches)) from None
    return Data(validated.table, CONTRACTS[kind], Findings(TABLE, known, validated.counts))


def _wrong_contract(name, held, needed):
    """What to say of data that hold another contract than the one needed."""
    others = [known for known, entry in entries().items() if entry.contract == needed]
    listed = f"; data/catalog.toml has {', '.join(sorted(others))}" if others else ""
    return (
        f"{name} holds {CONTRACTS[held].name} ({CONTRACTS[held].description}), but this needs {CONTRACTS[needed].name} "
        f"({CONTRACTS[needed].description}); name such data{listed}"
    )


@cache
def _check(name, entry, _stamp, place, contract):
    entry = Entry.model_validate_json(entry)
    where = name if place is None else place.name
    with sources.raise_input_errors(where, place):
        raw, faults = sources.read(place, entry, where)
        entry = entry.model_copy(update={"contract": contract or infer_contract(raw.columns)})
        validated = validate(raw, where, entry, faults)
    return Data(validated.table, CONTRACTS[entry.contract], Findings(name, entry, validated.counts))


@guarded
def orders(data: Source, observed_until: date | str | None = None, **fields: Any) -> Data:
    """What customers ordered, one row an order line: rows of the TRANSACTIONS contract.

    They are complete up to `observed_until`, which may come after the last order; None takes the catalog's, else the
    day of the last order. `data` and `fields` are those of `check`. Raises InputError where it comes before that.

    >>> import pandas as pd
    >>> log = pd.DataFrame({"Client": ["a", "a", "b"], "Ordered": ["2024-01-05", "2024-03-01", "2024-02-11"]})
    >>> found = orders(log.assign(Paid=[10, 12.5, 30]), customer_id="Client", time="Ordered", amount="Paid")
    >>> found.findings.counts["customers"], found.findings.last
    (2, datetime.date(2024, 3, 1))
    """
    found = check(data, "transactions", **fields)
    findings = found.findings
    given = findings.entry.observed_until if observed_until is None else observed_until
    if given is None:
        return found
    try:
        day = as_date(given)
    except InputError as wrong:
        raise InputError(f"{findings.name}: observed_until = {wrong}") from wrong
    if findings.last and day < findings.last:
        order = f"comes before the last order, of {findings.last}"
        advice = "choose that day or a later one, or end the holdout earlier by until"
        raise InputError(f"{findings.name}: observed_until = {day} {order}; {advice}")
    return replace(found, findings=replace(findings, entry=findings.entry.model_copy(update={"observed_until": day})))


@guarded
def subscriptions(data: Source, **fields: Any) -> Data:
    """Contracts of customers, of any data that `check` takes: rows of the SUBSCRIPTIONS contract."""
    return check(data, "subscriptions", **fields)


@guarded
def retention(data: Source, **fields: Any) -> Data:
    """How many customers were left period by period: rows of the RETENTION contract."""
    return check(data, "retention", **fields)


@guarded
def series(data: Source, **fields: Any) -> Data:
    """Sales period by period: rows of the SERIES contract."""
    return check(data, "series", **fields)


@guarded
def customers(data: Source | None, **fields: Any) -> Data | None:
    """What is known of each customer: rows of the CUSTOMERS contract; None where none are named."""
    return None if data is None else check(data, "customers", **fields)


@guarded
def products(data: Source | None, **fields: Any) -> Data | None:
    """What is known of each product: rows of the PRODUCTS contract; None where none are named."""
    return None if data is None else check(data, "products", **fields)


@guarded
def stores(data: Source | None, **fields: Any) -> Data | None:
    """What is known of each store: rows of the STORES contract; None where none are named."""
    return None if data is None else check(data, "stores", **fields)


def _period(findings, split, until, acquired_from):
    if findings.first is None:
        raise InputError(f"{findings.name} knows no days, so that it has no period; name data that do")
    breaches, later, entry = [], [], findings.entry
    if (observed := findings.observed_until) == findings.first:
        day = f"all data are of one day, {observed}, and a split needs two days at least"
        advice = "name data of a longer time, or a later day up to which these are complete, observed_until"
        raise InputError(f"{findings.name}: {day}; {advice}")
    ends_by = "observed_until" if observed > findings.last else "last day of the data"
    until, until_by = _chosen_day("until", until, entry.until, findings, observed, ends_by, later)
    last = until if until and findings.first < until <= observed else observed
    listed = entry.split if entry.split and entry.split < last else None
    two_thirds = findings.first + timedelta((last - findings.first).days * 2 // 3)
    split, split_by = _chosen_day("split", split, listed, findings, two_thirds, "two thirds of the span", breaches)
    breaches += later
    if not breaches and split >= until:
        order = f"split = {split} must come before until = {until}"
        breaches.append(f"{findings.name}: {order}; choose days within {_span(findings)}")
    if acquired_from is not None or entry.acquired_from:
        acquired_from, _ = _chosen_day(
            "acquired_from", acquired_from, entry.acquired_from, findings, None, "", breaches
        )
    if breaches:
        raise InputError(*breaches)
    days = {
        "first order": (findings.first, "the data"),
        "split: calibration ends": (split, split_by),
        "until: holdout ends": (until, until_by),
    }
    if until > findings.last:
        days["last order"] = (findings.last, "the data")
    summary = pd.DataFrame.from_dict(days, orient="index", columns=["day", "chosen by"])
    until_is_last_row = until_by == ends_by and observed == findings.last
    return Period(findings.first, split, until, acquired_from, summary, until_is_last_row)


def _chosen_day(what, given, listed, dataset, default, rule, breaches):
    """A day of the period with who chose it; what is wrong with it joins `breaches`."""
    day, by = (given, "parameter") if given is not None else (listed, "catalog") if listed else (default, rule)
    try:
        day = as_date(day)
    except InputError as wrong:
        breaches.append(f"{dataset.name}: {what} = {wrong}")
        return None, by
    day = day.date() if isinstance(day, datetime) else day
    if not dataset.first <= day <= dataset.observed_until:
        breaches.append(f"{dataset.name}: {what} = {day} lies outside {_span(dataset)}; choose a day within")
    return day, by


def _span(dataset):
    return f"the data, which runs from {dataset.first} to {dataset.observed_until}"


def fingerprint(data):
    """SHA-256 of a file's bytes, or of a folder's sorted paths and their hashes; None for a table on an engine."""
    place = find(data)[2]
    if place is None:
        return None
    if place.is_file():
        return sha256(place)
    listed = "\n".join(f"{f.relative_to(place)} {sha256(f)}" for f in sources.files(place))
    return hashlib.sha256(listed.encode()).hexdigest()


def sha256(path):
    """Hash of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
