"""The plots of cohorts and contracts: what they draw, where, and that nothing lies on anything else."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab.lifecycle.metrics import cohorts as metrics
from crmlab.lifecycle.models import alive, backtest, heterogeneity, projection, survival
from crmlab.lifecycle.plots import cohorts as cohort_plots
from crmlab.lifecycle.plots import projection as projection_plots
from crmlab.lifecycle.plots import survival as survival_plots
from crmlab.lifecycle.tables.contracts import retention_durations
from crmlab.style import ACTUAL, BASELINE, EXPECTED, panels

from ..figures import texts
from .cohort_worlds import HIGH_END, REGULAR, retention

GROUPS = retention_durations(retention(Regular=REGULAR, HighEnd=HIGH_END))


def cohort_triangle(cohorts, every):
    """A triangle of so many cohorts, the last period in progress."""
    days = pd.date_range("2023-01-02", periods=cohorts, freq=every)
    cells = [(day, k) for day in days for k in range(cohorts)]
    table = pd.DataFrame(cells, columns=["cohort", "period"])
    at = table.groupby("cohort").ngroup() + table.period
    table["state"] = np.where(at >= cohorts, "not yet", np.where(at == cohorts - 1, "in progress", "observed"))
    table["size"] = pd.array([100 + 7 * (k % 5) for k in at - table.period], "Int64")
    begun = table.state != "not yet"
    table["eligible"] = table["size"].where(begun)
    table["active"] = (table["size"] / (1 + table.period)).astype(int).astype("Int64").where(begun)
    return table.assign(share=(table.active / table.eligible).astype("Float64"))


MONTHS, WEEKS = cohort_triangle(9, "MS"), cohort_triangle(78, "7D")
MEANS = metrics.cohort_means(MONTHS)
CURVE = survival.survival_curve(GROUPS)
PROJECTED = projection.projected_survival(GROUPS, 14, seed=1, calibration_periods=7)
LIFETIMES = projection.residual_lifetimes(GROUPS, 0.1, "year", seed=1)
MISSES = metrics.final_period_errors(backtest.backtest_retention(GROUPS))
PARTS = heterogeneity.retention_decomposition(GROUPS, seed=1)
ALIVE = alive.p_alive_curve(
    pd.Series(np.linspace(0.9, 0.3, 12)),
    pd.Series(pd.date_range("2023-01-01", periods=12, freq="MS"), name="cohort"),
    setting="noncontractual",
    p_alive_draws=pd.DataFrame({i: np.linspace(0.9, 0.3, 12) + i / 500 - 0.05 for i in range(40)}),
)
FRAMES = MONTHS, WEEKS, MEANS, CURVE, PROJECTED, LIFETIMES, MISSES, PARTS, ALIVE
SIDE_BY_SIDE = {
    "curves": lambda ax=None: cohort_plots.cohort_curves(MONTHS, MEANS, ax=ax),
    "alive": lambda ax=None: cohort_plots.p_alive_curve(ALIVE, ax=ax),
    "survival": lambda ax=None: survival_plots.survival_curve(CURVE, ax=ax),
    "projection": lambda ax=None: projection_plots.projected_survival(PROJECTED, CURVE, "HighEnd", ax=ax),
    "lifetimes": lambda ax=None: projection_plots.residual_lifetimes(LIFETIMES, "HighEnd", ax=ax),
    "final_period_errors": lambda ax=None: projection_plots.final_period_errors(MISSES, "HighEnd", ax=ax),
    "retention_decomposition": lambda ax=None: projection_plots.retention_decomposition(PARTS, ax=ax),
}
DRAWN = SIDE_BY_SIDE | {
    "cohort_triangle": lambda ax=None: cohort_plots.cohort_triangle(MONTHS, ax=ax),
    "wide triangle": lambda ax=None: cohort_plots.cohort_triangle(WEEKS, ax=ax),
}
every_plot = pytest.mark.parametrize("draw", DRAWN.values(), ids=DRAWN)
pytestmark = pytest.mark.usefixtures("figures_are_closed")


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines() if not line.get_label().startswith("_")}


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
    ax = draw()
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert [one for one in ax.figure.axes if one.get_label() != "<colorbar>"] == [ax]
    assert clear(ax.figure) > 6
    assert dict(mpl.rcParams) == before


@pytest.mark.parametrize("draw", SIDE_BY_SIDE.values(), ids=SIDE_BY_SIDE)
def test_two_plots_fit_side_by_side(draw):
    left, right = panels(2)
    assert draw(right) is right
    assert draw(left) is left
    clear(left.figure)


def test_plots_leave_their_frames_alone():
    kept = [frame.copy() for frame in FRAMES]
    for draw in DRAWN.values():
        draw()
    for frame, before in zip(FRAMES, kept, strict=True):
        pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("table", [MONTHS, WEEKS])
def test_a_triangle_shows_each_share_and_marks_what_is_not_known(table):
    ax = cohort_plots.cohort_triangle(table)
    mesh, unknown, under_way = ax.collections
    shape = table.cohort.nunique(), table.period.max()
    wide = table[table.period > 0].pivot(index="cohort", columns="period", values="share")
    shown = mesh.get_array().reshape(shape)
    assert np.ma.filled(shown, np.nan) == pytest.approx(wide.to_numpy(dtype=float, na_value=np.nan), nan_ok=True)
    states = table[table.period > 0].state
    assert len(unknown.get_paths()) == (states == "not yet").sum()
    assert len(under_way.get_paths()) == (states == "in progress").sum()
    assert (unknown.get_hatch(), under_way.get_hatch()) == ("", "////")
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {
        "not yet: nothing known",
        "in progress: so far",
    }


def test_a_small_triangle_bears_numbers_and_a_wide_one_does_not():
    small, wide = DRAWN["cohort_triangle"](), DRAWN["wide triangle"]()
    known = MONTHS[(MONTHS.period > 0) & (MONTHS.state != "not yet")]
    assert sorted(t.get_text() for t in small.texts) == sorted(f"{100 * share:.0f}" for share in known.share)
    assert len(wide.texts) == 0
    assert len(small.get_yticklabels()) == 9
    assert len(wide.get_yticklabels()) <= 24
    assert (small.get_xlabel(), wide.get_xlabel()) == (
        "Calendar periods since the first order (cells: %)",
        "Calendar periods since the first order",
    )


def test_the_first_cohort_stands_on_top_with_its_size():
    ax = DRAWN["cohort_triangle"]()
    assert ax.yaxis_inverted()
    assert ax.get_yticklabels()[0].get_text() == "2023-02-01 (100)"


def test_a_triangle_of_which_all_is_observed_has_no_legend():
    assert (
        cohort_plots.cohort_triangle(MONTHS[(MONTHS.period < 3) & (MONTHS.cohort < "2023-06-01")]).get_legend() is None
    )


def test_a_triangle_of_one_period_says_that_nothing_came_later(recwarn):
    ax = cohort_plots.cohort_triangle(MONTHS[MONTHS.period == 0])
    assert [text.get_text() for text in ax.texts] == ["No period after the first order's has begun"]
    assert not recwarn.list


def test_curves_show_observed_cells_and_the_mean_over_all():
    ax = DRAWN["curves"]()
    found = lines(ax)
    assert list(found["all customers"].get_ydata()) == list(MEANS.weighted)
    assert found["all customers"].get_color() == ACTUAL
    p_alive_draws = sum(len(line.get_xdata()) for line in ax.get_lines()) - len(MEANS)
    assert p_alive_draws == ((MONTHS.period > 0) & (MONTHS.state == "observed")).sum()


def test_the_numbers_at_risk_stand_under_their_ticks():
    ax = DRAWN["survival"]()
    at_risk = CURVE[CURVE.group == "HighEnd"].set_index("period").at_risk
    ticks = [int(tick) for tick in ax.get_xticks() if 0 <= tick <= 12]
    written = [note.get_text().strip() for note in ax.texts]
    assert written[: len(ticks) + 1] == ["HighEnd", *(f"{at_risk[tick]:,}" for tick in ticks)]
    assert written[-1] == "Customers at risk"
    assert set(lines(ax)) == {"HighEnd", "Regular"}
    assert list(lines(ax)["Regular"].get_ydata()[:-1]) == pytest.approx([v / 1000 for v in REGULAR])


def test_what_survives_the_last_renewal_is_seen():
    ax = DRAWN["survival"]()
    line, (band, *_) = lines(ax)["Regular"], ax.collections
    assert list(line.get_xdata()[-2:]) == [12, 12.5]
    assert line.get_ydata()[-1] == pytest.approx(REGULAR[-1] / 1000)
    assert ax.get_xlim()[1] == band.get_datalim(ax.transData).x1 == 12.5


@pytest.mark.filterwarnings("error")
def test_of_many_groups_the_largest_are_drawn():
    kept = {f"segment number {n:02}": [100 + n, 60, 30] for n in range(12)}
    ax = survival_plots.survival_curve(survival.survival_curve(retention_durations(retention(**kept))))
    ax.figure.canvas.draw()
    assert set(lines(ax)) == {f"segment number {n:02}" for n in range(8, 12)}
    assert ax.get_legend().get_title().get_text() == "the 4 largest of 12 groups"
    assert ax.get_window_extent().height > 0.4 * ax.figure.bbox.height


def test_a_projection_parts_what_was_known_from_what_came_later():
    found = lines(DRAWN["projection"]())
    assert list(found["actual, known"].get_xdata()) == list(range(8))
    assert list(found["actual, later"].get_xdata()) == list(range(8, 13))
    assert found["actual, known"].get_markerfacecolor() == ACTUAL
    assert found["actual, later"].get_markerfacecolor() == "white"
    rows = PROJECTED[(PROJECTED.group == "HighEnd") & (PROJECTED.model == "sBG")]
    assert list(found["sBG (95 % band)"].get_ydata()) == list(rows.survival)


def test_a_projection_that_could_not_be_made_shows_what_was_seen():
    blank = PROJECTED.assign(survival=pd.array([pd.NA] * len(PROJECTED), "Float64"))
    found = lines(projection_plots.projected_survival(blank, CURVE, "HighEnd"))
    assert list(found["actual, known"].get_xdata()) == list(range(8))
    assert list(found["actual, later"].get_xdata()) == list(range(8, 13))


def test_misses_are_drawn_by_models_and_curves_in_their_colours():
    ax = DRAWN["final_period_errors"]()
    assert ax.get_ylabel() == "Miss at the last period, of those left"
    found = lines(ax)
    assert {name: line.get_color() for name, line in found.items()} == {
        "sBG": EXPECTED, "BdW": EXPECTED, "linear": BASELINE, "exponential": BASELINE, "quadratic": BASELINE,
    }  # fmt: skip
    assert list(found["linear"].get_ydata()) == list(MISSES.loc[("HighEnd", "linear")])
    assert "+100%" in [text.get_text() for text in texts(ax)]


def test_misses_that_are_not_known_are_left_out():
    some = MISSES.astype("Float64")
    some.loc[("HighEnd", "linear"), some.columns[0]] = pd.NA
    p_alive_draws = lines(projection_plots.final_period_errors(some, "HighEnd"))["linear"].get_xdata()
    assert list(p_alive_draws) == list(some.columns[1:])


UNKNOWN = MISSES.astype("Float64").where(MISSES < -999)
UNFITTED = pd.DataFrame({"group": ["a"], "model": ["sBG"], "payments": [pd.NA]})


@pytest.mark.parametrize(
    ("draw", "told"),
    [
        (
            lambda: projection_plots.final_period_errors(MISSES, "nobody"),
            "No projection can be compared with what came",
        ),
        (
            lambda: projection_plots.final_period_errors(UNKNOWN, "HighEnd"),
            "No projection can be compared with what came",
        ),
        (lambda: projection_plots.residual_lifetimes(UNFITTED, "a"), "No model could be fitted"),
        (lambda: projection_plots.retention_decomposition(PARTS[-1:]), "Too few renewals were seen to compare them"),
    ],
)
def test_a_plot_with_nothing_to_draw_says_so(draw, told):
    ax = draw()
    assert [text.get_text() for text in ax.texts] == [told]
    assert ax.get_legend() is None
    assert len(ax.get_xticks()) == len(ax.get_yticks()) == 0


def test_a_decomposition_stacks_its_parts_up_to_the_change_seen():
    ax = DRAWN["retention_decomposition"]()
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
    ax = projection_plots.retention_decomposition(steady)
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"mix of groups", "seen (95 %)"}


def test_chances_of_being_active_say_that_a_model_made_them():
    ax = DRAWN["alive"]()
    assert set(lines(ax)) == {"model-based: nobody saw who left"}
    assert ax.get_xlabel() == "Cohort"
    assert len(cohort_plots.p_alive_curve(ALIVE.assign(ci_low=pd.NA, ci_high=pd.NA)).collections) == 0
