"""What the columns of a survey that nobody described may be: guesses from their names and values."""

import re
from collections import Counter
from dataclasses import dataclass, field

from crmlab.service_quality.tables.reading import number, text

WORDS = {  # measure -> how names of its columns begin or end, the longest first
    "expect": ("expectation", "expected", "expect", "exp", "e", "期望", "期待"),
    "perceive": ("perception", "perceived", "perceive", "perc", "per", "p", "感知", "实际"),
    "adequate": ("adequate", "adeq", "minimum", "min", "a", "最低"),
    "importance": ("importance", "import", "imp", "i", "重要性", "重要"),
    "standard": ("standard", "std", "s", "标准"),
    "promise": ("promised", "promise", "prom", "承诺"),
}
SCALES = ((1, 5), (1, 7), (1, 4), (1, 6), (1, 9), (0, 4), (0, 6), (1, 10), (0, 10), (-2, 2), (-3, 3))
CODES = (-9, -8, -2, -1, 9, 88, 98, 99, 888, 998, 999)  # customary for no answer
COVERED = 0.9  # share of answers that a scale must hold
NAMED = (  # E1, exp_speed, speed_e, speed (expect)
    r"(?P<word>{})[_ .\-]?(?P<item>\d.*)",
    r"(?P<word>{})[_ .\-]+(?P<item>.+)",
    r"(?P<item>.+?)[_ .\-]*(?P<word>{})",
    r"(?P<item>.+) \((?P<word>{})\)",
)
SERVQUAL = {"tangibles": 4, "reliability": 5, "responsiveness": 4, "assurance": 4, "empathy": 5}
YES, NO = ("yes", "y", "true", "ja", "oui", "是"), ("no", "n", "false", "nein", "non", "否")
USES = {
    "respondent": r"(respondent|resp|customer|case|person|user)?[_ ]?(id|no|nr|number)|respondent|编号|受访者|客户编号",
    "wave": r"wave|round|period|survey[_ ]?(wave|year)|year|轮次|年份",
    "weight": r"(survey[_ ]?)?(weight|wt|wgt)|gewicht|权重",
    "audience": r"audience|role|respondent[_ ]?type|who|对象|角色",
}
OUTCOMES = {
    "satisfaction": r"satisf|^sat$|^csat|满意",
    "loyalty": r"loyal|repurchas|rebuy|buy[_ ]?again|return[_ ]?intent|忠诚|再次购买|复购",
    "recommend": r"recommend|^nps|推荐",
    "complaint": r"complain|投诉",
    "resolved": r"resolved|解决",
    "told": r"^told|word[_ ]?of[_ ]?mouth|^wom",
    "buying": r"buying|change[_ ]?in[_ ]?buy",
}
AGREEMENT = (  # share of the scale, from low to high, that well-known words stand for
    (0.0, "strongly disagree", "very dissatisfied", "very poor", "非常不同意", "非常不满意", "很不满意"),
    (0.25, "disagree", "dissatisfied", "poor", "不同意", "不满意"),
    (0.5, "neutral", "neither agree nor disagree", "neither", "fair", "一般", "中立"),
    (0.75, "agree", "satisfied", "good", "同意", "满意"),
    (1.0, "strongly agree", "very satisfied", "excellent", "非常同意", "非常满意", "很满意"),
)
AUDIENCES = {
    "customer": r"custom|client|retail|buyer|顾客|客户",
    "manager": r"manage|director|chief|leiter|经理|管理",
    "staff": r"staff|employ|worker|clerk|front|员工",
}
NO_ANSWER = re.compile(r"(don'?t know|no answer|refused|dk|n/?a|not applicable|不知道|不适用|拒答)", re.IGNORECASE)
FEW_VALUES = 12  # a segment has no more


@dataclass(frozen=True)
class Guess:
    """What a survey seems to hold. items: name -> {measure: column}; the rest as in an instrument."""

    items: dict
    scale: tuple
    codes: dict  # answer off the scale -> how often
    words: dict  # text answer -> the number it may stand for, or None
    dimensions: dict
    design: dict = field(default_factory=dict)
    points: dict = field(default_factory=dict)
    outcomes: dict = field(default_factory=dict)  # name -> (kind, column, low, high, labels)
    audiences: dict = field(default_factory=dict)  # value -> audience, or None
    scales: dict = field(default_factory=dict)  # measure -> (low, high), where it has one of its own
    spare: tuple = ()  # columns with no use


def guess(table):
    """What the columns of a table, one row a respondent, may be."""
    design = named_uses(table)
    outcomes = {c: kind for c in table for kind, rule in OUTCOMES.items() if re.search(rule, c, re.IGNORECASE)}
    free = [c for c in table if c not in design.values() and c not in outcomes]
    items = batteries(free) or alone(table, free)
    used = {c for columns in items.values() for c in columns.values()}
    main = [c for columns in items.values() for m, c in columns.items() if m in ("expect", "perceive")]
    scale, codes, words = scale_of(table, main)
    dimensions = dimensions_of(items)
    points = points_of(table, [c for c in free if c not in used], dimensions)
    left = [c for c in free if c not in used and c not in points.values()]
    segments = [c for c in left if _tells_apart(table, c, left)]
    told = _values(table, design["audience"]) if "audience" in design else {}
    return Guess(
        items=items,
        scale=scale,
        codes=codes,
        words=words,
        dimensions=dimensions,
        design=design | {"segments": segments},
        points=points,
        outcomes=dict(_named_once((kind, outcome_of(table, c, kind)) for c, kind in outcomes.items())),
        audiences={v: next((a for a, rule in AUDIENCES.items() if re.search(rule, v, re.I)), None) for v in told},
        scales={m: found for m in ("importance", "standard", "promise") if (found := _scale_alone(table, items, m))},
        spare=tuple(c for c in left if c not in segments),
    )


def _tells_apart(table, column, others):
    """Whether a column may name segments: few values, each often, and not one of many columns named alike."""
    values = _values(table, column)
    alike = sum(_stem(other) == _stem(column) != "" for other in others)
    return 2 <= len(values) <= FEW_VALUES < sum(values.values()) / 2 and alike < 3


def _named_once(outcomes):
    """Outcomes by name: the first of a kind by its kind, others by their column."""
    taken = set()
    for kind, found in outcomes:
        yield (re.sub(r"\W+", "_", found[1]) if kind in taken else kind), found
        taken.add(kind)


def _scale_alone(table, items, measure):
    columns = [named[measure] for named in items.values() if measure in named]
    return scale_of(table, columns)[0] if columns else None


def batteries(columns):
    """Items -> {measure: column}, where columns pair by what their names begin or end with, as E1 and P1."""
    best = {}
    for pattern in NAMED:
        found = {}
        for column in columns:
            for measure, words in WORDS.items():
                spelt = pattern.format("|".join(map(re.escape, words)))
                if named := re.fullmatch(spelt, column, re.IGNORECASE):
                    found.setdefault(named["item"].strip("_ .-"), {}).setdefault(measure, column)
        pairs = {item: named for item, named in found.items() if {"expect", "perceive"} <= named.keys()}
        best = max(best, pairs, key=len)
    return {item if re.match(r"[^\W\d]", item) else f"Q{item}": named for item, named in best.items()}


def alone(table, columns):
    """Items of a survey without expectations: columns that are named alike and hold whole numbers of a scale."""
    runs = Counter(stem for c in columns if (stem := _stem(c)))
    likely = [c for c in columns if runs[_stem(c)] > 1 and _rates(table, c)]
    return {c: {"perceive": c} for c in (likely or [c for c in columns if _rates(table, c)])}


def _stem(column):
    return found[1] if (found := re.fullmatch(r"(.*?)[_ .\-]?\d+", column)) else ""


def _rates(table, column):
    """Whether a column looks like answers to a scale."""
    counts = Counter(number(cell) for cell in table[column] if text(cell))
    numbers = {n: k for n, k in counts.items() if n is not None and n.is_integer()}
    return 3 <= len(numbers) <= FEW_VALUES and sum(numbers.values()) >= COVERED * sum(counts.values())


def scale_of(table, columns):
    """Of columns: the scale (low, high), what lies off it with counts, and words with their likely number."""
    counts = Counter()
    for column in columns:
        counts.update(_values(table, column))
    read = {cell: number(cell) for cell in counts}
    whole = Counter({int(n): counts[cell] for cell, n in read.items() if n is not None and n.is_integer()})
    low, high = _ends(whole) if whole else (1, 5)
    codes = {n: k for n, k in sorted(whole.items()) if not low <= n <= high}
    said = {cell: k for cell, k in counts.items() if read[cell] is None}
    return (low, high), codes, {cell: _meant(cell, low, high) for cell in said}


def _ends(whole):
    """The ends of the scale that leaves the least likely answers out; of several, the narrowest."""
    total = sum(whole.values())
    likely = {n for n, k in whole.items() if k >= 0.02 * total and n not in CODES}  # the rest may be codes for none
    fits = [s for s in SCALES if sum(k for n, k in whole.items() if s[0] <= n <= s[1]) >= COVERED * total]
    if not fits:
        return min(likely or whole), max(likely or whole)
    return min(fits, key=lambda s: (sum(not s[0] <= n <= s[1] for n in likely), s[1] - s[0], -s[0]))


def _meant(cell, low, high):
    """The number that a well-known word stands for; "missing" where it says so; None where it is not known."""
    if NO_ANSWER.fullmatch(cell):
        return "missing"
    for share, *words in AGREEMENT:
        if cell.casefold() in words and (place := low + share * (high - low)).is_integer():
            return int(place)
    return None


def dimensions_of(items):
    """Dimension -> items: by what their names begin with where several share it; else 22 as SERVQUAL has them."""
    stems = {item: (_stem(item) or item).rstrip("_ .-") for item in items}
    groups = {}
    for item, stem in stems.items():
        groups.setdefault(stem, []).append(item)
    if len(groups) > 1 and all(len(group) > 1 for group in groups.values()):
        return {re.sub(r"\W+", "_", stem): group for stem, group in groups.items()}
    if len(items) != 22:
        return {"service": list(items)} if items else {}
    names = iter(items)
    return {dimension: [next(names) for _ in range(size)] for dimension, size in SERVQUAL.items()}


def points_of(table, columns, dimensions):
    """Dimension -> column, where as many columns named alike sum to 100 in most rows."""
    runs = {}
    for column in columns:
        runs.setdefault(_stem(column), []).append(column)
    for stem, run in runs.items():
        if not stem or len(run) != len(dimensions) or len(run) < 2:
            continue
        rows = [[number(cell) for cell in row] for row in table[run].itertuples(index=False)]
        sums = [sum(row) for row in rows if None not in row]
        if sums and sum(abs(total - 100) <= 1 for total in sums) > COVERED * len(sums):
            return dict(zip(dimensions, run, strict=True))
    return {}


def outcome_of(table, column, kind):
    """(kind, column, low, high, labels) of an outcome; `high` is None for a count."""
    ends, _codes, words = scale_of(table, [column])
    numbers = {n for cell in _values(table, column) if (n := number(cell)) is not None}
    if words and not numbers and all(word.casefold() in YES + NO for word in words):
        return kind, column, 0, 1, {word: int(word.casefold() in YES) for word in words}
    if numbers and numbers <= {0, 1}:
        return kind, column, 0, 1, words
    if kind == "told":
        return kind, column, 0, None, words
    return kind, column, *((0, 10) if kind == "recommend" and numbers <= {*range(11)} else ends), words


def named_uses(table):
    """Use -> column, of those that say who answered, when, and with what weight."""
    found = {u: next((c for c in table if re.fullmatch(rule, c, re.IGNORECASE)), None) for u, rule in USES.items()}
    return {use: column for use, column in found.items() if column}


def _values(table, column):
    """The texts of a column with their counts, in order."""
    return dict(sorted(Counter(said for cell in table[column] if (said := text(cell))).items()))
