"""Draw gaps, the zone of tolerance, and profiles of expectation and perception."""

from typing import cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.projections.polar import PolarAxes

from crmlab.service_quality.models.asked import percent_interval
from crmlab.service_quality.plots.lines import (
    DIRECTION_STYLES,
    gap_direction,
    legend,
    lines,
    marks,
    room,
    wrapped,
)
from crmlab.style import ACTUAL, BAND, EXPECTED, MUTED, panels, plot

GAP = "Gap: perceived − expected"
POSITION_COLORS = {"below": "falls short", "above": "exceeds", "undecided": "undecided"}  # in the colours of gaps
POSITION_LABELS = {name: name for name in ("below", "within", "above", "undecided")} | {"adequate": "at least adequate"}


@plot
def gap_scores(frame: pd.DataFrame, xlabel: str = GAP, ax: Axes | None = None) -> Axes:
    """Draw gaps as bars with simultaneous intervals, the largest shortfall of a dimension first.

    Parameters
    ----------
    frame : DataFrame
        Of `gap_scores`, by item or dimension; or of `service_adequacy` or `service_superiority`.
    xlabel : str
        Label of the axis of gaps, before what the intervals are.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    held = lines(frame, by="gap")
    ax, kinds = room(held, ax), gap_direction(held)
    for kind, (color, _, hatch) in DIRECTION_STYLES.items():
        bars = held[(kinds == kind) & held.gap.notna()]
        ax.barh(bars.place, bars.gap, 0.7, color=f"{color}40", edgecolor=f"{color}90", hatch=hatch, linewidth=0.5)
    marks(ax, held, "gap", "simultaneous_ci_low", "simultaneous_ci_high", kinds)
    ax.axvline(0, color=MUTED, linewidth=1)
    _blanks(ax, held, "gap")
    ax.set_xlabel(f"{xlabel} ({percent_interval(frame, 'simultaneous interval')})")
    if ax.get_legend_handles_labels()[0]:
        legend(ax, 3)
    return ax


@plot
def perception_scores(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw mean perceptions with intervals.

    Parameters
    ----------
    frame : DataFrame
        Of `perception_scores`, by item or dimension.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    held = lines(frame)
    ax = room(held, ax)
    known = held[held.perceive.notna()]
    ax.hlines(known.place, known.ci_low, known.ci_high, color=ACTUAL, linewidth=1.2)
    ax.plot(known.perceive, known.place, "o", color=ACTUAL, markeredgecolor="white", markersize=7)
    _blanks(ax, held, "perceive")
    ax.set_xlabel(f"Mean perception ({percent_interval(frame)})")
    return ax


@plot
def zone_of_tolerance(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw where perceptions lie between the adequate level and the desired one.

    Parameters
    ----------
    frame : DataFrame
        Of `zone_of_tolerance`, by item or dimension.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    held = lines(frame)
    ax = room(held, ax)
    bounded = held[held.desired.notna() & (held.adequate <= held.desired)]
    if len(bounded):
        width = bounded.desired - bounded.adequate
        ax.barh(bounded.place, width, 0.7, left=bounded.adequate, color=BAND, label="tolerated")
    ax.plot(held.adequate, held.place, "|", color=EXPECTED, markersize=11, label="adequate level")
    if held.desired.notna().any():
        ax.plot(held.desired, held.place, "|", color=ACTUAL, markersize=11, markeredgewidth=2, label="desired level")
    _perceived(ax, held)
    _blanks(ax, held, "perceive")
    ax.set_xlabel(f"Mean answer ({percent_interval(frame)} of perceived − adequate)")
    ax.use_sticky_edges = False
    ax.margins(x=0.04)
    if ax.get_legend_handles_labels()[0]:
        legend(ax, 3, loc="lower right", bbox_to_anchor=(1, 1))
    return ax


@plot
def gap_radar(frame: pd.DataFrame, ax: list[Axes] | None = None) -> list[Axes]:
    """Draw gaps by dimension as bars with intervals, and below them expectation and perception as profiles.

    Parameters
    ----------
    frame : DataFrame
        Of `gap_scores` by dimension.
    ax : list of Axes, optional
        Two, the second a polar one; None makes them.

    Returns
    -------
    list of Axes
        Bars, which bear the frame, and profiles.

    Notes
    -----
    A radar alone would hide how wide the intervals are.
    """
    bars, round_ = cast(tuple[Axes, PolarAxes], _two() if ax is None else ax)
    gap_scores(frame, ax=bars)
    held = frame[(frame.dimension != "overall") & frame.gap.notna()]
    angle = np.linspace(0, 2 * np.pi, len(held), endpoint=False)
    for name, color, style in (("expect", EXPECTED, "s--"), ("perceive", ACTUAL, "o-")):
        closed = np.append(held[name], held[name].iloc[:1])
        label = {"expect": "expected", "perceive": "perceived"}[name]
        round_.plot(np.append(angle, angle[:1]), closed, style, color=color, markersize=4, label=label)
    round_.set_xticks(angle, [wrapped(name.capitalize(), 14) for name in held.dimension], fontsize="small")
    for tick, at in zip(round_.get_xticklabels(), angle, strict=True):
        tick.set_horizontalalignment("center" if abs(np.sin(at)) < 0.1 else "left" if np.sin(at) > 0 else "right")
    round_.set_theta_offset(np.pi / 2)
    round_.set_theta_direction(-1)
    round_.tick_params(axis="y", labelsize="x-small")
    round_.set_xlabel("Mean answer")
    legend(round_, 2, loc="lower center", bbox_to_anchor=(0.5, 1.12))
    return [bars, round_]


def _perceived(ax, held):
    """Marks of the perceptions, by where they stand in the zone."""
    shift = held.perceive - held.msa
    ends = held.assign(ci_low=shift + held.msa_ci_low, ci_high=shift + held.msa_ci_high)
    for kind, name in POSITION_LABELS.items():
        color, marker, _ = DIRECTION_STYLES.get(POSITION_COLORS.get(kind, ""), (ACTUAL, "D", ""))
        there = ends[(held.position == kind) & held.perceive.notna()]
        if len(there):
            ax.hlines(there.place, there.ci_low, there.ci_high, color=color, linewidth=1.2)
            ax.plot(there.perceive, there.place, marker, color=color, mec="white", markersize=7, label=name)


def _two():
    """A pair of axes, one below the other, the second polar."""
    (bars,) = panels(1)
    bars.figure.set_size_inches(6.4, 6.8)
    above, below = bars.figure.add_gridspec(2, 1, height_ratios=[0.9, 1.1])
    bars.set_subplotspec(above)
    return bars, bars.figure.add_subplot(below, projection="polar")


def _blanks(ax, held, name):
    """Lines without a number bear their reason."""
    where = ax.get_yaxis_transform()
    for row in held[held[name].isna() & ~held.title].itertuples():
        noted = wrapped(row.reason or "no number", 60, 1)
        ax.text(0.01, row.place, noted, transform=where, color=MUTED, va="center", fontsize="small", parse_math=False)
