"""Draw the race: what segments foretell, beside continuous rules and against how many segments there are."""

import numpy as np
from matplotlib.lines import Line2D

from crmlab.segments.models.usefulness import ALL_ORIGINS, TITLES
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes

COLOURS = {"better": EXPECTED, "worse": BASELINE, "no difference": ACTUAL}
TARGET_TITLES = {"spend": "later spend", "orders": "later orders", "active": "later activity"}
LABEL_SPACING = 0.045  # of the height, between names of schemes


def compare_schemes(frame, target="spend", measure="gini", origin=ALL_ORIGINS, ax=None):
    """Draw `SchemeComparison.schemes`: a measure of each scheme by its number of segments; baselines are lines."""
    held = frame[(frame.origin == origin) & (frame.target == target) & frame[measure].notna()]
    schemes, baselines = held[held.kind == "model"].sort_values(measure), held[held.kind != "model"]
    ax, ci_low, ci_high = axes(ax), schemes[f"{measure}_ci_low"], schemes[f"{measure}_ci_high"]
    x = _side_by_side(schemes.segments.astype(float))
    ax.vlines(x, ci_low, ci_high, color=MUTED)
    ax.scatter(x, schemes[measure], color=schemes[f"{measure}_outcome"].map(COLOURS), zorder=3)
    ax.set_xscale("log")
    ticks = sorted(set(schemes.segments))
    kept = [t for i, t in enumerate(ticks) if i == 0 or t / ticks[i - 1] > 1.08]
    ax.set_xticks(kept, kept)
    ax.minorticks_off()
    ax.set_xlim(min(ticks) * 0.85, max(ticks) * 2.2)
    for baseline in baselines.itertuples():
        ax.axhline(getattr(baseline, measure), color=BASELINE, linewidth=1, linestyle="--")
    ax.set(xlabel="Segments with customers in them", ylabel=f"{TITLES[measure]}, {TARGET_TITLES[target]}")
    beside = x.groupby(schemes.segments).transform("max")
    annotate_points(ax, [*zip(beside, schemes[measure], schemes.model, strict=True)], ACTUAL, 1.04)
    annotate_points(
        ax, [(max(ticks) * 2.2, getattr(r, measure), r.model) for r in baselines.itertuples()], BASELINE, 1.02
    )
    _key(ax)
    return ax


def scheme_differences(frame, target="spend", measure="gini", origin=ALL_ORIGINS, ax=None):
    """Draw `SchemeComparison.schemes`: difference of each scheme from the best baseline, with its interval."""
    held = frame[(frame.origin == origin) & (frame.target == target) & (frame.kind == "model")]
    held = held[held[f"{measure}_difference"].notna()].sort_values(f"{measure}_difference", ascending=False)
    ax, places = axes(ax, 1.5 + 0.34 * len(held)), np.arange(len(held))
    colors = held[f"{measure}_outcome"].map(COLOURS)
    ax.hlines(places, held[f"{measure}_difference_ci_low"], held[f"{measure}_difference_ci_high"], color=colors)
    ax.scatter(held[f"{measure}_difference"], places, color=colors, zorder=3)
    ax.axvline(0, color=MUTED, linewidth=1)
    ax.set_yticks(places, [f"{r.model} ({r.segments})" for r in held.itertuples()])
    baseline = " or ".join(dict.fromkeys(held[f"{measure}_baseline"]))
    ax.set(xlabel=f"{TITLES[measure]}, {TARGET_TITLES[target]}, less that of {baseline}", ylim=(len(held) - 0.4, -0.6))
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    _key(ax)
    return ax


def _side_by_side(segments):
    """Where each scheme stands: those of as many segments beside each other, in the order that they come."""
    place = segments.groupby(segments).cumcount() - (segments.groupby(segments).transform("size") - 1) / 2
    return segments * 1.055**place


def annotate_points(ax, placed, color, right):
    """Names to the right of their points, those that would overlap moved up."""
    bottom, top = ax.get_ylim()
    last = -np.inf
    for x, y, name in sorted(placed, key=lambda p: p[1]):
        last = max(y, last + LABEL_SPACING * (top - bottom))
        white = {"boxstyle": "square,pad=0.1", "fc": "white", "ec": "none", "alpha": 0.75}
        look = {"va": "center", "color": color, "fontsize": "small", "annotation_clip": False, "bbox": white}
        ax.annotate(name, (x * right, last), **look, zorder=2.5)


def _key(ax):
    """What colours say, above the axes."""
    handles = [Line2D([], [], color=c, marker="o", linestyle="none", label=outcome) for outcome, c in COLOURS.items()]
    title = {"frameon": False, "ncol": 3, "loc": "lower left", "bbox_to_anchor": (0, 1.0), "borderaxespad": 0.2}
    ax.legend(handles=handles, **title)
