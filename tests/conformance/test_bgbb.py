"""BG/BB on the donations of 11,104 people: what the paper prints, and what other programs find.

The source is Fader, Hardie & Shang (2010), and REFERENCE's row of donations; time is in years, one opportunity each.
"""

import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import roots_jacobi

from crmlab.clv.models.bgbb import BGBB

SHIPPED = Path(importlib.util.find_spec("lifetimes").origin).parent / "datasets"
REFERENCE = BGBB(1.203528, 0.749726, 0.656781, 2.783796)


@pytest.fixture(scope="module")
def donors():
    frame = pd.read_csv(SHIPPED / "donations.csv")
    return frame.rename(columns={"periods": "age", "weights": "customers"})


@pytest.fixture(scope="module")
def fitted(donors):
    return BGBB.fit(donors)


@pytest.fixture(scope="module")
def theirs(donors):
    """The model of lifetimes."""
    from lifetimes import BetaGeoBetaBinomFitter

    d = donors
    return BetaGeoBetaBinomFitter().fit(d.frequency, d.recency, d.age, d.customers)


def row(donors, x, t_x):
    return donors[(donors.frequency == x) & (donors.recency == t_x)]


def test_bgbb_finds_the_published_log_likelihood(donors, fitted):
    # [R] -33225.58
    assert donors.customers.sum() == 11_104
    assert fitted.log_likelihood(donors) == pytest.approx(-33225.58, abs=0.005)
    assert REFERENCE.log_likelihood(donors) == pytest.approx(-33225.58, abs=0.005)


def test_bgbb_finds_the_published_parameters(donors, fitted):
    # [R], to 1.3e-4, where the search behind them stopped: ours is the maximum that lifetimes finds too, below
    found = [fitted.alpha, fitted.beta, fitted.gamma, fitted.delta]
    assert found == pytest.approx([1.203528, 0.749726, 0.656781, 2.783796], rel=2e-4)
    assert 0 < fitted.log_likelihood(donors) - REFERENCE.log_likelihood(donors) < 1e-5


def test_bgbb_expects_the_published_donations_of_ten_years(donors):
    # [R] E[X(10)] 3.179805; CET(10) of (0, 0) .1302169, of (4, 5) 3.627858: all from the parameters above, rounded
    assert REFERENCE.expected_orders_new(10) == pytest.approx(3.179805, abs=5e-7)
    assert REFERENCE.expected_orders(row(donors, 0, 0), 10).iloc[0] == pytest.approx(0.1302169, abs=1e-7)
    assert REFERENCE.expected_orders(row(donors, 4, 5), 10).iloc[0] == pytest.approx(3.627858, abs=5e-7)


def test_bgbb_expects_the_published_donations_of_the_next_five_years(donors, fitted):
    # [R] 12,884.2, at the maximum, where 13,260 came
    assert (fitted.expected_orders(donors, 5) * donors.customers).sum() == pytest.approx(12_884.2, abs=0.05)


def test_bgbb_agrees_with_lifetimes(donors, fitted, theirs):
    # lifetimes stops where its optimiser does, 1e-6 of a parameter; its likelihood is a mean
    ours = fitted.parameters
    assert list(ours.value) == pytest.approx(list(theirs.params_), rel=1e-6)
    assert list(ours.standard_error) == pytest.approx(list(theirs.summary["se(coef)"]), rel=1e-4)
    same = BGBB(*theirs.params_)
    native = -theirs._negative_log_likelihood_ * donors.customers.sum()
    assert same.log_likelihood(donors) == pytest.approx(native, abs=1e-6)
    d = donors
    alive = theirs.conditional_probability_alive(0, d.frequency, d.recency, d.age)
    ahead = theirs.conditional_expected_number_of_purchases_up_to_time(5, d.frequency, d.recency, d.age)
    assert list(same.p_alive(d)) == pytest.approx(list(alive), rel=1e-9)
    assert list(same.expected_orders(d, 5)) == pytest.approx(list(ahead), rel=1e-9)
    counts = theirs.expected_number_of_transactions_in_first_n_periods(6).model / donors.customers.sum()
    assert [same.probability_of_orders_new(6, n) for n in range(7)] == pytest.approx(list(counts), rel=1e-9)


def beta_nodes(a, b, count=6):
    """Nodes and weights of an expectation over Beta(a, b), exact for polynomials to degree 2 x count - 1."""
    node, weight = roots_jacobi(count, b - 1, a - 1)
    return (1 + node) / 2, weight / weight.sum()


def forward(sequence, p, leaving):
    """The probability of a sequence in a hidden Markov model of two states, alive and gone."""
    alive, gone = 1.0, 0.0
    for order in sequence:
        alive, gone = alive * (1 - leaving) * (p if order else 1 - p), (gone + alive * leaving) * (not order)
    return alive + gone


def test_bgbb_is_a_hidden_markov_model_whose_probabilities_vary():
    # [R] all 64 sequences of length 6; a polynomial of degree 6 in either of them, so quadrature of 6 nodes is exact
    (p, of_p), (leaving, of_leaving) = beta_nodes(1.203528, 0.749726), beta_nodes(0.656781, 2.783796)
    total = 0
    for sequence in itertools.product((0, 1), repeat=6):
        when = np.flatnonzero(sequence) + 1
        seen = pd.DataFrame({"frequency": [when.size], "recency": [when.max(initial=0)], "age": [6]})
        probability = of_p @ forward(sequence, p[:, None], leaving) @ of_leaving
        assert np.exp(REFERENCE.log_likelihood(seen)) == pytest.approx(probability, rel=1e-12)
        total += probability
    assert total == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(("p", "leaving"), [(0.6, 0.2), (0.05, 0.01), (0.9, 0.7)])
def test_bgbb_of_customers_all_alike_is_a_hidden_markov_model(p, leaving):
    # [R] fixed probabilities are the limit of Beta distributions about them; they differ by about 1e-7
    alike = BGBB(p * 1e9, (1 - p) * 1e9, leaving * 1e9, (1 - leaving) * 1e9)
    for sequence in itertools.product((0, 1), repeat=6):
        when = np.flatnonzero(sequence) + 1
        seen = pd.DataFrame({"frequency": [when.size], "recency": [when.max(initial=0)], "age": [6]})
        assert np.exp(alike.log_likelihood(seen)) == pytest.approx(forward(sequence, p, leaving), rel=1e-5)
