"""The plots of this domain: what they draw, where, and that nothing lies on anything else."""

from datetime import date

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.dates import date2num

from crmlab.clv import plots
from crmlab.style import ACTUAL, EXPECTED

CALIBRATION = pd.DataFrame(
    {"customers": [90, 40, 9], "expected": [0.2, 0.6, 3.1], "actual": [0.3, 0.5, 3.4]},
    index=pd.Index(["0", "1", "2+"], name="repeat_orders"),
)
TRACKING = pd.DataFrame(
    {
        "ends": pd.date_range("2024-01-07", periods=60, freq="7D"),
        "expected": [90 / (1 + week / 10) for week in range(60)],
        "actual": [80 / (1 + week / 10) + week % 7 for week in range(60)],
    },
    index=pd.RangeIndex(1, 61, name="week"),
)
SPLIT = date(2024, 9, 30)
DRAWN = {
    "calibration": lambda ax=None: plots.calibration(CALIBRATION, ax=ax),
    "tracking": lambda ax=None: plots.tracking(TRACKING, SPLIT, ax=ax),
}
pytestmark = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


@pytest.fixture(autouse=True)
def _figures_are_closed():
    mpl.use("agg")
    yield
    plt.close("all")


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}


def test_a_plot_returns_the_axes_it_is_given(draw):
    ax = plt.figure().add_subplot()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1


def test_a_plot_without_axes_makes_one_figure_of_one(draw):
    ax = draw()
    assert ax.figure.axes == [ax]
    assert len(plt.get_fignums()) == 1


def test_a_plot_leaves_the_global_look_alone(draw):
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


def test_a_plot_leaves_its_frame_alone(draw):
    kept = CALIBRATION.copy(), TRACKING.copy()
    draw()
    pd.testing.assert_frame_equal(CALIBRATION, kept[0])
    pd.testing.assert_frame_equal(TRACKING, kept[1])


def test_a_plot_draws_actual_and_expected_in_their_colours_from_zero(draw):
    ax = draw()
    table = CALIBRATION if len(ax.get_lines()) == 2 else TRACKING
    found = lines(ax)
    assert {name: line.get_color() for name, line in found.items()} == {"actual": ACTUAL, "expected": EXPECTED}
    for name, line in found.items():
        assert list(line.get_ydata()) == list(table[name])
    assert ax.get_ylim()[0] == 0
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["actual", "expected"]


def test_a_plot_says_what_its_axes_are(draw):
    labels = {draw().get_xlabel() for draw in DRAWN.values()}
    ax = draw()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert len(labels) == len(DRAWN)


def test_nothing_on_a_plot_lies_on_its_title_or_runs_off_the_figure(draw):
    ax = draw()
    ax.set_title("A title\nof two lines")
    ax.figure.draw_without_rendering()
    title = ax.title.get_window_extent()
    parts = [*ax.texts, *ax.get_legend().get_texts(), *ax.get_xticklabels(), *ax.get_yticklabels(), ax.xaxis.label]
    boxes = [part.get_window_extent() for part in (*parts, ax.yaxis.label) if part.get_text().strip()]
    assert len(boxes) > 6
    assert not any(title.overlaps(box) for box in boxes)
    whole = ax.figure.bbox
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and box.y0 >= whole.y0 for box in (title, *boxes))
    notes, legend = [text.get_window_extent() for text in ax.texts], ax.get_legend().get_window_extent()
    assert not any(legend.overlaps(note) for note in notes)
    assert all(note.y1 <= ax.bbox.y1 + 1 for note in notes)


def test_the_split_is_marked_where_it_is(draw):
    ax = draw()
    marks = [line for line in ax.get_lines() if line.get_label().startswith("_")]
    if draw is DRAWN["tracking"]:
        assert [date2num(mark.get_xdata()[0]) for mark in marks] == [date2num(SPLIT)]
        assert [text.get_text().strip() for text in ax.texts] == ["split"]
    else:
        assert marks == []
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2+"]
