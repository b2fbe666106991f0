"""What the data say of claims about customers, contracts and products: checks, each with an id that never changes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from crmlab.check import Judgement, Outcome, assumption, better, beyond, comparison, finding, judged, within
from crmlab.estimate import Estimate
from crmlab.lifecycle.metrics.products import MIN_ORIGINS
from crmlab.lifecycle.metrics.stages import FEW, answers_by_stage, stage_forecast_errors
from crmlab.lifecycle.models.growth import CURVES
from crmlab.lifecycle.models.heterogeneity import TOTAL
from crmlab.lifecycle.models.projection import MODELS
from crmlab.lifecycle.models.sbg import BDW, SBG
from crmlab.lifecycle.models.value_origins import ALL
from crmlab.lifecycle.tables.stages import STAGES
from crmlab.likelihood import REPLICATES
from crmlab.model import why_blank

__all__ = [
    "cohorts_differ",
    "customers_become_more_loyal",
    "early_ends_in_data",
    "first_order_markov",
    "groups_differ",
    "growth_beats_baselines",
    "heterogeneity_raises_retention",
    "model_spend_within_interval",
    "no_duration_dependence",
    "retention_beats_baselines",
    "satisfaction_differs",
    "spend_within_interval",
    "stage_forecast_beats_baseline",
]


def __dir__():
    return __all__


WHOSE = {stage: f"customers in {stage}" for stage in STAGES} | {ALL: "all customers"}

# cohorts, purchase cycle and stages of customers


@finding
def cohorts_differ(homogeneity_tests: pd.DataFrame, level: float = 0.95) -> Judgement:
    """Whether the share of customers who come back differs between cohorts.

    yes where the test of some period rejects at `level`, all periods together; a test never shows that cohorts are
    alike, so that there is no "no".

    Parameters
    ----------
    homogeneity_tests : DataFrame
        Tests by period, as from `homogeneity_tests`.
    level : float
        Confidence level of the test, 0 to 1: it rejects where p is below 1 − level.

    Returns
    -------
    Check
        yes or undecided, with the period that differs most and its adjusted p; not applicable where no period could be
        tested.
    """
    tested = homogeneity_tests[homogeneity_tests.reason == ""]
    if tested.empty:
        reasons = homogeneity_tests.reason.unique()
        return judged("not applicable", why=reasons[0] if len(reasons) else "no period after the first is over")
    differing, first = int((tested.p_adjusted < 1 - level).sum()), tested.loc[tested.p_adjusted.idxmin()]
    about = {"period": first.name, "lowest": first.lowest, "highest": first.highest, "p": first.p_adjusted}
    return judged(_rejected(first.p_adjusted, level), differing=differing, periods=len(tested), **about)


@assumption
def first_order_markov(markov_order_test: pd.DataFrame, tolerance: float = 0.1) -> Judgement:
    """Whether the present state alone decides the next one, but for less than a small effect of the state before.

    Parameters
    ----------
    markov_order_test : DataFrame
        Tests by state, as from `markov_order_test`.
    tolerance : float
        Cohen's w up to which the state before is taken to add nothing; .1 is a small effect.

    Returns
    -------
    Check
        passed where the whole interval of w is at most `tolerance`, failed where all of it is above; not applicable
        where no move has two periods before it.

    References
    ----------
    Anderson & Goodman (1957), Statistical inference about Markov chains. Cohen (1988), Statistical Power Analysis.
    """
    whole = markov_order_test.loc["all"]
    if not whole.df:
        return judged("not applicable", why=whole.reason)
    ends = whole.effect_size_ci_low, whole.effect_size_ci_high
    most = markov_order_test.dissimilarity.drop("all").idxmax()
    return judged(
        within(*ends, 0, tolerance),
        effect=Estimate(whole.effect_size, *ends, n=whole.n, kind="ratio"),
        g2=whole.g2, df=whole.df, p=whole.p, n=whole.n, dissimilarity=whole.dissimilarity,
        most=most, dissimilarity_of_most=markov_order_test.dissimilarity[most],
    )  # fmt: skip


def _stage_parts(**_: Any) -> Mapping[str, Mapping[str, Any]]:
    return {stage: {"whose": WHOSE[stage]} for stage in (*STAGES, ALL)}


@assumption(parts=_stage_parts)
def spend_within_interval(value_backtest: pd.DataFrame, tolerance: float = 0.5) -> list[Judgement]:
    """Whether the prediction interval of the last origin holds what customers spent: in all, and of each stage.

    Parameters
    ----------
    value_backtest : DataFrame
        What was predicted and spent, as from `value_backtest`.
    tolerance : float
        How far the ends of an interval may lie from what was spent, as a share of it; an interval that is wider would
        hold anything.

    Returns
    -------
    list of Check
        One a stage, and one for all: failed where the interval does not hold what was spent, passed where it does, lies
        within `tolerance`, and intervals held at half of all origins or more, else undecided; not applicable where
        nobody was in the stage.
    """
    return _held_by_stage(value_backtest, tolerance)


@assumption(parts=_stage_parts)
def model_spend_within_interval(backtest_by_group: pd.DataFrame, tolerance: float = 0.5) -> list[Judgement]:
    """Whether the prediction interval of a model of orders held at the last origin: in all, and of each stage.

    Parameters
    ----------
    backtest_by_group : DataFrame
        What was expected and spent by stage, as from `clv.backtest_by_group`.
    tolerance : float
        How far the ends of an interval may lie from what was spent, as a share of it.

    Returns
    -------
    list of Check
        As `spend_within_interval`.
    """
    return _held_by_stage(backtest_by_group, tolerance)


def _held_by_stage(backtest, tolerance):
    by = dict(list(backtest.groupby("stage")))
    last = backtest.origin.max()
    return [_held(by.get(stage), stage, last, tolerance) for stage in (*STAGES, ALL)]


def _held(rows, stage, last, tolerance):
    """The judgement on the last origin of a stage."""
    if rows is None or rows.origin.iloc[-1] != last:
        return judged("not applicable", case="nobody", part=stage, whose=WHOSE[stage])
    row, origins = rows.iloc[-1], len(rows)
    if pd.isna(row.held):
        return judged("not applicable", case="undrawn", part=stage, whose=WHOSE[stage])
    narrow = max(row.pi_high - row.spent, row.spent - row.pi_low) <= tolerance * row.spent
    held = int(rows.held.sum())
    seldom = row.held and narrow and held < origins / 2
    outcome: Outcome = ("passed" if narrow and not seldom else "undecided") if row.held else "failed"
    expected = Estimate(row.expected, pi_low=row.pi_low, pi_high=row.pi_high, kind="money")
    values = {"expected": expected, "spent": row.spent, "origins": origins, "held": held}
    case = "seldom" if seldom else ""
    return judged(outcome, case, part=stage, whose=WHOSE[stage], customers=row.customers, **values)


@comparison
def stage_forecast_beats_baseline(stage_forecast: pd.DataFrame, level: float = 0.95) -> Judgement:
    """Whether moves up to the split predict stages a period ahead better than that all stay where they are.

    By the difference of the shares of customers in a wrong stage, period by period, with Student's interval, which
    takes the errors of periods as independent.

    Parameters
    ----------
    stage_forecast : DataFrame
        Customers by period and stage, as from `stage_forecast`.
    level : float
        Confidence level of the intervals, 0 to 1.

    Returns
    -------
    Check
        passed where the whole interval of the difference lies below 0, failed where it lies above; not applicable with
        a single period after the split.

    References
    ----------
    Diebold & Mariano (1995), Comparing predictive accuracy; Harvey, Leybourne & Newbold (1997), Testing the equality of
    prediction mean squared errors, whose correction makes it this interval one period ahead.
    """
    errors = stage_forecast_errors(stage_forecast)
    expected, persistence, difference = errors[["expected", "no_change", "difference"]].mean()
    periods = len(errors)
    if periods < 2:
        return judged("not applicable", why="one period after the split only")
    reach = stats.t.ppf((1 + level) / 2, periods - 1) * errors.difference.std() / np.sqrt(periods)
    low, high = difference - reach, difference + reach
    about = {"expected": expected, "persistence": persistence, "periods": periods}
    outcome = better(-high, -low)  # errors: less is better
    points = Estimate(100 * difference, 100 * low, 100 * high, n=periods, unit="percentage points", level=level)
    return judged(outcome, difference=points, **about)


@finding
def satisfaction_differs(stage: pd.Series, satisfaction: pd.Series, level: float = 0.95) -> Judgement:
    """Whether satisfaction differs between the stages of the relationship, by the test of Kruskal & Wallis.

    Parameters
    ----------
    stage : Series
        Stage by customer_id, as from `latest_stages`.
    satisfaction : Series
        Satisfaction by customer_id, as from `satisfaction_answers`; those without a stage are left out.
    level : float
        Confidence level of the test, 0 to 1: it rejects where p is below 1 − level.

    Returns
    -------
    Check
        yes or undecided, with H, p and η²; not applicable where fewer than two stages have answers enough.

    References
    ----------
    Kruskal & Wallis (1952), Use of ranks in one-criterion variance analysis.
    """
    answers = answers_by_stage(stage, satisfaction)
    groups = {name: values for name, values in answers.items() if len(values) >= FEW}
    together = np.concatenate([*groups.values(), []])
    if len(groups) < 2 or len(np.unique(together)) < 2:
        sizes = ", ".join(f"{name} {len(values)}" for name, values in answers.items())
        why = "all answers are the same" if len(groups) > 1 else f"two stages with {FEW} answers are needed"
        return judged("not applicable", why=f"{why} ({sizes})")
    h, p = stats.kruskal(*groups.values())
    effect = max((h - len(groups) + 1) / (len(together) - len(groups)), 0.0)
    return judged(_rejected(p, level), h=h, df=len(groups) - 1, p=p, effect=effect, customers=len(together))


def _rejected(p: float, level: float) -> Outcome:
    """Outcome of a test that never shows that groups are alike."""
    return "yes" if p < 1 - level else "undecided"


# retention and product life cycles


@finding
def groups_differ(log_rank: pd.DataFrame, level: float = 0.95) -> Judgement:
    """Whether groups lose customers at different rates, by `log_rank_test`.

    Parameters
    ----------
    log_rank : DataFrame
        Chi-squared, degrees of freedom and p, as from `log_rank_test`.
    level : float
        Confidence level of the test, 0 to 1: it rejects where p is below 1 − level.

    Returns
    -------
    Check
        yes or undecided; not applicable where the test could not be made.
    """
    row = log_rank.iloc[0]
    if row.reason:
        return judged("not applicable", case="unknown", why=row.reason)
    return judged(_rejected(row.p, level), groups=int(row.groups), chi2=row.chi2, df=int(row.df), p=row.p)


@assumption
def early_ends_in_data(early_ends: pd.DataFrame, least: float = 0.5) -> Judgement:
    """Whether contracts that ended early are in the data, by `early_ends`: the first end comes soon after observation.

    Parameters
    ----------
    early_ends : DataFrame
        How often the first contracts ended, over how often later ones did, as from `early_ends`.
    least : float
        Ratio from which on early ends are taken to be there.

    Returns
    -------
    Check
        passed where the whole interval of the ratio lies above `least`, failed where all of it lies below; not
        applicable where no later contract of the same age ended, or the data know no days.
    """
    if early_ends.empty:
        return judged("not applicable", case="unknown", why=early_ends.attrs["reason"])
    row = early_ends.iloc[0]
    ratio = Estimate(row.ratio, row.ci_low, row.ci_high, kind="ratio", level=early_ends.attrs.get("level", 0.95))
    days = {name: f"{row[name]:%Y-%m-%d}" for name in ("first", "day")}
    return judged(within(row.ci_low, row.ci_high, least, np.inf), ratio=ratio, ended=row.ended, **days)


@assumption
def no_duration_dependence(
    durations: pd.DataFrame,
    mixture_test: pd.DataFrame,
    least: float = 0.9,
    most: float = 1.1,
    level: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 1,
) -> list[Judgement]:
    """Whether each customer's own probability to renew stays as it is, as sBG assumes: one a group.

    Change shows only where survival departs from every mixture of constant probabilities: c in BdW, which tells change
    from heterogeneity by its form alone, never shows it.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    mixture_test : DataFrame
        Tests of the same durations by group, as from `constant_mixture_test`.
    least, most : float
        Ends of the range of c that is tolerated.
    level : float
        Confidence level of the test, 0 to 1: it rejects where p_adjusted is below 1 − level.
    replicates : int
        Draws of the parameters for the intervals.
    seed : int
        Seed of the draws.

    Returns
    -------
    list of Check
        One a group: failed where the test rejects, passed where it does not and the whole interval of c lies from
        `least` to `most`; not applicable where there is no test.
    """
    groups = durations.groupby("group")
    return [
        _duration_dependence(group, rows, mixture_test.loc[group], (least, most), level, replicates, seed)
        for group, rows in groups
    ]


def _duration_dependence(group, rows, test, limits, level, replicates, seed):
    if test.reason:
        return judged("not applicable", case="unknown", part=str(group), group=group, why=test.reason)
    still, moving = SBG.fit(rows, replicates=0), BDW.fit(rows, replicates, seed)
    rejected = test.p_adjusted < 1 - level
    values: dict[str, Any] = {"group": group, "ratio": test.likelihood_ratio, "p_mixture": test.p_adjusted}
    if reason := why_blank(still, moving):
        return judged("failed" if rejected else "undecided", case="unfitted", part=str(group), why=reason, **values)
    gain = max(2 * (moving.log_likelihood(rows) - still.log_likelihood(rows)), 0.0)
    row = moving.parameters.loc["c"]
    values |= {"c": Estimate(row.value, row.ci_low, row.ci_high), "gain": gain, "p": float(stats.chi2.sf(gain, 1))}
    passed = within(row.ci_low, row.ci_high, *limits) == "passed"
    outcome: Outcome = "failed" if rejected else "passed" if passed else "undecided"
    return judged(outcome, case="departs" if rejected else "fits", part=str(group), **values)


@comparison(parts=lambda **_: {title: {"model": title} for title in MODELS})
def retention_beats_baselines(projections: pd.DataFrame) -> list[Judgement]:
    """Whether each model projects survival more closely than the best curve, by `compare_projections`.

    Parameters
    ----------
    projections : DataFrame
        Errors by model, as from `compare_projections`.

    Returns
    -------
    list of Check
        One a model: passed where the whole interval of the difference in mean absolute error lies below 0, failed where
        it lies above; not applicable where the model was not fitted.
    """
    level = projections.attrs.get("level", 0.95)
    models = projections[~projections.is_baseline]
    return [_beats(model, row, level, "percentage points", "n") for model, row in models.iterrows()]


@finding
def heterogeneity_raises_retention(decomposition: pd.DataFrame) -> Judgement:
    """Whether retention rises as those who leave more readily have left, by `retention_decomposition`.

    Parameters
    ----------
    decomposition : DataFrame
        Parts of the change of retention by period, as from `retention_decomposition`.

    Returns
    -------
    Check
        yes where retention rises and the whole interval of the part of selection lies above 0; no where retention
        falls; not applicable where retention, or its parts, cannot be estimated.
    """
    whole, level = _whole(decomposition)
    if pd.isna(whole.change):
        return judged("not applicable", case="unknown", why=whole.reason)
    values = _change(whole, level)
    if whole.change_ci_high < 0:
        return judged("no", case="falls", **values)
    if whole.change_ci_low <= 0:
        return judged("undecided", case="no_rise", **values)
    if whole.reason:
        return judged("not applicable", case="unknown", why=whole.reason, **values)
    selection = _points(whole, "selection", level)
    return judged(beyond(selection.ci_low, selection.ci_high), case="rises", selection=selection, **values)


@finding
def customers_become_more_loyal(
    decomposition: pd.DataFrame, mixture_test: pd.DataFrame, level: float = 0.95
) -> Judgement:
    """Whether customers' own probabilities to renew rise with tenure.

    The direction is that of duration dependence in `retention_decomposition`, by the form of its model; that there is
    change at all shows only where the survival of some group departs from every mixture of constant probabilities.

    Parameters
    ----------
    decomposition : DataFrame
        Parts of the change of retention by period, as from `retention_decomposition`.
    mixture_test : DataFrame
        Tests by group, as from `constant_mixture_test`.
    level : float
        Confidence level of the test, 0 to 1: it rejects where the least p_adjusted is below 1 − level.

    Returns
    -------
    Check
        yes where the test rejects and the whole interval of the part of duration dependence lies above 0, no where it
        rejects and that lies below; not applicable where either is missing.
    """
    whole, part_level = _whole(decomposition)
    tested = mixture_test[mixture_test.reason == ""]
    if why := whole.reason or ("" if len(tested) else mixture_test.reason.iloc[0]):
        return judged("not applicable", case="unknown", why=why)
    moved, p = _points(whole, "duration_dependence", part_level), float(tested.p_adjusted.min())
    rejected = p < 1 - level
    outcome = beyond(moved.ci_low, moved.ci_high) if rejected else "undecided"
    return judged(outcome, case="moved" if rejected else "fits", moved=moved, p=p, **_change(whole, part_level))


@comparison(parts=lambda **_: {curve.title: {"model": curve.title} for curve in CURVES})
def growth_beats_baselines(errors: pd.DataFrame) -> list[Judgement]:
    """Whether each growth curve forecasts sales better than the best baseline, by `growth_errors`.

    A curve that could be fitted from fewer than half of the origins is not judged.

    Parameters
    ----------
    errors : DataFrame
        Errors by model, as from `growth_errors`.

    Returns
    -------
    list of Check
        One a curve: passed where the whole interval of the difference in mean absolute error lies below 0, failed where
        it lies above, undecided where there are too few origins for an interval; not applicable where it could be
        fitted from too few.
    """
    level = errors.attrs.get("level", 0.95)
    return [_curve_beats(model, row, level) for model, row in errors[~errors.is_baseline].iterrows()]


def _curve_beats(model, row, level):
    if row.origins * 2 < row.origins_total:
        why = f"{model} could be fitted from {row.origins} of {row.origins_total} origins only"
        return judged("not applicable", case="unknown", part=model, why=why, model=model, baseline=row.baseline)
    found = _beats(model, row, level, "", "origins", "origins_won")
    if row.origins < MIN_ORIGINS:
        return replace(found, case="few", values={**found.values, "least": MIN_ORIGINS})
    return found


def _beats(model, row, level, unit, *counts):
    """The judgement on a row of a comparison of mean absolute errors."""
    values = {"model": model, "baseline": row.baseline}
    if pd.isna(row.difference):
        return judged("not applicable", case="unknown", part=model, why=row.reason, **values)
    ends = row.difference_ci_low, row.difference_ci_high
    values |= {"difference": Estimate(row.difference, *ends, unit=unit, level=level)}
    values |= {name: row[name] for name in ("mae", "baseline_mae", *counts)}
    return judged(better(-ends[1], -ends[0]), case="compared", part=model, **values)


def _whole(decomposition):
    """The row of all steps together, and the confidence level of its intervals."""
    return decomposition[decomposition.period == TOTAL].iloc[0], decomposition.attrs.get("level", 0.95)


def _change(whole, level):
    return {"before": whole.before, "after": whole.after, "change": _points(whole, "change", level)}


def _points(row, name, level):
    """A share with its interval, in percentage points."""
    value, low, high = (100 * float(row[column]) for column in (name, f"{name}_ci_low", f"{name}_ci_high"))
    return Estimate(value, low, high, unit="percentage points", level=level)
