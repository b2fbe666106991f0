"""One run against another: facts with differences and their intervals, checks, tables, and what they were made from.

Of runs of the same data every difference is real, as none of it is sampling error. Of runs of other data the errors of
both add: the interval of a difference is that of two independent estimates [MOVER: Zou & Donner 2008, "Construction of
confidence intervals about effect measures"], and what is flagged is adjusted for the number of facts [Holm 1979].
Customers whom both runs share make this cautious: their estimates err alike, and the difference less than stated.
"""

import math
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pandas as pd
from scipy import stats

from crmlab.contracts import InputError, suggest
from crmlab.display import words
from crmlab.estimate import Estimate, written
from crmlab.exported import as_it_was
from crmlab.reports import store
from crmlab.reports.causes import causes
from crmlab.reports.manifest import Manifest
from crmlab.stats.comparisons import holm

TOLERANCE = 1e-6  # of a value, by which two computations of the same may differ
LEVEL = 0.95
OUTCOMES = ("differs", "within error", "the same", "not judged")


@dataclass(frozen=True)
class Difference:
    """A fact of two runs: the second less the first."""

    name: str
    before: Estimate
    after: Estimate
    outcome: str  # one of OUTCOMES
    low: float | None = None  # interval of the difference
    high: float | None = None
    p: float | None = None  # adjusted for all facts
    reason: str = ""  # why it is not judged

    @property
    def value(self) -> float | None:
        """How much more the second is; None where one of them is blank."""
        return self.after.value - self.before.value if self.before and self.after else None  # type: ignore[operator]

    @property
    def relative(self) -> float | None:
        """The same as a share of the first; None where that is 0, or one is blank."""
        return self.value / abs(self.before.value) if self.value is not None and self.before.value else None

    def in_words(self) -> str:
        """The difference, its share of the first, and its interval; empty where there is none."""
        if self.value is None or (self.value == 0 and self.low is None):
            return ""
        share = f" ({100 * self.relative:+.1f} %)" if self.relative is not None and self._points == 1 else ""
        kind = "confidence" if None not in (self.before.ci_low, self.after.ci_low) else "prediction"
        ends = f", {100 * self.before.level:.4g} % {kind} interval {self.ends}" if self.low is not None else ""
        return f"{'+' if self.value > 0 else ''}{self._written(self.value)}{self._unit}{share}{ends}"

    @property
    def ends(self) -> str:
        """The ends of the interval of the difference."""
        return "" if self.low is None else f"{self._written(self.low)} to {self._written(self.high)}"

    @property
    def _points(self):
        """What a difference is multiplied by: shares differ by percentage points."""
        return 100 if self.before.kind == "share" else 1

    @property
    def _unit(self):
        return " percentage points" if self._points == 100 else ""

    def _written(self, value):
        if self._points == 100:
            return f"{100 * value:.1f}"
        return written(value, self.before.kind if self.before.kind in ("money", "count", "days") else "number")


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

    @property
    def flagged(self) -> list[Difference]:
        """The facts that differ."""
        return [fact for fact in self.facts if fact.outcome == "differs"]

    @property
    def summary(self) -> str:
        """What was found, in a sentence."""
        if self.same_data and not (self.flagged or self.checks or self.tables or self.one_sided):
            return "Nothing differs: all facts, checks and tables are the same."
        judged = [fact for fact in self.facts if fact.outcome != "not judged"]
        facts = f"{len(self.flagged)} of {len(judged)} facts differ" if judged else "no fact could be judged"
        how = "the data are the same, so that every difference is real"
        if not self.same_data:
            shared = "where customers are shared, differences err less"
            how = f"the data differ, so that the errors of both runs count; {shared}"
        checks, tables = len(self.checks), len(self.tables)
        rest = f"{checks} check{'s' * (checks != 1)} changed outcome, {tables} table{'s' * (tables != 1)} differ"
        said = f"{facts}, {rest}: {how}."
        return said[0].upper() + said[1:]


def compare(before: Path, after: Path) -> Comparison:
    """Set a run beside an earlier one.

    before, after : folders of runs
    Raises InputError where a manifest cannot be read.
    """
    one, other = store.read(before), store.read(after)
    same = _read_the_same(one, other)
    return Comparison(
        one, other, same, [*causes(one, other)], differences(one, other, same), [*_checks(one, other)],
        [*_tables(before, after, one, other)], [*_one_sided(one, other)],
    )  # fmt: skip


def in_short(before: Manifest, after: Manifest) -> str:
    """What a run says that an earlier one did not, without a look at its tables: a sentence."""
    same = _read_the_same(before, after)
    facts = [fact for fact in differences(before, after, same) if fact.outcome == "differs"]
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


def differences(one: Manifest, other: Manifest, same_data: bool) -> list[Difference]:
    """The facts that both runs have, judged."""
    pairs = [(n, Estimate(**one.facts[n]), Estimate(**other.facts[n])) for n in one.facts if n in other.facts]
    found = [_same(*pair) if same_data else _independent(*pair) for pair in pairs]
    return found if same_data else _adjusted(found)


def _one_sided(one, other):
    yield from (f"{words(name)} is new" for name in other.facts if name not in one.facts)
    yield from (f"{words(name)} is gone" for name in one.facts if name not in other.facts)


def _same(name, before, after):
    """Of the same data: any difference beyond that of two computations is real."""
    if not before and not after:
        return Difference(name, before, after, "the same")
    if not (before and after):
        blank = "was blank" if not before else "is blank"
        return Difference(name, before, after, "differs", reason=f"it {blank}: {(before.reason or after.reason)}")
    if (before.unit, before.kind) != (after.unit, after.kind):
        return Difference(name, before, after, "not judged", reason="its unit differs")
    if not _alike(before.value, after.value):
        return Difference(name, before, after, "differs")
    ends = zip(_ends(before), _ends(after), strict=True)
    if not all(one == other or (None not in (one, other) and _alike(one, other)) for one, other in ends):
        return Difference(name, before, after, "differs", reason="its interval differs")
    return Difference(name, before, after, "the same")


def _alike(one, other):
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=0)


def _independent(name, before, after):
    """Of other data: the interval of the difference of two independent estimates, and its p."""
    if not (before and after):
        reason = "it was blank" if after else "it is blank" if before else "it is blank in both"
        return Difference(name, before, after, "not judged", reason=reason)
    if (before.unit, before.kind) != (after.unit, after.kind):
        return Difference(name, before, after, "not judged", reason="its unit differs")
    (low_1, high_1), (low_2, high_2) = _ends(before), _ends(after)
    if None in (low_1, low_2):
        return Difference(name, before, after, "not judged", reason="it has no interval to judge by")
    if before.level != after.level:
        return Difference(name, before, after, "not judged", reason="its intervals have other levels")
    difference = after.value - before.value
    below = math.hypot(after.value - low_2, high_1 - before.value)
    above = math.hypot(high_2 - after.value, before.value - low_1)
    reach = below if difference > 0 else above  # the side on which 0 lies
    z = stats.norm.ppf(0.5 + before.level / 2)
    p = 1.0 if difference == 0 else 0.0 if reach == 0 else 2 * stats.norm.sf(abs(difference) * z / reach)
    return Difference(name, before, after, "within error", difference - below, difference + above, float(p))


def _ends(estimate):
    """The confidence interval, else the prediction interval, which is wider."""
    if estimate.ci_low is not None:
        return estimate.ci_low, estimate.ci_high
    return estimate.pi_low, estimate.pi_high


def _adjusted(found):
    """The same with p adjusted by Holm's method, and flagged where it is below what LEVEL leaves."""
    judged = [fact for fact in found if fact.p is not None]
    adjusted = dict(zip((f.name for f in judged), holm([f.p for f in judged]) if judged else (), strict=True))
    return [
        replace(fact, p=float(p), outcome="differs" if p < 1 - LEVEL else "within error")
        if (p := adjusted.get(fact.name)) is not None
        else fact
        for fact in found
    ]


def _checks(one, other):
    then = {check["id"] or check["claim"]: check for check in one.checks}
    now = {check["id"] or check["claim"]: check for check in other.checks}
    for name in [*then, *(name for name in now if name not in then)]:
        before, after = (held[name]["outcome"] if name in held else "absent" for held in (then, now))
        if before != after:
            yield (now.get(name) or then[name])["claim"], before, after


def _tables(before, after, one, other):
    paths = sorted(p for p in one.artefacts.keys() | other.artefacts.keys() if p.startswith("tables/"))
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


ESTIMATE = tuple(each.name for each in fields(Estimate))


def series(reports: Path, report: str, fact: str) -> tuple[list[str], list[list[Any]]]:
    """A fact over the runs of a report that have it, oldest first: names of columns, and a row a run.

    Raises InputError where no run has it.
    """
    rows, known = [], {}
    for folder in reversed(store.folders(reports, report)):
        with suppress(InputError, OSError):  # of a run that cannot be read, nothing is known
            run = store.read(folder)
            known |= dict.fromkeys(run.facts)
            if fact in run.facts:
                held = Estimate(**run.facts[fact]).as_dict()
                given = " ".join(f"{name}={value}" for name, value in run.parameters_given.items())
                data = " ".join(source.name for source in run.data)
                rows.append([run.run, f"{run.started:%Y-%m-%dT%H:%M:%SZ}", data, given, *(held[n] for n in ESTIMATE)])
    if not rows:
        listed = f"name one of {', '.join(known)}" if known else "there are no runs of it with facts"
        raise InputError(f"{report}: no run has a fact {fact!r}; {suggest(fact, known, listed)}")
    return ["run", "started", "data", "parameters given", *ESTIMATE], rows
