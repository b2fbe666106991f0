"""Draw the frames of `metrics`."""

from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from crmlab.style import ACTUAL, EXPECTED, QUIET, axes


def calibration(table, ax=None):
    """Draw `metrics.calibration`."""
    ax = axes(ax)
    places = range(len(table))
    ax.plot(places, table.actual, "o-", color=ACTUAL, label="actual")
    ax.plot(places, table.expected, "s--", color=EXPECTED, label="expected")
    ax.set_xticks(places, table.index.astype(str))
    ax.set(xlabel="Repeat orders before the split", ylabel="Orders per customer after it", ylim=(0, None))
    ax.legend(frameon=False)
    return ax


def tracking(table, split, ax=None):
    """Draw `metrics.tracking`, week by week; left of `split` lies what the model was fitted to."""
    ax = axes(ax)
    ax.plot(table.ends, table.actual, color=ACTUAL, label="actual")
    ax.plot(table.ends, table.expected, "--", color=EXPECTED, label="expected")
    ax.axvline(split, color=QUIET, linewidth=1)
    ax.annotate(" split", (split, 1), xycoords=("data", "axes fraction"), va="top", color=QUIET)
    ax.set(xlabel="Week ending", ylabel="Repeat orders in the week", ylim=(0, None))
    ax.xaxis.set_major_formatter(ConciseDateFormatter(AutoDateLocator()))
    ax.legend(frameon=False)
    return ax
