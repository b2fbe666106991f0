"""The plots of this domain: what they draw, where, and that nothing lies on anything else."""

import itertools
from datetime import date

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.dates import date2num

from crmlab import clv, holdout
from crmlab.clv import metrics, plots
from crmlab.style import ACTUAL, BAND, EXPECTED, NAIVE, QUIET, panels

from .worlds import log

QUIET_DAYS = ["0–29", "30–59", "60–89", "90–179", "180–364", "365+"]
EXPECTED_ORDERS = np.array([3.5, 2.1, 1.5, 0.8, 0.3, 0.1])
CALIBRATION = pd.DataFrame(
    {"customers": 90, "expected": EXPECTED_ORDERS, "actual": EXPECTED_ORDERS * 1.1}
    | {"low": EXPECTED_ORDERS * 0.8, "high": EXPECTED_ORDERS * 1.3},
    index=pd.CategoricalIndex(QUIET_DAYS, QUIET_DAYS, ordered=True, name="days since the last order"),
)
WEEK = np.arange(60)
TRACKING = metrics.tracking(
    pd.DataFrame(
        {"expected": 90 / (1 + WEEK / 10), "low": 60 / (1 + WEEK / 10), "high": 120 / (1 + WEEK / 10)}
        | {"so_far_low": 600 * np.log1p(WEEK / 10), "so_far_high": 1200 * np.log1p(WEEK / 10)},
        index=pd.RangeIndex(1, 61, name="week"),
    ),
    pd.Series(80 / (1 + WEEK / 10) + WEEK % 7, pd.RangeIndex(1, 61)),
    pd.Series(pd.date_range("2024-01-07", periods=60, freq="7D"), pd.RangeIndex(1, 61)),
)
MODEL = clv.BGNBD(0.25, 4.4, 0.8, 2.4)
MAP = clv.alive_map(clv.MBGNBD(0.5, 6.0, 0.9, 1.5), 300, most_orders=12)  # in which no chance is 1
GAPS, LEAVING = clv.order_gaps(MODEL), clv.departures(MODEL)
STAYING = clv.departures(clv.NBD(0.25, 4.4))
SPEND = metrics.spend_by_orders(
    pd.Series([1, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8]),
    pd.Series([9.0, 12.0, 8.0, 11.0, 14.0, 10.0, 9.0, 9.0, 13.0, 9.0, 10.0]),
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


def path():
    """The path of a customer with five orders."""
    days = ("2024-01-07", "2024-02-01", "2024-02-02", "2024-05-20", "2024-07-01")
    return clv.alive_path(MODEL, log(*(("ann", day, "1.00") for day in days)), "ann", "2024-12-31")


RACE, PATH = leads(), path()
FRAMES = CALIBRATION, TRACKING, MAP, PATH, GAPS, LEAVING, STAYING, SPEND, LORENZ, RACE
OVER_TIME = {
    "calibration": lambda ax=None: plots.calibration(CALIBRATION, ax=ax),
    "tracking": lambda ax=None: plots.tracking(TRACKING, SPLIT, ax=ax),
    "tracking so far": lambda ax=None: plots.tracking(TRACKING, SPLIT, so_far=True, ax=ax),
}
SIDE_BY_SIDE = OVER_TIME | {
    "alive map": lambda ax=None: plots.alive_map(MAP, ax=ax),
    "alive path": lambda ax=None: plots.alive_path(PATH, ax=ax),
    "order gaps": lambda ax=None: plots.spread(GAPS, ax=ax),
    "departures": lambda ax=None: plots.spread(LEAVING, ax=ax),
    "no departures": lambda ax=None: plots.spread(STAYING, ax=ax),
    "lorenz": lambda ax=None: plots.lorenz(LORENZ, 0.625, ax=ax),
}
DRAWN = SIDE_BY_SIDE | {
    "spend by orders": lambda ax=None: plots.spend_by_orders(SPEND, ax=ax),
    "race": lambda ax=None: plots.race(RACE, ax=ax),
}
every_plot = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)


@pytest.fixture(autouse=True)
def _figures_are_closed():
    mpl.use("agg")
    yield
    plt.close("all")


def texts(ax):
    """What is written on a plot: ticks within view, axis labels, the title, notes and the legend."""
    ax.figure.draw_without_rendering()
    (left, right), (bottom, top) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    found = [tick for tick in ax.get_xticklabels() if left <= tick.get_position()[0] <= right]
    found += [tick for tick in ax.get_yticklabels() if bottom <= tick.get_position()[1] <= top]
    found += [ax.xaxis.label, ax.yaxis.label, ax.title, *ax.texts, ax.xaxis.get_offset_text()]
    found += ax.get_legend().get_texts() if ax.get_legend() else []
    return [text for text in found if text.get_text().strip()]


def band(ax):
    """Upper and lower edge of the band drawn: two lists."""
    (found,) = ax.collections
    corners = pd.DataFrame(found.get_paths()[0].vertices, columns=["at", "edge"]).groupby("at").edge
    assert found.get_facecolor()[0] == pytest.approx(mpl.colors.to_rgba(BAND))
    return list(corners.min()), list(corners.max())


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


@pytest.mark.parametrize(
    ("name", "frame", "end", "low", "high"),
    [
        ("calibration", CALIBRATION, "", "low", "high"),
        ("tracking", TRACKING, "", "low", "high"),
        ("tracking so far", TRACKING, "_so_far", "so_far_low", "so_far_high"),
    ],
)
def test_a_plot_draws_actual_and_expected_over_what_is_likely(name, frame, end, low, high):
    ax = DRAWN[name]()
    found = lines(ax)
    assert {name: line.get_color() for name, line in found.items()} == {"actual": ACTUAL, "expected": EXPECTED}
    for name, line in found.items():
        assert list(line.get_ydata()) == list(frame[name + end])
    assert band(ax) == (pytest.approx(list(frame[low])), pytest.approx(list(frame[high])))
    assert ax.get_ylim()[0] == 0
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["likely (95 %)", "actual", "expected"]


def test_calibration_is_drawn_without_a_band_where_the_frame_has_none():
    ax = plots.calibration(CALIBRATION[["customers", "expected", "actual"]])
    assert not ax.collections
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["actual", "expected"]


def test_calibration_is_drawn_by_the_groups_it_was_made_of():
    ax = DRAWN["calibration"]()
    assert [tick.get_text() for tick in ax.get_xticklabels()] == QUIET_DAYS
    assert ax.get_xlabel() == "Days since the last order"
    by_orders = CALIBRATION.set_axis(pd.Index(["0", "1", "2", "3", "4", "5+"], name="repeat orders"))
    assert plots.calibration(by_orders).get_xlabel() == "Repeat orders"


@every_plot
def test_a_plot_says_what_its_axes_are(draw):
    ax = draw()
    assert ax.get_xlabel()
    assert ax.get_ylabel() or draw is DRAWN["race"]  # whose lines bear names


def test_no_two_plots_have_the_same_axes():
    labels = [(ax.get_xlabel(), ax.get_ylabel()) for ax in (draw() for draw in DRAWN.values())]
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
    low = ax.transData.transform(np.column_stack([date2num(TRACKING.ends), TRACKING.so_far_low]))
    under = low[(low[:, 0] >= legend.x0) & (low[:, 0] <= legend.x1)]
    assert len(under) > 5
    assert (under[:, 1] > legend.y1).all()


def test_a_map_shows_each_chance_where_it_belongs():
    ax = DRAWN["alive map"]()
    (mesh,) = ax.collections
    shown = mesh.get_array().reshape(MAP.shape)
    assert (np.ma.getmaskarray(shown) == MAP.isna().to_numpy()).all()
    assert np.ma.filled(shown, np.nan) == pytest.approx(MAP.to_numpy(), nan_ok=True)
    corners = mesh.get_coordinates()
    across, up = corners[0, :, 0], corners[:, 0, 1]
    assert ((across[:-1] < MAP.columns) & (MAP.columns < across[1:])).all()
    assert list((up[:-1] + up[1:]) / 2) == list(MAP.index)
    assert mesh.get_clim() == (0, 1)
    assert [other.get_ylabel() for other in ax.figure.axes[1:]] == ["Chance of being active"]


@pytest.mark.parametrize(("age", "most_orders"), [(9, 2), (20, 3), (300, 12), (700, 5)])
def test_a_map_counts_orders_and_days_in_whole_numbers(age, most_orders):
    ax = plots.alive_map(clv.alive_map(MODEL, age, most_orders))
    ticks = [text.get_text() for text in texts(ax) if text in (*ax.get_xticklabels(), *ax.get_yticklabels())]
    assert len(ticks) > 4
    assert all(tick.isdigit() for tick in ticks)


def test_a_path_marks_each_day_with_an_order():
    found = lines(DRAWN["alive path"]())
    assert list(found["chance of being active"].get_ydata()) == list(PATH.p_alive)
    assert list(found["chance of being active"].get_xdata()) == list(PATH.index)
    assert list(found["order"].get_xdata()) == list(PATH.index[PATH.ordered])
    assert list(found["order"].get_ydata()) == list(PATH.p_alive[PATH.ordered])
    assert len(found["order"].get_xdata()) == 5
    assert (found["order"].get_color(), found["order"].get_linestyle()) == (ACTUAL, "None")


def test_the_legend_of_a_path_is_clear_of_it():
    ax = DRAWN["alive path"]()
    ax.figure.draw_without_rendering()
    drawn = ax.transData.transform(np.column_stack([date2num(PATH.index), PATH.p_alive]))
    assert not ax.get_legend().get_window_extent().count_contains(drawn)


def test_a_path_is_drawn_over_the_whole_range_of_chances():
    low, high = DRAWN["alive path"]().get_ylim()
    assert low == 0
    assert high > 1


@pytest.mark.parametrize(("name", "frame"), [("order gaps", GAPS), ("departures", LEAVING)])
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


def test_a_model_that_nobody_leaves_has_an_empty_plot_that_says_so(recwarn):
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
    ends = pd.DataFrame([segment[:, 1] for segment in bars.get_segments() if len(segment)], columns=["low", "high"])
    known = SPEND[["low", "high"]].dropna()
    assert len(known) == 3
    assert ends.dropna().to_numpy() == pytest.approx(known.to_numpy())
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["1", "2", "3", "4", "5", "6", "7+"]
    assert ax.get_xlabel() == "Repeat orders"
    assert ax.get_ylim()[0] == 0
    assert not recwarn.list


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
