"""Draw the frames of the portfolio: how far value is concentrated, where it lies, and where the budget goes."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from crmlab.estimate import number
from crmlab.segments.models.value import SHARE_OF_VALUE
from crmlab.segments.plots.parts import heat_map, in_percent, legend_above, name_rows
from crmlab.style import ACTUAL, BASELINE, MUTED, axes, plot

SHARES = {"share": ("customers", MUTED), "value_share": ("value", ACTUAL)}


@plot
def value_concentration(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of all value that the best customers bring.

    Parameters
    ----------
    frame : DataFrame
        Of `value_concentration`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, places = axes(ax, 1.2 + 0.4 * len(frame)), np.arange(len(frame))
    ax.barh(places, frame.value_share, 0.6, color=ACTUAL)
    alike = "if all were worth the same"
    ax.plot(frame.index, places, "|", color=BASELINE, markersize=16, markeredgewidth=2, label=alike)
    for place, share in enumerate(frame.value_share):
        ax.annotate(f"{share:.1%}", (share + 0.01, place), va="center", color=ACTUAL)
    name_rows(ax, [f"best {100 * share:.4g} % ({count:,})" for share, count in frame.customers.items()])
    ax.set(xlabel="Share of all value", xlim=(0, 1.1), xticks=np.linspace(0, 1, 6))
    in_percent(ax.xaxis)
    legend_above(ax)
    return ax


@plot
def segment_portfolio(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw where value lies: segments by stages as a heat map, or segments alone as bars.

    Parameters
    ----------
    frame : DataFrame
        Of `segment_portfolio`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    return _cells(frame, ax) if frame.index.nlevels > 1 else _bars(frame, ax)


@plot
def segment_treatments(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of the budget that each segment gets, beside its share of value.

    Parameters
    ----------
    frame : DataFrame
        Of `segment_treatments`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, places = axes(ax, 1.4 + 0.34 * len(frame)), np.arange(len(frame))
    ax.hlines(places, frame.value_share, frame.budget_share, color=MUTED)
    ax.plot(frame.share, places, "|", color=MUTED, markersize=12, markeredgewidth=2, label="customers")
    ax.plot(frame.value_share, places, "o", color=ACTUAL, label="value")
    ax.plot(frame.budget_share, places, "X", color=BASELINE, label="budget")
    name_rows(ax, [f"{label} ({row.customers:,}; {row.owner})" for label, row in frame.iterrows()])
    return _of_all(ax)


def _bars(frame, ax):
    ax, places = axes(ax, 1.4 + 0.4 * len(frame)), np.arange(len(frame))
    wide = 0.8 / len(SHARES)
    for k, (name, (label, color)) in enumerate(SHARES.items()):
        ax.barh(places - 0.4 + wide * (k + 0.5), frame[name], 0.9 * wide, color=color, label=label)
    look: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": "small", "color": ACTUAL}
    for place, row in zip(places, frame.itertuples(), strict=True):
        ax.annotate(number(float(row.value), 3), (max(row.value_share, 0), place + wide / 2), (4, 0), **look)
    ax.margins(x=0.12)
    ax.axvline(0, color=MUTED, linewidth=1)
    name_rows(ax, [f"{label} ({count:,})" for label, count in frame.customers.items()])
    return _of_all(ax, "; at the bars, value in the currency of the data")


def _of_all(ax, more=""):
    ax.set(xlabel=f"Share of all{more}")
    in_percent(ax.xaxis)
    legend_above(ax, 3)
    return ax


def _cells(frame, ax):
    worth, text = ("clv", "expected value") if "clv" in frame else ("value", "value")
    share = frame.value_share.unstack(sort=False)
    ax = axes(ax, max(3.2, 1.4 + 0.55 * share.shape[0]), max(7.2, 2.4 + 1.3 * share.shape[1]))
    mesh = heat_map(ax, share, share.columns, share.index, vmax=max(float(share.max(axis=None)), 1e-9))
    ax.figure.colorbar(mesh, ax=ax, label=SHARE_OF_VALUE.capitalize(), format=PercentFormatter(1))
    for (row, column), cell in np.ndenumerate(share.to_numpy()):
        of = frame.loc[(share.index[row], share.columns[column])]
        count = int(of.customers)
        said = f"{cell:.1%}\n{count:,} × {number(float(of[worth] / count), 3)}" if count else "nobody"
        look = {"ha": "center", "va": "center", "fontsize": "x-small"}
        ax.annotate(said, (column, row), color=ACTUAL if count else MUTED, **look)
    ax.set(xlabel=f"Lifecycle stage; in cells: {SHARE_OF_VALUE}, and customers × mean {text}", ylabel="Segment")
    return ax
