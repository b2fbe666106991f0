"""Draw the frames of the index system: what indicators weigh, how judgements agree, whose tier is unstable."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from crmlab.segments.models.index_system import ALL
from crmlab.segments.plots.parts import in_percent, legend_above, name_rows
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

MARKERS = {"equal": ("|", MUTED), "given": ("s", ACTUAL), "ahp": ("o", EXPECTED)}
MARKERS |= {"entropy sum": ("^", BASELINE), "entropy minmax": ("v", BASELINE)}
MAX_SHOWN = 15  # judgements drawn; the worst are the first
TICKS = {1 / 9: "1/9", 1 / 7: "1/7", 1 / 5: "1/5", 1 / 3: "1/3", 1: "1", 3: "3", 5: "5", 7: "7", 9: "9"}


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
    ax, places = axes(ax, 1.6 + 0.4 * len(lined)), np.arange(len(lined))
    ax.hlines(places, lined.min(axis=1), lined.max(axis=1), color=MUTED, linewidth=1)
    for way, weight in lined.items():
        marker, color = MARKERS[way]
        ax.plot(weight, places, marker, color=color, markersize=10 if marker == "|" else 7, label=way)
    ax.set(xlabel="Weight of the indicator", xlim=(0, None))
    name_rows(ax, lined.index, 0.5)
    legend_above(ax, len(lined.columns))
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
    ax, places = axes(ax, 1.6 + 0.32 * len(worst)), np.arange(len(worst))
    ax.hlines(places, worst.implied, worst.judged, color=MUTED, linewidth=1)
    ax.plot(worst.judged, places, "o", color=ACTUAL, label="judged")
    ax.plot(worst.implied, places, "X", color=EXPECTED, label="implied by all")
    ax.set_xscale("log")
    ax.set_xticks([*TICKS], [*TICKS.values()])
    ax.minorticks_off()
    ax.axvline(1, color=MUTED, linewidth=1)
    ends = worst[["judged", "implied"]].to_numpy()
    ax.set(xlabel="Times as important (log scale)", xlim=(min(ends.min() / 1.2, 0.8), max(ends.max() * 1.2, 1.25)))
    name_rows(ax, worst["first"].astype(str) + " to " + worst.second.astype(str), 0.5)
    legend_above(ax, 2)
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
    ax, tiers, every = axes(ax), frame.drop(ALL), frame.loc[ALL]
    places, step = np.arange(len(tiers)), 1 + len(tiers) // 16
    ax.bar(places, tiers.share, 0.7, color=BASELINE, alpha=0.55, label="unstable")
    ax.plot(places, tiers.probability, "o", color=ACTUAL, markersize=4, label="mean probability of another tier")
    ax.axhline(every.share, color=BASELINE, linestyle="--", linewidth=1, label=f"unstable of all ({every.share:.0%})")
    ax.set_xticks(places[::step], tiers.index[::step].str.removeprefix("tier "))
    top = 1.05 * max(frame.share.max(), frame.probability.max(), 0.1)
    ax.set(xlabel="Tier, the best first", ylabel="Share of the tier's customers", ylim=(0, top))
    in_percent(ax.yaxis)
    ax.grid(visible=False, axis="x")
    legend_above(ax, 3, borderaxespad=None)
    return ax
