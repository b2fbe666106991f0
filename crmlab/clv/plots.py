"""Draw the frames of this package: each plot is named as the function that makes its frame."""

from datetime import date

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab import holdout
from crmlab.estimate import number
from crmlab.style import ACTUAL, BAND, BASELINE, EXPECTED, MUTED, axes, plot

__all__ = [
    "backtest",
    "dropout_distribution",
    "holdout_calibration",
    "interpurchase_time_distribution",
    "probability_alive_history",
    "probability_alive_matrix",
    "spend_by_frequency",
    "value_concentration",
    "weekly_tracking",
]


def __dir__():
    return __all__


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
    ax.legend(frameon=False, loc="lower right" if cumulative else "best")
    return ax


@plot
def probability_alive_matrix(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the probability of being active, by repeat orders and days since the last one.

    Parameters
    ----------
    frame : DataFrame
        Of `probability_alive_matrix`.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax = axes(ax)
    mesh = ax.pcolormesh(frame.columns, frame.index, frame, vmin=0, vmax=1, cmap="cividis", shading="nearest")
    ax.figure.colorbar(mesh, ax=ax, label="Probability of being active")
    ax.set(xlabel="Days since the last order", ylabel="Repeat orders")
    ax.locator_params(integer=True)
    ax.grid(visible=False)
    return ax


@plot
def probability_alive_history(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw one customer's probability of being active day by day, and the days with an order.

    Parameters
    ----------
    frame : DataFrame
        Of `probability_alive_history`.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax = axes(ax)
    ax.plot(frame.index, frame.p_alive, color=EXPECTED, label="probability")
    ordered = frame[frame.ordered]
    ax.plot(ordered.index, ordered.p_alive, "o", color=ACTUAL, markersize=4, label="order")
    ax.set(xlabel="Day", ylabel="Probability of being active", ylim=(0, 1.05))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.legend(frameon=False, loc="lower left")
    return ax


@plot
def interpurchase_time_distribution(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of customers by how often they order.

    Parameters
    ----------
    frame : DataFrame
        Of `interpurchase_time_distribution`.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    return _cumulative_distribution(frame, ax)


@plot
def dropout_distribution(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of customers by how soon they leave.

    Parameters
    ----------
    frame : DataFrame
        Of `dropout_distribution`.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    return _cumulative_distribution(frame, ax)


def _cumulative_distribution(frame, ax):
    ax = axes(ax)
    ax.plot(frame.index, frame.share, color=EXPECTED)
    xlabel = f"{frame.index.name.capitalize()}{', on average' if len(frame) else ''}"
    ax.set(xlabel=xlabel, ylabel="Share of customers with fewer", xscale="log", xlim=(1, 1e4), ylim=(0, 1))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    return ax


@plot
def spend_by_frequency(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw mean spend by how often customers ordered again, with the confidence interval of each mean.

    Parameters
    ----------
    frame : DataFrame
        Of `spend_by_frequency`.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax = axes(ax)
    places = range(len(frame))
    error = (frame["mean"] - frame.ci_low, frame.ci_high - frame["mean"])
    ax.errorbar(places, frame["mean"], error, fmt="o", color=ACTUAL, ecolor=MUTED, capsize=3)
    ax.set_xticks(places, frame.index.astype(str))
    ax.set(xlabel=frame.index.name.capitalize(), ylabel="Mean spend an order day", ylim=(0, None))
    return ax


@plot
def value_concentration(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the Lorenz curve, with its Gini coefficient.

    Parameters
    ----------
    frame : DataFrame
        Of `value_concentration`, or of `lorenz`.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax, gini = axes(ax), frame.gini.iloc[0]
    label = f"as expected (Gini {number(gini, 2)})" if np.isfinite(gini) else "no customer is worth anything"
    ax.plot(frame.customers, frame.value, color=EXPECTED, label=label)
    ax.plot([0, 1], [0, 1], ":", color=MUTED, label="all customers worth the same")
    ax.set(xlabel="Share of customers, the least valuable first", ylabel="Share of the value of all")
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.xaxis.set_major_formatter(PercentFormatter(1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False)
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
