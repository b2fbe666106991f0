"""Mean chances of being active: model-based, and for customers without a contract only."""

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.lifecycle.models import alive

CHANCE = pd.Series([1.0, 0.5, 0.2, 0.4], name="p_alive")
COHORT = pd.Series(["b", "a", "a", "b"], name="cohort")
CUSTOMERS = pd.Series([1, 3, 1, 3])
FREE = {"setting": "noncontractual"}


def test_a_curve_is_the_mean_over_customers_and_says_that_a_model_made_it():
    found = alive.p_alive_curve(CHANCE, COHORT, CUSTOMERS, **FREE)
    assert found.index.name == "cohort"
    assert found.p_alive.to_dict() == {"a": pytest.approx(1.7 / 4), "b": pytest.approx(2.2 / 4)}
    assert found.customers.to_dict() == {"a": 4, "b": 4}
    assert set(found.source) == {"model-based"}
    assert found[["ci_low", "ci_high"]].isna().all(axis=None)
    assert alive.p_alive_curve(CHANCE, COHORT, **FREE).p_alive.to_dict() == {
        "a": pytest.approx(0.35),
        "b": pytest.approx(0.7),
    }


def test_draws_of_the_model_give_the_interval_of_the_mean():
    p_alive_draws = pd.DataFrame({i: (CHANCE + shift).clip(0, 1) for i, shift in enumerate(np.linspace(-0.1, 0, 101))})
    found = alive.p_alive_curve(CHANCE, COHORT, CUSTOMERS, p_alive_draws=p_alive_draws, **FREE)
    assert found.ci_low["a"] == pytest.approx(1.7 / 4 - 0.099)
    assert found.ci_high["a"] == pytest.approx(1.7 / 4 - 0.001)


def test_customers_with_a_contract_are_refused_with_the_curve_to_use():
    with pytest.raises(InputError, match="where customers have contracts it is seen: use the survival curve"):
        alive.p_alive_curve(CHANCE, COHORT, CUSTOMERS, setting="contractual")


@pytest.mark.parametrize("wrong", [1.2, -0.1, np.nan])
def test_what_is_no_chance_is_refused(wrong):
    with pytest.raises(InputError, match="p_alive: 1 of 4 are no chances from 0 to 1"):
        alive.p_alive_curve(CHANCE.where(CHANCE != 0.2, wrong), COHORT, **FREE)


def test_nobody_is_refused():
    with pytest.raises(InputError, match="0 of 0"):
        alive.p_alive_curve(CHANCE[:0], COHORT[:0], **FREE)


@pytest.mark.parametrize(
    ("every", "expected"),
    [("week", "2024-01-29"), ("month", "2024-02-01"), ("quarter", "2024-01-01"), ("year", "2024-01-01")],
)
def test_a_cohort_is_the_calendar_period_of_the_first_order(every, expected):
    # 2024-03-03 less 29 days is 2024-02-03, a Saturday
    found = alive.acquisition_cohorts(pd.Series([29, 0]), "2024-03-03", every)
    assert found[0] == pd.Timestamp(expected)
    assert found.name == "cohort"


def test_a_period_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="choose one of"):
        alive.acquisition_cohorts(pd.Series([29]), "2024-03-03", "day")


def test_arguments_are_left_as_they_are():
    kept = CHANCE.copy(), COHORT.copy(), CUSTOMERS.copy()
    alive.p_alive_curve(CHANCE, COHORT, CUSTOMERS, **FREE)
    for before, after in zip(kept, (CHANCE, COHORT, CUSTOMERS), strict=True):
        pd.testing.assert_series_equal(before, after)
