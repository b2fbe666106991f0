"""Survey files of every kind and encoding, read as they stand."""

import gzip
import re
import zipfile

import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.service_quality import Instrument, read_survey, validate_survey

from .test_survey import PEOPLE, answers, instrument, put

ALIKE = "cp1252, found: all candidates read the columns used alike"
ZH = instrument(
    scale={"low": 1, "high": 7, "labels": {"非常满意": 7}}, design={"respondent": "编号", "segments": ["地区"]}
)


def chinese():
    return put(answers(地区="北京"), (1, "P1", "非常满意")).rename(columns={"id": "编号"})


@pytest.mark.parametrize(
    ("encoding", "reason"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("gb18030", "gb18030, found: all other candidates are ruled out"),
        ("utf-16", "utf-16, by its byte order mark"),
    ],
)
def test_chinese_text_is_read_in_any_encoding(tmp_path, encoding, reason):
    chinese().to_csv(tmp_path / "s.csv", index=False, encoding=encoding)
    survey = read_survey(tmp_path / "s.csv", ZH)
    assert survey.perceive.Q1[0] == 7
    assert survey.people["地区"][0] == "北京"
    assert survey.findings["encoding"] == reason


@pytest.mark.parametrize("known", [True, False])
def test_european_text_is_not_taken_for_chinese(tmp_path, known):
    table = put(answers(région="Île-de-France"), *[(row, "P1", "satisfaité") for row in range(1, 4)])
    table.to_csv(tmp_path / "s.csv", index=False, encoding="latin-1", sep=";")
    scale = {"low": 1, "high": 7, "labels": {"satisfaité": 6} if known else {"satisfait": 6}}
    described = instrument(scale=scale, design={"respondent": "id", "segments": ["région"]})
    if known:
        survey = read_survey(tmp_path / "s.csv", described)
        assert survey.perceive.Q1[0] == 6
        assert (survey.findings["encoding"], survey.findings["delimiter"]) == (ALIKE, "';'")
    else:
        with pytest.raises(InputError, match="'satisfaité' 3 times"):
            read_survey(tmp_path / "s.csv", described)


def test_names_the_instrument_knows_settle_an_encoding(tmp_path):
    place = instrument(design={"respondent": "id", "segments": ["place"]})
    answers(place="créée").to_csv(tmp_path / "s.csv", index=False, encoding="latin-1")  # 殚 in gb18030
    assert read_survey(tmp_path / "s.csv", place).people.place[0] == "créée"
    answers(place="北京").to_csv(tmp_path / "s.csv", index=False, encoding="gb18030")
    with pytest.raises(InputError, match=r"'gb18030' reads '北京'.*; state the right one under"):
        read_survey(tmp_path / "s.csv", place)
    known = instrument(design={"respondent": "id", "segments": ["place"], "audiences": {"北京": "staff"}})
    assert read_survey(tmp_path / "s.csv", known).people.place[0] == "北京"


def test_korean_is_not_read_as_chinese(tmp_path):
    place = instrument(design={"respondent": "id", "segments": ["place"]})
    answers(place="서울").to_csv(tmp_path / "s.csv", index=False, encoding="cp949")
    with pytest.raises(InputError, match=r"its encoding is not certain: .*'cp949' reads '서울'"):
        read_survey(tmp_path / "s.csv", place)
    stated = Instrument.model_validate(place.model_dump() | {"file": {"encoding": "cp949"}})
    survey = read_survey(tmp_path / "s.csv", stated)
    assert survey.people.place[0] == "서울"
    assert survey.findings["encoding"] == "cp949, as stated"


def test_a_column_that_is_not_used_does_not_make_an_encoding_uncertain(tmp_path):
    answers(remark="서울").to_csv(tmp_path / "s.csv", index=False, encoding="cp949")
    survey = read_survey(tmp_path / "s.csv", instrument(design={"respondent": "id"}))
    assert survey.findings["encoding"].endswith(", found: all candidates read the columns used alike")


def test_a_stated_encoding_is_taken_or_refused(tmp_path):
    chinese().to_csv(tmp_path / "s.csv", index=False, encoding="gb18030")
    fields = ZH.model_dump() | {"file": {"encoding": "utf-8"}}
    said = rf"text is not utf-8 in {PEOPLE + 1} lines \(first: line 1; .*; state its encoding under \[file\]"
    with pytest.raises(InputError, match=said):
        read_survey(tmp_path / "s.csv", Instrument.model_validate(fields))


def saved(tmp_path, table, suffix):
    path = tmp_path / f"s{suffix}"
    if suffix in (".sav", ".zsav", ".dta"):
        import pyreadstat

        table = table.assign(**{c: table[c].astype(float) for c in table if c[0] in "EP"}, who=1.0)
        labels = {"variable_value_labels": {"who": {1: "customer", 2: "manager"}}}
        if suffix == ".dta":
            pyreadstat.write_dta(table, str(path), **labels)
        else:
            pyreadstat.write_sav(table, str(path), compress=suffix == ".zsav", **labels)
        return path
    table = table.assign(who="customer")
    if suffix == ".parquet":
        table.to_parquet(path)
    elif suffix == ".xlsx":
        table.to_excel(path, index=False)
    else:
        table.to_csv(path, index=False, sep="\t")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".parquet", ".xlsx", ".sav", ".zsav", ".dta"])
def test_every_kind_of_file_says_the_same(tmp_path, suffix):
    table = put(answers(), (1, "E1", 99))
    if suffix != ".csv":
        table = table.astype({c: float for c in table if c[0] in "EP"})
    described = instrument(design={"respondent": "id", "audience": "who"})
    survey = read_survey(saved(tmp_path, table, suffix), described)
    pd.testing.assert_frame_equal(survey.perceive, validate_survey(answers(), instrument()).perceive)
    assert survey.expect.Q1.isna().sum() == 1
    assert survey.people.respondent.tolist() == answers().id.tolist()
    assert survey.people.audience.eq("customer").all()


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("s.csv", b"", "the file is empty"),
        ("s.csv", b"id,E1,P1\n", "the file is empty"),
        ("s.csv", b"id,E1,E1\n1,2,3\n", "its header names 'E1' more than once"),
        ("s.csv", b"id,E1\n1,2,3,4\n", "there are more or fewer than 2 fields in 1 line (first: line 2)"),
        ("s.xlsx", b"no zip", "cannot be read"),
        ("s.sav", b"no sav", "cannot be read"),
        ("s.parquet", b"none", "cannot be read"),
        ("s.doc", b"none", "this kind of file is not read, only .csv,"),
    ],
)
def test_files_that_are_no_surveys_are_refused_in_words(tmp_path, name, content, told):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=re.escape(told)) as caught:
        read_survey(tmp_path / name, instrument())
    assert re.search(r"; \w", str(caught.value))


def test_packed_files_are_read_and_one_of_several_members_is_chosen(tmp_path):
    content = answers().to_csv(index=False).encode("utf-16")
    (tmp_path / "s.csv.gz").write_bytes(gzip.compress(content))
    assert len(read_survey(tmp_path / "s.csv.gz", instrument()).people) == PEOPLE
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("s.csv", content)
    survey = read_survey(tmp_path / "s.zip", instrument())
    assert survey.findings[["encoding", "member"]].tolist() == ["utf-16, by its byte order mark", "s.csv"]
    with zipfile.ZipFile(tmp_path / "s.zip", "a") as archive:
        archive.writestr("about.txt", "what this is")
    with pytest.raises(InputError, match=r"the archive holds 2 files, 'about\.txt', 's.csv'; name one, as member ="):
        read_survey(tmp_path / "s.zip", instrument())
    assert len(read_survey(tmp_path / "s.zip", instrument(file={"member": "s.csv"})).people) == PEOPLE


def test_a_sheet_is_named_where_several_hold_something(tmp_path):
    with pd.ExcelWriter(tmp_path / "s.xlsx") as book:
        pd.DataFrame({"about": ["a survey"]}).to_excel(book, sheet_name="Notes", index=False)
        answers().to_excel(book, sheet_name="Answers", index=False)
    said = r"2 sheets of the workbook hold something, 'Notes', 'Answers'; name one under \[file\] in the instrument"
    with pytest.raises(InputError, match=said):
        read_survey(tmp_path / "s.xlsx", instrument())
    survey = read_survey(tmp_path / "s.xlsx", instrument(file={"sheet": "Answers"}))
    assert (len(survey.people), survey.findings["sheet"]) == (PEOPLE, "Answers")


def test_short_lines_are_refused_and_none_is_filled_up(tmp_path):
    lines = answers().to_csv(index=False).splitlines()
    lines[3] = lines[3].rsplit(",", 1)[0]
    (tmp_path / "s.csv").write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"more or fewer than 13 fields in 1 line \(first: line 4\)"):
        read_survey(tmp_path / "s.csv", instrument())


def test_no_file_is_told(tmp_path):
    with pytest.raises(InputError, match="there is no survey"):
        read_survey(tmp_path / "none.csv", instrument())


def test_blank_rows_are_left_out_and_counted(tmp_path):
    answers().to_csv(tmp_path / "s.csv", index=False)
    with (tmp_path / "s.csv").open("a") as stream:
        stream.write("," * 12 + "\n\n")
    survey = read_survey(tmp_path / "s.csv", instrument())
    assert len(survey.people) == PEOPLE
    assert survey.findings["blank rows left out"] == "1"


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_a_title_above_the_header_is_left_out_and_told(tmp_path, suffix):
    path = tmp_path / f"s{suffix}"
    if suffix == ".csv":
        path.write_text(f'"Customers, spring"\n\n{answers().to_csv(index=False)}')
    else:
        with pd.ExcelWriter(path) as book:
            answers().to_excel(book, index=False, startrow=2)
            book.sheets["Sheet1"]["A1"] = "Customers, spring"
    survey = read_survey(path, instrument())
    assert len(survey.people) == PEOPLE
    assert survey.findings["rows above the header, left out"] == "2"


@pytest.mark.parametrize(
    ("encoding", "reason"),
    [
        ("utf-16-le", "utf-16-le, found: by its zero bytes"),
        ("utf-16-be", "utf-16-be, found: by its zero bytes"),
        ("cp1252", ALIKE),
    ],
)
def test_encodings_without_a_mark_are_found(tmp_path, encoding, reason):
    answers(place="Café – Nord’s").to_csv(tmp_path / "s.csv", index=False, encoding=encoding)
    survey = read_survey(tmp_path / "s.csv", instrument(design={"respondent": "id", "segments": ["place"]}))
    assert survey.people.place[0] == "Café – Nord’s"
    assert survey.findings["encoding"] == reason


def test_simulated_data_say_so():
    assert (
        validate_survey(answers(), instrument(data_kind="simulated")).findings["survey"]
        == "survey (simulated data, not real)"
    )
