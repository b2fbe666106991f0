"""Spend by group, by models of orders and of spend: sums and days counted by hand, intervals, and what stays blank."""

from datetime import date

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab import catalog, clv
from crmlab.clv import MBGNBD, GammaGamma
from crmlab.contracts import InputError
from crmlab.model import Unfitted, blank_of, why_blank

from ..worlds import log

MODEL = MBGNBD(r=0.5, alpha=20.0, a=0.8, b=2.5)
SPEND = GammaGamma(p=6.0, q=4.0, gamma=15.0)
ORDERS = log(
    ("ann", "2024-01-05", "10"),
    ("ann", "2024-01-20", "5"),
    ("ann", "2024-03-02", "7"),
    ("bob", "2024-01-09", "20"),
    ("cid", "2024-02-11", "30"),
    ("cid", "2024-03-30", "8"),
    ("cid", "2024-04-02", "9"),
)
DAYS = [date(2024, 1, 31), date(2024, 2, 29), date(2024, 3, 31)]
ROWS = [("ann", 0, "a"), ("bob", 0, "a"), *[(who, day, who[0]) for day in (1, 2) for who in ("ann", "bob", "cid")]]
GROUPS = ibis.memtable(
    pd.DataFrame([(who, DAYS[day], group) for who, day, group in ROWS], columns=["customer_id", "as_of", "kind"])
)
PAIRED = GROUPS.mutate(kind=(GROUPS.kind == "c").ifelse("late", "early"))


def test_the_value_of_a_group_is_the_mean_of_what_is_expected_of_its_customers():
    found = clv.value_by_group(MODEL, SPEND, ORDERS, PAIRED, "kind", 2, 0.1, margin=0.5)
    # 60 days lie between the first day of groups and the third: two periods ahead are 60
    each = clv.summarise(ORDERS, "2024-03-31").order_by("customer_id").execute()
    ann, bob, cid = 0.5 * MODEL.discounted_orders(each, 0.1, 60) * SPEND.expected_spend(each)
    assert found.index.tolist() == ["early", "late", "all"]
    assert found.customers.tolist() == [2, 1, 3]
    np.testing.assert_allclose(found.horizon_value, [(ann + bob) / 2, cid, (ann + bob + cid) / 3])
    assert found.filter(regex="_low|_high").isna().all(axis=None)  # of a model without draws
    assert found.held.isna().all()


def test_held_is_that_of_the_last_origin():
    before = pd.DataFrame({"origin": pd.to_datetime(DAYS)[[0, 1, 1]], "kind": ["early", "early", "all"]})
    before["held"] = [True, False, True]
    found = clv.value_by_group(MODEL, SPEND, ORDERS, PAIRED, "kind", 1, 0.1, backtest=before)
    assert found.held.tolist() == [False, pd.NA, True]
    blank = clv.value_by_group(MODEL, SPEND, ORDERS, PAIRED, "kind", 1, 0.1, backtest=blank_of(pd.DataFrame, "none"))
    assert blank.horizon_value.notna().all()
    assert blank.held.isna().all()


def test_intervals_hold_the_value_and_are_the_same_from_run_to_run(sample):
    orders, groups, fitted, spend = sample
    found = clv.value_by_group(fitted, spend, orders, groups, "kind", 3, 0.1)
    ends = found.filter(like="horizon_value")
    assert (ends.horizon_value_ci_low < ends.horizon_value).all()
    assert (ends.horizon_value < ends.horizon_value_ci_high).all()
    assert (ends.horizon_value_pi_low < ends.horizon_value_ci_low).all()
    pd.testing.assert_frame_equal(found, clv.value_by_group(fitted, spend, orders, groups, "kind", 3, 0.1))
    halved = clv.value_by_group(fitted, spend, orders, groups, "kind", 3, 0.1, margin=0.5)
    np.testing.assert_allclose(halved.filter(like="horizon_value"), ends / 2)


def test_all_customers_are_worth_what_customer_equity_says(sample):
    orders, groups, fitted, spend = sample
    found = clv.value_by_group(fitted, spend, orders, groups, "kind", 3, 0.1).loc["all"]
    customers = clv.collapse(clv.summarise(orders, "1998-06-30"), "monetary_value")
    equity = clv.customer_equity(fitted, spend, customers, 273, 0.1)  # 1997-09-30 to 1998-06-30, three times 91 days
    assert found.customers * found.horizon_value == pytest.approx(equity.value)
    assert found.customers * found.horizon_value_ci_low == pytest.approx(equity.ci_low)
    assert found.customers * found.horizon_value_pi_high == pytest.approx(equity.pi_high, rel=0.05)


def test_a_backtest_sums_what_was_spent_up_to_the_day_so_many_periods_on(sample):
    orders, groups, _fitted, _spend = sample
    found = clv.backtest_by_group(orders, groups, "kind", "mbg_nbd", 2, replicates=99)
    # groups of four days: two of them have two periods ahead, and the later half is the second
    assert found.origin.unique().tolist() == [pd.Timestamp("1997-12-31")]
    log = catalog.orders("cdnow_sample").table.execute()
    after = log[(log.order_day > "1997-12-31") & (log.order_day <= "1998-06-30")]
    assert found.spent.iloc[-1] == pytest.approx(float(after.amount.sum()))
    known = clv.collapse(clv.summarise(orders, "1997-12-31"), "monetary_value")
    model, spend = clv.fit(known, "mbg_nbd", 0), clv.fit_spend(known, 0)
    expected = model.expected_orders(known, 181) * spend.expected_spend(known) * known.customers
    assert found.expected.iloc[-1] == pytest.approx(expected.sum())
    assert found.expected.iloc[:-1].sum() == pytest.approx(expected.sum())
    assert found.ratio.tolist() == (found.expected / found.spent).tolist()
    assert found.held.tolist() == [
        low <= at <= high for low, at, high in zip(found.pi_low, found.spent, found.pi_high, strict=True)
    ]


def test_origins_are_evenly_over_the_later_half(sample):
    orders, _groups, _fitted, _spend = sample
    days = pd.date_range("1997-03-31", periods=13, freq="ME").date
    groups = all_in_one(orders, days)
    found = clv.backtest_by_group(orders, groups, "kind", "nbd", 1, origins=3, replicates=0)
    # twelve days have one after them; of the later six the first, the third and the last
    assert found.origin.dt.date.unique().tolist() == [days[6], days[8], days[11]]
    assert found.held.isna().all()  # without draws there is no interval
    one = clv.backtest_by_group(orders, groups, "kind", "nbd", 1, origins=1, replicates=0)
    assert one.origin.dt.date.unique().tolist() == [days[11]]


def test_what_cannot_be_said_is_blank_with_the_reason():
    unfitted = Unfitted(MBGNBD, "nobody came back", "take a longer log")
    assert why_blank(clv.value_by_group(unfitted, SPEND, ORDERS, PAIRED, "kind", 2, 0.1)) == str(unfitted)
    one_day = PAIRED.filter(PAIRED.as_of == DAYS[2])
    found = clv.value_by_group(MODEL, SPEND, ORDERS, one_day, "kind", 2, 0.1)
    assert why_blank(found) == "groups of two days are needed, to know how long a period is"
    short = clv.backtest_by_group(ORDERS, PAIRED, "kind", "nbd", 3)
    assert why_blank(short) == "3 periods are known; a backtest of 3 takes 4"
    blank = blank_of(pd.DataFrame, "no thresholds")
    assert why_blank(clv.backtest_by_group(ORDERS, blank, "kind", "nbd", 1)) == "no thresholds"
    assert why_blank(clv.backtest_by_group(ORDERS, PAIRED, "kind", "nbd", 1))  # three customers fit no model of spend


@pytest.mark.parametrize("call", [
    lambda groups: clv.backtest_by_group(ORDERS, groups, "stage", "nbd", 1),
    lambda groups: clv.value_by_group(MODEL, SPEND, ORDERS, groups, "stage", 1, 0.1),
])  # fmt: skip
def test_groups_without_a_column_are_refused(call):
    with pytest.raises(InputError, match="groups lack as_of, stage; they have customer_id, kind"):
        call(PAIRED.drop("as_of"))


def test_no_periods_are_refused():
    with pytest.raises(InputError, match="periods = 0: choose a whole number, 1 or more"):
        clv.backtest_by_group(ORDERS, PAIRED, "kind", "nbd", 0)
    with pytest.raises(InputError, match="periods = -1: choose a whole number, 1 or more"):
        clv.value_by_group(MODEL, SPEND, ORDERS, PAIRED, "kind", -1, 0.1)


def all_in_one(orders, days):
    """Groups of these days: all customers acquired by each in one."""
    parts = [
        clv.summarise(orders, day).select("customer_id").mutate(as_of=ibis.date(day), kind=ibis.literal("one"))
        for day in days
    ]
    return ibis.memtable(ibis.union(*parts).execute().assign(as_of=lambda f: f.as_of.dt.date))


@pytest.fixture(scope="module")
def sample():
    """The CDNOW sample in two groups, on four days; models as of the last."""
    orders = catalog.orders("cdnow_sample")
    groups = all_in_one(orders, [date(1997, 9, 30), date(1997, 12, 31), date(1998, 3, 31), date(1998, 6, 30)])
    groups = groups.mutate(kind=groups.customer_id.right(1).isin(["0", "2", "4", "6", "8"]).ifelse("even", "odd"))
    known = clv.collapse(clv.summarise(orders, "1998-06-30"), "monetary_value")
    return orders, groups, clv.fit(known, "mbg_nbd", 99), clv.fit_spend(known, 99)
