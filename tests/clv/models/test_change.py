"""Whether customers have changed since the split: Wald's test by hand, its covariance, and what it claims of none."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import catalog, clv
from crmlab.clv import checks
from crmlab.simulate.orders import simulate_orders

from .test_choice import log_of, period

SAMPLE = catalog.orders("cdnow_sample")
PERIOD = SAMPLE.period()


def fitted(alpha, variance):
    return clv.NBD(1.0, alpha).with_covariance(np.diag([variance, variance]), 2)


def test_wald_by_hand():
    # log alpha moves by log 2, with variance .05 - .01
    found = clv.parameter_change(fitted(10.0, 0.05), fitted(20.0, 0.01), SAMPLE, PERIOD).iloc[0]
    assert found.statistic == pytest.approx(np.log(2) ** 2 / 0.04)
    assert (found.df, found.method) == (2, "difference of covariances")
    assert found.p == pytest.approx(np.exp(-found.statistic / 2))  # chi-squared of two degrees of freedom


def test_a_difference_that_is_not_positive_is_taken_from_draws_of_customers():
    table, asked = log_of(simulate_orders(1.0, 20.0, 1e-9, 1.0, 400, 300, seed=2)), period(150, 299)
    before, now = (clv.NBD.fit(clv.collapse(clv.summarise(table, day))) for day in (asked.split, asked.until))
    unlike = clv.NBD(now.r, now.alpha).with_covariance(10 * before.covariance, 2)
    found = clv.parameter_change(before, unlike, table, asked, replicates=60).iloc[0]
    assert found.method == "60 draws of customers"
    # where the model is true the two ways agree, within what 60 draws leave open
    whole = clv.parameter_change(before, now, table, asked).iloc[0]
    assert whole.method == "difference of covariances"
    assert found.statistic == pytest.approx(whole.statistic, rel=0.5)


def test_claims_of_customers_who_stay_the_same_are_rare_and_of_others_common():
    def p(seed, change):
        orders = simulate_orders(1.0, 20.0, 0.5, 3.0, 300, 300, seed=seed)
        late = orders.day > 150
        kept = ~late | (np.random.default_rng(seed).random(len(orders)) > change)
        table, asked = log_of(orders[kept]), period(150, 299)
        pair = [clv.fit(clv.summarise(table, day), "bg_nbd", 2) for day in (asked.split, asked.until)]
        found = clv.parameter_change(*pair, table, asked, 40)
        return np.nan if found.empty else found.p[0]

    same = np.array([p(seed, 0.0) for seed in range(5)])
    assert np.nansum(same < 0.05) <= stats.binom.ppf(0.999, np.isfinite(same).sum(), 0.05)
    assert np.nanmedian([p(seed, 0.6) for seed in range(2)]) < 0.05


def test_what_cannot_be_compared_is_blank_with_the_reason():
    blank = clv.parameter_change(clv.NBD(1.0, 1.0), clv.BGNBD(1.0, 1.0, 1.0, 1.0), SAMPLE, PERIOD)
    assert blank.attrs["reason"] == "NBD was fitted at the split, and BG/NBD at the end"
    by_hand = clv.parameter_change(clv.NBD(1.0, 1.0), clv.NBD(1.0, 1.0), SAMPLE, PERIOD)
    assert by_hand.attrs["reason"] == "NBD was not fitted, but made of numbers"
    assert checks.parameters_moved(by_hand).outcome == "not applicable"
    alike = log_of(pd.DataFrame({"customer_id": ["a", "a", "b", "b", "c"], "day": [0, 9, 3, 30, 5]}))
    few = clv.parameter_change(fitted(10.0, 0.01), fitted(12.0, 0.05), alike, period(20, 40), 5)
    assert few.attrs["reason"].endswith(" of 5 draws of customers could be fitted, and 20 are needed")


@pytest.mark.parametrize(("p", "outcome"), [(0.049, "yes"), (0.051, "undecided")])
def test_the_claim_is_made_where_the_test_rejects(p, outcome):
    check = checks.parameters_moved(pd.DataFrame({"statistic": [9.5], "df": [4], "p": [p], "method": [""]}))
    assert (check.id, check.kind, check.outcome) == ("clv.parameters_moved", "finding", outcome)


def test_active_customers_are_counted_beside_those_who_ordered_again_and_those_who_will():
    customers = pd.DataFrame({"frequency": [0, 3], "recency": [0, 30], "age": [50, 40], "customers": [10, 5]})
    model = clv.NBD(0.5, 50.0)
    found = clv.activity(model, customers, 100)
    assert (found["customers"].value, found["repeat_buyers"].value) == (15, 5)
    # by NBD nobody orders in 100 days with probability ((alpha + T) / (alpha + T + 100))^(r + x)
    expected = 10 * (1 - (100 / 200) ** 0.5) + 5 * (1 - (90 / 190) ** 3.5)
    assert found["customers_who_order"].value == pytest.approx(expected)
    assert found["customers_who_order"].ci_low is None
    known = clv.NBD.fit(clv.collapse(clv.summarise(SAMPLE, PERIOD.split)), replicates=40)
    who = clv.customers_who_order(known, customers, 100)
    assert who.pi_low < who.ci_low < who.value < who.ci_high < who.pi_high
    blank = clv.activity(clv.BGNBD.fit(clv.new_customers(3)), customers, 100)
    assert all(estimate.reason for estimate in blank.values())
