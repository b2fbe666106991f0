"""An entry of the catalog for a file that has none: what the file seems to hold, and what is left to decide.

A file is read and validated, and what validation advises to state is stated, until it is accepted or nothing more is
advised. What is one of several possible readings, or a choice about the data, bears `decide:`.
"""

import ast
import json
import os
import re
import shlex
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import pandas as pd

from crmlab import catalog, places
from crmlab.contracts import InputError, currencies, guesses, names, sources
from crmlab.contracts.expressions import column_names
from crmlab.contracts.guesses import Guess
from crmlab.contracts.settings import DECIDE, read_settings, read_toml
from crmlab.entry import Entry

SURE = ("time_format", "decimal", "thousands")  # fields whose value is no choice where one reading alone fits
SETTINGS = [name for name in Entry.model_fields if name not in (*catalog.PLACE, "contract", "where")]
ADVISED = re.compile(rf"(?<![\w(])({'|'.join(SETTINGS)})(?: = | whose [^;,]*, such as )('[^']*'|\"[^\"]*\")")
EXAMPLES = re.compile(r"\(first: .*\); ")  # cells, as a breach quotes them
NEXT = {
    "transactions": "clv -p data={}",
    "subscriptions": "retention -p data={}",
    "retention": "retention -p data={}",
    "series": "product_life_cycle -p data={}",
    "customers": "segments -p data=ORDERS -p customers={}",
    "products": "segments -p data=ORDERS -p products={}",
}  # by contract: the report that begins with such data


@dataclass(frozen=True)
class Draft:
    """An entry as it is written: TOML, with a comment on each guess.

    name      : of the entry
    text      : TOML
    decisions : how many of its lines are to be decided
    contract  : that it states
    summary   : what validation finds by it; None where it is still refused
    refused   : everything that is still wrong then
    """

    name: str
    text: str
    decisions: int
    contract: str
    summary: pd.DataFrame | None
    refused: tuple[str, ...] = ()

    @property
    def next_steps(self) -> list[str]:
        """What to run once the lines are decided."""
        name = shlex.quote(self.name)
        report = None if self.refused else NEXT.get(self.contract)
        return [f"crmlab check {name}", *([f"crmlab run {report.format(name)}"] if report else [])]


def draft_entry(path: str | Path, name: str | None = None) -> Draft:
    """An entry for a file or a folder of files, guessed from it; nothing is written.

    Parameters
    ----------
    path : str or Path
        Of the file, or a folder of files of one table.
    name : str, optional
        Of the entry; without it the file's, without its suffix.

    Returns
    -------
    Draft
        The entry, and what validation says of it.

    Raises
    ------
    InputError
        If the file cannot be read, is in the catalog already, or the name is taken.
    """
    place = places.resolved(Path(os.path.expanduser(path)))
    name = _free_name(place, name)
    raw, settings = _read(place)
    kind = guesses.contract(raw)
    contract = str(kind.value)
    columns = guesses.columns(raw, contract)
    if "tenure" in columns:
        settings["tenure_unit"] = Guess("month", f"what {columns['tenure'].value!r} counts: day, month or year", True)
    data, refused = _validate(place, contract, columns, settings)
    if data:
        settings = _found(data.findings.described) | settings | _currency(data)
        data, refused = _validate(place, contract, columns, settings)
    lines = [_line("path", Guess(_portable(place), ""))]
    lines += [] if contract == "transactions" and not kind.doubtful else [_line("contract", kind)]
    lines += [_line(field, guess) for field, guess in settings.items()]
    lines += [_line(f"columns.{column}", guess) for column, guess in columns.items() if guess.value != column]
    head = [
        "",
        f"[{_key(name)}]",
        f"# Guessed from {_comment(place.name)} by `crmlab new data`. Lines with the word decide and a colon are"
        " doubtful: correct each if need be, and remove both; until then the entry is refused.",
        '# about = "what these data are, in a sentence"',
    ]
    unused = _unused(raw, columns, data)
    wrong = [f"# refused when it was written: {_comment(breach)}" for breach in refused]
    text = "\n".join([*head, *lines, *unused, *wrong, ""])
    decisions = sum(DECIDE in line for line in lines)
    return Draft(name, text, decisions, contract, data.summary if data else None, refused)


def add_entry(draft: Draft) -> Path:
    """Append an entry to data/catalog.toml, which is replaced at once; what stands there is kept, byte by byte.

    Parameters
    ----------
    draft : Draft
        As `draft_entry` gives it.

    Returns
    -------
    Path
        Of the catalog.
    """
    listed = (catalog.root() / "data" / "catalog.toml").resolve()
    held = listed.read_bytes()
    end = b"" if not held or held.endswith(b"\n") else b"\n"
    with NamedTemporaryFile(dir=listed.parent, prefix=".catalog_", delete=False) as beside:
        beside.write(held + end + draft.text.encode())
    os.chmod(beside.name, listed.stat().st_mode)
    os.replace(beside.name, listed)
    return listed


def _free_name(place, name):
    """The name of the entry. Raises InputError where it is taken, and where the file is listed or not there."""
    if not place.exists():
        raise InputError(f"{place}: there is no such file; correct the path")
    stem = place.name
    while Path(stem).suffix.lower() in sources.SUFFIXES:
        stem = Path(stem).stem
    name = re.sub(r"\W+", "_", stem).strip("_") if name is None else name.strip()
    if not name or not name.isprintable():
        raise InputError(f"{place.name}: its name gives none for the entry; give one by --name")
    base = catalog.root() / "data"
    known = read_toml(base / "catalog.toml", f"{base}: there is no catalog.toml")
    breaches = []
    if name in known:
        breaches.append(f"{name}: stands in data/catalog.toml already; give another name by --name")
    for other, fields in known.items():
        path = None if "package" in fields or not isinstance(fields, dict) else fields.get("path")
        if path and (base / os.path.expanduser(path)).resolve() == place:
            advice = f"change that entry, or remove it first; `crmlab check {shlex.quote(other)}` validates it"
            breaches.append(f"{place.name}: is listed in data/catalog.toml already, as [{_key(other)}]; {advice}")
    if breaches:
        raise InputError(*breaches)
    return name


def _read(place):
    """The raw table of a file, and the settings that reading it takes.

    Raises InputError where it cannot be read, whatever is stated.
    """
    settings: dict[str, Guess] = {}
    while True:
        entry = read_settings(Entry, {"path": str(place)} | _values(settings), place.name)
        try:
            with sources.raise_input_errors(place.name, place):
                raw, _faults, _described = sources.read(place, entry, place.name)
            return raw, settings
        except InputError as wrong:
            if not (more := _advised(wrong.breaches, place.name, settings)):
                raise
            settings |= more | _encoding(place, more, settings)


def _encoding(place, advised, settings):
    """The encoding of several possible ones that alone reads columns whose names are known; nothing where none does."""
    if "encoding" not in advised:
        return {}
    why = advised["encoding"].why
    others = re.findall(r"\(others: (.*?)\)", why)
    reading = {}
    for encoding in [*re.findall(r"'([\w-]+)' reads ", why), *(name for text in others for name in text.split(", "))]:
        stated = {"path": str(place)} | _values(settings) | {"encoding": encoding}
        with suppress(InputError):  # of names that stand twice, as one reads them
            raw, _faults, _described = sources.read(place, read_settings(Entry, stated, place.name), place.name)
            known = [name for name in guesses.names(raw) if not name.isascii() and names.is_known(name)]
            reading |= {encoding: known} if known else {}
    if len(reading) != 1:
        return {}
    (encoding, known), *_others = reading.items()
    said = f"found: it alone reads names of columns that are known, {', '.join(map(repr, known))}"
    return {"encoding": Guess(encoding, said)}


def _validate(place, contract, columns, settings):
    """The data that an entry gives, with the settings advised, which join `settings`; and what is wrong still."""
    while True:
        fields = _values(columns) | _values(settings)
        try:
            return catalog.check(str(place), contract, **fields), ()
        except InputError as wrong:
            if not (more := _advised(wrong.breaches, place.name, settings)):
                return None, wrong.breaches
            settings.update(more)


def _values(guessed):
    return {name: guess.value for name, guess in guessed.items() if guess.value is not None}


def _advised(breaches, where, settings):
    """What breaches advise to state that is not stated yet: field -> guess."""
    found: dict[str, Guess] = {}
    for breach in breaches:
        remedy = EXAMPLES.sub("; ", breach)
        first = ADVISED.search(remedy)
        if not first:
            continue
        stated, *others = remedy[first.start() :].split(", or ")
        why = re.sub(r" (in data/catalog\.toml|as an argument)\b", "", breach.removeprefix(f"{where}: "))
        doubtful = bool(others) or re.search(r"looks like|\bif ", remedy) is not None
        for field, value in ADVISED.findall(stated):
            sure = field in SURE and not doubtful
            found.setdefault(field, Guess(ast.literal_eval(value), f"without it, {why}", not sure))
    return {field: guess for field, guess in found.items() if field not in settings}


def _found(described):
    """How a file of text was read, as settings: encoding and delimiter; those of files that differ are left out."""
    found = {}
    encoding, _comma, why = described.get("encoding", "").partition(", ")
    if encoding and ";" not in described["encoding"] and not why.endswith("stated"):
        found["encoding"] = Guess(encoding, why)
    if delimiter := re.search(r"delimiter ('.+')", described.get("file", "")):
        found["delimiter"] = Guess(ast.literal_eval(delimiter[1]), "found in the header")
    return found


def _currency(data):
    """The currency, where all signs beside amounts mean it alone."""
    written = data.findings.counts.get("written", {}).values()
    signs = sorted({sign for seen in written for sign in seen.get("currency", {})})
    meant = [currencies.meant_by(sign) for sign in signs]
    codes = frozenset.intersection(*meant) if meant else frozenset()
    if len(codes) != 1:
        return {}
    return {"currency": Guess(min(codes), f"amounts bear {', '.join(map(repr, signs))}")}


def _line(field, guess):
    """A line of an entry; commented out where nothing is found to stand in it."""
    why = f"{DECIDE} {guess.why}" if guess.doubtful else guess.why
    line = f"{field} = {_text(guess.value or '')}{f' # {_comment(why)}' if why else ''}"
    return line if guess.value is not None else f"# {line}"


def _unused(raw, columns, data):
    """A comment on the columns that nothing is read from; none where the contract keeps them."""
    if data and data.contract.attributes:
        return []
    stated = _values(columns).values()
    used = {*stated, *(name for text in stated for name in column_names(text))}
    unused = [name for name in guesses.names(raw) if name not in used]
    return [f"# columns not used: {_comment(', '.join(map(repr, unused)))}"] if unused else []


def _portable(place):
    """A path as an entry has it: relative to data/ where it lies below."""
    base = (catalog.root() / "data").resolve()
    return place.relative_to(base).as_posix() if place.is_relative_to(base) else str(place)


def _text(value):
    """A text in TOML; between single quotes where it holds double ones."""
    return f"'{value}'" if '"' in value and value.isprintable() and "'" not in value else _quoted(value)


def _quoted(value):
    return json.dumps(value, ensure_ascii=False)


def _key(name):
    """A name as a key of TOML."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _comment(text):
    """Text that stands in one line."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
