"""The plots of this domain: where they draw, and that nothing lies on anything else."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv import plots
from crmlab.model import Unfitted
from crmlab.style import drawn_frame, panels

from ..figures import texts
from .drawings import DRAWN, FRAMES, SIDE_BY_SIDE

pytestmark = pytest.mark.usefixtures("figures_are_closed")
every_plot = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


@every_plot
def test_a_plot_returns_the_axes_it_is_given(draw):
    ax = plt.figure().add_subplot()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1


@every_plot
def test_a_plot_without_axes_makes_one_figure_of_one(draw):
    ax = draw()
    assert [one for one in ax.figure.axes if one.get_label() != "<colorbar>"] == [ax]
    assert len(plt.get_fignums()) == 1


@every_plot
def test_a_plot_leaves_the_global_look_alone(draw):
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


@every_plot
def test_a_plot_leaves_its_frame_alone(draw):
    kept = [frame.copy() for frame in FRAMES]
    draw()
    for frame, before in zip(FRAMES, kept, strict=True):
        pd.testing.assert_frame_equal(frame, before)


@every_plot
def test_a_plot_says_what_its_axes_are(draw):
    ax = draw()
    assert ax.get_xlabel()
    assert ax.get_ylabel() or draw is DRAWN["backtest"]  # whose lines bear names


def test_no_two_plots_have_the_same_axes():
    drawn = [draw().figure.axes for draw in DRAWN.values()]  # with the colour bar, where there is one
    labels = [tuple(label for ax in axes for label in (ax.get_xlabel(), ax.get_ylabel())) for axes in drawn]
    assert len(set(labels)) == len(DRAWN)


@every_plot
def test_nothing_on_a_plot_lies_on_anything_else_or_runs_off_the_figure(draw):
    ax = draw()
    ax.set_title("A title\nof two lines")
    boxes = [text.get_window_extent() for part in ax.figure.axes for text in texts(part)]
    assert len(boxes) > 6
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    whole = ax.figure.bbox
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and box.y0 >= whole.y0 for box in boxes)
    notes = [text.get_window_extent() for text in ax.texts]
    assert all(note.y1 <= ax.bbox.y1 + 1 for note in notes)
    if ax.get_legend():
        assert not any(ax.get_legend().get_window_extent().overlaps(note) for note in notes)


@pytest.mark.parametrize("draw", SIDE_BY_SIDE.values(), ids=SIDE_BY_SIDE)
def test_two_plots_fit_side_by_side(draw):
    left, right = panels(2)
    assert draw(right) is right
    assert draw(left) is left
    boxes = [text.get_window_extent() for part in left.figure.axes for text in texts(part)]
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    whole = left.figure.bbox
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and box.y0 >= whole.y0 for box in boxes)


@pytest.mark.parametrize("draw", [plots.holdout_calibration, plots.backtest, plots.value_concentration])
def test_a_plot_of_what_was_not_fitted_is_empty_and_bears_the_reason(draw):
    blank = clv.dropout_distribution(Unfitted(clv.BGNBD, "the likelihood has no maximum"))
    ax = draw(blank)
    assert [text.get_text() for text in ax.texts] == ["the likelihood has no maximum"]
    assert drawn_frame(ax) is blank
