"""What the columns of a survey that nobody described may be: guesses from their names and values."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from crmlab.service_quality.tables.cells import number, text
from crmlab.service_quality.tables.instrument import PEOPLE
from crmlab.service_quality.tables.labelled import Codebook
from crmlab.service_quality.tables.observed import (
    MAX_DISTINCT,
    MIN_COVERAGE,
    ObservedScale,
    none_of,
    outcome_of,
    rates,
    scale_of,
    values_of,
)
from crmlab.service_quality.tables.pairing import SERVQUAL_ITEMS, Pairing, called, pairing
from crmlab.service_quality.tables.vocabulary import AUDIENCES, DATES, NO, OUTCOMES, OVERALL, USES, YES

OWN_SCALE = ("importance", "standard", "promise")  # batteries that may have a scale of their own
MIN_OF_A_DAY = 5  # respondents a day, where a date is a wave
MIN_SHARED = 0.8  # share of items whose names begin as those of others, where these make dimensions
SERVQUAL = {"tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5}


@dataclass(frozen=True)
class Grouping:
    """Something of each dimension, and what it was grouped by and how surely."""

    groups: dict  # dimension -> items, or a column
    by: str = ""
    certain: bool = True


@dataclass(frozen=True)
class Guess:
    """What a survey seems to hold, in parts as an instrument has them."""

    paired: Pairing
    scale: ObservedScale
    dimensions: Grouping
    design: dict = field(default_factory=dict)
    points: Grouping = field(default_factory=lambda: Grouping({}))
    outcomes: dict = field(default_factory=dict)  # name -> (kind, columns, ObservedScale)
    audiences: dict = field(default_factory=dict)  # value -> audience, or None
    scales: dict = field(default_factory=dict)  # measure -> (low, high), where it has one of its own
    spare: tuple = ()  # columns with no use


def guess(table, codebook=Codebook(), wording=None):  # noqa: B008, frozen
    """What the columns of a table, one row a respondent, may be; a file's labels, missing codes and wording help."""
    table, wording = _in_words(table, codebook), wording or {}
    design = named_uses(table)
    free = [c for c in table if c not in design.values()]
    paired, outcomes = _items_and_outcomes(table, free, wording)
    items = paired.items
    used = {c for columns in items.values() for c in columns.values()}
    main = [c for columns in items.values() for m, c in columns.items() if m in ("expect", "perceive")]
    dimensions = dimensions_of(items)
    points = points_of(table, [c for c in free if c not in used and c not in outcomes], dimensions)
    left = [c for c in free if not (c in used or c in outcomes or c in points.groups.values())]
    segments = [c for c in left if c not in PEOPLE and _may_be_segment(table, c, left)]
    noted = values_of(table, design["audience"]) if "audience" in design else {}
    return Guess(
        paired=paired,
        scale=scale_of(table, main, codebook),
        dimensions=dimensions,
        design=design | {"segments": segments},
        points=points,
        outcomes=dict(_named_once(_combined(table, outcomes, codebook))),
        audiences={v: next((a for a, rule in AUDIENCES.items() if re.search(rule, v, re.I)), None) for v in noted},
        scales={m: ends for m in OWN_SCALE if (ends := _ends_alone(table, items, m, codebook))},
        spare=tuple(c for c in left if c not in segments),
    )


def _items_and_outcomes(table, free, wording):
    """The Pairing of the columns, of one battery where they do not pair; and column -> kind of the outcomes."""
    named = {c: kind for c in free if (kind := _kind(c))}
    ratings = [c for c in free if rates(table, c)]
    battery = single_battery(table, [c for c in free if c not in named])
    found = pairing(free, wording, ratings, battery)
    if found.items:
        used = {c for columns in found.items.values() for c in columns.values()}
        return found, {c: kind for c in free if c not in used and (kind := _kind(c) or _kind(wording.get(c, "")))}
    overall = {c: kind for c in battery if (kind := _kind(wording.get(c, ""))) and _beside(wording[c], kind)}
    said = next((m for m in ("expect", "perceive") if battery and all(called(c, m) for c in battery)), None)
    items = {c: {said or "perceive": c} for c in battery if c not in overall}
    by = "no columns pair as expectation and perception" + ("" if said else "; these are taken for perceptions")
    return Pairing(items, {}, by, certain=said is not None), named | overall


def _kind(said):
    """The kind of outcome that a name or wording speaks of; None for no kind."""
    return next((kind for kind, rule in OUTCOMES.items() if re.search(rule, said, re.IGNORECASE)), None)


def _beside(said, kind):
    """Whether a wording among those of a battery is of the whole service, so that it is an outcome and no item."""
    return kind in ("recommend", "loyalty") or bool(re.search(OVERALL, said, re.IGNORECASE))


def _combined(table, outcomes, codebook):
    """Kind, columns and ObservedScale of each outcome: columns of a kind that are named alike are one."""
    alike: dict[tuple[str, str], list[str]] = {}
    for column, kind in outcomes.items():
        alike.setdefault((kind, _stem(column) or column), []).append(column)
    for (kind, _name), columns in alike.items():
        seen = [outcome_of(table, column, kind, codebook) for column in columns]
        ends = {(one.low, one.high) for one in seen}
        several = len(columns) > 1 and len(ends) == 1 and seen[0].high is not None
        if several and not any(one.words or one.codes for one in seen):
            yield kind, columns, replace(seen[0], certain=all(one.certain for one in seen))
        else:
            yield from ((kind, [column], one) for column, one in zip(columns, seen, strict=True))


def _may_be_segment(table, column, others):
    """Whether a column may name segments: few values, each often, and not one of many columns named alike."""
    values = values_of(table, column)
    alike = sum(_stem(other) == _stem(column) != "" for other in others)
    return 2 <= len(values) <= MAX_DISTINCT < sum(values.values()) / 2 and alike < 3


def _named_once(outcomes):
    """Outcomes by name: the first of a kind by its kind, others by their column."""
    taken = set()
    for kind, columns, seen in outcomes:
        yield (re.sub(r"\W+", "_", columns[0]) if kind in taken else kind), (kind, columns, seen)
        taken.add(kind)


def _ends_alone(table, items, measure, codebook):
    columns = [named[measure] for named in items.values() if measure in named]
    seen = scale_of(table, columns, codebook) if columns else None
    return seen and (seen.low, seen.high)


def _in_words(table, codebook):
    """The table with labels for codes where these say yes or no, and without the file's missing codes there."""
    put = {}
    for column, labels in codebook.labels.items():
        said = {label.casefold() for label in labels.values() if not none_of(label)}
        if column in table.columns and said and (said <= {*YES, *NO} or re.fullmatch(USES["audience"], column, re.I)):
            put[column] = table[column].map(text).map(lambda cell, of=labels: of.get(cell, cell))
    return table.assign(**put)


def single_battery(table, columns):
    """The columns of one battery: those that are named alike and look like answers to a scale."""
    runs = Counter(stem for c in columns if (stem := _stem(c)))
    rated = [c for c in columns if rates(table, c)]
    return [c for c in rated if runs[_stem(c)] > 1] or rated


def _stem(column):
    return found[1] if (found := re.fullmatch(r"(.*?)[_ .\-]?\d+", column)) else ""


def dimensions_of(items):
    """Dimension -> items: by what their names begin with where most share it; else 22 as SERVQUAL has them, or one."""
    stems = {item: (_stem(item) or item).rstrip("_ .-") for item in items}
    groups = {stem: [item for item in items if stems[item] == stem] for stem in dict.fromkeys(stems.values())}
    shared = [group for group in groups.values() if len(group) > 1]
    if len(shared) > 1 and sum(map(len, shared)) >= MIN_SHARED * len(items):
        named = {re.sub(r"\W+", "_", stem): group for stem, group in groups.items()}
        return Grouping(named, "by what the names of items begin with", certain=len(shared) == len(groups))
    if len(items) != SERVQUAL_ITEMS:
        by = "nothing says which items belong together: name the dimensions, and list the items of each"
        return Grouping({"service": list(items)} if items else {}, by, certain=False)
    names = iter(items)
    found = {dimension: [next(names) for _ in range(size)] for dimension, size in SERVQUAL.items()}
    return Grouping(found, f"as {SERVQUAL_ITEMS} items are mostly SERVQUAL's, in its order", certain=False)


def points_of(table, columns, dimensions):
    """Dimension -> column, where as many columns beside each other sum to 100 in most rows."""
    names = [*dimensions.groups]
    runs = [columns[i : i + len(names)] for i in range(len(columns) - len(names) + 1)] if len(names) > 1 else []
    for run in runs:
        rows = [[number(cell) for cell in row] for row in table[run].itertuples(index=False)]
        sums = [sum(row) for row in rows if None not in row]
        if sums and sum(abs(total - 100) <= 1 for total in sums) > MIN_COVERAGE * len(sums):
            named = {d: [c for c in run if d.casefold() in c.casefold()] for d in names}
            if all(len(found) == 1 for found in named.values()):
                return Grouping({d: found[0] for d, found in named.items()}, "by the names of dimensions")
            by = "by position: the first column is of the first dimension, and so on"
            return Grouping(dict(zip(names, run, strict=True)), by, certain=False)
    return Grouping({})


def named_uses(table):
    """Use -> column, of those that say who answered, when, and with what weight."""
    found = {u: next((c for c in table if re.fullmatch(rule, c, re.IGNORECASE)), None) for u, rule in USES.items()}
    found["wave"] = found["wave"] or next((c for c in table if _is_day_of_wave(table, c)), None)
    return {use: column for use, column in found.items() if column}


def _is_day_of_wave(table, column):
    """Whether a column holds the few days on which many answered each."""
    values = values_of(table, column) if re.fullmatch(DATES, column, re.IGNORECASE) else {}
    return 2 <= len(values) <= MAX_DISTINCT and sum(values.values()) >= MIN_OF_A_DAY * len(values)
