"""Draw the frames of `metrics`."""

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab import holdout
from crmlab.result import number
from crmlab.style import ACTUAL, BAND, EXPECTED, NAIVE, QUIET, axes

OUTCOMES = {"better": (EXPECTED, "o"), "undecided": (QUIET, "D"), "worse": (NAIVE, "X")}
LEAD = """Ahead of the best naive rule
(errors and lift: % of its own; other measures: hundredths)"""


def calibration(table, ax=None):
    """Draw `metrics.calibration`, with predictive low and high of each group where it has them."""
    ax = axes(ax)
    places = range(len(table))
    if "low" in table:
        ax.fill_between(places, table.low, table.high, color=BAND, linewidth=0, label="likely (95 %)")
    ax.plot(places, table.actual, "o-", color=ACTUAL, label="actual")
    ax.plot(places, table.expected, "s--", color=EXPECTED, label="expected")
    ax.set_xticks(places, table.index.astype(str))
    ax.set(xlabel=table.index.name.capitalize(), ylabel="Orders per customer after the split", ylim=(0, None))
    ax.legend(frameon=False)
    return ax


def tracking(table, split, so_far=False, ax=None):
    """Draw `metrics.tracking` week by week, or summed; left of `split` lies what the model was fitted to."""
    ax, end = axes(ax), "_so_far" if so_far else ""
    low, high = (table[f"so_far_{side}" if so_far else side] for side in ("low", "high"))
    ax.fill_between(table.ends, low, high, color=BAND, linewidth=0, label="likely (95 %)")
    ax.plot(table.ends, table[f"actual{end}"], color=ACTUAL, label="actual")
    ax.plot(table.ends, table[f"expected{end}"], "--", color=EXPECTED, label="expected")
    ax.axvline(split, color=QUIET, linewidth=1)
    ax.annotate(" split", (split, 1), xycoords=("data", "axes fraction"), va="top", color=QUIET)
    ax.set(xlabel="Week ending", ylabel=f"Repeat orders {'so far' if so_far else 'in the week'}", ylim=(0, None))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.legend(frameon=False, loc="lower right" if so_far else "best")
    return ax


def alive_map(table, ax=None):
    """Draw `alive_map`: chance of being active, by repeat orders and days since the last one."""
    ax = axes(ax)
    mesh = ax.pcolormesh(table.columns, table.index, table, vmin=0, vmax=1, cmap="cividis", shading="nearest")
    ax.figure.colorbar(mesh, ax=ax, label="Chance of being active")
    ax.set(xlabel="Days since the last order", ylabel="Repeat orders")
    ax.locator_params(integer=True)
    ax.grid(visible=False)
    return ax


def alive_path(table, ax=None):
    """Draw `alive_path`: one customer's chance of being active, day by day, and the days with an order."""
    ax = axes(ax)
    ax.plot(table.index, table.p_alive, color=EXPECTED, label="chance of being active")
    ordered = table[table.ordered]
    ax.plot(ordered.index, ordered.p_alive, "o", color=ACTUAL, markersize=4, label="order")
    ax.set(xlabel="Day", ylabel="Chance of being active", ylim=(0, 1.05))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.legend(frameon=False, loc="lower left")
    return ax


def spread(table, ax=None):
    """Draw `order_gaps` or `departures`: share of customers by how often they order, or how soon they leave."""
    ax = axes(ax)
    ax.plot(table.index, table.share, color=EXPECTED)
    xlabel = f"{table.index.name.capitalize()}{', on average' if len(table) else ''}"
    ax.set(xlabel=xlabel, ylabel="Share of customers with fewer", xscale="log", xlim=(1, 1e4), ylim=(0, 1))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    return ax


def spend_by_orders(table, ax=None):
    """Draw `metrics.spend_by_orders`."""
    ax = axes(ax)
    places = range(len(table))
    error = (table["mean"] - table.low, table.high - table["mean"])
    ax.errorbar(places, table["mean"], error, fmt="o", color=ACTUAL, ecolor=QUIET, capsize=3)
    ax.set_xticks(places, table.index.astype(str))
    ax.set(xlabel=table.index.name.capitalize(), ylabel="Mean spend an order day, currency of the data", ylim=(0, None))
    return ax


def lorenz(table, gini, ax=None):
    """Draw `metrics.lorenz`, with its `metrics.concentration`."""
    ax = axes(ax)
    told = f"as expected (Gini {number(gini, 2)})" if np.isfinite(gini) else "nobody is worth anything"
    ax.plot(table.customers, table.value, color=EXPECTED, label=told)
    ax.plot([0, 1], [0, 1], ":", color=QUIET, label="all worth the same")
    ax.set(xlabel="Customers, the least worth first", ylabel="Their share of what all are worth")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False)
    return ax


def race(table, ax=None):
    """Draw `holdout.leads` of one population and origin: how far each model leads the best naive rule."""
    lines = _lines(table[~table.naive & np.isfinite(table.lead)])
    ax = axes(ax, 1.4 + 0.2 * len(lines))
    for outcome, (color, marker) in OUTCOMES.items():
        held = lines[lines.outcome == outcome]
        ax.hlines(held.index, held.lead_low, held.lead_high, color=color)
        ax.plot(held.lead, held.index, marker, color=color, label=outcome)
    ax.axvline(0, color=QUIET, linewidth=1)
    ax.set_yticks(lines.index, lines.label)
    for label in ax.get_yticklabels():
        label.set_fontweight("bold" if label.get_text() in holdout.TITLES.values() else "normal")
    ax.set(xlabel=LEAD, ylim=(len(lines) + 1, -1))
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
