"""Pareto/NBD against mpmath, at random parameters and at the edges where floating point gives way, and in worlds."""

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import likelihood
from crmlab.clv.models.pareto_nbd import ParetoNBD
from crmlab.likelihood import FitError

from ..worlds import customers, spread
from . import exact, exact_pareto

MODELS = {
    "cdnow": (0.5533, 74.04, 0.6062, 81.68),
    "s is 1": (0.8, 40.0, 1.0, 90.0),
    "s just above 1": (0.8, 40.0, 1.0 + 1e-9, 90.0),
    "nobody leaves": (0.6, 25.0, 1e-3, 1e4),
    "all leave at once": (1.5, 60.0, 50.0, 0.1),
    "all alike": (50.0, 1e4, 45.0, 9e3),
    "rates apart": (0.01, 0.1, 0.02, 1e4),
    "lives apart": (0.02, 1e4, 0.01, 0.1),
}
CUSTOMERS = customers(
    (0, 0, 0), (0, 0, 1), (0, 0, 273), (1, 1, 1), (2, 213, 272), (26, 216, 217), (7, 10, 3000),
    (300, 300, 300), (300, 310, 400), (5000, 5000, 5000), (5000, 2500, 5000),
)  # fmt: skip
TRUE = {"r": 0.6, "alpha": 150.0, "s": 0.8, "beta": 200.0}


def rows(frame=CUSTOMERS):
    return [tuple(map(int, row)) for row in frame[["frequency", "recency", "age"]].to_numpy()]


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


def simulated(customers=2000, seed=1, days=600, r=TRUE["r"], alpha=TRUE["alpha"], s=TRUE["s"], beta=TRUE["beta"]):
    """A summary of a Pareto/NBD world, one row a customer; orders of a day are not merged, only their days rounded."""
    rng = np.random.default_rng(seed)
    age = rng.integers(days // 2, days, customers)
    stayed = np.minimum(rng.exponential(1 / rng.gamma(s, 1 / beta, customers)), age)
    x = rng.poisson(rng.gamma(r, 1 / alpha, customers) * stayed)
    last = np.ceil(stayed * rng.random(customers) ** (1 / np.maximum(x, 1)))
    return pd.DataFrame({"frequency": x, "recency": np.where(x > 0, last, 0).astype(int), "age": age})


def collapsed(frame):
    return frame.groupby([*frame], as_index=False).size().rename(columns={"size": "customers"})


@pytest.fixture(scope="module")
def world():
    return collapsed(simulated())


@pytest.fixture(scope="module")
def fitted(world):
    return ParetoNBD.fit(world)


def assert_close(found, true, rel, least=1e-300):
    np.testing.assert_allclose(np.asarray(found, float), [float(v) for v in true], rtol=rel, atol=least)


def test_the_log_likelihood_is_that_of_the_paper_far_off_any_optimum():
    for model, row in [*random_cases(120, seed=1), *itertools.product(MODELS.values(), rows())]:
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
    apart = [
        ParetoNBD._likelihood(*columns(*row), np.array([w]))(theta) for row, w in zip(rows(), weights, strict=True)
    ]
    for total, parts in zip(together, zip(*apart, strict=True), strict=True):
        np.testing.assert_allclose(total, sum(parts), rtol=1e-12)


def test_a_customer_of_today_has_likelihood_1():
    for model in MODELS.values():
        assert ParetoNBD(*model).log_likelihood(customers((0, 0, 0))) == pytest.approx(0, abs=1e-13)


def test_p_alive_is_that_of_the_paper_in_both_tails():
    for model, (x, t_x, T) in [*random_cases(120, seed=3), *itertools.product(MODELS.values(), rows())]:
        odds = ParetoNBD(*model)._log_odds_gone(*columns(x, t_x, T))
        true = exact_pareto.odds_gone(model, x, t_x, T)
        assert_close(odds, [exact_pareto.mp.log(true) if t_x < T else -np.inf], 1e-13, 1e-11)
        alive = ParetoNBD(*model).p_alive(customers((x, t_x, T)))
        assert_close(alive, [1 / (1 + true)], 1e-10)


def test_p_alive_keeps_its_digits_where_the_wait_is_short():
    for model, wait, (x, T) in itertools.product(
        MODELS.values(), (2**-20, 2**-7, 0.5), ((0, 0), (3, 90), (5000, 5000))
    ):
        age = T or wait
        odds = ParetoNBD(*model)._log_odds_gone(*columns(x, age - wait, age))
        assert_close(odds, [exact_pareto.mp.log(exact_pareto.odds_gone(model, x, age - wait, age))], 1e-13, 1e-11)


def test_who_has_just_ordered_is_alive():
    assert ParetoNBD(*MODELS["cdnow"]).p_alive(customers((0, 0, 0), (3, 90, 90))).to_list() == [1, 1]


@pytest.mark.parametrize("days", [1e-3, 30, 365, 36500])
def test_expected_orders_are_those_of_the_closed_form(days):
    for model in MODELS.values():
        true = [
            exact_pareto.p_alive(model, *row) * exact_pareto.orders_while_alive(model, row[0], row[2], days)
            for row in rows()
        ]
        assert_close(ParetoNBD(*model).expected_orders(CUSTOMERS, days), true, 1e-10)
        newcomer = exact_pareto.orders_while_alive(model, 0, 0, days)
        assert_close([ParetoNBD(*model).expected_orders_new(days)], [newcomer], 1e-13)


@pytest.mark.parametrize("days", [30, 36500, None])
def test_discounted_orders_are_the_integral(days):
    # for ever by Tricomi's U, the closed form of Fader, Hardie & Lee (2005)
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
        living = ParetoNBD(*model)._living(*columns(x, T))
        true = exact_pareto.chance_while_alive(model, x, T, days, count)
        assert_close(ParetoNBD._chance(living, days, count), [true], 1e-10, 1e-25)


def test_chances_of_n_orders_add_up_to_1_and_their_mean_is_expected():
    model, few = ParetoNBD(*MODELS["cdnow"]), CUSTOMERS[CUSTOMERS.frequency < 30]
    chances = np.stack([model.probability_of_orders(few, 365, n) for n in range(200)])
    np.testing.assert_allclose(chances.sum(axis=0), 1, rtol=1e-12)
    np.testing.assert_allclose(np.arange(200) @ chances, model.expected_orders(few, 365), rtol=1e-10)
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
    for theta in [*MODELS.values(), *10 ** rng.uniform([-4, -3, -4, -3], [3, 6, 3, 6], (12, 4))]:
        model = ParetoNBD(*theta)
        for part in ParetoNBD._likelihood(*grid.to_numpy(float).T, np.ones(len(grid)))(theta):
            assert np.isfinite(part).all()
        for chance in (model.p_alive(grid), *(model.probability_of_orders(grid, 365, n) for n in (0, 3))):
            assert chance.between(0, 1 + 1e-12).all()
        for annual, days in ((0, 365), (0.1, None), (0.1, 365), (1e-12, None), (1e6, 1e5)):
            assert np.isfinite(model.discounted_orders(grid, annual, days)).all()


def test_fitting_finds_the_parameters_a_world_was_simulated_from():
    large = collapsed(simulated(customers=40_000, seed=2))
    model = ParetoNBD.fit(large)
    short = model.log_likelihood(large) - ParetoNBD(**TRUE).log_likelihood(large)
    assert 0 < 2 * short < stats.chi2.ppf(0.999, df=4)
    found = likelihood.parameters(model)
    assert list(found.value) == pytest.approx(list(TRUE.values()), rel=0.25)
    assert (found.high / found.low < 2).all()


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    # 10 worlds x 4 parameters at 95 %: fewer than 34 would happen once in 250 such tests, were they independent
    worlds = [likelihood.parameters(ParetoNBD.fit(collapsed(simulated(1000, seed)))) for seed in range(10)]
    held = sum(((w.low < pd.Series(TRUE)) & (pd.Series(TRUE) < w.high)).sum() for w in worlds)
    assert 34 <= held <= 40


@pytest.mark.parametrize("start", [(20, 20, 0.02, 0.5), (0.02, 5000, 20, 5000), (5, 1, 5, 9000)])
def test_a_fit_ends_where_it_does_from_anywhere(world, fitted, start):
    again = ParetoNBD.fit(world, starts=[start])
    assert likelihood.parameters(again).to_numpy() == pytest.approx(likelihood.parameters(fitted).to_numpy(), rel=1e-6)


def test_a_row_for_many_customers_is_as_good_as_a_row_for_each(world, fitted):
    each = spread(world)
    alone = ParetoNBD.fit(each)
    assert likelihood.parameters(alone).to_numpy() == pytest.approx(likelihood.parameters(fitted).to_numpy(), rel=1e-6)
    np.testing.assert_allclose(fitted.p_alive(each), fitted.p_alive(world).repeat(world.customers), rtol=1e-12)


@pytest.mark.filterwarnings("error")
def test_a_search_that_strays_is_told_that_nothing_is_there(world):
    at = ParetoNBD._likelihood(*world.to_numpy(float).T)
    for theta in ([np.inf, 1, 1, 1], [1, 0, 1, 1], [1, 1, np.nan, 1], [1, 1, 1e200, 1e200]):
        assert all(np.isnan(part).all() for part in at(np.array(theta)))
    for theta in ([1e-49, 1e49, 1e-49, 1e49], [1e49, 1e-49, 1, 1e-49]):
        assert np.isfinite(at(np.array(theta))[0])


def test_a_world_too_poor_to_tell_is_refused():
    with pytest.raises(FitError, match="ParetoNBD has no clear maximum on these 50 customers"):
        ParetoNBD.fit(customers(*[(5, 100, 100)] * 50))


@pytest.mark.parametrize("row", [(0, 0, 0), (3, 350, 400)])
def test_drawn_orders_follow_the_chances(row):
    # chi-square of 60,000 customers, at 1 in 1,000
    model, customer, many = ParetoNBD(**TRUE), customers(row), 60_000
    drawn = model.simulate_orders(customer.assign(customers=many), 365, np.random.default_rng(3))
    seen = np.bincount(np.minimum(np.bincount(drawn.customer, minlength=many), 10))
    chances = [model.probability_of_orders(customer, 365, n)[0] for n in range(10)]
    assert stats.chisquare(seen, many * np.array([*chances, 1 - sum(chances)])).pvalue > 1e-3
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
