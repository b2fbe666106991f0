"""MBG/NBD and NBD on CDNOW: REFERENCE's rows, and a second route by scipy and lifetimes at one row a customer."""

import numpy as np
import pytest
from scipy import optimize
from scipy.stats import nbinom

from crmlab import catalog, clv, holdout

SPLIT, UNTIL, HOLDOUT = "1997-09-30", "1998-06-30", 273


@pytest.fixture(scope="module")
def customers():
    log = catalog.orders("cdnow_sample")
    return clv.collapse(clv.with_holdout(clv.summarise(log, SPLIT), log, SPLIT, UNTIL), "orders")


@pytest.fixture(scope="module")
def each(customers):
    return customers.loc[customers.index.repeat(customers.customers)].drop(columns="customers")


def test_mbgnbd_finds_the_published_numbers(customers):
    # REFERENCE row MBG/NBD [R], alpha and log-likelihood in weeks
    model = clv.MBGNBD.fit(customers)
    assert [model.r, model.alpha / 7, model.a, model.b] == pytest.approx([0.525, 6.183, 0.891, 1.614], abs=5e-4)
    assert model.log_likelihood(customers) == pytest.approx(-9582.136 - 2457 * np.log(7), abs=1e-3)


def test_mbgnbd_agrees_with_lifetimes(customers, each):
    from lifetimes import ModifiedBetaGeoFitter

    theirs = ModifiedBetaGeoFitter().fit(each.frequency, each.recency, each.age)
    ours = clv.MBGNBD(*theirs.params_)
    alive = theirs.conditional_probability_alive(each.frequency, each.recency, each.age)
    assert ours.p_alive(each).to_numpy() == pytest.approx(np.asarray(alive), rel=1e-9)
    later = theirs.conditional_expected_number_of_purchases_up_to_time(HOLDOUT, each.frequency, each.recency, each.age)
    assert ours.expected_orders(each, HOLDOUT).to_numpy() == pytest.approx(np.asarray(later), rel=1e-6)


def test_nbd_finds_the_numbers_of_a_second_implementation(customers, each):
    # REFERENCE row NBD [C]; confirmed by scipy's search over its own negative binomial
    model = clv.NBD.fit(customers)
    assert [model.r, model.alpha / 7] == pytest.approx([0.384766, 12.072022], rel=1e-5)
    assert model.log_likelihood(customers) == pytest.approx(-9763.6576 - 2457 * np.log(7), abs=1e-3)
    x, T = each.frequency.to_numpy(), each.age.to_numpy() / 7

    def minus(logs):
        r, alpha = np.exp(logs)
        return -nbinom.logpmf(x, r, alpha / (alpha + T)).sum()

    found = np.exp(optimize.minimize(minus, [0.0, 2.0], method="Nelder-Mead", options={"xatol": 1e-9}).x)
    assert [model.r, model.alpha / 7] == pytest.approx(list(found), rel=1e-5)


@pytest.mark.parametrize(
    ("family", "published"),
    [  # REFERENCE [C]: bias, MAE, RMSE, r, Spearman
        (clv.MBGNBD, [-0.162, 0.7648, 1.6072, 0.6273, 0.4500]),
        (clv.NBD, [0.557, 1.0410, 1.8595, 0.5834, 0.4539]),
    ],
)
def test_holdout_errors_are_those_of_a_second_implementation(customers, family, published):
    expected = family.fit(customers).expected_orders(customers, HOLDOUT)
    measures = holdout.bias, holdout.mae, holdout.rmse, holdout.correlation, holdout.spearman
    found = [measure(expected, customers.orders, customers.customers) for measure in measures]
    assert found == pytest.approx(published, abs=5.1e-4)
    assert found[1:] == pytest.approx(published[1:], abs=5.1e-5)


def test_a_new_bgnbd_customer_orders_nothing_as_often_as_published():
    # Fader, Hardie & Lee 2005 [P]: P(X(39) = 0), parameters in weeks
    probability = clv.BGNBD(0.243, 4.414, 0.793, 2.426).probability_of_orders_new(39, 0)
    assert probability == pytest.approx(0.5737864, abs=5e-7)
