"""Draw how customers come back, and from when on they are overdue."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab.lifecycle.tables.cycle import POOLED_FROM
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

LOOKS = {
    1: (EXPECTED, "-", "after the first order"),
    2: (ACTUAL, "--", "the second"),
    3: (BASELINE, "-.", "the third"),
    POOLED_FROM: (MUTED, ":", f"the {POOLED_FROM}th and later"),
}
WAIT = "Days since the order"


@plot
def return_curve(frame: pd.DataFrame, thresholds: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `return_curve`, waits in days, with the points of `overdue_thresholds` that are in days.

    Parameters
    ----------
    frame : DataFrame
        Life table by order number and wait, as from `return_curve`.
    thresholds : DataFrame
        Waits by order number, as from `overdue_thresholds`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Share who came back, 0 to 1, by days since the order, a line an order number.
    """
    ax = axes(ax)
    for number, rows in frame.groupby("order_number"):
        color = _steps(ax, number, rows.wait, rows.share, rows.share_ci_low, rows.share_ci_high)
        point = thresholds.overdue_after.get(str(number), np.nan)
        if not np.isnan(point):
            back = rows.share[rows.wait <= point].max()
            ax.plot(point, back, "v", color=color, markersize=9, markeredgecolor="white", zorder=5)
    ax.plot([], [], "v", color=ACTUAL, markersize=7, label="overdue from here on")
    ax.set(xlabel=WAIT, ylabel="Share who came back (95 % CI)", ylim=(0, 1), xlim=(0, None))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncol=3, borderaxespad=0.2)
    return ax


@plot
def return_hazard(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `return_hazard`: the probability to come back on a day, by how long a customer has waited.

    Parameters
    ----------
    frame : DataFrame
        Hazards by order number and wait, as from `return_hazard`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Probability a day, by days since the order, a line an order number.
    """
    ax = axes(ax)
    for number, rows in frame.groupby("order_number"):
        _steps(ax, number, rows.wait_from, rows.hazard, rows.ci_low, rows.ci_high)
    ax.set(xlabel=WAIT, ylabel="Probability within a day (95 % CI)", xlim=(0, None), ylim=(0, None))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False)
    return ax


@plot
def interpurchase_time_histogram(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `interpurchase_time_histogram`: times between orders by their length, those after each order on each other.

    Parameters
    ----------
    frame : DataFrame
        Gaps by order number and length, as from `interpurchase_time_histogram`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Times between orders, count, by their length in days.
    """
    ax, bottom = axes(ax), 0
    for number, rows in frame.groupby("order_number"):
        width = (rows.days_to - rows.days_from + 1).to_numpy()
        gaps, (color, _, label) = rows.gaps.to_numpy(), LOOKS[number]
        look: dict[str, Any] = {"color": color, "alpha": 0.85, "edgecolor": "white", "linewidth": 0.3, "label": label}
        ax.bar(rows.days_from - 1, gaps, width, bottom, align="edge", **look)
        bottom = bottom + gaps
    last = frame.days_to[frame.gaps > 0].max()
    unit = f"{width[0]} days" if width[0] > 1 else "a day"
    ax.set(xlabel=f"Days from an order to the next (bins of {unit})", ylabel="Times between orders")
    ax.set_xlim(0, last if last > 0 else frame.days_to.max())
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.grid(visible=False, axis="x")
    ax.legend(frameon=False)
    return ax


def _steps(ax, number, at, value, low, high):
    """A step line of an order number with its band; its colour."""
    color, style, label = LOOKS[number]
    marker = "o" if len(at) == 1 else ""  # a line of one point is not seen
    ax.plot(at, value, style, marker=marker, color=color, drawstyle="steps-post", label=label)
    ax.fill_between(at, low, high, step="post", color=color, alpha=0.13, linewidth=0)
    return color
