"""Rules of thumb, by hand."""

import pandas as pd
import pytest

from crmlab.clv.models import baselines

# two cohorts; the last customer came on the last day
KNOWN = pd.DataFrame(
    {
        "frequency": [0, 2, 4, 1, 0],
        "recency": [0, 60, 90, 10, 0],
        "age": [100, 80, 100, 20, 0],
        "monetary_value": [0.0, 10.0, 20.0, 6.0, 0.0],
        "customers": [3, 1, 2, 1, 1],
        "cohort": [202401, 202401, 202401, 202403, 202404],
        "past_spend": [5.0, 28.0, 90.0, 8.0, 7.0],
        "last_orders": [0, 1, 2, 1, 0],
        "last_spend": [0.0, 10.0, 45.0, 8.0, 7.0],
    },
    index=[9, 8, 7, 6, 5],
)
RULES = {
    "past_rate": (baselines.past_rate, [0, 1.0, 1.6, 2.0, 0]),
    "past_orders": (lambda known, days: baselines.past_orders(known), [0, 2, 4, 1, 0]),
    "last_orders": (lambda known, days: baselines.last_orders(known), [0, 1, 2, 1, 0]),
    # 2 + 2 x 4 orders in 3 x 100 + 80 + 2 x 100 days
    "cohort_rate": (baselines.cohort_rate, [40 * 10 / 580, 40 * 10 / 580, 40 * 10 / 580, 2.0, 0]),
    "past_spend_rate": (baselines.past_spend_rate, [2.0, 14.0, 36.0, 16.0, 0]),
    # 20 + 160 + 6 spent on 2 + 8 + 1 orders
    "past_orders_spend": (
        lambda known, days: baselines.past_orders_spend(known),
        [0, 2 * 186 / 11, 4 * 186 / 11, 186 / 11, 0],
    ),
    "last_spend": (lambda known, days: baselines.last_spend(known), [0, 10, 45, 8, 7]),
    "cohort_spend_rate": (baselines.cohort_spend_rate, [40 * 180 / 580, 40 * 180 / 580, 40 * 180 / 580, 12.0, 0]),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_says_what_its_name_says(name):
    rule, expected = RULES[name]
    found = rule(KNOWN, 40)
    assert found.name == name
    assert found.dtype == float
    assert list(found.index) == list(KNOWN.index)
    assert list(found) == pytest.approx(expected)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_the_same_at_one_row_a_customer(name):
    rule, expected = RULES[name]
    each = KNOWN.loc[KNOWN.index.repeat(KNOWN.customers)].drop(columns="customers").reset_index(drop=True)
    assert list(rule(each, 40)) == pytest.approx(list(pd.Series(expected).repeat(KNOWN.customers.to_numpy())))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_leaves_its_frame_alone(name):
    known = KNOWN.copy()
    RULES[name][0](known, 40)
    pd.testing.assert_frame_equal(known, KNOWN)


@pytest.mark.parametrize("name", RULES)
def test_who_did_nothing_is_expected_to_do_nothing(name, recwarn):
    known = KNOWN.assign(frequency=0, recency=0, monetary_value=0.0, past_spend=0.0, last_orders=0, last_spend=0.0)
    assert (RULES[name][0](known, 40) == 0).all()
    assert not recwarn.list
