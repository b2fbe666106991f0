"""Draw the board of seven gaps, and the gaps of segments."""

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from crmlab.result import number
from crmlab.service_quality.plots.lines import legend, room, wrapped
from crmlab.style import ACTUAL, EXPECTED, NAIVE, QUIET, axes

STATES = {"measured": (ACTUAL, "o", ACTUAL), "proxy": (NAIVE, "D", "white")}
SHORTFALL = LinearSegmentedColormap.from_list("shortfall", [NAIVE, "#ffffff", EXPECTED])


def board(table, ax=None):
    """Draw `models.board` overall: measured gaps filled, proxies hollow, and why the others have no mark."""
    held = table.assign(label=[wrapped(f"{row.number}  {row.name_}", 34) for row in _named(table)], title=False)
    deep = held.label.str.count("\n") * 0.62 + 1.5
    held = held.assign(place=deep.cumsum() - deep / 2)
    ax = room(held, ax, extra=1.2)
    for state, (color, marker, face) in STATES.items():
        drawn = held[(held.state == state) & held.gap.notna()]
        if len(drawn):
            ax.hlines(drawn.place, drawn.low, drawn.high, color=color)
            ax.plot(drawn.gap, drawn.place, marker, color=color, markerfacecolor=face, label=state)
    ax.axvline(0, color=QUIET, linewidth=1)
    where = ax.get_yaxis_transform()
    for row in held[held.gap.isna()].itertuples():
        told = wrapped(_told(row), 62, 2)
        ax.text(0.01, row.place, told, transform=where, color=QUIET, va="center", fontsize="small", backgroundcolor="w")
    ax.set_xlabel("Gap, on the scale of the answers (95 % interval)")
    if ax.get_legend_handles_labels()[0]:
        legend(ax, 2)
    return ax


def segment_gaps(table, value="gap", ax=None):
    """Draw `models.segment_gaps`: a cell a dimension and segment, by `value`, "gap" or "shrunken".

    Below 30 answers a cell is greyed and hatched; below 5 it is empty but for a cross.
    """
    dimensions, segments = (list(dict.fromkeys(table[name])) for name in ("dimension", "segment"))
    new, cells = ax is None, table.set_index(["dimension", "segment"])
    ax = axes(ax)
    if new:
        ax.figure.set_size_inches(max(7.2, 2.2 + 0.75 * len(segments)), 1.7 + 0.42 * len(dimensions))
    shown = table.assign(value=table[value].where(table.state == "shown"))
    grid = shown.pivot(index="dimension", columns="segment", values="value").loc[dimensions, segments]
    most = max(np.nanmax(np.abs(grid.to_numpy(dtype=float)), initial=0), 1e-9)
    mesh = ax.pcolormesh(np.ma.masked_invalid(grid), cmap=SHORTFALL, vmin=-most, vmax=most, edgecolors="w", linewidth=1)
    ax.figure.colorbar(mesh, ax=ax, label="Gap" if value == "gap" else "Gap, drawn to the whole")
    for y, dimension in enumerate(dimensions):
        for x, segment in enumerate(segments):
            _cell(ax, x, y, cells.loc[(dimension, segment)], value, most)
    ax.set_yticks(np.arange(len(dimensions)) + 0.5, [name.capitalize() for name in dimensions])
    ax.set_xticks(np.arange(len(segments)) + 0.5, [wrapped(name, 12) for name in segments], fontsize="small")
    ax.set(xlabel="Segment (// below 30 answers, × below 5: not shown)", ylim=(len(dimensions), 0))
    ax.grid(visible=False)
    ax.tick_params(length=0)
    return ax


def _cell(ax, x, y, cell, value, most):
    """The number of a cell, or the sign that it has too few answers."""
    middle = {"x": x + 0.5, "y": y + 0.5, "ha": "center", "va": "center", "fontsize": "small"}
    if cell.state == "suppressed":
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor="white", edgecolor="#d0d4d9", linewidth=0.5))
        ax.text(**middle, s="×", color=QUIET)
        return
    if cell.state == "greyed":
        ax.add_patch(Rectangle((x, y), 1, 1, facecolor="#eceef0", edgecolor="#c4c9cf", hatch="//", linewidth=0))
    dark = cell.state == "shown" and abs(cell[value]) > 0.6 * most
    back = (
        {"boxstyle": "square,pad=0.1", "facecolor": "#eceef0", "edgecolor": "none"} if cell.state == "greyed" else None
    )
    told = f"{cell[value]:.2f}".replace("-", "−") if cell[value] == cell[value] else "–"
    ax.text(**middle, s=told, color=QUIET if cell.state == "greyed" else "white" if dark else ACTUAL, bbox=back)


def _named(table):
    """Rows with `name` under another one: tuples have a field of their own by that."""
    return table.rename(columns={"name": "name_"}).itertuples()


def _told(row):
    """What stands in the place of a gap: extents, or why it is absent."""
    rated = [f"{who} {number(mean, 3)}" for who in ("managers", "staff") if (mean := getattr(row, who)) == mean]
    return f"extents, not subtracted: {', '.join(rated)}" if rated else f"{row.state}: {row.reason}"
