"""Draw who is still active and who will order, and how customers differ."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab.style import ACTUAL, EXPECTED, axes, plot


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
    return _matrix(axes(ax), frame, "Probability of being active", "cividis", 1)


@plot
def expected_orders_matrix(frame: pd.DataFrame, horizon_days: int, ax: Axes | None = None) -> Axes:
    """Draw expected orders, by repeat orders and days since the last one.

    Parameters
    ----------
    frame : DataFrame
        Of `expected_orders_matrix`.
    horizon_days : int
        How far ahead its orders lie, days.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    return _matrix(axes(ax), frame, f"Expected orders in {horizon_days:,} days", "viridis", frame.max(axis=None))


def _matrix(ax, frame, label, cmap, highest):
    """A heat map by repeat orders and days since the last one."""
    mesh = ax.pcolormesh(frame.columns, frame.index, frame, vmin=0, vmax=highest, cmap=cmap, shading="nearest")
    ax.figure.colorbar(mesh, ax=ax, label=label)
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
