"""What leaves with a figure: words of what is seen, by hand for each kind of mark."""

from datetime import date, timedelta

import matplotlib.pyplot as plt
import numpy as np
import pytest
import seaborn as sns
from matplotlib.ticker import PercentFormatter

from crmlab import figures
from crmlab.figures import in_words
from crmlab.style import axes


@pytest.fixture(autouse=True)
def _figures_are_closed():
    yield
    plt.close("all")


def words(ax, title="Title"):
    return in_words(ax.figure, title).removeprefix(f"{title}. ")


def test_lines_are_put_in_words_by_their_ends_and_what_lies_beyond():
    ax = axes()
    days = [date(2024, 1, 1) + timedelta(7 * n) for n in range(4)]
    ax.plot(days, [0.2, 0.9, 0.1, 0.5], label="actual")
    ax.plot(days, [0.1, 0.2, 0.3, 0.4], label="expected")
    ax.axhline(0.5)
    ax.set(xlabel="Week\nending", ylabel="Share")
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    assert words(ax) == (
        "Share against Week ending: actual from 20.0 % at 2024-01-01 to 50.0 % at 2024-01-22, "
        "highest 90.0 % at 2024-01-08, lowest 10.0 % at 2024-01-15; "
        "expected from 10.0 % at 2024-01-01 to 40.0 % at 2024-01-22."
    )


@pytest.mark.parametrize("across", [False, True])
def test_bars_are_put_in_words_by_their_ticks(across):
    ax = axes()
    (ax.barh if across else ax.bar)(["a", "b", "c"], [3, 1, 2], label="customers")
    assert words(ax) == "Customers highest 3 at a, lowest 1 at b."


def test_maps_are_put_in_words_by_their_highest_and_lowest_cells():
    ax = sns.heatmap(np.array([[1.0, 5.0], [np.nan, 2.0]]), xticklabels=["x", "y"], yticklabels=["u", "v"], ax=axes())
    assert words(ax) == "Highest 5 at y, u, lowest 1 at x, u."
    ax = axes()
    ax.pcolormesh([0, 10, 20], [0, 1], [[0.5, 0.25, 0.125], [0.1, 0.2, 0.3]], shading="nearest")
    assert words(ax) == "Highest 0.500 at 0, 0, lowest 0.100 at 0, 1."


def test_clouds_are_counted():
    ax = axes()
    ax.scatter([1, 2, 3], [4, np.nan, 6])
    ax.set(ylabel="orders")
    assert words(ax) == "Orders: 2 points from 4 to 6."


def test_a_blank_figure_says_its_reason_and_each_panel_has_words():
    figure, (left, right) = plt.subplots(1, 2)
    left.set_axis_off()
    left.text(0.5, 0.5, "nobody\ncame back")
    right.plot([0, 1, 2], [1, 1, 1])
    right.set_title("Weeks", loc="left")
    assert in_words(figure, "Two panels.") == "Two panels. nobody came back Weeks: from 1 at 0 to 1 at 2."


def test_words_of_many_lines_end():
    ax = axes()
    for n in range(9):
        ax.plot([0, 1, 2], [n, n, n], label=f"group {n}")
    assert words(ax).endswith("group 5 from 5 at 0 to 5 at 2; and 3 more.")
    ax.set_title("long " * 400)
    assert len(words(ax)) <= figures.MOST_LETTERS + 2
    assert words(ax).endswith(" …")


def test_error_bars_are_put_in_words_once_and_marks_beside_each_other_at_their_ticks():
    ax = axes()
    ax.errorbar([0.9, 1.9, 2.9], [5, 7, 6], yerr=1, capsize=3, label="seen")
    assert words(ax) == "Seen from 5 at 1 to 6 at 3, highest 7 at 2."


def test_areas_are_named():
    ax = axes()
    ax.fill_between([1, 2], [0, 0], [1, 2], label="innovators")
    assert words(ax) == "Area: innovators."
