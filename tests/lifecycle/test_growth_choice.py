"""What sales are projected by: the best of the backtest, a curve or a baseline."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import Bass, LastChange, LastPeriod, choose_growth
from crmlab.model import Unfitted

from .rates import continued_sales_held
from .test_growth_backtest import given

SALES = pd.Series([10.0, 14, 15, 19], pd.date_range("2020", periods=4, freq="YS"))
FITTED = {"Bass": Bass(1000, 0.01, 0.4), "logistic": lifecycle.Logistic(1000, 60, 0.5)}
BASE = {"last_period_again": [10, -20, 30], "last_change_again": [50, 50, 50]}


def test_the_last_period_goes_on_with_errors_that_add_up():
    found = LastPeriod.fit(SALES)
    assert (found.last, found.change, found.df) == (19, 0, 3)
    assert found.sigma == pytest.approx(np.sqrt((16 + 1 + 16) / 3))
    ahead, t = found.sales_ahead(3), stats.t.ppf(0.975, 3)
    assert ahead.expected.tolist() == [19] * 3
    assert ahead.pi_high.tolist() == pytest.approx([19 + t * np.sqrt(11 * h) for h in (1, 2, 3)])
    assert ahead.pi_low.tolist() == pytest.approx([max(19 - t * np.sqrt(11 * h), 0) for h in (1, 2, 3)])
    assert found.sales_ahead(1, 0.5).pi_high[1] == pytest.approx(19 + stats.t.ppf(0.75, 3) * np.sqrt(11))


def test_the_last_change_goes_on_with_errors_of_changes_that_add_up():
    found = LastChange.fit(SALES)  # changes 4, 1, 4, so that these changed by -3 and 3
    assert (found.last, found.change, found.sigma, found.df) == (19, 4, 3, 2)
    ahead, t = found.sales_ahead(3), stats.t.ppf(0.975, 2)
    assert ahead.expected.tolist() == [23, 27, 31]
    # an error of 3 in each change to come: 3, then 2 x 3 and 3, then 3 x 3, 2 x 3 and 3
    assert ahead.pi_high.tolist() == pytest.approx([23 + 3 * t, 27 + 3 * t * np.sqrt(5), 31 + 3 * t * np.sqrt(14)])
    falling = LastChange.fit(SALES[::-1]).sales_ahead(4)
    assert falling.expected.tolist() == [6, 2, 0, 0]
    assert (falling.pi_low == 0).all()


@pytest.mark.parametrize(("baseline", "enough"), [(LastPeriod, 2), (LastChange, 3)])
def test_of_too_few_periods_a_baseline_has_no_interval(baseline, enough):
    few, more = (baseline.fit(SALES[:n]).sales_ahead(1) for n in (enough - 1, enough))
    assert few.expected.notna().all()
    assert few[["pi_low", "pi_high"]].isna().all(axis=None)
    assert more.notna().all(axis=None)


def test_a_baseline_of_nothing_is_refused():
    with pytest.raises(InputError, match="sales: there are none; give one period at least"):
        LastPeriod.fit(pd.Series(dtype=float))


def test_prediction_intervals_of_the_baselines_hold_their_share_of_later_sales():
    for share in continued_sales_held(60):
        assert 0.88 <= share <= 0.99


def chosen(fitted=FITTED, **misses):
    return choose_growth(fitted, lifecycle.growth_errors(given(**BASE, **misses)), SALES)


def test_the_curve_that_missed_least_projects_where_it_is_nearer_than_the_baseline():
    found = chosen(Bass=[1, 2, 3], logistic=[2, 3, 4])
    assert found.model is FITTED["Bass"]
    assert str(found) == found.reason == (
        "Sales are projected by the Bass curve, which missed the sales of a period of the backtest by 2, the baseline "
        '"last period again" by 20.'
    )  # fmt: skip
    open_ = chosen(Bass=[40, 40, 40], logistic=[11, 21, 1])
    assert open_.model is FITTED["logistic"]
    assert open_.reason.endswith("by 20; the backtest leaves open which of the two is nearer.")


def test_the_baseline_projects_where_every_curve_missed_more():
    found = chosen(Bass=[40, 40, 40], logistic=[90, 90, 90])
    assert found.model == LastPeriod.fit(SALES)
    assert found.reason == (
        'Sales are projected by the baseline "last period again", which missed the sales of a period of the '
        "backtest by 20, the best curve, Bass, by 40."
    )
    assert chosen(Bass=[10, 20, 31]).reason.endswith("by 20.33; the backtest leaves open which of the two is nearer.")
    assert isinstance(chosen(Bass=[10, -20, 30]).model, LastPeriod)  # as near as the baseline is not nearer


def test_the_baseline_is_the_better_of_the_two():
    rising = {"last_period_again": [50, 50, 50], "last_change_again": [1, 1, 1], "Bass": [9, 9, 9]}
    found = choose_growth(FITTED, lifecycle.growth_errors(given(**rising)), SALES)
    assert found.model == LastChange.fit(SALES)


@pytest.mark.parametrize("misses", [[1, np.nan, np.nan], [np.nan] * 3])
def test_a_curve_that_could_rarely_be_fitted_does_not_project(misses):
    found = chosen(Bass=misses)
    assert isinstance(found.model, LastPeriod)
    assert found.reason == (
        'Sales are projected by the baseline "last period again", as no curve could be fitted to all periods and from '
        "half of the origins of the backtest."
    )


def test_a_curve_that_could_be_fitted_from_two_of_three_origins_may_project():
    assert chosen(Bass=[1, np.nan, 3]).model is FITTED["Bass"]


def test_a_curve_that_cannot_be_fitted_to_all_sales_gives_way_to_the_next():
    fitted = FITTED | {"Bass": Unfitted(Bass, "no clear minimum")}
    assert chosen(fitted, Bass=[1, 2, 3], logistic=[2, 3, 4]).model is FITTED["logistic"]


def test_where_nothing_could_be_backtested_the_last_period_goes_on():
    errors = lifecycle.growth_errors(lifecycle.backtest_growth(SALES))
    found = choose_growth(FITTED, errors, SALES)
    assert found.model == LastPeriod.fit(SALES)
    assert found.reason == (
        'Sales are projected by the baseline "last period again", as no curve could be judged: 4 of the 5 periods '
        "that a backtest needs were observed."
    )


def test_a_baseline_that_is_never_wrong_is_not_beaten():
    right = {"last_period_again": [0, 0, 0], "last_change_again": [5, 5, 5], "Bass": [1, 1, 1]}
    found = choose_growth(FITTED, lifecycle.growth_errors(given(**right)), SALES)
    assert isinstance(found.model, LastPeriod)


def test_a_path_of_a_baseline_begins_after_the_last_period():
    path = lifecycle.growth_path(LastPeriod.fit(SALES), SALES, 2)
    assert path.model.unique().tolist() == ["last period again"]
    assert path.expected.isna().tolist() == [True] * 4 + [False] * 2
    assert path.expected_cumulative.tolist()[4:] == [58 + 19, 58 + 38]
    assert path.expected_pi_high.iloc[4] == LastPeriod.fit(SALES).sales_ahead(1).pi_high[1]
    assert path[["expected_ci_low", "expected_cumulative_ci_high"]].isna().all(axis=None)
    assert path.index[-1] == pd.Timestamp("2025-01-01")
    ax = lifecycle.plots.growth_path(path)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "prediction interval (95 %)", "last period again", "sold",
    ]  # fmt: skip
    plt.close("all")
