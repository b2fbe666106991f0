"""Draw satisfaction and loyalty: shares by level, scores with their bands, what complaints do."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter, PercentFormatter, StrMethodFormatter

from crmlab.estimate import number
from crmlab.service_quality.models.asked import level_of, percent_interval
from crmlab.service_quality.plots.lines import dots, legend, rows
from crmlab.style import ACTUAL, BAND, BASELINE, EXPECTED, MUTED, axes, plot

PARTS = (  # shares of the bar: name, the answers they are of, colours of the bar and of what stands on it
    ("detractors", "0 to 6", BASELINE, "white"),
    ("passives", "7 and 8", "#d0d4d9", ACTUAL),
    ("promoters", "9 and 10", EXPECTED, "white"),
)
SHORTEST = 0.06  # share that has room for a number


@plot
def loyalty_by_satisfaction(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the share of loyal customers by satisfaction, and how much the highest level is worth.

    Parameters
    ----------
    frame : DataFrame
        Of `loyalty_by_satisfaction` or `loyal_share_by_level`.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    noted = frame[frame.n > 0]
    ax = axes(ax)
    error = np.maximum([noted.share - noted.share_ci_low, noted.share_ci_high - noted.share], 0)
    ax.errorbar(noted.satisfaction, noted.share, error, fmt="o-", color=ACTUAL, ecolor=MUTED, capsize=3, linewidth=1)
    top = frame.iloc[-1] if len(frame) else None
    if top is not None and top.n > 0 and np.isfinite(top.risk_ratio):
        high = number(top.risk_ratio_ci_high, 2) if np.isfinite(top.risk_ratio_ci_high) else "∞"
        words = f"{top.satisfaction:g} is worth {number(top.risk_ratio, 2)} × {frame.iloc[-2].satisfaction:g}\n"
        words += f"({100 * level_of(frame):.4g} % {number(top.risk_ratio_ci_low, 2)} to {high})"
        ax.annotate(words, (0.02, 0.98), xycoords="axes fraction", va="top")
    levels = [f"{row.satisfaction:g}\nn {row.n:,.0f}" for row in frame.itertuples()]
    ax.set_xticks(list(frame.satisfaction), levels)
    top_end = min(1.02, noted.share_ci_high.max() * 1.35 + 0.02)
    ax.set(xlabel="Satisfaction", ylabel="Share of loyal customers", ylim=(-0.02, top_end))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    return ax


@plot
def net_promoter_score(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw the shares of detractors, passives and promoters as a bar, with the score that they make.

    Parameters
    ----------
    frame : DataFrame
        Of `net_promoter_score` or `promoter_shares`.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    ax, score, left = axes(ax, 1.9, 6.4), frame.iloc[0], 0.0
    for name, answers, color, ink in PARTS:
        share = float(score[name])
        ax.barh(0, share, 0.6, left=left, color=color, label=f"{name} ({answers})")
        if share >= SHORTEST:
            ax.annotate(f"{share:.0%}", (left + share / 2, 0), ha="center", va="center", color=ink)
        left += share
    points = [f"{value:.0f}".replace("-", "−") for value in (score.nps, score.ci_low, score.ci_high)]
    found = f"Net promoter score {points[0]} ({percent_interval(frame)} {points[1]} to {points[2]})"
    ax.set(xlim=(0, 1), ylim=(-0.45, 0.45), yticks=[])
    ax.set_xlabel(f"Share of customers who answered (n {score.n:,.0f})\n{found}")
    ax.xaxis.set_major_formatter(PercentFormatter(1, decimals=0))
    ax.grid(visible=False)
    ax.spines["left"].set_visible(False)
    legend(ax, 3, fontsize="small")
    return ax


@plot
def satisfaction_index(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw both scores of satisfaction with their intervals, and the band of the doubt about weights.

    Parameters
    ----------
    frame : DataFrame
        Of `satisfaction_index` or `importance_weighted_scores`.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    noted = frame[(frame.score != "weighted less simple") & frame.value.notna()].reset_index(drop=True)
    ax = axes(ax, 2.2)
    low, high = noted.sensitivity_low, noted.sensitivity_high
    ax.barh(noted.index, high - low, 0.5, low, color=BAND, label="as weights vary")
    ax.hlines(noted.index, noted.ci_low, noted.ci_high, color=EXPECTED, label=percent_interval(frame))
    ax.plot(noted.value, noted.index, "o", color=EXPECTED)
    ax.set_xlabel("Satisfaction score, on the scale of the ratings")
    rows(ax, noted.score)
    ax.use_sticky_edges = False
    ax.margins(x=0.1)
    ax.legend(frameon=False, ncol=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=8)
    return ax


@plot
def complaint_resolution(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw ratios of what customers do where the complaint was not resolved to where it was, on a log axis.

    Parameters
    ----------
    frame : DataFrame
        Of `complaint_resolution` or `resolution_ratios`.
    ax : Axes, optional
        Where to draw; None makes a figure.

    Returns
    -------
    Axes
        With the frame that they show.
    """
    noted = frame[np.isfinite(frame.ratio.astype(float)) & (frame.ratio > 0)].reset_index(drop=True)
    ax = axes(ax, 1.4 + 0.35 * max(len(noted), 2))
    known = noted.ci_low[noted.ci_low > 0], noted.ci_high[np.isfinite(noted.ci_high)]
    ends = np.concatenate([*known, noted.ratio, [0.5, 2.0]]).astype(float)
    edges = ends.min() / 1.15, ends.max() * 1.15
    dots(ax, noted.index, noted.ratio, noted.ci_low.clip(lower=edges[0]), noted.ci_high.clip(upper=edges[1]))
    ax.axvline(1, color=MUTED, linewidth=1)
    ax.set_xscale("log")
    ticks = [t for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if edges[0] <= t <= edges[1]]
    ax.set_xticks(ticks)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="Times as much or as often, where the complaint was not resolved", xlim=edges)
    rows(ax, noted.effect)
    return ax
