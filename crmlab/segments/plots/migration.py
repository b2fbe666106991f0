"""Draw the frames of migration: who moved from which class to which, and what they carried."""

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, PercentFormatter

from crmlab.result import number
from crmlab.style import ACTUAL, EXPECTED, NAIVE, QUIET, axes

NUMBERED = 10  # classes, up to which cells bear their numbers
PALE = ListedColormap(np.linspace([1, 1, 1], [0.5, 0.72, 0.85], 64))  # from white to a shade that text can be read on
COLOURS = {"rose": EXPECTED, "stayed": ACTUAL, "fell": NAIVE, "new": EXPECTED, "gone": NAIVE}


def migration(table, ax=None):
    """Draw `migration.migration`: share of each class that moved to each, as a heat map; best classes first."""
    rows, columns = table.before.unique(), table.after.unique()
    share = table.pivot(index="before", columns="after", values="chance").loc[rows, columns]
    low, high, of = (
        table.pivot(index="before", columns="after", values=v).loc[rows, columns] for v in ("low", "high", "of")
    )
    ax = axes(ax, max(3.6, 1.6 + 0.6 * min(len(rows), 12)), max(7.2, 2.4 + 0.95 * min(len(columns), 12)))
    mesh = ax.imshow(np.ma.masked_invalid(share.to_numpy(float)), cmap=PALE, vmin=0, vmax=1, aspect="auto")
    ax.figure.colorbar(mesh, ax=ax, label="Share of the class before", format=PercentFormatter(1, decimals=0))
    if max(share.shape) <= NUMBERED:
        for place, value in np.ndenumerate(share.to_numpy(float)):
            _told(ax, place, value, low.iat[place], high.iat[place])
    across, down = (1 + len(names) // 16 for names in (columns, rows))
    ax.set_xticks(np.arange(len(columns))[::across], columns[::across], rotation=30, ha="right")
    counted = [f"{name} ({count:,.0f})" for name, count in of.max(axis=1).items()]
    ax.set_yticks(np.arange(len(rows))[::down], counted[::down])
    ax.set(xlabel="Class after", ylabel="Class before (customers)")
    ax.grid(visible=False)
    return ax


def risen_and_fallen(table, ax=None):
    """Draw `migration.risen_and_fallen`: what those who rose, stayed and fell brought before, and bring after."""
    ax, places = axes(ax, 1.4 + 0.45 * len(table)), np.arange(len(table))
    ax.barh(places - 0.19, table.value_before, 0.36, color=QUIET)
    ax.barh(places + 0.19, table.value_after, 0.36, color=[COLOURS[c] for c in table.index])
    top = max(table.value_before.max(), table.value_after.max(), 1e-9)
    for place, row in zip(places, table.itertuples(), strict=True):
        told = f"{'+' if row.gain > 0 else ''}{number(float(row.gain), 3)}"
        ax.annotate(told, (max(row.value_before, row.value_after, 0) + 0.01 * top, place), va="center", color=ACTUAL)
    ax.axvline(0, color=QUIET, linewidth=1)
    ax.set_yticks(places, [f"{change} ({row.customers:,.0f}; {row.share:.0%})" for change, row in table.iterrows()])
    ax.set(xlabel="Value of these customers, in the currency of the data")
    ax.set(xlim=(min(table[["value_before", "value_after"]].min().min(), 0), 1.15 * top), ylim=(len(table) - 0.4, -0.6))
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    looks = {"before": QUIET, "after, better": EXPECTED, "after, alike": ACTUAL, "after, worse": NAIVE}
    handles = [Patch(color=color, label=label) for label, color in looks.items()]
    ax.legend(handles=handles, frameon=False, ncol=4, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2)
    return ax


def _told(ax, place, value, low, high):
    """The share of a cell with its interval, in per cent."""
    if np.isfinite(value):
        ax.annotate(f"{100 * value:.0f}", place[::-1], (0, 4), textcoords="offset points", ha="center", color=ACTUAL)
        ends = f"{100 * low:.0f}–{100 * high:.0f}"
        look = {"ha": "center", "va": "top", "fontsize": "x-small", "color": ACTUAL}
        ax.annotate(ends, place[::-1], (0, 1), textcoords="offset points", **look)
    else:
        ax.annotate("–", place[::-1], ha="center", va="center", color=QUIET)
