"""Opportunities of small logs whose numbers are plain to see, and of random ones against a loop in pandas."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv.tables import summarise_periods
from crmlab.contracts import InputError

from .worlds import by_customer, log

END = "2024-03-01"  # 60 days after 1 January: eight weeks and four days
SHOP = (
    ("ann", "2024-01-01", "5.00"),
    ("ann", "2024-01-02", "7.00"),  # first day of week 1
    ("ann", "2024-01-08", "3.00"),  # last day of week 1
    ("ann", "2024-01-09", "20.00"),  # first day of week 2
    ("ann", "2024-02-26", "4.00"),  # last day of week 8
    ("ann", "2024-02-27", "90.00"),  # in week 9, which is not over
    ("bob", "2024-02-10", "9.00"),
    ("cid", "2024-02-26", "1.00"),
    ("cid", "2024-02-28", "2.00"),
)
AFTER = (
    ("ann", "2024-03-02", "50.00"),
    ("ann", "2024-03-04", "1.00"),
    ("ann", "2024-03-09", "-20.00", "2024-01-09"),
    ("dan", "2024-03-05", "8.00"),
)


def row(summary, customer):
    frequency, recency, age, spend, mean = by_customer(summary).loc[customer]
    return frequency, recency, age, float(spend), mean


def random_log(seed, customers=25, orders=8, days=100):
    """Rows of orders, free ones and returns among them, as for `worlds.log`."""
    rng = np.random.default_rng(seed)
    first = date(2024, 1, 1)
    for number in rng.integers(0, customers, customers * orders):
        day = first + timedelta(days=int(rng.integers(0, days)))
        yield f"{number:03}", day.isoformat(), rng.choice(["0", "0.10", "7.25", "12"])
        if rng.random() < 0.2:
            back = day + timedelta(days=int(rng.integers(0, 9)))
            yield f"{number:03}", back.isoformat(), rng.choice(["-0.10", "-7.25", "-30"]), day.isoformat()


def counted(rows, end, period_days):
    """The same, a customer and a period at a time."""
    frame = pd.DataFrame([(*r, r[1])[:4] if len(r) == 3 else r for r in rows], columns=["who", "time", "amount", "day"])
    frame = frame[frame.time <= end].assign(amount=lambda f: f.amount.map(Decimal), day=lambda f: pd.to_datetime(f.day))
    found = {}
    for who, own in frame.groupby("who"):
        spends = {day: sum(a) for day, a in own.groupby("day").amount if min(a) >= 0 or sum(a) > 0}
        if not spends:
            continue
        acquired, periods, k = min(spends), {}, 0
        while acquired + pd.Timedelta(days=(k + 1) * period_days) <= pd.Timestamp(end):
            k += 1
            inside = [acquired + pd.Timedelta(days=d) for d in range((k - 1) * period_days + 1, k * period_days + 1)]
            spent = [spends[day] for day in inside if day in spends]
            if spent:
                periods[k] = sum(spent)
        spend = sum(periods.values())
        found[who] = (len(periods), max(periods, default=0), k, spend, float(spend) / max(len(periods), 1))
    return found


def test_periods_are_counted_from_the_day_after_the_first_order():
    summary = summarise_periods(log(*SHOP), END, period_days=7)
    assert row(summary, "ann") == (3, 8, 8, 34.0, 34 / 3)
    assert row(summary, "bob") == (0, 0, 2, 0.0, 0.0)
    assert summary.count().execute() == 3


def test_an_order_of_the_unfinished_period_counts_once_it_is_over():
    table = log(*SHOP)
    assert row(summarise_periods(table, END, period_days=7), "cid") == (0, 0, 0, 0.0, 0.0)
    assert row(summarise_periods(table, "2024-03-03", period_days=7), "cid") == (0, 0, 0, 0.0, 0.0)
    assert row(summarise_periods(table, "2024-03-04", period_days=7), "cid") == (1, 1, 1, 2.0, 2.0)


def test_a_customer_acquired_on_the_last_day_has_had_no_opportunity():
    summary = summarise_periods(log(*SHOP, ("eve", END, "4.00")), END, period_days=7)
    assert row(summary, "eve") == (0, 0, 0, 0.0, 0.0)


@pytest.mark.parametrize("period_days", [1, 3, 7, 30])
@pytest.mark.parametrize("seed", [1, 2])
def test_periods_are_what_a_loop_counts(seed, period_days):
    rows, end = list(random_log(seed)), "2024-03-25"
    found = by_customer(summarise_periods(log(*rows), end, period_days))
    assert {who: tuple(line) for who, line in found.iterrows()} == counted(rows, end, period_days)
    assert len(found) > 20
    assert found.frequency.max() > 1


def test_periods_of_a_day_are_the_days_of_summarise():
    table = log(*random_log(3))
    by_day, by_period = (
        by_customer(f) for f in (clv.summarise(table, END), summarise_periods(table, END, period_days=1))
    )
    pd.testing.assert_frame_equal(by_period, by_day)


@pytest.mark.parametrize("period_days", [0, -7, 0.5, 2.5, float("nan"), float("inf"), "7", None])
def test_a_period_is_a_whole_number_of_days(period_days):
    with pytest.raises(
        InputError, match=r"period_days = .*: choose the days a period has, a whole number of 1 or more"
    ):
        summarise_periods(log(*SHOP), END, period_days)


def test_a_period_may_be_a_whole_number_of_any_kind():
    one, other = (by_customer(summarise_periods(log(*SHOP), END, period_days)) for period_days in (np.int64(7), 7.0))
    pd.testing.assert_frame_equal(one, other)


def test_later_rows_change_nothing():
    before, after = (by_customer(summarise_periods(log(*rows), END, 7)) for rows in (SHOP, SHOP + AFTER))
    pd.testing.assert_frame_equal(before, after)


def test_row_order_changes_nothing():
    one, other = (by_customer(summarise_periods(log(*rows), END, 7)) for rows in (SHOP, SHOP[::-1]))
    pd.testing.assert_frame_equal(one, other)


def test_the_argument_is_untouched():
    table = log(*SHOP, *AFTER)
    before = table.execute()
    clv.collapse(summarise_periods(table, END, 7))
    pd.testing.assert_frame_equal(table.execute(), before)


def test_a_day_returned_whole_is_no_order_and_a_part_lessens_the_spend():
    whole = log(*SHOP, ("ann", "2024-01-20", "-20.00", "2024-01-09"))
    assert row(summarise_periods(whole, END, 7), "ann") == (2, 8, 8, 14.0, 7.0)
    part = log(*SHOP, ("ann", "2024-02-29", "-6.00", "2024-01-09"))
    assert row(summarise_periods(part, END, 7), "ann") == (3, 8, 8, 28.0, 28 / 3)


def test_end_may_be_a_date_or_its_text():
    one, other = (by_customer(summarise_periods(log(*SHOP), end, 7)) for end in (END, date.fromisoformat(END)))
    pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize("acquired_from", ["2024-01-02", date(2024, 1, 2)])
def test_customers_acquired_before_acquired_from_are_left_out(acquired_from):
    summary = summarise_periods(log(*SHOP), END, 7, acquired_from)
    assert list(by_customer(summary).index) == ["bob", "cid"]


def test_collapse_means_spend_over_all_periods_with_an_order():
    twin = [("dot", day, amount) for who, day, amount in SHOP if who == "ann" for amount in [f"{float(amount) * 2}"]]
    frame = clv.collapse(summarise_periods(log(*SHOP, *twin), END, 7))
    assert frame.customers.to_list() == [1, 1, 2]
    assert frame.iloc[2].to_dict() == {
        "frequency": 3,
        "recency": 8,
        "age": 8,
        "customers": 2,
        "monetary_value": pytest.approx((34 + 68) / 6),
    }


def test_customers_of_periods_are_valued_as_others_are():
    rng = np.random.default_rng(1)
    frame = clv.BGBB(1.2, 0.75, 0.66, 2.78).simulate_orders(
        pd.DataFrame({"frequency": [0] * 600, "recency": 0, "age": 0}), 20, rng
    )
    seen = frame.groupby("customer").day.agg(["size", "max"]).reindex(range(600), fill_value=0)
    customers = pd.DataFrame({"frequency": seen["size"], "recency": seen["max"], "age": 20, "customers": 1})
    customers["monetary_value"] = np.where(customers.frequency > 0, 30.0, 0.0)
    orders = clv.BGBB.fit(customers, replicates=64)
    spend = clv.GammaGamma(6.25, 3.74, 15.44).with_covariance(np.eye(3) * 1e-4, 64)
    money = (10, 0.15, 0.5, 1)
    by_hand = orders.discounted_orders(customers, 0.15, 10, period_days=7) * spend.expected_spend(customers) * 0.5
    found = clv.customer_equity(orders, spend, customers, *money, period_days=7)
    assert found.value == pytest.approx(by_hand.sum(), rel=1e-12)
    assert found.ci_low < found.value < found.ci_high
    assert found.pi_low < found.value < found.pi_high
    each = clv.predict_customers(orders, spend, customers[:5], *money, period_days=7)
    assert each["value"].to_list() == pytest.approx(by_hand[:5].to_list())
