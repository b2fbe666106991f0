"""Draw product life cycles: growth curves beside sales, stages along the path, shapes, and errors of forecasts."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
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


@plot
def growth_path(table: pd.DataFrame, cumulative: bool = False, ax: Axes | None = None) -> Axes:
    """Draw `growth_path`: sales beside the curve; right of a line, to come.

    Parameters
    ----------
    table : DataFrame
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
    ax = axes(ax)
    actual, expected, low, high = (
        ("cumulative_sales", "expected_cumulative", "expected_cumulative_ci_low", "expected_cumulative_ci_high")
        if cumulative
        else ("sales", "expected", "expected_ci_low", "expected_ci_high")
    )
    fitted = table[expected].notna().any()
    if fitted and not cumulative:
        ax.fill_between(table.index, table.expected_pi_low, table.expected_pi_high, color=BAND, alpha=0.1, linewidth=0,
                        label="prediction interval (95 %)")  # fmt: skip
    if fitted:
        ax.fill_between(
            table.index, table[low], table[high], color=BAND, linewidth=0, label="confidence interval (95 %)"
        )
        ax.plot(table.index, table[expected], "--", color=EXPECTED, label=table.model.iloc[0])
    ax.plot(table.index, table[actual], "o-", color=ACTUAL, markersize=4, label="sold")
    last = table.index[table.sales.notna()][-1]
    if last != table.index[-1]:
        ax.axvline(last, color=MUTED, linewidth=1)
        ax.annotate(" to come", (last, 1), xycoords=("data", "axes fraction"), va="top", color=MUTED)
    ax.set(xlabel="Period", ylabel="Sales so far, unit of the data" if cumulative else SALES, ylim=(0, None))
    _of_time(ax, table.index)
    ax.legend(frameon=False, ncols=2, loc="lower left", bbox_to_anchor=(0, 1))
    return ax


@plot
def growth_paths(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `growth_paths`: the curves beside sales, without intervals.

    Parameters
    ----------
    table : DataFrame
        Sales and curves by time, as from `growth_paths`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Sales by time, with a line a curve.
    """
    ax, paths = axes(ax), table.groupby("model", sort=False)
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
def life_cycle_stages(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `life_cycle_stages`: sales, and behind them the stage of each period along the path.

    Parameters
    ----------
    table : DataFrame
        Stages by time, as from `life_cycle_stages`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Sales by time, on the colours of the stages.
    """
    ax = axes(ax)
    ends = _edges(table.index)
    for stage, left, right in zip(table.stage, ends[:-1], ends[1:], strict=True):
        color, hatch = SHADES[stage]
        ax.axvspan(left, right, facecolor=color, hatch=hatch, edgecolor="white", linewidth=0, zorder=0)
    ax.plot(table.index, table.sales, "o-", color=ACTUAL, markersize=4, zorder=3)
    ax.set(xlabel="Period", ylabel=SALES, ylim=(0, table.sales.max() * 1.08 or 1), xlim=(ends[0], ends[-1]))
    _of_time(ax, table.index)
    ax.grid(visible=False)
    _named_stages(ax, table.stage)
    return ax


@plot
def growth_rates(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `life_cycle_stages`: growth in a year, period by period, and the thresholds at 0 and 10 %.

    Parameters
    ----------
    table : DataFrame
        Stages by time, as from `life_cycle_stages`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Growth in a year, a share, by time: a bar a period, in the colour of its stage.
    """
    ax = axes(ax)
    known = table.growth.notna()
    ends = _edges(table.index)
    width = np.diff(ends) * 0.8
    bars = ax.bar(table.index[known], table.growth[known], width[known.to_numpy()], edgecolor="white", linewidth=0)
    for bar, stage in zip(bars, table.stage[known], strict=True):
        bar.set(facecolor=SHADES[stage][0], hatch=SHADES[stage][1])
    for height in (0, 0.1):
        ax.axhline(height, color=MUTED, linewidth=1, linestyle="-" if height == 0 else "--")
    ax.annotate(" 10 %", (1, 0.1), xycoords=("axes fraction", "data"), va="center", ha="left", color=MUTED)
    ax.set(xlabel="Period", ylabel="Growth in a year", xlim=(ends[0], ends[-1]))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    _of_time(ax, table.index)
    ax.grid(visible=False, axis="x")
    _named_stages(ax, table.stage[known])
    return ax


@plot
def life_cycle_shape(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the line of a `life_cycle_shape`: sales, the straight pieces it was read from, and their joints.

    Parameters
    ----------
    table : DataFrame
        Sales and the line by time: `line` of a Shape.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Sales by time, with the line through them.
    """
    ax, line = axes(ax), table
    ax.plot(line.index, line.sales, "o", color=ACTUAL, markersize=4, label="sold")
    joints = line[line.joint]
    if line.line.notna().any():
        ax.plot(line.index, line.line, color=EXPECTED, label=line["shape"].iloc[0])
    ax.plot(joints.index, joints.line, "D", color=EXPECTED, markersize=5, label="_joints")
    ax.set(xlabel="Period", ylabel=SALES, ylim=(0, None))
    _of_time(ax, line.index)
    ax.legend(frameon=False)
    return ax


@plot
def errors_by_horizon(table: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `errors_by_horizon`: how far each model missed, by how many periods ahead.

    Parameters
    ----------
    table : DataFrame
        Errors by horizon, a column a model, as from `errors_by_horizon`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Mean absolute error by periods ahead, a line a model.
    """
    ax = axes(ax)
    curves = [model for model in table if not model.endswith("again")]
    for model, mark in zip(table, MARKS, strict=False):
        color, style = (EXPECTED, "-") if model in curves else (BASELINE, "--")
        ax.plot(table.index, table[model], mark + style, color=color, markersize=5, label=model)
    ax.set(xlabel="Periods ahead", ylabel="Mean absolute error, unit of the data", ylim=(0, None))
    ax.set_xticks(table.index[:: max(len(table) // 12, 1)])
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    ax.legend(frameon=False)
    return ax


def _named_stages(ax, stages):
    """A legend above the axes, of the stages there are."""
    shown = [stage for stage in SHADES if (stages == stage).any()]
    patches = [Patch(facecolor=SHADES[s][0], hatch=SHADES[s][1], edgecolor="white", label=s) for s in shown]
    ax.legend(handles=patches, frameon=False, ncols=max(len(shown), 1), loc="lower left", bbox_to_anchor=(0, 1))


def _edges(index):
    """The borders between periods, half a step to either side of their days: as matplotlib counts them, or numbers."""
    at = index.map(pd.Timestamp.toordinal).to_numpy(float) - 719163 if isinstance(index, pd.DatetimeIndex) else index
    at = np.asarray(at, dtype=float)
    steps = np.diff(at) if len(at) > 1 else np.ones(1)
    middles = at[:-1] + steps / 2 if len(at) > 1 else at[:0]
    return np.concatenate([[at[0] - steps[0] / 2], middles, [at[-1] + steps[-1] / 2]])


def _of_time(ax, index):
    if len(index) == 1:
        ax.set_xticks(index, index.astype(str))
    elif isinstance(index, pd.DatetimeIndex):
        ticks = AutoDateLocator(minticks=min(5, max(len(index) - 1, 1)))  # no more than there are periods
        ax.xaxis.set_major_locator(ticks)
        ax.xaxis.set_major_formatter(ConciseDateFormatter(ticks))
    if not isinstance(ax.yaxis.get_major_formatter(), PercentFormatter):
        ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
