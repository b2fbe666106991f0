"""Growth curves judged on what came later, and the words said of it."""

import numpy as np
import pandas as pd
import pytest

from crmlab.lifecycle.metrics import products as metrics
from crmlab.lifecycle.models.growth import Bass, Gompertz
from crmlab.lifecycle.models.growth_backtest import BASELINES, LAST, TREND, backtest_growth
from crmlab.likelihood import FitError

SALES = pd.Series(Bass(1000, 0.01, 0.5).sales(range(1, 13)), range(2000, 2012))


@pytest.fixture(scope="module")
def table():
    return backtest_growth(SALES, 3)


def test_each_origin_foretells_the_periods_after_it_and_no_others(table):
    assert sorted(table.origin.unique()) == [*range(4, 12)]
    by = table[table.model == LAST]
    assert (by.time - 1999 == by.origin + by.horizon).all()
    assert by.groupby("origin").horizon.max().tolist() == [3, 3, 3, 3, 3, 3, 2, 1]
    assert (by.actual.to_numpy() == SALES.loc[by.time].to_numpy()).all()


def test_simple_rules_repeat_the_last_sales_or_the_last_change(table):
    at = table[table.origin == 6].set_index(["model", "horizon"]).expected
    assert at[LAST].tolist() == [SALES.iloc[5]] * 3
    step = SALES.iloc[5] - SALES.iloc[4]
    assert at[TREND].tolist() == pytest.approx([SALES.iloc[5] + step * k for k in (1, 2, 3)])
    assert (table[table.model == TREND].expected >= 0).all()


def test_a_curve_foretells_its_own_future_without_error(table):
    of_bass = table[(table.model == "Bass") & table.expected.notna()]
    assert len(of_bass) > 12
    assert of_bass.expected.to_numpy() == pytest.approx(of_bass.actual.to_numpy(), rel=1e-3)


def test_what_comes_later_changes_nothing_foretold_before(table):
    changed = SALES.copy()
    changed.iloc[9:] = [500.0, 1.0, 400.0]
    early = table[table.origin <= 9].reset_index(drop=True)
    later = backtest_growth(changed, 3)
    later = later[later.origin <= 9].reset_index(drop=True)
    pd.testing.assert_series_equal(early.expected, later.expected)


def test_a_curve_that_cannot_be_fitted_expects_nothing_and_says_why():
    doubling = backtest_growth(pd.Series([1.0, 2, 4, 8, 16, 32, 64]), 1)
    bass = doubling[doubling.model == "Bass"]
    assert bass.expected.isna().all()
    assert bass.reason.str.startswith("cannot be estimated: no Bass curve").all()


def test_too_few_periods_are_told():
    with pytest.raises(FitError, match="4 of the 5 periods that a backtest needs at least"):
        backtest_growth(pd.Series([1.0, 2, 3, 4]))


def test_origins_of_a_long_series_are_few_and_spread():
    months = pd.Series(Gompertz(1000, 6, 0.1).sales(range(1, 61)))
    assert backtest_growth(months, 2).origin.unique().tolist() == [4, 9, 14, 19, 24, 29, 34, 39, 44, 49, 54, 59]


def given(**misses):
    """A table of `rolling` over origins 4, 5, 6, one period each, in which 100 came and rules missed it so."""
    rows = [
        (origin, origin, 1, model.replace("_", " "), model.replace("_", " ") in BASELINES, 100 + miss, 100.0, "")
        for model, by in misses.items()
        for origin, miss in zip((4, 5, 6), by, strict=True)
    ]
    return pd.DataFrame(
        rows, columns=["origin", "time", "horizon", "model", "is_baseline", "expected", "actual", "reason"]
    )


def test_errors_are_worked_out_by_hand_on_the_places_a_rule_foretold():
    errors = metrics.growth_errors(
        given(last_period_again=[10, -20, 30], last_change_again=[50, 50, 50], Bass=[np.nan, 10, -30])
    )
    bass = errors.loc["Bass"]
    assert (bass.origins, bass.origins_total, bass.mae, bass.baseline_mae, bass.relative_mae) == (2, 3, 20, 25, 0.8)
    assert (bass.bias, bass.baseline, bass.origins_won, bool(bass.is_baseline)) == (-0.1, LAST, 1, False)
    assert errors.loc[TREND].relative_mae == 2.5
    assert errors.index.tolist() == ["Bass", LAST, TREND]


def test_the_verdict_passes_only_a_curve_that_is_nearer_on_the_whole_and_mostly():
    rules = {"last_period_again": [10, -20, 30], "last_change_again": [50, 50, 50]}
    judged = {
        name: metrics.growth_beats_baselines(metrics.growth_errors(given(**rules, Bass=misses)))
        for name, misses in {
            "nearer": [1, 2, 3],
            "further": [40, 40, 40],
            "once": [11, 21, 1],
            "nowhere": [np.nan] * 3,
            "rarely": [1, np.nan, np.nan],
        }.items()
    }
    assert {name: verdict.passed for name, verdict in judged.items()} == {
        "nearer": True, "further": False, "once": False, "nowhere": False, "rarely": False,
    }  # fmt: skip
    assert judged["further"].instead == LAST
    assert "nearer from 3 of 3 origins" in judged["nearer"].evidence
    assert "no curve could be fitted from half of 3 origins (at most 1)" in judged["rarely"].evidence
    assert "(at most 0)" in judged["nowhere"].evidence


def test_errors_ahead_compare_rules_on_the_same_places():
    found = metrics.errors_by_horizon(
        given(last_period_again=[10, 20, 30], last_change_again=[1, 1, 1], Bass=[np.nan, 4, 6])
    )
    assert found.loc[1].to_dict() == {LAST: 25, TREND: 1, "Bass": 5}
    none = metrics.errors_by_horizon(
        given(last_period_again=[10, 20, 30], last_change_again=[1, 1, 1], Bass=[np.nan] * 3)
    )
    assert none.columns.tolist() == [LAST, TREND]
