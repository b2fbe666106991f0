"""Draw survival curves by group, with the numbers at risk."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from crmlab.style import ACTUAL, MUTED, axes, plot

STYLES = ("-", "--", ":", "-.")
MARKERS = ("o", "s", "^", "D")
LINE, BELOW, ASIDE = 12, 40, 14  # points between lines of numbers at risk, from the axis to the first, and beside it
FROM_THE_AXIS: dict[str, Any] = {
    "xycoords": ("data", "axes fraction"), "textcoords": "offset points", "va": "center", "fontsize": "small",
    "color": MUTED, "annotation_clip": False,
}  # fmt: skip


@plot
def survival_curve(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `survival_curve`: a step line a group with its confidence band, and below it the customers at risk.

    Parameters
    ----------
    frame : DataFrame
        Survival by group and period, as from `survival_curve`. What survives a renewal is drawn up to half a period
        after it; of more than four groups, the largest.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Share retained, 0 to 1, by renewals since the start, a step line a group.
    """
    largest = frame[frame.period == 0].nlargest(len(STYLES), "at_risk").group
    groups, frame = frame.group.nunique(), frame[frame.group.isin(largest)]
    ax = axes(ax)
    last = int(frame.period.max())
    ax.set_xlim(0, last + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(8, integer=True, min_n_ticks=1))
    ticks = [int(tick) for tick in ax.get_xticks() if 0 <= tick <= last]
    for i, (group, rows) in enumerate(frame.groupby("group")):
        steps = pd.concat([rows, rows.iloc[[-1]].assign(period=rows.period.iloc[-1] + 0.5)])
        ci_low, ci_high = steps.ci_low.astype(float), steps.ci_high.astype(float)
        ax.fill_between(steps.period, ci_low, ci_high, step="post", color=MUTED, alpha=0.2, linewidth=0)
        ax.step(steps.period, steps.survival, STYLES[i % len(STYLES)], where="post", color=ACTUAL, label=str(group))
        _at_risk(ax, rows.set_index("period").at_risk, ticks, str(group), -BELOW - LINE * (i + 1))
    ax.annotate("Customers at risk", (0, 0), (0, -BELOW), **FROM_THE_AXIS, ha="left")
    ax.set(xlabel="Renewals since the start, periods", ylabel="Share retained (95 % confidence band)", ylim=(0, 1.02))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False, title=f"the {len(STYLES)} largest of {groups:,} groups" if groups > len(STYLES) else None)
    return ax


@plot
def hazard_by_tenure(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `hazard_by_tenure`: the share of remaining customers who are lost at each renewal, a line a group.

    Parameters
    ----------
    frame : DataFrame
        Hazard by group and renewal, as from `hazard_by_tenure`; of more than four groups, the largest are drawn.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Share lost, 0 to 1, by renewal, with its confidence interval.
    """
    ax, sizes = axes(ax), frame.groupby("group").at_risk.max()
    largest, few = sizes.nlargest(len(STYLES)).index, sizes.size > len(STYLES)
    for i, (group, rows) in enumerate(frame[frame.group.isin(largest)].groupby("group")):
        aside = 0.1 * (i - (len(largest) - 1) / 2)
        ax.vlines(rows.period + aside, rows.ci_low, rows.ci_high, color=MUTED, linewidth=1.5)
        ax.plot(rows.period + aside, rows.hazard, MARKERS[i] + STYLES[i], color=ACTUAL, markersize=5, label=str(group))
    ax.set(xlabel="Renewal (tenure, periods)", ylabel="Lost at it, of those at risk (95 % CI)", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False, title=f"the {len(STYLES)} largest of {sizes.size:,} groups" if few else None)
    return ax


def _at_risk(ax, at_risk, ticks, group, below):
    """A line of numbers under the ticks: whose renewal was observed then; blank where nobody's was."""
    ax.annotate(f"{group}  ", (0, 0), (-ASIDE, below), **FROM_THE_AXIS, ha="right")
    for tick in ticks:
        count = at_risk.get(tick, np.nan)
        if np.isfinite(count):
            ax.annotate(f"{int(count):,}", (tick, 0), (0, below), **FROM_THE_AXIS, ha="center")
