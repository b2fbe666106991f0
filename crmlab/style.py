"""One look for all figures: colours by meaning, and the axes to draw on."""

import functools
import inspect
from collections.abc import Callable
from functools import cache
from textwrap import fill, shorten
from typing import Any

import matplotlib.figure
import matplotlib.pyplot as plt
import seaborn as sns
from matplotlib.font_manager import findfont, fontManager, get_font
from matplotlib.text import Text

from crmlab.guard import guarded
from crmlab.model import P, T, why_blank

ACTUAL = "#1b1f24"  # what was observed
EXPECTED = "#0b6fa4"  # what a model says
BASELINE = "#9a6700"  # the baseline it must beat
BAND = "#0b6fa433"  # an interval about EXPECTED
MUTED = "#6e7781"  # marks that only help to read

DPI = 144  # dots an inch
LONGEST_REASON = 500  # letters of why a figure is blank: nine lines; the tables say it in full

RC_PARAMS = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#e6e8eb",
}

FONT = "DejaVu Sans"  # matplotlib brings it
CJK_FONTS = [  # the first of these that is installed writes what FONT lacks: Chinese, Japanese and Korean
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "WenQuanYi Micro Hei",
    "Microsoft YaHei",
    "PingFang SC",
    "Hiragino Sans GB",
    "SimHei",
]


class Figure(matplotlib.figure.Figure):  # of the same name, as notebooks show it
    """A figure that writes what FONT lacks in another font, where one is installed."""

    def draw(self, renderer):
        has = _letters()
        for text in self.findobj(Text):
            if any(ord(letter) not in has for letter in text.get_text()):
                text.set_fontfamily(fonts())
        super().draw(renderer)


@cache
def _letters():
    """The letters of FONT, as numbers."""
    return set(get_font(findfont(FONT)).get_charmap())


def fonts():
    """FONT, and the first of CJK_FONTS that matplotlib knows of: a list."""
    installed = {font.name for font in fontManager.ttflist}
    return [FONT, *[name for name in CJK_FONTS if name in installed][:1]]


def axes(ax=None, height=4.0, width=7.2):
    """The axes given, or those of a new figure of this size, inches, in the workbench's look."""
    if ax is not None:
        return ax
    (ax,) = panels(1)
    ax.figure.set_size_inches(width, height)
    return ax


def panels(count):
    """Axes side by side on a new figure, in the workbench's look: a list."""
    return _grid((7.2 if count == 1 else 4.6 * count, 4.0), 1, count)


def stacked(count):
    """Axes one below the other on a new figure, no wider than one alone, in the workbench's look: a list."""
    return _grid((7.2, 4.0 if count == 1 else 3.2 * count), count, 1)


def _grid(size, rows, columns):
    # the figure comes first: matplotlib settles its backend then, which the style must not undo when it ends
    figure = plt.figure(figsize=size, dpi=DPI, layout="constrained", FigureClass=Figure)
    with sns.axes_style("ticks", RC_PARAMS), sns.plotting_context("paper", font_scale=1.1):
        return [figure.add_subplot(rows, columns, place + 1) for place in range(rows * columns)]


def plot(draw: Callable[P, T]) -> Callable[P, T]:
    """Decorates a function that draws a frame, its first argument, on `ax`: the frame stays with the axes.

    A function that draws panels gives a list of axes; the frame stays with the first of them.

    Where the frame, or anything else it is given, is blank (Unfitted, or a frame with a reason), the axes are empty
    and bear the reason.
    """
    draw = guarded(draw)
    signature = inspect.signature(draw)

    @functools.wraps(draw)
    def drawn(*given: P.args, **named: P.kwargs) -> T:
        bound = signature.bind(*given, **named).arguments
        asked = [value for name, value in bound.items() if name != "ax"]
        if reason := why_blank(*asked):
            ax = axes(bound.get("ax"))
            ax.text(
                0.5,
                0.5,
                fill(shorten(reason, LONGEST_REASON, placeholder=" …"), 60),
                transform=ax.transAxes,
                ha="center",
                va="center",
                color=MUTED,
            )
            ax.set_axis_off()
        else:
            ax = draw(*given, **named)
        (ax[0] if isinstance(ax, list) else ax).crmlab_frame = asked[0]
        return ax

    return drawn


def drawn_frame(ax: plt.Axes) -> Any:
    """The frame that a plot of this library drew on these axes; None where none did."""
    return getattr(ax, "crmlab_frame", None)
