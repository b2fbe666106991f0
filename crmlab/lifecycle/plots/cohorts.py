"""Draw the cohort triangle, of customers and of money, and the curves of its cohorts."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, to_rgba
from matplotlib.dates import DateFormatter
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator, PercentFormatter, StrMethodFormatter

from crmlab.lifecycle.tables.cohorts import IN_PROGRESS, NOT_YET, OBSERVED
from crmlab.style import ACTUAL, BAND, EXPECTED, MUTED, axes, plot

SINCE = "Calendar periods since the first order"
MOST_NUMBERS = 18  # periods, up to which cells bear their numbers
MOST_DATES = 5  # under an axis
MOST_LABELS = 24  # cohorts, up to which each is named
LABELS = {NOT_YET: "unknown", IN_PROGRESS: "so far"}
CENTRED = {"ha": "center", "va": "center", "fontsize": "small"}
MARKS = {NOT_YET: ("#eceef0", "", "white"), IN_PROGRESS: ("none", "////", "#aab2ba")}  # face, hatch, ink


@plot
def cohort_triangle(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `cohort_triangle`: share of each cohort that ordered in each period after its own, as a heat map.

    Cells not over yet are hatched, cells not begun yet grey; period 0 is left out, as all order in it.

    Parameters
    ----------
    frame : DataFrame
        Cohorts by period, as from `cohort_triangle`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        A row a cohort, a column a period.
    """
    return _heat_map(frame, "share", "Share that ordered", PercentFormatter(1), ax)


@plot
def cohort_spend(frame: pd.DataFrame, currency: str = "", ax: Axes | None = None) -> Axes:
    """Draw `cohort_spend`: what a customer of each cohort spent in each period after its own, as a heat map.

    Cells not over yet are hatched, cells not begun yet grey; period 0 is left out, as all order in it.

    Parameters
    ----------
    frame : DataFrame
        Cohorts by period, as from `cohort_spend`.
    currency : str
        Currency of the amounts; "" names none.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        A row a cohort, a column a period.
    """
    label = f"Spend a customer, {currency or 'currency of the data'}"
    return _heat_map(frame, "spend_per_customer", label, StrMethodFormatter("{x:,.6g}"), ax)


@plot
def cohort_curves(frame: pd.DataFrame, cohort_means: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `cohort_triangle` as a line a cohort, observed cells only, and `cohort_means` over them with its band.

    Parameters
    ----------
    frame : DataFrame
        Cohorts by period, as from `cohort_triangle`.
    cohort_means : DataFrame
        Means by period, as from `cohort_means`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Share of customers who ordered, by periods since the first order.
    """
    ax = axes(ax)
    cells = frame[(frame.period > 0) & (frame.state == OBSERVED)]
    faint = 0.6 * min(1, MOST_LABELS / max(cells.cohort.nunique(), 1))
    for i, (_, rows) in enumerate(cells.groupby("cohort")):
        label = "one cohort" if i == 0 else None
        ax.plot(rows.period, rows.share.astype(float), color=MUTED, linewidth=0.8, alpha=faint, label=label)
    ends = cohort_means.weighted_ci_low.astype(float), cohort_means.weighted_ci_high.astype(float)
    ax.fill_between(cohort_means.index, *ends, color=BAND, linewidth=0, zorder=3, label="95 % confidence interval")
    ax.plot(cohort_means.index, cohort_means.weighted, color=ACTUAL, zorder=4, label="all customers")
    top = (float(cells.share.max()) if len(cells) else 0.0) or 1.0
    ax.set(xlabel=SINCE, ylabel="Share of customers who ordered", ylim=(0, 1.1 * top))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False)
    return ax


@plot
def p_alive_curve(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `p_alive_curve`: mean probability of being active by cohort or by age, by a model.

    Parameters
    ----------
    frame : DataFrame
        Mean probabilities by cohort or age, as from `p_alive_curve`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Mean probability, 0 to 1, by cohort or age, with its band where there is one.
    """
    ax, known = axes(ax), frame.dropna(subset=["ci_low", "ci_high"])
    if len(known):
        ends = known.ci_low.astype(float), known.ci_high.astype(float)
        ax.fill_between(known.index, *ends, color=BAND, linewidth=0, label="95 % confidence interval")
    label = "by a model, as departures are not observed"
    ax.plot(frame.index, frame.p_alive, "o-", color=EXPECTED, markersize=4, label=label)
    name = str(frame.index.name or "group").replace("_", " ").capitalize()
    ax.set(xlabel=name, ylabel="Mean probability of being active", ylim=(0, 1.05))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    if isinstance(frame.index, pd.DatetimeIndex):
        ax.set_xticks(frame.index[:: len(frame) // MOST_DATES + 1])
        ax.xaxis.set_major_formatter(DateFormatter("%Y-%m-%d"))
    ax.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2)
    return ax


def _nothing(ax):
    """Empty axes that state that there is no cell to draw."""
    ax.text(0.5, 0.5, "No period after the first order's has begun", transform=ax.transAxes, color=MUTED, ha="center")
    ax.set(xlabel=SINCE, ylabel="Cohort from (customers)", xticks=[], yticks=[])
    return ax


def _heat_map(frame, name, label, written, ax):
    """The cells of cohorts by period, but for period 0, in colours that `label` explains, with their numbers."""
    cells = frame[frame.period > 0]
    if cells.empty:
        return _nothing(axes(ax))
    value, state, size = (cells.pivot(index="cohort", columns="period", values=v) for v in (name, "state", "size"))
    ax = axes(ax, _height(len(value)))
    values = np.ma.masked_invalid(value.to_numpy(dtype=float, na_value=np.nan))
    edges = np.arange(0.5, value.shape[1] + 1), np.arange(len(value) + 1) - 0.5
    top = max(float(values.max()) if values.count() else 0, 0.01)
    mesh = ax.pcolormesh(*edges, values, vmin=0, vmax=top, cmap="Blues")
    ax.figure.colorbar(mesh, ax=ax, label=label, format=written, pad=0.02)
    handles = [_marked(ax, edges, state.to_numpy() == kind, kind) for kind in MARKS if (state == kind).any(axis=None)]
    numbered, per_cent = max(len(value) / MOST_LABELS, value.shape[1] / MOST_NUMBERS) <= 1, name == "share"
    if numbered:
        scale = 100 if per_cent else 1
        _numbers(ax, values * scale, top * scale, state.to_numpy() == IN_PROGRESS)
    _labels(ax, size.iloc[:, 0], " (cells: %)" if numbered and per_cent else "")
    if handles:
        ax.legend(handles=handles, loc="lower right", bbox_to_anchor=(1, 1), ncol=2, frameon=False, borderaxespad=0.2)
    return ax


def _height(cohorts):
    """Height of a figure whose rows can be read, inches."""
    return float(np.clip(1.7 + 0.36 * cohorts, 2.8, 9))


def _marked(ax, edges, mask, kind):
    """Cells of a kind, marked as such: the patch that explains it in the legend."""
    face, hatch, ink = MARKS[kind]
    plain = np.ma.masked_where(~mask, np.zeros(mask.shape))
    ax.pcolor(*edges, plain, cmap=ListedColormap([to_rgba(face)]), hatch=hatch, edgecolor=ink, linewidth=0)
    return Patch(facecolor=face, hatch=hatch, edgecolor=ink, linewidth=0, label=f"{kind}: {LABELS[kind]}")


def _numbers(ax, values, top, so_far):
    """The number in each cell, in so few digits that it has room."""
    digits = 1 if top < 10 and values.shape[1] <= MOST_NUMBERS // 2 else 0
    for (row, column), value in np.ma.ndenumerate(values):
        ink = "white" if value > 0.6 * top else ACTUAL
        style = "italic" if so_far[row, column] else "normal"
        ax.text(column + 1, row, f"{value:,.{digits}f}", color=ink, style=style, **CENTRED)


def _labels(ax, size, unit):
    """Labels of rows, each cohort with its size, or every so many of them, and of columns."""
    step = max(int(np.ceil(len(size) / MOST_LABELS)), 1)
    places = range(0, len(size), step)
    ax.set_yticks(list(places), [f"{size.index[i]:%Y-%m-%d} ({size.iloc[i]:,})" for i in places])
    ax.set(xlabel=f"{SINCE}{unit}", ylabel="Cohort from (customers)")
    ax.xaxis.set_major_locator(MaxNLocator(18, integer=True, min_n_ticks=1))
    ax.set_ylim(len(size) - 0.5, -0.5)
    ax.grid(visible=False)
    ax.tick_params(length=0)
