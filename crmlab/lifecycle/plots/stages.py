"""Draw the stages of customers: how many are in each, how they move, their value, how satisfied they are."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab.contracts import InputError
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

FILLS = {"establishment": "#cfe3ee", "growth": "#6fb1d3", "maturity": EXPECTED, "decline": "#d9c39a"}
FEW = 30  # customers, of fewer of whom a share is not drawn
MEASURES = {"horizon_value": "over the next periods", "lifetime_value": "over an infinite horizon"}
NARROW = 0.1  # of all customers, below which a band cannot bear its name


@plot
def stage_shares(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `stage_shares`: customers by stage at the end of each period, as bands that sum to all.

    Parameters
    ----------
    frame : DataFrame
        Shares by period and stage, as from `stage_shares`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Share of customers, 0 to 1, by period.
    """
    ax = axes(ax)
    bands = frame.pivot(index="period", columns="stage", values="share")[list(STAGES)]
    ax.stackplot(bands.index, bands.T, colors=[FILLS[s] for s in STAGES], edgecolor="white", linewidth=0.6)
    middles, edge = bands.cumsum(axis=1) - bands / 2, -(-len(bands) // 6)  # names keep away from both ends
    inner = bands.iloc[edge:-edge] if len(bands) > 2 * edge else bands
    for stage in STAGES:
        widest = inner[stage].idxmax()
        look: dict[str, Any] = {"va": "center", "color": "white" if stage == "maturity" else ACTUAL}
        if bands.loc[widest, stage] < NARROW:
            line = {"arrowstyle": "-", "color": ACTUAL, "linewidth": 0.6}
            look = {"xytext": (0, 16), "textcoords": "offset points", "color": ACTUAL, "arrowprops": line}
        ax.annotate(stage, (widest, middles.loc[widest, stage]), ha="center", fontsize="small", **look)
    ax.set(xlabel="Period that begins", ylabel="Share of customers at its end", ylim=(0, 1))
    ax.set_xlim(bands.index[0], bands.index[-1])
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.grid(visible=False)
    return ax


@plot
def decline_and_recovery(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `decline_and_recovery`: shares that moved into decline, and that recovered, of FEW customers and more.

    Parameters
    ----------
    frame : DataFrame
        Moves by period, as from `decline_and_recovery`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Share who moved, 0 to 1, by period, with its band.
    """
    ax, frame = axes(ax), frame[frame.customers >= FEW]
    looks = {"declined": (BASELINE, "-", "those not in decline"), "recovered": (EXPECTED, "--", "those in decline")}
    for change, (color, style, of) in looks.items():
        rows = frame[frame.change == change]
        ax.plot(rows.period, rows.share, style, color=color, label=f"{change}, of {of}")
        ax.fill_between(rows.period, rows.ci_low, rows.ci_high, color=color, alpha=0.15, linewidth=0)
    ax.set(xlabel="Period that begins", ylabel="Share who moved in it (95 % CI)", ylim=(0, None))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncol=2, borderaxespad=0.2)
    return ax


@plot
def transition_probabilities(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `transition_probabilities`: the probability of moving from each stage (row) to each, as a heat map.

    Parameters
    ----------
    frame : DataFrame
        Probabilities by pair of stages, as from `transition_probabilities`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        A row a stage a period earlier, a column a stage.
    """
    ax = axes(ax, 4.4, 6.4)
    probability, ci_low, ci_high = (
        frame.pivot(index="previous", columns="stage", values=name).loc[list(STAGES), list(STAGES)]
        for name in ("probability", "ci_low", "ci_high")
    )
    ax.imshow(np.ma.masked_invalid(probability.to_numpy(float)), vmin=0, vmax=1, cmap="Blues", aspect="auto")
    for row, column in np.ndindex(probability.shape):
        p, ends = probability.iat[row, column], (ci_low.iat[row, column], ci_high.iat[row, column])
        text = "unknown" if np.isnan(p) else f"{p:.1%}\n({ends[0]:.1%} to {ends[1]:.1%})"
        text = "impossible" if p == 0 and np.isnan(ends[0]) else text
        color = "white" if p > 0.5 else ACTUAL if np.isfinite(ends[0]) else MUTED
        ax.text(column, row, text, ha="center", va="center", fontsize="small", color=color)
    of = frame.drop_duplicates("previous").set_index("previous")["n"]
    ax.set_xticks(range(len(STAGES)), STAGES)
    ax.set_yticks(range(len(STAGES)), [f"{stage}\n({of[stage]:,})" for stage in STAGES])
    ax.set(xlabel="Stage a period later: probability (95 % CI)", ylabel="Stage (customers in it, once a period)")
    ax.grid(visible=False)
    ax.tick_params(length=0)
    return ax


@plot
def stage_values(
    frame: pd.DataFrame, measure: str = "horizon_value", currency: str = "", ax: Axes | None = None
) -> Axes:
    """Draw `stage_values`: what a customer of each stage is still worth.

    Parameters
    ----------
    frame : DataFrame
        Values by stage, as from `stage_values`.
    measure : str
        Column to draw: "horizon_value", over the next periods, or "lifetime_value", over an infinite horizon.
    currency : str
        Currency of the amounts; "" names none.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Value of a customer, in the currency of the data, a line a stage.

    Raises
    ------
    InputError
        Where `measure` is none of these.
    """
    if measure not in MEASURES:
        raise InputError(f"measure = {measure!r}: choose one of {', '.join(map(repr, MEASURES))}")
    ax = axes(ax)
    known = frame[frame[measure].notna()].iloc[::-1]
    _points(ax, known.index, known[measure], known[f"{measure}_ci_low"], known[f"{measure}_ci_high"])
    ax.set(xlabel=f"Value of a customer {MEASURES[measure]}, {currency or 'currency of the data'} (95 % CI)")
    ax.set(ylabel="Stage")
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_xlim(min(0, ax.get_xlim()[0]), None)
    return ax


@plot
def satisfaction_by_stage(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `satisfaction_by_stage`: mean satisfaction of customers by stage.

    Parameters
    ----------
    frame : DataFrame
        Means by stage, as from `satisfaction_by_stage`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Mean satisfaction, in points of the answers, a line a stage.
    """
    ax = axes(ax)
    known = frame[frame["mean"].notna()].iloc[::-1]
    names = [f"{stage} ({n:,})" for stage, n in known.customers.items()]
    _points(ax, names, known["mean"], known.ci_low, known.ci_high)
    ax.set(xlabel="Mean satisfaction, in points of the answers (95 % CI)", ylabel="Stage (customers who answered)")
    return ax


def _points(ax, names, middle, low, high):
    """A line a name, with its interval where it has one."""
    places = np.arange(len(names))
    ax.hlines(places, low, high, color=MUTED, linewidth=2)
    ax.plot(middle, places, "o", color=EXPECTED, markersize=7)
    ax.set_yticks(places, names)
    ax.set_ylim(-0.6, len(names) - 0.4)
    ax.grid(visible=False, axis="y")
