"""Draw the frames about clusters: scales, how many, whether real, whether they stay, how they differ."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap, TwoSlopeNorm

from crmlab.estimate import number
from crmlab.model import blank_of
from crmlab.segments.models.how_many import INDICES, suggested_k
from crmlab.segments.models.null_model import NULL_QUANTILE
from crmlab.segments.models.stability import DISSOLVED, EVERYONE, RECOVERED
from crmlab.segments.plots.parts import (
    draw_reason,
    heat_map,
    in_percent,
    legend_above,
    name_points,
    name_rows,
    write_cells,
)
from crmlab.stats.intervals import upper_limit
from crmlab.style import ACTUAL, BASELINE, EXPECTED, MUTED, axes, plot

TWO_WAYS = ListedColormap(
    np.vstack([np.linspace([0.91, 0.78, 0.54], [1, 1, 1], 32), np.linspace([1, 1, 1], [0.5, 0.72, 0.85], 32)])
)
LOOKS = (("o", ACTUAL), ("s", EXPECTED), ("D", BASELINE), ("^", MUTED))


@plot
def transform_comparison(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of distances due to the farthest hundredth of customers, by transform.

    Parameters
    ----------
    frame : DataFrame
        Of `transform_comparison`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, columns = axes(ax, 1.5 + 0.5 * frame.column.nunique()), [*frame.column.unique()]
    kinds = frame.groupby("transform", sort=False)
    for (marker, color), (kind, held) in zip(LOOKS, kinds, strict=False):
        ax.plot(held.top_share, held.column.map(columns.index), marker, color=color, label=kind, alpha=0.85)
    ax.axvline(0.01, color=MUTED, linewidth=1, linestyle=":")
    ax.set(xlabel="Share of the sum of squares due to the farthest 1 % of customers", xlim=(0, None))
    name_rows(ax, columns)
    legend_above(ax, len(kinds))
    in_percent(ax.xaxis)
    return ax


@plot
def validity_indices(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw each index by number of clusters, white at its worst; its choice is framed.

    Parameters
    ----------
    frame : DataFrame
        Of `validity_indices`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, chosen, names = axes(ax), suggested_k(frame), [*INDICES]
    good = frame[names] * [-1 if INDICES[n][1] == "lowest" else 1 for n in names]
    scaled = ((good - good.min()) / (good.max() - good.min())).T.to_numpy()
    heat_map(ax, np.ma.masked_invalid(scaled), frame.index, chosen.index)
    write_cells(ax, frame[names].T.map(lambda value: number(value, 3) or "–"), fontsize="x-small")
    framed = {"boxstyle": "square", "fc": "none", "ec": ACTUAL}
    for row, k in enumerate(chosen.k):
        ax.texts[row * len(frame) + frame.index.get_loc(k)].set(weight="bold", bbox=framed)
    ax.set(xlabel="Clusters; framed is the choice of the index")
    ax.tick_params(length=0)
    return ax


@plot
def null_comparison(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw what the search for clusters finds in customers, beside customers of one kind.

    Parameters
    ----------
    frame : DataFrame
        Of `null_comparison`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, observed = axes(ax), frame.iloc[0]
    simulated = frame.loc[frame.source == "null", ["silhouette", "prediction_strength"]]
    x, y = upper_limit(simulated, NULL_QUANTILE)
    ax.plot(*simulated.to_numpy().T, "o", color=BASELINE, alpha=0.5, label="customers of one kind, simulated")
    ax.plot(*observed[[*simulated]], "*", color=ACTUAL, markersize=14, label=f"customers, k = {observed.k}")
    limit = f"{NULL_QUANTILE:.0%} of those of one kind"
    ax.axvline(x, color=BASELINE, linewidth=1, linestyle="--", label=limit)
    ax.axhline(y, color=BASELINE, linewidth=1, linestyle="--")
    ax.set(xlabel="Silhouette of the best number of clusters", ylabel="Prediction strength there")
    legend_above(ax, 2)
    return ax


@plot
def bootstrap_stability(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw how well each segment is found again, with the interval of draws.

    Parameters
    ----------
    frame : DataFrame
        Of `bootstrap_stability`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    held = frame[frame.jaccard.notna()]
    if held.empty:
        return draw_reason(blank_of(pd.DataFrame, "; ".join(dict.fromkeys(frame.reason))), ax)
    ax, places = axes(ax, 1.5 + 0.3 * len(held)), np.arange(len(held))
    ax.hlines(places, held.jaccard_ci_low, held.jaccard_ci_high, color=MUTED)
    ax.plot(held.jaccard, places, "o", color=ACTUAL)
    look: dict[str, Any] = {"ha": "center", "va": "bottom", "color": BASELINE, "fontsize": "small"}
    for limit, text in ((DISSOLVED, "dissolved"), (RECOVERED, "recovered")):
        ax.axvline(limit, color=BASELINE, linewidth=1, linestyle=":")
        ax.annotate(text, (limit, -0.9), annotation_clip=False, **look)
    several = held.scheme.nunique() > 1
    name_rows(ax, [f"{r.scheme + ': ' if several else ''}{r.label} ({r.customers:,})" for r in held.itertuples()])
    ax.set(xlabel="Jaccard similarity with the segment found again", xlim=(0, 1.02))
    return ax


@plot
def jitter_stability(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw the share of customers who change segment, by how far off their numbers are.

    Parameters
    ----------
    frame : DataFrame
        Of `jitter_stability`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    ax, held = axes(ax), frame[frame.label == EVERYONE]
    for _, rows in held.groupby("scheme", sort=False):
        ax.plot(rows.perturbation, rows.changed, "o-", color=ACTUAL, alpha=0.7)
    ax.set(xlabel="How far each number may be off", ylabel="Customers who change segment", ylim=(0, None))
    in_percent(ax.xaxis, ax.yaxis)
    ends = held.drop_duplicates("scheme", keep="last")
    name_points(ax, zip(ends.perturbation, ends.changed, ends.scheme, strict=True), ACTUAL, 1.03)
    return ax


@plot
def segment_differences(frame: pd.DataFrame, ax: plt.Axes | None = None) -> plt.Axes:
    """Draw how far segments differ in each variable, with its interval.

    Parameters
    ----------
    frame : DataFrame
        Of `segment_differences`.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    held = frame[frame.value.notna()].reset_index(drop=True)
    ax = axes(ax, 1.5 + 0.36 * len(held))
    ax.hlines(held.index, held.ci_low, held.ci_high, color=MUTED)
    for (marker, color), measure in zip(LOOKS, ("eta²", "Cramér's V"), strict=False):
        of = held[held.measure == measure]
        if len(of):
            ax.plot(of.value, of.index, marker, color=color, label=measure)
    name_rows(ax, [f"{r.variable} ({r.outcome})" for r in held.itertuples()])
    ax.set(xlabel="Effect: 0, segments are alike, to 1, all is between them", xlim=(-0.02, 1.02))
    legend_above(ax, 2)
    return ax


@plot
def segment_means(
    frame: pd.DataFrame, standard_deviations: pd.Series | None = None, ax: plt.Axes | None = None
) -> plt.Axes:
    """Draw each segment's means, coloured by their distance from those of all customers.

    Parameters
    ----------
    frame : DataFrame
        Of `segment_means`.
    standard_deviations : Series, optional
        Standard deviation of each column among customers; None takes those that the frame bears.
    ax : Axes, optional
        Where to draw; None draws on a new figure.

    Returns
    -------
    Axes
        With the drawn frame.
    """
    columns, body = [c for c in frame if c != "customers"], frame.drop(index="all")
    spread = pd.Series(frame.attrs["standard_deviations"]) if standard_deviations is None else standard_deviations
    away = (body[columns] - frame.loc["all", columns]) / spread[columns].replace(0, np.inf)
    texts = body[columns].astype(float).map(lambda value: number(value, 3))
    names, words = [f"{label} ({count:,})" for label, count in body.customers.items()], _spaced(columns)
    down = len(columns) > max(len(body), 5)  # many columns run down, so that they can be read on a phone
    sides = (names, words, away.T, texts.T) if down else (words, names, away, texts)
    ax = axes(ax, 1.4 + 0.42 * len(sides[1]), max(6.4, 2.5 + 0.95 * len(sides[0])))
    look = {"cmap": TWO_WAYS, "norm": TwoSlopeNorm(0, -2, 2), "vmin": None, "vmax": None}
    heat_map(ax, sides[2].to_numpy(float), sides[0], sides[1], **look)
    write_cells(ax, sides[3], fontsize="small")
    if not down:
        plt.setp(ax.get_xticklabels(), rotation=30, ha="right")
    ax.set(xlabel="Mean; blue above that of all customers, amber below,\ndeepest at 2 standard deviations")
    ax.tick_params(length=0)
    return ax


def _spaced(names):
    return [name.replace("_", " ") for name in names]
