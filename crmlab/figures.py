"""What leaves with a figure: its SVG and the frames it was drawn from, as files, and words of what is seen."""

import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.category import StrCategoryLocator
from matplotlib.collections import Collection, PathCollection, PolyCollection, QuadMesh
from matplotlib.container import BarContainer, ErrorbarContainer
from matplotlib.dates import AutoDateFormatter, ConciseDateFormatter, DateFormatter, num2date
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, PercentFormatter, ScalarFormatter

from crmlab.display import masked
from crmlab.estimate import number, written
from crmlab.exported import write_table
from crmlab.style import DPI, drawn_frame

FOLDER = "figures"
DENSE = 2000  # marks of a line or cloud, beyond which a drawing holds their image
LONGEST_STEM = 120  # bytes of a file's name
MOST_SERIES = 6  # of a panel that are put in words
MOST_LETTERS = 1200
DATES = (AutoDateFormatter, ConciseDateFormatter, DateFormatter)
SVG: Any = {"svg.hashsalt": "crmlab", "svg.fonttype": "path"}


def stem(title: str) -> str:
    """The file stem of a figure of this title; "" where it has no letter."""
    words = re.sub(r"\W+", "_", title.lower()).strip("_")
    return words.encode()[:LONGEST_STEM].decode(errors="ignore")


def frames(axes: Sequence[Axes]) -> list[pd.DataFrame]:
    """The frames that axes were drawn from."""
    drawn = (drawn_frame(each) for each in axes)
    return [frame for frame in drawn if isinstance(frame, pd.DataFrame) and len(frame.columns)]


def write(figure: Figure, axes: Sequence[Axes], folder: Path, name: str, safe: bool = True) -> dict[str, int]:
    """Write a figure as `<name>.svg`, and the frames it was drawn from, customers masked, as CSV: the files.

    Each file comes with how many of its cells have an apostrophe (`write_table`). The bytes depend on what is drawn
    alone. Marks too dense to be read one by one are an image within the drawing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for mark in figure.findobj(lambda artist: isinstance(artist, (Line2D, Collection))):
        mark.set_rasterized(_marks(mark) > DENSE)
    with plt.rc_context(SVG):
        figure.savefig(
            folder / f"{name}.svg", bbox_inches=settled(figure), dpi=DPI, metadata={"Date": None, "Creator": None}
        )
    drawn = frames(axes)
    names = [f"{name}.csv" if len(drawn) == 1 else f"{name}_{place}.csv" for place in range(1, len(drawn) + 1)]
    written = zip(names, drawn, strict=True)
    return {f"{name}.svg": 0} | {each: write_table(masked(frame), folder / each, safe) for each, frame in written}


def settled(figure: Figure) -> Any:
    """The box, inches, that holds all of a figure; its layout is settled first, so that each image costs one draw."""
    if figure.get_layout_engine() is not None:
        figure.draw_without_rendering()
        figure.set_layout_engine(None)
    return figure.get_tightbbox().padded(plt.rcParams["savefig.pad_inches"])


def png(figure: Figure) -> bytes:
    """A figure as an image, whose bytes what is drawn alone decides."""
    image = io.BytesIO()
    figure.savefig(image, format="png", bbox_inches=settled(figure), dpi=DPI, metadata={"Software": None})
    return image.getvalue()


def _marks(mark):
    if isinstance(mark, Line2D):
        return np.size(mark.get_xdata())
    return max(len(np.atleast_2d(mark.get_offsets())), len(mark.get_paths()))


def in_words(figure: Figure, title: str) -> str:
    """What is seen in a figure: of each panel where each line begins, ends and peaks, and its highest and lowest bars.

    Examples
    --------
    >>> figure, ax = plt.subplots()
    >>> _ = ax.plot([1, 2, 3], [10, 30, 20], label="orders")
    >>> _ = ax.set(xlabel="week", ylabel="orders")
    >>> in_words(figure, "Orders by week")
    'Orders by week. Orders against week: orders from 10 at 1 to 20 at 3, highest 30 at 2.'
    """
    panels = [_panel(ax) for ax in figure.axes if ax.get_label() != "<colorbar>"]
    text = " ".join([f"{title.rstrip('.')}.", *filter(None, panels)])
    return text if len(text) <= MOST_LETTERS else text[:MOST_LETTERS].rsplit(" ", 1)[0] + " …"


def _panel(ax):
    if not ax.axison:
        return " ".join(" ".join(text.get_text().split()) for text in ax.texts)
    named = " against ".join(filter(None, (_line(ax.get_ylabel()), _line(ax.get_xlabel()))))
    named = ": ".join(filter(None, (_line(ax.get_title(loc="left") or ax.get_title()), named)))
    series = [*_lines(ax), *_bars(ax), *_maps(ax), *_areas(ax)] or _clouds(ax)
    more = [f"and {len(series) - MOST_SERIES} more"] if len(series) > MOST_SERIES else []
    said = "; ".join(series[:MOST_SERIES] + more)
    text = ": ".join(filter(None, (named, said)))
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _line(text):
    return " ".join(text.split())


def _lines(ax):
    """Each line of three points or more, in the words of its ends and of what lies beyond both."""
    across = _is_named(ax.yaxis) and not _is_named(ax.xaxis)
    places, values = (ax.yaxis, ax.xaxis) if across else (ax.xaxis, ax.yaxis)
    marked = [bars.lines for bars in ax.containers if isinstance(bars, ErrorbarContainer)]
    caps = {cap for _, caps, _ in marked for cap in caps}
    names = {line: bars.get_label() for bars in ax.containers if isinstance(bars, ErrorbarContainer)
             for line in bars.lines[:1]}  # fmt: skip
    for line in ax.lines:
        if line in caps:
            continue
        x, y = (np.asarray(data, float) for data in (line.get_xdata(orig=False), line.get_ydata(orig=False)))
        x, y = (y, x) if across else (x, y)
        held = np.isfinite(x) & np.isfinite(y)
        if held.sum() < 3 or line.get_transform() != ax.transData:
            continue
        x, y = _at_ticks(x[held]), y[held]
        label = str(names.get(line) or line.get_label())
        name = "" if label.startswith("_") else f"{_line(label)} "
        text = f"{name}from {_mark(values, y[0])} at {_mark(places, x[0])} to {_mark(values, y[-1])} at "
        text += _mark(places, x[-1])
        for word, place, beyond in (("highest", y.argmax(), y.max() > y[[0, -1]].max()),
                                    ("lowest", y.argmin(), y.min() < y[[0, -1]].min())):  # fmt: skip
            text += f", {word} {_mark(values, y[place])} at {_mark(places, x[place])}" if beyond else ""
        yield text


def _at_ticks(places):
    """Places that stand a little beside whole numbers, so that marks do not cover each other, at these."""
    whole = np.round(places)
    moved = np.abs(places - whole).max() < 0.25 and len(set(whole)) == len(set(places)) and len(places) > 2
    return whole if moved else places


def _areas(ax):
    """The areas that bear a name."""
    for area in ax.collections:
        if isinstance(area, PolyCollection) and not str(area.get_label()).startswith("_"):
            yield f"area: {_line(str(area.get_label()))}"


def _bars(ax):
    for bars in ax.containers:
        if not isinstance(bars, BarContainer) or not len(bars):
            continue
        across = bars.orientation == "horizontal"
        places, values = (ax.yaxis, ax.xaxis) if across else (ax.xaxis, ax.yaxis)
        sizes = np.array([bar.get_width() if across else bar.get_height() for bar in bars], float)
        middles = [bar.get_y() + bar.get_height() / 2 if across else bar.get_x() + bar.get_width() / 2 for bar in bars]
        if np.isfinite(sizes).any():
            name = "" if str(bars.get_label()).startswith("_") else f"{_line(str(bars.get_label()))} "
            yield name + _extremes(
                sizes, lambda n, m=middles, p=places: _mark(p, m[n]), lambda v, a=values: _mark(a, v)
            )


def _maps(ax):
    for mesh in ax.collections:
        if isinstance(mesh, QuadMesh) and mesh.get_array() is not None:
            corners = np.asarray(mesh.get_coordinates())
            middles = ((corners[:-1, :-1] + corners[1:, 1:]) / 2).reshape(-1, 2)
            cells = np.ma.filled(np.ma.asarray(mesh.get_array(), float), np.nan).ravel()
            if np.isfinite(cells).any():
                yield _extremes(cells, lambda n, m=middles: _cell(ax, m[n]), _plain)


def _cell(ax, middle):
    return f"{_mark(ax.xaxis, middle[0])}, {_mark(ax.yaxis, middle[1])}"


def _clouds(ax):
    clouds = [np.ma.asarray(mark.get_offsets(), float) for mark in ax.collections if isinstance(mark, PathCollection)]
    heights = np.concatenate([np.ma.filled(cloud, np.nan)[:, 1] for cloud in clouds] or [np.array([])])
    heights = heights[np.isfinite(heights)]
    if not len(heights):
        return []
    return [f"{len(heights)} points from {_mark(ax.yaxis, heights.min())} to {_mark(ax.yaxis, heights.max())}"]


def _extremes(sizes, place, value):
    high, low = np.nanargmax(sizes), np.nanargmin(sizes)
    text = f"highest {value(sizes[high])} at {place(high)}"
    return text if sizes[high] == sizes[low] else f"{text}, lowest {value(sizes[low])} at {place(low)}"


def _is_named(axis: Axis) -> bool:
    """Whether the ticks of an axis are names."""
    is_fixed = isinstance(axis.get_major_locator(), (FixedLocator, StrCategoryLocator))
    return is_fixed and not isinstance(axis.get_major_formatter(), (ScalarFormatter, PercentFormatter, *DATES))


def _mark(axis: Axis, value: Any) -> str:
    """A place on an axis as its ticks name places."""
    formatter = axis.get_major_formatter()
    if _is_named(axis) and len(ticks := np.asarray(axis.get_majorticklocs(), float)):
        nearest = np.abs(ticks - value).argmin()
        if abs(ticks[nearest] - value) < 0.5:
            return _line(formatter.format_ticks(ticks.tolist())[nearest])
    if isinstance(formatter, DATES):
        return num2date(value).date().isoformat()
    if isinstance(formatter, PercentFormatter):
        return written(value / formatter.xmax, "share")
    return _plain(value)


def _plain(value):
    return number(int(value) if float(value).is_integer() else value, 3)
