"""Draw product life cycles: growth curves beside sales, stages along the path, shapes, and errors of forecasts."""

from textwrap import fill
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab.lifecycle.models.product_stages import DECLINE, GROWTH, INTRODUCTION, MATURITY, UNDETERMINED
from crmlab.style import ACTUAL, BAND, BASELINE, EXPECTED, MUTED, axes, plot

SHADES = {
    INTRODUCTION: ("#d9e7f2", "//"),
    GROWTH: ("#6fb07f", ""),
    MATURITY: ("#e9d8a6", ""),
    DECLINE: ("#d08770", "\\\\"),
    UNDETERMINED: ("#f0f0f0", "xx"),
}
SALES = "Sales in the period, unit of the data"
MARKS = ("o", "s", "^", "D", "v")
RESIDUALS = ((EXPECTED, "o-"), (BASELINE, "s--"), (ACTUAL, "^:"))


@plot
def growth_path(frame: pd.DataFrame, cumulative: bool = False, ax: Axes | None = None) -> Axes:
    """Draw `growth_path`: sales beside what a model expects, or why it expects nothing; right of a line, to come.

    Parameters
    ----------
    frame : DataFrame
        Sales and a curve by time, as from `growth_path`.
    cumulative : bool
        Whether to draw sales so far, rather than those in each period.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Sales by time, with the curve and its bands.
    """
    ax, at = axes(ax), frame.index
    actual, expected = ("cumulative_sales", "expected_cumulative") if cumulative else ("sales", "expected")
    band = dict[str, Any](color=BAND, linewidth=0)
    if not cumulative and frame.expected_pi_low.notna().any():
        label = "prediction interval (95 %)"
        ax.fill_between(at, frame.expected_pi_low, frame.expected_pi_high, alpha=0.1, label=label, **band)
    if frame[f"{expected}_ci_low"].notna().any():
        ends = frame[f"{expected}_ci_low"], frame[f"{expected}_ci_high"]
        ax.fill_between(at, *ends, label="confidence interval (95 %)", **band)
    if frame[expected].notna().any():
        color, style = (EXPECTED, "--") if frame[expected].notna().all() else (BASELINE, ".--")
        ax.plot(at, frame[expected], style, color=color, label=frame.model.iloc[0])
    ax.plot(frame.index, frame[actual], "o-", color=ACTUAL, markersize=4, label="sold")
    last = frame.index[frame.sales.notna()][-1]
    if last != frame.index[-1]:
        ax.axvline(last, color=MUTED, linewidth=1)
        ax.annotate(" to come", (last, 1), xycoords=("data", "axes fraction"), va="top", color=MUTED)
    ax.set(xlabel="Period", ylabel="Sales so far, unit of the data" if cumulative else SALES, ylim=(0, None))
    _of_time(ax, frame.index)
    if frame.reason.iloc[0]:
        ax.text(0.5, 0.5, fill(frame.reason.iloc[0], 60), transform=ax.transAxes, ha="center", color=MUTED)
    ax.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return ax


@plot
def growth_paths(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `growth_paths`: the curves beside sales, without intervals.

    Parameters
    ----------
    frame : DataFrame
        Sales and curves by time, as from `growth_paths`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Sales by time, with a line a curve.
    """
    ax, paths = axes(ax), frame.groupby("model", sort=False)
    sales = next(rows.sales.dropna() for _, rows in paths)
    ax.plot(sales.index, sales, "o", color=ACTUAL, markersize=5, label="sold")
    fitted = [(title, rows) for title, rows in paths if rows.expected.notna().any()]
    for (title, rows), style in zip(fitted, ("-", "--", ":", "-."), strict=False):
        ax.plot(rows.index, rows.expected, style, color=EXPECTED, label=title)
    ax.set(xlabel="Period", ylabel=SALES, ylim=(0, None))
    _of_time(ax, max((rows.index for _, rows in fitted), key=len, default=sales.index))
    ax.legend(frameon=False)
    return ax


@plot
def life_cycle_stages(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `life_cycle_stages`: sales, and behind them the stage of each period along the path.

    Parameters
    ----------
    frame : DataFrame
        Stages by time, as from `life_cycle_stages`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Sales by time, on the colours of the stages.
    """
    ax = axes(ax)
    ends = _edges(frame.index)
    for stage, left, right in zip(frame.stage, ends[:-1], ends[1:], strict=True):
        color, hatch = SHADES[stage]
        ax.axvspan(left, right, facecolor=color, hatch=hatch, edgecolor="white", linewidth=0, zorder=0)
    ax.plot(frame.index, frame.sales, "o-", color=ACTUAL, markersize=4, zorder=3)
    ax.set(xlabel="Period", ylabel=SALES, ylim=(0, frame.sales.max() * 1.08 or 1), xlim=(ends[0], ends[-1]))
    _of_time(ax, frame.index)
    ax.grid(visible=False)
    _named_stages(ax, frame.stage)
    return ax


@plot
def growth_rates(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `life_cycle_stages`: growth in a year, period by period, and the thresholds at 0 and 10 %.

    Parameters
    ----------
    frame : DataFrame
        Stages by time, as from `life_cycle_stages`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Growth in a year, a share, by time: a bar a period, in the colour of its stage.
    """
    ax, ends, known = axes(ax), _edges(frame.index), frame.growth.notna().to_numpy()
    rows = frame[known]
    bars = ax.bar(rows.index, rows.growth, 0.8 * np.diff(ends)[known], edgecolor="white", linewidth=0)
    for bar, stage in zip(bars, rows.stage, strict=True):
        bar.set(facecolor=SHADES[stage][0], hatch=SHADES[stage][1])
    for height, style in ((0, "-"), (0.1, "--")):
        ax.axhline(height, color=MUTED, linewidth=1, linestyle=style)
    ax.annotate(" 10 %", (1, 0.1), xycoords=("axes fraction", "data"), va="center", ha="left", color=MUTED)
    ax.set(xlabel="Period", ylabel="Growth in a year", xlim=(ends[0], ends[-1]))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _of_time(ax, frame.index)
    ax.grid(visible=False, axis="x")
    _named_stages(ax, rows.stage)
    return ax


@plot
def life_cycle_shape(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the line of a `life_cycle_shape`: sales, the straight pieces it was read from, and their joints.

    Parameters
    ----------
    frame : DataFrame
        Sales and the line by time, as from `Shape.line`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Sales by time, with the line through them.
    """
    ax, joints = axes(ax), frame[frame.joint]
    ax.plot(frame.index, frame.sales, "o", color=ACTUAL, markersize=4, label="sold")
    ax.plot(frame.index, frame.line, color=EXPECTED, label=frame["shape"].iloc[0])
    ax.plot(joints.index, joints.line, "D", color=EXPECTED, markersize=5, label="_joints")
    ax.set(xlabel="Period", ylabel=SALES, ylim=(0, None))
    _of_time(ax, frame.index)
    ax.legend(frameon=False)
    return ax


@plot
def errors_by_horizon(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `errors_by_horizon`: how far each model missed, by how many periods ahead.

    Parameters
    ----------
    frame : DataFrame
        Errors by horizon, a column a model, as from `errors_by_horizon`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Mean absolute error by periods ahead, a line a model.
    """
    ax = axes(ax)
    for model, mark in zip(frame, MARKS, strict=False):
        color, style = (BASELINE, "--") if model.endswith("again") else (EXPECTED, "-")
        ax.plot(frame.index, frame[model], mark + style, color=color, markersize=5, label=model)
    ax.set(xlabel="Periods ahead", ylabel="Mean absolute error, unit of the data", ylim=(0, None))
    ax.set_xticks(frame.index[:: max(len(frame) // 12, 1)])
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    ax.legend(frameon=False)
    return ax


@plot
def bass_adopters(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `bass_adopters`: sales to innovators and to imitators by Bass's curve, on each other, beside those sold.

    Parameters
    ----------
    frame : DataFrame
        Sales by time, as from `bass_adopters`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Sales in each period, by time.
    """
    ax, at = axes(ax), frame.index
    looks: dict[str, Any] = {"colors": [EXPECTED, "#8fc3df"], "labels": ["innovators", "imitators"]}
    ax.stackplot(at, frame.innovators, frame.imitators, edgecolor="white", linewidth=0.5, **looks)
    ax.plot(at, frame.sales, "o", color=ACTUAL, markersize=5, label="sold")
    ax.set(xlabel="Period", ylabel=SALES, ylim=(0, None))
    _of_time(ax, at)
    ax.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return ax


@plot
def growth_residuals(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `growth_residuals`: sales less what each curve expects, by time.

    Parameters
    ----------
    frame : DataFrame
        Residuals by model and time, as from `growth_residuals`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Residual, in the unit of the data, by time, a line a curve; 0 is right.
    """
    ax = axes(ax)
    for (model, rows), look in zip(frame.groupby("model", sort=False), RESIDUALS, strict=False):
        ax.plot(rows.index, rows.residual, look[1], color=look[0], markersize=5, linewidth=1, label=model)
    ax.axhline(0, color=MUTED, linewidth=1)
    ax.set(xlabel="Period", ylabel="Sold less expected, unit of the data")
    _of_time(ax, frame.index.unique())
    ax.legend(frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1))
    return ax


def _named_stages(ax, stages):
    """A legend above the axes, of the stages there are."""
    shown = [stage for stage in SHADES if (stages == stage).any()]
    patches = [Patch(facecolor=SHADES[s][0], hatch=SHADES[s][1], edgecolor="white", label=s) for s in shown]
    ax.legend(handles=patches, frameon=False, ncols=max(len(shown), 1), loc="lower left", bbox_to_anchor=(0, 1))


def _edges(index):
    """The borders between periods, half a step to either side of their days: as matplotlib counts them, or numbers."""
    at = np.asarray(date2num(index) if isinstance(index, pd.DatetimeIndex) else index, dtype=float)
    half = (np.diff(at) if len(at) > 1 else np.ones(1)) / 2
    return np.concatenate([[at[0] - half[0]], at[:-1] + half[: len(at) - 1], [at[-1] + half[-1]]])


def _of_time(ax, index):
    if len(index) == 1:
        ax.set_xticks(index, index.astype(str))
    elif isinstance(index, pd.DatetimeIndex):
        ticks = AutoDateLocator(minticks=min(5, max(len(index) - 1, 1)))  # no more than there are periods
        ax.xaxis.set_major_locator(ticks)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(ticks))
    if not isinstance(ax.yaxis.get_major_formatter(), PercentFormatter):
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
