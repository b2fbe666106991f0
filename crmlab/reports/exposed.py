"""Customer ids that a page shows as they are, which none of ours does: a notebook may print what it likes."""

import csv
import html
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crmlab.contracts import formulas
from crmlab.masks import mask
from crmlab.reports.store import PRIVATE

SHOWN = 3
MOST = 200_000  # ids of data that a page is searched for
LONG = 7  # digits of a number from which on it is no count or amount by accident
WORD = re.compile(r"[^\s<>\"'()\[\]{},;|]+")
IMAGE = re.compile(r"data:image/[^\"')\s]+")


def named(page: str, folder: Path, known: Iterable[str] = ()) -> list[str]:
    """Ids that stand in the page of a run, of its private tables and others `known`; short plain numbers are counts."""
    ids = {customer for customer in (*_ids(folder / PRIVATE), *known) if not _is_count(customer)}
    text = html.unescape(IMAGE.sub("", page))
    words = {form for word in WORD.findall(text) for form in (word, word.rstrip(".:!?"))}
    return sorted(ids & words | {customer for customer in ids if not WORD.fullmatch(customer) and customer in text})


def of_data(datasets: Iterable[Any]) -> list[str]:
    """The ids of customers in data, at most `MOST`."""
    found = []
    for data in datasets:
        if "customer_id" in data.table.columns:
            found += data.table.select("customer_id").distinct().limit(MOST).execute().customer_id.astype(str).tolist()
    return found


def said(page: str, folder: Path, datasets: Iterable[Any] = ()) -> str:
    """What to say of ids that a page shows, which are masked here; empty where it shows none."""
    try:
        found = named(page, folder, of_data(datasets))
    except Exception as fault:  # no reason to lose a run
        return f"The page was not searched for customer ids ({type(fault).__name__})."
    if not found:
        return ""
    such = ", ".join(map(mask, found[:SHOWN]))
    ids = "1 customer id" if len(found) == 1 else f"{len(found):,} customer ids"
    return f"The page shows {ids} unmasked (masked: {such}); show tables by report.show, and print no ids."


def _ids(private):
    csv.field_size_limit(sys.maxsize)
    for path in filter(Path.is_file, private.rglob("*.csv")):
        with path.open(encoding="utf-8", errors="replace", newline="") as stream:
            rows = csv.reader(stream)
            names = next(rows, [])
            places = [place for place, name in enumerate(names) if name.endswith("customer_id")]
            for row in rows:
                yield from (formulas.original(row[place]) for place in places if place < len(row) and row[place])


def _is_count(customer):
    return customer.isascii() and customer.isdigit() and not customer.startswith("0") and len(customer) < LONG
