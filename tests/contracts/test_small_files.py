"""Small files as programs and people leave them: each is read, or refused with what to state, which then works."""

import re

import pytest

from crmlab import catalog
from crmlab.contracts import InputError

BOM_SEMICOLON = "\ufeffcustomer_id;time;amount\n00123;2024-01-05;12,50\n00123;2024-02-05;1.234,50\n"
SERIAL_DAYS = "customer_id,time,amount\n1,45296,12.50\n1,45300,12.50\n"
WORDS_FOR_NONE = """customer_id,time,amount
NaN,2024-01-05,12.50
NULL,2024-01-06,12.50
nan,2024-01-06,12.50
None,2024-01-08,3
,2024-01-08,3
"""
FORMS = 'customer_id,time,amount\n1.0,2024-01-05,12.50\n1,2024-01-06,12.50\n 1,2024-01-06,12.50\n"1 ",2024-01-08,3\n'
ZONED = "customer_id,time,amount\n1,2024-01-05 23:30:00+00:00,12.50\n2,2024-02-05T00:30:00Z,12.50\n"


@pytest.fixture
def read(tmp_path):
    def read(text, **fields):
        path = tmp_path / "orders.csv"
        path.write_text(text, "utf-8")
        return catalog.orders(path, **fields)

    return read


def refused(read, text, **fields):
    with pytest.raises(InputError) as wrong:
        read(text, **fields)
    return wrong.value.breaches


def amounts(data):
    return [str(amount) for amount in data.table.order_by("time").amount.execute()]


def test_decimal_commas_with_thousands_are_read_as_the_advice_states(read):
    (said,) = refused(read, BOM_SEMICOLON)
    stated = dict(re.findall(r"(\w+) = '(.)'", said))
    assert stated == {"decimal": ",", "thousands": "."}
    data = read(BOM_SEMICOLON, **stated)
    assert amounts(data) == ["12.5000", "1234.5000"]
    assert data.table.customer_id.execute().tolist() == ["00123", "00123"]


def test_serial_days_of_a_spreadsheet_are_read_as_the_advice_states(read):
    (said,) = refused(read, SERIAL_DAYS)
    assert "looks like Excel's serial day: 45296 is 2024-01-05; state time_format = 'excel'" in said
    data = read(SERIAL_DAYS, time_format="excel")
    assert [str(time)[:10] for time in data.table.order_by("time").time.execute()] == ["2024-01-05", "2024-01-09"]


def test_words_for_a_missing_id_are_counted_and_missing_on_request(read):
    (said,) = refused(read, WORDS_FOR_NONE)
    assert "'customer_id' is empty in 1 of 5 rows (first: row 5)" in said
    kept = read(WORDS_FOR_NONE, missing_ids="drop")
    assert kept.findings.counts["customers"] == 4
    assert kept.summary.found["ids that look missing"].startswith("4 rows (such as 'NULL', 'nan')")
    assert refused(read, WORDS_FOR_NONE, missing_ids="drop", ids="tidy")[0].endswith(
        "there are no rows; a log needs at least one order"
    )


def test_one_id_written_in_four_ways_is_one_customer_on_request(read):
    assert read(FORMS).findings.counts["customers"] == 4
    assert "3 rows (such as ' 9', '9.9')" in read(FORMS).summary.found["ids written in several ways"]
    assert read(FORMS, ids="tidy").findings.counts["customers"] == 1


def test_times_with_an_offset_need_a_zone(read):
    (said,) = refused(read, ZONED)
    assert "carries an offset from UTC in 2 of 2 rows" in said
    data = read(ZONED, time_zone="Europe/Berlin")
    assert [str(time) for time in data.table.order_by("time").time.execute()] == [
        "2024-01-06 00:30:00",
        "2024-02-05 01:30:00",
    ]
