"""A name or a path becomes a checked lazy table. This file alone reads `data/`.

`data/catalog.toml` says what data exists, where it lies, which contract it keeps and how its columns map onto that. A
path may stand wherever a name may: its columns must then bear the contract's names already, and tell which it is.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, NewType, TypeAlias

import ibis.expr.types as ir
import pandas as pd

from crmlab import engines, places, uris
from crmlab.contracts import CONTRACTS, InputError, infer_contract, memory, query, sources, suggest, validate
from crmlab.contracts.memory import ArrowTable
from crmlab.contracts.settings import read_settings, read_toml, undecided
from crmlab.dataset import IN_MEMORY, Data, Findings
from crmlab.days import as_date
from crmlab.entry import Entry, Known
from crmlab.guard import guarded

__all__ = [
    "Condition",
    "Customers",
    "Dataset",
    "Products",
    "check",
    "customers",
    "entries",
    "find",
    "orders",
    "products",
    "retention",
    "root",
    "series",
    "stores",
    "subscriptions",
]


def __dir__():
    return __all__


Dataset = NewType("Dataset", str)  # annotates a notebook parameter that names data
Customers = NewType("Customers", Dataset)  # the same, of data that hold what is known of customers
Products = NewType("Products", Dataset)  # or of products
Condition = NewType("Condition", str)  # one that rows of the Dataset are to meet
Source: TypeAlias = str | Path | pd.DataFrame | ir.Table | ArrowTable  # what a reader takes
PLACE = ("path", "uri", "table", "package", "sql", "sources", "columns")  # fields that no argument can state
URI = re.compile(r"[a-z][a-z0-9+.-]+:/")  # the beginning of one, of which a Path leaves one stroke


def root() -> Path:
    """The project's folder: `$CRMLAB_ROOT`, else the nearest one upward that holds data/catalog.toml."""
    given = os.environ.get("CRMLAB_ROOT")
    here = Path(given or Path.cwd()).resolve()
    for folder in [here] if given else [here, *here.parents, Path(__file__).resolve().parents[1]]:
        if (folder / "data" / "catalog.toml").is_file():
            return folder
    raise InputError(f"{here}: no data/catalog.toml in it; set CRMLAB_ROOT to a folder that holds data/catalog.toml")


def path() -> Path:
    """The catalog's own file."""
    return root() / "data" / "catalog.toml"


def entries() -> dict[str, Entry]:
    """The catalog: entries by name, but for those that cannot be read, which only `find` of that name tells."""
    return _catalog()[0]


def _catalog():
    """Entries by name; and of each that cannot be read, what is wrong."""
    listed = path()
    if not listed.is_file():
        raise InputError(f"{listed}: there is no such file; set CRMLAB_ROOT to a folder that holds data/catalog.toml")
    return _entries(places.held(listed), listed, listed.stat().st_mtime_ns)


@cache
def _entries(held, path, _changed):
    given = read_toml(held, f"{path}: there is no such file")
    read, broken = {}, {}
    for name, fields in given.items():
        if not isinstance(fields, dict):
            shown = name if isinstance(fields, str) and "://" in fields else f"{name} = {fields!r}"
            loose = f"{shown} stands outside an entry"
            broken[name] = (f"{path.name}: {loose}; begin one with a line [{name}]",)
            continue
        try:
            read[name] = read_settings(Entry, fields, path.name, f"[{name}]")
        except InputError as wrong:
            broken[name] = wrong.breaches
    for name, line in undecided(held.read_text("utf-8-sig")):
        if read.pop(name, None) or name in broken:
            broken[name] = (*broken.get(name, ()), f"{path.name}: {line}")
    return read, broken


def find(data: str | Path) -> tuple[str, Entry, Path | None]:
    """The entry behind a name or a path, with its name and its place (a path, or None for an engine).

    Raises InputError where there is no such data, naming what there is.
    """
    (known, broken), data = _catalog(), str(data)
    places.resolved(Path(data))
    if not data.strip():
        raise InputError(
            "the name of the data is empty, as an unset variable leaves it; name data, or the path of a file"
        )
    if data in broken:
        raise InputError(*broken[data])
    if data in known:
        entry = known[data]
        name, base, listed = data, root() / "data", f" in [{data}] of data/catalog.toml"
    elif URI.match(data):
        raise InputError("a uri names no table by itself; list it in data/catalog.toml with table, and give its name")
    elif os.sep in data or Path(data).suffix.lower() in sources.SUFFIXES or os.path.exists(os.path.expanduser(data)):
        name, base, listed = places.resolved(Path(data)).name, Path.cwd(), ""
        entry = Entry(path=data)
    else:
        raise InputError(
            f"no data {data!r} in data/catalog.toml, which has {', '.join(sorted(known)) or 'no entries'}; "
            + suggest(data, known, "name one of these, or the path of a file")
        )
    return name, entry, places.of_entry(name, entry, base, listed)


def portable(data: str) -> str:
    """A data set's name, or the path of a file or folder as it holds from anywhere. Raises as `find` does."""
    place = find(data)[2]
    return data if data in entries() or place is None else str(places.original(place))


@guarded
def check(data: Source, contract: str | None = None, **fields: Any) -> Data:
    """A data set validated against its contract. Raises InputError with every breach found.

    data     : a name in the catalog, the path of a file, a uri with table, as catalog.orders("sqlite://shop.sqlite",
               table="sales"), or a table in memory: of pandas, polars, pyarrow or Ibis
    contract : the one that is needed, such as "transactions"; data that hold another are refused. What the catalog does
               not list is read by it; without it, by the contract that its columns tell
    fields   : of data that the catalog does not list: names of their columns, as customer_id="Client" or in a mapping,
               columns={"customer_id": "Client"}, and any field of the catalog, as returns="net". Of data that it
               lists, only a condition that rows are to meet as well, as where="Country = 'UK'"
    """
    if contract not in (None, *CONTRACTS):
        raise InputError(f"there is no contract {contract!r}; there are {', '.join(CONTRACTS)}")
    if fields.get("where") is None:
        fields.pop("where", None)
    if isinstance(fields.get("columns"), Mapping):
        fields = {**fields.pop("columns"), **fields}
    if not isinstance(data, (str, Path)):
        return _check_memory(data, contract, fields)
    if URI.match(str(data)):
        return _check_uri(str(data), contract, fields)
    name, entry, place = find(data)
    listed = str(data) in entries()
    if listed and "where" in fields:
        entry = _narrowed(entry, fields.pop("where"), name)
    if listed and fields:
        advice = f"change [{name}] there, or give the path of the file in place of its name"
        raise InputError(f"{name} is read as data/catalog.toml says, not by {', '.join(fields)}; {advice}")
    if listed and contract and entry.contract != contract:
        raise InputError(_wrong_contract(name, entry.contract, contract))
    if fields:
        entry = _given(Entry, fields, contract, name, path=entry.path)
    if not fields.keys() - {"where"}:  # which runs state too
        return _read(name, entry, place, entry.contract if listed else contract)
    try:
        return _read(name, entry, place, contract)
    except InputError as wrong:
        raise _as_arguments(wrong) from None


def _as_arguments(wrong):
    """What is wrong, with what to state as arguments of the call in place of the catalog's fields."""
    said = (breach.replace(sources.LISTED, "as an argument") for breach in wrong.breaches)
    return InputError(*(re.sub(r", as columns\.", ", as ", breach) for breach in said))


def _check_uri(uri, contract, fields):
    """A table of a database file, from here, or of an engine."""
    where = uris.shown(uri)
    if uris.is_address(uri):
        raise InputError(f"{where}: is an address on a network; download the file, and give its path")
    if "table" not in fields:
        raise InputError(f"{where}: it is not said which table is meant; give table, as table='orders'")
    table = fields.pop("table")
    entry = _given(Entry, fields, contract, where, uri=uri, table=table)
    return _read(table, entry, places.of_entry(table, entry, Path.cwd(), ""), contract)


def _read(name, entry, place, contract):
    held = [place] if place else places.of_sources(entry, name, root() / "data").values()
    read = [file for each in held for file in sources.files(each)]
    for file in read:
        places.resolved(file)
    stamp = tuple((str(file), file.stat().st_mtime_ns, file.stat().st_size) for file in read)
    whole = entry.model_dump_json(exclude_unset=True, context={"whole": True})
    return _check(name, whole, stamp or sources.reached(entry, name), place, contract)


def _narrowed(entry, condition, name):
    """The entry with one more condition on its rows."""
    both = condition if entry.where is None else f"({entry.where}) AND ({condition})"
    return read_settings(Entry, entry.model_dump(exclude_unset=True, context={"whole": True}) | {"where": both}, name)


def _given(model, fields, contract, where, **place):
    """What a call says of data: names of columns among `fields`, and settings."""
    held = CONTRACTS.values() if contract is None else [CONTRACTS[contract]]
    names = [column.name for each in held for column in each.columns]
    settings = [name for name in model.model_fields if name not in PLACE]
    if unknown := [name for name in fields if name not in (*names, *settings)]:
        advice = f"give names of columns ({', '.join(names)}), or {', '.join(settings)}"
        advice = suggest(unknown[0], [*names, *settings], advice)
        raise InputError(f"{where}: there is no {', '.join(unknown)} to give; {advice}")
    columns = {name: fields[name] for name in fields if name in names}
    rest = {name: value for name, value in fields.items() if name not in columns}
    kind = {} if contract is None else {"contract": contract}
    return read_settings(model, kind | place | rest | {"columns": columns}, where)


def _check_memory(data, contract, fields):
    raw = memory.read(data, IN_MEMORY)
    mapped = {fields[name]: name for name in fields if isinstance(fields[name], str)}
    kind = contract or infer_contract([mapped.get(name, name) for name in raw.columns])
    known = _given(Known, fields, kind, IN_MEMORY)
    if known.memory:
        engines.limit_memory(known.memory)
    with sources.raise_input_errors(IN_MEMORY, None):
        try:
            validated = validate(raw, IN_MEMORY, known)
        except InputError as wrong:
            raise _as_arguments(wrong) from None
    return Data(validated.table, CONTRACTS[kind], Findings(IN_MEMORY, known, validated.counts), validated.every)


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
    if entry.memory:
        engines.limit_memory(entry.memory)
    where = place.name if place and not entry.uri else name
    with sources.raise_input_errors(where, None if entry.uri else place):
        read = _queried(entry, name) if entry.sql else sources.read(place, entry, where, contract)
        raw, faults, described = read
        entry = entry.model_copy(update={"contract": contract or infer_contract(raw.columns)})
        validated = validate(raw, where, entry, faults)
    findings = Findings(name, entry, validated.counts, described)
    return Data(validated.table, CONTRACTS[entry.contract], findings, validated.every)


def _queried(entry, name):
    """The raw table of a query over files, with what is wrong with their lines."""
    held, tables, faults = places.of_sources(entry, name, root() / "data"), {}, []
    for source, place in held.items():
        with sources.raise_input_errors(place.name, place):
            tables[source], wrong, _described = sources.read(place, Entry(path=source), place.name)
        faults += wrong
    if faults:
        raise InputError(*faults)
    whole = {source: place for source, place in held.items() if place.is_file() and sources.is_parquet(place)}
    return query.read(entry.sql, tables, whole, name), [], {}


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


def fingerprint(data):
    """SHA-256 of a file's bytes, of a folder's sorted paths and their hashes, or of a query's sources and theirs.

    None for a table on an engine.
    """
    _name, entry, place = find(data)
    if entry.sql:
        return places.digest_of(source_hashes(data).items())
    return None if place is None else places.digest(place)


def files_of(data):
    """The files and folders behind data, each with whether it can be copied: a database may lie in several files."""
    name, entry, place = find(data)
    if place is None:
        return [(path, True) for path in places.of_sources(entry, name, root() / "data").values()]
    return [(place, not entry.uri)]


def source_hashes(data):
    """The files that a query reads, and their SHA-256; none for other data."""
    name, entry, _none = find(data)
    return {source: places.digest(place) for source, place in places.of_sources(entry, name, root() / "data").items()}
