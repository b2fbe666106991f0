"""Fitting Pareto/NBD in simulated worlds, and drawing from it."""

import numpy as np
import pytest
from scipy import stats

from crmlab.clv.models.pareto_nbd import ParetoNBD

from ..rates import PARETO as TRUE
from ..rates import collapsed, pareto_held
from ..rates import pareto_world as simulated
from ..worlds import customers, spread


@pytest.fixture(scope="module")
def world():
    return collapsed(simulated())


@pytest.fixture(scope="module")
def fitted(world):
    return ParetoNBD.fit(world, replicates=0)


def assert_same_fit(one, other):
    """At the same maximum, with the same curvature: all that an interval is made of."""
    assert [getattr(one, p) for p in TRUE] == pytest.approx([getattr(other, p) for p in TRUE], rel=1e-6)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-6)


def test_fitting_finds_the_parameters_a_world_was_simulated_from():
    large = collapsed(simulated(customers=40_000, seed=2))
    model = ParetoNBD.fit(large, replicates=64)
    short = model.log_likelihood(large) - ParetoNBD(**TRUE).log_likelihood(large)
    assert 0 < 2 * short < stats.chi2.ppf(0.999, df=4)
    found = model.parameters
    assert list(found.value) == pytest.approx(list(TRUE.values()), rel=0.25)
    assert (found.ci_high / found.ci_low < 2).all()


def test_intervals_of_some_worlds_hold_the_truth():
    assert pareto_held(2, replicates=64) >= 7 / 8  # of 8, the bench counts over more


@pytest.mark.parametrize("start", [(20, 20, 0.02, 0.5), (0.02, 5000, 20, 5000), (5, 1, 5, 9000)])
def test_a_fit_ends_where_it_does_from_anywhere(world, fitted, start):
    again = ParetoNBD.fit(world, starts=[start], replicates=0)
    assert_same_fit(again, fitted)


def test_a_row_for_many_customers_is_as_good_as_a_row_for_each(world, fitted):
    each = spread(world)
    alone = ParetoNBD.fit(each, replicates=0)
    assert_same_fit(alone, fitted)
    np.testing.assert_allclose(fitted.p_alive(each), fitted.p_alive(world).repeat(world.customers), rtol=1e-12)


@pytest.mark.filterwarnings("error")
def test_a_search_that_strays_finds_nothing_there(world):
    at = ParetoNBD._likelihood(*world.to_numpy(float).T)
    for theta in ([np.inf, 1, 1, 1], [1, 0, 1, 1], [1, 1, np.nan, 1], [1, 1, 1e200, 1e200]):
        assert all(np.isnan(part).all() for part in at(np.array(theta)))
    for theta in ([1e-49, 1e49, 1e-49, 1e49], [1e49, 1e-49, 1, 1e-49]):
        assert np.isfinite(at(np.array(theta))[0])


def test_a_world_too_poor_to_fit_is_refused():
    found = ParetoNBD.fit(customers(*[(5, 100, 100)] * 50))
    assert not found
    assert found.reason.startswith("Pareto/NBD has no maximum on these 50 customers")


@pytest.mark.parametrize("row", [(0, 0, 0), (3, 350, 400)])
def test_drawn_orders_follow_the_probabilities(row):
    # chi-square of 60,000 customers, at 1 in 1,000
    model, customer, many = ParetoNBD(**TRUE), customers(row), 60_000
    drawn = model.simulate_orders(customer.assign(customers=many), 365, np.random.default_rng(3))
    seen = np.bincount(np.minimum(np.bincount(drawn.customer, minlength=many), 10))
    probabilities = [model.probability_of_orders(customer, 365, n)[0] for n in range(10)]
    assert stats.chisquare(seen, many * np.array([*probabilities, 1 - sum(probabilities)])).pvalue > 1e-3
    early, all_of_it = (float(model.expected_orders(customer, days)[0]) for days in (100, 365))
    assert (drawn.day < 100).mean() == pytest.approx(early / all_of_it, abs=0.01)
    assert drawn.day.between(0, 365).all()


def test_a_draw_from_the_wildest_rates_ends():
    wild = ParetoNBD(1e-3, 1e-9, 1e-3, 1e-9)
    drawn = wild.simulate_orders(customers((3, 9, 9)), 1e12, np.random.default_rng(1))
    assert len(drawn) <= 1_010_000


def test_the_value_alone_is_that_beside_the_derivatives():
    rng = np.random.default_rng(3)
    seen = simulated(300, 1)
    columns = [seen[name].to_numpy(float) for name in ("frequency", "recency", "age")]
    likelihood_of = ParetoNBD._likelihood(*columns, np.ones(300, int))
    for theta in 10 ** rng.uniform([-1, 0, -1, 0], [1, 3, 1, 3], (20, 4)):
        assert likelihood_of.value(theta) == pytest.approx(likelihood_of(theta)[0], rel=1e-12)
