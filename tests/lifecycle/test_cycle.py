"""Waits between orders: what the tables count, and when customers are overdue."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.duration.survfunc import SurvfuncRight

from crmlab.contracts import InputError
from crmlab.lifecycle import (
    OverdueThresholds,
    interpurchase_times,
    overdue_after,
    overdue_thresholds,
    relative_interpurchase_times,
    return_curve,
    return_hazard,
)
from crmlab.lifecycle.models.cycle import MIN_COUNT
from crmlab.model import Unfitted

from ..clv.worlds import log

END = "2024-03-01"
SHOP = (
    ("ann", "2024-01-01", "5.00"),
    ("ann", "2024-01-11", "7.00"),
    ("ann", "2024-01-11", "3.00"),
    ("ann", "2024-01-31", "20.00"),
    ("bob", "2024-02-10", "9.00"),
    ("cid", "2024-01-05", "1.00"),
    ("cid", "2024-01-15", "0.00"),
    ("dan", END, "2.00"),
)
AFTER = (("ann", "2024-03-02", "50.00"), ("bob", "2024-03-20", "0.00"), ("eve", "2024-03-05", "8.00"))
BRISK = tuple(("fay", f"2024-{day}", "1") for day in ("01-01", "01-05", "01-09", "01-13", "01-27", "02-10"))


def counted(frame):
    return [tuple(row) for row in frame.itertuples(index=False)]


def test_waits_are_counted_by_order_number_and_by_whether_they_are_over():
    assert counted(interpurchase_times(log(*SHOP), END)) == [
        (1, 0, False, 1),  # dan, on the last day
        (1, 10, True, 2),
        (1, 20, False, 1),
        (2, 20, True, 1),
        (2, 46, False, 1),  # 15 January to 1 March of a leap year
        (3, 30, False, 1),
    ]


def test_later_orders_wait_in_own_mean_gaps():
    # after the fourth order 4 days are a mean gap, and the wait is 14 of them; after the fifth 6.5, and again 14
    found = relative_interpurchase_times(log(*BRISK), "2024-02-10")
    assert counted(found) == [(4, 0.0, False, 1), (4, pytest.approx(2.2), True, 1), (4, 3.5, True, 1)]


@pytest.mark.parametrize("table", [interpurchase_times, relative_interpurchase_times])
def test_later_rows_and_the_order_of_rows_change_no_wait(table):
    shop = SHOP + BRISK
    one, other = (table(log(*rows), END) for rows in (shop, (AFTER + shop)[::-1]))
    pd.testing.assert_frame_equal(one, other)


def test_a_later_return_does_not_undo_a_wait():
    back = ("ann", "2024-02-20", "-10.00", "2024-01-11")
    pd.testing.assert_frame_equal(interpurchase_times(log(*SHOP, back), END), interpurchase_times(log(*SHOP), END))


def test_customers_acquired_before_acquired_from_are_left_out():
    found = interpurchase_times(log(*SHOP), END, "2024-01-05")  # without ann, whose later orders lie after it
    assert counted(found) == [(1, 0, False, 1), (1, 10, True, 1), (1, 20, False, 1), (2, 46, False, 1)]


@pytest.mark.parametrize(("end", "message"), [("2023-12-31", "lies outside the log"), ("2024-03-02", "2024-01-01 to")])
def test_an_end_outside_the_log_is_refused_with_its_span(end, message):
    with pytest.raises(InputError, match=message):
        interpurchase_times(log(*SHOP), end)


def test_a_table_of_contracts_is_refused_with_the_reason():
    with pytest.raises(InputError, match="need TRANSACTIONS"):
        interpurchase_times(log(*SHOP).drop("amount"), END)


def test_a_log_without_orders_is_refused():
    with pytest.raises(InputError, match="no order in them"):
        interpurchase_times(log(("ann", "2024-01-01", "-1", None)), END)


def waits(customers, ever, mean, seed, number=1, followed=400):
    """Collapsed waits of which a share `ever` ends, after exponential times; seen for 1 to `followed` days."""
    rng = np.random.default_rng(seed)
    come = rng.random(customers) < ever
    wait = np.where(come, np.ceil(rng.exponential(mean, customers)), np.inf)
    seen = rng.integers(1, followed + 1, customers)
    frame = pd.DataFrame({"order_number": number, "gap": np.minimum(wait, seen).astype(int), "observed": wait <= seen})
    return frame.groupby(["order_number", "gap", "observed"]).size().rename("customers").reset_index()


def own(seed=9):
    return waits(2000, 0.8, 1.0, seed, 4, 60)


def test_overdue_is_the_quantile_of_those_who_ever_return_and_not_of_those_back_so_far():
    held = waits(20_000, 0.6, 60, seed=1)  # by parameters: 90 % of returners are back by 60 ln 10 = 138.2 days
    found = overdue_thresholds(held, own(), replicates=200).loc["1"]
    assert found.overdue_after == pytest.approx(60 * np.log(10), rel=0.05)
    assert found.overdue_after_ci_low <= 60 * np.log(10) <= found.overdue_after_ci_high
    assert found.return_share == pytest.approx(0.6, abs=0.02)
    assert found["median"] == pytest.approx(60 * np.log(2), rel=0.05)
    back = held[held.observed]
    of_those_back = np.repeat(back.gap, back.customers).quantile(0.9)
    assert of_those_back < 0.85 * 60 * np.log(10)  # what is cut off by the end of the log


def test_the_interval_of_an_overdue_point_holds_it_about_as_often_as_its_level():
    held = 0
    for seed in range(30):
        point = overdue_thresholds(waits(1500, 0.6, 60, seed), own(), replicates=60, seed=seed).loc["1"]
        held += point.overdue_after_ci_low <= 60 * np.log(10) <= point.overdue_after_ci_high
    assert held >= 25  # of 30 at 95 %: fewer at random once in 300


def test_a_log_too_short_for_late_returns_has_the_reason():
    found = overdue_thresholds(waits(5000, 0.9, 300, 1, followed=150), own()).loc["1"]
    assert "lower bound" in found.reason
    assert found.overdue_after < 300 * np.log(10)


def test_too_few_returns_after_an_order_take_later_orders_or_all_of_them():
    first, second = waits(2000, 0.6, 60, 1), waits(30, 0.6, 60, 2, number=2)
    found = overdue_thresholds(pd.concat([first, second]), own(), replicates=0)
    assert found.reason["1"] == ""
    assert "all orders together" in found.reason["2"]
    third = waits(2000, 0.6, 30, 3, number=3)
    found = overdue_thresholds(pd.concat([first, second, third]), own(), replicates=0)
    assert "2 and later together" in found.reason["2"]
    assert found.overdue_after["2"] == pytest.approx(30 * np.log(10), rel=0.15)


def test_a_log_of_too_few_returns_gives_unfitted_with_how_many_are_needed():
    few = waits(20, 0.6, 60, 1)
    found = overdue_thresholds(few, few[:0])
    assert found.overdue_after.isna().all()
    assert found.reason.str.endswith(f" came back, at least {MIN_COUNT} are needed; take a longer log").all()
    fitted = OverdueThresholds.fit(few, few[:0])
    assert isinstance(fitted, Unfitted)
    assert f"at least {MIN_COUNT} are needed" in fitted.reason
    assert fitted.recommendation == "take a longer log"
    assert str(fitted).count("take a longer log") == 1
    assert overdue_after(found).reason == found.reason["1"]
    assert fitted.parameters.attrs["reason"] == str(fitted)


def test_without_later_orders_there_is_no_multiple_of_own_gaps():
    fitted = OverdueThresholds.fit(waits(2000, 0.6, 60, 1), own()[:0])
    assert fitted.own_gap_multiple is None
    assert len(fitted.days) == 3


@pytest.mark.parametrize(("days", "multiple"), [((0, 5), None), ((3, -1), None), ((np.nan,), None), ((1,), 0), ((), 1)])
def test_impossible_thresholds_are_refused(days, multiple):
    with pytest.raises(InputError, match="give numbers above 0"):
        OverdueThresholds(days, multiple)


def test_thresholds_are_numbers_that_can_be_kept():
    thresholds = OverdueThresholds((60.0, 50.0, 40.0), None)
    assert pickle.loads(pickle.dumps(thresholds)) == thresholds
    assert thresholds.parameters.value.iloc[:3].tolist() == [60, 50, 40]
    assert np.isnan(thresholds.parameters.value["own_gap_multiple"])
    assert thresholds.parameters.reason["own_gap_multiple"].startswith("too few with more orders came back")
    assert thresholds.parameters.reason["days_after_order_1"].startswith("no interval here")


def test_a_threshold_is_an_estimate_with_its_interval():
    points = overdue_thresholds(waits(2000, 0.6, 60, 1), own(), replicates=99)
    first, later = overdue_after(points), overdue_after(points, "4+")
    assert (first.value, first.ci_low, first.kind, first.unit) == (
        points.overdue_after["1"], points.overdue_after_ci_low["1"], "days", "days",
    )  # fmt: skip
    assert (later.kind, later.unit) == ("ratio", "own mean gaps")
    with pytest.raises(InputError, match=r"order_number = 7: choose one of 1, 2, 3, 4\+"):
        overdue_after(points, 7)


def test_a_wider_level_gives_a_wider_interval():
    held = waits(2000, 0.6, 60, 1)
    wide, narrow = (overdue_thresholds(held, own(), replicates=99, level=level).loc["1"] for level in (0.95, 0.5))
    assert wide.overdue_after_ci_low <= narrow.overdue_after_ci_low
    assert narrow.overdue_after_ci_high <= wide.overdue_after_ci_high
    for curve, ends in ((return_curve, ("share_ci_low", "share_ci_high")), (return_hazard, ("ci_low", "ci_high"))):
        wide, narrow = (curve(held, level=level).iloc[1] for level in (0.95, 0.5))
        assert wide[ends[0]] < narrow[ends[0]] < narrow[ends[1]] < wide[ends[1]]


def test_one_time_buyers_take_the_quantile_of_first_orders():
    fitted = OverdueThresholds.fit(waits(20_000, 0.6, 60, 1), own())
    assert fitted.days[0] == pytest.approx(60 * np.log(10), rel=0.05)
    assert fitted.own_gap_multiple == pytest.approx(3, abs=1)  # waits in whole mean gaps, of mean 1.6: 90 % within 3


def test_shares_of_returns_are_those_of_kaplan_and_meier_by_another_program():
    held = waits(500, 0.6, 60, 3)
    found = return_curve(held)
    theirs = SurvfuncRight(held.gap, held.observed.astype(int), freq_weights=held.customers.to_numpy())
    ours = found.set_index("wait").loc[theirs.surv_times[: len(found) // 2]]
    np.testing.assert_allclose(1 - ours.share, theirs.surv_prob[: len(ours)], atol=1e-12)
    assert (found.at_risk >= MIN_COUNT).all()
    assert ((found.share_ci_low <= found.share) | (found.share == 0)).all()


def test_intervals_of_returns_are_those_of_greenwood_on_the_log_log_scale():
    # by hand: 40 of 100 back on day 1; variance of S = .6 is .6² x 40 / (100 x 60)
    held = pd.DataFrame({"order_number": 1, "gap": [1, 2], "observed": [True, False], "customers": [40, 60]})
    row = return_curve(held).iloc[0]
    spread = np.sqrt(40 / (100 * 60)) / -np.log(0.6)
    assert row.share == pytest.approx(0.4)
    assert row.share_ci_low == pytest.approx(1 - 0.6 ** np.exp(-1.959964 * spread), rel=1e-6)
    assert row.share_ci_high == pytest.approx(1 - 0.6 ** np.exp(1.959964 * spread), rel=1e-6)


def test_the_hazard_of_waits_without_a_memory_is_level():
    found = return_hazard(waits(20_000, 1.0, 50, 4), bin_days=20)
    level = 1 - np.exp(-1 / 50)  # a day, by the parameter
    assert ((found.ci_low <= level) & (level <= found.ci_high)).mean() > 0.8
    assert found.hazard.head(5).to_numpy() == pytest.approx(np.full(5, level), rel=0.05)


def test_where_too_few_wait_through_any_class_there_is_no_hazard_with_the_reason():
    held = pd.DataFrame({"order_number": 1, "gap": [27, 30], "observed": [True, False], "customers": [1, 29]})
    found = return_hazard(held)
    assert found.empty
    assert found.attrs["reason"] == "fewer than 30 customers waited through any 28 days; take a longer log"
    assert len(return_hazard(held.assign(gap=[28, 30]))) == 1


def test_the_hazard_counts_returns_over_days_waited():
    held = pd.DataFrame({"order_number": 1, "gap": [10, 30], "observed": [True, False], "customers": [40, 50]})
    found = return_hazard(held, bin_days=20)
    assert found.hazard[0] == pytest.approx(40 / (40 * 10 + 50 * 20))
    assert list(found.at_risk) == [90]  # fewer than ENOUGH wait through the second class


@pytest.mark.parametrize(("returned", "tail"), [(0, 0.025), (40, 0.025), (40, 0.1)])
def test_the_ends_of_the_hazard_are_the_rates_that_leave_its_count_in_either_tail(returned, tail):
    held = pd.DataFrame({"order_number": 1, "gap": [10, 20], "observed": [True, False], "customers": [returned, 50]})
    found = return_hazard(held[held.customers > 0], bin_days=20, level=1 - 2 * tail).iloc[0]
    days = 10 * returned + 20 * 50
    assert stats.poisson.cdf(returned, days * found.ci_high) == pytest.approx(tail)
    assert (
        found.ci_low == 0
        if returned == 0
        else stats.poisson.sf(returned - 1, days * found.ci_low) == pytest.approx(tail)
    )
