"""What plots of this domain share: rows with names, heat maps, names beside points, and legends above the axes."""

from collections.abc import Iterable, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axis import Axis
from matplotlib.colors import ListedColormap
from matplotlib.image import AxesImage
from matplotlib.ticker import PercentFormatter

from crmlab.style import ACTUAL, axes, plot

LABEL_SPACING = 0.045  # of the height, between names of points


def pale(*shade: float) -> ListedColormap:
    """From white to a shade that text can be read on."""
    return ListedColormap(np.linspace([1, 1, 1], shade, 64))


PALE = pale(0.5, 0.72, 0.85)


def name_rows(ax: plt.Axes, names: Sequence[str], margin: float = 0.6) -> None:
    """A name at each row, the first on top, and no lines along rows."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 1 + margin, -margin)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)


@plot
def draw_reason(blank: pd.DataFrame, ax: plt.Axes | None) -> plt.Axes:
    """Draws why a frame is blank."""
    return axes(ax)


def legend_above(ax: plt.Axes, columns: int = 1, **look: Any) -> None:
    """The legend above the axes, from the left."""
    place: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (0, 1.0), "borderaxespad": 0.2}
    ax.legend(frameon=False, ncol=columns, **(place | look))


def in_percent(*axes: Axis) -> None:
    """Shares along axes as whole per cents."""
    for axis in axes:
        axis.set_major_formatter(PercentFormatter(1, decimals=0))


def heat_map(ax: plt.Axes, values: Any, columns: Sequence[Any], rows: Sequence[Any], **look: Any) -> AxesImage:
    """Cells coloured by their value, with the names of columns and rows."""
    usual: dict[str, Any] = {"cmap": PALE, "vmin": 0, "vmax": 1}
    mesh = ax.imshow(values, aspect="auto", **(usual | look))
    ax.set_xticks(range(len(columns)), columns)
    ax.set_yticks(range(len(rows)), rows)
    ax.grid(visible=False)
    return mesh


def write_cells(ax: plt.Axes, texts: Any, **look: Any) -> None:
    """A text in the middle of each cell, rows by columns."""
    for (row, column), text in np.ndenumerate(np.asarray(texts, dtype=object)):
        ax.annotate(text, (column, row), ha="center", va="center", **({"color": ACTUAL} | look))


def name_points(ax: plt.Axes, placed: Iterable[tuple[float, float, str]], color: str, right: float) -> None:
    """Names to the right of their points, those that would overlap moved up."""
    bottom, top = ax.get_ylim()
    last = -np.inf
    white = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75}
    look: dict[str, Any] = {"va": "center", "fontsize": "small", "annotation_clip": False, "bbox": white}
    for x, y, name in sorted(placed, key=lambda p: p[1]):
        last = max(y, last + LABEL_SPACING * (top - bottom))
        ax.annotate(name, (x * right, last), color=color, zorder=2.5, **look)
