"""An instrument file for a survey that has none: what its columns seem to be, and what is left to decide."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from crmlab.contracts import InputError
from crmlab.service_quality.tables.cells import text
from crmlab.service_quality.tables.guesses import guess, named_uses
from crmlab.service_quality.tables.instrument import MEASURES, Design, File, Instrument, Long
from crmlab.service_quality.tables.long import to_wide
from crmlab.service_quality.tables.reading import read_cells
from crmlab.service_quality.tables.scales import YES_NO_KINDS
from crmlab.service_quality.tables.vocabulary import NO, WORDS, YES

UNNAMED = (
    "# [outcomes.satisfaction] # decide: its column, if any, which is then no segment; others: loyalty, recommend",
    '# column = ""',
    '# kind = "satisfaction"',
    "# low = 1",
    "# high = 5",
)
ENDS = {
    True: "as labelled, or as each of these answers is used",
    False: "the ends that were printed, not those that were used",
}
LONG = {
    "item": r"item|question|statement|variable|item[_ ]?(id|no|code)|frage|题目|题项|문항|항목",
    "answer": r"answer|value|score|response|rating|antwort|回答|得分|응답|점수",
    "kind": r"kind|measure|battery|type|scale",
}


def draft_instrument(path: str | Path) -> tuple[str, int]:
    """The text of an instrument file for a survey that has none, guessed from its columns.

    Parameters
    ----------
    path : str or Path
        Of the survey file.

    Returns
    -------
    text : str
        TOML, with a comment on each guess, which begins with `decide:` where the guess is doubtful.
    places : int
        How many such places there are.

    Raises
    ------
    InputError
        If the file cannot be read, or no column looks like answers to a scale.
    """
    read = read_cells(path, File())
    table, codebook, spare, long = read.table, read.codebook, [], _long(read.table)
    if long:
        table, spare = _wide(table, long, Path(path).name)
        codebook = codebook.spread(long["answer"], table.columns.difference(read.table.columns))
    found = guess(table, codebook, read.wording)
    if not found.paired.items:
        raise InputError(
            f"{Path(path).name}: no column looks like answers to a scale; there are "
            f"{', '.join(map(repr, list(table)[:40]))}; name pairs as E1 and P1, or write the instrument by hand"
        )
    found = replace(found, spare=(*found.spare, *spare))
    parts = [_head(Path(path)), _scale(found), _dimensions(found), _items(found, read.wording, long), _points(found)]
    parts += [_outcomes(found, read.wording), _design(found, long)]
    lines = [line for part in parts if part for line in [*part, ""]]
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
    """The table of one row a respondent, with all that is the same in their rows; and the columns that are not."""
    uses = {use: column for use, column in named_uses(table).items() if column not in long.values()}
    keys = [uses[use] for use in ("respondent", "wave", "audience") if use in uses]
    others = [c for c in table if c not in {*uses.values(), *(v for v in long.values() if isinstance(v, str))}]
    said = table[others].map(text)
    by = [table[key].map(text) for key in keys]
    varies = said.where(said != "").groupby(by).transform("nunique").gt(1).any() if by else pd.Series(False, others)
    same = tuple(column for column in others if not varies[column])
    design = Design(**uses, long=Long(**long)).model_copy(update={"segments": same})
    bare = Instrument.model_construct(design=design, items={}, points={}, outcomes={})  # type: ignore[call-arg]
    return to_wide(table, bare, where)[0], [c for c in others if varies[c]]


def _head(path):
    return [
        f"# What {path.name} asked, guessed from its columns by `crmlab new instrument`.",
        "# Lines with the word decide and a colon are doubtful: correct each if need be, and remove both; until then",
        "# it is refused. crmlab/service_quality/tables/instrument.py lists what else may stand here.",
        f"name = {_quoted(path.stem)}",
        f"title = {_quoted(_words(path.stem))} # what the report calls it",
        'data_kind = "real" # or simulated or demonstration',
    ]


def _words(stem):
    """A file's name as a title."""
    said = " ".join(re.sub("[_-]+", " ", stem).split()) or stem
    return said[:1].upper() + said[1:]


def _remark(certain, said):
    """A comment on a guess, which is to be decided where it is doubtful."""
    return f" # {'' if certain else 'decide: '}{said}"


def _codes(seen, kind, why):
    """A line of codes that are no answers, with how often each was seen."""
    codes = {code: k for code, (noted, k) in seen.codes.items() if noted == kind}
    often = ", ".join(f"{code} ({'once' if k == 1 else f'{k:,} times'})" for code, k in codes.items())
    certain = not seen.off & codes.keys()
    others = "" if certain or kind == "not_applicable" else "; move to not_applicable what says so"
    return f"{kind} = {_quoted([*codes])}" + (_remark(certain, f"{why}, seen {often}{others}") if codes else "")


def _scale(found):
    seen = found.scale
    lines = [f"[scale]{_remark(seen.certain, ENDS[seen.certain])}", f"low = {seen.low}", f"high = {seen.high}"]
    lines += [_codes(seen, "missing", "no answers"), _codes(seen, "not_applicable", "the question did not apply")]
    lines += _labels(seen.words, "[scale.labels]")
    for measure, (low, high) in found.scales.items():
        if measure != "importance":
            own = ["extent = true # decide: false if it is a level on the scale of the answers, and so comparable"]
        elif (low, high) == (seen.low, seen.high):
            continue
        else:
            own = []
        lines += ["", f"[scales.{measure}]", f"low = {low}", f"high = {high}", *own]
    return lines


def _labels(words, head):
    """A table of text answers, certain if they are yes and no; those of no known meaning are commented out."""
    known = [f"{_key(word)} = {meant}" for word, meant in words.items() if meant is not None]
    unknown = [f"# {_key(word)} = ... # decide: what it counts as" for word, meant in words.items() if meant is None]
    yes_no = all(word.casefold() in YES + NO for word in words)
    remark = _remark(yes_no, "as yes and no" if yes_no else "are these the right numbers?")
    return ["", head + remark, *known, *unknown] if words else []


def _dimensions(found):
    remark = _remark(found.dimensions.certain, found.dimensions.by)
    return [f"[dimensions]{remark}", *(f"{_key(d)} = {_quoted(names)}" for d, names in found.dimensions.groups.items())]


def _items(found, wording, long):
    paired = found.paired
    lines = [f"[items]{_remark(paired.certain, paired.by)}", "# add reversed = true where a statement is turned round"]
    for item, columns in paired.items.items():
        asked = paired.texts.get(item) or next((wording[c] for c in columns.values() if wording.get(c)), "")
        named = {m: columns[m] for m in MEASURES if m in columns}
        if long.get("kind"):
            named = {m: c.removesuffix(f" ({m})") for m, c in named.items()}
        fields = [f"text = {_quoted(asked)}", *(f"{m} = {_quoted(c)}" for m, c in named.items())]
        lines.append(f"{_key(item)} = {{ {', '.join(fields)} }}")
    return lines


def _points(found):
    points = found.points
    lines = [f"{_key(d)} = {_quoted(column)}" for d, column in points.groups.items()]
    return [f"[points]{_remark(points.certain, points.by)}", *lines] if lines else []


def _outcomes(found, wording):
    """The outcomes; one that nothing could read, as its answers have no known meaning, is commented out.

    So is satisfaction, where no column bears a name known for it: checks rest on it.
    """
    known = any(kind == "satisfaction" for kind, _columns, _seen in found.outcomes.values())
    lines = [] if known else [*UNNAMED, ""]
    for name, (kind, columns, seen) in found.outcomes.items():
        block = [f"[outcomes.{_key(name)}]", *_asked(columns), f"kind = {_quoted(kind)}"]
        block += [f"text = {_quoted(wording[columns[0]])}"] if wording.get(columns[0]) else []
        block += [f"low = {seen.low}{_remark(seen.certain, ENDS[seen.certain])}"]
        block += [] if seen.high is None else [f"high = {seen.high}"]
        codes = {code: ("missing", k) for code, (_, k) in seen.codes.items()}
        own = codes or seen.high is None  # a count must not lose answers that are codes elsewhere
        block += [_codes(replace(seen, codes=codes), "missing", "no answers")] if own else []
        block += _labels(seen.words, f"[outcomes.{_key(name)}.labels]")
        yes = kind in YES_NO_KINDS and (seen.low, seen.high) != (0, 1)
        block += ["# decide: which answer is yes, by labels, and low = 0, high = 1"] if yes else []
        if yes or None in seen.words.values():
            block = [line if line.startswith("#") else f"# {line}".rstrip() for line in block]
        lines += [*block, ""]
    return lines[:-1]


def _asked(columns):
    """The lines that name the column of an outcome, or the columns of which it is the mean."""
    if len(columns) == 1:
        return [f"column = {_quoted(columns[0])}"]
    return [f"columns = {_quoted(columns)} # decide: whether they are one outcome", 'combine = "mean"']


def _design(found, long):
    lines = ["[design]"]
    for use in ("respondent", "weight", "wave", "audience"):
        known = use in found.design
        lines.append(f"{use} = {_quoted(found.design[use])}" if known else f'# {use} = "" # its column, if any')
    lines.append(f"segments = {_quoted(found.design['segments'])} # by what to group customers")
    if found.spare:
        lines.append(f"# no use was found for {', '.join(found.spare)}")
    said = {value: who for value, who in found.audiences.items() if value.casefold() != who}
    lines += ["", "[design.audiences] # who is a customer, a manager, staff"] if said else []
    for value, who in said.items():
        unknown = f'# {_key(value)} = "customer" # decide: who they are'
        lines.append(f"{_key(value)} = {_quoted(who)}" if who else unknown)
    if long:
        plain = {use: column for use, column in long.items() if use != "kinds"}
        lines += ["", "[design.long]", *(f"{use} = {_quoted(column)}" for use, column in plain.items())]
        lines += [f"kinds.{m} = {_quoted(said)}" for m, said in long["kinds"].items()]
    adequate = any("adequate" in named for named in found.paired.items.values())
    desired = _remark(not adequate, "true where `expect` asked for the desired level, not for what is usual")
    return [*lines, "", "[conventions]", 'gap = "P-E"', 'overall = "mean of dimensions"', f"desired = false{desired}"]


def _quoted(value):
    return json.dumps(value, ensure_ascii=False)


def _key(name):
    return name if re.fullmatch("[A-Za-z0-9_-]+", name) else _quoted(name)
