"""Draw projections of retention beside what came, how far they missed, and what a rise of retention is made of."""

import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from crmlab.style import ACTUAL, BAND, BASELINE, EXPECTED, MUTED, axes

MODELS = {"sBG": ("-", "s"), "BdW": ("--", "^")}
CURVES = {"linear": (":", "x"), "exponential": ("-.", "+"), "quadratic": ((0, (6, 2)), "d")}
LINEAR = 10  # % of a miss, up to which the axis is not logarithmic
PARTS = {
    "selection": (EXPECTED, "", "mix: who leaves readily has left"),
    "duration_dependence": (BASELINE, "", "customers change"),
    "between_groups": (EXPECTED, "....", "mix of groups"),
    "unexplained": (MUTED, "////", "unexplained"),
}


def projected_survival(projected, observed, group, ax=None):
    """Draw `projected_survival` of one group beside its `survival_curve`: filled marks were known to the models."""
    ax = axes(ax)
    lines = projected[(projected.group == group) & projected.survival.notna()]
    for model, rows in lines.groupby("model", sort=False):
        style, _ = MODELS[model]
        ends = rows.ci_low.astype(float), rows.ci_high.astype(float)
        ax.fill_between(rows.period, *ends, color=BAND, alpha=0.15, linewidth=0)
        ax.plot(rows.period, rows.survival.astype(float), linestyle=style, color=EXPECTED, label=f"{model} (95 % band)")
    of_group = projected[projected.group == group]
    known = of_group.period[of_group.in_calibration].max()
    seen = observed[observed.group == group]
    for later, face, label in ((False, ACTUAL, "actual, known"), (True, "white", "actual, later")):
        rows = seen[(seen.period > known) == later]
        if len(rows):
            look = {"mfc": face, "color": ACTUAL, "markersize": 5, "label": label}
            ax.plot(rows.period, rows.survival, "o", **look)
    ax.axvline(known, color=MUTED, linewidth=1)
    if lines.empty:
        _said(ax, "No model could be fitted to what was known", 0.9)
    ax.set(xlabel=f"Renewals since the start, periods ({group})", ylabel="Share still there", ylim=(0, 1.02))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False)
    return ax


def residual_lifetimes(table, group, ax=None):
    """Draw `residual_lifetimes` of one group: payments to come by renewals survived."""
    ax = axes(ax)
    lines = table[(table.group == group) & table.payments.notna()]
    for model, rows in lines.groupby("model", sort=False):
        style, _ = MODELS[model]
        ends = rows.ci_low.astype(float), rows.ci_high.astype(float)
        ax.fill_between(rows.renewals, *ends, color=BAND, alpha=0.15, linewidth=0)
        ax.plot(
            rows.renewals, rows.payments.astype(float), linestyle=style, color=EXPECTED, label=f"{model} (95 % band)"
        )
    ax.set(xlabel=f"Renewals survived ({group})", ylabel="Payments to come, discounted", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if lines.empty:
        return _nothing(ax, "No model could be fitted")
    ax.legend(frameon=False, loc="lower right")
    return ax


def final_period_errors(table, group, ax=None):
    """Draw `final_period_errors` of one group: how far the last period was missed, by how many periods were known.

    The axis is linear up to ±10 %, logarithmic beyond.
    """
    ax, rows = axes(ax), table[table.index.get_level_values("group") == group].dropna(how="all")
    ax.set(xlabel=f"Periods the projection knew ({group})", ylabel="Miss at the last period, of those left")
    if rows.empty:
        return _nothing(ax, "No projection can be compared with what came")
    for (_, model), row in rows.iterrows():
        (style, marker), color = (MODELS | CURVES)[model], EXPECTED if model in MODELS else BASELINE
        miss = row.dropna().astype(float)
        ax.plot(miss.index.astype(int), miss, linestyle=style, marker=marker, color=color, label=model)
    ax.axhline(0, color=MUTED, linewidth=1)
    ax.set_yscale("symlog", linthresh=LINEAR, subs=[2, 5])
    ax.yaxis.set_major_formatter(FuncFormatter(lambda miss, _: f"{miss:+,.0f}%" if miss else "0%"))
    ax.yaxis.set_minor_formatter(FuncFormatter(lambda miss, _: ""))
    ax.margins(y=0.08)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend(frameon=False, ncol=3, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1, handlelength=2.6)
    return ax


def retention_decomposition(table, ax=None):
    """Draw `retention_decomposition`: what each step of retention is made of, in points, and the whole of it."""
    ax, steps = axes(ax), table[table.period != "all"]
    ax.set(xlabel="Renewal", ylabel="Change of retention from the one before, points")
    if steps.empty:
        return _nothing(ax, "Too few renewals were seen to compare them")
    places = steps.period.astype(int).to_numpy()
    up, down = np.zeros(len(steps)), np.zeros(len(steps))
    for name, (color, hatch, label) in PARTS.items():
        part = 100 * pd.to_numeric(steps[name].astype("Float64")).to_numpy(dtype=float, na_value=0)
        if not np.abs(part).max(initial=0) > 0:
            continue
        bottom = np.where(part > 0, up, down)
        light = f"{color}55" if hatch else f"{color}cc"
        ax.bar(places, part, 0.7, bottom, color=light, hatch=hatch, edgecolor="white", linewidth=0.5, label=label)
        up, down = up + np.maximum(part, 0), down + np.minimum(part, 0)
    change = 100 * steps.change.astype(float)
    reach = np.abs(100 * steps[["change_ci_low", "change_ci_high"]].astype(float).to_numpy().T - change.to_numpy())
    ax.errorbar(
        places, change, reach, fmt="D", color=ACTUAL, ecolor=ACTUAL, markersize=4, capsize=3, label="seen (95 %)"
    )
    ax.axhline(0, color=MUTED, linewidth=1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend(frameon=False)
    return ax


def _said(ax, words, height=0.5):
    ax.text(0.5, height, words, transform=ax.transAxes, color=MUTED, ha="center")


def _nothing(ax, words):
    """Says that there is nothing to draw."""
    _said(ax, words)
    ax.set(xticks=[], yticks=[])
    return ax
