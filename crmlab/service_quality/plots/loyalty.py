"""Draw satisfaction and loyalty: shares by level, scores with their bands, what complaints do."""

import numpy as np
from matplotlib.ticker import NullFormatter, PercentFormatter, StrMethodFormatter

from crmlab.result import number
from crmlab.service_quality.plots.lines import reason_only
from crmlab.style import ACTUAL, BAND, EXPECTED, MUTED, axes


def loyalty_by_satisfaction(table, ax=None):
    """Draw `loyalty_by_satisfaction`: share of loyal customers by satisfaction, and how much the highest level is
    worth."""
    told = table[table.n > 0]
    if told.empty:
        return reason_only(table, ax)
    ax = axes(ax)
    error = np.maximum([told.share - told.share_ci_low, told.share_ci_high - told.share], 0)
    ax.errorbar(told.satisfaction, told.share, error, fmt="o-", color=ACTUAL, ecolor=MUTED, capsize=3, linewidth=1)
    top = table.iloc[-1] if len(table) else None
    if top is not None and top.n > 0 and np.isfinite(top.risk_ratio):
        ends = f"{number(top.risk_ratio_ci_low, 2)} to " + (
            number(top.risk_ratio_ci_high, 2) if np.isfinite(top.risk_ratio_ci_high) else "∞"
        )
        words = f"{top.satisfaction:g} is worth {number(top.risk_ratio, 2)} × {table.iloc[-2].satisfaction:g}\n"
        words += f"(95 % {ends})"
        ax.annotate(words, (0.02, 0.98), xycoords="axes fraction", va="top")
    ax.set_xticks(
        list(table.satisfaction),
        [f"{satisfaction:g}\nn {n:,.0f}" for satisfaction, n in zip(table.satisfaction, table.n, strict=True)],
    )
    ax.set(
        xlabel="Satisfaction",
        ylabel="Share of loyal customers",
        ylim=(-0.02, min(1.02, told.share_ci_high.max() * 1.35 + 0.02)),
    )
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    return ax


def satisfaction_index(table, ax=None):
    """Draw `satisfaction_index`: both scores with their intervals, and the band of the doubt about weights."""
    told = table[(table.score != "weighted less simple") & table.value.notna()].reset_index(drop=True)
    if told.empty:
        return reason_only(table, ax)
    ax = axes(ax, 2.2)
    ax.barh(
        told.index,
        told.weight_band_high - told.weight_band_low,
        0.5,
        told.weight_band_low,
        color=BAND,
        label="as weights vary",
    )
    ax.hlines(told.index, told.ci_low, told.ci_high, color=EXPECTED, label="95 % interval")
    ax.plot(told.value, told.index, "o", color=EXPECTED)
    ax.set_yticks(list(told.index), told.score)
    ax.set(xlabel="Satisfaction score, on the scale of the ratings", ylim=(len(told) - 0.4, -0.6))
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    ax.use_sticky_edges = False
    ax.margins(x=0.1)
    ax.legend(frameon=False, ncol=2, loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.2, fontsize=8)
    return ax


def complaint_resolution(table, ax=None):
    """Draw `complaint_resolution`: how much oftener customers do each where the complaint was not resolved, on a log
    axis."""
    told = table[np.isfinite(table.ratio.astype(float)) & (table.ratio > 0)].reset_index(drop=True)
    if told.empty:
        return reason_only(table, ax)
    ax = axes(ax, 1.4 + 0.35 * max(len(told), 2))
    ends = np.concatenate(
        [told.ci_low[told.ci_low > 0], told.ci_high[np.isfinite(told.ci_high)], told.ratio, [0.5, 2.0]]
    ).astype(float)
    edges = ends.min() / 1.15, ends.max() * 1.15
    ax.hlines(told.index, told.ci_low.clip(lower=edges[0]), told.ci_high.clip(upper=edges[1]), color=EXPECTED)
    ax.plot(told.ratio, told.index, "o", color=EXPECTED)
    ax.axvline(1, color=MUTED, linewidth=1)
    ax.set_xscale("log")
    ticks = [t for t in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100) if edges[0] <= t <= edges[1]]
    ax.set_xticks(ticks)
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set_yticks(list(told.index), told.effect)
    ax.set(
        xlabel="Times as much or as often, where the complaint was not resolved",
        xlim=edges,
        ylim=(len(told) - 0.4, -0.6),
    )
    ax.grid(visible=False, axis="y")
    ax.tick_params(axis="y", length=0)
    return ax
