"""Files of settings: read alike wherever they are, or refused in words, with everything wrong in them."""

import re
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, field_validator, model_validator

import crmlab
from crmlab.catalog import entries
from crmlab.contracts import InputError
from crmlab.contracts.settings import read_settings, read_toml
from crmlab.reports.suite import load_suite


def test_a_file_as_windows_writes_it_is_read(tmp_path):
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf[limits]\r\nrun_seconds = 60\r\n")
    assert read_toml(path, "") == {"limits": {"run_seconds": 60}}
    assert load_suite(path).limits.run_seconds == 60


def test_a_catalog_as_windows_writes_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("CRMLAB_ROOT", str(tmp_path))
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "catalog.toml").write_bytes(b'\xef\xbb\xbf[a]\r\npath = "a.csv"\r\nnature = "simulated"\r\n')
    assert list(entries()) == ["a"]


@pytest.mark.parametrize("content", [b"[a", b"a = '\xff'"])
def test_what_is_no_toml_is_refused_by_name(tmp_path, content):
    path = tmp_path / "own.toml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"own\.toml: cannot be read as TOML \(.*\); correct it"):
        read_toml(path, "")


def test_what_is_not_there_is_refused_as_its_reader_says(tmp_path):
    for place in (tmp_path, tmp_path / "nowhere.toml"):
        with pytest.raises(InputError, match="there is no playbook; give one"):
            read_toml(place, "there is no playbook; give one")


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    least: int | FiniteFloat | date | None = None
    size: int = Field(1, ge=0, lt=9)
    name: str = Field("a", min_length=1, max_length=3)
    open: bool = False
    day: date | None = None
    codes: frozenset[Annotated[int, Field(strict=True)] | str] = frozenset()

    @field_validator("name")
    @classmethod
    def _check_name(cls, name):
        if name == "no":
            raise ValueError("no is no name; choose another")
        return name

    @model_validator(mode="after")
    def _check_size(self):
        if self.size == 8:
            raise ValueError("size and name do not go together; change one\nand the other; leave it")
        return self


class Whole(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["one", "other"]
    part: Part | None = None
    parts: dict[str, Part] = {}
    lists: dict[str, list[Part]] = {}
    counts: dict[Literal["low", "high"], int] = {}
    rows: dict[str, tuple[float | str, ...]] = Field({}, description="a list of numbers, or fractions such as '1/3'")


def wrong(given, **table):
    with pytest.raises(InputError) as caught:
        read_settings(Whole, given, "own.toml", **table)
    return [breach.removeprefix("own.toml: ") for breach in caught.value.breaches]


def test_settings_are_the_model_they_describe():
    found = read_settings(Whole, {"kind": "one", "parts": {"int": {"size": 2}}}, "own.toml")
    assert (found.kind, found.parts["int"].size) == ("one", 2)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "lacks 'kind'; add it"),
        ({"kind": "ono"}, "kind = 'ono'; write 'one' or 'other'"),
        ({"knid": 1}, "has no field 'knid'; did you mean 'kind'?"),
        ({"part": {"sise": 1}}, "has no field 'part.sise'; did you mean 'size'?"),
        ({"lists": {"a": [{}, {"sise": 1}]}}, "has no field 'lists.a.1.sise'; did you mean 'size'?"),
        ({"parts": {"a": {"colour": 1}}}, "has no field 'parts.a.colour'; drop it"),
        ({"counts": {"lwo": 1}}, "has no field 'counts.lwo'; did you mean 'low'?"),
        ({"part": 3}, "part = 3; write a table, as { a = 1 }"),
        ({"parts": [1]}, "parts = [1]; write a table, as { a = 1 }"),
        ({"lists": {"a": "x"}}, "lists.a = 'x'; write a list, as [1, 2]"),
        ({"part": {"size": 1.5}}, "part.size = 1.5; write a whole number"),
        ({"part": {"size": "x"}}, "part.size = 'x'; write a whole number"),
        ({"part": {"size": -1}}, "part.size = -1; write 0 or more"),
        ({"part": {"size": 9}}, "part.size = 9; write less than 9"),
        ({"part": {"name": 3}}, "part.name = 3; write a text in quotes"),
        ({"part": {"name": ""}}, "part.name = ''; write a text of length 1 or more"),
        ({"part": {"name": "long"}}, "part.name = 'long'; write a text of length 3 or less"),
        ({"part": {"name": "no"}}, "part.name = 'no': no is no name; choose another"),
        ({"part": {"open": "maybe"}}, "part.open = 'maybe'; write true or false"),
        ({"part": {"day": "1997-13-30"}}, "part.day = '1997-13-30'; write a day, as 1997-09-30"),
        ({"part": {"day": datetime(1997, 9, 30, 12)}}, "part.day = 1997-09-30 12:00:00; write a day, as 1997-09-30"),
        ({"part": {"least": "x"}}, "part.least = 'x'; write a number or a day, as 1997-09-30"),
        ({"part": {"least": float("nan")}}, "part.least = nan; write a finite number or a day, as 1997-09-30"),
        ({"parts": {"int": {"least": "x"}}}, "parts.int.least = 'x'; write a number or a day, as 1997-09-30"),
        ({"part": {"codes": 3}}, "part.codes = 3; write a list, as [1, 2]"),
        ({"part": {"codes": [1, 1.5]}}, "part.codes.1 = 1.5; write a whole number or a text in quotes"),
        ({"rows": {"a": 3}}, "rows.a = 3; write a list of numbers, or fractions such as '1/3'"),
        ({"rows": {"a": [1, []]}}, "rows.a.1 = []; write a list of numbers, or fractions such as '1/3'"),
        ({"part": {"name": "x" * 70}}, f"part.name = '{'x' * 58}…; write a text of length 3 or less"),
    ],
)
def test_what_is_wrong_in_settings_is_said_once_in_plain_words_with_what_to_do(given, told):
    assert wrong({"kind": "one"} | given if told != "lacks 'kind'; add it" else given) == [told]


def test_everything_wrong_in_settings_is_told_at_once():
    assert wrong({"part": {"size": 8}, "lists": {"a": [3]}, "x": 1}) == [
        "lacks 'kind'; add it",
        "part: size and name do not go together; change one",
        "part: and the other; leave it",
        "lists.a.0 = 3; write a table, as { a = 1 }",
        "has no field 'x'; drop it",
    ]


def test_a_table_of_a_file_is_named_as_it_stands_there():
    given = {"kind": "other", "part": {"size": 8}, "rows": 3}
    assert wrong(given, table="[a]")[:2] == [
        "[a] part: size and name do not go together; change one",
        "[a] part: and the other; leave it",
    ]
    with pytest.raises(InputError) as caught:
        read_settings(Part, {"size": 8}, "own.toml", "[b]")
    assert caught.value.breaches[0] == "own.toml: [b]: size and name do not go together; change one"
    with pytest.raises(InputError) as caught:
        read_settings(Part, "x", "own.toml", "[b]")
    assert caught.value.breaches == (
        "own.toml: [b] is no table of least, size, name, open, day and codes; make it one",
    )


def test_settings_that_are_no_toml_types_are_put_in_words_too():
    assert wrong({"kind": {"a", "b"}})[0].endswith("; write 'one' or 'other'")
    with pytest.raises(InputError, match=r"own\.toml: is no table of kind, part"):
        read_settings(Whole, None, "own.toml")


def test_a_wrong_suite_is_told_in_words(tmp_path):
    path = tmp_path / "suite.toml"
    path.write_text(
        '[[run]]\nreprt = "small"\n[limits]\nrun_seconds = "x"\ncell_seconds = 0\nrun_second = 1\n'
        "[ranges.small]\ndays = { min = 'soon', maxx = 1 }\n[[runs]]\n"
    )
    with pytest.raises(InputError) as caught:
        load_suite(path)
    assert caught.value.breaches == (
        "suite.toml: lacks 'run.0.report'; add it",
        "suite.toml: has no field 'run.0.reprt'; did you mean 'report'?",
        "suite.toml: limits.cell_seconds = 0; write more than 0",
        "suite.toml: limits.run_seconds = 'x'; write a number",
        "suite.toml: has no field 'limits.run_second'; did you mean 'run_seconds'?",
        "suite.toml: ranges.small.days.min = 'soon'; write a number or a day, as 1997-09-30",
        "suite.toml: has no field 'ranges.small.days.maxx'; did you mean 'max'?",
        "suite.toml: has no field 'runs'; did you mean 'run'?",
    )


def test_what_pydantic_says_is_put_in_words_in_one_place_alone():
    package = Path(crmlab.__file__).parent
    files = [p for p in package.rglob("*.py") if re.search(r"""\["msg"\]|Input should be""", p.read_text("utf-8"))]
    assert files == [package / "contracts" / "settings.py"]
