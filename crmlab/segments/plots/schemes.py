"""Draw the frames of schemes: how value is spread, how classes part customers, what rules leave open."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import PercentFormatter

from crmlab.segments.models.brand_loyalty import LOYALTY_CLASSES, USAGE_CLASSES
from crmlab.segments.models.value_matrix import TREATMENTS
from crmlab.style import ACTUAL, BASELINE, MUTED, axes, plot

RULE_COUNTS = {"no name": "#e8c88a", "one name": "#f2f4f6", "several names": "#8fc1de"}


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
    last = frame.drop_duplicates("label", keep="last")
    begins = np.concatenate([[0], last.customer_share[:-1]])
    for begin, row in zip(begins, last.itertuples(), strict=True):
        ax.axvline(row.customer_share, color=MUTED, linewidth=0.8)
        ax.annotate(
            row.label, ((begin + row.customer_share) / 2, 1.02), ha="center", color=ACTUAL, annotation_clip=False
        )
    low = min(0.0, frame.value_share.min())
    ax.set(xlabel="Customers, the most valuable first", ylabel="Their share of all value", xlim=(0, 1))
    ax.set_ylim(low, max(1.1, frame.value_share.max() + 0.1))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
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
    n_rules = frame.n_rules.to_numpy().reshape(bins, bins * bins)
    kinds = ListedColormap(list(RULE_COUNTS.values()))
    x, y = np.arange(bins * bins + 1), np.arange(bins + 1) + 0.5
    ax.pcolormesh(x, y, np.clip(n_rules, 0, 2), cmap=kinds, vmin=-0.5, vmax=2.5, edgecolor="white", linewidth=1.5)
    for (r, column), count in np.ndenumerate(n_rules):
        ax.annotate(count, (column + 0.5, r + 1), ha="center", va="center", fontsize="x-small", color=ACTUAL)
    for edge in range(bins, bins * bins, bins):
        ax.axvline(edge, color=MUTED, linewidth=1.5)
    ax.set_xticks(np.arange(bins) * bins + bins / 2, [f"F {f + 1}" for f in range(bins)])
    ax.set_yticks(range(1, bins + 1), [f"R {r}" for r in range(1, bins + 1)])
    ax.set(
        xlabel=f"Frequency; within it money, M 1 to M {bins} from the left", ylabel="Recency", ylim=(0.5, bins + 0.5)
    )
    ax.grid(visible=False)
    ax.tick_params(length=0)
    handles = [Patch(color=color, label=kind) for kind, color in RULE_COUNTS.items()]
    ax.legend(handles=handles, frameon=False, ncol=3, loc="lower center", bbox_to_anchor=(0.5, 1.0))
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
    places = dict(zip(TREATMENTS, [(1, 1), (1, 0), (0, 1), (0, 0)], strict=True))
    shares = [[frame.current_share[_at(places, (x, y))] for x in (0, 1)] for y in (0, 1)]
    ax.imshow(shares, cmap=_pale(), vmin=0, vmax=1, origin="lower", aspect="auto")
    for label, (x, y) in places.items():
        row = frame.loc[label]
        text = (
            f"{row.customers:,.0f} customers, {row.share:.0%}\n{row.current_share:.0%} of current value\n"
            f"{row.potential_share:.0%} of potential above 0"
        )
        ax.annotate(label, (x, y + 0.22), ha="center", va="center", weight="bold", color=ACTUAL)
        ax.annotate(text, (x, y - 0.06), ha="center", va="center", color=ACTUAL, fontsize="small")
    ax.set_xticks([0, 1], ["low", "high"])
    ax.set_yticks([0, 1], ["low", "high"])
    ax.set(xlabel="Current value: margin of the window", ylabel="Potential: margin beyond that")
    ax.grid(visible=False)
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
    ax = axes(ax)
    ax.imshow(frame, cmap=_pale(), vmin=0, vmax=max(float(frame.to_numpy().max()), 1e-9), aspect="auto")
    for place, share in np.ndenumerate(frame.to_numpy()):
        ax.annotate(f"{share:.1%}", place[::-1], ha="center", va="center", color=ACTUAL)
    ax.set_xticks(range(3), LOYALTY_CLASSES)
    ax.set_yticks(range(3), USAGE_CLASSES)
    ax.set(xlabel="Loyalty: share of what they spend on the category", ylabel="Usage: spend on the category")
    ax.grid(visible=False)
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
    text = [
        f"{label} ({row.share:.0%}{'' if row.treatment_changes else ', same treatment'})"
        for label, row in frame.iterrows()
    ]
    ax.set_yticks(places, text)
    ax.set(xlabel="Budget a customer, in that of the mean customer", xlim=(-0.1, None), ylim=(len(frame) - 0.4, -0.6))
    _beside(ax)
    return ax


def _beside(ax):
    """No lines along bars, and the legend above them."""
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.legend(frameon=False, ncol=2, loc="lower left", bbox_to_anchor=(0, 1.0))


def _at(places, place):
    return next(label for label, stands in places.items() if stands == place)


def _pale():
    """From white to a shade that text can still be read on."""
    return ListedColormap(np.linspace([1, 1, 1], [0.56, 0.76, 0.87], 64))
