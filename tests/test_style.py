"""The one look of all figures."""

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from crmlab import style
from crmlab.model import blank_of

pytestmark = pytest.mark.usefixtures("figures_are_closed")


def luminance(colour):
    """Relative luminance. [WCAG 2.2]"""
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in to_rgb(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_axes_given_are_the_axes_drawn_on():
    ax = plt.figure().add_subplot()
    assert style.axes(ax) is ax
    assert len(plt.get_fignums()) == 1


def test_new_axes_have_the_look_of_the_workbench():
    ax = style.axes()
    assert not ax.spines["top"].get_visible()
    assert not ax.spines["right"].get_visible()
    assert tuple(ax.figure.get_size_inches()) == (7.2, 4.0)
    assert ax.xaxis.get_gridlines()[0].get_visible()


def test_new_axes_leave_the_global_look_alone():
    before = dict(mpl.rcParams)
    style.axes()
    assert dict(mpl.rcParams) == before


def test_each_call_without_axes_makes_a_figure_of_its_own():
    assert style.axes().figure is not style.axes().figure


@pytest.mark.parametrize("count", [1, 2, 3])
def test_panels_lie_side_by_side_on_one_new_figure_in_the_same_look(count):
    before = dict(mpl.rcParams)
    panels = style.panels(count)
    assert dict(mpl.rcParams) == before
    assert len(plt.get_fignums()) == 1
    assert panels == panels[0].figure.axes
    assert len(panels) == count
    assert panels[0].figure.get_size_inches()[0] == pytest.approx(4.6 * count if count > 1 else 7.2)
    panels[0].figure.draw_without_rendering()
    boxes = [ax.get_window_extent() for ax in panels]
    assert all(one.x1 < other.x0 and one.y0 == other.y0 for one, other in itertools.pairwise(boxes))
    assert not any(ax.spines["top"].get_visible() for ax in panels)
    assert all(ax.xaxis.get_gridlines()[0].get_visible() for ax in panels)


@pytest.mark.parametrize("count", [1, 2, 3])
def test_stacked_axes_lie_one_below_the_other_and_are_as_wide_as_one_alone(count):
    stacked = style.stacked(count)
    assert stacked == stacked[0].figure.axes
    assert stacked[0].figure.get_size_inches() == pytest.approx([7.2, 4.0 if count == 1 else 3.2 * count])
    stacked[0].figure.draw_without_rendering()
    boxes = [ax.get_window_extent() for ax in stacked]
    assert all(one.y0 > other.y1 and one.x0 == other.x0 for one, other in itertools.pairwise(boxes))


@pytest.mark.parametrize("colour", [style.ACTUAL, style.EXPECTED, style.BASELINE, style.MUTED])
def test_every_colour_stands_out_on_white(colour):
    assert 1.05 / (luminance(colour) + 0.05) >= 4.5


def test_a_colour_has_one_meaning():
    assert len({style.ACTUAL, style.EXPECTED, style.BASELINE, style.MUTED}) == 4
    assert style.BAND.startswith(style.EXPECTED)


@pytest.mark.filterwarnings("error")
def test_what_one_font_lacks_is_written_in_the_first_installed_that_has_it(monkeypatch):
    monkeypatch.setattr(
        style, "CJK_FONTS", ("no such font", "STIXGeneral", "STIXNonUnicode")
    )  # matplotlib brings these
    ax = style.axes()
    ax.set_title("CRM \u2980")  # a sign that STIX has, and DejaVu has not
    ax.annotate("\u2980", (0.5, 0.5))
    ax.figure.draw_without_rendering()
    monkeypatch.setattr(style, "CJK_FONTS", ())
    with pytest.raises(UserWarning, match="missing from font"):
        ax.figure.draw_without_rendering()


def test_a_long_reason_fits_the_figure_that_bears_it():
    @style.plot
    def drawn(frame: pd.DataFrame, ax=None):
        raise AssertionError("a blank frame is not drawn")

    ax = drawn(blank_of(pd.DataFrame, "too few customers; " * 90))
    assert ax.texts[0].get_text().endswith("…")
    ax.figure.draw_without_rendering()
    text, figure = ax.texts[0].get_window_extent(), ax.figure.bbox
    assert figure.y0 < text.y0 < text.y1 < figure.y1
    assert drawn(blank_of(pd.DataFrame, "too few")).texts[0].get_text() == "too few"
