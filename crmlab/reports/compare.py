"""One run beside another: what they were made from, and whether they say the same."""

import csv

from crmlab.places import sha256
from crmlab.reports import manifest, snapshot, store


def changed(made, job, root):
    """What differs now from what a run was made from: sentences, none where nothing does."""
    code, environment = snapshot.current(root), manifest.environment(root)
    if made.notebook_sha256 != sha256(job.report.notebook):
        yield f"notebook: {made.notebook} has changed"
    if made.code.sha256 != code.crmlab:
        yield f"code: crmlab/ has changed (then commit {made.code.commit}, now {snapshot.commit(root)[0]})"
    for path in sorted(made.code.modules.keys() | code.modules.keys()):
        if made.code.modules.get(path) != code.modules.get(path):
            yield f"code: {path}, beside the notebook, has changed"
    if made.environment.lock_sha256 != environment.lock_sha256:
        yield "lock: requirements.lock has changed"
    if moved := packages(made.environment, environment):
        yield f"packages: {len(moved)} differ ({', '.join(moved[:5])})"
    if made.environment.python != environment.python:
        yield f"python: then {made.environment.python}, now {environment.python}"
    if made.environment.start_files != environment.start_files:
        yield "python: what it runs when it starts has changed (sitecustomize.py or .pth files)"
    if made.masking and made.masking != manifest.masking():
        yield "mask key: customer ids are masked by another one"
    for name, path in job.files.items():
        if sha256(path) != made.files.get(name):
            yield f"file: {name}, {job.typed[name]}, has changed"
    for source in made.data:
        now = manifest.source(source.parameter, job.typed[source.parameter], job.datasets[source.parameter])
        if now.sha256 is None:
            yield f"data: {source.name} is a table on an engine, whose content cannot be compared"
        elif now.sha256 != source.sha256:
            yield f"data: {source.name} has changed ({source.rows:,} rows then, {now.rows:,} now)"
        if now.entry != source.entry:
            yield f"data: {source.name} is read in another way, as its catalog entry has changed"


def packages(one, other):
    """The packages that differ between two environments, with their versions."""
    then, now = one.packages, other.packages
    return [
        f"{name} {then.get(name, 'absent')} -> {now.get(name, 'absent')}"
        for name in sorted(then.keys() | now.keys())
        if then.get(name) != now.get(name)
    ]


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
