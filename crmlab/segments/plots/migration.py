"""Draw the frames of migration: who moved from which class to which, and what they carried."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab.estimate import number
from crmlab.segments.plots.parts import heat_map, legend_above, name_rows
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

NUMBERED = 10  # classes, up to which cells bear their numbers
COLOURS = {"rose": EXPECTED, "stayed": ACTUAL, "fell": BASELINE, "new": EXPECTED, "gone": BASELINE}
KEY = {"before": MUTED, "after, better": EXPECTED, "after, alike": ACTUAL, "after, worse": BASELINE}


@plot
def migration_matrix(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of each class that moved to each as a heat map, the best classes first.

    Parameters
    ----------
    frame : DataFrame
        Of `migration_matrix`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    rows, columns = frame.before.unique(), frame.after.unique()
    wide = frame.pivot(index="before", columns="after", values=["probability", "ci_low", "ci_high", "n"]).loc[rows]
    share, low, high, n = (wide[v][columns] for v in ("probability", "ci_low", "ci_high", "n"))
    ax = axes(ax, max(3.6, 1.6 + 0.6 * min(len(rows), 12)), max(7.2, 2.4 + 0.95 * min(len(columns), 12)))
    counted = [f"{name} ({count:,.0f})" for name, count in n.max(axis=1).items()]
    mesh = heat_map(ax, np.ma.masked_invalid(share.to_numpy(float)), columns, counted)
    ax.figure.colorbar(mesh, ax=ax, label="Share of the class before", format=PercentFormatter(1, decimals=0))
    if max(share.shape) <= NUMBERED:
        for place, value in np.ndenumerate(share.to_numpy(float)):
            _annotate(ax, place, value, low.iat[place], high.iat[place])
    across, down = (1 + len(names) // 16 for names in (columns, rows))
    ax.set_xticks(np.arange(len(columns))[::across], columns[::across], rotation=30, ha="right")
    ax.set_yticks(np.arange(len(rows))[::down], counted[::down])
    ax.set(xlabel="Class after", ylabel="Class before (customers)")
    return ax


@plot
def migration_summary(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw what those who rose, stayed and fell brought before, and bring after.

    Parameters
    ----------
    frame : DataFrame
        Of `migration_summary`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, places = axes(ax, 1.4 + 0.45 * len(frame)), np.arange(len(frame))
    ax.barh(places - 0.19, frame.value_before, 0.36, color=MUTED)
    ax.barh(places + 0.19, frame.value_after, 0.36, color=frame.index.map(COLOURS))
    values = frame[["value_before", "value_after"]]
    top = max(values.max(axis=None), 1e-9)
    for place, (change, longest) in enumerate(zip(frame.value_change, values.max(axis=1).clip(lower=0), strict=True)):
        text = f"{'+' if change > 0 else ''}{number(float(change), 3)}"
        ax.annotate(text, (longest + 0.01 * top, place), va="center", color=ACTUAL)
    ax.axvline(0, color=MUTED, linewidth=1)
    name_rows(ax, [f"{change} ({row.customers:,.0f}; {row.share:.0%})" for change, row in frame.iterrows()])
    ax.set(xlabel="Value of these customers, in the currency of the data")
    ax.set(xlim=(min(values.min(axis=None), 0), 1.15 * top))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    legend_above(ax, 4, handles=[Patch(color=color, label=label) for label, color in KEY.items()])
    return ax


def _annotate(ax, place, value, low, high):
    """The share of a cell with its interval, in per cent."""
    look = {"ha": "center", "color": ACTUAL, "textcoords": "offset points"}
    if np.isfinite(value):
        ax.annotate(f"{100 * value:.0f}", place[::-1], (0, 4), **look)
        ax.annotate(f"{100 * low:.0f}–{100 * high:.0f}", place[::-1], (0, 1), va="top", fontsize="x-small", **look)
    else:
        ax.annotate("–", place[::-1], ha="center", va="center", color=MUTED)
