"""How cells are read: what is a time, what is money, and what is neither."""

import re
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from crmlab import catalog
from crmlab.contracts import InputError, Policy, validate

from ..conftest import QUICK, accepted, breaches, log, table

NOON = datetime(2024, 1, 1, 12)
MOST = "99999999999999.9999"


def test_columns_of_a_type_that_cannot_serve_are_told_together():
    raw = table(customer_id=[123.0], time=[20240101], amount=[True], quantity=["many"])
    ids, time, amount, quantity = breaches(raw)
    kept = "which does not keep ids such as 00123; store it as text, or state ids = 'tidy' where they are whole numbers"
    assert ids == f"log: 'customer_id' is stored as float64, {kept}"
    assert "'time' is stored as int64, which is not a time; store dates, times or ISO text, or state time_for" in time
    assert "'amount' is stored as boolean, which is not a number; store numbers, or text such as 1234.50" in amount
    assert "'quantity' is not a number in 1 of 1 rows (first: row 1 'many'); " in quantity


def test_floats_that_are_no_money_are_refused_without_their_noise():
    raw = table(customer_id=["a"] * 5, time=[NOON] * 5, amount=[float("nan"), float("inf"), -0.1 - 0.2, 1e14, 5.0])
    nan, large, negative = breaches(raw)
    assert "'amount' is not a number in 2 of 5 rows (first: row 1 'nan'; row 2 'inf'); " in nan
    assert "'amount' is 10^14 or beyond in 1 of 5 rows (first: row 4 " in large
    assert "'amount' is negative in 1 of 5 rows (first: row 3 '-0.3'); " in negative


def test_a_decimal_that_rounds_to_the_bound_is_beyond_it():
    amount = pa.array([Decimal(f"{MOST}9"), Decimal(1)], pa.decimal128(38, 10))
    (breach,) = breaches(table(customer_id=[*"ab"], time=[NOON] * 2, amount=amount))
    assert "'amount' is 10^14 or beyond in 1 of 2 rows (first: row 1 " in breach


def test_a_long_cell_is_cut_short():
    assert f"(first: row 1 '{'x' * 40}…');" in breaches(log(["x" * 10_000]))[0]


def test_money_is_exact_whatever_it_is_stored_as():
    stored = {
        "int64": ([10**14 - 1, 5, -7], ["99999999999999", "5", "-7"], 0),
        "float64": ([0.1 + 0.2, 11.77, -123456789.25], ["0.3", "11.77", "-123456789.25"], 1),
        "decimal128": ([Decimal("1.00005"), Decimal(MOST), Decimal(2)], ["1.0001", MOST, "2"], 1),
    }
    for kind, (cells, expected, rounded) in stored.items():
        amounts = pa.array(cells, pa.decimal128(38, 10) if kind == "decimal128" else kind)
        validated = validate(table(customer_id=[*"abc"], time=[NOON] * 3, amount=amounts), "log", Policy(returns="net"))
        assert validated.table.amount.to_pyarrow().to_pylist() == [*map(Decimal, expected)]
        assert validated.counts["rounded_amounts"] == rounded


def test_a_decimal_comma_is_read_where_it_is_stated_and_a_point_is_then_no_number():
    assert accepted(log(["1234,50", "7"]), "amount", decimal=",") == [(Decimal("1234.5"),), (Decimal(7),)]
    (breach,) = breaches(log(["1.500", "1.234,50", "2"]), decimal=",")
    assert "is not a number in 2 of 3 rows" in breach
    assert breach.endswith("; state thousands = '.' in data/catalog.toml")
    (breach,) = breaches(log(["1.50x", "1,234.50", "2"]))
    assert (
        "(first: row 1 '1.50x'; row 2 '1,234.50'); state thousands = ',' in data/catalog.toml; write numbers as "
        in breach
    )
    assert "is not a number in 1 of 1 rows" in breaches(log(["1,500"]))[0]


def test_times_in_another_form_are_read_by_their_pattern():
    raw = log(["1", "1"], time=["31.12.2023", "1.2.2024"])
    assert accepted(raw, "order_day", time_format="%d.%m.%Y") == [(date(2023, 12, 31),), (date(2024, 2, 1),)]
    (breach,) = breaches(log(["1", "1"], time=["31.12.2023", "12/31/2023"]), time_format="%d.%m.%Y")
    assert "(first: row 2 '12/31/2023'); correct them, or time_format = '%d.%m.%Y' in data/catalog.toml" in breach
    typed = table(customer_id=[1], time=[20231231], amount=[1])
    assert accepted(typed, "time", time_format="%Y%m%d") == [(datetime(2023, 12, 31),)]


INSTANTS = {  # what the clock of Tokyo showed, nine hours before UTC
    "2024-01-01 23:30:00+01:00": datetime(2024, 1, 2, 7, 30),
    "2024-01-01T14:59Z": datetime(2024, 1, 1, 23, 59),
    " 2024-01-01 15:00:00.5 UTC ": datetime(2024, 1, 2, 0, 0, 0, 500_000),
    "2024-01-01 10:00 -0500": datetime(2024, 1, 2),
    "2024-01-01 23:30": datetime(2024, 1, 1, 23, 30),
    " 2024-1-1 ": datetime(2024, 1, 1),
}


def test_times_with_an_offset_are_put_on_the_clock_of_the_shop():
    raw = log(["1"] * len(INSTANTS), time=[*INSTANTS], store_id=[str(i) for i in range(len(INSTANTS))])
    assert [t for (t,) in accepted(raw, "time", time_zone="Asia/Tokyo")] == [*INSTANTS.values()]
    assert [d for (d,) in accepted(raw, "order_day", time_zone="Asia/Tokyo")] == [t.date() for t in INSTANTS.values()]
    (breach,) = breaches(raw)
    assert "carries an offset from UTC in 4 of 6 rows (first: row 1 '2024-01-01 23:30:00+01:00'; row 2 " in breach


def test_instants_of_parquet_and_of_a_pattern_need_a_time_zone_too():
    aware = table(customer_id=["a"], amount=[1], time=pa.array([datetime(2024, 6, 1, 23)], pa.timestamp("us", "UTC")))
    text = log(["1"], time="01.06.2024 23:00 +0000")
    for raw, policy in ((aware, {}), (text, {"time_format": "%d.%m.%Y %H:%M %z"})):
        assert "carries an offset from UTC in 1 of 1 rows" in breaches(raw, **policy)[0]
        assert accepted(raw, "time", time_zone="Europe/Berlin", **policy) == [(datetime(2024, 6, 2, 1),)]


NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
GOOD_TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 12, 31)).flatmap(
    lambda t: st.sampled_from([f"{t}", t.isoformat("T", "minutes"), f"{t:%Y-%m-%d}", f" {t.year}-{t.month}-{t.day} "])
)
IMPOSSIBLE = ["2024-02-30", "2024-13-01", "2024-01-01 25:00", "2024-01-01 10:60", "2024-01-01 10:00+99"]
NOT_ISO = ["20240101", "31.12.2023", "soon", "2024-01-01 10", "2024-01-01x", "2024-01-01+02:00", "2024-01-01 10:00 CET"]
REFUSED = ["1899-12-31", "2101-01-01", "0001-01-01", "2024-01-01 10:00+02:00", "2024-01-01T10:00Z"]
BAD_TIMES = st.sampled_from([*IMPOSSIBLE, *NOT_ISO, *REFUSED])
EMPTY = st.sampled_from([None, "", " ", "\t\n"])
IDS = st.sampled_from(["00123", "#5", "NULL", "Zoë", " x", "'", "a\nb"])
SOLD = st.decimals(0, 10**6, places=7).flatmap(
    lambda d: st.sampled_from([f"{d:f}", f" {d:.2f}", f"{d:E}", f"+{d:.5f}", f"{int(d)}.", f"{d % 1:f}"[1:]])
)
NO_NUMBER = ["abc", "1,5", "1e", "--1", "nan", "inf", "1_000", "$5$5", "5 %", "12.-", "(5", "٣", ".", "1 2"]
BAD_AMOUNTS = st.sampled_from([*NO_NUMBER, "1e14", "-1e20", "99999999999999.99995", "-5"])


def logs(ids, times, amounts):
    return st.lists(st.tuples(ids, times, amounts), min_size=8, max_size=20)


LOGS = logs(IDS, GOOD_TIMES, SOLD) | logs(IDS | EMPTY, GOOD_TIMES | BAD_TIMES | EMPTY, SOLD | BAD_AMOUNTS | EMPTY)


def faults_of_time(text):
    if text is None or not text.strip():
        return "'time' is empty"
    bare = re.sub(r"(:\d\d)(Z|[+-](0\d|1[0-5])(:\d\d)?)$", r"\1", text.strip())
    parts = re.fullmatch(r"(\d{4})-(\d+)-(\d+)(?:[ T](\d+):(\d+)(?::(\d+)(?:\.\d+)?)?)?", bare)
    try:
        year = datetime(*(int(part or 0) for part in parts.groups())).year
    except (AttributeError, ValueError):
        return "'time' is not"
    if not 1900 <= year <= 2100:
        return "'time' lies outside"
    return "'time' carries" if bare != text.strip() else None


def money(text):
    return Decimal(text.strip()).quantize(Decimal("1e-4"), ROUND_HALF_UP)


def faults_of_amount(text):
    if text is None or not text.strip():
        return "'amount' is empty"
    if not NUMBER.fullmatch(text):
        return "'amount' is a percentage" if text == "5 %" else "'amount' is not"
    if abs(money(text)) >= 10**14:
        return "'amount' is 10^14"
    return "'amount' is negative" if money(text) < 0 else None


@QUICK
@given(LOGS)
@example([("a", "2024-01-01", amount) for amount in ("1.00005", "1.00004999", "1.5000000", "12345678901234.56785")])
@example([("a", "2024-01-01", "-0.00004")])
def test_validation_refuses_just_what_plain_python_refuses(rows):
    ids, times, amounts = zip(*rows, strict=True)
    found = [None if i and i.strip() else "'customer_id' is empty" for i in ids]
    found = [fault for fault in (*found, *map(faults_of_time, times), *map(faults_of_amount, amounts)) if fault]
    raw = log([*amounts], [*ids], [*times])
    if found:
        told = dict(re.match(r"log: (.*?) in (\d+) of", b).groups() for b in breaches(raw))
        assert sorted(told.values()) == sorted(str(found.count(f)) for f in set(found))
        assert all(any(says.startswith(f) and told[says] == str(found.count(f)) for says in told) for f in set(found))
    else:
        validated = validate(raw, "log")
        kept = sorted((line["customer_id"], line["amount"]) for line in validated.table.to_pyarrow().to_pylist())
        assert kept == sorted((i, money(a)) for i, a in zip(ids, amounts, strict=True))
        assert validated.counts["rounded_amounts"] == sum(money(a) != Decimal(a.strip()) for a in amounts)


MARKED = {  # text -> what has to be stated, and the number that it then is
    "1,234.50": ({"thousands": ","}, "1234.5"),
    "1.234,50": ({"decimal": ",", "thousands": "."}, "1234.5"),
    "1,234,567": ({"thousands": ","}, "1234567"),
    "1 234.5": ({"thousands": " "}, "1234.5"),
    "1\u202f234.5": ({"thousands": " "}, "1234.5"),
    "-12'345.00": ({"thousands": "'"}, "-12345"),
}


@pytest.mark.parametrize("text", MARKED)
def test_marks_of_thousands_are_read_as_stated_and_the_refusal_says_how(text):
    stated, number = MARKED[text]
    frame = pd.DataFrame({"customer_id": ["a", "b"], "time": "2024-01-05", "amount": [text, "12"]})
    with pytest.raises(InputError) as wrong:
        catalog.orders(frame, returns="net", **({"decimal": ","} if "decimal" in stated else {}))
    rest = {name: mark for name, mark in stated.items() if name != "decimal"}
    (said,) = wrong.value.breaches
    assert f"row 1 {text!r}" in said
    assert said.endswith(f"; state thousands = {rest['thousands']!r} as an argument")
    found = catalog.orders(frame.assign(amount=[text.removeprefix("-"), "12"]), **stated).findings.counts
    assert found["spend"] == Decimal(number.removeprefix("-")) + 12
    assert found["rounded_amounts"] == 0


def test_a_single_mark_may_be_of_thousands_or_of_decimals_and_both_conventions_are_named():
    frame = pd.DataFrame({"customer_id": ["a", "b"], "time": "2024-01-05", "amount": ["1,234", "12"]})
    with pytest.raises(InputError, match="thousands = ',', or decimal = ',' where that is the decimal mark, as an"):
        catalog.orders(frame)
    other = frame.assign(amount=["1.234,50", "12"])
    with pytest.raises(InputError, match=r"state decimal = ',' and thousands = '\.' as an argument"):
        catalog.orders(other)
    with pytest.raises(InputError, match="decimal is the same mark; state two that differ"):
        catalog.orders(other, decimal=",", thousands=",")
    with pytest.raises(InputError, match=r"is not a number in 1 of 2 rows \(first: row 1 '12,34\.5'"):
        catalog.orders(frame.assign(amount=["12,34.5", "1"]), thousands=",")
