"""Draw projections of retention beside the observed, their errors, and what a rise of retention is made of."""

from textwrap import fill

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter

from crmlab.contracts import InputError
from crmlab.style import ACTUAL, BAND, BASELINE, EXPECTED, MUTED, axes, plot, stacked

MODELS = {"sBG": ("-", "s"), "BdW": ("--", "^")}
CURVES = {"linear": (":", "x"), "exponential": ("-.", "+"), "quadratic": ((0, (6, 2)), "d")}
LINEAR = 10  # % of an error, up to which the axis is not logarithmic
PARTS = {
    "selection": (EXPECTED, "", "selection: those who leave readily have left"),
    "duration_dependence": (BASELINE, "", "duration dependence, by the form of BdW"),
    "between_groups": (EXPECTED, "....", "shares of groups move"),
    "unexplained": (MUTED, "////", "unexplained"),
}


@plot
def projected_survival(
    frame: pd.DataFrame, observed: pd.DataFrame, groups: int = 3, ax: Axes | None = None
) -> list[Axes] | Axes:
    """Draw `projected_survival` beside `survival_curve`, a panel a group: filled marks were used in calibration.

    Parameters
    ----------
    frame : DataFrame
        Survival by group, model and period, as from `projected_survival`.
    observed : DataFrame
        Kaplan–Meier curves by group, as from `survival_curve`.
    groups : int
        Most groups to draw, the largest ones.
    ax : Axes, optional
        Axes to draw the largest group alone on; None makes a new figure with a panel a group.

    Returns
    -------
    list of Axes, or Axes
        Share retained, 0 to 1, by renewals: a panel a group, or the axes that were given.
    """
    sizes = observed[observed.period == 0].set_index("group").at_risk
    return _panels(_projection, sizes, groups, ax, frame, observed)


@plot
def residual_lifetimes(frame: pd.DataFrame, groups: int = 3, ax: Axes | None = None) -> list[Axes] | Axes:
    """Draw `residual_lifetimes`, a panel a group: payments to come by renewals survived.

    Parameters
    ----------
    frame : DataFrame
        Payments by group, model and renewals, as from `residual_lifetimes`.
    groups : int
        Most groups to draw, the first ones.
    ax : Axes, optional
        Axes to draw the first group alone on; None makes a new figure with a panel a group.

    Returns
    -------
    list of Axes, or Axes
        Payments to come by renewals survived: a panel a group, or the axes that were given.
    """
    return _panels(_lifetimes, pd.Series(1, frame.group.unique()), groups, ax, frame)


@plot
def final_period_errors(frame: pd.DataFrame, groups: int = 3, ax: Axes | None = None) -> list[Axes] | Axes:
    """Draw `final_period_errors`, a panel a group: how far the last period was missed, by the periods known.

    Parameters
    ----------
    frame : DataFrame
        Errors by group and model, %, a column an origin, as from `final_period_errors`. The axis is linear up to ±10 %,
        logarithmic beyond.
    groups : int
        Most groups to draw, the first ones.
    ax : Axes, optional
        Axes to draw the first group alone on; None makes a new figure with a panel a group.

    Returns
    -------
    list of Axes, or Axes
        Error, %, by periods in calibration: a panel a group, or the axes that were given.
    """
    return _panels(_errors, pd.Series(1, frame.index.unique("group")), groups, ax, frame)


@plot
def retention_rates(frame: pd.DataFrame, groups: int = 3, ax: Axes | None = None) -> list[Axes] | Axes:
    """Draw `retention_rates`, a panel a group: the share of remaining customers who renew, observed and by the models.

    Parameters
    ----------
    frame : DataFrame
        Rates by group, model and renewal, as from `retention_rates`.
    groups : int
        Most groups to draw, the largest ones.
    ax : Axes, optional
        Axes to draw the largest group alone on; None makes a new figure with a panel a group.

    Returns
    -------
    list of Axes, or Axes
        Share who renew, 0 to 1, by renewal: a panel a group, or the axes that were given.
    """
    sizes = frame[frame.period == 1].drop_duplicates("group").set_index("group").at_risk.fillna(0)
    return _panels(_rates, sizes, groups, ax, frame)


def _panels(draw, sizes, groups, ax, *frames):
    """A panel for each of the largest groups, in their own order; or one on `ax`."""
    if groups < 1:
        raise InputError(f"groups = {groups!r}: choose how many groups to draw, 1 or more")
    largest = sizes.sort_values(ascending=False, kind="stable").index
    if ax is not None:
        return draw(*frames, largest[0] if len(largest) else "", ax)
    drawn = [group for group in sizes.index if group in largest[:groups]] or [""]
    return [draw(*frames, group, panel) for group, panel in zip(drawn, stacked(len(drawn)), strict=True)]


def _projection(projected, observed, group, ax):
    """The projections of one group."""
    lines, actual = projected[projected.group == group], observed[observed.group == group]
    split = lines.period[lines.in_calibration].max()
    fitted = _lines(ax, lines, "period", "survival")
    for in_holdout, face, label in ((False, ACTUAL, "observed, calibration"), (True, "white", "observed, holdout")):
        rows = actual[(actual.period > split) == in_holdout]
        if len(rows):
            ax.plot(rows.period, rows.survival, "o", mfc=face, color=ACTUAL, markersize=5, label=label)
    ax.axvline(split, color=MUTED, linewidth=1)
    if not fitted:
        _write(ax, _reason(lines), 0.9)
    ax.set(xlabel=f"Renewals since the start, periods ({group})", ylabel="Share retained", ylim=(0, 1.02))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False)
    return ax


def _rates(frame, group, ax):
    """The retention rates of one group."""
    rows = frame[frame.group == group]
    observed = rows.drop_duplicates("period").dropna(subset=["retention"])
    value, low, high = (observed[name].astype(float) for name in ("retention", "ci_low", "ci_high"))
    reach = np.maximum([value - low, high - value], 0)
    known = observed.in_calibration.to_numpy(bool)
    for held, face, label in ((known, ACTUAL, "observed, calibration"), (~known, "white", "observed, holdout")):
        if held.any():
            look = {"mfc": face, "color": ACTUAL, "ecolor": MUTED, "markersize": 5, "capsize": 2, "label": label}
            ax.errorbar(observed.period[held], value[held], reach[:, held], fmt="o", **look)
    fitted = rows[rows.expected.notna()]
    for model, lines in fitted.groupby("model", sort=False):
        ax.plot(lines.period, lines.expected.astype(float), MODELS[model][0], color=EXPECTED, label=model, zorder=3)
    split = rows.period[rows.in_calibration].max()
    if split < rows.period.max():
        ax.axvline(split, color=MUTED, linewidth=1)
    if fitted.empty:
        _write(ax, _reason(rows), 0.9)
    ax.set(xlabel=f"Renewal ({group})", ylabel="Share who renew (95 % CI)")
    ax.set_ylim(min(0.5, float(low.min()) - 0.05) if len(low) else 0, 1.01)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(frameon=False, loc="lower right")
    return ax


def _lifetimes(frame, group, ax):
    """The payments to come of one group."""
    rows = frame[frame.group == group]
    fitted = _lines(ax, rows, "renewals", "payments")
    ax.set(xlabel=f"Renewals survived ({group})", ylabel="Payments to come, discounted", ylim=(0, None))
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if not fitted:
        return _nothing(ax, _reason(rows))
    ax.legend(frameon=False, loc="lower right")
    return ax


def _errors(frame, group, ax):
    """How far the last period of one group was missed."""
    rows = frame[frame.index.get_level_values("group") == group].dropna(how="all")
    ax.set(xlabel=f"Periods in calibration ({group})", ylabel="Error at the last period")
    if rows.empty:
        return _nothing(ax, "nobody was left in the periods projected")
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


def _lines(ax, frame, x, y):
    """A line a model that could be fitted, with its band; whether there is one."""
    known = frame[frame[y].notna()]
    for model, rows in known.groupby("model", sort=False):
        value, low, high = (rows[name].astype(float) for name in (y, "ci_low", "ci_high"))
        ax.fill_between(rows[x], low, high, color=BAND, alpha=0.15, linewidth=0)
        ax.plot(rows[x], value, linestyle=MODELS[model][0], color=EXPECTED, label=f"{model} (95 % band)")
    return len(known) > 0


@plot
def retention_decomposition(frame: pd.DataFrame, ax: Axes | None = None) -> Axes:
    """Draw `retention_decomposition`: what each step of retention is made of, in points, and the whole of it.

    Parameters
    ----------
    frame : DataFrame
        Parts by period, as from `retention_decomposition`.
    ax : Axes, optional
        Axes to draw on; None makes a new figure.

    Returns
    -------
    Axes
        Change of retention in points, by renewal: parts as bars, what was observed as marks.
    """
    ax, steps = axes(ax), frame[frame.period != "all"]
    ax.set(xlabel="Renewal", ylabel="Change of retention, points")
    if steps.empty:
        return _nothing(ax, _reason(frame))
    places = steps.period.astype(int).to_numpy()
    up, down = np.zeros(len(steps)), np.zeros(len(steps))
    for name, (color, hatch, label) in PARTS.items():
        part = 100 * steps[name].astype("Float64").to_numpy(dtype=float, na_value=0)
        if not part.any():
            continue
        bottom = np.where(part > 0, up, down)
        light = f"{color}55" if hatch else f"{color}cc"
        ax.bar(places, part, 0.7, bottom, color=light, hatch=hatch, edgecolor="white", linewidth=0.5, label=label)
        up, down = up + np.maximum(part, 0), down + np.minimum(part, 0)
    change = 100 * steps.change.astype(float)
    reach = np.abs(100 * steps[["change_ci_low", "change_ci_high"]].astype(float).to_numpy().T - change.to_numpy())
    ax.errorbar(places, change, reach, fmt="D", color=ACTUAL, markersize=4, capsize=3, label="observed (95 %)")
    ax.axhline(0, color=MUTED, linewidth=1)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    ax.legend(frameon=False)
    return ax


def _reason(frame):
    """Why a frame, or a part of it, holds no numbers."""
    return next(filter(None, frame.reason), "")


def _write(ax, words, height=0.5):
    ax.text(
        0.5,
        height,
        fill(words, 60),
        transform=ax.transAxes,
        color=MUTED,
        ha="center",
        va="top" if height > 0.5 else "center",
    )


def _nothing(ax, words):
    """Writes that there is nothing to draw."""
    _write(ax, words)
    ax.set(xticks=[], yticks=[])
    return ax
