"""Draw the gap model as its diagram: what customers and the firm hold, and the gaps between, with their numbers."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from crmlab.service_quality.models.asked import percent_interval
from crmlab.service_quality.plots.lines import DIRECTION_STYLES, gap_direction, wrapped
from crmlab.style import ACTUAL, MUTED, axes, plot

BOXES: dict[str, tuple[str, int, int]] = {  # what is held -> its name, and the middle of its box
    "expected": ("Expected service", 32, 91),
    "perceived": ("Perceived service", 32, 71),
    "delivered": ("Service delivered", 32, 47),
    "standard": ("Service standards", 32, 27),
    "managers": ("Managers' view\nof expectations", 32, 6),
    "promise": ("Promises to\ncustomers", 80, 47),
    "staff": ("Staff's view\nof expectations", 80, 6),
}
MEANS = {  # what is held -> the gaps and their sides whose mean it is, the first that was answered
    "expected": ((5, "subtrahend"), (1, "subtrahend"), (6, "subtrahend")),
    "perceived": ((5, "minuend"),),
    "delivered": ((3, "minuend"), (4, "minuend")),
    "standard": ((3, "subtrahend"), (2, "minuend")),
    "managers": ((1, "minuend"), (2, "subtrahend"), (7, "subtrahend")),
    "promise": ((4, "subtrahend"),),
    "staff": ((6, "minuend"), (7, "minuend")),
}
RATED = {"standard": (2, 3), "promise": (4,)}  # what is rated as an extent -> the gaps that bear the ratings
PATHS: dict[int, tuple[tuple[tuple[float, float], ...], tuple[float, float]]] = {  # gap -> its line, and its number
    5: (((32, 86), (32, 76)), (32, 81)),
    3: (((32, 42), (32, 32)), (32, 37)),
    2: (((32, 22), (32, 11)), (32, 16.5)),
    4: (((46, 47), (67, 47)), (57, 52)),
    7: (((48, 6), (67, 6)), (57, 13)),
    1: (((18, 6), (4, 6), (4, 91), (18, 91)), (4, 47)),
    6: (((93, 6), (99, 6), (99, 91), (46, 91)), (91, 75)),
}
BORDER = 59  # between customers and the firm


@plot
def gap_diagram(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the gap model: means in its boxes, gaps with their intervals at its lines, and what was not asked.

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

    References
    ----------
    Zeithaml, Berry & Parasuraman (1988), Journal of Marketing 52(2), 35-48, Figure 1, for gaps 1 to 5; Luk & Layton
    (2002), Service Industries Journal 22(2), 109-128, for 6 and 7.
    """
    ax = axes(ax, 6.6, 5.6)
    ax.set(xlim=(-4, 106), ylim=(0, 97), xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.axhline(BORDER, color=MUTED, linestyle=":", linewidth=1)
    for side, up, align in (("Customers", 1, "bottom"), ("Firm", -1, "top")):
        ax.text(62, BORDER + up, side, ha="left", va=align, fontsize="small", color=MUTED, style="italic")
    gaps = {row.number: row for row in frame.drop_duplicates("number").itertuples()}
    kinds = dict(zip(frame.number, gap_direction(frame), strict=True))
    ax.annotate("", (32, 52), (32, 66), arrowprops={"arrowstyle": "<-", "color": MUTED})
    for gap, (line, place) in PATHS.items():
        if gap in gaps:
            _line(ax, line, place, *_said(gaps[gap], kinds[gap]))
    for held, (name, x, y) in BOXES.items():
        box: dict[str, Any] = {"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": ACTUAL}
        text = f"{name}\n{_held(held, gaps)}"
        ax.text(x, y, text, ha="center", va="center", fontsize="small", color=ACTUAL, bbox=box, zorder=4)
    interval = percent_interval(frame, "simultaneous interval")
    ax.set_xlabel(f"Mean answers, and gaps in points of the scale\nwith their {interval}")
    return ax


def _line(ax, line, place, text, color):
    """A double-headed line with what is said of its gap."""
    x, y = zip(*line, strict=True)
    ax.plot(x, y, color=color, linewidth=1.3, zorder=2)
    for end, before in ((line[0], line[1]), (line[-1], line[-2])):
        ax.annotate("", end, before, arrowprops={"arrowstyle": "-|>", "color": color, "shrinkA": 0, "shrinkB": 0})
    box = {"boxstyle": "square,pad=0.25", "facecolor": "white", "edgecolor": "none"}
    ax.text(*place, text, ha="center", va="center", fontsize="small", color=color, bbox=box, zorder=5)


def _said(row: Any, kind: str) -> tuple[str, str]:
    """What stands at the line of a gap, and its colour."""
    name = f"Gap {row.number}"
    if row.gap != row.gap:
        return f"{name}\n{'rated' if row.state == 'proxy' else 'not asked'}", MUTED
    proxy = ", proxy" if row.state == "proxy" else ""
    value = _signed(row.gap)
    if row.simultaneous_ci_low != row.simultaneous_ci_low:
        return f"{name}{proxy}\n{value}", MUTED
    ends = f"{_signed(row.simultaneous_ci_low)} to {_signed(row.simultaneous_ci_high)}"
    return f"{name}{proxy}\n{value}\n{ends}", DIRECTION_STYLES[kind][0] if kind != "undecided" else ACTUAL


def _held(held: str, gaps: Mapping[int, Any]) -> str:
    """The mean of what is held, or how far it is rated; else that it was not asked."""
    for gap, side in MEANS[held]:
        if gap in gaps and (mean := getattr(gaps[gap], side)) == mean:
            return f"{mean:.2f}"
    rows = [gaps[gap] for gap in RATED.get(held, ()) if gap in gaps]
    means = [(who, getattr(row, who)) for row in rows[:1] for who in ("managers", "staff")]
    rated = [f"{who} {mean:.2f}" for who, mean in means if mean == mean]
    return wrapped(f"rated: {', '.join(rated)}", 24, 2) if rated else "not asked"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
