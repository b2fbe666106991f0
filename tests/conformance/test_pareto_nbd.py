"""Pareto/NBD on CDNOW: what papers print, and what other programs find.

Time there is in weeks. The second route is lifetimes, mpmath or scipy.
"""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import catalog, clv, holdout
from crmlab.clv.models.pareto_nbd import ParetoNBD

SPLIT, UNTIL, HOLDOUT = "1997-09-30", "1998-06-30", 273
SHIPPED = Path(importlib.util.find_spec("lifetimes").origin).parent / "datasets"
WEEKS = np.array([1, 7, 1, 7])  # days a unit of each parameter
PRINTED = ParetoNBD(*np.array([0.55315, 10.57633, 0.60625, 11.67150]) * WEEKS)  # REFERENCE row Pareto/NBD
C1516 = pd.DataFrame({"frequency": [26], "recency": [216], "age": [217]})


@pytest.fixture(scope="module")
def sample():
    """The calibration and holdout of the 1/10 sample, and the model fitted to the first."""
    log = catalog.orders("cdnow_sample")
    customers = clv.collapse(clv.with_holdout(clv.summarise(log, SPLIT), log, SPLIT, UNTIL), "orders")
    model = ParetoNBD.fit(customers)
    return SimpleNamespace(
        log=log, customers=customers, model=model, expected=model.expected_orders(customers, HOLDOUT)
    )


@pytest.fixture(scope="module")
def lifetimes_model():
    """lifetimes' model with the parameters of REFERENCE, in days."""
    from lifetimes import ParetoNBDFitter

    model = ParetoNBDFitter()
    model.params_ = pd.Series({name: getattr(PRINTED, name) for name in ("r", "alpha", "s", "beta")})
    return model


def in_weeks(frame):
    return frame.assign(recency=frame.recency / 7, age=frame.age / 7)


def numbers(model):
    return np.array([model.r, model.alpha, model.s, model.beta])


def test_the_fit_finds_the_numbers_of_the_paper(sample):
    # Fader, Hardie & Lee (2005) [P], as the tests of CLVTools quote it
    assert list(numbers(sample.model) / WEEKS) == pytest.approx([0.553, 10.578, 0.606, 11.669], abs=5e-4)


def test_the_fit_finds_the_reference_numbers_and_a_little_more(sample):
    # REFERENCE row Pareto/NBD [R] is CLVTools', whose optimiser stopped 5e-6 of log-likelihood short: 3e-4 of beta
    assert list(numbers(sample.model)) == pytest.approx(list(numbers(PRINTED)), rel=3e-4)
    found = sample.model.parameters.standard_error / WEEKS
    assert list(found) == pytest.approx([0.0476264, 0.8427222, 0.1872594, 6.2105448], rel=2e-4)
    more = sample.model.log_likelihood(sample.customers) - PRINTED.log_likelihood(sample.customers)
    assert 0 < more < 1e-5


def test_the_log_likelihood_is_native_and_shifts_with_the_unit_of_time(sample):
    # REFERENCE [R]: -9594.976 in weeks; days less by 2457 ln 7
    in_days = sample.model.log_likelihood(sample.customers)
    weekly = ParetoNBD(*numbers(sample.model) / WEEKS)
    assert weekly.log_likelihood(in_weeks(sample.customers)) == pytest.approx(-9594.976, abs=5e-4)
    assert in_days == pytest.approx(-9594.976 - 2457 * np.log(7), abs=5e-4)


def test_a_fit_in_weeks_is_the_fit_in_days(sample):
    weekly = ParetoNBD.fit(in_weeks(sample.customers))
    assert list(numbers(weekly) * WEEKS) == pytest.approx(list(numbers(sample.model)), rel=1e-7)
    by_week, by_day = (model.parameters.standard_error for model in (weekly, sample.model))
    assert list(by_week * WEEKS) == pytest.approx(list(by_day), rel=1e-7)


def test_the_shipped_summary_is_rounded_and_costs_two_thousandths(sample):
    # REFERENCE: |difference of log-likelihoods| about .004, for BG/NBD
    rounded = pd.read_csv(SHIPPED / "cdnow_customers_summary.csv").rename(columns={"T": "age"})
    difference = ParetoNBD.fit(rounded).log_likelihood(rounded) - -9594.976
    assert abs(difference) == pytest.approx(0.002, abs=0.001)


def test_customer_1516_is_expected_as_other_programs_do():
    # REFERENCE [R], to 5e-5 of each: the printing program's parameters are not given beyond 7 digits
    assert PRINTED.expected_orders(C1516, 52 * 7)[0] == pytest.approx(25.45647, rel=5e-5)
    assert PRINTED.p_alive(C1516)[0] == pytest.approx(0.997874, abs=1e-6)
    assert float(PRINTED.expected_orders_new(52 * 7)) == pytest.approx(1.473434, rel=5e-5)


def test_a_new_customer_is_expected_to_place_the_reference_orders(sample):
    # REFERENCE [R], to the last digit given
    assert float(sample.model.expected_orders_new(52 * 7)) == pytest.approx(1.473434, abs=1e-6)


def test_every_customer_is_what_lifetimes_says_of_the_same_parameters(sample, lifetimes_model):
    c, model = sample.customers, lifetimes_model
    seen = c.frequency, c.recency, c.age
    alive, later = model.conditional_probability_alive(*seen), model.conditional_expected_number_of_purchases_up_to_time
    np.testing.assert_allclose(PRINTED.p_alive(c), alive, rtol=1e-9)
    np.testing.assert_allclose(PRINTED.expected_orders(c, HOLDOUT), later(HOLDOUT, *seen), rtol=1e-9)
    each = model._conditional_log_likelihood(numbers(PRINTED), *seen)
    assert PRINTED.log_likelihood(c) == pytest.approx(each @ c.customers, abs=1e-6)
    few = C1516.loc[[0, 0]].reset_index(drop=True).assign(frequency=[2, 26], recency=[150, 216])
    for n in (1, 3, 20):
        theirs = model.conditional_probability_of_n_purchases_up_to_time(n, 90, few.frequency, few.recency, few.age)
        np.testing.assert_allclose(PRINTED.probability_of_orders(few, 90, n), theirs, rtol=1e-6)


def test_lifetimes_finds_the_same_maximum(sample):
    # by Nelder and Mead's search, which stops within 1e-3 of a parameter
    from lifetimes import ParetoNBDFitter

    c = sample.customers
    theirs = ParetoNBDFitter().fit(c.frequency, c.recency, c.age, weights=c.customers)
    found = ParetoNBD(*(theirs.params_[name] for name in ("r", "alpha", "s", "beta")))
    assert list(numbers(found)) == pytest.approx(list(numbers(sample.model)), rel=1e-3)
    assert 0 <= sample.model.log_likelihood(c) - found.log_likelihood(c) < 1e-4


def test_discounted_orders_are_the_reference_ones():
    # REFERENCE [C], confirmed by the closed form in mpmath with Tricomi's U: Fader, Hardie & Lee (2005), "RFM and CLV"
    r, alpha, s, beta, x, t_x, T, delta = (
        mpmath.mpf(v) for v in ("0.5629966", "12.5590370", "0.4081095", "10.5148048", "7", "35", "77.86", "0.0027")
    )
    with mpmath.workdps(40):
        gone = mpmath.quad(lambda u: s * (alpha + u) ** -(r + x) * (beta + u) ** -(s + 1), [t_x, 50, T])
        alive = 1 / (1 + gone * (alpha + T) ** (r + x) * (beta + T) ** s)
        closed = alive * (r + x) * (beta + T) / (alpha + T) * mpmath.hyperu(1, 2 - s, delta * (beta + T))
    assert float(closed) == pytest.approx(1.864183, abs=5e-7)
    customer = pd.DataFrame({"frequency": [7], "recency": [35 * 7], "age": [77.86 * 7]})
    model = ParetoNBD(float(r), float(alpha) * 7, float(s), float(beta) * 7)
    annual = np.expm1(0.0027 / 7 * 365)
    assert annual == pytest.approx(0.151178, abs=5e-7)
    assert model.discounted_orders(customer, annual)[0] == pytest.approx(float(closed), rel=1e-12)


def test_calibration_finds_the_published_orders_by_frequency(sample):
    # Fader, Hardie & Lee (2005) [P]; expected ones to a unit of the last digit, as for BG/NBD
    by = sample.customers.frequency.clip(upper=7)
    table = clv.calibration(sample.expected, sample.customers.orders, by, sample.customers.customers)
    assert list(table.customers) == [1411, 439, 214, 100, 62, 38, 29, 64]
    assert list(table.actual) == pytest.approx([0.237, 0.697, 1.393, 1.560, 2.532, 2.947, 3.862, 6.359], abs=5e-4)
    assert list(table.expected) == pytest.approx([0.138, 0.600, 1.196, 1.714, 2.399, 2.907, 3.819, 6.403], abs=1e-3)


def test_holdout_errors_are_those_of_a_second_implementation(sample, lifetimes_model):
    # REFERENCE [C]: bias, MAE, RMSE, r, Spearman; confirmed by lifetimes, numpy and scipy at the printed parameters
    c = sample.customers
    measures = holdout.bias, holdout.mae, holdout.rmse, holdout.correlation, holdout.spearman
    found = [measure(sample.expected, c.orders, c.customers) for measure in measures]
    assert found == pytest.approx([-0.115, 0.7545, 1.6028, 0.6302, 0.4597], abs=5e-4)
    assert found[1:] == pytest.approx([0.7545, 1.6028, 0.6302, 0.4597], abs=6e-5)
    later = lifetimes_model.conditional_expected_number_of_purchases_up_to_time
    expected = np.repeat(later(HOLDOUT, c.frequency, c.recency, c.age), c.customers)
    actual = np.repeat(c.orders, c.customers)
    difference = expected - actual
    direct = [
        expected.sum() / actual.sum() - 1,
        np.abs(difference).mean(),
        np.sqrt((difference**2).mean()),
        stats.pearsonr(expected, actual).statistic,
        stats.spearmanr(expected, actual).statistic,
    ]
    assert found == pytest.approx(direct, rel=2e-4)
