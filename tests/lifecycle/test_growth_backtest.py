"""Growth curves judged on later periods, and the checks on that."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.lifecycle import Bass, Gompertz, backtest_growth, checks
from crmlab.lifecycle.models.growth_baselines import LastChange, LastPeriod

LAST, TREND = LastPeriod.title, LastChange.title
SALES = pd.Series(Bass(1000, 0.01, 0.5).sales(range(1, 13)).to_numpy(), range(2000, 2012))


@pytest.fixture(scope="module")
def table():
    return backtest_growth(SALES, 3)


def test_each_origin_predicts_the_periods_after_it_and_no_others(table):
    assert sorted(table.origin.unique()) == [*range(4, 12)]
    by = table[table.model == LAST]
    assert (by.time - 1999 == by.origin + by.horizon).all()
    assert by.groupby("origin").horizon.max().tolist() == [3, 3, 3, 3, 3, 3, 2, 1]
    assert (by.actual.to_numpy() == SALES.loc[by.time].to_numpy()).all()


def test_baselines_repeat_the_last_sales_or_the_last_change(table):
    at = table[table.origin == 6].set_index(["model", "horizon"]).expected
    assert at[LAST].tolist() == [SALES.iloc[5]] * 3
    step = SALES.iloc[5] - SALES.iloc[4]
    assert at[TREND].tolist() == pytest.approx([SALES.iloc[5] + step * k for k in (1, 2, 3)])
    assert (table[table.model == TREND].expected >= 0).all()


def test_a_curve_predicts_its_own_future_without_error(table):
    of_bass = table[(table.model == "Bass") & table.expected.notna()]
    assert len(of_bass) > 12
    assert of_bass.expected.to_numpy() == pytest.approx(of_bass.actual.to_numpy(), rel=1e-3)


def test_later_sales_change_no_earlier_prediction(table):
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
    assert bass.reason.str.startswith("no Bass curve").all()


def test_of_too_few_periods_the_backtest_is_blank_and_so_is_what_follows():
    blank = backtest_growth(pd.Series([1.0, 2, 3, 4]))
    reason = "4 of the 5 periods that a backtest needs were observed"
    assert blank.attrs["reason"] == lifecycle.growth_errors(blank).attrs["reason"] == reason
    assert lifecycle.errors_by_horizon(blank).attrs["reason"] == reason
    judged = {
        check.id.rpartition(".")[2]: check for check in checks.growth_beats_baselines(lifecycle.growth_errors(blank))
    }
    assert list(judged) == ["Bass", "Gompertz", "logistic"]  # the ids of a backtest that could be made
    for model, check in judged.items():
        assert (check.outcome, check.summary) == ("not applicable", f"Not judged: {reason}.")
        assert check.claim.startswith(f"{model} forecasts sales better than the best baseline")
    ax = lifecycle.plots.errors_by_horizon(lifecycle.errors_by_horizon(blank))
    assert [text.get_text().replace("\n", " ") for text in ax.texts] == [reason]
    plt.close("all")


def test_origins_of_a_long_series_are_few_and_spread():
    months = pd.Series(Gompertz(1000, 6, 0.1).sales(range(1, 61)).to_numpy())
    assert backtest_growth(months, 2).origin.unique().tolist() == [4, 9, 14, 19, 24, 29, 34, 39, 44, 49, 54, 59]


def given(**misses):
    """A table of `rolling` over origins 4, 5, 6, one period each, in which 100 was sold and models missed it so."""
    rows = [
        (origin, origin, 1, model.replace("_", " "), model.replace("_", " ") in (LAST, TREND), 100 + miss, 100.0, "")
        for model, by in misses.items()
        for origin, miss in zip((4, 5, 6), by, strict=True)
    ]
    return pd.DataFrame(
        rows, columns=["origin", "time", "horizon", "model", "is_baseline", "expected", "actual", "reason"]
    )


def test_errors_are_worked_out_by_hand_on_the_places_a_model_predicted():
    errors = lifecycle.growth_errors(
        given(last_period_again=[10, -20, 30], last_change_again=[50, 50, 50], Bass=[np.nan, 10, -30])
    )
    bass = errors.loc["Bass"]
    assert (bass.origins, bass.origins_total, bass.mae, bass.baseline_mae, bass.relative_mae) == (2, 3, 20, 25, 0.8)
    assert (bass.bias, bass.baseline, bass.origins_won, bool(bass.is_baseline)) == (-0.1, LAST, 1, False)
    assert errors.loc[TREND].relative_mae == 2.5
    assert errors.index.tolist() == ["Bass", LAST, TREND]


def judged(**misses):
    baselines = {"last_period_again": [10, -20, 30], "last_change_again": [50, 50, 50]}
    return checks.growth_beats_baselines(lifecycle.growth_errors(given(**baselines, **misses)))


def test_a_curve_beats_the_baselines_where_the_whole_interval_is_below_0():
    found = {
        name: judged(Bass=misses)[0]
        for name, misses in {
            "nearer": [1, 2, 3],
            "further": [40, 40, 40],
            "once": [11, 21, 1],
            "nowhere": [np.nan] * 3,
            "rarely": [1, np.nan, np.nan],
        }.items()
    }
    assert {name: check.outcome for name, check in found.items()} == {
        "nearer": "passed", "further": "failed", "once": "undecided", "nowhere": "not applicable",
        "rarely": "not applicable",
    }  # fmt: skip
    assert {name: check.recommendation for name, check in found.items()} == {
        "nearer": "", "further": f'Forecast by "{LAST}".',
        "once": "Forecast by the one that missed less, and ask again when more periods are observed.",
        "nowhere": f'Forecast by "{LAST}".',
        "rarely": f'Forecast by "{LAST}".',
    }  # fmt: skip
    assert (found["nearer"].id, found["nearer"].kind) == ("lifecycle.growth_beats_baselines.Bass", "comparison")
    assert found["nearer"].summary == (
        'Bass missed the sales of a period by 2 on average, the best baseline, "last period again", by 20; the '
        "difference is -18 (95 % confidence interval -27 to -9); Bass was nearer from 3 of 3 origins."
    )
    assert found["rarely"].summary == "Not judged: Bass could be fitted from 1 of 3 origins only."
    assert found["nowhere"].summary == "Not judged: Bass could be fitted from 0 of 3 origins only."
    assert found["nowhere"].id == found["nearer"].id


def test_each_curve_is_judged_by_itself():
    found = judged(Bass=[1, 2, 3], logistic=[40, 40, 40])
    assert {check.id.split(".")[2]: check.outcome for check in found} == {"Bass": "passed", "logistic": "failed"}


def test_origins_that_predict_the_same_periods_are_drawn_together():
    # eight origins a period apart and two periods ahead: blocks of two, as neighbours err alike
    rng, rows = np.random.default_rng(1), []
    gaps = np.repeat(rng.standard_normal(4), 2)
    for origin, gap in enumerate(gaps, 4):
        expected = {LAST: 110, TREND: 150, "Bass": 110 + gap}
        rows += [(origin, origin, h, m, m != "Bass", e, 100.0, "") for h in (1, 2) for m, e in expected.items()]
    columns = ["origin", "time", "horizon", "model", "is_baseline", "expected", "actual", "reason"]
    row = lifecycle.growth_errors(pd.DataFrame(rows, columns=columns), replicates=4000).loc["Bass"]
    starts = np.random.default_rng(2).integers(0, 8, (4000, 4))
    means = np.stack([gaps[starts], gaps[(starts + 1) % 8]]).mean(axis=(0, 2))
    assert (row.difference_ci_low, row.difference_ci_high) == (
        pytest.approx(np.quantile(means, 0.025), abs=0.05), pytest.approx(np.quantile(means, 0.975), abs=0.05),
    )  # fmt: skip


def test_errors_ahead_compare_models_on_the_same_places():
    found = lifecycle.errors_by_horizon(
        given(last_period_again=[10, 20, 30], last_change_again=[1, 1, 1], Bass=[np.nan, 4, 6])
    )
    assert found.loc[1].to_dict() == {LAST: 25, TREND: 1, "Bass": 5}
    none = lifecycle.errors_by_horizon(
        given(last_period_again=[10, 20, 30], last_change_again=[1, 1, 1], Bass=[np.nan] * 3)
    )
    assert none.columns.tolist() == [LAST, TREND]


def test_of_two_origins_nothing_is_decided():
    rows = given(last_period_again=[10, -20, 30], last_change_again=[50, 50, 50], Bass=[90, 90, 90])
    errors = lifecycle.growth_errors(rows[rows.origin < 6])
    assert errors.loc["Bass", ["difference_ci_low", "difference_ci_high"]].isna().all()
    assert errors.outcome.to_dict() == {LAST: "reference", TREND: "undecided", "Bass": "undecided"}
    (check,) = checks.growth_beats_baselines(errors)
    assert check.outcome == "undecided"
    assert check.summary == (
        'Bass missed the sales of a period by 90 on average, the best baseline, "last period again", by 15, from '
        "2 of the 3 origins that an interval of the difference needs."
    )
