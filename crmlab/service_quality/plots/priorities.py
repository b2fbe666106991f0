"""Draw what to fix first: the map of importance and performance, drivers, penalties and rewards."""

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from crmlab.service_quality.models.asked import percent_interval
from crmlab.service_quality.plots.lines import dots, rows, shortened, worded
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

SHORT = 6  # letters up to which names stand on the map; longer ones are numbered
KEY_LINE, KEY_WIDTH = 0.14, 70  # of the key below the map: height of a line, inches, and its letters
CORNERS = {"concentrate here": (0, 1), "keep up": (1, 1), "low priority": (0, 0), "possible overkill": (1, 0)}
ANGLES = np.deg2rad([45, 135, 225, 315, 30, 60, 120, 150, 210, 240, 300, 330])  # off the intervals, which run straight
SPOTS = [(r * np.cos(a), r * np.sin(a)) for r in (11, 15, 20, 27, 35, 44) for a in ANGLES]
CROSSHAIR = "crosshair"
CROSSES = {"means": "mean of the items", "medians": "median of the items", "midpoint": "midpoint of the scales"}
HALO = [patheffects.withStroke(linewidth=2, foreground="white")]
CATEGORY_COLORS = {"basic": BASELINE, "excitement": EXPECTED, "performance": ACTUAL, "undecided": MUTED}


@plot
def improvement_priorities(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw importance over performance, with the quadrants and the iso-rating line.

    Parameters
    ----------
    frame : DataFrame
        Of `improvement_priorities` or `importance_performance_analysis`.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.

    Notes
    -----
    Items whose quadrant is undecided are hollow. Where names are long, items bear numbers; a key below the map gives
    the wording.
    """
    noted = frame[frame.reason == ""].reset_index(drop=True)
    numbered = noted["item"].astype(str).str.len().max() > SHORT
    names = [str(i + 1) for i in range(len(noted))] if numbered else list(noted["item"].astype(str))
    texts = noted["item"].astype(str) if numbered else noted.get("text", pd.Series("", noted.index)).fillna("")
    keyed = bool((texts != "").any())
    ax = axes(ax, 5.2 + keyed * (0.4 + KEY_LINE * len(noted)), 6.4)
    _dots(noted, ax)
    _lines(noted, ax)
    source = f" ({frame.source.iloc[0]})" if "source" in frame and len(frame) else ""
    ax.set(xlabel="Performance (mean perception)", ylabel=f"Importance{source}")
    if keyed:
        _key(names, texts, ax)
    ax.legend(frameon=False, ncol=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=8)
    _label(noted.performance, noted.importance, names, ax)
    return ax


@plot
def key_drivers(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw each driver's share of the variance explained, with its interval and that of its rank.

    Parameters
    ----------
    frame : DataFrame
        Of `key_drivers` or `relative_importance`.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    noted = frame[frame.reason == ""]
    ax = axes(ax, 1.4 + 0.24 * max(len(noted), 3))
    dots(ax, range(len(noted)), noted.r2_share, noted.r2_share_ci_low, noted.r2_share_ci_high)
    for place, row in enumerate(noted.itertuples()):
        _beside(ax, place, f"rank {row.rank} ({row.rank_ci_low:.0f} to {row.rank_ci_high:.0f})", MUTED)
    explained = f" (R² = {noted.r2.iloc[0]:.0%})" if len(noted) else ""
    ax.set(xlabel=f"Share of the variance explained{explained}", xlim=(0, None))
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    rows(ax, worded(noted, "driver"))
    return ax


@plot
def asymmetric_impact(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw what each item costs where it fails and brings where it excels, with intervals.

    Parameters
    ----------
    frame : DataFrame
        Of `asymmetric_impact` or `penalty_reward_contrasts`; items without numbers have a line without marks.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    noted = frame.reset_index(drop=True)
    ax = axes(ax, 1.4 + 0.24 * max(len(noted), 3))
    for side, color, up in (("penalty", BASELINE, -0.15), ("reward", EXPECTED, 0.15)):
        ends = noted[f"{side}_ci_low"], noted[f"{side}_ci_high"]
        dots(ax, noted.index + up, noted[side], *ends, color, markersize=4, label=side)
    ax.axvline(0, color=MUTED, linewidth=1)
    for place, row in noted.iterrows():
        category = "too few answers" if row.reason else row.category
        _beside(ax, place, category, CATEGORY_COLORS.get(category, MUTED))
    ax.set_xlabel(f"Change of satisfaction from middling answers\n({percent_interval(frame)})")
    rows(ax, worded(noted, width=42))
    ax.tick_params(axis="y", labelsize="small")
    ax.legend(frameon=False, ncol=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=8)
    return ax


def _beside(ax, place, words, color):
    """Words at the right of a line."""
    where = {"xycoords": ("axes fraction", "data"), "xytext": (4, 0), "textcoords": "offset points"}
    ax.annotate(words, (1, place), va="center", fontsize=8, color=color, annotation_clip=False, **where)


def _dots(noted, ax):
    """Items with their intervals, those undecided hollow."""
    unsure = noted.decision == "undecided"
    style = {"fmt": "o", "markersize": 5, "color": EXPECTED, "ecolor": "#6e778166", "elinewidth": 0.8}
    for held, fill, label in ((noted[~unsure], EXPECTED, "decided"), (noted[unsure], "white", "undecided")):
        error = {"xerr": _reach(held, "performance"), "yerr": _reach(held, "importance")}
        named = label if len(held) else None
        ax.errorbar(held.performance, held.importance, **error, **style, mfc=fill, label=named)


def _reach(rows, side):
    """How far each interval goes below and above."""
    return np.maximum([rows[side] - rows[f"{side}_ci_low"], rows[f"{side}_ci_high"] - rows[side]], 0)


def _lines(noted, ax):
    """The crosshair, the iso-rating line and the names of quadrants."""
    ax.margins(0.12)
    limits = ax.get_xlim(), ax.get_ylim()
    first = noted.iloc[0]
    named = f"crosshair: {CROSSES[first.crosshair]}"
    ax.axhline(first.crosshair_importance, color=MUTED, linewidth=1, gid=CROSSHAIR, label=named)
    ax.axvline(first.crosshair_performance, color=MUTED, linewidth=1, gid=CROSSHAIR)
    ends = noted.sort_values("performance").iloc[[0, -1]]
    if ends.performance.nunique() > 1:
        slope, start = np.polyfit(ends.performance, ends.iso_rating, 1)
        x = np.array(limits[0])
        ax.plot(x, start + slope * x, ":", color=BASELINE, linewidth=1.2, label="iso-rating line", zorder=1)
    ax.set(xlim=limits[0], ylim=limits[1])
    for name, (right, top) in CORNERS.items():
        inward = (-4 if right else 4, -4 if top else 4)
        where = {"ha": "right" if right else "left", "va": "top" if top else "bottom"}
        where |= {"xycoords": "axes fraction", "textcoords": "offset points"}
        ax.annotate(name, (right, top), inward, color=MUTED, fontsize=8, style="italic", **where)


def _label(x, y, names, ax):
    """Put a name beside each point where it lies on no other name, point or quadrant's name."""
    ax.figure.draw_without_rendering()  # settles where points are
    points = ax.transData.transform(np.column_stack([x, y])) if len(names) else np.empty((0, 2))
    scale = ax.figure.dpi / 72
    lines = [line for line in ax.get_lines() if line.get_gid() == CROSSHAIR]
    taken = [part.get_window_extent() for part in (*ax.texts, *lines)]
    for point, name in zip(zip(x, y, strict=True), names, strict=True):
        note = ax.annotate(name, point, (0, 0), textcoords="offset points", ha="center", va="center", fontsize=8)
        box = note.get_window_extent()
        note.set_path_effects(HALO)
        moved = {spot: box.translated(spot[0] * scale, spot[1] * scale) for spot in SPOTS}
        crowd = {spot: _crowded(at, taken, points, 4 * scale, ax.bbox) for spot, at in moved.items()}
        spot = min(SPOTS, key=lambda s: (crowd[s], round(np.hypot(*s))))
        note.set_position(spot)
        taken.append(moved[spot])
        if np.hypot(*spot) > 15:
            line = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.5, "shrinkA": 5, "shrinkB": 3}
            ax.annotate("", point, spot, textcoords="offset points", arrowprops=line)


def _crowded(box, taken, points, radius, frame):
    """How much a label at `box` would lie on, or outside."""
    near = (points[:, 0] > box.x0 - radius) & (points[:, 0] < box.x1 + radius)
    near &= (points[:, 1] > box.y0 - radius) & (points[:, 1] < box.y1 + radius)
    outside = box.x0 < frame.x0 or box.x1 > frame.x1 or box.y0 < frame.y0 or box.y1 > frame.y1
    return near.sum() + sum(box.overlaps(other) for other in taken) + 5 * outside


def _key(names, texts, ax):
    """What names on the map stand for, below it."""
    lines = [f"{name}  {shortened(text, KEY_WIDTH)}" for name, text in zip(names, texts, strict=True)]
    style = {"va": "top", "fontsize": 8, "linespacing": 1.25, "annotation_clip": False}
    where = {"xycoords": "axes fraction", "xytext": (0, -40), "textcoords": "offset points"}
    ax.annotate("\n".join(lines), (0, 0), **where, **style)
