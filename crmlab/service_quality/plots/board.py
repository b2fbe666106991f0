"""Draw the board of seven gaps, and the gaps of segments."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from crmlab.estimate import number
from crmlab.service_quality.models.asked import percent_interval
from crmlab.service_quality.plots.lines import legend, room, wrapped
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

MAX_SEGMENTS = 15  # segments of a kind that a map has room for
SHADES = {"gap": "Gap, as answered", "shrunken_gap": "Gap, drawn towards the whole"}
STATES = {"measured": (ACTUAL, "o", ACTUAL), "proxy": (BASELINE, "D", "white")}
SHORTFALL = LinearSegmentedColormap.from_list("shortfall", [BASELINE, "#ffffff", EXPECTED])


@plot
def gaps_model(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the seven gaps, measured filled and proxies hollow, and why the others have no mark.

    Parameters
    ----------
    frame : DataFrame
        Of `gaps_model`, overall.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    held = frame.assign(label=[_label(row) for row in _named(frame)], title=False)
    deep = held.label.str.count("\n") * 0.62 + 1.5
    held = held.assign(place=deep.cumsum() - deep / 2)
    ax = room(held, ax, extra=1.2)
    for state, (color, marker, face) in STATES.items():
        drawn = held[(held.state == state) & held.gap.notna()]
        if len(drawn):
            ax.hlines(drawn.place, drawn.simultaneous_ci_low, drawn.simultaneous_ci_high, color=color)
            ax.plot(drawn.gap, drawn.place, marker, color=color, markerfacecolor=face, label=state)
    if frame.gap.notna().any():
        ax.axvline(0, color=MUTED, linewidth=1)
        ax.set_xlabel(f"Gap, on the scale of the answers ({percent_interval(frame, 'simultaneous interval')})")
    else:
        ax.set_xticks([])
        ax.spines["bottom"].set_visible(False)
    where = ax.get_yaxis_transform()
    for row in held[held.gap.isna()].itertuples():
        why = wrapped(_reason_of(row), 62, 2)
        ax.text(0.01, row.place, why, transform=where, color=MUTED, va="center", fontsize="small", backgroundcolor="w")
    if ax.get_legend_handles_labels()[0]:
        legend(ax, 2)
    return ax


@plot
def segment_gap_scores(frame: pd.DataFrame, value: str = "gap", ax: Axes | None = None) -> Axes:
    """Draw a map of gaps, a cell a segment and dimension.

    Parameters
    ----------
    frame : DataFrame
        Of `segment_gap_scores` or `all_segment_gap_scores`.
    value : {"gap", "shrunken_gap"}
        Gaps as answered, or drawn towards the whole.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.

    Notes
    -----
    Below 30 answers a cell is greyed and hatched; below 5 it is empty but for a cross. Of each kind the 15 largest
    segments are drawn. Colours are those of the gaps as answered, whatever the value, so that two maps can be compared.
    """
    dimensions, rows = list(dict.fromkeys(frame.dimension)), _rows(frame)
    ax = axes(ax, 1.3 + 0.29 * len(rows), max(7.2, 2.6 + 0.75 * len(dimensions)))
    most = max(np.nanmax(np.abs(frame.gap.where(frame.state == "shown").to_numpy(dtype=float)), initial=0), 1e-9)
    key = ["segmentation", "segment", "dimension"]
    cells = _segmented(frame).drop_duplicates(key).set_index(key)
    shown = cells[value].where(cells.state == "shown").to_dict()
    grid = [[shown.get((*row.key, name), np.nan) for name in dimensions] for row in rows.itertuples()]
    mesh = ax.pcolormesh(np.ma.masked_invalid(np.array(grid, dtype=float)), cmap=SHORTFALL, vmin=-most, vmax=most)
    mesh.set(edgecolors="w", linewidth=1)
    ax.figure.colorbar(mesh, ax=ax, label=SHADES[value])
    for y, row in enumerate(rows.itertuples()):
        for x, name in enumerate(dimensions):
            if (*row.key, name) in cells.index:
                _cell(ax, x, y, cells.loc[(*row.key, name)], value, most)
    _margins(ax, rows, dimensions)
    return ax


def _rows(frame):
    """The lines of the map: the whole, then each kind of segments under its title; `key` is (by, segment)."""
    frame = _segmented(frame)
    first = frame.segmentation.iloc[0]
    rows = [{"key": (first, "all"), "label": "All", "title": False}]
    for segmentation, cells in frame[frame.segment != "all"].groupby("segmentation", sort=False):
        size = cells.groupby("segment", sort=False).n.max()
        kept, rest = size.index[size.index.isin(size.nlargest(MAX_SEGMENTS).index)], len(size) - MAX_SEGMENTS
        named = {name: wrapped(name, 26, 1) for name in kept} | ({"": f"and {rest} smaller"} if rest > 0 else {})
        rows += [{"key": (segmentation, ""), "label": segmentation.capitalize(), "title": True}] if segmentation else []
        rows += [{"key": (segmentation, name), "label": label, "title": False} for name, label in named.items()]
    return pd.DataFrame(rows)


def _segmented(frame):
    """The frame with its kinds of segments; "" where it is of one kind."""
    return frame if "segmentation" in frame else frame.assign(segmentation="")


def _margins(ax, rows, dimensions):
    """Names of the lines and columns."""
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows.label, parse_math=False)
    for label, title in zip(ax.get_yticklabels(), rows.title, strict=True):
        label.set(fontweight="bold" if title else "normal", fontsize="small")
    names = [wrapped(name.capitalize(), 14 if len(dimensions) < 8 else 40) for name in dimensions]
    ax.set_xticks(np.arange(len(dimensions)) + 0.5, names, fontsize="small", rotation=0 if len(dimensions) < 8 else 60)
    ax.set(xlabel="// below 30 answers; × below 5 answers, not shown", ylim=(len(rows), 0), xlim=(0, len(dimensions)))
    ax.grid(visible=False)
    ax.tick_params(length=0)


def _cell(ax, x, y, cell, value, most):
    """The number of a cell, or the sign that it has too few answers."""
    middle = {"x": x + 0.5, "y": y + 0.5, "ha": "center", "va": "center", "fontsize": "small"}
    if cell.state == "suppressed":
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor="white", edgecolor="#d0d4d9", linewidth=0.5))
        ax.text(**middle, s="×", color=MUTED)
        return
    if cell.state == "greyed":
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor="#eceef0", edgecolor="#c4c9cf", hatch="//", linewidth=0))
    dark = cell.state == "shown" and abs(cell[value]) > 0.6 * most
    back = {"boxstyle": "square,pad=0.1", "facecolor": "#eceef0", "edgecolor": "none"}
    noted = f"{cell[value]:.2f}".replace("-", "−") if cell[value] == cell[value] else "–"
    color = MUTED if cell.state == "greyed" else "white" if dark else ACTUAL
    ax.text(**middle, s=noted, color=color, bbox=back if cell.state == "greyed" else None)


def _label(row):
    """What a line of the board is about, and the waves it compares where they differ."""
    return wrapped(f"{row.number}  {row.name_}" + (f" ({row.waves})" if row.waves else ""), 34)


def _named(frame):
    """Rows with `name` under another one: tuples have a field of their own by that."""
    return frame.rename(columns={"name": "name_"}).itertuples()


def _reason_of(row):
    """What stands in the place of a gap: extents, or why it is absent."""
    rated = [f"{who} {number(mean, 3)}" for who in ("managers", "staff") if (mean := getattr(row, who)) == mean]
    return f"proxy: mean ratings of extent, {' and '.join(rated)}" if rated else f"{row.state}: {row.reason}"
