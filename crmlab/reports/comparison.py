"""One run against another: facts with their differences, checks, tables, and what they were made from."""

import math
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from crmlab.contracts import InputError, suggest
from crmlab.display import words
from crmlab.estimate import FIELDS, Estimate
from crmlab.exported import REPLICATES, as_it_was
from crmlab.reports import integrity, ledger, store
from crmlab.reports.attribution import Attribution
from crmlab.reports.causes import causes
from crmlab.reports.differences import TOLERANCE, Difference, deviations_of, differences
from crmlab.reports.growth import NewDays, new_days
from crmlab.reports.manifest import Manifest

SAID = {"as predicted": "as predicted", "differs": "not as predicted"}
CAUTIOUS = "which is cautious where customers are shared"
PAIRED = "bootstrap replicates are paired by customer, so that the error of shared customers counts once"


@dataclass(frozen=True)
class Comparison:
    """Two runs of a report, side by side."""

    before: Manifest
    after: Manifest
    same_data: bool
    causes: list[str] = field(default_factory=list)  # what they were made from that differs
    facts: list[Difference] = field(default_factory=list)
    checks: list[tuple[str, str, str]] = field(default_factory=list)  # claim, outcome then, and now
    tables: list[tuple[str, str]] = field(default_factory=list)  # path, what differs
    one_sided: list[str] = field(default_factory=list)  # facts that only one of the runs has, in words
    new_days: list[NewDays] = field(default_factory=list)  # what came since the earlier run, against its forecast
    not_judged: str = ""  # why that is not judged
    attribution: Attribution | None = None  # where it was asked for

    def due_to(self, fact: Difference) -> str:
        """What the difference of a fact is due to, cause by cause; empty where that is not known."""
        if self.attribution is None or fact.name not in self.attribution.effects or not fact.value:
            return ""
        return self.attribution.in_words(fact.name, fact.written)

    @property
    def flagged(self) -> list[Difference]:
        """The facts that differ."""
        return [fact for fact in self.facts if fact.outcome == "differs"]

    @property
    def how_judged(self) -> str:
        """How facts of other data were judged, in words."""
        of_facts = [fact for fact in self.facts if fact.p is not None]
        paired = sum(fact.paired for fact in of_facts)
        if paired == len(of_facts) > 0:
            return PAIRED
        if not paired:
            return f"the errors of both runs count, {CAUTIOUS}"
        alike = "1 fact is" if paired == 1 else f"{paired} facts are"
        rest = len(of_facts) - paired
        return (
            f"{alike} judged by bootstrap replicates paired by customer, {rest} by the errors of both runs, {CAUTIOUS}"
        )

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        if self.same_data and not (self.flagged or self.checks or self.tables or self.one_sided):
            return "Nothing differs: all facts, checks and tables are the same."
        judged = [fact for fact in self.facts if fact.outcome != "not judged"]
        facts = f"{len(self.flagged)} of {len(judged)} facts differ" if judged else "no fact could be judged"
        how = "the data are the same, so that every difference is real"
        if not self.same_data:
            how = f"the data differ; {self.how_judged}"
        checks, tables = len(self.checks), len(self.tables)
        rest = f"{checks} check{'s' * (checks != 1)} changed outcome"
        rest += f", {tables} table{'s differ' if tables != 1 else ' differs'}"
        ahead = [f"{each.measure} of the new days {SAID[each.outcome]}" for each in self.new_days]
        said = f"{', '.join([facts, rest, *ahead])}: {how}."
        return said[0].upper() + said[1:]


def compare(before: Path, after: Path) -> Comparison:
    """Set a run beside an earlier one.

    before, after : folders of runs
    Raises InputError where a manifest cannot be read.
    """
    one, other = store.read(before), store.read(after)
    same = _read_the_same(one, other)
    deviations = deviations_of(before), deviations_of(after)
    return Comparison(
        one, other, same, [*causes(one, other)], differences(one, other, same, deviations),
        [*_checks(one, other)],
        [*_tables(before, after, one, other)], [*_one_sided(one, other)], *new_days(before, one, other),
    )  # fmt: skip


def in_short(reports: Path, before: Manifest, after: Manifest) -> str:
    """What a run says that an earlier one did not, without a look at its tables: a sentence."""
    same = _read_the_same(before, after)
    moves = [deviations_of(reports / run.report / run.run) for run in (before, after)]
    facts = [fact for fact in differences(before, after, same, (moves[0], moves[1])) if fact.outcome == "differs"]
    changed, made_from = [*_checks(before, after)], [*causes(before, after)]
    parts = [
        _listed("fact differs", "facts differ", [f"{words(f.name)} {f.in_words()}".strip() for f in facts]),
        _listed(
            "check changed outcome", "checks changed outcome", [f"{c}: {then}, then {now}" for c, then, now in changed]
        ),
        _listed("input differs", "inputs differ", made_from),
    ]
    return "; ".join(filter(None, parts)) or "nothing differs"


def _listed(one, several, found, shown=3):
    """How many there are, and the first of them, in words; empty where there are none."""
    if not found:
        return ""
    more = ", …" if len(found) > shown else ""
    return f"{len(found)} {one if len(found) == 1 else several} ({', '.join(found[:shown])}{more})"


def _read_the_same(one, other):
    """Whether both read the same content in the same way; tables on engines have none that could be compared."""
    first, second = ([(d.parameter, d.sha256, d.entry) for d in run.data] for run in (one, other))
    known = all(digest for _, digest, _ in first)
    return known and first == second and one.files == other.files


def _one_sided(one, other):
    yield from (f"{words(name)} is new" for name in other.facts if name not in one.facts)
    yield from (f"{words(name)} is gone" for name in one.facts if name not in other.facts)


def _checks(one, other):
    then = {check["id"] or check["claim"]: check for check in one.checks}
    now = {check["id"] or check["claim"]: check for check in other.checks}
    for name in [*then, *(name for name in now if name not in then)]:
        before, after = (held[name]["outcome"] if name in held else "absent" for held in (then, now))
        if before != after:
            yield (now.get(name) or then[name])["claim"], before, after


def _tables(before, after, one, other):
    both = (one.artefacts.keys() | other.artefacts.keys()) - {REPLICATES}
    paths = sorted(path for path in both if path.startswith("tables/"))
    for path in paths:
        if one.artefacts.get(path) == other.artefacts.get(path):
            continue
        if path not in one.artefacts or path not in other.artefacts:
            yield path, "is new" if path in other.artefacts else "is gone"
        elif said := _rows(before / path, after / path):
            yield path, said


def _rows(before, after):
    """How two tables differ, by key where they have one: how many rows were added, are gone, were changed."""
    try:
        then, now = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in (before, after))
        then, now = (as_it_was(table, path) for table, path in ((then, before), (now, after)))
    except (OSError, ValueError, pd.errors.ParserError) as fault:
        return f"cannot be compared ({type(fault).__name__})"
    new, gone = ([c for c in a if c not in b.columns] for a, b in ((now, then), (then, now)))
    columns = [c for c in then if c in now.columns]
    said = [f"column {c} is new" for c in new] + [f"column {c} is gone" for c in gone]
    key = _key(then[columns], now[columns])
    if key:
        then, now = then.set_index(key), now.set_index(key)
    added, lost = now.index.difference(then.index), then.index.difference(now.index)
    both = then.index.intersection(now.index)
    changed = _changed(then.loc[both], now.loc[both], [c for c in columns if c not in key])
    counts = ((len(added), "added"), (len(lost), "gone"), (int(changed.any(axis=1).sum()), "changed"))
    said += [f"{count:,} row{'s' * (count != 1)} {what}" for count, what in counts if count]
    if moved := [str(c) for c in changed if changed[c].any()]:
        said.append(f"in {', '.join(moved[:5])}{', …' if len(moved) > 5 else ''}")
    return ", ".join(said)


def _key(then, now):
    """The first columns, as few as do, whose values tell all rows of both tables; none where none do."""
    for count in range(1, min(4, len(then.columns)) + 1):
        names = [*then.columns[:count]]
        if not then.duplicated(names).any() and not now.duplicated(names).any():
            return names
    return []


def _changed(then, now, columns):
    """Which cells differ: numbers by more than two computations of the same do."""
    found = {}
    for name in columns:
        first, second = then[name], now[name]
        one, other = (pd.to_numeric(values, errors="coerce") for values in (first, second))
        near = (one - other).abs() <= TOLERANCE * one.abs().where(one.abs() > other.abs(), other.abs())
        found[name] = (first != second) & ~near
    return pd.DataFrame(found, index=then.index)


def limits(given: list[str], found: Comparison) -> tuple[list[str], list[str]]:
    """What was asked of differences, as `fact:5%` or `fact:100`: what lies beyond, and what cannot be asked."""
    facts, beyond, breaches = {fact.name: fact for fact in found.facts}, [], []
    for each in given:
        name, _, most = each.rpartition(":")
        try:
            limit = float(most.removesuffix("%")) / (100 if most.endswith("%") else 1)
            if not 0 <= limit < math.inf:
                raise ValueError
        except ValueError:
            breaches.append(f"--fail-on {each!r}: write it as fact:5% or fact:100")
            continue
        if name not in facts:
            advice = suggest(name, facts, f"name one of {', '.join(facts) or 'none'}")
            breaches.append(f"--fail-on {each!r}: both runs have no fact {name!r}; {advice}")
            continue
        fact = facts[name]
        size = fact.relative if most.endswith("%") else fact.value
        if fact.value is None:
            beyond.append(f"{words(name)}: it is blank in one run, or in both")
        elif size is None and fact.value != 0:
            beyond.append(f"{words(name)}: the earlier value is 0, of which nothing is a share")
        elif size is not None and abs(size) > limit:
            beyond.append(f"{words(name)}: {fact.in_words()}, more than {most}")
    return beyond, breaches


def series(reports: Path, report: str, fact: str) -> tuple[list[str], list[list[Any]]]:
    """A fact over the runs of a report that have it, oldest first: names of columns, and a row a run.

    Runs that were tampered with are left out. Raises InputError where no run has it.
    """
    rows, known, book = [], {}, ledger.read(reports)
    for folder in reversed(store.folders(reports, report)):
        with suppress(InputError, OSError):  # of a run that cannot be read, nothing is known
            run = store.read(folder)
            known |= dict.fromkeys(run.facts)
            if fact in run.facts and integrity.standing(folder, book).state != "tampered":
                held = Estimate(**run.facts[fact]).as_dict()
                given = " ".join(f"{name}={value}" for name, value in run.parameters_given.items())
                data = " ".join(source.name for source in run.data)
                rows.append([run.run, f"{run.started:%Y-%m-%dT%H:%M:%SZ}", data, given, *(held[n] for n in FIELDS)])
    if not rows:
        listed = f"name one of {', '.join(known)}" if known else "there are no runs of it with facts"
        raise InputError(f"{report}: no run has a fact {fact!r}; {suggest(fact, known, listed)}")
    return ["run", "started", "data", "parameters given", *FIELDS], rows
