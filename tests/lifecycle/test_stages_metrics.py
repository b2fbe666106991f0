"""Stages against later periods and against what customers say; and the drawings of cycle and stages."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.contracts import InputError
from crmlab.lifecycle.metrics.stages import (
    satisfaction_by_stage,
    satisfaction_differs,
    stage_forecast,
    stage_forecast_beats_baselines,
)
from crmlab.lifecycle.models import cycle as cycles
from crmlab.lifecycle.models import stages as models
from crmlab.lifecycle.models.markov import stage_values
from crmlab.lifecycle.models.transitions import transition_probabilities
from crmlab.lifecycle.plots import cycle as cycle_plots
from crmlab.lifecycle.plots import stages as plots
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.style import axes

from .test_cycle import own, waits
from .test_markov import TRUTH, moved

E, G, M, D = STAGES


def answers(**groups):
    """Stage and satisfaction of customers, from answers by stage."""
    names = [name for name, given in groups.items() for _ in given]
    said = [answer for given in groups.values() for answer in given]
    ids = [f"c{i}" for i in range(len(said))]
    return pd.Series(names, ids), pd.Series(said, ids, dtype=float)


def test_satisfaction_is_meant_by_stage_with_students_interval():
    found = satisfaction_by_stage(*answers(maturity=[4, 5, 5, 4, 5, 3], decline=[1, 2, 1, 3, 2]))
    theirs = stats.ttest_1samp([4, 5, 5, 4, 5, 3], 0).confidence_interval()
    assert (found.ci_low[M], found.ci_high[M]) == (pytest.approx(theirs.low), pytest.approx(theirs.high))
    assert list(found.customers) == [0, 0, 6, 5]
    assert found["mean"][D] == pytest.approx(1.8)


def test_few_or_equal_answers_have_no_interval_but_a_reason():
    found = satisfaction_by_stage(*answers(growth=[4, 5], maturity=[3] * 8))
    assert found.loc[[E, G, M], ["ci_low", "ci_high"]].isna().all(axis=None)
    assert found.reason[G] == "cannot be estimated: fewer than 5 answers"
    assert "all 8 answers are the same" in found.reason[M]
    assert np.isnan(found["mean"][E])


def test_answers_without_a_stage_and_stages_without_an_answer_are_left_out():
    stage, said = answers(maturity=[4, 5, 5, 4, 5, 3])
    said["stranger"], stage["silent"], said["c0"] = 1.0, M, np.nan
    assert satisfaction_by_stage(stage, said).customers[M] == 5


def test_whether_satisfaction_differs_is_asked_by_kruskal_and_wallis():
    groups = {"maturity": [4, 5, 5, 4, 5, 3], "decline": [1, 2, 1, 3, 2], "growth": [1]}
    verdict = satisfaction_differs(*answers(**groups))
    h = stats.kruskal(groups["maturity"], groups["decline"])
    assert verdict.passed
    assert f"H {h.statistic:.3f} on 1 degrees of freedom" in verdict.evidence
    assert "11 customers" in verdict.evidence
    same = satisfaction_differs(*answers(maturity=[1, 2, 3, 4, 5], decline=[1, 2, 3, 4, 5]))
    assert not same.passed


@pytest.mark.parametrize(
    ("groups", "why"), [({"maturity": [1, 2, 3]}, "two stages"), ({"maturity": [4] * 9, "growth": [4] * 9}, "the same")]
)
def test_too_little_said_cannot_be_estimated(groups, why):
    verdict = satisfaction_differs(*answers(**groups))
    assert not verdict.passed
    assert verdict.evidence.startswith("cannot be estimated")
    assert why in verdict.evidence


def test_moves_that_stay_as_they_are_foretell_the_next_period():
    seen = moved(3000, 1)
    found = stage_forecast(seen, "2024-05-31")
    assert found.index.get_level_values("period").min() == pd.Timestamp("2024-06-01")
    np.testing.assert_allclose(found.groupby("period").sum(), 3000)
    assert (found.expected - found.actual).abs().max() < 100
    assert stage_forecast_beats_baselines(found).passed


def test_moves_that_change_do_not_foretell():
    early, late = moved(1000, 1, np.roll(TRUTH, 1, axis=1)), moved(1000, 2, np.eye(4))
    late["period"] += pd.DateOffset(years=1)
    verdict = stage_forecast_beats_baselines(stage_forecast(pd.concat([early, late]), "2024-12-31"))
    assert not verdict.passed
    assert "0.0% if nobody moved" in verdict.evidence


@pytest.mark.parametrize("split", ["2023-01-01", "2025-01-01"])
def test_a_split_without_moves_on_both_sides_is_refused(split):
    with pytest.raises(InputError, match="choose another day"):
        stage_forecast(moved(50, 1), split)


SEEN, WAITS = moved(500, 1), waits(2000, 0.6, 60, 1)
DRAWN = {
    "stage_shares": lambda ax: plots.stage_shares(models.stage_shares(SEEN), ax=ax),
    "decline_and_recovery": lambda ax: plots.decline_and_recovery(models.decline_and_recovery(SEEN), ax=ax),
    "transitions": lambda ax: plots.transition_probabilities(transition_probabilities(SEEN), ax=ax),
    "stage_values": lambda ax: plots.stage_values(stage_values(SEEN, 0.1), ax=ax),
    "satisfaction": lambda ax: plots.satisfaction_by_stage(
        satisfaction_by_stage(*answers(maturity=[4, 5, 5, 4, 5, 3])), ax=ax
    ),
    "returns": lambda ax: cycle_plots.return_curve(
        cycles.return_curve(WAITS), cycles.overdue_thresholds(WAITS, own()), ax=ax
    ),
    "hazard": lambda ax: cycle_plots.return_hazard(cycles.return_hazard(WAITS), ax=ax),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", DRAWN)
def test_every_drawing_returns_the_axes_it_was_given_with_labels(name):
    ax = axes()
    assert DRAWN[name](ax) is ax
    assert ax.get_xlabel()
    ax.figure.canvas.draw()


def test_the_overdue_point_is_marked_where_it_lies():
    points = cycles.overdue_thresholds(WAITS, own(), replicates=0)
    ax = cycle_plots.return_curve(cycles.return_curve(WAITS), points)
    marked = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "v" and len(line.get_xdata())]
    assert marked == [points.overdue_after["1"]]


def test_stage_names_stand_in_their_bands():
    ax = plots.stage_shares(models.stage_shares(SEEN))
    assert {text.get_text() for text in ax.texts} == set(STAGES)


def test_a_transition_that_is_not_known_says_so():
    few = SEEN[(SEEN.previous != M) & (SEEN.before_previous != M)]
    ax = plots.transition_probabilities(transition_probabilities(few))
    told = [text.get_text() for text in ax.texts]
    assert told.count("not known") == 4
    assert "impossible" in told


def test_stages_without_a_value_are_not_drawn():
    only = moved(300, 1, np.array([[0.7, 0, 0, 0.3], [0, 1, 0, 0], [0, 0, 1, 0], [0.2, 0, 0, 0.8]]))
    ax = plots.stage_values(stage_values(only, 0.1), "lifetime_value", "USD")
    assert [label.get_text() for label in ax.get_yticklabels()] == [D, E]
    assert "for ever, USD" in ax.get_xlabel()
