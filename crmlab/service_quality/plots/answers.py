"""Draw how answers are spread over the scale."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import FuncFormatter

from crmlab.service_quality.plots.lines import legend, lines, room
from crmlab.style import BASELINE, EXPECTED, MUTED, plot

MAX_LEVELS = 11  # levels that a legend can name one by one


@plot
def response_frequencies(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw stacked bars that part at the neutral point, and beside them answers that are not applicable.

    Parameters
    ----------
    frame : DataFrame
        Of `response_frequencies`.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    levels = [name for name in frame if isinstance(name, int)]
    held = lines(frame)
    ax = room(held, ax, extra=1.6 if len(levels) <= MAX_LEVELS else 1.3)
    rows = held[~held.title]
    share = rows[levels].to_numpy(dtype=float)
    middle = (levels[0] + levels[-1]) / 2
    below = share[:, [level < middle for level in levels]].sum(axis=1)
    left = -below - sum(share[:, i] / 2 for i, level in enumerate(levels) if level == middle)
    for i, level in enumerate(levels):
        noted = str(level) if len(levels) <= MAX_LEVELS or level in (levels[0], levels[-1]) else None
        style: dict[str, Any] = {"hatch": "//" if level < middle else None, "edgecolor": "white", "linewidth": 0.4}
        ax.barh(rows.place, share[:, i], 0.72, left=left, color=_shade(level, middle, levels), label=noted, **style)
        left = left + share[:, i]
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set(xlabel=f"Share of answers, centred on {middle:g}", xlim=_ends(share, levels, middle))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{abs(x):.0%}"))
    legend(ax, MAX_LEVELS, handlelength=1, title="answer", alignment="left")
    _not_applicable_bars(ax, rows)
    return ax


def _not_applicable_bars(ax, rows):
    """Bars of those to whom an item does not apply, on a scale of their own."""
    side = ax.inset_axes([1.06, 0, 0.14, 1], sharey=ax)
    side.barh(rows.place, rows.not_applicable, 0.72, color="white", edgecolor=MUTED, hatch="xx", linewidth=0.5)
    most = max(np.nanmax(rows.not_applicable.to_numpy(dtype=float), initial=0), 0.05)
    side.set_xlim(0, 1.3 * most)
    side.set_xticks([most])
    side.set_xlabel("Not\napplicable", fontsize="small")
    side.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:.0%}"))
    side.tick_params(axis="y", left=False, labelleft=False)
    side.tick_params(axis="x", labelsize="small")
    side.spines[["top", "right"]].set_visible(False)
    side.grid(visible=False)


def _ends(share, levels, middle):
    """Both ends of the axis, alike, so that bars lean where answers do."""
    neutral = np.nansum(share[:, [level == middle for level in levels]], axis=1) / 2
    sides = [[level < middle for level in levels], [level > middle for level in levels]]
    low, high = (max(np.max(np.nansum(share[:, side], axis=1) + neutral, initial=0), 0.1) * 1.05 for side in sides)
    return -low, high


def _shade(level, middle, levels):
    """Brown below the neutral point, blue above it, deeper towards the ends."""
    if level == middle:
        return "#d0d4d9"
    depth = 0.25 + 0.75 * abs(level - middle) / (levels[-1] - middle)
    return tuple(1 - depth * (1 - part) for part in to_rgb(EXPECTED if level > middle else BASELINE))
