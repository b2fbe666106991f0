"""Draw the frames of migration: who moved from which class to which, and what they carried."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, PercentFormatter

from crmlab.estimate import number
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

NUMBERED = 10  # classes, up to which cells bear their numbers
PALE = ListedColormap(np.linspace([1, 1, 1], [0.5, 0.72, 0.85], 64))  # from white to a shade that text can be read on
COLOURS = {"rose": EXPECTED, "stayed": ACTUAL, "fell": BASELINE, "new": EXPECTED, "gone": BASELINE}


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
    share = frame.pivot(index="before", columns="after", values="probability").loc[rows, columns]
    low, high, n = (
        frame.pivot(index="before", columns="after", values=v).loc[rows, columns] for v in ("ci_low", "ci_high", "n")
    )
    ax = axes(ax, max(3.6, 1.6 + 0.6 * min(len(rows), 12)), max(7.2, 2.4 + 0.95 * min(len(columns), 12)))
    mesh = ax.imshow(np.ma.masked_invalid(share.to_numpy(float)), cmap=PALE, vmin=0, vmax=1, aspect="auto")
    ax.figure.colorbar(mesh, ax=ax, label="Share of the class before", format=PercentFormatter(1, decimals=0))
    if max(share.shape) <= NUMBERED:
        for place, value in np.ndenumerate(share.to_numpy(float)):
            _annotate(ax, place, value, low.iat[place], high.iat[place])
    across, down = (1 + len(names) // 16 for names in (columns, rows))
    ax.set_xticks(np.arange(len(columns))[::across], columns[::across], rotation=30, ha="right")
    counted = [f"{name} ({count:,.0f})" for name, count in n.max(axis=1).items()]
    ax.set_yticks(np.arange(len(rows))[::down], counted[::down])
    ax.set(xlabel="Class after", ylabel="Class before (customers)")
    ax.grid(visible=False)
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
    ax.barh(places + 0.19, frame.value_after, 0.36, color=[COLOURS[c] for c in frame.index])
    top = max(frame.value_before.max(), frame.value_after.max(), 1e-9)
    for place, row in zip(places, frame.itertuples(), strict=True):
        text = f"{'+' if row.value_change > 0 else ''}{number(float(row.value_change), 3)}"
        ax.annotate(text, (max(row.value_before, row.value_after, 0) + 0.01 * top, place), va="center", color=ACTUAL)
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_yticks(places, [f"{change} ({row.customers:,.0f}; {row.share:.0%})" for change, row in frame.iterrows()])
    ax.set(xlabel="Value of these customers, in the currency of the data")
    ax.set(xlim=(min(frame[["value_before", "value_after"]].min().min(), 0), 1.15 * top), ylim=(len(frame) - 0.4, -0.6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    looks = {"before": MUTED, "after, better": EXPECTED, "after, alike": ACTUAL, "after, worse": BASELINE}
    handles = [Patch(color=color, label=label) for label, color in looks.items()]
    ax.legend(handles=handles, frameon=False, ncol=4, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    return ax


def _annotate(ax, place, value, low, high):
    """The share of a cell with its interval, in per cent."""
    if np.isfinite(value):
        ax.annotate(f"{100 * value:.0f}", place[::-1], (0, 4), textcoords="offset points", ha="center", color=ACTUAL)
        ends = f"{100 * low:.0f}–{100 * high:.0f}"
        look = {"ha": "center", "va": "top", "fontsize": "x-small", "color": ACTUAL}
        ax.annotate(ends, place[::-1], (0, 1), textcoords="offset points", **look)
    else:
        ax.annotate("–", place[::-1], ha="center", va="center", color=MUTED)
