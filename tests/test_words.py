"""The field's words: what names, strings, docstrings, comments, notebooks, pages and docs/ may not say."""

import ast
import io
import json
import re
import tokenize
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
WORDS = {
    r"foret(ell|ells|old|elling)": "predict, forecast",
    r"chances?": "probability; p",
    r"told": "reason where a cell is blank, summary where a sentence concludes",
    r"evidence": "summary",
    r"for ever": "infinite horizon, lifetime",
    r"the door": "validation",
    r"admit(s|ted)?": "validate",
    r"rac(e|es|ed|ing)": "backtest, comparison",
    r"apart by": "difference",
    r"instead": "recommendation",
    r"mend(s|ed|ing)?": "priorities, fix first",
    r"rules? of thumb": "baseline",
    r"naive": "baseline",
    r"likely": "within the 95 % prediction interval",
    r"verdicts?": "check",
    r"goodbyes?": "leaving, drop-out",
    r"word from below": "upward communication",
    r"tools fit for the job": "technology-job fit",
}
FOUND = re.compile("|".join(rf"(?<![a-z])({word})(?![a-z])" for word in WORDS), re.IGNORECASE)
ALLOWED = {  # where a word means something else
    "crmlab/reports/manifest.py": ("verdicts", "evidence", "instead"),  # the fields of manifests of the older form
    "crmlab/service_quality/models/complaints.py": ("told",),  # people whom a customer told: word of mouth
    "crmlab/service_quality/tables/vocabulary.py": ("told", "likely"),  # as column names of surveys have them
    "crmlab/simulate/instrument.py": ("told", "likely"),  # the wording of questions
    "crmlab/simulate/survey.py": ("told",),  # the same
    "data/example_survey.toml": ("told", "likely"),  # the same
    "data/playbook.toml": ("mend", "mended"),  # what staff do
    "docs/methods/backtests.md": ("race",),  # the name of a file of tests
}
FILES = [
    *sorted((ROOT / "crmlab").rglob("*.py")),
    *sorted((ROOT / "crmlab").rglob("*.toml")),
    *sorted((ROOT / "crmlab").rglob("*.j2")),
    *sorted((ROOT / "data").glob("*.toml")),
    *sorted((ROOT / "notebooks").glob("*.ipynb")),
    *sorted((ROOT / "docs").rglob("*.md")),
    *(ROOT / name for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "reports/README.md")),
]


def said(path):
    """What a file says to a reader: its names, strings and comments, or its prose."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
    if path.suffix != ".py":
        return text
    names = [node.name for node in ast.walk(ast.parse(text)) if hasattr(node, "name") and isinstance(node.name, str)]
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return "\n".join([token.string for token in tokens] + names)


def faults(text, allowed=()):
    """The words of the dialect in a text, each with the line it stands in; `_` parts words as a space does."""
    for line in text.splitlines():
        for match in FOUND.finditer(line.replace("_", " ")):
            if match[0].lower() not in allowed:
                yield f"{match[0]!r} in {line.strip()[:100]!r}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_fields_words_are_used(path):
    found = list(faults(said(path), ALLOWED.get(str(path.relative_to(ROOT)), ())))
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "text", ["What it foretold", "def race(rules)", "chance_of_each", "lasts for ever", "x = 'verdict'", "Mend first"]
)
def test_a_word_of_the_dialect_is_found(text):
    assert list(faults(text))


@pytest.mark.parametrize("text", ["likelihood", "the trace of a matrix", "a comment", "recommended", "embrace"])
def test_words_that_only_contain_one_are_not(text):
    assert not list(faults(text))
