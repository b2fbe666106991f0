"""Draw the frames of schemes: how value is spread, how classes part customers, what rules leave open."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from crmlab.estimate import number
from crmlab.segments.models.brand_loyalty import LOYALTY_CLASSES, USAGE_CLASSES
from crmlab.segments.models.value import SHARE_OF_VALUE
from crmlab.segments.models.value_matrix import TREATMENTS
from crmlab.segments.plots.parts import heat_map, in_percent, legend_above, name_rows, pale, write_cells
from crmlab.style import ACTUAL, BASELINE, MUTED, axes, plot

RULE_COUNTS = {"no name": "#e8c88a", "one name": "#f2f4f6", "several names": "#8fc1de"}
PALER = pale(0.56, 0.76, 0.87)


@plot
def pareto_curve(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of all value that the best customers bring, and where each class ends.

    Parameters
    ----------
    frame : DataFrame
        Of `ABC.pareto_curve`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax = axes(ax)
    ax.plot(frame.customer_share, frame.value_share, color=ACTUAL)
    ax.plot([0, 1], [0, 1], ":", color=MUTED, label="if all were worth the same")
    begin = 0.0
    for row in frame.drop_duplicates("label", keep="last").itertuples():
        ax.axvline(row.customer_share, color=MUTED, linewidth=0.8)
        middle = (begin + row.customer_share) / 2
        ax.annotate(row.label, (middle, 1.02), ha="center", color=ACTUAL, annotation_clip=False)
        begin = row.customer_share
    ax.set(xlabel="Customers, the most valuable first", ylabel="Their share of all value", xlim=(0, 1))
    ax.set_ylim(min(0.0, frame.value_share.min()), max(1.1, frame.value_share.max() + 0.1))
    in_percent(ax.xaxis, ax.yaxis)
    ax.legend(loc="lower right", facecolor="white", framealpha=1, edgecolor="none")
    return ax


@plot
def rfm_rule_audit(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw how many rules claim each cell: recency down, frequency across, money within that.

    Parameters
    ----------
    frame : DataFrame
        Of `rfm_rule_audit`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, bins = axes(ax), int(frame.r.max())
    n_rules, kinds = frame.n_rules.to_numpy().reshape(bins, bins * bins), ListedColormap([*RULE_COUNTS.values()])
    x, y = np.arange(bins * bins + 1), np.arange(bins + 1) + 0.5
    ax.pcolormesh(x, y, np.clip(n_rules, 0, 2), cmap=kinds, vmin=-0.5, vmax=2.5, edgecolor="white", linewidth=1.5)
    for (r, column), count in np.ndenumerate(n_rules):
        ax.annotate(count, (column + 0.5, r + 1), ha="center", va="center", fontsize="x-small", color=ACTUAL)
    for edge in x[bins:-1:bins]:
        ax.axvline(edge, color=MUTED, linewidth=1.5)
    ax.set_xticks(x[:-1:bins] + bins / 2, [f"F {f + 1}" for f in range(bins)])
    ax.set_yticks(range(1, bins + 1), [f"R {r + 1}" for r in range(bins)])
    ax.set(xlabel=f"Frequency; within it money, M 1 to M {bins} from the left", ylabel="Recency", ylim=y[[0, -1]])
    ax.grid(visible=False)
    ax.tick_params(length=0)
    handles = [Patch(color=color, label=kind) for kind, color in RULE_COUNTS.items()]
    legend_above(ax, 3, handles=handles, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderaxespad=None)
    return ax


@plot
def recency_frequency_value(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of value in each cell of recency and frequency, with its customers and their mean.

    Parameters
    ----------
    frame : DataFrame
        Of `recency_frequency_value`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, bins = axes(ax, 4.6, 6.0), int(frame.r.max())
    share = frame.value_share.to_numpy().reshape(bins, bins)
    columns, rows = [f"F {f}" for f in range(1, bins + 1)], [f"R {r}" for r in range(bins, 0, -1)]
    mesh = heat_map(ax, share, columns, rows, vmax=max(float(share.max()), 1e-9))
    ax.figure.colorbar(mesh, ax=ax, label=SHARE_OF_VALUE.capitalize(), format=PercentFormatter(1, decimals=0))
    texts = [
        f"{row.value_share:.1%}\n{row.customers:,}\n× {number(float(row.value_mean), 3)}" if row.customers else "nobody"
        for row in frame.itertuples()
    ]
    write_cells(ax, np.reshape(texts, (bins, bins)), fontsize="small", linespacing=1.1)
    for place, count in enumerate(frame.customers):
        ax.texts[place].set_color(ACTUAL if count else MUTED)
    ax.set_xlabel(
        f"Frequency, the most orders right\nIn cells: {SHARE_OF_VALUE}, customers × mean spend, currency of the data"
    )
    ax.set_ylabel("Recency, the latest order on top")
    ax.tick_params(length=0)
    return ax


@plot
def quadrants(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw each class on the two axes, with its customers and its share of value.

    Parameters
    ----------
    frame : DataFrame
        Of `ValueMatrix.quadrants`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax = axes(ax)
    shares = frame.value_share[list(TREATMENTS)].to_numpy().reshape(2, 2)[::-1, ::-1].T
    heat_map(ax, shares, ["low", "high"], ["low", "high"], cmap=PALER, origin="lower")
    for label, (x, y) in zip(TREATMENTS, [(1, 1), (1, 0), (0, 1), (0, 0)], strict=True):
        row = frame.loc[label]
        text = (
            f"{row.customers:,.0f} customers, {row.share:.0%}\n{row.value_share:.1%} of value\n"
            f"current {number(float(row.current), 3)}, potential {number(float(row.potential), 3)} each"
        )
        ax.annotate(label, (x, y + 0.22), ha="center", va="center", weight="bold", color=ACTUAL)
        ax.annotate(text, (x, y - 0.06), ha="center", va="center", color=ACTUAL, fontsize="small")
    ax.set(xlabel="Current value: margin of the window", ylabel="Potential: margin beyond that")
    return ax


@plot
def usage_by_loyalty(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of the category's customers in each cell, usage by loyalty.

    Parameters
    ----------
    frame : DataFrame
        Of `usage_by_loyalty`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, top = axes(ax), max(float(frame.max(axis=None)), 1e-9)
    heat_map(ax, frame, LOYALTY_CLASSES, USAGE_CLASSES, cmap=PALER, vmax=top)
    write_cells(ax, frame.map("{:.1%}".format))
    ax.set(xlabel="Loyalty: share of what they spend on the category", ylabel="Usage: spend on the category")
    return ax


@plot
def store_strength_ablation(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw a customer's budget in each class, with store strength and without it.

    Parameters
    ----------
    frame : DataFrame
        Of `store_strength_ablation`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, places = axes(ax, 1.4 + 0.34 * len(frame)), np.arange(len(frame))
    ax.hlines(places, frame.budget_without, frame.budget, color=MUTED)
    ax.plot(frame.budget_without, places, "X", color=BASELINE, label="without store strength")
    ax.plot(frame.budget, places, "o", color=ACTUAL, label="with it")
    same = frame.treatment_changes.map({True: "", False: ", same treatment"})
    name_rows(ax, [f"{label} ({share:.0%}{same[label]})" for label, share in frame.share.items()])
    ax.set(xlabel="Budget a customer, in that of the mean customer", xlim=(-0.1, None))
    legend_above(ax, 2, borderaxespad=None)
    return ax
