from datetime import date

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest

from crmlab.clv import plots

CALIBRATION = pd.DataFrame({"customers": [9, 3], "expected": [0.2, 1.1], "actual": [0.3, 0.9]}, index=["0", "1+"])
TRACKING = pd.DataFrame(
    {"ends": pd.date_range("2024-01-07", periods=8, freq="7D"), "expected": range(8), "actual": range(8, 0, -1)}
)
DRAW = {
    "calibration": lambda ax: plots.calibration(CALIBRATION, ax),
    "tracking": lambda ax: plots.tracking(TRACKING, date(2024, 2, 1), ax),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("plot", DRAW)
def test_a_plot_returns_the_axes_it_was_given(plot):
    ax = plt.figure().add_subplot()
    assert DRAW[plot](ax) is ax


@pytest.mark.parametrize("plot", DRAW)
def test_a_plot_makes_axes_of_its_own_and_changes_no_setting(plot):
    before, figures = dict(mpl.rcParams), len(plt.get_fignums())
    ax = DRAW[plot](None)
    assert len(plt.get_fignums()) == figures + 1
    changed = {k for k in before if k not in ("backend", "backend_fallback") and mpl.rcParams[k] != before[k]}
    assert not changed
    assert ax.figure.dpi == 144


@pytest.mark.parametrize("plot", DRAW)
def test_a_plot_names_its_axes_and_both_of_its_lines_and_begins_at_zero(plot):
    ax = DRAW[plot](None)
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    assert {text.get_text() for text in ax.get_legend().get_texts()} == {"actual", "expected"}
    assert ax.get_ylim()[0] == 0


def test_calibration_draws_the_numbers_of_its_frame():
    actual, expected = plots.calibration(CALIBRATION).get_lines()
    assert list(actual.get_ydata()) == [0.3, 0.9]
    assert list(expected.get_ydata()) == [0.2, 1.1]
