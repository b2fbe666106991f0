"""Mean probabilities of being active: model-based, and for customers without a contract only."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from crmlab import lifecycle
from crmlab.contracts import InputError
from crmlab.model import Model, Unfitted

PROBABILITY = pd.Series([1.0, 0.5, 0.2, 0.4], name="p_alive")
COHORT = pd.Series(["b", "a", "a", "b"], name="cohort")
CUSTOMERS = pd.Series([1, 3, 1, 3])
FREE = {"setting": "noncontractual"}


def test_a_curve_is_the_mean_over_customers_and_says_that_a_model_made_it():
    found = lifecycle.p_alive_curve(PROBABILITY, COHORT, CUSTOMERS, **FREE)
    assert found.index.name == "cohort"
    assert found.p_alive.to_dict() == {"a": pytest.approx(1.7 / 4), "b": pytest.approx(2.2 / 4)}
    assert found.customers.to_dict() == {"a": 4, "b": 4}
    assert set(found.source) == {"model-based"}
    assert found[["ci_low", "ci_high"]].isna().all(axis=None)
    assert lifecycle.p_alive_curve(PROBABILITY, COHORT, **FREE).p_alive.to_dict() == {
        "a": pytest.approx(0.35),
        "b": pytest.approx(0.7),
    }


def test_draws_of_the_model_give_the_interval_of_the_mean():
    p_alive_draws = pd.DataFrame(
        {i: (PROBABILITY + shift).clip(0, 1) for i, shift in enumerate(np.linspace(-0.1, 0, 101))}
    )
    found = lifecycle.p_alive_curve(PROBABILITY, COHORT, CUSTOMERS, p_alive_draws=p_alive_draws, **FREE)
    assert found.ci_low["a"] == pytest.approx(1.7 / 4 - 0.099)
    assert found.ci_high["a"] == pytest.approx(1.7 / 4 - 0.001)


def test_customers_with_a_contract_are_refused_with_the_curve_to_use():
    with pytest.raises(InputError, match="where customers have contracts they are: use the survival curve"):
        lifecycle.p_alive_curve(PROBABILITY, COHORT, CUSTOMERS, setting="contractual")


@pytest.mark.parametrize("wrong", [1.2, -0.1, np.nan])
def test_what_is_no_probability_is_refused(wrong):
    with pytest.raises(InputError, match="p_alive: 1 of 4 are no probabilities from 0 to 1"):
        lifecycle.p_alive_curve(PROBABILITY.where(PROBABILITY != 0.2, wrong), COHORT, **FREE)


def test_nobody_is_refused():
    with pytest.raises(InputError, match="0 of 0"):
        lifecycle.p_alive_curve(PROBABILITY[:0], COHORT[:0], **FREE)


@pytest.mark.parametrize(
    ("every", "expected"),
    [("week", "2024-01-29"), ("month", "2024-02-01"), ("quarter", "2024-01-01"), ("year", "2024-01-01")],
)
def test_a_cohort_is_the_calendar_period_of_the_first_order(every, expected):
    # 2024-03-03 less 29 days is 2024-02-03, a Saturday
    found = lifecycle.acquisition_cohorts(pd.Series([29, 0]), "2024-03-03", every)
    assert found[0] == pd.Timestamp(expected)
    assert found.name == "cohort"


def test_a_period_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="choose one of"):
        lifecycle.acquisition_cohorts(pd.Series([29]), "2024-03-03", "day")


def test_arguments_are_left_as_they_are():
    kept = PROBABILITY.copy(), COHORT.copy(), CUSTOMERS.copy()
    lifecycle.p_alive_curve(PROBABILITY, COHORT, CUSTOMERS, **FREE)
    for before, after in zip(kept, (PROBABILITY, COHORT, CUSTOMERS), strict=True):
        pd.testing.assert_series_equal(before, after)


@dataclass(frozen=True)
class Level(Model):
    """Everybody is active with one probability; its draws lie evenly about it."""

    p: float

    def p_alive(self, customers):
        return pd.Series(self.p, customers.index, name="p_alive")

    @property
    def draws(self):
        return (Level(p) for p in np.linspace(self.p - 0.1, self.p + 0.1, 201))


def test_a_model_gives_its_probabilities_by_cohort_with_all_its_draws():
    customers = pd.DataFrame({"age": [29, 0, 0], "customers": [2, 3, 5]})
    found = lifecycle.p_alive_by_cohort(Level(0.5), customers, "2024-03-03", "month")
    assert found.customers.to_dict() == {pd.Timestamp("2024-02-01"): 2, pd.Timestamp("2024-03-01"): 8}
    assert found.p_alive.tolist() == [0.5, 0.5]
    assert found.ci_low.tolist() == pytest.approx([0.404, 0.404])  # the 5th of 201 draws
    narrower = lifecycle.p_alive_by_cohort(Level(0.5), customers, "2024-03-03", level=0.5)
    assert (narrower.ci_low > found.ci_low).all()


def test_without_a_model_the_curve_is_blank_with_the_reason():
    none = Unfitted(Level, "there are no repeat buyers")
    found = lifecycle.p_alive_by_cohort(none, pd.DataFrame({"age": [1], "customers": [2]}), "2024-03-03")
    assert found.empty
    assert found.attrs["reason"] == "there are no repeat buyers"
    blank = pd.Series(dtype=float)
    blank.attrs["reason"] = "no model"
    assert lifecycle.p_alive_curve(blank, COHORT, **FREE).attrs["reason"] == "no model"


def test_what_is_no_model_is_refused():
    with pytest.raises(InputError, match="DataFrame gives no probability of being active"):
        lifecycle.p_alive_by_cohort(pd.DataFrame(), pd.DataFrame({"age": [1]}), "2024-03-03")
