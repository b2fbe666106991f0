"""What contracts seen so far say of renewals to come: sBG and BdW, fitted to each group, with intervals.

All take `durations` and give frames with a row that says why where a model cannot be fitted. Intervals are confidence
intervals of what is expected: those who are there will spread about it, the more so the fewer they are.
"""

import pandas as pd

from crmlab import likelihood
from crmlab.contracts import InputError
from crmlab.lifecycle.models.sbg import BDW, SBG, discount_per_period
from crmlab.lifecycle.models.survival import censor_at
from crmlab.likelihood import FitError
from crmlab.stats import intervals

MODELS = (SBG, BDW)
REPLICATES = 256  # a power of two, as points that fill a space evenly ask for


def retention_models(durations, calibration_periods=None):
    """The models of each group: (group, title) -> fitted model, or the reason why there is none.

    calibration_periods : fit to the first so many periods of each customer only; None fits to all
    """
    seen = durations if calibration_periods is None else censor_at(durations, calibration_periods)
    return {(group, model.title): _fit(model, rows) for group, rows in seen.groupby("group") for model in MODELS}


def retention_parameters(durations, calibration_periods=None):
    """The parameters of each group's models: group, model, parameter, value, ci_low, ci_high (95 %), reason."""
    parts = []
    for (group, title), model in retention_models(durations, calibration_periods).items():
        if isinstance(model, str):
            rows = pd.DataFrame(
                {"parameter": pd.NA, "value": pd.NA, "ci_low": pd.NA, "ci_high": pd.NA, "reason": [model]}
            )
        else:
            rows = likelihood.parameters(model)[["value", "ci_low", "ci_high"]].reset_index().assign(reason="")
        parts.append(rows.assign(group=group, model=title))
    return _framed(parts, ["group", "model", "parameter", "value", "ci_low", "ci_high", "reason"])


def projected_survival(durations, periods, seed, calibration_periods=None):
    """Share of each group expected to survive each renewal up to `periods`: a frame by group, model and period.

    calibration_periods : fit to the first so many periods of each customer only; None fits to all
    returns
        group, model, period    period 0 is the start
        survival, ci_low, ci_high   probability to survive so many renewals, and its 95 % confidence interval
        retention               of those who were there, who renews; NA for period 0
        in_calibration          whether the model was fitted to this period
        reason                  why there are no numbers; "" where there are
    """
    if periods < 1:
        raise InputError(f"periods = {periods!r}: choose how many renewals to look at, 1 or more")
    at = pd.RangeIndex(periods + 1, name="period")
    longest = (durations.renewals + durations.churned).groupby(durations.group).max()
    parts = []
    for (group, title), model in retention_models(durations, calibration_periods).items():
        last = longest[group] if calibration_periods is None else min(longest[group], calibration_periods)
        frame = _with_interval(model, lambda one: one.survival(at), "survival", at, seed)
        frame["retention"] = pd.Series(model.retention(at[1:]), at[1:]) if frame.reason.eq("").all() else pd.NA
        parts.append(frame.reset_index().assign(group=group, model=title, in_calibration=at <= last))
    columns = ["group", "model", "period", "survival", "ci_low", "ci_high", "retention", "in_calibration", "reason"]
    return _framed(parts, columns)


def residual_lifetimes(durations, discount_annual, every, seed, calibration_periods=None):
    """Payments still to come of a customer of each group by renewals survived: a frame. [DERL]

    discount_annual : yearly rate at which later payments count for less, above 0
    every           : what a period is: "week", "month", "quarter" or "year"
    returns
        group, model, renewals  from 0 to the most that was seen
        payments, ci_low, ci_high   count, discounted, just before the next, which is not; with its 95 % confidence
                                interval. Times the margin of a payment, this is money
        reason                  why there are no numbers; "" where there are
    """
    discount, parts = discount_per_period(discount_annual, every), []
    longest = (durations.renewals + durations.churned).groupby(durations.group).max()
    for (group, title), model in retention_models(durations, calibration_periods).items():
        at = pd.RangeIndex(longest[group] + 1, name="renewals")
        frame = _with_interval(model, lambda one, at=at: one.residual_lifetime(at, discount), "payments", at, seed)
        parts.append(frame.reset_index().assign(group=group, model=title))
    return _framed(parts, ["group", "model", "renewals", "payments", "ci_low", "ci_high", "reason"])


def _with_interval(model, expect, name, at, seed):
    """What a model expects at each place, with its interval; or blanks and the reason: a frame."""
    if isinstance(model, str):
        return pd.DataFrame({name: pd.NA, "ci_low": pd.NA, "ci_high": pd.NA, "reason": model}, index=at)
    ci_low, ci_high = intervals.percentile_interval([expect(one) for one in likelihood.draws(model, REPLICATES, seed)])
    return pd.DataFrame({name: expect(model), "ci_low": ci_low, "ci_high": ci_high, "reason": ""}, index=at)


def _fit(model, durations):
    try:
        return model.fit(durations)
    except FitError as problem:
        return str(problem)


def _framed(parts, columns):
    """Parts one below the other; numbers may be NA."""
    numbers = [name for name in columns if name in ("value", "survival", "payments", "ci_low", "ci_high", "retention")]
    parts = [part.astype(dict.fromkeys(set(numbers) & set(part), "Float64")) for part in parts]
    return pd.concat(parts, ignore_index=True)[columns]
