"""The plots of this domain: what they draw, where, and that nothing lies on anything else."""

import itertools
from datetime import date

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.dates import date2num

from crmlab import holdout
from crmlab.clv import metrics, plots
from crmlab.style import ACTUAL, EXPECTED, NAIVE, QUIET

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
LORENZ = metrics.lorenz(pd.Series([3.0, 0.0, 1.0]), pd.Series([1, 2, 1]))


def leads():
    """A race by every measure: of each, a model that is better, one that is worse and one that is undecided."""
    models = [("BG/NBD", 0.2, "better"), ("Pareto/NBD", 0.05, "undecided"), ("NBD", -0.3, "worse")]
    rows = [
        {"population": "all customers", "measure": measure, "rule": rule, "naive": False, "outcome": outcome}
        | {"value": 0.8, "difference": ahead * (-1 if measure in ("bias", "mae", "rmse") else 1)}
        for measure in holdout.TITLES
        for rule, ahead, outcome in models
    ]
    table = pd.DataFrame(rows)
    rule = {"rule": "past rate", "naive": True, "outcome": "reference", "difference": 0.0, "value": 0.8}
    table = pd.concat([table, pd.DataFrame([{"population": "all customers", "measure": "mae"} | rule])])
    unfitted = {"rule": "MBG/NBD", "naive": False, "outcome": "not fitted: a reason", "measure": "mae"}
    table = pd.concat([table, pd.DataFrame([unfitted])], ignore_index=True)
    return holdout.leads(
        table.assign(difference_low=table.difference - 0.1, difference_high=table.difference + 0.1, against="past rate")
    )


RACE = leads()
OVER_TIME = {
    "calibration": lambda ax=None: plots.calibration(CALIBRATION, ax=ax),
    "tracking": lambda ax=None: plots.tracking(TRACKING, SPLIT, ax=ax),
}
DRAWN = OVER_TIME | {
    "lorenz": lambda ax=None: plots.lorenz(LORENZ, 0.625, ax=ax),
    "race": lambda ax=None: plots.race(RACE, ax=ax),
}
every_plot = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


@pytest.fixture(autouse=True)
def _figures_are_closed():
    mpl.use("agg")
    yield
    plt.close("all")


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}


@every_plot
def test_a_plot_returns_the_axes_it_is_given(draw):
    ax = plt.figure().add_subplot()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1


@every_plot
def test_a_plot_without_axes_makes_one_figure_of_one(draw):
    ax = draw()
    assert ax.figure.axes == [ax]
    assert len(plt.get_fignums()) == 1


@every_plot
def test_a_plot_leaves_the_global_look_alone(draw):
    before = dict(mpl.rcParams)
    draw()
    assert dict(mpl.rcParams) == before


@every_plot
def test_a_plot_leaves_its_frame_alone(draw):
    given = CALIBRATION, TRACKING, LORENZ, RACE
    kept = [frame.copy() for frame in given]
    draw()
    for frame, before in zip(given, kept, strict=True):
        pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("draw", OVER_TIME.values(), ids=OVER_TIME)
def test_a_plot_draws_actual_and_expected_in_their_colours_from_zero(draw):
    ax = draw()
    table = CALIBRATION if len(ax.get_lines()) == 2 else TRACKING
    found = lines(ax)
    assert {name: line.get_color() for name, line in found.items()} == {"actual": ACTUAL, "expected": EXPECTED}
    for name, line in found.items():
        assert list(line.get_ydata()) == list(table[name])
    assert ax.get_ylim()[0] == 0
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["actual", "expected"]


@every_plot
def test_a_plot_says_what_its_axes_are(draw):
    labels = {draw().get_xlabel() for draw in DRAWN.values()}
    ax = draw()
    assert ax.get_xlabel()
    assert ax.get_ylabel() or draw is DRAWN["race"]  # whose lines bear names
    assert len(labels) == len(DRAWN)


@every_plot
def test_nothing_on_a_plot_lies_on_its_title_or_runs_off_the_figure(draw):
    ax = draw()
    ax.set_title("A title\nof two lines")
    ax.figure.draw_without_rendering()
    title = ax.title.get_window_extent()
    left, right = ax.get_xlim()
    places = [label for label in ax.get_xticklabels() if left <= label.get_position()[0] <= right]
    parts = [*ax.texts, *ax.get_legend().get_texts(), *places, *ax.get_yticklabels(), ax.xaxis.label]
    boxes = [part.get_window_extent() for part in (*parts, ax.yaxis.label) if part.get_text().strip()]
    assert len(boxes) > 6
    assert not any(title.overlaps(box) for box in boxes)
    whole = ax.figure.bbox
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and box.y0 >= whole.y0 for box in (title, *boxes))
    notes, legend = [text.get_window_extent() for text in ax.texts], ax.get_legend().get_window_extent()
    assert not any(legend.overlaps(note) for note in notes)
    down = sorted((label.get_window_extent() for label in ax.get_yticklabels()), key=lambda box: box.y0)
    assert not any(lower.overlaps(upper) for lower, upper in itertools.pairwise(down))
    assert all(note.y1 <= ax.bbox.y1 + 1 for note in notes)


@pytest.mark.parametrize("draw", OVER_TIME.values(), ids=OVER_TIME)
def test_the_split_is_marked_where_it_is(draw):
    ax = draw()
    marks = [line for line in ax.get_lines() if line.get_label().startswith("_")]
    if draw is DRAWN["tracking"]:
        assert [date2num(mark.get_xdata()[0]) for mark in marks] == [date2num(SPLIT)]
        assert [text.get_text().strip() for text in ax.texts] == ["split"]
    else:
        assert marks == []
        assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2+"]


def test_a_lorenz_curve_is_drawn_beside_what_equals_would_make():
    ax = DRAWN["lorenz"]()
    curve, equal = ax.get_lines()
    assert list(curve.get_xdata()) == list(LORENZ.customers)
    assert list(curve.get_ydata()) == list(LORENZ.value)
    assert (curve.get_color(), equal.get_color()) == (EXPECTED, QUIET)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["value (Gini 0.62)", "all worth the same"]
    ax.figure.draw_without_rendering()
    assert ax.get_yticklabels()[-1].get_text() == "100%"


def test_a_race_has_a_line_a_model_under_the_title_of_its_measure():
    ax = DRAWN["race"]()
    labels = [label.get_text() for label in ax.get_yticklabels()]
    assert labels == [text for title in holdout.TITLES.values() for text in (title, "BG/NBD", "Pareto/NBD", "NBD")]
    bold = [label.get_text() for label in ax.get_yticklabels() if label.get_fontweight() == "bold"]
    assert bold == list(holdout.TITLES.values())
    assert ax.yaxis_inverted()


def test_a_race_tells_outcomes_by_colour_and_by_marker():
    found = lines(DRAWN["race"]())
    assert {name: line.get_color() for name, line in found.items()} == {
        "better": EXPECTED,
        "undecided": QUIET,
        "worse": NAIVE,
    }
    assert len({line.get_marker() for line in found.values()}) == 3
    assert list(found["better"].get_ydata()) == [1, 5, 9, 13, 17, 21, 25]
    assert list(found["worse"].get_ydata()) == [3, 7, 11, 15, 19, 23, 27]


def test_the_legend_of_a_race_lies_below_its_lines():
    ax = DRAWN["race"]()
    ax.figure.draw_without_rendering()
    lowest = ax.transData.transform((0, len(ax.get_yticklabels()) - 1))[1]
    assert ax.get_legend().get_texts()[0].get_window_extent().y1 < lowest
    assert ax.get_legend().get_texts()[0].get_window_extent().y0 > ax.bbox.y0


def test_a_race_draws_leads_with_their_intervals():
    ax = DRAWN["race"]()
    held = RACE[RACE.outcome == "worse"]
    assert list(lines(ax)["worse"].get_xdata()) == list(held.lead)
    ends = [tuple(segment[:, 0]) for segment in ax.collections[2].get_segments()]
    assert ends == list(zip(held.lead_low, held.lead_high, strict=True))
    assert (held.lead_high < 0).all()


def test_a_race_by_one_measure_is_a_small_figure():
    one, all_of_them = plots.race(RACE[RACE.measure == "gini"]), DRAWN["race"]()
    assert one.figure.get_figheight() < 3 < all_of_them.figure.get_figheight()
    assert len(one.get_yticklabels()) == 4


def test_a_race_leaves_out_what_has_no_place():
    # a lead over a lift of 0 is without end; MBG/NBD was not fitted
    endless = RACE.assign(lead=RACE.lead.mask((RACE.measure == "lift") & (RACE.rule == "NBD"), float("inf")))
    labels = [label.get_text() for label in plots.race(endless).get_yticklabels()]
    assert labels.count("NBD") == 6
    assert "MBG/NBD" not in labels
    assert len(plots.race(RACE[RACE.naive]).get_yticklabels()) == 0
