"""Draw the frames of `metrics`."""

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab import holdout
from crmlab.result import number
from crmlab.style import ACTUAL, BAND, BASELINE, EXPECTED, MUTED, axes

OUTCOMES = {"better": (EXPECTED, "o"), "undecided": (MUTED, "D"), "worse": (BASELINE, "X")}
IMPROVEMENT = """Ahead of the best naive rule
(errors and lift: % of its own; other measures: hundredths)"""


def calibration(frame, ax=None):
    """Draw `metrics.calibration`, with predictive low and high of each group where it has them."""
    ax = axes(ax)
    places = range(len(frame))
    if "pi_low" in frame:
        ax.fill_between(places, frame.pi_low, frame.pi_high, color=BAND, linewidth=0, label="likely (95 %)")
    ax.plot(places, frame.actual, "o-", color=ACTUAL, label="actual")
    ax.plot(places, frame.expected, "s--", color=EXPECTED, label="expected")
    ax.set_xticks(places, frame.index.astype(str))
    ax.set(xlabel=frame.index.name.capitalize(), ylabel="Orders per customer after the split", ylim=(0, None))
    ax.legend(frameon=False)
    return ax


def tracking(frame, split, cumulative=False, ax=None):
    """Draw `metrics.tracking` week by week, or summed; left of `split` lies what the model was fitted to."""
    ax, start = axes(ax), "cumulative_" if cumulative else ""
    low, high = (frame[start + side] for side in ("pi_low", "pi_high"))
    ax.fill_between(frame.week_end, low, high, color=BAND, linewidth=0, label="likely (95 %)")
    ax.plot(frame.week_end, frame[start + "actual"], color=ACTUAL, label="actual")
    ax.plot(frame.week_end, frame[start + "expected"], "--", color=EXPECTED, label="expected")
    ax.axvline(split, color=MUTED, linewidth=1)
    ax.annotate(" split", (split, 1), xycoords=("data", "axes fraction"), va="top", color=MUTED)
    ax.set(xlabel="Week ending", ylabel=f"Repeat orders {'so far' if cumulative else 'in the week'}", ylim=(0, None))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.legend(frameon=False, loc="lower right" if cumulative else "best")
    return ax


def probability_alive_matrix(frame, ax=None):
    """Draw `probability_alive_matrix`: chance of being active, by repeat orders and days since the last one."""
    ax = axes(ax)
    mesh = ax.pcolormesh(frame.columns, frame.index, frame, vmin=0, vmax=1, cmap="cividis", shading="nearest")
    ax.figure.colorbar(mesh, ax=ax, label="Chance of being active")
    ax.set(xlabel="Days since the last order", ylabel="Repeat orders")
    ax.locator_params(integer=True)
    ax.grid(visible=False)
    return ax


def probability_alive_history(frame, ax=None):
    """Draw `probability_alive_history`: one customer's chance of being active, day by day, and the days with an
    order."""
    ax = axes(ax)
    ax.plot(frame.index, frame.p_alive, color=EXPECTED, label="chance of being active")
    ordered = frame[frame.ordered]
    ax.plot(ordered.index, ordered.p_alive, "o", color=ACTUAL, markersize=4, label="order")
    ax.set(xlabel="Day", ylabel="Chance of being active", ylim=(0, 1.05))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.legend(frameon=False, loc="lower left")
    return ax


def cumulative_distribution(frame, ax=None):
    """Draw `interpurchase_time_distribution` or `dropout_distribution`: share of customers by how often they order, or
    how soon they leave."""
    ax = axes(ax)
    ax.plot(frame.index, frame.share, color=EXPECTED)
    xlabel = f"{frame.index.name.capitalize()}{', on average' if len(frame) else ''}"
    ax.set(xlabel=xlabel, ylabel="Share of customers with fewer", xscale="log", xlim=(1, 1e4), ylim=(0, 1))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    return ax


def spend_by_frequency(frame, ax=None):
    """Draw `metrics.spend_by_frequency`."""
    ax = axes(ax)
    places = range(len(frame))
    error = (frame["mean"] - frame.ci_low, frame.ci_high - frame["mean"])
    ax.errorbar(places, frame["mean"], error, fmt="o", color=ACTUAL, ecolor=MUTED, capsize=3)
    ax.set_xticks(places, frame.index.astype(str))
    ax.set(xlabel=frame.index.name.capitalize(), ylabel="Mean spend an order day, currency of the data", ylim=(0, None))
    return ax


def lorenz(frame, gini, ax=None):
    """Draw `metrics.lorenz`, with its `metrics.gini_coefficient`."""
    ax = axes(ax)
    told = f"as expected (Gini {number(gini, 2)})" if np.isfinite(gini) else "nobody is worth anything"
    ax.plot(frame.customers, frame.value, color=EXPECTED, label=told)
    ax.plot([0, 1], [0, 1], ":", color=MUTED, label="all worth the same")
    ax.set(xlabel="Customers, the least worth first", ylabel="Their share of what all are worth")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False)
    return ax


def improvements(frame, ax=None):
    """Draw `holdout.improvements` of one population and origin: how far each model leads the best naive rule."""
    lines = _lines(frame[~frame.is_baseline & np.isfinite(frame.improvement)])
    ax = axes(ax, 1.4 + 0.2 * len(lines))
    for outcome, (color, marker) in OUTCOMES.items():
        held = lines[lines.outcome == outcome]
        ax.hlines(held.index, held.improvement_ci_low, held.improvement_ci_high, color=color)
        ax.plot(held.improvement, held.index, marker, color=color, label=outcome)
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_yticks(lines.index, lines.label)
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() in holdout.TITLES.values() else "normal")
    ax.set(xlabel=IMPROVEMENT, ylim=(len(lines) + 1, -1))
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.legend(facecolor="white", framealpha=1, edgecolor="none", ncol=3, loc="lower center")
    return ax


def _lines(models):
    """The lines of a forest plot: each measure's title, then its models."""
    parts = [models[:0]]
    for measure, rows in models.groupby("measure", sort=False):
        parts += [pd.DataFrame({"label": [holdout.TITLES[measure]]}), rows]
    return pd.concat(parts, ignore_index=True)
