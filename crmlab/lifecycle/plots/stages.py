"""Draw the stages of customers: how many are in each, how they move, their value, their satisfaction."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter, StrMethodFormatter

from crmlab.display import words
from crmlab.lifecycle.models.value_origins import ALL
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

FILLS = {"establishment": "#cfe3ee", "growth": "#6fb1d3", "maturity": EXPECTED, "decline": "#d9c39a"}
FEW = 30  # customers, of fewer of whom a share is not drawn
METHODS = (EXPECTED, BASELINE, ACTUAL)  # colours of methods that are compared
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
    ax.set(xlabel="First day of the period", ylabel="Share of customers at its end", ylim=(0, 1))
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
    ax.set(xlabel="First day of the period", ylabel="Share who moved in it (95 % CI)", ylim=(0, None))
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
def stage_values(frame: pd.DataFrame, currency: str = "", ax: Axes | None = None) -> Axes:
    """Draw what a customer of each stage is still worth over the next periods, by one method or by several.

    Parameters
    ----------
    frame : DataFrame
        Values by stage, as from `stage_values`, or by method and stage, as from `compare_stage_values`.
    currency : str
        Currency of the amounts; "" names none.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Value of a customer, in the currency of the data, a line a stage; hollow where the last backtest missed it.
    """
    ax = axes(ax)
    table = frame if frame.index.nlevels > 1 else pd.concat({"": frame})
    table = table[table.horizon_value.notna()]
    methods, known = (
        table.index.unique(0),
        [stage for stage in (ALL, *reversed(STAGES)) if stage in table.index.unique(1)],
    )
    for at, (method, color) in enumerate(zip(methods, METHODS, strict=False)):
        rows = table.loc[method]
        places = np.array([known.index(stage) for stage in rows.index]) + 0.12 * (len(methods) - 1 - 2 * at)
        ax.hlines(places, rows.horizon_value_pi_low, rows.horizon_value_pi_high, color=color, linewidth=1)
        ax.hlines(places, rows.horizon_value_ci_low, rows.horizon_value_ci_high, color=color, linewidth=3)
        fills = np.where((~rows.held).fillna(False).to_numpy(bool), "white", color)
        ax.scatter(rows.horizon_value, places, 45, fills, edgecolors=color, zorder=2)
        ax.plot([], [], "o", color=color, label=words(method))
    counts = table.groupby(level=1).customers.first()
    ax.set_yticks(range(len(known)), [f"{stage} ({counts[stage]:,.0f})" for stage in known])
    ax.set_ylim(-0.6, len(known) - 0.4)
    ax.grid(visible=False, axis="y")
    ax.set(xlabel=f"Value of a customer over the next periods, {currency or 'currency of the data'}")
    ax.set(ylabel="Stage (customers)", title="thick: 95 % CI; thin: 95 % PI; hollow: missed in the last backtest")
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.set_xlim(min(0, ax.get_xlim()[0]), None)
    if len(methods) > 1:
        ax.legend(frameon=False)
    return ax


@plot
def value_backtest(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `value_backtest`: predicted spend to what was spent, by origin, of all customers and of each stage.

    Parameters
    ----------
    frame : DataFrame
        Predictions and spend by origin and stage, as from `value_backtest`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Ratio of predicted to actual spend by origin, with the prediction interval; 1 is right.
    """
    ax, frame = axes(ax), frame[frame.spent > 0]
    origins = {origin: place for place, origin in enumerate(sorted(frame.origin.unique()))}
    looks = {stage: (FILLS[stage], "o") for stage in STAGES} | {ALL: (ACTUAL, "D")}
    for at, (stage, (color, marker)) in enumerate(looks.items()):
        rows = frame[frame.stage == stage]
        places = rows.origin.map(origins) + 0.15 * (at - 2)
        ax.vlines(places, rows.pi_low / rows.spent, rows.pi_high / rows.spent, color=color, linewidth=2)
        ax.plot(places, rows.ratio, marker, color=color, markeredgecolor=ACTUAL, markersize=6, label=stage)
    ax.axhline(1, color=MUTED, linewidth=1)
    ax.set_xticks(range(len(origins)), [f"{origin:%Y-%m-%d}" for origin in origins], rotation=30, ha="right")
    ax.set(yscale="log", xlabel="Last day that was known", ylabel="Predicted / actual spend (95 % PI)")
    ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncol=5, borderaxespad=0.2)
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
