"""Scales as the answers of a survey show them: their ends, the codes that are no answers, and the words."""

from collections import Counter
from dataclasses import dataclass, replace

from crmlab.service_quality.tables.cells import answer, text
from crmlab.service_quality.tables.labelled import Codebook
from crmlab.service_quality.tables.vocabulary import AGREEMENT, NO, NONE, YES

SCALES = ((1, 5), (1, 7), (1, 4), (1, 6), (1, 9), (0, 4), (0, 6), (1, 10), (0, 10), (-2, 2), (-3, 3))
CUSTOMARY = ((1, 5), (1, 7), (0, 10))  # scales that are taken as printed where each of their answers is used
CODES = (-9, -8, -2, -1, 9, 88, 98, 99, 888, 998, 999)  # customary for no answer
MIN_COVERAGE = 0.9  # share of answers that a scale must hold
MAX_DISTINCT = 12  # a segment has no more


@dataclass(frozen=True)
class ObservedScale:
    """A scale as its answers show it. codes: what is no answer -> ("missing" or "not_applicable", how often)."""

    low: int
    high: int | None  # None: a count
    codes: dict
    words: dict  # text answer -> the number it may stand for, or None
    certain: bool = False  # its ends are labelled, or each answer of a customary scale is used
    off: frozenset = frozenset()  # codes that are taken for missing as they lie off the scale


def scale_of(table, columns, codebook=Codebook()):  # noqa: B008, frozen
    """The scale that columns seem to be answered on: its ends as labelled or else as used, and what lies off it."""
    counts, labels, declared = Counter[str](), dict[str, str](), set[str]()
    for column in columns:
        counts.update(values_of(table, column))
        labels |= codebook.of(column)[0]
        declared |= codebook.of(column)[1]
    none = {cell: none_of(labels.get(cell, cell)) or ("missing" if cell in declared else None) for cell in counts}
    read = {cell: answer(cell) for cell, kind in none.items() if not kind}
    whole = Counter({int(n): counts[cell] for cell, n in read.items() if n is not None and n.is_integer()})
    labelled = _labelled_ends(labels, declared, whole)
    low, high = labelled or (_ends(whole) if whole else (1, 5))
    off = {n: ("missing", k) for n, k in sorted(whole.items()) if not low <= n <= high}
    codes = off | {_code(cell): (kind, counts[cell]) for cell, kind in none.items() if kind}
    words = {cell: meant(cell, low, high) for cell, n in read.items() if n is None}
    certain = bool(labelled) or ((low, high) in CUSTOMARY and {*range(low, high + 1)} <= whole.keys())
    return ObservedScale(low, high, codes, words, certain, frozenset(off))


def _code(cell):
    n = answer(cell)
    return int(n) if n is not None and n.is_integer() else cell


def _labelled_ends(labels, declared, whole):
    """The ends of the scale that a file's labels name, where the answers keep to them; else None."""
    named = [answer(code) for code, said in labels.items() if code not in declared and not none_of(said)]
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


def outcome_of(table, column, kind, codebook):
    """ObservedScale of an outcome."""
    seen = scale_of(table, [column], codebook)
    given = {n for cell in values_of(table, column) if (n := answer(cell)) is not None and n not in CODES}
    numbers = {n for n in given if n not in seen.codes}
    if seen.words and not numbers and all(word.casefold() in YES + NO for word in seen.words):
        return replace(_ending(seen, 0, 1), words={w: int(w.casefold() in YES) for w in seen.words}, certain=True)
    if numbers and numbers <= {0, 1} and kind != "word_of_mouth":
        return replace(_ending(seen, 0, 1), certain=numbers == {0, 1})
    if kind in ("complaint", "resolved") and numbers <= {1, 2}:
        return replace(_ending(seen, 0, 1), words={"1": 1, "2": 0})  # as yes and no are mostly coded
    if kind == "word_of_mouth":
        none = {*CODES} - {*range(10)}  # below ten they may be counts
        codes = {code: noted for code, noted in seen.codes.items() if isinstance(code, str) or code in none}
        return replace(seen, low=0, high=None, codes=codes, certain=0 in numbers)
    reaches = seen.high > 7 or seen.low == 0 or 0 in given or max(given, default=0) > 7
    if kind == "recommend" and given <= {*range(11)} and reaches:
        return replace(_ending(seen, 0, 10), certain=seen.certain or {*range(11)} <= given)
    return seen


def _ending(seen, low, high):
    """A scale with other ends, and without the codes that these make answers."""
    codes = {code: noted for code, noted in seen.codes.items() if isinstance(code, str) or not low <= code <= high}
    return replace(seen, low=low, high=high, codes=codes)


def rates(table, column):
    """Whether a column looks like answers to a scale."""
    counts = Counter(answer(said) if answer(said) is not None else meant(said, 1, 5) for said in _said(table, column))
    numbers = {n: k for n, k in counts.items() if n is not None and float(n).is_integer()}
    return 3 <= len(numbers) <= MAX_DISTINCT and sum(numbers.values()) >= MIN_COVERAGE * sum(counts.values())


def meant(cell, low, high):
    """The number that a well-known word stands for; None where it is not known."""
    for share, *words in AGREEMENT:
        if cell.casefold() in words and (place := low + share * (high - low)).is_integer():
            return int(place)
    return None


def _said(table, column):
    return [said for cell in table[column] if (said := text(cell))]


def values_of(table, column):
    """The texts of a column with their counts, in order."""
    return dict(sorted(Counter(_said(table, column)).items()))


def none_of(said):
    """Which kind of no answer a text is; None where it is none."""
    return next((kind for kind, rule in NONE.items() if rule.fullmatch(said)), None)
