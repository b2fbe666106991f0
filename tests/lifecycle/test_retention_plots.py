"""The plots of contracts: what they draw, where, and that nothing lies on anything else."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.lifecycle import plots
from crmlab.style import ACTUAL, BASELINE, EXPECTED, drawn_frame, panels

from ..figures import texts
from .cohort_worlds import HIGH_END, REGULAR, retention

GROUPS = lifecycle.durations(retention(HighEnd=HIGH_END, Regular=REGULAR))
CURVE = lifecycle.survival_curve(GROUPS)
PROJECTED = lifecycle.projected_survival(GROUPS, 14, calibration_periods=7)
LIFETIMES = lifecycle.residual_lifetimes(GROUPS, 0.1, "year")
MISSES = lifecycle.final_period_errors(lifecycle.backtest_retention(GROUPS))
PARTS = lifecycle.retention_decomposition(GROUPS)
HAZARD = lifecycle.hazard_by_tenure(CURVE)
RATES = lifecycle.retention_rates(HAZARD, PROJECTED)
FRAMES = CURVE, PROJECTED, LIFETIMES, MISSES, PARTS, HAZARD, RATES
DRAWN = {
    "survival": lambda ax=None: plots.survival_curve(CURVE, ax=ax),
    "projection": lambda ax=None: plots.projected_survival(PROJECTED, CURVE, ax=ax),
    "lifetimes": lambda ax=None: plots.residual_lifetimes(LIFETIMES, ax=ax),
    "final_period_errors": lambda ax=None: plots.final_period_errors(MISSES, ax=ax),
    "hazard": lambda ax=None: plots.hazard_by_tenure(HAZARD, ax=ax),
    "rates": lambda ax=None: plots.retention_rates(RATES, ax=ax),
    "retention_decomposition": lambda ax=None: plots.retention_decomposition(PARTS, ax=ax),
}
PANELS = ("projection", "lifetimes", "final_period_errors", "rates")
every_plot = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
pytestmark = pytest.mark.usefixtures("figures_are_closed")


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}


def alone(draw):
    """The axes of a plot, on a figure of their own."""
    return draw(panels(1)[0])


def clear(figure):
    """Asserts that no text lies on another or leaves the figure; how many there are."""
    boxes = [text.get_window_extent() for part in figure.axes for text in texts(part)]
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    whole = figure.bbox
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 and box.y0 >= whole.y0 for box in boxes)
    return len(boxes)


@every_plot
def test_a_plot_returns_the_axes_it_is_given(draw):
    ax = plt.figure().add_subplot()
    assert draw(ax) is ax
    assert len(plt.get_fignums()) == 1


@every_plot
def test_a_plot_says_what_its_axes_are_and_nothing_lies_on_anything_else(draw):
    before = dict(mpl.rcParams)
    ax = alone(draw)
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert ax.figure.axes == [ax]
    assert clear(ax.figure) > 6
    assert dict(mpl.rcParams) == before


@every_plot
def test_two_plots_fit_side_by_side(draw):
    left, right = panels(2)
    assert draw(right) is right
    assert draw(left) is left
    clear(left.figure)


@pytest.mark.parametrize("name", PANELS)
def test_groups_are_drawn_in_panels_whose_frame_is_kept_once(name):
    found = DRAWN[name]()
    assert [ax.get_xlabel().split("(")[1] for ax in found] == ["HighEnd)", "Regular)"]
    assert drawn_frame(found[0]) is {"projection": PROJECTED, "lifetimes": LIFETIMES, "rates": RATES}.get(name, MISSES)
    assert drawn_frame(found[1]) is None
    clear(found[0].figure)


def test_of_more_groups_the_largest_are_drawn_in_panels():
    kept = {f"segment {n}": [100 + n, 60, 50, 45, 40, 39] for n in range(5)}
    durations = lifecycle.durations(retention(**kept))
    projected, curve = lifecycle.projected_survival(durations, replicates=16), lifecycle.survival_curve(durations)
    drawn = plots.projected_survival(projected, curve, groups=2)
    assert [ax.get_xlabel().split("(")[1] for ax in drawn] == ["segment 3)", "segment 4)"]
    with pytest.raises(InputError, match="groups = 0: choose how many groups to draw, 1 or more"):
        plots.projected_survival(projected, curve, groups=0)


def test_plots_leave_their_frames_alone():
    kept = [frame.copy() for frame in FRAMES]
    for draw in DRAWN.values():
        draw()
    for frame, before in zip(FRAMES, kept, strict=True):
        pd.testing.assert_frame_equal(frame, before)


def test_the_numbers_at_risk_stand_under_their_ticks():
    ax = alone(DRAWN["survival"])
    at_risk = CURVE[CURVE.group == "HighEnd"].set_index("period").at_risk
    ticks = [int(tick) for tick in ax.get_xticks() if 0 <= tick <= 12]
    written = [note.get_text().strip() for note in ax.texts]
    assert written[: len(ticks) + 1] == ["HighEnd", *(f"{at_risk[tick]:,}" for tick in ticks)]
    assert written[-1] == "Customers at risk"
    assert set(lines(ax)) == {"HighEnd", "Regular"}
    assert list(lines(ax)["Regular"].get_ydata()[:-1]) == pytest.approx([v / 1000 for v in REGULAR])


def test_what_survives_the_last_renewal_is_drawn():
    ax = alone(DRAWN["survival"])
    line, (band, *_) = lines(ax)["Regular"], ax.collections
    assert list(line.get_xdata()[-2:]) == [12, 12.5]
    assert line.get_ydata()[-1] == pytest.approx(REGULAR[-1] / 1000)
    assert ax.get_xlim()[1] == band.get_datalim(ax.transData).x1 == 12.5


@pytest.mark.filterwarnings("error")
def test_of_many_groups_the_largest_are_drawn():
    kept = {f"segment number {n:02}": [100 + n, 60, 30] for n in range(12)}
    ax = plots.survival_curve(lifecycle.survival_curve(lifecycle.durations(retention(**kept))))
    ax.figure.canvas.draw()
    assert set(lines(ax)) == {f"segment number {n:02}" for n in range(8, 12)}
    assert ax.get_legend().get_title().get_text() == "the 4 largest of 12 groups"
    assert ax.get_window_extent().height > 0.4 * ax.figure.bbox.height


def test_a_projection_separates_calibration_from_holdout():
    found = lines(alone(DRAWN["projection"]))
    assert list(found["observed, calibration"].get_xdata()) == list(range(8))
    assert list(found["observed, holdout"].get_xdata()) == list(range(8, 13))
    assert found["observed, calibration"].get_markerfacecolor() == ACTUAL
    assert found["observed, holdout"].get_markerfacecolor() == "white"
    rows = PROJECTED[(PROJECTED.group == "HighEnd") & (PROJECTED.model == "sBG")]
    assert list(found["sBG (95 % band)"].get_ydata()) == list(rows.survival)


def test_a_projection_that_could_not_be_made_shows_what_was_observed():
    blank = PROJECTED.assign(survival=pd.array([pd.NA] * len(PROJECTED), "Float64"))
    found = lines(plots.projected_survival(blank, CURVE)[0])
    assert list(found["observed, calibration"].get_xdata()) == list(range(8))
    assert list(found["observed, holdout"].get_xdata()) == list(range(8, 13))


def test_misses_are_drawn_by_models_and_curves_in_their_colours():
    ax = alone(DRAWN["final_period_errors"])
    assert ax.get_ylabel() == "Error at the last period"
    found = lines(ax)
    assert {name: line.get_color() for name, line in found.items()} == {
        "sBG": EXPECTED, "BdW": EXPECTED, "linear": BASELINE, "exponential": BASELINE, "quadratic": BASELINE,
    }  # fmt: skip
    assert list(found["linear"].get_ydata()) == list(MISSES.loc[("HighEnd", "linear")])
    assert "+100%" in [text.get_text() for text in texts(ax)]


def test_misses_that_are_not_known_are_left_out():
    some = MISSES.astype("Float64")
    some.loc[("HighEnd", "linear"), some.columns[0]] = pd.NA
    drawn = lines(plots.final_period_errors(some)[0])["linear"].get_xdata()
    assert list(drawn) == list(some.columns[1:])


UNKNOWN = MISSES.astype("Float64").where(MISSES < -999)
UNFITTED = pd.DataFrame({"group": ["a"], "model": ["sBG"], "payments": [pd.NA], "reason": ["too few periods"]})


@pytest.mark.parametrize(
    ("draw", "written"),
    [
        (
            lambda: plots.final_period_errors(MISSES[:0]),
            "nobody was left in the periods projected",
        ),
        (
            lambda: plots.final_period_errors(UNKNOWN),
            "nobody was left in the periods projected",
        ),
        (lambda: plots.residual_lifetimes(UNFITTED), "too few periods"),
        (lambda: plots.retention_decomposition(PARTS[-1:].assign(reason="one period only")), "one period only"),
    ],
)
def test_a_plot_with_nothing_to_draw_says_so(draw, written):
    drawn = draw()
    ax = drawn[0] if isinstance(drawn, list) else drawn
    assert [text.get_text() for text in ax.texts] == [written]
    assert ax.get_legend() is None
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


def test_a_decomposition_stacks_its_parts_up_to_the_change_observed():
    ax = alone(DRAWN["retention_decomposition"])
    steps = PARTS[PARTS.period != "all"]
    heights, taken = pd.Series(0.0, range(2, 13)), []
    for bars in ax.containers[:-1]:
        for bar in bars:
            place = round(bar.get_x() + bar.get_width() / 2)
            heights[place] += bar.get_height()
            low, high = sorted((bar.get_y(), bar.get_y() + bar.get_height()))
            assert not any(p == place and low < top - 1e-9 and bottom < high - 1e-9 for p, bottom, top in taken)
            taken.append((place, low, high))
    assert heights.to_numpy() == pytest.approx(100 * steps.change.to_numpy())
    assert list(ax.containers[-1][0].get_ydata()) == pytest.approx(list(100 * steps.change))


def test_a_decomposition_without_a_model_shows_what_needs_none():
    steady = PARTS.assign(selection=pd.NA, duration_dependence=pd.NA, unexplained=pd.NA)
    ax = plots.retention_decomposition(steady)
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"shares of groups move", "observed (95 %)"}
