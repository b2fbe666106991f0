"""A value given is the value that arrives, whatever it holds, and it arrives as nothing else."""

import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from papermill.translators import papermill_translators

from crmlab.reports import engine, parameters, runner, store

from .conftest import write_notebook

TYPES = """
word: str = "a"
count: int = 1
share: float = 0.5
yes: bool = False
day: date = "2024-01-31"
maybe: int | None = None
kind: Literal["fast", "exact"] = "fast"
many: list[int] = [1]
words: list[str] = ["a"]
"""
VALUES = st.fixed_dictionaries(
    {
        "word": st.text(),
        "count": st.integers(-(10**30), 10**30),
        "share": st.floats(allow_nan=False, allow_infinity=False),
        "yes": st.booleans(),
        "day": st.dates(date(1, 1, 1)),
        "maybe": st.none() | st.integers(-(10**9), 10**9),
        "kind": st.sampled_from(["fast", "exact"]),
        "many": st.lists(st.integers(-(10**9), 10**9)),
        "words": st.lists(st.text()),
    }
)
HOSTILE = [
    '"',
    "'",
    "\\",
    "\n",
    "\r\n",
    "{x}",
    "{{",
    "%s",
    "../..",
    "'''",
    '"""',
    "\0",
    "\u2028",
    "🙂",
    "# x",
    "x" * 10**6,
]
IMPORTS = "from datetime import date\nfrom typing import Literal"
SHOW = """
from pathlib import Path
import os, json
Path(os.environ["CRMLAB_STAGING"], "tables", "seen.json").write_text(json.dumps([word, words, sorted(
    name for name in globals() if name.startswith("evil"))]))
"""


@pytest.fixture(scope="module")
def typed(tmp_path_factory):
    root = tmp_path_factory.mktemp("typed")
    for folder in ("notebooks", "data"):
        (root / folder).mkdir()
    write_notebook(root / "notebooks" / "01_typed.ipynb", parameters=TYPES)
    return root


def as_injected(values):
    """What a notebook would hold after the cell that papermill writes for these parameters."""
    papermill_translators.register("python", engine.ExactTranslator)
    names = {}
    exec(engine.ExactTranslator.codify(values, "Parameters"), names)
    return {name: names[name] for name in values}


@settings(deadline=None, max_examples=150)
@given(VALUES)
def test_every_type_arrives_as_it_was_given(typed, values):
    (job,) = parameters.prepare(typed, [("typed", values)])
    arrived = as_injected(json.loads(json.dumps(job.typed)))
    assert arrived == values | {"day": values["day"].isoformat()}
    assert {name: type(v) for name, v in arrived.items() if name != "day"} == {
        name: type(v) for name, v in values.items() if name != "day"
    }


@settings(deadline=None, max_examples=150)
@given(VALUES)
def test_what_a_manifest_keeps_as_text_reads_back_as_the_same(typed, values):
    values = values | {"words": [w for w in values["words"] if w]}
    (job,) = parameters.prepare(typed, [("typed", values)])
    (again,) = parameters.prepare(typed, [("typed", parameters.text(job.typed))])
    assert again.typed == job.typed


def test_hostile_values_arrive_unchanged_in_a_kernel_and_as_nothing_else(project):
    evil = "a\"\nevil_one = 1\n'''\nevil_two = 2\n"
    write_notebook(project / "notebooks" / "02_hostile.ipynb", SHOW, parameters=TYPES, imports=IMPORTS)
    (job,) = parameters.prepare(project, [("hostile", {"word": evil, "words": HOSTILE})])
    folder = runner.run(job, project, project / "reports")
    assert store.read(folder).state == "success"
    assert json.loads((folder / "tables" / "seen.json").read_text()) == [evil, HOSTILE, []]
    assert "evil_one" in (folder / "manifest.json").read_text()


def test_a_secret_of_the_environment_is_written_nowhere(project, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2-and-more")
    write_notebook(project / "notebooks" / "02_quiet.ipynb", "import os\nlen(os.environ['SHOP_PASSWORD'])")
    (job,) = parameters.prepare(project, [("quiet", {})])
    folder = runner.run(job, project, project / "reports")
    assert store.read(folder).state == "success"
    assert not [p for p in folder.rglob("*") if p.is_file() and b"hunter2" in p.read_bytes()]


@pytest.mark.parametrize("name", ["password", "api_key", "ACCESS_TOKEN", "client_secret"])
def test_a_notebook_may_not_declare_a_secret(project, name):
    write_notebook(project / "notebooks" / "02_leaks.ipynb", parameters=f'{name}: str = ""')
    with pytest.raises(ValueError, match="looks like a secret"):
        parameters.reports(project)
