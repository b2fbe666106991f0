"""What is suggested where a name is not known."""

import re
from pathlib import Path

import pytest

import crmlab
from crmlab.contracts.errors import nearest, suggest


@pytest.mark.parametrize(
    ("name", "known", "near"),
    [
        ("dais", ["data", "days", "split"], "days"),
        ("CDNOV", ["cdnow", "own"], "cdnow"),
        ("cdnov", ["CDNOW", "Own"], "CDNOW"),
        ("zzz", ["cdnow", "own"], None),
        ("", ["cdnow"], None),
        ("x", [], None),
        ("3", [1, 2, 3], 3),
        ("x" * 5_000, ["xx"], None),
    ],
)
def test_the_nearest_of_the_known_names_is_suggested_whatever_their_case(name, known, near):
    assert nearest(name, known) == near
    assert suggest(name, known) == (f"did you mean {near!r}?" if near is not None else "drop it")


def test_where_none_is_near_the_other_way_out_is_said():
    assert suggest("zzz", ["cdnow"], "name a file") == "name a file"
    assert suggest("cdnov", ["cdnow"], "name a file") == "did you mean 'cdnow'?"


def test_names_are_compared_in_one_place_alone():
    package = Path(crmlab.__file__).parent
    files = [p for p in package.rglob("*.py") if re.search(r"\bdifflib\b", p.read_text("utf-8"))]
    assert files == [package / "contracts" / "errors.py"]
