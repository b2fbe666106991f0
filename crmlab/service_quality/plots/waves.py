"""Draw how far answers changed between two waves."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from crmlab.service_quality.models.asked import percent_interval
from crmlab.service_quality.plots.lines import legend, rows
from crmlab.style import ACTUAL, BASELINE, MUTED, axes, plot

COMPARABLE = {  # whether both waves measure the same -> colour, marker, what the legend says
    "yes": (ACTUAL, "o", "comparable"),
    "undecided": (MUTED, "o", "undecided"),
    "no": (BASELINE, "X", "not comparable"),
}


@plot
def wave_changes(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the change of each dimension with its interval, and whether both waves measure the same.

    Parameters
    ----------
    frame : DataFrame
        Of `wave_changes`.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    ax, places = axes(ax, 1.6 + 0.42 * max(len(frame), 2), 6.4), np.arange(len(frame))
    for kind, (color, marker, label) in COMPARABLE.items():
        held = ((frame.comparable == kind) & frame.change.notna()).to_numpy()
        ends = frame.simultaneous_ci_low[held], frame.simultaneous_ci_high[held]
        ax.hlines(places[held], *ends, color=color)
        if held.any():
            face = "white" if kind == "undecided" else color
            ax.plot(frame.change[held], places[held], marker, color=color, markerfacecolor=face, label=label)
    ax.axvline(0, color=MUTED, linewidth=1)
    where: dict[str, Any] = {
        "xycoords": ("axes fraction", "data"),
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    for place, row in zip(places, frame.itertuples(), strict=True):
        means = f"{row.before:.2f} to {row.after:.2f}" if row.change == row.change else "no number"
        ax.annotate(means, (1, place), (4, 0), va="center", fontsize="small", color=MUTED, **where)
    rows(ax, frame.dimension.str.capitalize() + frame.n.map("\n(n {:,.0f})".format))
    ax.margins(x=0.08)
    waves = f" of waves {frame.waves.iloc[0]}" if frame.waves.notna().any() else ""
    interval = percent_interval(frame, "simultaneous interval")
    ax.set_xlabel(f"Change of the mean answer{waves}, points of the scale\n({interval})")
    if ax.get_legend_handles_labels()[0]:
        legend(ax, 3, fontsize="small", title="Waves are", title_fontsize="small", alignment="left")
    return ax
