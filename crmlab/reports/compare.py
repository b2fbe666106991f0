"""One run beside another, bit for bit: whether they say the same."""

import csv

from crmlab.reports import store


def results(one, other):
    """Whether two run folders agree, by fact, check, table and data of figures: (name, equal, what differs)."""
    first, second = store.read(one), store.read(other)
    yield "state", first.state == second.state, "" if first.state == second.state else f"{first.state}, {second.state}"
    if first.error or second.error:
        yield (
            "error",
            first.error == second.error,
            "" if first.error == second.error else f"{_error_in_words(first)}, {_error_in_words(second)}",
        )
    for name in [*first.facts, *(n for n in second.facts if n not in first.facts)]:
        here, there = first.facts.get(name), second.facts.get(name)
        difference = f"{here and here['value']!r}, {there and there['value']!r}"
        if here and there and here["value"] == there["value"]:
            difference = "the same value with another interval or unit"
        yield f"fact {name}", here == there, "" if here == there else difference
    here, there = ({check["id"] or check["claim"]: check for check in made.checks} for made in (first, second))
    for name in [*here, *(name for name in there if name not in here)]:
        one_check, other_check = here.get(name), there.get(name)
        outcomes = ", ".join(str(check and check["outcome"]) for check in (one_check, other_check))
        yield f"check {name}", one_check == other_check, "" if one_check == other_check else outcomes
    tables = {p for made in (first, second) for p in made.artefacts if p.startswith(("tables/", "figures/"))}
    for path in sorted(path for path in tables if path.endswith(".csv")):
        equal = first.artefacts.get(path) == second.artefacts.get(path)
        yield (
            f"table {path.removeprefix('tables/')}" if path.startswith("tables/") else f"figure {path[8:]}",
            equal,
            "" if equal else _table_difference(one / path, other / path),
        )


def _error_in_words(run):
    return f"{run.error.name} in cell {run.error.cell}: {run.error.message}" if run.error else "none"


def _table_difference(one, other):
    if not (one.is_file() and other.is_file()):
        return "only in one of them"
    with one.open(newline="") as left, other.open(newline="") as right:
        here, there = list(csv.reader(left)), list(csv.reader(right))
    if len(here) != len(there):
        return f"{len(here) - 1:,} and {len(there) - 1:,} rows"
    differing = sum(a != b for a, b in zip(here, there, strict=True))
    return f"{differing:,} of {len(here):,} lines differ"
