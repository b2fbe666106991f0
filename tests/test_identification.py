"""The identification rate: counts and sums by hand, its trend, and what a report says of it."""

import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, lifecycle
from crmlab.contracts import InputError
from crmlab.identification import identification_rates, identification_trend, share_changes, what_follows
from crmlab.report import Report

LOG = {
    "customer_id": ["a", None, None, "b", "a", None, None, "c"],
    "time": [
        "2024-01-05",
        "2024-01-05",
        "2024-01-09",
        "2024-02-01",
        "2024-02-01",
        "2024-02-02",
        "2024-02-03",
        "2024-02-03",
    ],
    "order_id": ["1", "1", "2", "3", "4", "", "", None],
    "store_id": ["N", "N", "S", "N", "S", "S", "N", "N"],
    "amount": [10, 5, 2, 4, -4, 8, 1, 3],
}


def read(log=None, **fields):
    given = {"missing_ids": "anonymous", "returns": "net"} | fields
    return catalog.orders(pd.DataFrame(LOG if log is None else log), **given)


def rows(frame):
    return frame.replace({np.nan: None}).to_numpy().tolist()


def test_lines_of_one_receipt_are_one_order_and_known_where_one_line_is():
    # receipts: 1 (a), 2, 3 (b), two without a number, and c's; the return of a is none
    (row,) = rows(identification_rates(read(), "all"))
    assert row == [6, 3, 0.5, 33, 17, 17 / 33]


def test_rates_by_month_and_by_store():
    monthly = identification_rates(read())
    assert [str(day)[:10] for day in monthly.month] == ["2024-01-01", "2024-02-01"]
    assert rows(monthly.drop(columns="month")) == [[2, 1, 0.5, 17, 10, 10 / 17], [4, 2, 0.5, 16, 7, 7 / 16]]
    assert rows(identification_rates(read(), "store")) == [
        ["N", 4, 3, 0.75, 23, 17, 17 / 23],
        ["S", 2, 0, 0, 10, 0, 0],
    ]


def test_rows_are_orders_where_the_log_has_no_order_id():
    log = {name: cells for name, cells in LOG.items() if name != "order_id"}
    assert rows(identification_rates(read(log), "all"))[0][:3] == [7, 3, 3 / 7]


def test_what_cannot_be_asked_is_refused():
    known = catalog.orders(pd.DataFrame(LOG), missing_ids="drop", returns="net")
    with pytest.raises(InputError, match="read it with missing_ids = 'anonymous'"):
        identification_rates(known)
    with pytest.raises(InputError, match="choose one of all, month, store"):
        identification_rates(read(), "week")
    with pytest.raises(InputError, match="has no store_id"):
        identification_rates(read({name: cells for name, cells in LOG.items() if name != "store_id"}), "store")


def monthly(shares, orders=1000):
    days = pd.date_range("2023-01-01", periods=len(shares), freq="MS")
    return pd.DataFrame({"month": days, "orders": orders, "order_rate": shares, "money_rate": shares})


def test_the_trend_is_the_slope_of_a_line_in_points_a_year():
    exact = identification_trend(monthly(0.2 + 0.01 * np.arange(12)))
    assert exact.value == pytest.approx(12.0)
    noisy = identification_trend(monthly([0.20, 0.22, 0.20, 0.22]))
    # y = 20, 22, 20, 22 on x = 0..3: slope .4 a month; residual SS 3.2, s² = 1.6, se = sqrt(1.6 / 5), t(2) = 4.302653
    half = 4.302653 * np.sqrt(1.6 / 5) * 12
    assert [noisy.value, noisy.ci_low, noisy.ci_high] == pytest.approx([4.8, 4.8 - half, 4.8 + half], rel=1e-6)


def test_months_weigh_by_their_orders():
    uneven = monthly([0.2, 0.3, 0.2, 0.9], [1000, 1000, 1000, 1e-9])
    assert identification_trend(uneven).value == pytest.approx(0.0, abs=1e-6)


def changes(rates):
    return share_changes(identification_trend(rates), rates)


def test_whether_the_share_changes_is_a_finding():
    rng = np.random.default_rng(1)
    assert changes(monthly(0.2 + 0.01 * np.arange(12) + rng.normal(0, 0.005, 12))).outcome == "yes"
    assert changes(monthly(0.2 + rng.normal(0, 0.01, 12))).outcome == "undecided"
    assert changes(monthly(0.4 - 0.01 * np.arange(12) + rng.normal(0, 0.005, 12))).outcome == "yes"
    few = changes(monthly([0.1, 0.2, 0.3]))
    assert (few.outcome, few.summary) == (
        "not applicable",
        "Not judged: a trend of the identification rate needs 4 months, of which there are 3.",
    )


def test_a_report_on_such_data_opens_with_the_rate(capsys):
    report = Report("Any", headline=["customers"])
    report.fact("customers", 3, kind="count")
    report.data(read())
    assert next(iter(report.as_dict()["facts"][0].items())) == ("name", "orders_with_customer_id")
    assert [fact["name"] for fact in report.as_dict()["facts"]][1:] == ["money_with_customer_id", "customers"]
    assert str(report.facts["orders_with_customer_id"]) == "50.0 %"
    (note,) = report.notes
    assert note == what_follows(identification_rates(read(), "all"))
    assert note.startswith("50.0 % of orders, and 48.5 % of money, have no customer id.")
    assert list(report.checks) == ["identification.share_changes"]
    assert sorted(report.tables) == ["data", "identification_by_store"]
    assert list(report.figures.values()) == ["share_of_orders_and_of_money_with_a_customer_s_id"]


def test_a_report_on_other_data_says_nothing_of_it(capsys):
    report = Report("Any", headline=["customers"])
    report.data(catalog.orders(pd.DataFrame(LOG), missing_ids="drop", returns="net"))
    assert (report.headline, list(report.tables), report.facts, report.notes) == (["customers"], ["data"], {}, {})


def test_sales_of_a_product_count_those_of_customers_unknown():
    log = {
        "customer_id": ["a", None, "a", None],
        "time": ["2024-01-05", "2024-01-06", "2024-02-05", "2024-03-01"],
        "amount": [1, 2, 4, 8],
    }
    sold = lifecycle.product_sales(read(log), "2024-02-29")
    assert sold.sales.tolist() == [3, 4]
