"""What each plot of this domain draws of its frame."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num

from crmlab import clv
from crmlab.clv import plots
from crmlab.style import ACTUAL, EXPECTED, MUTED

from ..figures import texts
from .drawings import (
    CALIBRATION,
    DRAWN,
    GAPS,
    HISTORY,
    LEAVING,
    LORENZ,
    MAP,
    MODEL,
    QUIET_DAYS,
    SPEND,
    SPLIT,
    TRACKING,
    band,
    lines,
)

pytestmark = pytest.mark.usefixtures("figures_are_closed")


@pytest.mark.parametrize(
    ("name", "frame", "end", "pi_low", "pi_high"),
    [
        ("calibration", CALIBRATION, "", "pi_low", "pi_high"),
        ("tracking", TRACKING, "", "pi_low", "pi_high"),
        ("tracking so far", TRACKING, "cumulative_", "cumulative_pi_low", "cumulative_pi_high"),
    ],
)
def test_a_plot_draws_actual_and_expected_over_the_prediction_interval(name, frame, end, pi_low, pi_high):
    ax = DRAWN[name]()
    found = lines(ax)
    assert {name: line.get_color() for name, line in found.items()} == {"actual": ACTUAL, "expected": EXPECTED}
    for name, line in found.items():
        assert list(line.get_ydata()) == list(frame[end + name])
    assert band(ax) == (pytest.approx(list(frame[pi_low])), pytest.approx(list(frame[pi_high])))
    assert ax.get_ylim()[0] == 0
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "95 % prediction interval",
        "actual",
        "expected",
    ]


def test_calibration_is_drawn_without_a_band_where_the_frame_has_none():
    ax = plots.holdout_calibration(CALIBRATION[["customers", "expected", "actual"]])
    assert not ax.collections
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["actual", "expected"]


def test_calibration_is_drawn_by_the_groups_it_was_made_of():
    ax = DRAWN["calibration"]()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == QUIET_DAYS
    assert ax.get_xlabel() == "Days since the last order"
    by_orders = CALIBRATION.set_axis(pd.Index(["0", "1", "2", "3", "4", "5+"], name="repeat orders"))
    assert plots.holdout_calibration(by_orders).get_xlabel() == "Repeat orders"


@pytest.mark.parametrize("name", ["tracking", "tracking so far"])
def test_the_split_is_marked_where_it_is(name):
    ax = DRAWN[name]()
    marks = [line for line in ax.get_lines() if line.get_label().startswith("_")]
    assert [date2num(mark.get_xdata()[0]) for mark in marks] == [date2num(SPLIT)]
    assert [text.get_text().strip() for text in ax.texts] == ["split"]
    assert ax.texts[0].xy == (SPLIT, 1)


def test_the_legend_of_orders_so_far_lies_below_the_curves():
    ax = DRAWN["tracking so far"]()
    ax.figure.draw_without_rendering()
    legend = ax.get_legend().get_window_extent()
    low = ax.transData.transform(np.column_stack([date2num(TRACKING.week_end), TRACKING.cumulative_pi_low]))
    under = low[(low[:, 0] >= legend.x0) & (low[:, 0] <= legend.x1)]
    assert len(under) > 5
    assert (under[:, 1] > legend.y1).all()


def test_a_matrix_shows_each_probability_where_it_belongs():
    ax = DRAWN["alive matrix"]()
    (mesh,) = ax.collections
    shown = mesh.get_array().reshape(MAP.shape)
    assert (np.ma.getmaskarray(shown) == MAP.isna().to_numpy()).all()
    assert np.ma.filled(shown, np.nan) == pytest.approx(MAP.to_numpy(), nan_ok=True)
    corners = mesh.get_coordinates()
    across, up = corners[0, :, 0], corners[:, 0, 1]
    assert ((across[:-1] < MAP.columns) & (MAP.columns < across[1:])).all()
    assert list((up[:-1] + up[1:]) / 2) == list(MAP.index)
    assert mesh.get_clim() == (0, 1)
    assert [other.get_ylabel() for other in ax.figure.axes[1:]] == ["Probability of being active"]


@pytest.mark.parametrize(("age", "max_frequency"), [(9, 2), (20, 3), (300, 12), (700, 5)])
def test_a_matrix_counts_orders_and_days_in_whole_numbers(age, max_frequency):
    ax = plots.probability_alive_matrix(clv.probability_alive_matrix(MODEL, age, max_frequency))
    ticks = [text.get_text() for text in texts(ax) if text in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    assert len(ticks) > 4
    assert all(tick.isdigit() for tick in ticks)


def test_a_history_marks_each_day_with_an_order():
    found = lines(DRAWN["alive history"]())
    assert list(found["probability"].get_ydata()) == list(HISTORY.p_alive)
    assert list(found["probability"].get_xdata()) == list(HISTORY.index)
    assert list(found["order"].get_xdata()) == list(HISTORY.index[HISTORY.ordered])
    assert list(found["order"].get_ydata()) == list(HISTORY.p_alive[HISTORY.ordered])
    assert len(found["order"].get_xdata()) == 5
    assert (found["order"].get_color(), found["order"].get_linestyle()) == (ACTUAL, "None")


def test_the_legend_of_a_history_is_clear_of_it():
    ax = DRAWN["alive history"]()
    ax.figure.draw_without_rendering()
    drawn = ax.transData.transform(np.column_stack([date2num(HISTORY.index), HISTORY.p_alive]))
    assert not ax.get_legend().get_window_extent().count_contains(drawn)


def test_a_history_is_drawn_over_the_whole_range_of_probabilities():
    low, high = DRAWN["alive history"]().get_ylim()
    assert low == 0
    assert high > 1


@pytest.mark.parametrize(("name", "frame"), [("order gaps", GAPS), ("dropout_distribution", LEAVING)])
def test_a_spread_is_drawn_on_a_log_axis_in_plain_numbers(name, frame):
    ax = DRAWN[name]()
    (line,) = ax.get_lines()
    assert list(line.get_xdata()) == list(frame.index)
    assert list(line.get_ydata()) == list(frame.share)
    assert ax.get_xscale() == "log"
    written = [text.get_text() for text in texts(ax)]
    assert written[:5] == ["1", "10", "100", "1,000", "10,000"]
    assert [tick for tick in written if tick.endswith("%")] == ["0%", "20%", "40%", "60%", "80%", "100%"]
    assert ax.get_xlabel() == f"{frame.index.name.capitalize()}, on average"


def test_a_model_that_nobody_leaves_has_an_empty_plot_with_the_reason(recwarn):
    ax = DRAWN["no departures"]()
    assert ax.get_xlabel() == "Nobody leaves"
    assert [text.get_text() for text in texts(ax)][:5] == ["1", "10", "100", "1,000", "10,000"]
    assert not any(len(line.get_xdata()) for line in ax.get_lines())
    assert not recwarn.list


def test_mean_spend_is_drawn_with_its_interval_where_there_is_one(recwarn):
    ax = DRAWN["spend by orders"]()
    ((points, _, (bars,)),) = ax.containers
    assert list(points.get_xdata()) == list(ax.get_xticks())
    assert list(points.get_ydata()) == list(SPEND["mean"])
    assert points.get_color() == ACTUAL
    assert points.get_linestyle() == "None"
    ends = pd.DataFrame(
        [segment[:, 1] for segment in bars.get_segments() if len(segment)], columns=["ci_low", "ci_high"]
    )
    known = SPEND[["ci_low", "ci_high"]].dropna()
    assert len(known) == 3
    assert ends.dropna().to_numpy() == pytest.approx(known.to_numpy())
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3", "4", "5", "6", "7+"]
    assert ax.get_xlabel() == "Repeat orders"
    assert ax.get_ylim()[0] == 0
    assert not recwarn.list


def test_a_lorenz_curve_is_drawn_beside_what_equals_would_make():
    ax = DRAWN["value concentration"]()
    curve, equal = ax.get_lines()
    assert list(curve.get_xdata()) == list(LORENZ.customers)
    assert list(curve.get_ydata()) == list(LORENZ.value)
    assert (curve.get_color(), equal.get_color()) == (EXPECTED, MUTED)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "as expected (Gini 0.62)",
        "all customers worth the same",
    ]
    ax.figure.draw_without_rendering()
    assert ax.get_yticklabels()[-1].get_text() == "100%"


def test_a_lorenz_curve_of_customers_worth_nothing_says_so(figures_are_closed):
    nothing = pd.Series([0.0, 0.0])
    ax = plots.value_concentration(clv.lorenz(nothing))
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "no customer is worth anything",
        "all customers worth the same",
    ]
