"""The plots of cohorts: what they draw, where, and that nothing lies on anything else."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.lifecycle import plots
from crmlab.style import ACTUAL, drawn_frame, panels

from ..figures import texts


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
MEANS = lifecycle.cohort_means(MONTHS)
ALIVE = lifecycle.p_alive_curve(
    pd.Series(np.linspace(0.9, 0.3, 12)),
    pd.Series(pd.date_range("2023-01-01", periods=12, freq="MS"), name="cohort"),
    setting="noncontractual",
    p_alive_draws=pd.DataFrame({i: np.linspace(0.9, 0.3, 12) + i / 500 - 0.05 for i in range(40)}),
)
FRAMES = MONTHS, WEEKS, MEANS, ALIVE
SIDE_BY_SIDE = {
    "curves": lambda ax=None: plots.cohort_curves(MONTHS, MEANS, ax=ax),
    "alive": lambda ax=None: plots.p_alive_curve(ALIVE, ax=ax),
}
DRAWN = SIDE_BY_SIDE | {
    "cohort_triangle": lambda ax=None: plots.cohort_triangle(MONTHS, ax=ax),
    "wide triangle": lambda ax=None: plots.cohort_triangle(WEEKS, ax=ax),
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
def test_a_plot_labels_its_axes_and_nothing_lies_on_anything_else(draw):
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
def test_a_triangle_shows_each_share_and_marks_what_is_unknown(table):
    ax = plots.cohort_triangle(table)
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
        "not yet: unknown",
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
    assert plots.cohort_triangle(MONTHS[(MONTHS.period < 3) & (MONTHS.cohort < "2023-06-01")]).get_legend() is None


def test_a_triangle_of_one_period_states_that_no_later_one_has_begun(recwarn):
    ax = plots.cohort_triangle(MONTHS[MONTHS.period == 0])
    assert [text.get_text() for text in ax.texts] == ["No period after the first order's has begun"]
    assert not recwarn.list


def test_curves_show_observed_cells_and_the_mean_over_all():
    ax = DRAWN["curves"]()
    found = lines(ax)
    assert list(found["all customers"].get_ydata()) == list(MEANS.weighted)
    assert found["all customers"].get_color() == ACTUAL
    points = sum(len(line.get_xdata()) for line in ax.get_lines()) - len(MEANS)
    assert points == ((MONTHS.period > 0) & (MONTHS.state == "observed")).sum()


def test_probabilities_of_being_active_are_marked_as_those_of_a_model():
    ax = DRAWN["alive"]()
    assert set(lines(ax)) == {"by a model, as departures are not observed"}
    assert ax.get_xlabel() == "Cohort"
    assert len(plots.p_alive_curve(ALIVE.assign(ci_low=pd.NA, ci_high=pd.NA)).collections) == 0


def test_plots_keep_the_frames_they_drew():
    assert drawn_frame(DRAWN["cohort_triangle"]()) is drawn_frame(DRAWN["curves"]()) is MONTHS
    assert drawn_frame(DRAWN["alive"]()) is ALIVE


@pytest.mark.filterwarnings("error::UserWarning")
def test_where_nobody_came_back_the_axis_runs_over_all_shares():
    later = MONTHS.period > 0
    nobody = MONTHS.assign(active=MONTHS.active.mask(later, 0), share=MONTHS.share.mask(later, 0))
    ax = plots.cohort_curves(nobody, lifecycle.cohort_means(nobody))
    assert ax.get_ylim() == pytest.approx((0, 1.1))
