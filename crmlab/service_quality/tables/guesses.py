"""What the columns of a survey that nobody described may be: guesses from their names and values."""

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from crmlab.service_quality.tables.cells import answer, number, text
from crmlab.service_quality.tables.instrument import PEOPLE
from crmlab.service_quality.tables.labelled import Codebook
from crmlab.service_quality.tables.vocabulary import AGREEMENT, AUDIENCES, NAMED, NO, NONE, OUTCOMES, USES, WORDS, YES

SCALES = ((1, 5), (1, 7), (1, 4), (1, 6), (1, 9), (0, 4), (0, 6), (1, 10), (0, 10), (-2, 2), (-3, 3))
CODES = (-9, -8, -2, -1, 9, 88, 98, 99, 888, 998, 999)  # customary for no answer
MIN_COVERAGE = 0.9  # share of answers that a scale must hold
OWN_SCALE = ("importance", "standard", "promise")  # batteries that may have a scale of their own
MAX_DISTINCT = 12  # a segment has no more
SERVQUAL = {"tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5}


@dataclass(frozen=True)
class ObservedScale:
    """A scale as its answers show it. codes: what is no answer -> ("missing" or "not_applicable", how often)."""

    low: int
    high: int | None  # None: a count
    codes: dict
    words: dict  # text answer -> the number it may stand for, or None


@dataclass(frozen=True)
class Guess:
    """What a survey seems to hold. items: name -> {measure: column}; the rest as in an instrument."""

    items: dict
    scale: ObservedScale
    dimensions: dict
    design: dict = field(default_factory=dict)
    points: dict = field(default_factory=dict)
    outcomes: dict = field(default_factory=dict)  # name -> (kind, column, ObservedScale)
    audiences: dict = field(default_factory=dict)  # value -> audience, or None
    scales: dict = field(default_factory=dict)  # measure -> (low, high), where it has one of its own
    spare: tuple = ()  # columns with no use


def guess(table, codebook=Codebook()):  # noqa: B008, frozen
    """What the columns of a table, one row a respondent, may be; a file's labels and missing codes are heeded."""
    table = _in_words(table, codebook)
    design = named_uses(table)
    outcomes = {c: kind for c in table for kind, rule in OUTCOMES.items() if re.search(rule, c, re.IGNORECASE)}
    free = [c for c in table if c not in design.values() and c not in outcomes]
    items = batteries(free) or single_battery(table, free)
    used = {c for columns in items.values() for c in columns.values()}
    main = [c for columns in items.values() for m, c in columns.items() if m in ("expect", "perceive")]
    dimensions = dimensions_of(items)
    points = points_of(table, [c for c in free if c not in used], dimensions)
    left = [c for c in free if c not in used and c not in points.values()]
    segments = [c for c in left if c not in PEOPLE and _may_be_segment(table, c, left)]
    noted = _values(table, design["audience"]) if "audience" in design else {}
    return Guess(
        items=items,
        scale=scale_of(table, main, codebook),
        dimensions=dimensions,
        design=design | {"segments": segments},
        points=points,
        outcomes=dict(_named_once((kind, outcome_of(table, c, kind, codebook)) for c, kind in outcomes.items())),
        audiences={v: next((a for a, rule in AUDIENCES.items() if re.search(rule, v, re.I)), None) for v in noted},
        scales={m: ends for m in OWN_SCALE if (ends := _ends_alone(table, items, m, codebook))},
        spare=tuple(c for c in left if c not in segments),
    )


def _may_be_segment(table, column, others):
    """Whether a column may name segments: few values, each often, and not one of many columns named alike."""
    values = _values(table, column)
    alike = sum(_stem(other) == _stem(column) != "" for other in others)
    return 2 <= len(values) <= MAX_DISTINCT < sum(values.values()) / 2 and alike < 3


def _named_once(outcomes):
    """Outcomes by name: the first of a kind by its kind, others by their column."""
    taken = set()
    for kind, found in outcomes:
        yield (re.sub(r"\W+", "_", found[1]) if kind in taken else kind), found
        taken.add(kind)


def _ends_alone(table, items, measure, codebook):
    columns = [named[measure] for named in items.values() if measure in named]
    seen = scale_of(table, columns, codebook) if columns else None
    return seen and (seen.low, seen.high)


def _in_words(table, codebook):
    """The table with labels for codes where these say yes or no, and without the file's missing codes there."""
    put = {}
    for column, labels in codebook.labels.items():
        said = {label.casefold() for label in labels.values() if not _none(label)}
        if column in table.columns and said and (said <= {*YES, *NO} or re.fullmatch(USES["audience"], column, re.I)):
            put[column] = table[column].map(text).map(lambda cell, of=labels: of.get(cell, cell))
    return table.assign(**put)


def _none(said):
    """Which kind of no answer a text is; None where it is none."""
    return next((kind for kind, rule in NONE.items() if rule.fullmatch(said)), None)


def batteries(columns):
    """Items -> {measure: column}, where columns pair by what their names begin or end with, as E1 and P1."""
    best: dict[str, dict[str, str]] = {}
    for pattern in NAMED:
        found: dict[str, dict[str, str]] = {}
        for column in columns:
            for measure, words in WORDS.items():
                spelt = pattern.format("|".join(map(re.escape, words)))
                if named := re.fullmatch(spelt, column, re.IGNORECASE):
                    found.setdefault(named["item"].strip("_ .-"), {}).setdefault(measure, column)
        pairs = {item: named for item, named in found.items() if {"expect", "perceive"} <= named.keys()}
        best = max(best, pairs, key=len)
    return {item if re.match(r"[^\W\d]", item) else f"Q{item}": named for item, named in best.items()}


def single_battery(table, columns):
    """Items of a survey of one battery: columns that are named alike and hold whole numbers of a scale."""
    runs = Counter(stem for c in columns if (stem := _stem(c)))
    common = [c for c in columns if runs[_stem(c)] > 1 and _rates(table, c)]
    found = common or [c for c in columns if _rates(table, c)]
    expected = bool(found) and all(_called(c, "expect") for c in found)
    return {c: {"expect" if expected else "perceive": c} for c in found}


def _called(column, measure):
    spelt = "|".join(map(re.escape, WORDS[measure]))
    return any(re.fullmatch(pattern.format(spelt), column, re.IGNORECASE) for pattern in NAMED)


def _stem(column):
    return found[1] if (found := re.fullmatch(r"(.*?)[_ .\-]?\d+", column)) else ""


def _rates(table, column):
    """Whether a column looks like answers to a scale."""
    counts = Counter(answer(cell) for cell in table[column] if text(cell))
    numbers = {n: k for n, k in counts.items() if n is not None and n.is_integer()}
    return 3 <= len(numbers) <= MAX_DISTINCT and sum(numbers.values()) >= MIN_COVERAGE * sum(counts.values())


def scale_of(table, columns, codebook=Codebook()):  # noqa: B008, frozen
    """The scale that columns seem to be answered on: its ends as labelled or else as used, and what lies off it."""
    counts, labels, declared = Counter[str](), dict[str, str](), set[str]()
    for column in columns:
        counts.update(_values(table, column))
        labels |= codebook.of(column)[0]
        declared |= codebook.of(column)[1]
    none = {cell: _none(labels.get(cell, cell)) or ("missing" if cell in declared else None) for cell in counts}
    read = {cell: answer(cell) for cell, kind in none.items() if not kind}
    whole = Counter({int(n): counts[cell] for cell, n in read.items() if n is not None and n.is_integer()})
    low, high = _labelled_ends(labels, declared, whole) or (_ends(whole) if whole else (1, 5))
    codes = {n: ("missing", k) for n, k in sorted(whole.items()) if not low <= n <= high}
    codes |= {_code(cell): (kind, counts[cell]) for cell, kind in none.items() if kind}
    return ObservedScale(low, high, codes, {cell: _meant(cell, low, high) for cell, n in read.items() if n is None})


def _code(cell):
    n = answer(cell)
    return int(n) if n is not None and n.is_integer() else cell


def _labelled_ends(labels, declared, whole):
    """The ends of the scale that a file's labels name, where the answers keep to them; else None."""
    named = [answer(code) for code, said in labels.items() if code not in declared and not _none(said)]
    ends = {int(n) for n in named if n is not None and n.is_integer()}
    common = [n for n in whole if n not in CODES]
    if len(ends) < 2 or not all(min(ends) <= n <= max(ends) for n in common):
        return None
    return min(ends), max(ends)


def _ends(whole):
    """The ends of the scale that leaves the least common answers out; of several, the narrowest."""
    total = sum(whole.values())
    common = {n for n, k in whole.items() if k >= 0.02 * total and n not in CODES}  # the rest may be codes for none
    fits = [s for s in SCALES if sum(k for n, k in whole.items() if s[0] <= n <= s[1]) >= MIN_COVERAGE * total]
    if not fits:
        return min(common or whole), max(max(common or whole), min(common or whole) + 1)
    return min(fits, key=lambda s: (sum(not s[0] <= n <= s[1] for n in common), s[1] - s[0], -s[0]))


def _meant(cell, low, high):
    """The number that a well-known word stands for; None where it is not known."""
    for share, *words in AGREEMENT:
        if cell.casefold() in words and (place := low + share * (high - low)).is_integer():
            return int(place)
    return None


def dimensions_of(items):
    """Dimension -> items: by what their names begin with where several share it; else 22 as SERVQUAL has them."""
    stems = {item: (_stem(item) or item).rstrip("_ .-") for item in items}
    groups = {stem: [item for item in items if stems[item] == stem] for stem in dict.fromkeys(stems.values())}
    if len(groups) > 1 and all(len(group) > 1 for group in groups.values()):
        return {re.sub(r"\W+", "_", stem): group for stem, group in groups.items()}
    if len(items) != 22:
        return {"service": list(items)} if items else {}
    names = iter(items)
    return {dimension: [next(names) for _ in range(size)] for dimension, size in SERVQUAL.items()}


def points_of(table, columns, dimensions):
    """Dimension -> column, where as many columns named alike sum to 100 in most rows."""
    for stem in filter(None, dict.fromkeys(map(_stem, columns))):
        run = [column for column in columns if _stem(column) == stem]
        if len(run) != len(dimensions) or len(run) < 2:
            continue
        rows = [[number(cell) for cell in row] for row in table[run].itertuples(index=False)]
        sums = [sum(row) for row in rows if None not in row]
        if sums and sum(abs(total - 100) <= 1 for total in sums) > MIN_COVERAGE * len(sums):
            return dict(zip(dimensions, run, strict=True))
    return {}


def outcome_of(table, column, kind, codebook):
    """Kind, column and ObservedScale of an outcome."""
    seen = scale_of(table, [column], codebook)
    given = {n for cell in _values(table, column) if (n := answer(cell)) is not None and n not in CODES}
    numbers = {n for n in given if n not in seen.codes}
    if seen.words and not numbers and all(word.casefold() in YES + NO for word in seen.words):
        return kind, column, replace(_ending(seen, 0, 1), words={w: int(w.casefold() in YES) for w in seen.words})
    if numbers and numbers <= {0, 1} and kind != "word_of_mouth":
        return kind, column, _ending(seen, 0, 1)
    if kind in ("complaint", "resolved") and numbers <= {1, 2}:
        return kind, column, replace(_ending(seen, 0, 1), words={"1": 1, "2": 0})  # as yes and no are mostly coded
    if kind == "word_of_mouth":
        none = {*CODES} - {*range(10)}  # below ten they may be counts
        codes = {code: noted for code, noted in seen.codes.items() if isinstance(code, str) or code in none}
        return kind, column, replace(seen, low=0, high=None, codes=codes)
    reaches = seen.high > 7 or seen.low == 0 or 0 in given or max(given, default=0) > 7
    wide = kind == "recommend" and given <= {*range(11)} and reaches
    return kind, column, _ending(seen, 0, 10) if wide else seen


def _ending(seen, low, high):
    """A scale with other ends, and without the codes that these make answers."""
    codes = {code: noted for code, noted in seen.codes.items() if isinstance(code, str) or not low <= code <= high}
    return replace(seen, low=low, high=high, codes=codes)


def named_uses(table):
    """Use -> column, of those that say who answered, when, and with what weight."""
    found = {u: next((c for c in table if re.fullmatch(rule, c, re.IGNORECASE)), None) for u, rule in USES.items()}
    return {use: column for use, column in found.items() if column}


def _values(table, column):
    """The texts of a column with their counts, in order."""
    return dict(sorted(Counter(said for cell in table[column] if (said := text(cell))).items()))
