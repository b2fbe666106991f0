"""Which columns of a survey ask the same of different batteries: by words, numbers, equal wording or position."""

import re
from collections import Counter
from dataclasses import dataclass, field

from crmlab.service_quality.tables.cells import folded
from crmlab.service_quality.tables.vocabulary import NAMED, WORDS

SIDES = ("expect", "perceive", "importance")  # in the order in which they are mostly asked
NUMBERED = r"(?P<item>\D{0,3}?\d+)(?:[-._–]|(?=[a-c]))(?P<side>[1-3a-c])[.:) _]*(?P<text>[^\W\d_].*)"
BARE = r"(?P<item>.*?\d+)(?:[-._–](?P<side>[12])|[-._–]?(?P<letter>[ab]))"
AGAIN = r"(?P<text>.*[^\d\s])(\.1|[_ ]2| ?\(2\))"  # as programs part headers that stand twice
LONGEST_NAME = 20  # characters of an item's name; longer ones are its wording
SERVQUAL_ITEMS = 22
SEPARATORS = " _.:/|-"


@dataclass(frozen=True)
class Pairing:
    """Items as columns ask them: name -> {measure: column}; their wording, what they were paired by, and how surely."""

    items: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    by: str = ""
    certain: bool = True


def pairing(columns, wording, ratings, battery):
    """The Pairing that holds the most columns; without items where none holds any.

    columns : those without another use
    wording : column -> what was asked, of a file that keeps it
    ratings : those of `columns` that look like answers to a scale
    battery : those of `ratings` that would be one battery if none paired
    """
    asked = {c: wording[c] for c in columns if wording.get(c)}
    named = {c: c for c in columns}
    found = [
        _by_words(named, "names"),
        _by_words(asked, "wording"),
        _by_number(named, "names"),
        _by_number(asked, "wording"),
        _by_equal_wording({c: asked[c] for c in ratings if c in asked}, "they are worded alike"),
        _by_equal_wording(_without_number(ratings), "they are named alike"),
    ]
    best = max(found, key=lambda held: sum(map(len, held.items.values())))
    best = next((held for held in (best, _by_bare_number(battery), _by_halves(battery)) if held.items), Pairing())
    return _with_more(best, [c for c in columns if c not in _used(best.items)])


def called(column, measure):
    """Whether a column's name says that it is of a battery."""
    return any(key for _pattern, key, *_ in _words_of({column: column}, (measure,)))


def _used(items):
    return {column for named in items.values() for column in named.values()}


def _words_of(said, measures):
    """Pattern, item, measure, column and word, wherever a name or wording says a measure."""
    for pattern in NAMED:
        for column, words in said.items():
            for measure in measures:
                spelt = "|".join(map(re.escape, sorted(WORDS[measure], key=len, reverse=True)))
                if named := re.fullmatch(pattern.format(spelt), words, re.IGNORECASE):
                    parts = (named.groupdict().get("head") or "", named["item"])
                    key = " ".join(part.strip(SEPARATORS) for part in parts).strip()
                    yield pattern, key, measure, column, named["word"]


def _by_words(said, where):
    """Columns that differ in a word for the battery alone, as E1 and P1."""
    found: dict[str, dict[str, dict[str, str]]] = {pattern: {} for pattern in NAMED}
    letters = set()
    for pattern, key, measure, column, word in _words_of(said, WORDS):
        if key and measure not in found[pattern].setdefault(key, {}):
            found[pattern][key][measure] = column
            letters |= {(pattern, key, measure)} if word.isascii() and len(word) == 1 else set()
    paired = {pattern: _common({k: n for k, n in held.items() if _is_pair(n)}) for pattern, held in found.items()}
    best = max(paired, key=lambda pattern: len(paired[pattern]))
    certain = not any((best, key, measure) in letters for key, named in paired[best].items() for measure in named)
    return _named(paired[best], f"by a {'word' if certain else 'letter'} in their {where}", certain=certain)


def _common(pairs):
    """Pairs without batteries that fewer than half of the items have: their columns are called so by coincidence."""
    often = Counter(measure for named in pairs.values() for measure in named)
    return {key: {m: c for m, c in named.items() if 2 * often[m] >= len(pairs)} for key, named in pairs.items()}


def _is_pair(named):
    return "perceive" in named and len({"expect", "importance"} & named.keys()) > 0


def _by_number(said, where):
    """Columns that are numbered within pairs and ask the same, as "1-1 staff are polite" and "1-2 staff are polite"."""
    found: dict[tuple[str, str], dict[str, str]] = {}
    texts = {}
    for column, words in said.items():
        if named := re.fullmatch(NUMBERED, words):
            side = SIDES["123abc".index(named["side"]) % 3]
            found.setdefault((named["item"], folded(named["text"])), {}).setdefault(side, column)
            texts[named["item"]] = named["text"]
    pairs = {item: named for (item, _), named in found.items() if _is_pair(named)}
    by = f"by the numbers in their {where}, as 1-1 and 1-2; the first is taken for the expectation"
    return _named(pairs, by, texts, certain=False)


def _by_equal_wording(said, what):
    """Columns of which two or three ask the same, each item as often."""
    found: dict[str, list[str]] = {}
    for column, words in said.items():
        found.setdefault(folded(words), []).append(column)
    times = {len(columns) for columns in found.values() if len(columns) > 1}
    if len(found) < 2 or len(times) != 1 or not times <= {2, 3}:
        return Pairing()
    pairs = {c[0]: dict(zip(SIDES, c, strict=False)) for c in found.values() if len(c) > 1}
    texts = {name: said[name] for name in pairs}
    by = f"by position, as {what}; the first is taken for the expectation"
    return _named(pairs, by, texts, certain=False) if len(pairs) > 1 else Pairing()


def _without_number(columns):
    """Column -> its name without the number of a second column of that name."""
    there = set(columns)
    again = {c: named["text"] for c in columns if (named := re.fullmatch(AGAIN, c)) and named["text"] in there}
    return {c: again.get(c, c) for c in columns} if again else {}


def _by_bare_number(battery):
    """Columns numbered within pairs, as Q1a and Q1b; as V1-1 and V1-2 only where they are as many as SERVQUAL's."""
    named = [held for column in battery if (held := re.fullmatch(BARE, column))]
    pairs: dict[str, dict[str, str]] = {}
    for held in named:
        pairs.setdefault(held["item"], {})[SIDES["12ab".index(held["side"] or held["letter"]) % 2]] = held[0]
    whole = len(pairs) > 1 and all(map(_is_pair, pairs.values()))
    if not whole or (len(pairs) != SERVQUAL_ITEMS and not all(held["letter"] for held in named)):
        return Pairing()
    return _named(pairs, "by the ends of their names; the first is taken for the expectation", certain=False)


def _by_halves(battery):
    """Twice as many columns as SERVQUAL has items: a half of expectations, and one of perceptions."""
    if len(battery) != 2 * SERVQUAL_ITEMS:
        return Pairing()
    halves = zip(battery[:SERVQUAL_ITEMS], battery[SERVQUAL_ITEMS:], strict=True)
    pairs = {f"Q{i}": {"expect": one, "perceive": other} for i, (one, other) in enumerate(halves, 1)}
    by = f"by position, as there are twice {SERVQUAL_ITEMS}; the first half is taken for the expectations"
    return Pairing(pairs, {}, by, certain=False)


def _named(pairs, by, texts=None, certain=True):
    """A Pairing with names for its items: as they are called, or Q1, Q2 … where they are called by their wording.

    texts : item as it is called -> its wording; None where it has no other
    """
    worded = any(len(key) > LONGEST_NAME or " " in key for key in pairs)
    names = [f"Q{i}" if worded else key if re.match(r"[^\W\d]", key) else f"Q{key}" for i, key in enumerate(pairs, 1)]
    if len(set(names)) < len(names):
        names = [f"Q{i}" for i in range(1, len(names) + 1)]
    known = texts or ({key: key for key in pairs} if worded else {})
    wording = {name: known[key] for name, key in zip(names, pairs, strict=True) if key in known}
    return Pairing(dict(zip(names, pairs.values(), strict=True)), wording, by, certain)


def _with_more(found, columns):
    """A Pairing with the batteries beside its pairs whose columns name most of its items in another way."""
    blocks: dict[tuple[str, str], dict[str, str]] = {}
    keys = {said: name for name in found.items for said in (name.removeprefix("Q"), name, found.texts.get(name, name))}
    for pattern, key, measure, column, word in _words_of({c: c for c in columns}, WORDS):
        if (name := keys.get(key)) and measure not in found.items[name] and not (word.isascii() and len(word) == 1):
            blocks.setdefault((pattern, measure), {}).setdefault(name, column)
    items = found.items
    for (_pattern, measure), block in blocks.items():
        if 2 * len(block) > len(items) and not any(measure in named for named in items.values()):
            items = {name: named | ({measure: block[name]} if name in block else {}) for name, named in items.items()}
    return Pairing(items, found.texts, found.by, found.certain)
