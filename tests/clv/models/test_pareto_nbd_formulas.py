"""Pareto/NBD against mpmath, at random parameters and at the edges where floating point gives way."""

import itertools

import numpy as np
import pytest

from crmlab.clv.models.pareto_nbd import ParetoNBD

from ..worlds import customers, rows
from . import exact, exact_pareto
from .exact import assert_close

MODELS = {
    "cdnow": (0.5533, 74.04, 0.6062, 81.68),
    "s is 1": (0.8, 40.0, 1.0, 90.0),
    "s just above 1": (0.8, 40.0, 1.0 + 1e-9, 90.0),
    "nobody leaves": (0.6, 25.0, 1e-3, 1e4),
    "all leave at once": (1.5, 60.0, 50.0, 0.1),
    "all alike": (50.0, 1e4, 45.0, 9e3),
    "rates differ": (0.01, 0.1, 0.02, 1e4),
    "lives differ": (0.02, 1e4, 0.01, 0.1),
}
CUSTOMERS = customers(
    (0, 0, 0), (0, 0, 1), (0, 0, 273), (1, 1, 1), (2, 213, 272), (26, 216, 217), (7, 10, 3000),
    (300, 300, 300), (300, 310, 400), (5000, 5000, 5000), (5000, 2500, 5000),
)  # fmt: skip
ROWS = rows(CUSTOMERS)


def random_cases(count, seed):
    """Parameters and a customer, over several powers of ten."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        age = int(rng.choice([0, 1, 30, 400, 5000]))
        x = min(int(rng.choice([0, 1, 3, 30, 400, 5000])), age)
        t_x = int(rng.choice([x, rng.integers(x, age + 1), age])) if x else 0
        yield tuple(10 ** rng.uniform([-2, -1, -2, -1], np.log10([50, 1e4, 50, 1e4]))), (x, t_x, age)


def columns(*seen):
    return [np.array([value], dtype=float) for value in seen]


def test_the_log_likelihood_is_that_of_the_paper_far_off_any_optimum():
    for model, row in [*random_cases(120, seed=1), *itertools.product(MODELS.values(), ROWS)]:
        true = exact_pareto.log_likelihood(model, *row)
        assert_close([ParetoNBD(*model).log_likelihood(customers(row))], [true], 1e-13, 1e-13)


def test_gradient_and_hessian_are_those_of_the_log_likelihood():
    # by the logs of the parameters, so that none is small for its unit
    for model, row in random_cases(8, seed=2):
        theta = np.array(model)
        _, gradient, hessian = ParetoNBD._likelihood(*columns(*row), np.ones(1))(theta)
        slope, bend = exact.derivatives(lambda *at, row=row: exact_pareto.log_likelihood(at, *row), model)
        both = np.outer(theta, theta)
        np.testing.assert_allclose(gradient * theta, np.array(slope, float) * theta, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(hessian * both, np.array(bend, float) * both, rtol=1e-8, atol=1e-11)


def test_customers_add_up_in_likelihood_gradient_and_hessian():
    weights, theta = np.arange(1.0, len(CUSTOMERS) + 1), MODELS["cdnow"]
    together = ParetoNBD._likelihood(*CUSTOMERS.to_numpy(float).T, weights)(theta)
    separate = [
        ParetoNBD._likelihood(*columns(*row), np.array([w]))(theta) for row, w in zip(ROWS, weights, strict=True)
    ]
    for total, parts in zip(together, zip(*separate, strict=True), strict=True):
        np.testing.assert_allclose(total, sum(parts), rtol=1e-12)


def test_a_customer_of_today_has_likelihood_1():
    for model in MODELS.values():
        assert ParetoNBD(*model).log_likelihood(customers((0, 0, 0))) == pytest.approx(0, abs=1e-13)


def test_p_alive_is_that_of_the_paper_in_both_tails():
    for model, (x, t_x, T) in [*random_cases(120, seed=3), *itertools.product(MODELS.values(), ROWS)]:
        odds = ParetoNBD(*model)._log_odds_inactive(*columns(x, t_x, T))
        true = exact_pareto.odds_gone(model, x, t_x, T)
        assert_close(odds, [exact_pareto.mp.log(true) if t_x < T else -np.inf], 1e-13, 1e-11)
        alive = ParetoNBD(*model).p_alive(customers((x, t_x, T)))
        assert_close(alive, [1 / (1 + true)], 1e-10)


def test_p_alive_keeps_its_digits_where_the_wait_is_short():
    for model, wait, (x, T) in itertools.product(
        MODELS.values(), (2**-20, 2**-7, 0.5), ((0, 0), (3, 90), (5000, 5000))
    ):
        age = T or wait
        odds = ParetoNBD(*model)._log_odds_inactive(*columns(x, age - wait, age))
        assert_close(odds, [exact_pareto.mp.log(exact_pareto.odds_gone(model, x, age - wait, age))], 1e-13, 1e-11)


def test_who_has_just_ordered_is_alive():
    assert ParetoNBD(*MODELS["cdnow"]).p_alive(customers((0, 0, 0), (3, 90, 90))).to_list() == [1, 1]


@pytest.mark.parametrize("days", [1e-3, 30, 365, 36500])
def test_expected_orders_are_those_of_the_closed_form(days):
    for model in MODELS.values():
        true = [
            exact_pareto.p_alive(model, *row) * exact_pareto.orders_while_alive(model, row[0], row[2], days)
            for row in ROWS
        ]
        assert_close(ParetoNBD(*model).expected_orders(CUSTOMERS, days), true, 1e-10)
        newcomer = exact_pareto.orders_while_alive(model, 0, 0, days)
        assert_close([ParetoNBD(*model).expected_orders_new(days)], [newcomer], 1e-13)


@pytest.mark.parametrize("days", [30, 36500, None])
def test_discounted_orders_are_the_integral(days):
    # over an infinite horizon by Tricomi's U, the closed form of Fader, Hardie & Lee (2005)
    for (model, (x, t_x, T)), annual in zip(random_cases(30, seed=4), itertools.cycle([1e-6, 0.1, 50]), strict=False):
        delta = exact_pareto.mp.log1p(annual) / 365
        while_alive = exact_pareto.discounted_while_alive(model, x, T, delta, days)
        true = exact_pareto.p_alive(model, x, t_x, T) * while_alive
        assert_close(ParetoNBD(*model).discounted_orders(customers((x, t_x, T)), annual, days), [true], 1e-10)


@pytest.mark.parametrize("s", [1 - 1e-9, 1.0, 1 + 1e-9])
def test_where_s_is_1_discounted_orders_are_the_limit(s):
    found = ParetoNBD(0.8, 40.0, s, 90.0).discounted_orders(CUSTOMERS, 0.1)
    around = [ParetoNBD(0.8, 40.0, 1 + off, 90.0).discounted_orders(CUSTOMERS, 0.1) for off in (-1e-6, 1e-6)]
    np.testing.assert_allclose(found, sum(around) / 2, rtol=1e-8)


def test_undiscounted_orders_of_some_days_are_the_expected_ones():
    for model in MODELS.values():
        expected = ParetoNBD(*model).expected_orders(CUSTOMERS, 365)
        for annual in (0, 1e-14):
            np.testing.assert_allclose(
                ParetoNBD(*model).discounted_orders(CUSTOMERS, annual, 365), expected, rtol=1e-11
            )


def test_undiscounted_orders_for_ever_are_the_limit_of_the_expected_ones():
    model = ParetoNBD(5.0, 30.0, 3.0, 50.0)
    found = model.discounted_orders(CUSTOMERS, 0)
    assert found[0] == pytest.approx(5 / 30 * 50 / 2)  # mean rate x mean life
    np.testing.assert_allclose(found, model.expected_orders(CUSTOMERS, 1e11), rtol=1e-11)
    np.testing.assert_allclose(found, model.discounted_orders(CUSTOMERS, 1e-13), rtol=1e-8)


@pytest.mark.parametrize("s", [0.5, 1.0])
def test_undiscounted_orders_for_ever_have_no_mean_where_s_is_at_most_1(s):
    with pytest.raises(ValueError, match=f"no finite mean as s = {s:.4g} is at most 1"):
        ParetoNBD(0.5, 30.0, s, 80.0).discounted_orders(CUSTOMERS, 0)


def test_discounted_orders_do_not_depend_on_the_unit_of_time():
    # 15 % a year is ln(1.15) / 365 a day, and seven times that a week
    weekly = CUSTOMERS.assign(recency=CUSTOMERS.recency / 7, age=CUSTOMERS.age / 7)
    r, alpha, s, beta = MODELS["cdnow"]
    for days, weeks in ((364, 52), (None, None)):
        by_day = ParetoNBD(r, alpha, s, beta).discounted_orders(CUSTOMERS, 0.15, days)
        by_week = ParetoNBD(r, alpha / 7, s, beta / 7).discounted_orders(weekly, 1.15**7 - 1, weeks)
        np.testing.assert_allclose(by_day, by_week, rtol=1e-12)


def test_the_chance_of_n_orders_is_that_of_any_leaving_time():
    for (model, (x, _, T)), days, count in zip(
        random_cases(16, seed=5), itertools.cycle([1, 30, 365, 36500]), itertools.cycle([0, 1, 60]), strict=False
    ):
        living = ParetoNBD(*model)._posterior(*columns(x, T))
        true = exact_pareto.chance_while_alive(model, x, T, days, count)
        assert_close(ParetoNBD._order_probability(living, days, count), [true], 1e-10, 1e-25)


def test_chances_of_n_orders_add_up_to_1_and_their_mean_is_expected():
    model, few = ParetoNBD(*MODELS["cdnow"]), CUSTOMERS[CUSTOMERS.frequency < 30]
    probabilities = np.stack([model.probability_of_orders(few, 365, n) for n in range(200)])
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(np.arange(200) @ probabilities, model.expected_orders(few, 365), rtol=1e-10)
    of_new = [model.probability_of_orders_new(365, n) for n in range(200)]
    assert np.arange(200) @ of_new == pytest.approx(float(model.expected_orders_new(365)), rel=1e-10)


def test_in_no_time_there_are_no_orders():
    model = ParetoNBD(*MODELS["cdnow"])
    assert model.probability_of_orders(CUSTOMERS, 0, 0).to_list() == pytest.approx([1] * len(CUSTOMERS), rel=1e-12)
    for nothing in (model.probability_of_orders(CUSTOMERS, 0, 2), model.expected_orders(CUSTOMERS, 0)):
        assert nothing.to_list() == pytest.approx([0] * len(CUSTOMERS), abs=1e-200)


@pytest.mark.filterwarnings("error")
def test_every_prediction_is_finite_on_the_whole_grid():
    spans = itertools.product((0, 1, 26, 5000), (0, 0.01, 0.5, 1), (0, 1, 30, 5000))
    grid = customers(*{(x, max(1, int(part * T)) if x else 0, T) for x, part, T in spans if T or not x})
    rng = np.random.default_rng(6)
    for theta in [*MODELS.values(), *10 ** rng.uniform([-4, -3, -4, -3], [3, 6, 3, 6], (6, 4))]:
        model = ParetoNBD(*theta)
        for part in ParetoNBD._likelihood(*grid.to_numpy(float).T, np.ones(len(grid)))(theta):
            assert np.isfinite(part).all()
        for probability in (model.p_alive(grid), *(model.probability_of_orders(grid, 365, n) for n in (0, 3))):
            assert probability.between(0, 1 + 1e-12).all()
        for annual, days in ((0, 365), (0.1, None), (0.1, 365), (1e-12, None), (1e6, 1e5)):
            assert np.isfinite(model.discounted_orders(grid, annual, days)).all()
