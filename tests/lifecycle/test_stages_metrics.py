"""Stages against later periods and against what customers answer; and the plots of cycle and stages."""

import ibis
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import PathCollection
from scipy import stats

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import MarkovChain, checks, plots
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.model import Unfitted, blank_of
from crmlab.style import axes, drawn_frame

from .buying import bought
from .test_cycle import own, waits
from .test_markov import TRUTH, moved

E, G, M, D = STAGES


def answers(**groups):
    """Stage and satisfaction of customers, from answers by stage."""
    names = [name for name, given in groups.items() for _ in given]
    given_answers = [answer for given in groups.values() for answer in given]
    ids = [f"c{i}" for i in range(len(given_answers))]
    return pd.Series(names, ids), pd.Series(given_answers, ids, dtype=float)


def test_satisfaction_is_meant_by_stage_with_students_interval():
    found = lifecycle.satisfaction_by_stage(*answers(maturity=[4, 5, 5, 4, 5, 3], decline=[1, 2, 1, 3, 2]))
    theirs = stats.ttest_1samp([4, 5, 5, 4, 5, 3], 0).confidence_interval()
    assert (found.ci_low[M], found.ci_high[M]) == (pytest.approx(theirs.low), pytest.approx(theirs.high))
    assert list(found.customers) == [0, 0, 6, 5]
    assert found["mean"][D] == pytest.approx(1.8)


def test_few_or_equal_answers_have_no_interval_but_a_reason():
    found = lifecycle.satisfaction_by_stage(*answers(growth=[4, 5], maturity=[3] * 8))
    assert found.loc[[E, G, M], ["ci_low", "ci_high"]].isna().all(axis=None)
    assert found.reason[G] == "fewer than 5 answers"
    assert "all 8 answers are the same" in found.reason[M]
    assert np.isnan(found["mean"][E])


def test_answers_without_a_stage_and_stages_without_an_answer_are_left_out():
    stage, satisfaction = answers(maturity=[4, 5, 5, 4, 5, 3])
    satisfaction["stranger"], stage["silent"], satisfaction["c0"] = 1.0, M, np.nan
    assert lifecycle.satisfaction_by_stage(stage, satisfaction).customers[M] == 5


def test_whether_satisfaction_differs_is_tested_by_kruskal_and_wallis():
    groups = {"maturity": [4, 5, 5, 4, 5, 3], "decline": [1, 2, 1, 3, 2], "growth": [1]}
    check = checks.satisfaction_differs(*answers(**groups))
    h = stats.kruskal(groups["maturity"], groups["decline"])
    assert (check.id, check.kind, check.outcome) == ("lifecycle.satisfaction_differs", "finding", "yes")
    assert check.claim == "Satisfaction differs between the stages of the relationship"
    assert f"H {h.statistic:.3f} on 1 degrees of freedom" in check.summary
    assert "11 customers" in check.summary
    assert check.recommendation.startswith("Ask customers of the least satisfied stage")


def test_satisfaction_that_is_the_same_leaves_it_undecided():
    same = checks.satisfaction_differs(*answers(maturity=[1, 2, 3, 4, 5], decline=[1, 2, 3, 4, 5]))
    assert (same.outcome, same.recommendation) == ("undecided", "")
    assert same.summary.startswith("No difference was found in the satisfaction of 10 customers")


@pytest.mark.parametrize(
    ("groups", "why"), [({"maturity": [1, 2, 3]}, "two stages"), ({"maturity": [4] * 9, "growth": [4] * 9}, "the same")]
)
def test_too_few_answers_are_not_tested(groups, why):
    check = checks.satisfaction_differs(*answers(**groups))
    assert check.outcome == "not applicable"
    assert check.summary.startswith("Not tested: ")
    assert why in check.summary


def survey(**columns):
    return ibis.memtable(pd.DataFrame({"customer_id": ["a", "b"]} | columns))


def test_answers_are_taken_by_customer():
    found = lifecycle.satisfaction_answers(survey(satisfaction=["4", None]))
    assert (found.index.name, found["a"], np.isnan(found["b"])) == ("customer_id", 4, True)
    with pytest.raises(InputError, match=r"'satisfaction' is no number in 1 of 2 rows \(first: 'good'\)"):
        lifecycle.satisfaction_answers(survey(satisfaction=["4", "good"]))
    with pytest.raises(InputError, match="no data 'nothing'"):
        lifecycle.satisfaction_answers("nothing")


@pytest.mark.parametrize(
    ("given", "reason"), [(None, "no survey was named"), (survey(mood=[1, 2]), "it has customer_id, mood")]
)
def test_without_answers_satisfaction_is_blank_with_the_reason(given, reason):
    found = lifecycle.satisfaction_answers(given)
    assert reason in found.attrs["reason"]
    stage = pd.Series(["growth"], ["a"])
    assert reason in lifecycle.satisfaction_by_stage(stage, found).attrs["reason"]
    check = checks.satisfaction_differs(stage, found)
    assert check.outcome == "not applicable"
    assert check.summary == f"Not judged: {found.attrs['reason']}."


def test_moves_that_stay_as_they_are_predict_the_next_period():
    transitions = moved(3000, 1)
    found = lifecycle.stage_forecast(transitions, "2024-05-31")
    assert found.index.get_level_values("period").min() == pd.Timestamp("2024-06-01")
    np.testing.assert_allclose(found.groupby("period").sum(), 3000)
    assert (found.expected - found.actual).abs().max() < 100
    check = checks.stage_forecast_beats_baseline(found)
    assert (check.id, check.kind, check.outcome) == ("lifecycle.stage_forecast_beats_baseline", "comparison", "passed")
    assert check.claim.startswith("Moves up to the split predict the stages one period ahead better than the baseline")
    assert check.recommendation == ""


def test_moves_that_change_do_not_predict():
    early, late = moved(1000, 1, np.roll(TRUTH, 1, axis=1)), moved(1000, 2, np.eye(4))
    late["period"] += pd.DateOffset(years=1)
    forecast = lifecycle.stage_forecast(pd.concat([early, late]), "2024-12-31")
    check = checks.stage_forecast_beats_baseline(forecast)
    assert check.outcome == "failed"
    assert "only 0 % by the baseline that nobody moves" in check.summary
    assert check.recommendation.startswith("Use the stages as they are now;")


def forecast(*errors):
    """A forecast of 100 customers in two stages, whose errors by moves and by no change are given period by period."""
    days = pd.date_range("2024-01-01", periods=len(errors), freq="MS")
    rows = [
        {"period": day, "stage": stage, "expected": 50 + sign * a, "no_change": 50 + sign * b, "actual": 50}
        for day, (a, b) in zip(days, errors, strict=True)
        for stage, sign in ((G, 1), (M, -1))
    ]
    return pd.DataFrame(rows).set_index(["period", "stage"])


def test_the_comparison_is_students_of_the_differences_of_periods():
    errors = [(5, 9), (6, 8), (7, 12)]
    table = lifecycle.stage_forecast_errors(forecast(*errors))
    assert table.expected.tolist() == pytest.approx([0.05, 0.06, 0.07])
    assert table.customers.tolist() == [100] * 3
    check = checks.stage_forecast_beats_baseline(forecast(*errors))
    ends = stats.ttest_1samp([-0.04, -0.02, -0.05], 0).confidence_interval()
    difference = check.values["difference"]
    points = [100 * end for end in ends]
    assert [difference.ci_low, difference.ci_high] == pytest.approx(points)
    assert difference.unit == "percentage points"


def test_an_interval_that_holds_no_difference_is_undecided():
    check = checks.stage_forecast_beats_baseline(forecast((5, 9), (9, 5), (7, 6)))
    assert check.outcome == "undecided"
    assert check.summary.endswith("which may be 0.")
    assert check.recommendation == "Use the stages as they are now until more periods decide."


def test_one_period_is_not_compared():
    check = checks.stage_forecast_beats_baseline(forecast((5, 9)))
    assert (check.outcome, check.summary) == ("not applicable", "Not compared: one period after the split only.")


@pytest.mark.parametrize("split", ["2023-01-01", "2025-01-01"])
def test_a_split_without_moves_on_both_sides_is_refused(split):
    with pytest.raises(InputError, match="choose another day"):
        lifecycle.stage_forecast(moved(50, 1), split)


BOUGHT = bought(300, 11, 1)
BACKTEST = lifecycle.value_backtest(BOUGHT, 3, replicates=99)
VALUES = lifecycle.stage_values(BOUGHT, 0.1, 3, lifecycle.markov_order_test(BOUGHT), BACKTEST, replicates=99)
MOVES, WAITS = moved(500, 1), waits(2000, 0.6, 60, 1)
FRAMES = {
    "stage_shares": lifecycle.stage_shares(MOVES),
    "decline_and_recovery": lifecycle.decline_and_recovery(MOVES),
    "transition_probabilities": lifecycle.transition_probabilities(MOVES),
    "stage_values": VALUES,
    "value_backtest": BACKTEST,
    "satisfaction_by_stage": lifecycle.satisfaction_by_stage(*answers(maturity=[4, 5, 5, 4, 5, 3])),
    "return_curve": lifecycle.return_curve(WAITS),
    "return_hazard": lifecycle.return_hazard(WAITS),
}
MORE = {"return_curve": {"thresholds": lifecycle.overdue_thresholds(WAITS, own())}}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", FRAMES)
def test_the_label_of_the_upright_axis_ends_below_the_title(name):
    ax = getattr(plots, name)(FRAMES[name], **MORE.get(name, {}))
    ax.figure.canvas.draw()
    assert ax.yaxis.label.get_window_extent().y1 <= ax.get_window_extent().y1


@pytest.mark.parametrize("name", FRAMES)
def test_every_plot_returns_the_axes_it_was_given_with_labels_and_keeps_its_frame(name):
    ax, before = axes(), FRAMES[name].copy()
    assert getattr(plots, name)(FRAMES[name], **MORE.get(name, {}), ax=ax) is ax
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert drawn_frame(ax) is FRAMES[name]
    pd.testing.assert_frame_equal(FRAMES[name], before)
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", FRAMES)
def test_every_plot_of_a_blank_is_empty_axes_with_the_reason(name):
    blank = blank_of(pd.DataFrame, str(Unfitted(MarkovChain, "nobody moved", "take a longer log")))
    ax = getattr(plots, name)(blank, **MORE.get(name, {}))
    assert [text.get_text() for text in ax.texts] == ["nobody moved; take a longer log"]


def test_the_overdue_point_is_marked_where_it_lies():
    points = lifecycle.overdue_thresholds(WAITS, own(), replicates=0)
    ax = plots.return_curve(lifecycle.return_curve(WAITS), points)
    marked = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "v" and len(line.get_xdata())]
    assert marked == [points.overdue_after["1"]]


def test_a_return_curve_of_a_single_wait_is_drawn_as_a_point():
    held = pd.DataFrame({"order_number": [1, 1], "gap": [40, 295], "observed": True, "customers": 1})
    curve = lifecycle.return_curve(held)
    ax = plots.return_curve(curve, lifecycle.overdue_thresholds(WAITS, own(), replicates=0))
    assert curve.wait.tolist() == [40]
    assert (ax.lines[0].get_marker(), *ax.lines[0].get_xydata()[0]) == ("o", 40, 0.5)
    assert plots.return_curve(FRAMES["return_curve"], MORE["return_curve"]["thresholds"]).lines[0].get_marker() == ""


def test_stage_names_stand_in_their_bands():
    ax = plots.stage_shares(FRAMES["stage_shares"])
    assert {text.get_text() for text in ax.texts} == set(STAGES)


def test_a_transition_that_is_unknown_is_marked_so():
    few = MOVES[(MOVES.previous != M) & (MOVES.before_previous != M)]
    ax = plots.transition_probabilities(lifecycle.transition_probabilities(few))
    cells = [text.get_text() for text in ax.texts]
    assert cells.count("unknown") == 4
    assert "impossible" in cells


def test_stages_without_a_value_are_not_drawn_and_those_missed_are_hollow():
    frame = VALUES.assign(held=pd.array([None, None, False, True, True], "boolean"))
    ax = plots.stage_values(frame, "USD")
    assert [label.get_text().split(" (")[0] for label in ax.get_yticklabels()] == ["all", D, M]
    assert ax.get_xlabel().endswith("over the next periods, USD")
    (points,) = [found for found in ax.collections if isinstance(found, PathCollection)]
    assert [tuple(at) for at in points.get_offsets()] == [
        (VALUES.horizon_value[s], at) for s, at in ((M, 2), (D, 1), ("all", 0))
    ]
    assert [tuple(color[:3]) == (1, 1, 1) for color in points.get_facecolors()] == [True, False, False]
    assert ax.get_legend() is None


def test_methods_that_are_compared_stand_one_below_the_other_with_a_legend():
    compared = lifecycle.compare_stage_values({"by_states": VALUES, "by_model": VALUES.assign(horizon_value=1.0)})
    ax = plots.stage_values(compared)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["by states", "by model"]
    states, model = (found.get_offsets() for found in ax.collections if isinstance(found, PathCollection))
    assert states[:, 1].tolist() == pytest.approx([at + 0.12 for at in (2, 1, 0)])
    assert model[:, 1].tolist() == pytest.approx([at - 0.12 for at in range(4, -1, -1)])


def test_a_backtest_of_money_is_drawn_as_ratios():
    ax = plots.value_backtest(BACKTEST)
    all_of_them = BACKTEST[BACKTEST.stage == "all"]
    (line,) = [line for line in ax.lines if line.get_label() == "all"]
    assert list(line.get_ydata()) == all_of_them.ratio.tolist()
    assert [label.get_text() for label in ax.get_xticklabels()] == [f"{at:%Y-%m-%d}" for at in all_of_them.origin]


def test_the_ratios_of_a_wide_backtest_have_labels_at_one_two_and_five_of_a_decade_alone():
    ax = plots.value_backtest(BACKTEST.assign(pi_low=0.04 * BACKTEST.spent, pi_high=12 * BACKTEST.spent))
    low, high = ax.get_ylim()
    shown = [float(at) for at in ax.get_yticks() if low <= at <= high]
    assert shown == pytest.approx([0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10])
    ax.figure.canvas.draw()
    assert {label.get_text() for label in ax.get_yticklabels(minor=True)} <= {""}
