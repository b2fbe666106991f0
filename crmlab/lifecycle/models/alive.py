"""How many customers without a contract are still there, as a model has it: their mean chance of being active."""

import pandas as pd

from crmlab.contracts import InputError
from crmlab.lifecycle.tables.cohorts import check_every, first_day, period_number
from crmlab.stats import intervals

SOURCE = "model-based"


def p_alive_curve(p_alive, by, weights=1, *, setting, p_alive_draws=None):
    """Mean chance of being active, by cohort or by age: a frame by the values of `by`.

    p_alive   : chance that each customer, or each row of like customers, is active, 0 to 1: a Series of a CLV model
    by        : cohort or age of each row, a Series named for what it holds
    weights   : how many customers each row stands for
    setting   : "noncontractual", in which customers leave unseen; "contractual" is refused, as there a goodbye is seen
    p_alive_draws : the same under parameters drawn about the fitted ones, a column a draw, for the interval
    returns
        customers   count
        p_alive     mean chance, 0 to 1
        ci_low, ci_high  its 95 % confidence interval; NA where nothing was drawn
        source      "model-based": nobody saw who left
    """
    if setting != "noncontractual":
        raise InputError(
            f"setting = {setting!r}: a P(alive) curve guesses at goodbyes that nobody sees, for setting = "
            "'noncontractual'; where customers have contracts it is seen: use the survival curve of durations"
        )
    if (wrong := int((~p_alive.between(0, 1)).sum())) or not len(p_alive):
        raise InputError(
            f"p_alive: {wrong:,} of {len(p_alive):,} are no chances from 0 to 1; give those of a fitted CLV model"
        )
    weight = p_alive * 0 + weights
    count = weight.groupby(by).sum()
    frame = pd.DataFrame({"customers": count.astype(int), "p_alive": (weight * p_alive).groupby(by).sum() / count})
    ends = (pd.NA, pd.NA)
    if p_alive_draws is not None:
        ends = intervals.percentile_interval((p_alive_draws.mul(weight, axis=0).groupby(by).sum().div(count, axis=0)).T)
    for side, end in zip(("ci_low", "ci_high"), ends, strict=True):
        frame[side] = pd.Series(end, frame.index, dtype="Float64")
    return frame.assign(source=SOURCE)


def acquisition_cohorts(age, end, every="month"):
    """First day of the calendar period in which each customer was acquired: a Series of dates, named cohort.

    age : days from the first order to `end`
    """
    check_every(every)
    days = pd.Timestamp(end) - pd.to_timedelta(age, unit="D")
    return first_day(days.map(lambda day: period_number(day.date(), every)), every).rename("cohort")
