"""The stage of a product's life in each period, read along the path of its sales. [thresholds: Hu Jian 1998]"""

import numpy as np
import pandas as pd

from crmlab.lifecycle.models.growth import validated_sales
from crmlab.likelihood import FitError

INTRODUCTION, GROWTH, MATURITY, DECLINE = "introduction", "growth", "maturity", "decline"
UNDETERMINED = "undetermined"
STAGES = (INTRODUCTION, GROWTH, MATURITY, DECLINE, UNDETERMINED)
GROWTH_LIMIT = 0.10  # growth in a year: more is growth, from 0 to this inclusive is maturity, less than 0 is decline
DECIMALS = 9  # decimals of a rate of growth that count, so that 110 after 100 is 10 % and not more
RANK = {DECLINE: -1, MATURITY: 0, GROWTH: 1}


def life_cycle_stages(sales, periods_per_year=1):
    """The stage of each period: a frame by time.

    sales    : Series, one value a period in order
    periods_per_year : periods in a year; growth is from the same period a year before
    returns
        sales
        growth    rate in a year; NA in the first year, and after a period in which nothing was sold
        period_stage   what this period's growth alone says: growth (> 10 %), maturity (0 to 10 %, both included) or
                  decline (< 0); NA without a rate
        stage     along the path: "introduction" before the first growth that two periods in a row bear out; before
                  it, a period below zero, or without a rate, is "undetermined" and no decline. Afterwards a stage ends
                  where two periods in a row read otherwise, both higher or both lower, and gives way to the nearer of
                  their readings
        real_time_stage   the stage as it could be told at the end of that period, without the next one
    Where there are too few periods, or sales are the same in all, every stage is "undetermined". Raises InputError on
    sales that cannot be.
    """
    try:
        y, readable = validated_sales(sales), True
    except FitError:
        y, readable = sales.to_numpy(dtype=float), False
    before = np.concatenate([np.full(min(periods_per_year, len(y)), np.nan), y[:-periods_per_year]])
    with np.errstate(divide="ignore", invalid="ignore"):
        growth = np.where(before > 0, np.round(y / before - 1, DECIMALS), np.nan)
    readings = [_reading(rate) for rate in growth]
    along = _along if readable else lambda some: [UNDETERMINED] * len(some)
    frame = pd.DataFrame({"sales": y, "growth": growth}, index=sales.index.rename("time"))
    return frame.assign(
        period_stage=readings,
        stage=along(readings),
        real_time_stage=[along(readings[: i + 1])[-1] for i in range(len(readings))],
    )


def stage_spells(frame):
    """The stages of `life_cycle_stages`, one row for each stretch: a frame with stage, first, last (times), periods."""
    stretch = (frame.stage != frame.stage.shift()).cumsum().rename("stretch")
    times = frame.index.to_series()
    parts = pd.DataFrame({"stage": frame.stage, "first": times, "last": times, "periods": 1}).groupby(stretch)
    return parts.agg({"stage": "first", "first": "first", "last": "last", "periods": "sum"}).reset_index(drop=True)


def compare_with_peak(frame, model):
    """`life_cycle_stages` with a second opinion: where the period lies by a curve's peak, and whether the two agree.

    by_peak  "before the peak" or "after the peak", by the middle of the period
    agrees   whether the stage fits that: introduction and growth before, decline after; NA where it says neither
    """
    middle = np.arange(len(frame)) + 0.5
    by_peak = np.where(middle < model.peak, "before the peak", "after the peak")
    side = frame.stage.map({INTRODUCTION: "before the peak", GROWTH: "before the peak", DECLINE: "after the peak"})
    agrees = pd.Series(side == by_peak, frame.index, dtype="boolean").mask(side.isna())
    return frame.assign(by_peak=by_peak, agrees=agrees)


def _reading(rate):
    if np.isnan(rate):
        return None
    return GROWTH if rate > GROWTH_LIMIT else MATURITY if rate >= 0 else DECLINE


def _along(readings):
    """The stage of each period, given the readings of all."""
    now, path = None, []
    for reading, later in zip(readings, [*readings[1:], None], strict=True):
        if now is None:
            if reading == later == GROWTH:
                now = GROWTH
            else:
                path.append(UNDETERMINED if reading in (None, DECLINE) else INTRODUCTION)
                continue
        elif reading is not None and later is not None:
            difference = [RANK[reading] - RANK[now], RANK[later] - RANK[now]]
            if min(difference) > 0 or max(difference) < 0:
                now = min((reading, later), key=lambda stage: abs(RANK[stage] - RANK[now]))
        path.append(now)
    return path
