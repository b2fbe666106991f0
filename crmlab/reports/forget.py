"""A person is taken out of the tables of runs, as somebody who asks to be erased may want; nothing else changes."""

import csv
import html
import io
import json
import os
import re
import sys
from pathlib import Path
from urllib.parse import quote

from crmlab import exported
from crmlab.contracts import InputError, formulas
from crmlab.places import sha256
from crmlab.reports import integrity, ledger, review, store

SHORTEST = 6  # characters of an id that other files are searched for
TEXT = {".csv", ".html", ".ipynb", ".json", ".md", ".svg", ".txt", ".tex"}


def holding(reports: Path, customer: str) -> dict[Path, tuple[list[str], list[str]]]:
    """The runs whose files hold a customer's id: their private tables with a row of it, and other files that name it.

    Of ids that are short, other files name many by accident: they are looked at for ids of six characters or more.
    """
    found = {}
    for folder in store.folders(reports):
        private = [path for path in sorted((folder / store.PRIVATE).rglob("*.csv")) if _without(path, customer)[1]]
        others = [path for path in sorted(folder.rglob("*")) if is_searched_for(customer) and _names(path, customer)]
        tables, other = ([path.relative_to(folder).as_posix() for path in paths] for paths in (private, others))
        if tables or other:
            found[folder] = tables, [path for path in other if path not in tables]
    return found


def is_searched_for(customer: str) -> bool:
    """Whether files beside private tables are searched for an id: shorter ones stand there by accident."""
    return len(customer) >= SHORTEST


def forget(reports: Path, customer: str) -> dict[Path, tuple[list[str], list[str]]]:
    """Take a customer's rows out of the private tables of all runs: what held the id, as `holding` says it.

    The ledger records old and new hashes of the tables and never the id, so that runs and approvals stay valid.
    Raises InputError for an empty id.
    """
    if not customer.strip():
        raise InputError("the customer's id is empty, as an unset variable leaves it; give the id")
    found = holding(reports, customer)
    for folder, (tables, _others) in found.items():
        if tables:
            _rewrite(reports, folder, tables, customer)
    return found


def _rewrite(reports, folder, tables, customer):
    """Write private tables anew; the ledger knows of it first, and whoever cleans up finishes what it knows of."""
    with ledger.opened(reports) as book:
        tables = [table for table in tables if (folder / table).is_file()]  # the run may have been pruned meanwhile
        if not tables:
            return
        intact = integrity.standing(folder, book.ledger, whole=True).is_intact
        page = folder / review.PAGE
        sums = [exported.REPLICATES] if (folder / exported.REPLICATES).is_file() else []  # the person is part of them
        waiting = {table: store.beside(folder, table) for table in [*tables, *sums]}
        for table, beside in waiting.items():
            beside.touch(0o600)
            beside.write_bytes(b"" if table in sums else _without(folder / table, customer)[0])
        at = ledger.now()
        if page.is_file():
            waiting[review.PAGE] = store.beside(folder, review.PAGE)
            said = [*review.said_of(book.ledger, folder.name), ("forgotten", "", at, "")]
            holds = book.ledger.approved(folder.name) is not None
            review.write_page(page, waiting[review.PAGE], said, folder.name, holds)
        changed = {table: [sha256(folder / table), sha256(beside)] for table, beside in waiting.items()}
        files = {"files": integrity.stamp(folder, waiting)} if intact else {}  # what was tampered with stays so
        book.append("forgotten", folder.parent.name, folder.name, at=at, changed=changed, **files)
        for table, beside in waiting.items():
            os.replace(beside, folder / table)


def _without(path, customer):
    """A table without the rows of a customer, the rest byte for byte, and how many these are."""
    text = path.read_bytes().decode("utf-8", "surrogateescape")
    lines = list(io.StringIO(text, newline=""))  # not at what other programs alone take for the end of a line
    csv.field_size_limit(sys.maxsize)
    rows, kept, begun, removed = csv.reader(lines), [], 0, 0
    ids: list[int] = []
    written = formulas.plain(customer) if formulas.are_plain(path) else customer
    for number, row in enumerate(rows):
        if number == 0:
            ids = [place for place, name in enumerate(row) if name.endswith("customer_id")]
        if any(place < len(row) and row[place] == written for place in ids):
            removed += 1
        else:
            kept += lines[begun : rows.line_num]
        begun = rows.line_num
    return "".join(kept).encode("utf-8", "surrogateescape"), removed


def _names(path, customer):
    forms = {customer, html.escape(customer), json.dumps(customer)[1:-1], quote(customer), repr(customer)[1:-1]}
    any_form = b"|".join(re.escape(form.encode(errors="surrogateescape")) for form in sorted(forms))
    whole = rb"(?<![\w-])(?:" + any_form + rb")(?![\w-])"
    return path.suffix in TEXT and path.is_file() and re.search(whole, path.read_bytes()) is not None
