"""Draw spend and value, and how they are spread over customers."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter, StrMethodFormatter

from crmlab.estimate import number
from crmlab.style import ACTUAL, EXPECTED, MUTED, axes, plot


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
def spend_distribution(frame: pd.DataFrame, currency: str = "", ax: Axes | None = None) -> Axes:
    """Draw how many repeat buyers spent so much on average, beside how many a model of spend expects.

    Parameters
    ----------
    frame : DataFrame
        Of `spend_distribution`; its last bin, which has no end, is written and not drawn.
    currency : str
        Currency of the amounts; "" names none.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax, rows, rest = axes(ax), frame.iloc[:-1], frame.iloc[-1]
    width, middle = rows.spend_to - rows.spend_from, (rows.spend_from + rows.spend_to) / 2
    bars = ax.bar(middle, rows.actual, width, color=ACTUAL, alpha=0.35, edgecolor="white", linewidth=0.4)
    (line,) = ax.plot(middle, rows.expected, "o-", color=EXPECTED, markersize=3)
    ax.set(xlabel=f"Mean spend an order day, {currency or 'currency of the data'}", ylabel="Repeat buyers")
    ax.set(xlim=(0, rest.spend_from), ylim=(0, None))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    more = f"{rest.spend_from:,.6g} and more: {rest.actual:,.0f} customers, {rest.expected:,.1f} expected"
    ax.legend([bars, line], ["actual", "expected"], frameon=False, title=more, alignment="left", loc="upper right")
    return ax


@plot
def value_by_decile(frame: pd.DataFrame, currency: str = "", ax: Axes | None = None) -> Axes:
    """Draw what a customer of each tenth is expected to be worth, with the share of the value of all above each bar.

    Parameters
    ----------
    frame : DataFrame
        Of `value_by_decile`.
    currency : str
        Currency of value; "" names none.
    ax : Axes, optional
        Axes to draw on; None draws on a new figure.

    Returns
    -------
    Axes
        The axes drawn on, with `frame`.
    """
    ax = axes(ax)
    bars = ax.bar(frame.index, frame.value, 0.8, color=EXPECTED)
    shares = [f"{share:.0%}" if share >= 0.01 or not share else "<1%" for share in frame["share"].fillna(0)]
    ax.bar_label(bars, shares, padding=2, fontsize="small", color=ACTUAL)
    money = frame.of.iloc[0] == "value"
    unit = f"value of a customer, {currency or 'currency of the data'}" if money else "discounted orders of a customer"
    ax.set(xlabel=f"Tenth of the customers, by {frame.of.iloc[0]} (above: share of all)", ylabel=f"Expected {unit}")
    ax.set_xticks(frame.index)
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.6g}"))
    ax.margins(y=0.08)
    ax.grid(visible=False, axis="x")
    return ax
