"""The stage of a product's life in each period, read along the path of its sales. [thresholds: Hu Jian 1998]"""

from itertools import pairwise

import numpy as np
import pandas as pd

from crmlab.estimate import Estimate
from crmlab.lifecycle.models.growth import GrowthCurve, no_growth_reason, validated_sales
from crmlab.lifecycle.tables import products
from crmlab.model import Unfitted, needs_fit
from crmlab.sentences import sentence, templates

INTRODUCTION, GROWTH, MATURITY, DECLINE = "introduction", "growth", "maturity", "decline"
UNDETERMINED = "undetermined"
STAGES = (INTRODUCTION, GROWTH, MATURITY, DECLINE, UNDETERMINED)
GROWTH_LIMIT = 0.10  # growth in a year: more is growth, from 0 to this inclusive is maturity, less than 0 is decline
CONFIRM = 2  # periods in a row that begin a stage
DECIMALS = 9  # decimals of a rate of growth that count, so that 110 after 100 is 10 % and not more
LADDER = (DECLINE, MATURITY, GROWTH)
RANK = {stage: rank for rank, stage in enumerate(LADDER)}


def life_cycle_stages(sales: pd.Series, periods_per_year: int | None = None) -> pd.DataFrame:
    """The stage of a product's life in each period: introduction, growth, maturity or decline.

    Parameters
    ----------
    sales : Series
        Sales of each period in order, from launch; none missing, none negative.
    periods_per_year : int, optional
        Periods in a year, as growth is from the same period a year before; None takes it from the dates of `sales`.

    Returns
    -------
    DataFrame
        By time: sales; growth, rate in a year, NA in the first year, and after a period in which nothing was sold;
        period_stage, by this period's growth alone: growth (> 10 %), maturity (0 to 10 %, both included) or decline
        (< 0), NA without a rate; stage, along the path: "introduction" before the first growth that two periods in a
        row confirm (before it, a period below zero, or without a rate, is "undetermined" and no decline), afterwards
        a stage ends where two periods in a row read otherwise, both higher or both lower, and gives way to the nearer
        of their readings; real_time_stage, as it could be known at the end of that period, without the next one;
        reason, why there is no growth. Where there are too few periods, or sales are the same in all, every stage is
        "undetermined".

    Raises
    ------
    InputError
        Where sales are missing, not finite or negative, or `periods_per_year` is no whole number above 0.

    Examples
    --------
    >>> vcr = pd.Series([840.0, 1470, 2110, 4000, 7590, 10950, 10530, 9470, 7790, 5890])
    >>> life_cycle_stages(vcr).stage.value_counts(sort=False).to_dict()
    {'undetermined': 1, 'growth': 5, 'decline': 4}
    """
    y = validated_sales(sales)
    periods_per_year = products.checked_periods(sales, periods_per_year)
    before = np.concatenate([np.full(min(periods_per_year, len(y)), np.nan), y[:-periods_per_year]])
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.where(before > 0, np.round(y / before - 1, DECIMALS), np.nan)
    readings = [_reading(rate) for rate in growth]
    along = (lambda some: [UNDETERMINED] * len(some)) if no_growth_reason(y) else _along
    known = [along(readings[: i + 1])[-1] for i in range(len(readings))]
    reason = np.select(
        [np.isnan(before), np.isnan(growth)], ["no period a year before", "nothing sold a year before"], ""
    )
    columns = {"sales": y, "growth": growth, "period_stage": readings, "stage": along(readings)}
    return pd.DataFrame(columns | {"real_time_stage": known, "reason": reason}, index=sales.index.rename("time"))


@needs_fit
def stage_spells(stages: pd.DataFrame) -> pd.DataFrame:
    """The stages of `life_cycle_stages`, one row for each stretch.

    Parameters
    ----------
    stages : DataFrame
        Stages by time, as from `life_cycle_stages`.

    Returns
    -------
    DataFrame
        stage; first and last, times; periods, count.
    """
    stretch = (stages.stage != stages.stage.shift()).cumsum().to_numpy()
    by, time = stages.rename_axis("time").reset_index().groupby(stretch), "time"
    found = by.agg(stage=("stage", "first"), first=(time, "first"), last=(time, "last"), periods=(time, "size"))
    return found.reset_index(drop=True)


def current_stage(stages: pd.DataFrame) -> Estimate:
    """For how many periods the product has been in the stage of the last one.

    Parameters
    ----------
    stages : DataFrame
        Stages by time, as from `life_cycle_stages`.

    Returns
    -------
    Estimate
        Periods, a count, with the stage and since when as its unit; blank where the stage is undetermined.
    """
    spell = stage_spells(stages).iloc[-1]
    if spell.stage == UNDETERMINED:
        return Estimate(None, kind="count", reason=_undetermined(stages))
    counted = "period" if spell.periods == 1 else "periods"
    return Estimate(spell.periods, unit=f"{counted} of {spell.stage}, since {_day(spell['first'])}", kind="count")


def stage_note(stages: pd.DataFrame) -> str:
    """The stage of the last period and since when, or why there is none to read, in a sentence.

    Parameters
    ----------
    stages : DataFrame
        Stages by time, as from `life_cycle_stages`.

    Returns
    -------
    str
        A sentence.
    """
    said, spell = templates("crmlab.lifecycle")["life_cycle_stages"], stage_spells(stages).iloc[-1]
    if spell.stage == UNDETERMINED:
        return sentence(said["undetermined"], {"reason": _undetermined(stages)})
    values = {
        "stage": spell.stage,
        "periods": spell.periods,
        "first": _day(spell["first"]),
        "last": _day(spell["last"]),
    }
    return sentence(said["one" if spell.periods == 1 else "several"], values)


def _day(time):
    return str(time.date() if isinstance(time, pd.Timestamp) else time)


def _undetermined(stages):
    """Why the last stage is undetermined."""
    known = int(stages.growth.notna().sum())
    if reason := no_growth_reason(stages.sales.to_numpy(dtype=float)):
        return reason
    if known < CONFIRM:
        rates = f"growth from a year before is known of {known:,} of {len(stages):,} periods"
        return f"{rates}, and {CONFIRM} are needed: a year and {CONFIRM} periods more"
    return f"no {CONFIRM} periods in a row grew by more than {100 * GROWTH_LIMIT:.0f} % in a year"


def compare_with_peak(stages: pd.DataFrame, model: GrowthCurve | Unfitted) -> pd.DataFrame:
    """Stages beside the peak of a growth curve, and whether the two agree.

    Parameters
    ----------
    stages : DataFrame
        Stages by time, as from `life_cycle_stages`.
    model : curve or Unfitted
        Growth curve, as from `fit_growth_curves`.

    Returns
    -------
    DataFrame
        `stages` with by_peak, "before the peak" or "after the peak", by the middle of the period; agrees, whether the
        stage fits that: introduction and growth before, decline after, NA where it says neither; reason, why there is
        no growth, or no peak.
    """
    if isinstance(model, Unfitted):
        reason = [f"{why}; {model}" if why else str(model) for why in stages.reason]
        return stages.assign(by_peak=None, agrees=pd.array([pd.NA] * len(stages), "boolean"), reason=reason)
    before, after = "before the peak", "after the peak"
    by_peak = np.where(np.arange(len(stages)) + 0.5 < model.peak, before, after)
    side = stages.stage.map({INTRODUCTION: before, GROWTH: before, DECLINE: after})
    agrees = (side == by_peak).astype("boolean").mask(side.isna())
    return stages.assign(by_peak=by_peak, agrees=agrees)


def _reading(rate):
    if np.isnan(rate):
        return None
    return GROWTH if rate > GROWTH_LIMIT else MATURITY if rate >= 0 else DECLINE


def _along(readings):
    """The stage of each period, given the readings of all."""
    now, path = "", []
    for pair in pairwise([*readings, None]):
        if not now and pair == (GROWTH, GROWTH):
            now = GROWTH
        elif now and None not in pair:
            ranks = sorted((RANK[reading] for reading in pair), key=lambda rank: abs(rank - RANK[now]))
            if (ranks[0] - RANK[now]) * (ranks[1] - RANK[now]) > 0:  # both higher, or both lower
                now = LADDER[ranks[0]]
        path.append(now or (UNDETERMINED if pair[0] in (None, DECLINE) else INTRODUCTION))
    return path
