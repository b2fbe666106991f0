"""Expected beside actual orders, and how value and spend are spread over customers."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv.tables import collapse
from crmlab.dataset import Period
from crmlab.model import Unfitted

from .models.test_backtests import shop as backtest_shop


def series(*values):
    return pd.Series(values, dtype=float)


def test_calibration_means_over_the_customers_of_each_level():
    by = pd.Series(["0", "0", "7+"], name="repeat_orders")
    table = clv.calibration(series(1, 4, 10), series(0, 3, 12), by, pd.Series([3, 1, 2]))
    assert table.index.name == "repeat_orders"
    assert table.to_dict("index") == {
        "0": {"customers": 4, "expected": 7 / 4, "actual": 3 / 4},
        "7+": {"customers": 2, "expected": 10.0, "actual": 12.0},
    }


def test_calibration_takes_a_row_for_each_customer_too():
    table = clv.calibration(series(1, 1, 1, 4), series(0, 0, 0, 3), pd.Series([0, 0, 0, 0]))
    assert table.loc[0].to_list() == [4, 7 / 4, 3 / 4]


def test_calibration_leaves_its_arguments_alone():
    given = [series(1, 4), series(0, 3), pd.Series([0, 1]), pd.Series([3, 1])]
    kept = [one.copy() for one in given]
    clv.calibration(*given)
    for one, before in zip(given, kept, strict=True):
        pd.testing.assert_series_equal(one, before)


def test_tracking_sums_up_week_by_week():
    weeks = pd.RangeIndex(1, 4, name="week")
    week_end = pd.Series(pd.to_datetime(["2024-01-07", "2024-01-14", "2024-01-21"]), weeks)
    bands = {"pi_low": 0, "pi_high": [3, 5, 6], "cumulative_pi_low": [0, 1, 3], "cumulative_pi_high": [3, 7, 12]}
    expected = pd.DataFrame({"expected": [1.5, 2.5, 3.0]} | bands, weeks)
    kept = expected.copy()
    table = clv.tracking(expected, pd.Series([4, 0, 1], weeks[::-1]), week_end)
    assert table.index.name == "week"
    assert table.expected.to_list() == [1.5, 2.5, 3.0]
    assert table.actual.to_list() == [1, 0, 4]
    assert table.cumulative_expected.to_list() == [1.5, 4.0, 7.0]
    assert table.cumulative_actual.to_list() == [1, 1, 5]
    assert table.week_end.to_list() == list(week_end)
    pd.testing.assert_frame_equal(table[[*bands]], kept[[*bands]])
    pd.testing.assert_frame_equal(expected, kept)


def test_customers_fall_into_groups_by_repeat_orders():
    frequency = pd.Series([7, 0, 6, 40, 1], index=list("abcde"))
    groups = clv.frequency_groups(frequency)
    assert groups.to_dict() == {"a": "7+", "b": "0", "c": "6", "d": "7+", "e": "1"}
    assert groups.name == "repeat orders"
    assert clv.frequency_groups(frequency.astype(float)).equals(groups)
    assert clv.frequency_groups(frequency, max_frequency=1).to_list() == ["1+", "0", "1+", "1+", "1+"]


def test_customers_fall_into_groups_by_days_since_the_last_order():
    edges = {0: "0–29", 29: "0–29", 30: "30–59", 59: "30–59", 60: "60–89", 89: "60–89", 90: "90–179", 179: "90–179"}
    edges |= {180: "180–364", 364: "180–364", 365: "365+", 10_000: "365+"}
    groups = clv.inactivity_groups(pd.Series(edges.keys(), index=edges.keys()))
    assert groups.to_dict() == edges
    assert groups.name == "days since the last order"
    assert clv.inactivity_groups(pd.Series([6, 7, 8, 14]), bounds=(7, 14)).to_list() == ["0–6", "7–13", "7–13", "14+"]


@pytest.mark.parametrize(
    ("groups", "found"),
    [
        (clv.frequency_groups(pd.Series([12, 2, 30, 0, 10, 9]), max_frequency=12), ["0", "2", "9", "10", "12+"]),
        (clv.inactivity_groups(pd.Series([400, 5, 100, 30, 45])), ["0–29", "30–59", "90–179", "365+"]),
    ],
    ids=["repeat orders", "days since the last order"],
)
def test_groups_come_in_order_and_without_empty_ones(groups, found):
    assert not groups.isna().any()
    table = clv.calibration(groups.index * 1.0, groups.index * 2.0, groups)
    assert table.index.to_list() == found
    assert table.index.name == groups.name
    assert not table.isna().any().any()
    assert groups.cat.ordered
    assert groups.cat.categories.to_list() == found


def buyers(frequency, spend, customers=None):
    frame = pd.DataFrame({"frequency": frequency, "monetary_value": spend})
    return frame if customers is None else frame.assign(customers=customers)


def spenders():
    """120 rows of repeat buyers, each for 1 to 5 alike: frequency, monetary_value, customers."""
    rng = np.random.default_rng(4)
    return pd.Series(rng.integers(1, 15, 120)), pd.Series(rng.gamma(4, 5, 120)), pd.Series(rng.integers(1, 6, 120))


def test_mean_spend_by_orders_is_that_of_the_customers_one_by_one():
    frequency, spend, customers = spenders()
    found = clv.spend_by_frequency(buyers(frequency, spend, customers))
    assert found.index.to_list() == ["1", "2", "3", "4", "5", "6", "7+"]
    assert found.index.name == "repeat orders"
    each = spend.repeat(customers).groupby(frequency.clip(upper=7).repeat(customers))
    expected = pd.DataFrame({"customers": each.size(), "mean": each.mean()})
    expected["ci_low"], expected["ci_high"] = (each.mean() + side * 1.959964 * each.sem() for side in (-1, 1))
    pd.testing.assert_frame_equal(found.reset_index(drop=True), expected.reset_index(drop=True), rtol=1e-6)
    alone = clv.spend_by_frequency(buyers(frequency.repeat(customers), spend.repeat(customers)))
    pd.testing.assert_frame_equal(alone, found)


def test_the_interval_of_mean_spend_by_hand():
    # 10 and 20, three times each: variance 30, of the mean 5
    found = clv.spend_by_frequency(buyers(series(1, 1), series(10, 20), pd.Series([3, 3]))).loc["1"]
    assert found.to_list() == pytest.approx([6, 15, 15 - 1.959964 * 5**0.5, 15 + 1.959964 * 5**0.5])


def test_mean_spend_has_an_interval_of_two_customers_or_more(recwarn):
    # 20.1 is no binary fraction: sums of it round
    frame = buyers(series(1, 1, 1, 2, 11, 12), series(*[20.1] * 6), pd.Series([1, 1, 1, 3, 1, 1]))
    found = clv.spend_by_frequency(frame, max_frequency=11)
    assert found.index.to_list() == ["1", "2", "11+"]
    assert found[["mean", "ci_low", "ci_high"]].to_numpy() == pytest.approx(20.1)
    one = clv.spend_by_frequency(buyers(series(3), series(20))).loc["3"]
    assert (one.customers, one["mean"]) == (1, 20)
    assert np.isnan([one.ci_low, one.ci_high]).all()
    assert not recwarn.list


def test_lorenz_by_hand():
    # a half of the customers worth nothing, a quarter 1 each, a quarter 3 each
    table = clv.lorenz(series(3, 0, 1), pd.Series([1, 2, 1]))
    assert list(table.columns) == ["customers", "value", "gini"]
    assert set(table.gini) == {clv.gini_coefficient(series(3, 0, 1), pd.Series([1, 2, 1]))}
    at = table.set_index(table.customers.round(2)).value
    assert list(at[[0, 0.5, 0.75, 1]]) == pytest.approx([0, 0, 0.25, 1])
    assert at[0.6] == pytest.approx(0.1)
    assert len(table) == 101


def test_concentration_by_hand():
    # below the curve above lie 1/32 and 5/32
    assert clv.gini_coefficient(series(3, 0, 1), pd.Series([1, 2, 1])) == pytest.approx(1 - 2 * 6 / 32)
    assert clv.gini_coefficient(series(2, 2, 2)) == pytest.approx(0)
    assert clv.gini_coefficient(series(0, 0, 0, 8)) == pytest.approx(3 / 4)  # one of n: 1 - 1/n


def test_concentration_is_the_mean_difference_over_twice_the_mean():
    rng = np.random.default_rng(1)
    value, customers = pd.Series(rng.gamma(0.5, 40, 60).round(1)), pd.Series(rng.integers(0, 5, 60))
    each = value.repeat(customers).to_numpy()
    difference = np.abs(each[:, None] - each[None, :]).mean()
    assert clv.gini_coefficient(value, customers) == pytest.approx(difference / (2 * each.mean()))
    assert clv.gini_coefficient(pd.Series(each)) == pytest.approx(difference / (2 * each.mean()))
    table, alone = clv.lorenz(value, customers), clv.lorenz(pd.Series(each))
    pd.testing.assert_frame_equal(table, alone)
    assert 1 - 2 * np.trapezoid(table.value, table.customers) == pytest.approx(difference / (2 * each.mean()), abs=1e-3)


def test_where_nobody_is_worth_anything_there_is_no_concentration(recwarn):
    assert np.isnan(clv.gini_coefficient(series(0, 0)))
    assert clv.lorenz(series(0, 0)).value.isna().all()
    assert not recwarn.list


@pytest.fixture(scope="module")
def shop():
    """A simulated shop, with what its customers did before and after a split, and a model of them."""
    log, split, until = backtest_shop(), date(2023, 9, 30), date(2023, 12, 29)
    seen = clv.summarise(log, split)
    period = Period(date(2023, 1, 1), split, until, None, pd.DataFrame())
    return log, period, clv.with_holdout(seen, log, split, until), clv.fit(seen, "bg_nbd", replicates=64)


@pytest.mark.parametrize("by", ["frequency", "inactivity"])
def test_the_holdout_is_calibrated_by_groups(shop, by):
    _, period, customers, model = shop
    found = clv.holdout_calibration(model, customers, period.horizon_days, by, seed=3)
    frame = collapse(customers, "orders")
    groups = {
        "frequency": clv.frequency_groups(frame.frequency),
        "inactivity": clv.inactivity_groups(frame.age - frame.recency),
    }[by]
    expected = model.expected_orders(frame, period.horizon_days)
    table = clv.calibration(expected, frame.orders, groups, frame.customers)
    band = clv.prediction_interval_by_group(model, frame, period.horizon_days, groups, seed=3)
    pd.testing.assert_frame_equal(found, table.join(band))
    assert (found.actual * found.customers).sum() == pytest.approx(clv.holdout_orders(customers).value)


def test_orders_are_tracked_over_calibration_and_holdout(shop):
    log, period, customers, model = shop
    found = clv.weekly_tracking(model, customers, log, period, seed=3)
    weeks = clv.weekly_orders(log, period.split, period.until)
    expected = clv.forecast_weekly_orders(model, collapse(customers), weeks.index, seed=3)
    pd.testing.assert_frame_equal(found, clv.tracking(expected, weeks.orders, weeks.week_end))
    assert found.cumulative_actual.iloc[-1] == weeks.orders.sum()


def test_value_is_spread_as_the_lorenz_curve_of_what_is_expected(shop):
    _, _, customers, model = shop
    spend = clv.GammaGamma(6.0, 4.0, 60.0)
    frame = collapse(customers, "monetary_value")
    orders = model.discounted_orders(frame, 0.1, 365)
    value = clv.value(orders, spend.expected_spend(frame), 0.5)
    found = clv.value_concentration(model, spend, customers, 365, 0.1, 0.5)
    pd.testing.assert_frame_equal(found, clv.lorenz(value, frame.customers))
    of_orders = clv.value_concentration(model, Unfitted(clv.GammaGamma, "nobody spent"), customers, 365, 0.1)
    pd.testing.assert_frame_equal(of_orders, clv.lorenz(orders, frame.customers))


def test_metrics_of_what_was_not_fitted_are_blank_with_the_reason(shop):
    log, period, customers, _ = shop
    unfitted = Unfitted(clv.BGNBD, "no maximum")
    for blank in (
        clv.holdout_calibration(unfitted, customers, 90),
        clv.weekly_tracking(unfitted, customers, log, period),
        clv.value_concentration(unfitted, None, customers, 365, 0.1),
    ):
        assert blank.empty
        assert blank.attrs["reason"] == "no maximum"
