"""Draw the frames of `metrics`."""

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import PercentFormatter

from crmlab import holdout
from crmlab.result import number
from crmlab.style import ACTUAL, EXPECTED, NAIVE, QUIET, axes

OUTCOMES = {"better": (EXPECTED, "o"), "undecided": (QUIET, "D"), "worse": (NAIVE, "X")}
LEAD = """Ahead of the best naive rule
(errors and lift: % of its own; other measures: hundredths)"""


def calibration(table, ax=None):
    """Draw `metrics.calibration`."""
    ax = axes(ax)
    places = range(len(table))
    ax.plot(places, table.actual, "o-", color=ACTUAL, label="actual")
    ax.plot(places, table.expected, "s--", color=EXPECTED, label="expected")
    ax.set_xticks(places, table.index.astype(str))
    ax.set(xlabel="Repeat orders before the split", ylabel="Orders per customer after it", ylim=(0, None))
    ax.legend(frameon=False)
    return ax


def tracking(table, split, ax=None):
    """Draw `metrics.tracking`, week by week; left of `split` lies what the model was fitted to."""
    ax = axes(ax)
    ax.plot(table.ends, table.actual, color=ACTUAL, label="actual")
    ax.plot(table.ends, table.expected, "--", color=EXPECTED, label="expected")
    ax.axvline(split, color=QUIET, linewidth=1)
    ax.annotate(" split", (split, 1), xycoords=("data", "axes fraction"), va="top", color=QUIET)
    ax.set(xlabel="Week ending", ylabel="Repeat orders in the week", ylim=(0, None))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.legend(frameon=False)
    return ax


def lorenz(table, gini, ax=None):
    """Draw `metrics.lorenz`, with its `metrics.concentration`."""
    ax = axes(ax)
    ax.plot(table.customers, table.value, color=EXPECTED, label=f"value (Gini {number(gini, 2)})")
    ax.plot([0, 1], [0, 1], ":", color=QUIET, label="all worth the same")
    ax.set(xlabel="Customers, the least valuable first", ylabel="Their share of all value", xlim=(0, 1), ylim=(0, 1))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False)
    return ax


def race(table, ax=None):
    """Draw `holdout.leads` of one population and origin: how far each model leads the best naive rule."""
    lines, new = _lines(table[~table.naive & np.isfinite(table.lead)]), ax is None
    ax = axes(ax)
    if new:
        ax.figure.set_figheight(1.4 + 0.2 * len(lines))
    for outcome, (color, marker) in OUTCOMES.items():
        held = lines[lines.outcome == outcome]
        ax.hlines(held.index, held.lead_low, held.lead_high, color=color)
        ax.plot(held.lead, held.index, marker, color=color, label=outcome)
    ax.axvline(0, color=QUIET, linewidth=1)
    ax.set_yticks(lines.index, lines.rule)
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
        parts += [pd.DataFrame({"rule": [holdout.TITLES[measure]]}), rows]
    return pd.concat(parts, ignore_index=True)
