"""Draw orders expected beside those that came."""

from datetime import date

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import StrMethodFormatter

from crmlab import holdout
from crmlab.style import ACTUAL, BAND, BASELINE, EXPECTED, MUTED, axes, plot

OUTCOMES = {"better": (EXPECTED, "o"), "undecided": (MUTED, "D"), "worse": (BASELINE, "X")}
INTERVAL = "95 % prediction interval"
IMPROVEMENT = """Improvement on the best baseline
(errors and lift: % of its own; other measures: hundredths)"""


@plot
def holdout_calibration(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw expected beside actual orders per customer, with the prediction interval of each group where there is one.

    Parameters
    ----------
    frame : DataFrame
        Of `holdout_calibration`, or of `calibration`.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax = axes(ax)
    places = range(len(frame))
    if "pi_low" in frame:
        ax.fill_between(places, frame.pi_low, frame.pi_high, color=BAND, linewidth=0, label=INTERVAL)
    ax.plot(places, frame.actual, "o-", color=ACTUAL, label="actual")
    ax.plot(places, frame.expected, "s--", color=EXPECTED, label="expected")
    ax.set_xticks(places, frame.index.astype(str))
    ax.set(xlabel=frame.index.name.capitalize(), ylabel="Orders per customer after the split", ylim=(0, None))
    ax.legend(frameon=False)
    return ax


@plot
def weekly_tracking(frame: pd.DataFrame, split: date, cumulative: bool = False, ax: Axes | None = None) -> Axes:
    """Draw expected beside actual repeat orders by week, or summed; left of `split` lies what the model was fitted to.

    Parameters
    ----------
    frame : DataFrame
        Of `weekly_tracking`, or of `tracking`.
    split : date
        Last day of calibration.
    cumulative : bool
        Whether weeks are summed.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax, start = axes(ax), "cumulative_" if cumulative else ""
    interval = frame[start + "pi_low"], frame[start + "pi_high"]
    ax.fill_between(frame.week_end, *interval, color=BAND, linewidth=0, label=INTERVAL)
    ax.plot(frame.week_end, frame[start + "actual"], color=ACTUAL, label="actual")
    ax.plot(frame.week_end, frame[start + "expected"], "--", color=EXPECTED, label="expected")
    ax.axvline(split, color=MUTED, linewidth=1)  # type: ignore[arg-type]  # it takes days too
    ax.annotate(" split", (split, 1), xycoords=("data", "axes fraction"), va="top", color=MUTED)
    ax.set(xlabel="Week ending", ylabel=f"Repeat orders {'so far' if cumulative else 'in the week'}", ylim=(0, None))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    ax.legend(frameon=False, loc="lower right" if cumulative else "best")
    return ax


@plot
def backtest(frame: pd.DataFrame, population: str = holdout.ALL_CUSTOMERS, ax: Axes | None = None) -> Axes:
    """Draw how far each model improves on the best baseline, by each measure, over all origins.

    Parameters
    ----------
    frame : DataFrame
        Of `backtest`, or of `backtest_spend`.
    population : str
        Whose orders are compared: "all customers", or "repeaters".
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    table = holdout.improvements(frame)
    held = (table.origin == holdout.ALL_ORIGINS) & (table.population == population)
    lines = _lines(table[held & ~table.is_baseline & np.isfinite(table.improvement)])
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


@plot
def repeat_order_distribution(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw how many customers placed so many repeat orders, beside how many a model expects.

    Parameters
    ----------
    frame : DataFrame
        Of `repeat_order_distribution`.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax, places = axes(ax), np.arange(len(frame))
    ax.bar(places - 0.2, frame.actual, 0.38, color=ACTUAL, label="actual")
    ax.bar(places + 0.2, frame.expected, 0.38, color=EXPECTED, label="expected")
    ax.set_xticks(places, frame.index.astype(str))
    ax.set(xlabel="Repeat orders so far", ylabel="Customers")
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.grid(visible=False, axis="x")
    ax.legend(frameon=False)
    return ax
