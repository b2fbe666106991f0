"""Whether stages can be predicted, and what goes with them."""

from datetime import date

import numpy as np
import pandas as pd

from crmlab.contracts import InputError
from crmlab.days import as_date
from crmlab.lifecycle.models.transitions import transition_posterior
from crmlab.lifecycle.tables.stages import STAGES, customers_by
from crmlab.model import needs_fit
from crmlab.stats.differences import Sample, one_sample

FEW = 5  # answers in each stage, and stages with so many two, for a comparison


@needs_fit
def stage_forecast(stage_transitions: pd.DataFrame, split: date | str) -> pd.DataFrame:
    """Customers in each stage after `split`, predicted a period ahead from how they moved until then.

    Parameters
    ----------
    stage_transitions : DataFrame
        Counts of moves between stages, as from `stage_transitions`.
    split : date or str
        Last day whose moves are known; newcomers of a later period are left out of it.

    Returns
    -------
    DataFrame
        By period and stage:

        - expected: by the probabilities of moving up to `split`, count
        - no_change: as if all stayed where they were, the baseline
        - actual: count

    Raises
    ------
    InputError
        Where no period lies on one side of `split`.
    """
    known, day = stage_transitions[stage_transitions.previous != ""], as_date(split, "split")
    early, late = known[known.period <= pd.Timestamp(day)], known[known.period > pd.Timestamp(day)]
    if early.empty or late.empty:
        side = "up to" if early.empty else "after"
        raise InputError(f"split = {day}: there are no moves in periods {side} it; choose another day")
    alpha = transition_posterior(early)
    was = customers_by(late, "period", "previous").rename_axis(columns="stage")
    columns = {"expected": was @ alpha.div(alpha.sum(axis=1), axis=0), "no_change": was}
    columns["actual"] = customers_by(late, "period")
    return pd.DataFrame({name: part.stack() for name, part in columns.items()})


@needs_fit
def stage_forecast_errors(stage_forecast: pd.DataFrame) -> pd.DataFrame:
    """How many customers were predicted in a wrong stage, on balance, in each period.

    Parameters
    ----------
    stage_forecast : DataFrame
        Customers by period and stage, as from `stage_forecast`.

    Returns
    -------
    DataFrame
        By period:

        - customers: count
        - expected, no_change: share of them predicted in a wrong stage by the moves so far, and if nobody moves
        - difference: the former less the latter; below 0 the moves predict better
    """
    predicted = stage_forecast[["expected", "no_change"]]
    wrong = predicted.sub(stage_forecast.actual, axis=0).abs().groupby("period").sum() / 2
    customers = stage_forecast.actual.groupby("period").sum()
    errors = wrong.div(customers, axis=0)
    errors.insert(0, "customers", customers.astype(int))
    return errors.assign(difference=errors.expected - errors.no_change)


@needs_fit
def satisfaction_by_stage(stage: pd.Series, satisfaction: pd.Series) -> pd.DataFrame:
    """How satisfied customers of each stage are.

    Parameters
    ----------
    stage : Series
        Stage by customer_id, as from `latest_stages`.
    satisfaction : Series
        Satisfaction by customer_id, as from `satisfaction_answers`; those without a stage are left out.

    Returns
    -------
    DataFrame
        By stage:

        - customers: who answered, count
        - mean, ci_low, ci_high: in points of the answers, with its 95 % confidence interval (Student)
        - reason: why there is no interval
    """
    samples = {name: Sample.of(values) for name, values in answers_by_stage(stage, satisfaction).items()}
    rows = {name: {"customers": one.n, "mean": one.mean, **_interval(one)} for name, one in samples.items()}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("stage")


def _interval(sample):
    """Student's interval of a mean, or why there is none."""
    if reason := f"fewer than {FEW} answers" if sample.n < FEW else sample.blank():
        return {"ci_low": np.nan, "ci_high": np.nan, "reason": reason}
    found = one_sample(sample)
    return {"ci_low": found["ci_low"], "ci_high": found["ci_high"], "reason": ""}


def answers_by_stage(stage, satisfaction):
    """The answers of customers of each stage: arrays by stage."""
    both = pd.DataFrame({"stage": stage}).join(satisfaction.rename("answer"), how="inner").dropna()
    return {name: both.answer[both.stage == name].to_numpy(float) for name in STAGES}
