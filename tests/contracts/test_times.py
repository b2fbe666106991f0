"""Times in other forms than ISO: what time_format is advised, that it reads them, and periods."""

import re
from datetime import date, datetime

import pandas as pd
import pyarrow as pa
import pytest

from crmlab import catalog
from crmlab.contracts import InputError, Policy, time_advice

from ..conftest import accepted, breaches, log, table
from .conftest import refused, rows, validated

SEVERAL = "state in data/catalog.toml time_format = "


def times_of(cells, **policy):
    """What times cells of text are read as, in their order."""
    raw = log(["1"] * len(cells), time=cells, store_id=[str(i) for i in range(len(cells))])
    return [time for (time,) in accepted(raw, "time", **policy)]


def advised(cells, **policy):
    """What is advised of cells of text that are no times."""
    (breach,) = breaches(log(["1"] * len(cells), time=cells), **policy)
    assert "'time' is not a date or time in " in breach
    return breach.split("); ", 1)[1]


FORMS = {  # cells -> the time_format that reads them all, and the last of them as it reads it
    ("31/12/2020", "01/02/2020"): ("%d/%m/%Y", datetime(2020, 2, 1)),
    ("12/31/2020", "1/2/2020"): ("%m/%d/%Y", datetime(2020, 1, 2)),
    ("31.12.2020",): ("%d.%m.%Y", datetime(2020, 12, 31)),
    ("31.12.20",): ("%d.%m.%y", datetime(2020, 12, 31)),
    ("5 Jan 2024",): ("%d %b %Y", datetime(2024, 1, 5)),
    ("Jan 5, 2024", "jan 6, 2024"): ("%b %d, %Y", datetime(2024, 1, 6)),
    ("2024年1月5日",): ("%Y年%m月%d日", datetime(2024, 1, 5)),
    ("31/12/2020 18:30",): ("%d/%m/%Y %H:%M", datetime(2020, 12, 31, 18, 30)),
    ("12/31/2020 6:30 PM", "12/30/2020 11:05 am"): ("%m/%d/%Y %I:%M %p", datetime(2020, 12, 30, 11, 5)),
    ("20240105",): ("%Y%m%d", datetime(2024, 1, 5)),
    ("45296", "45296.5"): ("excel", datetime(2024, 1, 5, 12)),
}


@pytest.mark.parametrize("cells", FORMS, ids=" ".join)
def test_the_format_that_reads_all_cells_is_advised_and_reads_them(cells):
    form, last = FORMS[cells]
    assert re.findall("time_format = '([^']*)'", advised([*cells])) == [form]
    assert times_of([*cells], time_format=form)[-1] == last


def test_where_two_formats_fit_both_are_named_with_what_each_makes_of_a_cell():
    assert advised(["03/03/2020", "01/02/2020"]) == (
        f"{SEVERAL}'%d/%m/%Y', which makes '01/02/2020' 2020-02-01, or '%m/%d/%Y', which makes it 2020-01-02"
    )
    assert advised(["01/02/03"]) == (
        f"{SEVERAL}'%d/%m/%y', which makes '01/02/03' 2003-02-01, or '%m/%d/%y', which makes it 2003-01-02, "
        "or '%y/%m/%d', which makes it 2001-02-03"
    )


def test_where_no_format_fits_all_the_one_that_reads_most_is_advised_with_what_it_leaves():
    cells = ["soon", "31/12/2020", "30/12/2020", "12/31/2020"]
    said = "; it reads 2 of 4 cells and leaves 2 (first: 'soon'; '12/31/2020')"
    assert advised(cells) == (
        f"state time_format = '%d/%m/%Y' in data/catalog.toml, which makes '30/12/2020' 2020-12-30{said}"
    )
    assert advised(cells, time_format="%d/%m/%Y") == "correct them, or time_format = '%d/%m/%Y' in data/catalog.toml"
    assert advised(["2024-01-05", "2024-01-06", "5.1.24"], time_format="%d.%m.%y").startswith(
        "leave time_format out, which reads ISO text; it reads 2 of 3 cells and leaves 1 (first: '5.1.24')"
    )


def test_the_number_of_a_day_is_taken_for_one_where_that_is_stated_and_the_refusal_says_so(shop):
    path = shop.write("orders.csv", "customer_id,time,amount\n1,45296,12.50\n1,45300,12.50\n")
    with pytest.raises(InputError) as wrong:
        catalog.orders(path)
    (breach,) = wrong.value.breaches
    said = "looks like Excel's serial day: 45296 is 2024-01-05; state time_format = 'excel' in data/catalog.toml"
    assert breach.endswith(said)
    assert catalog.orders(path, time_format="excel").findings.first == date(2024, 1, 5)
    stored = table(customer_id=["1"], time=[45296.5], amount=[1])
    assert breaches(stored)[0].endswith(said.replace("45296 is 2024-01-05", "45296.5 is 2024-01-05 12:00"))
    assert accepted(stored, "time", time_format="excel") == [(datetime(2024, 1, 5, 12),)]


SERIALS = {  # as Excel shows them
    ("excel", "1"): datetime(1900, 1, 1),
    ("excel", "59"): datetime(1900, 2, 28),
    ("excel", "61"): datetime(1900, 3, 1),
    ("excel", "45296.4375"): datetime(2024, 1, 5, 10, 30),
    ("excel-1904", "43834"): datetime(2024, 1, 5),
}


@pytest.mark.parametrize(("form", "cell"), SERIALS)
def test_serial_days_are_those_of_excel(form, cell):
    assert times_of([cell], time_format=form) == [SERIALS[form, cell]]
    raw = table(customer_id=["1"], time=[float(cell)], amount=[1])
    assert accepted(raw, "time", time_format=form) == [(SERIALS[form, cell],)]


def test_what_no_serial_day_stands_for_is_refused():
    assert advised(["60", "45296"], time_format="excel").startswith("correct them")
    assert advised(["1e300", "45296"], time_format="excel").startswith("correct them")
    raw = table(customer_id=["1"], time=[date(2024, 1, 5)], amount=[1])
    assert (
        "'time' is stored as date, which is not a number as time_format = 'excel' has it; leave"
        in breaches(raw, time_format="excel")[0]
    )


def test_unix_times_are_read_on_the_clock_that_is_stated():
    for cells, form in (([1704412800, 1704416400], "unix"), ([1704412800000, 1704416400000], "unix-ms")):
        for kind in ("int64", "string", "float64"):
            times = pa.array(cells).cast(kind)
            raw = table(customer_id=["1", "2"], time=times, amount=[1, 1], store_id=["0", "1"])
            (breach,) = breaches(raw)
            assert "2024-01-05 UTC; state time_format = '%s' and the time_zone whose days count" % form in breach  # noqa: UP031
            assert "carries an offset from UTC in 2 of 2 rows" in breaches(raw, time_format=form)[0]
            assert accepted(raw, "time", time_format=form, time_zone="Asia/Tokyo") == [
                (datetime(2024, 1, 5, 9),), (datetime(2024, 1, 5, 10),)
            ]  # fmt: skip


def test_times_in_utc_are_refused_without_the_zone_whose_days_count(shop):
    content = "customer_id,time,amount\n1,2024-01-05 23:30:00+00:00,12.50\n2,2024-02-05T00:30:00Z,12.50\n"
    path = shop.write("orders.csv", content)
    with pytest.raises(InputError, match="'time' carries an offset from UTC in 2 of 2 rows"):
        catalog.orders(path)
    assert catalog.orders(path, time_zone="Europe/Berlin").findings.first == date(2024, 1, 6)


PERIODS = {
    ("2001-11", "2001-12"): (date(2001, 11, 1), "month"),
    ("2001M02", "2001-m3"): (date(2001, 2, 1), "month"),
    ("2001-Q4", "2002q1"): (date(2001, 10, 1), "quarter"),
    ("2001-W05", "2001W06"): (date(2001, 1, 29), "week"),
    ("2004-W53", "2005-W01"): (date(2004, 12, 27), "week"),
    ("2001", "2002"): (date(2001, 1, 1), "year"),
    (2001, 2002): (date(2001, 1, 1), "year"),
}


@pytest.mark.parametrize("cells", PERIODS, ids=str)
def test_periods_are_their_first_days_and_tell_their_step(cells):
    raw = table(time=[*cells], sales=["1"] * len(cells))
    first, every = PERIODS[cells]
    assert rows("series", raw)[0][0] == first
    assert validated("series", raw).counts["every"] == every


def test_a_gap_among_quarters_is_said():
    raw = table(time=["2001-Q1", "2001-Q2", "2001-Q4"], sales=["1"] * 3)
    assert (
        "comes more than a quarter after the one before it in 1 of 3 rows (first: row 3 '2001-Q4')"
        in refused("series", raw)[0]
    )


WORDED = {"Q4/01": "Q%q/%y", "Q4 2001": "Q%q %Y", "4Q01": "%qQ%y", "10/2001": "%m/%Y", "Oct 2001": "%b %Y"}


@pytest.mark.parametrize("cell", WORDED)
def test_other_names_of_periods_are_advised_their_format(cell):
    raw = table(time=[cell], sales=["1"])
    (breach,) = refused("series", raw)
    form = WORDED[cell]
    assert breach.endswith(f"); state time_format = {form!r} in data/catalog.toml, which makes {cell!r} 2001-10-01")
    assert rows("series", raw, time_format=form) == [(date(2001, 10, 1), 1.0, "all")]


@pytest.mark.parametrize("cell", ["2001-13", "2001-Q5", "2001-W53", "2001-W00", "01-2", "1899"])
def test_what_is_no_period_is_refused(cell):
    assert refused("series", table(time=[cell], sales=["1"]))[0].startswith("file: 'time' ")


def test_months_stored_as_numbers_are_advised_their_format():
    raw = table(time=[200111, 200112], sales=[1, 2])
    assert refused("series", raw)[0].endswith(
        "it looks like a date in digits: 200111 is 2001-11-01; state time_format = '%Y%m' in data/catalog.toml"
    )
    assert rows("series", raw, time_format="%Y%m")[0][0] == date(2001, 11, 1)


def test_months_of_orders_are_refused_with_the_reason_and_said_where_they_are_stated():
    frame = pd.DataFrame({"customer_id": ["a", "b"], "time": ["2001-11", "2001-12"], "amount": 1})
    with pytest.raises(InputError) as wrong:
        catalog.orders(frame)
    assert wrong.value.breaches[0].endswith(
        "; names months, and days are what the models count; if first days of months are meant, "
        "state time_format = '%Y-%m' as an argument, which makes '2001-11' 2001-11-01"
    )
    said = "times fall on first days of months only, all 2"
    assert catalog.orders(frame, time_format="%Y-%m").summary.found["days"] == said
    assert "days" not in catalog.orders(frame.assign(time=["2001-11-01", "2001-12-02"])).summary.index
    held = pd.DataFrame({"customer_id": ["a", "b"], "start": ["2001-Q1", "2001-Q3"], "end": ["2002-Q1", None]})
    with pytest.raises(InputError, match="names quarters, and days are what the models count"):
        catalog.subscriptions(held)
    said = "times fall on first days of months only, all starts and ends"
    assert catalog.subscriptions(held, time_format="%Y-Q%q").summary.found["days"] == said
    ends = held.assign(start=["2001-01-01", "2001-07-01"], end=["2002-01-01", "2002-01-15"])
    assert "days" not in catalog.subscriptions(ends).summary.index


@pytest.mark.parametrize("form", ["%q", "%q %m %Y", "%q%q %Y", "Q%q"])
def test_a_quarter_without_its_year_is_no_format(form):
    with pytest.raises(ValueError, match="a quarter stands beside a year and nothing else"):
        Policy(time_format=form)


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["2024-01-05T10:00:00Z"], True),
        (["5. Jan 2024", "7. Feb 2024"], True),
        (["20240105", "20231231"], True),
        (["2001-Q4"], True),
        (["1/5/24", "2/5/24", "?"], True),
        (["1/5/24", "?"], False),  # half of them
        (["17850", "13085"], False),
        (["2024.5", "12.2023"], False),
        (["SKU-12-345"], False),
        ([], False),
    ],
)
def test_cells_of_times_are_known(cells, read):
    assert time_advice.are_times(cells) is read
