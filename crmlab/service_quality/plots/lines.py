"""What plots of one line an item share: lines under the titles of their dimensions, and wrapped wordings."""

import textwrap

import pandas as pd

from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes

WIDTH = 46  # letters of a wording before it wraps
DIRECTION_STYLES = {
    "falls short": (BASELINE, "v", "//"),
    "exceeds": (EXPECTED, "^", ""),
    "undecided": (MUTED, "o", ".."),
}


def wrapped(text, width=WIDTH, most=3):
    """A wording in at most so many lines."""
    return "\n".join(textwrap.wrap(str(text), width, max_lines=most, placeholder=" …"))


def lines(frame, by=None):
    """A frame with a title line before each dimension, lines sorted within it by the column `by`: a new frame.

    label   what stands at the line; title: whether it is one
    place   from the top; a label of several lines takes more room
    """
    parts = []
    for dimension, rows in frame.groupby("dimension", sort=False):
        if by is not None:
            rows = rows.sort_values(by, na_position="last")
        if len(frame) > frame.dimension.nunique():
            parts.append(pd.DataFrame({"label": [dimension.capitalize()], "title": [True]}))
        text = rows["text"].where(rows["text"] != "", rows["item"]) if "text" in rows else rows["item"]
        if len(frame) == frame.dimension.nunique():
            text = rows.dimension.str.capitalize()
        parts.append(rows.assign(label=text.map(wrapped), title=False))
    found = pd.concat(parts, ignore_index=True)
    room = found.label.str.count("\n") * 0.62 + 1
    return found.assign(place=room.cumsum() - room / 2, title=found.title.astype(bool))


def gap_direction(frame):
    """Whether each gap falls short, exceeds or is undecided, by its simultaneous interval: a Series of text."""
    found = pd.Series("undecided", frame.index)
    ends = frame[["simultaneous_ci_low", "simultaneous_ci_high"]].astype(float)
    return found.mask(ends.simultaneous_ci_high < 0, "falls short").mask(ends.simultaneous_ci_low > 0, "exceeds")


def room(frame, ax=None, extra=1.3):
    """The axes given, or new ones tall enough for the lines, with the labels of the lines at their places."""
    bottom = frame.place.iloc[-1] + 0.5 + 0.31 * frame.label.iloc[-1].count("\n")
    ax = axes(ax, extra + 0.24 * bottom)
    ax.set_yticks(frame.place, frame.label, parse_math=False)
    for label, title in zip(ax.get_yticklabels(), frame.title, strict=True):
        label.set(fontweight="bold" if title else "normal", linespacing=1.0, fontsize="small")
    ax.set_ylim(bottom, 0)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    return ax


def marks(ax, frame, x, ci_low, ci_high, kinds):
    """Markers with intervals, by `kinds`, a Series of the names of DIRECTION_STYLES."""
    for kind, (color, marker, _) in DIRECTION_STYLES.items():
        held = frame[(kinds == kind) & frame[x].notna()]
        if len(held):
            ax.hlines(held.place, held[ci_low], held[ci_high], color=ACTUAL, linewidth=1.2, zorder=3)
            style = {"color": color, "markeredgecolor": "white", "markersize": 7, "label": kind, "zorder": 4}
            ax.plot(held[x], held.place, marker, **style)


def rows(ax, labels):
    """A row each for these labels, the first on top, without ticks, and grid lines only down."""
    ax.set_yticks(range(len(labels)), labels.astype(str))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)


def worded(frame, name="item", width=WIDTH):
    """Names of rows, each with its wording beside it where the frame has a column `text`: a Series."""
    names = frame[name].astype(str)
    if "text" not in frame:
        return names
    return (names + "  " + frame["text"].fillna("").map(lambda text: shortened(text, width))).str.strip()


def shortened(text, width=WIDTH):
    """A wording in one line, its end left out where it is longer; of one without spaces, as Chinese, too."""
    text = " ".join(str(text).split())
    return text if len(text) <= width else f"{text[: width - 1].rstrip()}…"


def dots(ax, places, value, ci_low, ci_high, color=EXPECTED, **more):
    """Dots with their intervals, a row each."""
    ax.hlines(places, ci_low, ci_high, color=color)
    ax.plot(value, places, "o", color=color, **more)


def legend(ax, count, **more):
    """A legend above the axes, where it lies on nothing."""
    noted = {"frameon": False, "loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0.2, "ncol": count}
    return ax.legend(**noted | {"handletextpad": 0.4, "columnspacing": 1.2} | more)
