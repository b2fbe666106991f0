"""Draw comparisons: what schemes predict, beside continuous baselines and by how many segments there are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from crmlab.holdout import TITLES
from crmlab.segments.models.usefulness import baseline_differences
from crmlab.segments.plots.parts import draw_reason, legend_above, name_points, name_rows
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

COLOURS = {"better": EXPECTED, "worse": BASELINE, "undecided": ACTUAL}
TARGET_TITLES = {"spend": "holdout spend", "orders": "holdout orders", "active": "holdout activity"}


@plot
def compare_schemes(
    comparison: pd.DataFrame, measure: str = "gini", target: str = "spend", ax: plt.Axes | None = None
) -> plt.Axes:
    """Draw a measure of each scheme by its number of segments; baselines are lines.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_schemes`.
    measure : str
        Measure of prediction: "gini", "lift" or "r2".
    target : str
        What is predicted: "spend", "orders" or "active".
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    held = baseline_differences(comparison, measure, target)
    if held.empty:
        return draw_reason(held, ax)
    schemes, baselines = held[~held.is_baseline].sort_values("value"), held[held.is_baseline]
    ax, x = axes(ax), _side_by_side(schemes.segments.astype(float))
    ax.vlines(x, schemes.ci_low, schemes.ci_high, color=MUTED)
    ax.scatter(x, schemes.value, color=schemes.outcome.map(COLOURS), zorder=3)
    ax.set_xscale("log")
    ticks = sorted(set(schemes.segments))
    kept = [t for i, t in enumerate(ticks) if i == 0 or t / ticks[i - 1] > 1.08]
    ax.set_xticks(kept, kept)
    ax.minorticks_off()
    edge = max(ticks) * 2.2
    ax.set_xlim(min(ticks) * 0.85, edge)
    for value in baselines.value:
        ax.axhline(value, color=BASELINE, linewidth=1, linestyle="--")
    ax.set(xlabel="Segments with customers in them", ylabel=f"{TITLES[measure]}, {TARGET_TITLES[target]}")
    beside = x.groupby(schemes.segments).transform("max")
    name_points(ax, zip(beside, schemes.value, schemes.model, strict=True), ACTUAL, 1.04)
    name_points(ax, [(edge, r.value, r.model) for r in baselines.itertuples()], BASELINE, 1.02)
    _key(ax)
    return ax


@plot
def scheme_differences(
    comparison: pd.DataFrame, measure: str = "gini", target: str = "spend", ax: plt.Axes | None = None
) -> plt.Axes:
    """Draw the difference of each scheme from the best baseline, with its interval.

    Parameters
    ----------
    comparison : DataFrame
        Of `compare_schemes`.
    measure : str
        Measure of prediction: "gini", "lift" or "r2".
    target : str
        What is predicted: "spend", "orders" or "active".
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    held = baseline_differences(comparison, measure, target)
    if held.empty:
        return draw_reason(held, ax)
    held = held[~held.is_baseline]
    ax, places = axes(ax, 1.5 + 0.34 * len(held)), np.arange(len(held))
    colors = held.outcome.map(COLOURS)
    ax.hlines(places, held.difference_ci_low, held.difference_ci_high, color=colors)
    ax.scatter(held.difference, places, color=colors, zorder=3)
    ax.axvline(0, color=MUTED, linewidth=1)
    name_rows(ax, [f"{r.model} ({r.segments})" for r in held.itertuples()])
    ax.set(xlabel=f"{TITLES[measure]}, {TARGET_TITLES[target]}, less that of {' or '.join(held.baseline.unique())}")
    _key(ax)
    return ax


def _side_by_side(segments):
    """Where each scheme stands: those of as many segments beside each other, in the order that they come."""
    place = segments.groupby(segments).cumcount() - (segments.groupby(segments).transform("size") - 1) / 2
    return segments * 1.055**place


def _key(ax):
    """The legend of colours."""
    handles = [Line2D([], [], color=c, marker="o", linestyle="none", label=label) for label, c in COLOURS.items()]
    legend_above(ax, 3, handles=handles)
