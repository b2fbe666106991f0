"""Draw the frames of the portfolio: how far value is concentrated, where it lies, and where the budget goes."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from crmlab.estimate import number
from crmlab.segments.plots.migration import PALE
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot


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
    ax.plot(
        frame.index, places, "|", color=BASELINE, markersize=16, markeredgewidth=2, label="if all were worth the same"
    )
    for place, row in zip(places, frame.itertuples(), strict=True):
        ax.annotate(f"{row.value_share:.1%}", (row.value_share + 0.01, place), va="center", color=ACTUAL)
    ax.set_yticks(places, [f"best {s:.4g} % ({c:,})" for s, c in zip(100 * frame.index, frame.customers, strict=True)])
    ax.set(xlabel="Share of all value", xlim=(0, 1.1), ylim=(len(frame) - 0.4, -0.6))
    ax.set_xticks(np.linspace(0, 1, 6))
    _quiet(ax)
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
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
    ax.set_yticks(places, [f"{label} ({row.customers:,}; {row.owner})" for label, row in frame.iterrows()])
    ax.set(xlabel="Share of all", ylim=(len(frame) - 0.4, -0.6))
    _quiet(ax)
    ax.legend(frameon=False, ncol=3, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    return ax


def _bars(frame, ax):
    ax, places = axes(ax, 1.4 + 0.4 * len(frame)), np.arange(len(frame))
    shares = {
        "share": ("customers", MUTED),
        "value_share": ("value so far", ACTUAL),
        "clv_share": ("value to come", EXPECTED),
    }
    shares = {name: look for name, look in shares.items() if name in frame}
    wide = 0.8 / len(shares)
    for k, (name, (label, color)) in enumerate(shares.items()):
        ax.barh(places - 0.4 + wide * (k + 0.5), frame[name], 0.9 * wide, color=color, label=label)
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_yticks(places, [f"{label} ({count:,})" for label, count in frame.customers.items()])
    ax.set(xlabel="Share of all", ylim=(len(frame) - 0.4, -0.6))
    _quiet(ax)
    ax.legend(frameon=False, ncol=3, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    return ax


def _cells(frame, ax):
    worth = "clv" if "clv" in frame else "value"
    share = frame[f"{worth}_share"].unstack(sort=False)
    ax = axes(ax, max(3.2, 1.4 + 0.55 * share.shape[0]), max(7.2, 2.4 + 1.3 * share.shape[1]))
    mesh = ax.imshow(share, cmap=PALE, vmin=0, vmax=max(float(share.max().max()), 1e-9), aspect="auto")
    text = "value to come" if worth == "clv" else "value so far"
    ax.figure.colorbar(mesh, ax=ax, label=f"Share of {text}", format=PercentFormatter(1, decimals=0))
    mean = frame[worth] / frame.customers.where(frame.customers > 0)
    for place, cell in np.ndenumerate(share.to_numpy()):
        key = (share.index[place[0]], share.columns[place[1]])
        count = frame.customers[key]
        said = f"{cell:.1%}\n{count:,} × {number(float(mean[key]), 3)}" if count else "nobody"
        ax.annotate(said, place[::-1], ha="center", va="center", fontsize="x-small", color=ACTUAL if count else MUTED)
    ax.set_xticks(range(share.shape[1]), share.columns)
    ax.set_yticks(range(share.shape[0]), share.index)
    ax.set(xlabel=f"Lifecycle stage; in cells: share, and customers × mean {text}", ylabel="Segment")
    ax.grid(visible=False)
    return ax


def _quiet(ax):
    """Shares along the bottom, and no lines along bars."""
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
