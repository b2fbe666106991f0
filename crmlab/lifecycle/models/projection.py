"""What contracts observed so far say of renewals to come: sBG and BdW, fitted to each group, with intervals.

All take `durations` and give frames, in which a row says why where a model cannot be fitted. Intervals are confidence
intervals of the expected value: observed shares will scatter about it, the more so the fewer customers there are.
"""

from collections.abc import Callable

import pandas as pd

from crmlab.contracts import InputError, suggest
from crmlab.lifecycle.models.sbg import BDW, SBG, RetentionModel, discount_per_period
from crmlab.lifecycle.models.survival import censor_at
from crmlab.likelihood import REPLICATES
from crmlab.model import Unfitted
from crmlab.stats.intervals import percentile_interval

MODELS = {model.title: model for model in (SBG, BDW)}
NUMBERS = ("value", "standard_error", "survival", "payments", "ci_low", "ci_high", "retention")


def retention_model(name: str) -> type[RetentionModel]:
    """The class of a retention model by its name, "sBG" or "BdW"; InputError where there is none."""
    by_name = {title.casefold(): model for title, model in MODELS.items()}
    if isinstance(name, str) and name.casefold() in by_name:
        return by_name[name.casefold()]
    advice = suggest(name, MODELS, f"choose one of {', '.join(map(repr, MODELS))}")
    raise InputError(f"model = {name!r}: there is no such retention model; {advice}")


def fit_retention(
    durations: pd.DataFrame, calibration_periods: int | None = None, replicates: int = REPLICATES, seed: int = 1
) -> dict[tuple[str, str], RetentionModel | Unfitted]:
    """Fit sBG and BdW to the contracts of each group.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    calibration_periods : int, optional
        Fit to the first so many periods of each customer only; None fits to all.
    replicates : int
        Draws of the parameters for the intervals; 0 leaves these blank.
    seed : int
        Seed of the draws.

    Returns
    -------
    dict
        (group, title of the model) -> the model, or Unfitted with the reason.
    """
    rows = durations if calibration_periods is None else censor_at(durations, calibration_periods)
    groups = rows.groupby("group")
    return {(group, t): model.fit(part, replicates, seed) for group, part in groups for t, model in MODELS.items()}


def split_period(durations: pd.DataFrame, calibration_periods: int | None = None) -> int:
    """How many periods a projection is to be fitted to: as given, else just past half of those observed.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    calibration_periods : int, optional
        Periods to fit to, from 1 to one less than were observed; None takes just past half.

    Returns
    -------
    int
        Periods.

    Raises
    ------
    InputError
        Where a projection would have no period to fit to, or none to be judged on.
    """
    last = int(_longest(durations).max())
    if calibration_periods is None:
        return last // 2 + 1
    if not 0 < calibration_periods < last:
        observed = f"{last} periods were observed"
        raise InputError(f"calibration_periods = {calibration_periods!r}: {observed}; choose 1 up to {last - 1}")
    return calibration_periods


def retention_parameters(
    durations: pd.DataFrame, calibration_periods: int | None = None, replicates: int = REPLICATES, seed: int = 1
) -> pd.DataFrame:
    """The parameters of each group's models.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    calibration_periods : int, optional
        Fit to the first so many periods of each customer only; None fits to all.
    replicates : int
        Draws of the parameters for the intervals; 0 leaves these blank.
    seed : int
        Seed of the draws.

    Returns
    -------
    DataFrame
        group, model, parameter, value, standard_error, ci_low, ci_high (95 %); reason, why there are no numbers.
    """

    def parameters(model, _group):
        if model:
            return model.parameters.reset_index().assign(reason="")
        return pd.DataFrame({"parameter": pd.NA, "reason": [str(model)]})

    columns = ["parameter", "value", "standard_error", "ci_low", "ci_high", "reason"]
    return _of_each(fit_retention(durations, calibration_periods, replicates, seed), parameters, columns)


def projected_survival(
    durations: pd.DataFrame,
    periods: int | None = None,
    calibration_periods: int | None = None,
    level: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 1,
) -> pd.DataFrame:
    """Share of each group expected to survive each renewal.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    periods : int, optional
        Renewals to look at; None takes as many as were observed.
    calibration_periods : int, optional
        Fit to the first so many periods of each customer only; None fits to all.
    level : float
        Confidence level of the intervals, 0 to 1.
    replicates : int
        Draws of the parameters for the intervals; 0 leaves these blank.
    seed : int
        Seed of the draws.

    Returns
    -------
    DataFrame
        group, model; period, 0 being the start; survival, probability to survive so many renewals, with ci_low and
        ci_high; retention, of those who are left, who renews, NA for period 0; in_calibration, whether the model was
        fitted to this period; reason, why there are no numbers.

    Raises
    ------
    InputError
        Where `periods` is below 1.

    References
    ----------
    Fader & Hardie (2007), How to project customer retention.

    Examples
    --------
    >>> from crmlab import lifecycle
    >>> left = pd.DataFrame({"group": "all", "period": range(5), "customers": [1000, 869, 743, 653, 593]})
    >>> projected = lifecycle.projected_survival(lifecycle.durations(left), periods=8)
    >>> projected[(projected.model == "sBG") & (projected.period == 8)].survival.round(2).tolist()
    [0.41]
    """
    longest = _longest(durations)
    periods = int(longest.max()) if periods is None else periods
    if periods < 1:
        raise InputError(f"periods = {periods!r}: choose how many renewals to look at, 1 or more")
    at = pd.RangeIndex(periods + 1, name="period")

    def survival(model, group):
        last = longest[group] if calibration_periods is None else min(longest[group], calibration_periods)
        frame = _with_interval(model, lambda one: one.survival(at), "survival", at, level)
        frame["retention"] = model.retention(at[1:]) if model else pd.NA
        return frame.reset_index().assign(in_calibration=at <= last)

    columns = ["period", "survival", "ci_low", "ci_high", "retention", "in_calibration", "reason"]
    return _of_each(fit_retention(durations, calibration_periods, replicates, seed), survival, columns)


def residual_lifetimes(
    durations: pd.DataFrame,
    discount_annual: float,
    every: str,
    calibration_periods: int | None = None,
    level: float = 0.95,
    replicates: int = REPLICATES,
    seed: int = 1,
) -> pd.DataFrame:
    """Payments still to come of a customer of each group, by renewals survived: DERL.

    Parameters
    ----------
    durations : DataFrame
        group, renewals, churned, customers, as from `durations`.
    discount_annual : float
        Yearly discount rate, above 0: .1 is 10 %.
    every : str
        Length of a period: "week", "month", "quarter" or "year".
    calibration_periods : int, optional
        Fit to the first so many periods of each customer only; None fits to all.
    level : float
        Confidence level of the intervals, 0 to 1.
    replicates : int
        Draws of the parameters for the intervals; 0 leaves these blank.
    seed : int
        Seed of the draws.

    Returns
    -------
    DataFrame
        group, model; renewals, from 0 to the most that was observed; payments, count, discounted, just before the
        next, which is not, with ci_low and ci_high; reason, why there are no numbers. Times the margin of a payment,
        this is money.

    Raises
    ------
    InputError
        Where `discount_annual` is not above 0, or `every` is none of these.

    References
    ----------
    Fader & Hardie (2010), Customer-base valuation in a contractual setting, (5).
    """
    discount, longest = discount_per_period(discount_annual, every), _longest(durations)

    def payments(model, group):
        at = pd.RangeIndex(longest[group] + 1, name="renewals")
        frame = _with_interval(model, lambda one: one.residual_lifetime(at, discount), "payments", at, level)
        return frame.reset_index()

    columns = ["renewals", "payments", "ci_low", "ci_high", "reason"]
    return _of_each(fit_retention(durations, calibration_periods, replicates, seed), payments, columns)


def _longest(durations):
    """Renewals observed of each group, kept or lost: a Series."""
    return (durations.renewals + durations.churned).groupby(durations.group).max()


def _with_interval(
    model: RetentionModel | Unfitted, expect: Callable, name: str, at: pd.Index, level: float = 0.95
) -> pd.DataFrame:
    """What a model expects at each place, with its interval; or blanks and the reason: a frame."""
    if not model:
        return pd.DataFrame({name: pd.NA, "ci_low": pd.NA, "ci_high": pd.NA, "reason": str(model)}, index=at)
    drawn = [expect(one) for one in model.draws]
    ci_low, ci_high = percentile_interval(drawn, level) if drawn else (pd.NA, pd.NA)
    return pd.DataFrame({name: expect(model).to_numpy(), "ci_low": ci_low, "ci_high": ci_high, "reason": ""}, index=at)


def _of_each(fitted, rows_of, columns):
    """The rows of each group's models one below the other; numbers may be NA."""
    parts = [rows_of(model, group).assign(group=group, model=title) for (group, title), model in fitted.items()]
    parts = [part.astype(dict.fromkeys(set(NUMBERS) & set(part), "Float64")) for part in parts]
    return pd.concat(parts, ignore_index=True).reindex(columns=["group", "model", *columns])
