"""Gamma-Gamma: its likelihood, its fit, and what it expects a customer to spend."""

import re

import ibis
import mpmath
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import clv
from crmlab.contracts import InputError
from crmlab.simulate.orders import simulate_spend

from . import exact

TRUTH = {"p": 6.0, "q": 4.0, "gamma": 15.0}


def spenders(*rows):
    return pd.DataFrame(rows, columns=["frequency", "monetary_value"])


@pytest.fixture(scope="module")
def world():
    """Mean spends of 12,000 repeat buyers of a simulated world."""
    log = pd.DataFrame({"customer_id": np.repeat(np.arange(12_000), 1 + np.arange(12_000) % 9)})
    log["spend"] = simulate_spend(log, **TRUTH, seed=4)
    return log.groupby("customer_id").spend.agg(frequency="size", monetary_value="mean").reset_index(drop=True)


@pytest.fixture(scope="module")
def fitted(world):
    return clv.GammaGamma.fit(world)


def test_the_log_likelihood_is_that_of_the_paper():
    seen = spenders((1, 9.5), (2, 0.01), (7, 73.74), (300, 35.0), (5000, 12.5))
    true = [float(exact.spend_log_likelihood(TRUTH.values(), x, m)) for x, m in seen.to_numpy().tolist()]
    model = clv.GammaGamma(**TRUTH)
    np.testing.assert_allclose([model.log_likelihood(seen[i : i + 1]) for i in range(5)], true, rtol=1e-10)
    assert model.log_likelihood(seen) == pytest.approx(sum(true), rel=1e-10)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9, 1e12, 1e15])
def test_the_log_likelihood_keeps_its_digits_where_spend_hardly_varies(far):
    seen = spenders((1, 9.5), (2, 4.0), (7, 73.74), (60, 35.0))
    theta = TRUTH["p"] * far, TRUTH["q"], TRUTH["gamma"] / far
    true = float(mpmath.fsum(exact.spend_log_likelihood(theta, x, m) for x, m in seen.to_numpy().tolist()))
    assert clv.GammaGamma(*theta).log_likelihood(seen) == pytest.approx(true, rel=1e-8)


@pytest.mark.parametrize("theta", [(6.0, 4.0, 15.0), (0.5, 1.2, 200.0), (40.0, 9.0, 0.3)])
def test_gradient_and_hessian_are_those_of_the_log_likelihood(theta):
    seen, weights = [(1, 9.5), (2, 4.0), (7, 73.74), (60, 35.0)], np.array([3, 2, 1, 4])

    def total(*at):
        rows = zip(weights.tolist(), seen, strict=True)
        return mpmath.fsum(n * exact.spend_log_likelihood(at, *row) for n, row in rows)

    value, gradient, hessian = clv.GammaGamma._likelihood(*np.array(seen).T, weights)(theta)
    true_gradient, true_hessian = exact.derivatives(total, theta)
    assert value == pytest.approx(float(total(*theta)), rel=1e-12)
    np.testing.assert_allclose(gradient, np.array(true_gradient, float), rtol=1e-10)
    np.testing.assert_allclose(hessian, np.array(true_hessian, float), rtol=1e-9)


def test_fitting_finds_the_parameters_a_world_was_simulated_from(world, fitted):
    short = fitted.log_likelihood(world) - clv.GammaGamma(**TRUTH).log_likelihood(world)
    assert 0 < 2 * short < stats.chi2.ppf(0.999, df=3)
    found = fitted.parameters
    assert list(found.value) == pytest.approx(list(TRUTH.values()), rel=0.2)
    assert (found.ci_high / found.ci_low < 1.6).all()


def test_a_fit_is_the_same_every_time(world, fitted):
    again = clv.GammaGamma.fit(world)
    assert again == fitted
    assert (again.covariance == fitted.covariance).all()


def test_a_row_for_many_customers_is_as_good_as_a_row_for_each(world, fitted):
    rounded = world.assign(monetary_value=world.monetary_value.round(0).clip(lower=1))
    alike = rounded.groupby(["frequency", "monetary_value"]).size().rename("customers").reset_index()
    assert len(alike) < len(rounded) / 4
    one, other = clv.GammaGamma.fit(alike), clv.GammaGamma.fit(rounded)
    assert fitted.log_likelihood(alike) == pytest.approx(fitted.log_likelihood(rounded), rel=1e-12)
    assert one.parameters.to_numpy() == pytest.approx(other.parameters.to_numpy(), rel=1e-6)


def test_only_repeat_buyers_who_spent_are_learnt_from(world, fitted):
    others = spenders((0, 0.0), (0, 50.0), (4, 0.0), (1, 0.0))
    assert clv.GammaGamma.eligible(others).to_list() == [False] * 4
    more = pd.concat([others, world], ignore_index=True)
    assert clv.GammaGamma.eligible(more).sum() == len(world)
    assert clv.GammaGamma.fit(more) == fitted
    assert fitted.log_likelihood(more) == fitted.log_likelihood(world)


def test_expected_spend_moves_from_the_mean_of_all_to_the_own_mean():
    model = clv.GammaGamma(**TRUTH)
    found = model.expected_spend(spenders((0, 0.0), (1, 100.0), (10, 100.0), (100_000, 100.0)))
    assert found[0] == pytest.approx(6 * 15 / 3)
    assert found[1] == pytest.approx(6 * (15 + 100) / (6 + 3))  # the posterior mean, in one's head
    assert found[0] < found[1] < found[2] < found[3]
    assert found[3] == pytest.approx(100, rel=1e-3)
    assert found.name == "expected_spend"


def test_who_spent_nothing_is_expected_to_spend_little_but_something():
    assert 0 < clv.GammaGamma(**TRUTH).expected_spend(spenders((3, 0.0)))[0] < 6


def test_expected_spend_is_the_same_on_an_engine():
    frame = spenders((0, 0.0), (1, 100.0), (10, 33.35))
    model = clv.GammaGamma(6.249572271322336, 3.744224667132199, 15.443520962593736)
    table = ibis.memtable(frame)
    there = table.select(spend=model.conditional_expected_spend(table.frequency, table.monetary_value)).execute().spend
    np.testing.assert_allclose(there, model.expected_spend(frame), rtol=1e-15)


@pytest.mark.parametrize("q", [1.0, 0.4])
def test_no_spend_is_expected_where_its_mean_is_not_finite(q):
    with pytest.raises(ValueError, match=f"mean spend is not finite as q = {q:.4g} is at most 1"):
        clv.GammaGamma(6.0, q, 15.0).expected_spend(spenders((1, 10.0)))


def test_a_bootstrap_without_repeat_buyers_who_spent_is_refused_as_a_fit_is():
    nobody = pd.DataFrame({"frequency": [0, 3], "monetary_value": [0.0, 0.0]})
    with pytest.raises(InputError, match="needs repeat buyers who spent; there are 0; try a longer calibration"):
        clv.GammaGamma(6.0, 4.0, 15.0).bootstrap(nobody, 3, seed=1)


@pytest.mark.parametrize("rows", [[], [(0, 0.0), (2, 0.0)], [(2, 10.0), (0, 0.0)]])
def test_without_repeat_buyers_who_spent_there_is_nothing_to_fit(rows):
    found = clv.GammaGamma.fit(spenders(*rows))
    assert re.fullmatch("Gamma-Gamma needs repeat buyers who spent; there are [01]", found.reason)
    assert found.recommendation == "try a longer calibration"


@pytest.mark.parametrize(
    "rows", [[(2, 10.0)] * 50, [(2, 10.0), (2, 12.0)], [(1, 1e-4), (1, 1e13)] * 50, [(2, 1e9), (3, 2e9)] * 50]
)
def test_a_fit_without_a_maximum_is_refused_with_advice(rows):
    found = clv.GammaGamma.fit(spenders(*rows))
    assert not found
    assert found.reason.startswith(f"Gamma-Gamma has no maximum on these {len(rows)} customers: its likelihood does ")
    assert found.recommendation == "try a longer calibration, or more customers"


def test_draws_are_others_than_those_of_orders_by_the_same_seed(world, fitted):
    assert clv.GammaGamma.SEED_STEP == 1
    assert list(clv.GammaGamma.fit(world, seed=0).draws) != list(fitted.draws)
    assert list(clv.GammaGamma.fit(world, seed=1).draws) == list(fitted.draws)


def test_a_bootstrap_reweighs_the_distinct_spends_and_scatters_as_the_standard_errors_say(world):
    some = world[:3000].assign(monetary_value=world.monetary_value[:3000].round(0).clip(lower=1))
    fitted = clv.GammaGamma.fit(some)
    models = list(fitted.bootstrap(some, 100, seed=1))
    logs = np.log([[m.p, m.q, m.gamma] for m in models])
    assert len(models) == 100
    assert logs.std(axis=0) == pytest.approx(np.sqrt(np.diag(fitted.covariance)), rel=0.3)
    assert np.abs(logs.mean(axis=0) - np.log([fitted.p, fitted.q, fitted.gamma])).max() < 0.05
    alike = some.groupby(["frequency", "monetary_value"]).size().rename("customers").reset_index()
    assert next(fitted.bootstrap(alike, 1, seed=1)) == models[0]  # whatever the grain


def test_money_in_another_unit_scales_gamma_alone(world, fitted):
    cents = clv.GammaGamma.fit(world.assign(monetary_value=world.monetary_value * 100))
    assert (cents.p, cents.q, cents.gamma) == pytest.approx((fitted.p, fitted.q, fitted.gamma * 100), rel=1e-6)
