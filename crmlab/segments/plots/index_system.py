"""Draw the frames of the index system: what indicators weigh, how judgements agree, whose tier is unstable."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import PercentFormatter

from crmlab.segments.models.index_system import ALL
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

MARKERS = {"equal": ("|", MUTED), "given": ("s", ACTUAL), "ahp": ("o", EXPECTED)}
MARKERS |= {"entropy sum": ("^", BASELINE), "entropy minmax": ("v", BASELINE)}
MAX_SHOWN = 15  # judgements drawn; the worst are the first


@plot
def weighting_comparison(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw what each indicator weighs by each weighting, the heaviest on top.

    Parameters
    ----------
    frame : DataFrame
        Of `weighting_comparison`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    lined = frame.loc[frame.mean(axis=1).sort_values(ascending=False, kind="stable").index]
    ax = axes(ax, 1.6 + 0.4 * len(lined))
    places = np.arange(len(lined))
    ax.hlines(places, lined.min(axis=1), lined.max(axis=1), color=MUTED, linewidth=1)
    for way, weight in lined.items():
        marker, color = MARKERS[way]
        ax.plot(weight, places, marker, color=color, markersize=10 if marker == "|" else 7, label=way)
    ax.set_yticks(places, lined.index)
    ax.set(xlabel="Weight of the indicator", xlim=(0, None), ylim=(len(lined) - 0.5, -0.5))
    _beside(ax, len(lined.columns))
    return ax


@plot
def ahp_judgements(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw each pairwise judgement beside what all together imply, the worst on top.

    Parameters
    ----------
    frame : DataFrame
        Of `ahp_judgements`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    worst = frame.head(MAX_SHOWN)
    ax = axes(ax, 1.6 + 0.32 * len(worst))
    places = np.arange(len(worst))
    ax.hlines(places, worst.implied, worst.judged, color=MUTED, linewidth=1)
    ax.plot(worst.judged, places, "o", color=ACTUAL, label="judged")
    ax.plot(worst.implied, places, "X", color=EXPECTED, label="implied by all")
    ax.set_xscale("log")
    ends = worst[["judged", "implied"]]
    ticks = [1 / 9, 1 / 7, 1 / 5, 1 / 3, 1, 3, 5, 7, 9]
    low, high = min(ends.min().min() / 1.2, 0.8), max(ends.max().max() * 1.2, 1.25)
    ax.set_xticks(ticks, ["1/9", "1/7", "1/5", "1/3", "1", "3", "5", "7", "9"])
    ax.minorticks_off()
    ax.axvline(1, color=MUTED, linewidth=1)
    ax.set_yticks(places, worst["first"].astype(str) + " to " + worst.second.astype(str))
    ax.set(xlabel="Times as important (log scale)", xlim=(low, high), ylim=(len(worst) - 0.5, -0.5))
    _beside(ax, 2)
    return ax


@plot
def weight_sensitivity_by_tier(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of each tier that is unstable, and the mean probability of another tier.

    Parameters
    ----------
    frame : DataFrame
        Of `weight_sensitivity_by_tier`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, tiers = axes(ax), frame.drop(ALL)
    places = np.arange(len(tiers))
    ax.bar(places, tiers.share, 0.7, color=BASELINE, alpha=0.55, label="unstable")
    ax.plot(places, tiers.probability, "o", color=ACTUAL, markersize=4, label="mean probability of another tier")
    every = frame.loc[ALL]
    ax.axhline(every.share, color=BASELINE, linestyle="--", linewidth=1, label=f"unstable of all ({every.share:.0%})")
    step = 1 + len(tiers) // 16
    ax.set_xticks(places[::step], [name.removeprefix("tier ") for name in tiers.index[::step]])
    top = 1.05 * max(frame.share.max(), frame.probability.max(), 0.1)
    ax.set(xlabel="Tier, the best first", ylabel="Share of the tier's customers", ylim=(0, top))
    ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(visible=False, axis="x")
    ax.legend(frameon=False, ncol=3, loc="lower left", bbox_to_anchor=(0, 1.0))
    return ax


def _beside(ax, columns):
    """No lines along rows, and the legend above them."""
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.legend(frameon=False, ncol=columns, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
