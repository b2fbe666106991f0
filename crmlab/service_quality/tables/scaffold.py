"""An instrument file for a survey that has none: what its columns seem to be, and what is left to decide."""

import json
import re
from pathlib import Path

from crmlab.contracts import InputError
from crmlab.service_quality.tables.guesses import WORDS, guess, named_uses
from crmlab.service_quality.tables.instrument import MEASURES, Design, File, Instrument, Long
from crmlab.service_quality.tables.long import widened
from crmlab.service_quality.tables.reading import raw, text

LONG = {
    "item": r"item|question|statement|variable|item[_ ]?(id|no|code)|题目|题项",
    "answer": r"answer|value|score|response|rating|回答|得分",
    "kind": r"kind|measure|battery|type|scale",
}


def scaffold(path):
    """The TOML text of an instrument file for a survey, and how many places of it are marked `decide`.

    Raises InputError where no items can be told from the columns.
    """
    read = raw(path, File())
    table, design = read.table, {}
    if long := _long(table):
        design["long"] = long
        table = _wide(table, long, Path(path).name)
    found = guess(table)
    if not found.items:
        raise InputError(
            f"{Path(path).name}: no column looks like answers to a scale; there are "
            f"{', '.join(map(repr, list(table)[:40]))}; name pairs as E1 and P1, or write the instrument by hand"
        )
    parts = [_head(Path(path)), _scale(found), _dimensions(found), _items(found, read.wording, long), _points(found)]
    lines = [line for part in [*parts, _outcomes(found, read.wording), _design(found, long)] for line in [*part, ""]]
    return "\n".join(lines), sum("decide:" in line for line in lines)


def _long(table):
    """The columns of a survey of one answer a row; none where it is wide."""
    named = {use: next((c for c in table if re.fullmatch(rule, c, re.IGNORECASE)), None) for use, rule in LONG.items()}
    if not (named["item"] and named["answer"]):
        return {}
    kinds = {}
    if named["kind"]:
        said = {text(cell) for cell in table[named["kind"]]}
        kinds = {m: s for m, words in WORDS.items() for s in sorted(said) if s.casefold() in words}
    return {use: column for use, column in named.items() if column and (use != "kind" or kinds)} | {"kinds": kinds}


def _wide(table, long, where):
    uses = {use: column for use, column in named_uses(table).items() if column not in long.values()}
    design = Design(**uses, long=Long(**long))
    bare = Instrument.model_construct(design=design, items={}, points={}, outcomes={})
    return widened(table, bare, where)[0]


def _head(path):
    return [
        f"# What {path.name} asked, guessed from its columns by `crmlab new instrument`.",
        "# Read it through, above all where it says `decide:`; crmlab/service_quality/tables/instrument.py",
        "# says what else may stand here.",
        f"name = {_quoted(path.stem)}",
        'title = ""',
        'data_kind = "real" # decide: real, simulated or demonstration',
    ]


def _scale(found):
    low, high = found.scale
    codes = [*found.codes, *(word for word, meant in found.words.items() if meant == "missing")]
    told = (
        f" # decide: no answers, seen {', '.join(f'{c} ({k} times)' for c, k in found.codes.items())}" if codes else ""
    )
    lines = ["[scale] # decide: the ends that were printed, not those that were used", f"low = {low}", f"high = {high}"]
    lines.append(f"missing = {_quoted(codes)}{told}")
    lines.append("not_applicable = [] # decide: move codes here that mean that the question did not apply")
    lines += _labels(found.words, "[scale.labels]")
    for measure, (low, high) in found.scales.items():
        if measure != "importance":
            own = ["extent = true # decide: false if it is a level on the scale of the answers, and so comparable"]
        elif (low, high) == found.scale:
            continue
        else:
            own = []
        lines += ["", f"[scales.{measure}]", f"low = {low}", f"high = {high}", *own]
    return lines


def _labels(words, head):
    """A table of text answers; those of no known meaning are commented out."""
    said = {word: meant for word, meant in words.items() if meant != "missing"}
    known = [f"{_key(word)} = {meant}" for word, meant in said.items() if meant is not None]
    unknown = [f"# {_key(word)} = ... # decide: what it counts as" for word, meant in said.items() if meant is None]
    return ["", f"{head} # decide: are these the right numbers?", *known, *unknown] if said else []


def _dimensions(found):
    guessed = len(found.dimensions) == 1 or "tangibles" in found.dimensions
    why = " # decide: which items belong together" if guessed else ""
    return [f"[dimensions]{why}", *(f"{_key(d)} = {_quoted(names)}" for d, names in found.dimensions.items())]


def _items(found, wording, long):
    lines = ["[items] # decide: add reversed = true where a statement is turned round"]
    for item, columns in found.items.items():
        asked = next((wording[c] for c in columns.values() if wording.get(c)), "")
        named = {m: columns[m] for m in MEASURES if m in columns}
        if long.get("kind"):
            named = {m: c.removesuffix(f" ({m})") for m, c in named.items()}
        fields = [f"text = {_quoted(asked)}", *(f"{m} = {_quoted(c)}" for m, c in named.items())]
        lines.append(f"{_key(item)} = {{ {', '.join(fields)} }}")
    return lines


def _points(found):
    return ["[points]", *(f"{_key(d)} = {_quoted(c)}" for d, c in found.points.items())] if found.points else []


def _outcomes(found, wording):
    """The outcomes; one with answers of no known meaning is commented out, as nothing could read it."""
    lines = []
    for name, (kind, column, low, high, words) in found.outcomes.items():
        block = [f"[outcomes.{_key(name)}]", f"column = {_quoted(column)}", f"kind = {_quoted(kind)}"]
        block += [f"text = {_quoted(wording[column])}"] if wording.get(column) else []
        ends = [f"low = {low}", *([f"high = {high}"] if high is not None else [])]
        block += [f"{ends[0]} # decide: the ends that were printed", *ends[1:]]
        said = [word for word, meant in words.items() if meant == "missing"]
        block += [f"missing = {_quoted(said)}"] if said else []
        block += _labels(words, f"[outcomes.{_key(name)}.labels]")
        if None in words.values():
            block = [line if line.startswith("#") else f"# {line}".rstrip() for line in block]
        lines += [*block, ""]
    return lines[:-1]


def _design(found, long):
    lines = ["[design]"]
    for use in ("respondent", "weight", "wave", "audience"):
        known = use in found.design
        lines.append(f"{use} = {_quoted(found.design[use])}" if known else f'# {use} = "" # decide: its column, if any')
    lines.append(f"segments = {_quoted(found.design['segments'])} # decide: by what to tell customers apart")
    if found.spare:
        lines.append(f"# no use was found for {', '.join(found.spare)}")
    said = {value: who for value, who in found.audiences.items() if value.casefold() != who}
    lines += ["", "[design.audiences] # decide: who is a customer, a manager, staff"] if said else []
    for value, who in said.items():
        lines.append(f"{_key(value)} = {_quoted(who)}" if who else f'# {_key(value)} = "customer"')
    if long:
        plain = {use: column for use, column in long.items() if use != "kinds"}
        lines += ["", "[design.long]", *(f"{use} = {_quoted(column)}" for use, column in plain.items())]
        lines += [f"kinds.{m} = {_quoted(said)}" for m, said in long["kinds"].items()]
    desired = "desired = false # decide: true where `expect` asked for the desired level, not for what is usual"
    return [*lines, "", "[conventions]", 'gap = "P-E"', 'overall = "mean of dimensions"', desired]


def _quoted(value):
    return json.dumps(value, ensure_ascii=False)


def _key(name):
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else _quoted(name)
