"""Labels of customers: the rules, what they rest on, and that they are what an independent reading of them gives."""

import itertools
from datetime import date, timedelta

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.lifecycle import (
    OverdueThresholds,
    customer_stages,
    decline_and_recovery,
    last_stage_shares,
    latest_stages,
    stage_definitions,
    stage_shares,
    stage_transitions,
)
from crmlab.lifecycle.tables.stages import MIN_CHANGE, STAGES, WINDOW
from crmlab.model import Unfitted
from crmlab.simulate.lifecycle import simulate_customers

from ..clv.worlds import log

OVERDUE = OverdueThresholds(days=(60.0, 50.0, 40.0), own_gap_multiple=3.0)
END = "2024-12-31"
LAST = ("zoe", END, "1")  # the log runs to the last day of the year


def spending(customer, *amounts, first="2024-01-01"):
    """Orders on the first of each month of so much; 0 is none."""
    months = pd.date_range(first, periods=len(amounts), freq="MS").strftime("%Y-%m-%d")
    return [(customer, day, str(amount)) for day, amount in zip(months, amounts, strict=True) if amount]


PATHS = {
    # three orders are a trial; until eight months after the first one's there is no maturity
    "level spending": ([10] * 12, "eeegggggmmmm"),
    "rising spending": ([*range(1, 13)], "eeeggggggggg"),
    # of the 28 pairs of eight months, 13 fall in the ninth month, and 18, more than half, in the tenth
    "falling spending, though orders come": ([90] * 7 + [70, 50, 30, 15, 6], "eeegggggmddd"),
    "a spike, which is no trend": ([10] * 10 + [500, 10], "eeegggggmmmm"),
    # one order on 1 January is overdue after 60 days, on 1 March; a second, on 1 June, after 50, in July
    "overdue, and recovering": ([5, 0, 0, 0, 0, 5], "eedddedddddd"),
    "decline from establishment": ([5], "eedddddddddd"),
    "decline from growth": ([10] * 5, "eeegggdddddd"),
    "decline from maturity": ([10] * 9, "eeegggggmmmd"),
}


@pytest.fixture(scope="module")
def paths():
    rows = [row for name, (amounts, _) in PATHS.items() for row in spending(name, *amounts)]
    found = customer_stages(log(*rows, LAST), END, "month", OVERDUE).order_by("customer_id", "period").execute()
    return found.groupby("customer_id").stage.agg(lambda stage: stage.str[0].str.cat())


@pytest.mark.parametrize("name", PATHS)
def test_the_path_of(name, paths):
    assert paths[name] == PATHS[name][1]


def test_later_orders_are_overdue_by_the_customers_own_mean_gap():
    weekly = [("ann", str(date(2024, 1, 1) + timedelta(days=7 * k)), "10") for k in range(6)]
    monthly = spending("bob", *[10] * 6)
    found = customer_stages(log(*weekly, *monthly, LAST), END, "quarter", OVERDUE).execute()
    overdue_after = found[found.orders == 6].groupby("customer_id").overdue_after.first()
    assert overdue_after.ann == pytest.approx(21)  # three mean gaps of a week
    assert overdue_after.bob == pytest.approx(3 * 152 / 5)  # 1 January to 1 June, five gaps


def test_without_a_multiple_the_last_wait_stands_for_all():
    overdue = OverdueThresholds(days=(60.0, 50.0, 40.0), own_gap_multiple=None)
    found = customer_stages(log(*spending("bob", *[10] * 6), LAST), END, "quarter", overdue).execute()
    assert set(found[found.orders > 3].overdue_after) == {40.0}


def test_columns_hold_what_was_known_at_the_end_of_the_period():
    table = log(("ann", "2024-01-10", "5"), ("ann", "2024-02-20", "7"), ("ann", "2024-02-25", "-3", "2024-02-20"), LAST)
    row = (
        customer_stages(table, END, "month", OVERDUE)
        .filter(lambda t: t.customer_id == "ann")
        .order_by("period")
        .execute()
    )
    assert list(row.columns) == [
        "customer_id",
        "period",
        "as_of",
        "orders",
        "days_since_order",
        "overdue_after",
        "trend",
        "spend",
        "stage",
    ]
    assert list(row.orders[:2]) == [1, 2]
    assert list(row.days_since_order[:3]) == [21, 9, 40]
    assert list(row.overdue_after[:2]) == [60, 50]
    assert list(row.spend[:3]) == [5, 4, 0]
    assert [str(day)[:10] for day in row.period[:2]] == ["2024-01-01", "2024-02-01"]
    assert [str(day)[:10] for day in row.as_of[:2]] == ["2024-01-31", "2024-02-29"]


@pytest.mark.parametrize(
    ("every", "first", "count"), [("week", "2024-01-01", 52), ("quarter", "2024-01-01", 4), ("year", "2024-01-01", 1)]
)
def test_periods_are_calendar_periods_that_are_over(every, first, count):
    found = customer_stages(log(("ann", "2024-01-03", "1"), LAST), END, every, OVERDUE).execute()
    days = found[found.customer_id == "ann"].period
    assert len(days) == count  # the week of 30 December is not over on the 31st
    assert str(days.min())[:10] == first


def test_maturity_comes_after_a_year_of_quarters():
    found = customer_stages(
        log(*spending("ann", *[10] * 24, first="2023-01-01"), LAST), END, "quarter", OVERDUE
    ).execute()
    assert found[found.customer_id == "ann"].sort_values("period").stage.str[0].str.cat() == "egggmmmm"


@pytest.fixture(scope="module")
def world():
    return simulate_customers(customers=100, months=18, acquired_over=6, seed=3)


@pytest.fixture(scope="module")
def labelled(world):
    return customer_stages(world.table, world.end, "month", OVERDUE).order_by("customer_id", "period").execute()


def test_the_engine_labels_as_an_independent_reading_of_the_rules_does(world, labelled):
    assert len(labelled) == len(world.truth)
    ours = set(zip(*key(labelled), strict=True))
    assert not [row for row in reading(world.orders, world.end) if row not in ours]
    assert set(labelled.stage) == set(STAGES)


def key(frame):
    return frame.customer_id, pd.to_datetime(frame.period).dt.strftime("%Y-%m"), frame.stage


def reading(orders, end):
    """The rules, customer by customer and month by month, in plain Python: (customer, month, stage)."""
    for customer, rows in orders.groupby("customer_id"):
        months = pd.period_range(rows.time.min(), end, freq="M")
        spend = rows.amount.groupby(rows.time.dt.to_period("M")).sum().reindex(months, fill_value=0.0)
        for place, month in enumerate(months):
            days = np.unique(rows.time[rows.time <= month.end_time].dt.normalize())
            yield customer, str(month), ruled(days, month, spend.to_numpy()[1 : place + 1][-WINDOW["month"] :])


def ruled(days, month, spend):
    """A stage from order days, and spend of the months after the first."""
    days_since_order = (month.end_time.normalize() - days[-1]).days
    own = 3.0 * (days[-1] - days[0]) / np.timedelta64(1, "D") / max(len(days) - 1, 1)
    if days_since_order > (OVERDUE.days[len(days) - 1] if len(days) <= 3 else own):
        return "decline"
    if len(days) <= 3:
        return "establishment"
    slopes = sorted((b - a) / (j - i) for (i, a), (j, b) in itertools.combinations(enumerate(spend), 2))
    limit = MIN_CHANGE * np.abs(spend).mean() if len(spend) else 0
    fell, rose = sum(slope < -limit for slope in slopes), sum(slope > limit for slope in slopes)
    enough = len(spend) >= 3 and fell + rose > len(slopes) / 2
    if enough and fell > 0.8 * (fell + rose):
        return "decline"
    if len(spend) < WINDOW["month"] or (enough and rose > 0.8 * (fell + rose)):
        return "growth"
    return "maturity"


def test_labels_do_not_change_when_all_sales_are_rescaled(world, labelled):
    table = lives_table(world.orders.assign(amount=8 * world.orders.amount))
    rescaled = customer_stages(table, world.end, "month", OVERDUE).order_by("customer_id", "period").execute()
    pd.testing.assert_series_equal(rescaled.stage, labelled.stage)
    assert rescaled.spend.sum() == pytest.approx(8 * labelled.spend.sum())


@pytest.mark.parametrize("end", ["2024-06-30", "2025-02-14"])
def test_labels_are_the_same_whatever_came_later(world, labelled, end):
    early = customer_stages(world.table, end, "month", OVERDUE).order_by("customer_id", "period").execute()
    seen = labelled[labelled.period <= early.period.max()].reset_index(drop=True)
    pd.testing.assert_frame_equal(early, seen)
    assert len(early) < len(labelled)


def test_a_later_return_changes_no_earlier_label(world, labelled):
    first = world.orders.iloc[[0]]
    back = first.assign(amount=-first.amount, time=pd.Timestamp("2025-05-10"))
    table = lives_table(pd.concat([world.orders, back]))
    found = customer_stages(table, world.end, "month", OVERDUE).order_by("customer_id", "period").execute()
    before = pd.to_datetime(found.period) < "2025-05-01"
    pd.testing.assert_frame_equal(found[before], labelled[before])


def lives_table(orders):
    table = ibis.memtable(orders)
    return table.mutate(amount=table.amount.cast("decimal(18, 4)"), order_day=table.time.date())


def test_the_order_of_rows_changes_nothing_and_the_argument_is_untouched(world, labelled):
    table = lives_table(world.orders[::-1])
    before = table.execute()
    again = customer_stages(table, world.end, "month", OVERDUE).order_by("customer_id", "period").execute()
    pd.testing.assert_frame_equal(again, labelled)
    pd.testing.assert_frame_equal(table.execute(), before)


def test_moves_count_what_the_labels_say(world, labelled):
    found = stage_transitions(world.table, world.end, "month", OVERDUE)
    by = labelled.groupby("customer_id").stage
    ours = labelled.assign(
        period=pd.to_datetime(labelled.period), previous=by.shift(1).fillna(""), before_previous=by.shift(2).fillna("")
    )
    keys = ["period", "before_previous", "previous", "stage"]
    counted = ours.groupby(keys).agg(
        customers=("stage", "size"), spend=("spend", "sum"), spend_squares=("spend", lambda s: (s**2).sum())
    )
    theirs = found.set_index(keys).sort_index()
    pd.testing.assert_frame_equal(theirs, counted.sort_index(), check_dtype=False, check_index_type=False)


def test_moves_count_customers_with_returns_one_by_one_and_whole():
    table = log(
        ("ann", "2024-01-10", "5"),
        ("bob", "2024-01-10", "7"),
        ("cid", "2024-01-10", "9"),
        ("cid", "2024-03-02", "-9", "2024-01-10"),
        LAST,
    )
    found = stage_transitions(table, END, "month", OVERDUE)
    march = found[found.period == "2024-03-01"]
    assert march.customers.sum() == 3
    assert march.spend.sum() == pytest.approx(-9)
    january = found[found.period == "2024-01-01"]
    assert (january.customers.sum(), january.spend.sum(), january.spend_squares.sum()) == (3, 21, 25 + 49 + 81)


def test_moves_distinguish_customers_whose_first_and_last_days_are_the_same():
    # in February, ann has waited 55 days after the second order, and is overdue after 50; bob has not
    ann = [("ann", day, "1") for day in ("2024-01-01", "2024-01-05", "2024-03-05")]
    bob = [("bob", day, "1") for day in ("2024-01-01", "2024-02-10", "2024-03-05")]
    found = stage_transitions(log(*ann, *bob, LAST), END, "month", OVERDUE)
    february = found[found.period == "2024-02-01"].set_index("stage").customers
    assert february.to_dict() == {"establishment": 1, "decline": 1}


def test_customers_acquired_before_acquired_from_have_no_stage():
    table = log(*spending("ann", 5, 5), *spending("bob", 5, first="2024-04-01"), LAST)
    found = customer_stages(table, END, "quarter", OVERDUE, acquired_from="2024-02-01").execute()
    assert set(found.customer_id) == {"bob", "zoe"}
    assert stage_transitions(table, END, "quarter", OVERDUE, "2024-02-01").customers.sum() == len(found)


def test_the_latest_stage_of_some_customers():
    table = log(*spending("ann", *[10] * 12), *spending("bob", 5), LAST)
    found = latest_stages(customer_stages(table, END, "quarter", OVERDUE), ["ann", "bob", "nobody", "ann"])
    assert found.to_dict() == {"ann": "growth", "bob": "decline"}
    assert found.index.name == "customer_id"


@pytest.mark.parametrize(
    ("end", "every", "message"),
    [
        ("2025-01-01", "month", "lies outside the log, which runs from 2024-01-03 to 2024-12-31"),
        ("2024-01-02", "month", "lies outside the log"),
        ("2024-01-20", "month", "was not over by 2024-01-20; choose every = 'week', or an end from 2024-01-31 on"),
        (END, "day", "choose one of 'week', 'month'"),
    ],
)
def test_what_cannot_be_labelled_is_refused_with_what_to_do(end, every, message):
    with pytest.raises(InputError, match=message):
        customer_stages(log(("ann", "2024-01-03", "1"), LAST), end, every, OVERDUE)


def test_shares_sum_to_all_customers_and_name_every_stage(world):
    found = stage_shares(stage_transitions(world.table, world.end, "month", OVERDUE))
    assert set(found.groupby("period").stage.agg(tuple)) == {STAGES}
    np.testing.assert_allclose(found.groupby("period").share.sum(), 1)
    assert found[found.period == found.period.max()].customers.sum() == 100


def test_turnover_counts_moves_into_decline_and_recoveries():
    day = pd.Timestamp("2024-02-01")
    rows = [("maturity", "decline", 10), ("maturity", "maturity", 30), ("decline", "growth", 5), ("", "decline", 99)]
    frame = pd.DataFrame(rows, columns=["previous", "stage", "customers"]).assign(period=day, before_previous="")
    found = decline_and_recovery(frame).set_index("change")
    assert tuple(found.loc["declined", ["customers", "changed", "share"]]) == (40, 10, 0.25)
    assert tuple(found.loc["recovered", ["customers", "changed", "share"]]) == (5, 5, 1.0)
    # Wilson's interval of 10 in 40, by its formula
    z = 1.959964
    middle, reach = (0.25 + z**2 / 80) / (1 + z**2 / 40), z / (1 + z**2 / 40) * np.sqrt(0.1875 / 40 + z**2 / 6400)
    assert found.ci_low["declined"] == pytest.approx(middle - reach, rel=1e-6)
    assert found.ci_high["declined"] == pytest.approx(middle + reach, rel=1e-6)


def test_turnover_of_nobody_is_blank():
    row = {"period": pd.Timestamp("2024-02-01"), "before_previous": "", "previous": "maturity", "stage": "maturity"}
    found = decline_and_recovery(pd.DataFrame([row | {"customers": 3}])).set_index("change")
    assert found.loc["recovered", ["share", "ci_low", "ci_high"]].isna().all()
    assert found.reason.to_dict() == {"declined": "", "recovered": "nobody was in decline a period before"}


def test_the_rules_can_be_printed_with_the_waits_in_use():
    rules = stage_definitions(OVERDUE, "month")
    assert list(rules.stage) == ["decline", "establishment", "decline", "growth", "maturity"]
    assert "60, 50, 40 days" in rules.definition[0]
    assert "of the pairs of the last 8 months" in rules.definition[2]


def test_the_share_in_a_stage_is_that_of_the_last_period():
    shares = pd.DataFrame(
        {
            "period": pd.to_datetime(["2024-01-01", "2024-02-01", "2024-02-01"]),
            "stage": ["decline", "decline", "growth"],
            "customers": [1, 2, 6],
            "share": [1.0, 0.25, 0.75],
        }
    )
    found = last_stage_shares(shares)
    assert {stage: fact.value for stage, fact in found.items()} == {
        "establishment": 0, "growth": 0.75, "maturity": 0, "decline": 0.25
    }  # fmt: skip
    assert (found["decline"].n, found["decline"].kind, found["decline"].unit) == (8, "share", "of customers")


def test_without_thresholds_everything_that_rests_on_stages_is_blank_with_the_reason(world):
    none = Unfitted(OverdueThresholds, "5 came back, at least 30 are needed", "take a longer log")
    stages = customer_stages(world.table, world.end, "month", none)
    moves = stage_transitions(world.table, world.end, "month", none)
    shares = stage_shares(moves)
    rest = [stage_definitions(none, "month"), shares, decline_and_recovery(moves), latest_stages(stages, ["ann"])]
    for blank in (stages, moves, *rest):
        assert blank.empty
        assert blank.attrs["reason"] == str(none)
    assert {fact.reason for fact in last_stage_shares(shares).values()} == {str(none)}


def test_what_are_no_thresholds_is_refused(world):
    with pytest.raises(InputError, match="thresholds = 60 are no OverdueThresholds"):
        customer_stages(world.table, world.end, "month", 60)
    with pytest.raises(InputError, match="choose one of 'week'"):
        stage_definitions(OVERDUE, "day")


def test_a_wider_level_gives_wider_intervals(world):
    moves = stage_transitions(world.table, world.end, "month", OVERDUE)
    wide, narrow = (decline_and_recovery(moves, level=level).iloc[5] for level in (0.95, 0.5))
    assert wide.ci_low < narrow.ci_low < narrow.ci_high < wide.ci_high
