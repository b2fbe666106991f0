"""Ids as people's files hold them: missing, like missing, written in several ways, or of unidentified customers."""

import pandas as pd
import pytest

from crmlab import catalog, masks
from crmlab.contracts import InputError

FORMS = [
    "1.0",
    "1",
    " 1",
    "1 ",
    "Jose\u0301",
    "José",
    "NULL",
    "nan",
    None,
    "",
    "1E+05",
    "100000",
    "0",
    "00123",
    "10.50",
]
TIDY = {"1": 4, "José": 2, "100000": 2, "00123": 1, "10.50": 1}  # the rest are missing: 5 of 15


def read(who=FORMS, days=None, amounts=None, more=None, **fields):
    rows = {"customer_id": who, "time": days or "2024-01-05", "amount": amounts or "1"} | (more or {})
    return catalog.orders(pd.DataFrame(rows, index=range(len(who))), **fields)


def test_ids_that_are_missing_are_refused_with_what_to_state():
    with pytest.raises(InputError) as refused:
        read()
    assert refused.value.breaches == (
        "the table: 'customer_id' is empty in 2 of 15 rows (first: row 9; row 10); fill them, or state "
        "missing_ids = 'anonymous' or 'drop' as an argument",
    )


def test_what_only_looks_missing_or_untidy_is_counted_with_examples_and_left():
    found = read(missing_ids="drop")
    counts = found.findings.counts
    assert (counts["missing_ids"], counts["junk_ids"], counts["untidy_ids"], counts["customers"]) == (2, 3, 5, 13)
    summary = found.summary.found
    assert summary["ids that look missing"] == (
        "3 rows (such as '0', 'nan'): each counted as a customer; ids = 'tidy' takes them as missing"
    )
    assert summary["ids written in several ways"] == (
        "5 rows (such as ' 9', 'xxxx\u0301'): left as they are; ids = 'tidy' writes them in one way"
    )
    assert summary["rows without an id"] == "2 of 15 (13.3%): dropped"


def test_ids_are_merged_on_request():
    found = read(missing_ids="drop", ids="tidy")
    assert found.table.execute().customer_id.value_counts().to_dict() == TIDY
    assert found.summary.found["ids that look missing"] == "3 rows (such as '0', 'nan'): taken as missing"
    assert found.summary.found["rows without an id"] == "5 of 15 (33.3%): dropped"


def test_ids_that_are_plain_are_not_spoken_of():
    said = " ".join(read(["a1", "00123", "B-7", "x_9"]).summary.index)
    assert "id" not in said.replace("paid", "")


@pytest.mark.parametrize("text", ["1E+05", "1.5E+06", "2e+15"])
def test_whole_numbers_that_a_spreadsheet_shows_as_powers_are_spelled(text):
    assert read([text], ids="tidy").table.execute().customer_id.tolist() == [str(int(float(text)))]


@pytest.mark.parametrize("text", ["1E05", "1.23457E+12", "1E+03", "1.5E+16", "a.0", "1.05", "NULLARBOR", "nan1"])
def test_what_is_no_known_form_stays_as_it_is(text):
    assert read([text], ids="tidy").table.execute().customer_id.tolist() == [text]


def test_whole_numbers_with_gaps_are_floats_in_pandas_and_read_on_request():
    with pytest.raises(InputError, match="or state ids = 'tidy' where they are whole numbers"):
        read([13085.0, None, 1.0])
    found = read([13085.0, None, 1.0], ids="tidy", missing_ids="drop")
    assert sorted(found.table.execute().customer_id) == ["1", "13085"]


def test_fractions_stay_ids_as_they_do_as_text():
    found = read([1.5, 2.0, None, 1e20], ids="tidy", missing_ids="drop")
    assert sorted(found.table.execute().customer_id) == ["1.5", "1e+20", "2"]
    assert found.summary.found["rows without an id"] == "1 of 4 (25.0%): dropped"


def test_customers_unknown_are_no_customers_but_their_orders_are_kept():
    found = read(["a", None, "b", ""], amounts=["1", "2", "3", "4"], missing_ids="anonymous")
    assert sorted(found.table.execute().customer_id) == ["a", "b"]
    assert found.every.count().execute() == 4
    assert found.every.filter(found.every.customer_id.isnull()).amount.sum().execute() == 6
    assert (found.findings.counts["customers"], found.findings.counts["spend"]) == (2, 4)
    assert found.summary.found["rows without an id"] == "2 of 4 (50.0%): anonymous, in the identification rate only"


def test_returns_of_customers_unknown_are_not_set_against_each_other():
    rows = {"order_id": ["1", "2", None, "1"]}
    days, amounts = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-04"], ["5", "5", "-5", "-5"]
    found = read([None] * 4 + ["a"], [*days, "2024-01-01"], [*amounts, "1"], {"order_id": [*rows["order_id"], "9"]},
                 missing_ids="anonymous", returns="net")  # fmt: skip
    every = found.every.filter(found.every.customer_id.isnull()).order_by("time").execute()
    assert [str(day)[:10] for day in every.order_day] == ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-01"]


def test_a_log_of_customers_unknown_alone_holds_no_order_of_a_customer():
    with pytest.raises(InputError, match=r"no order is left; .* rows without a customer's id: 2"):
        read([None, ""], missing_ids="anonymous")


def test_other_contracts_drop_rows_without_an_id_or_refuse_them():
    rows = pd.DataFrame({"customer_id": ["a", None, " "], "start": "2020-01-01", "end": "2020-02-01"})
    found = catalog.subscriptions(rows, missing_ids="drop")
    assert found.findings.counts["customers"] == 1
    assert found.summary.found["rows without an id"] == "2 of 3 (66.7%): dropped"
    with pytest.raises(InputError, match="missing_ids = 'anonymous' is only of contract = 'transactions'"):
        catalog.subscriptions(rows, missing_ids="anonymous")
    people = pd.DataFrame({"customer_id": ["7", "7.0"], "age": ["30", "31"]})
    with pytest.raises(InputError, match="'customer_id' stands in more than one row in 2 of 2 rows"):
        catalog.customers(people, ids="tidy")


def test_placeholder_dates_and_days_to_come_are_counted():
    found = read(["a", "b", "c"], ["1970-01-01", "2024-01-01", "2099-12-31"])
    assert found.summary.found["placeholder dates"] == (
        "1 row on 1900-01-01 or 1970-01-01: counted; leave them out by where"
    )
    assert found.summary.found["orders later than today"] == (
        "1 row: counted; leave them out by where if they are planned"
    )


def test_customers_whose_orders_were_all_returned_are_counted():
    found = read(["a", "a", "b"], ["2024-01-01", "2024-01-02", "2024-01-01"], ["5", "-5", "3"], returns="net")
    assert "customers left without an order: 1;" in found.summary.found["returns"]
    assert found.findings.counts["customers"] == 1


def test_messages_mask_ids_unless_they_are_asked_for(monkeypatch):
    with pytest.raises(InputError, match=r"customer c-[0-9a-f]{8}\b"):
        read(["ann@x.com", "bob"], amounts=["", "2"])
    assert masks.outline(" K-7") == "' x-9'"
    monkeypatch.setenv(masks.SHOW, "1")
    with pytest.raises(InputError, match=r"customer 'ann@x\.com'"):
        read(["ann@x.com", "bob"], amounts=["", "3"])
    assert masks.outline(" K-7") == "' K-7'"
