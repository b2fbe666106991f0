"""One look for all figures: colours by meaning, and the axes to draw on."""

import matplotlib.pyplot as plt
import seaborn as sns

ACTUAL = "#1b1f24"  # what was seen
EXPECTED = "#0b6fa4"  # what a model says
NAIVE = "#9a6700"  # the simple rule it must beat
BAND = "#0b6fa433"  # an interval about EXPECTED
QUIET = "#6e7781"  # marks that only help to read

LOOK = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.grid": True,
    "grid.color": "#e6e8eb",
}


def axes(ax=None, height=4.0, width=7.2):
    """The axes given, or those of a new figure of this size, inches, in the workbench's look."""
    if ax is not None:
        return ax
    (ax,) = panels(1)
    ax.figure.set_size_inches(width, height)
    return ax


def panels(count):
    """Axes side by side on a new figure, in the workbench's look: a list."""
    # the figure comes first: matplotlib settles its backend then, which the style must not undo when it ends
    figure = plt.figure(figsize=(7.2 if count == 1 else 4.6 * count, 4.0), dpi=144, layout="constrained")
    with sns.axes_style("ticks", LOOK), sns.plotting_context("paper", font_scale=1.1):
        return [figure.add_subplot(1, count, place + 1) for place in range(count)]
