"""Draw how customers moved between stages over several periods."""

from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch
from matplotlib.ticker import StrMethodFormatter

from crmlab.lifecycle.plots.stages import FILLS
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.style import axes, plot

NOT_YET = "not yet acquired"
COLORS = FILLS | {NOT_YET: "#eceef0"}
HALF = 0.06  # of a column's width
CURVE = np.linspace(0, 1, 33)
RISE = 3 * CURVE**2 - 2 * CURVE**3  # from 0 to 1, level at both ends


@plot
def stage_flows(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `stage_flows` as an alluvial diagram: a column a period, a band from each stage to each.

    Each column holds all customers of the last period; those acquired later stand on top of it.

    Parameters
    ----------
    frame : DataFrame
        Moves by period, as from `stage_flows`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Customers, count, by period.
    """
    ax = axes(ax)
    columns, flows = _columns(frame)
    for place, column in enumerate(columns):
        for stage, (low, high) in column.items():
            ax.bar(place, high - low, 2 * HALF, low, color=COLORS[stage], edgecolor="white", linewidth=0.6, zorder=3)
    for place, (left, right) in enumerate(pairwise(columns)):
        for stage, lower, upper in _bands(flows[place], left, right):
            at = place + HALF + (1 - 2 * HALF) * CURVE
            ax.fill_between(at, lower, upper, color=COLORS[stage], alpha=0.55, linewidth=0)
    days = sorted(frame.as_of.unique())
    ax.set_xticks(range(len(days)), [f"{day:%Y-%m-%d}" for day in days])
    ax.set(xlabel="Last day of the period", ylabel="Customers", xlim=(-0.15, len(days) - 0.85), ylim=(0, None))
    ax.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    ax.grid(visible=False)
    shown = [stage for stage in COLORS if any(np.ptp(column[stage]) > 0 for column in columns)]
    handles = [Patch(facecolor=COLORS[stage], label=stage) for stage in shown]
    ax.legend(handles=handles, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncol=3, borderaxespad=0.2)
    return ax


def _columns(frame):
    """Where each stage lies in each column, as (low, high), and the moves between columns: two lists."""
    order = [*STAGES, NOT_YET]
    parts = [rows.pivot_table("customers", "previous", "stage", "sum") for _, rows in frame.groupby("as_of")]
    moves = [part.rename(index={"": NOT_YET}).reindex(index=order, columns=order).fillna(0) for part in parts]
    total = moves[-1].to_numpy().sum()
    for part in moves:
        part.loc[NOT_YET, NOT_YET] = total - part.to_numpy().sum()
    heights = [part.sum().cumsum() for part in moves]
    return [dict(zip(order, zip(h.shift(fill_value=0), h, strict=True), strict=True)) for h in heights], moves[1:]


def _bands(moves, left, right):
    """Each band between two columns: the stage that it comes from, and its lower and upper edges."""
    begins, ends = ({stage: low for stage, (low, _) in column.items()} for column in (left, right))
    for before in moves.index:
        for after in moves.columns:
            if (size := moves.at[before, after]) > 0:
                lower = begins[before] + (ends[after] - begins[before]) * RISE
                yield before, lower, lower + size
                begins[before] += size
                ends[after] += size
