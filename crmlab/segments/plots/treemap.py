"""Draw what segments bring as tiles."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.patches import Rectangle

from crmlab.segments.models.value import SHARE_OF_VALUE
from crmlab.segments.plots.parts import PALE
from crmlab.style import ACTUAL, axes, plot

WIDTH = 1.5  # of the whole, where its height is 1
SIZES = (9.5, 8.5, 7.5)  # of names, points: the first that fits into the tile


@plot
def segment_treemap(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw segments as tiles: area is the share of value, shade the mean value of a customer.

    Parameters
    ----------
    frame : DataFrame
        Of `segment_portfolio`, without stages or with them.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.

    Notes
    -----
    Segments that bring nothing have no tile; those whose tile is too small for a name are listed below.

    References
    ----------
    Bruls, Huizing & van Wijk (2000), Squarified treemaps.
    """
    ax, held = axes(ax, 4.6, 6.0), frame[frame.value_share > 0].sort_values("value_share", ascending=False)
    means = held.value / held.customers
    shades = ScalarMappable(Normalize(0, means.max() if len(means) else 1), PALE)
    ax.set(xlim=(0, WIDTH), ylim=(1, 0), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.figure.colorbar(shades, ax=ax, label="Mean value of a customer, currency of the data", format="{x:,.6g}")
    boxes = tiles(held.value_share / held.value_share.sum() * WIDTH, 0, 0, WIDTH, 1)
    drawn = list(zip(held.index, held.itertuples(), boxes, means, strict=True))
    for _, _, (x, y, width, height), mean in drawn:
        ax.add_patch(Rectangle((x, y), width, height, facecolor=shades.to_rgba(mean), edgecolor="white", linewidth=2))
    ax.set_xlabel(f"Area: {SHARE_OF_VALUE}")
    names = {key: key if isinstance(key, str) else ", ".join(key) for key in held.index}
    small = _name(ax, [(names[key], row, box) for key, row, box, _ in drawn])
    nothing = [] if frame.index.nlevels > 1 else [*frame.index[~frame.index.isin(held.index)]]
    lines = [f"Too small for a name: {', '.join(small)}"] * bool(small)
    lines += [f"Without value: {', '.join(nothing)}"] * bool(nothing)
    ax.set_xlabel("\n".join([f"Area: {SHARE_OF_VALUE}", *lines]))
    return ax


def tiles(areas: Sequence[float], x: float, y: float, width: float, height: float) -> list[tuple]:
    """Boxes (x, y, width, height) of areas, the largest first, that fill a box and are as near to squares as can be.

    [Bruls, Huizing & van Wijk 2000: a row of tiles goes along the shorter side while that makes its worst tile squarer]
    """
    boxes, left = [], list(areas)
    while left:
        side = min(width, height)
        more = range(1, len(left))
        count = next((n for n in more if _worst(left[: n + 1], side) > _worst(left[:n], side)), len(left))
        row, left, at = left[:count], left[count:], 0.0
        thick = sum(row) / side
        for area in row:
            boxes.append((x, y + at, thick, area / thick) if width >= height else (x + at, y, area / thick, thick))
            at += area / thick
        if width >= height:
            x, width = x + thick, width - thick
        else:
            y, height = y + thick, height - thick
    return boxes


def _worst(row, side):
    """The largest ratio of sides of the tiles of a row."""
    thick = sum(row) / side
    return max(max(area / thick**2, thick**2 / area) for area in (row[0], row[-1]))


def _name(ax, drawn):
    """Name tiles; those that are too small for it, with their shares: a list."""
    ax.figure.draw_without_rendering()  # settles where tiles are
    unnamed = [(name, row) for name, row, box in drawn if not _write(ax, name, row, box)]
    return [f"{name} ({row.value_share:.1%})" for name, row in unnamed]


def _write(ax, name, row, box):
    """Name a tile, with its share and customers, as far as they fit; whether its name does."""
    x, y, width, height = box
    corners = ax.transData.transform([(x, y), (x + width, y + height)])
    room = abs(corners[1] - corners[0]) - 8
    numbers = f"{row.value_share:.1%}\n{row.customers:,.0f} customer{'s' * (row.customers != 1)}"
    for text in (f"{name}\n{numbers}", name.replace(" ", "\n", 1) + f"\n{numbers}", name, name.replace(" ", "\n", 1)):
        for size in SIZES:
            note = ax.text(x + width / 2, y + height / 2, text, ha="center", va="center", fontsize=size, color=ACTUAL)
            extent = note.get_window_extent()
            if extent.width <= room[0] and extent.height <= room[1]:
                return True
            note.remove()
    return False
