"""A weak prior: its density by hand, the fit that it gives where the data alone have none, and what rests on it."""

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from crmlab import catalog, clv
from crmlab import likelihood as fitting
from crmlab.clv import checks
from crmlab.contracts import InputError

from .test_small_frames import never_leaving

PRIOR = fitting.LogPrior("weak", ((0, 1, "rate", (-3.0, 2.0), (-0.5, 1.5)), (2, 3, "share", (-1.0, 1.5), (0.7, 1.5))))
SEEN = never_leaving(0, 400)


def test_the_density_of_a_prior_by_hand():
    r, alpha, a, b = 0.5, 20.0, 1.0, 3.0
    normal = stats.norm.logpdf
    expected = normal(np.log(r / alpha), -3, 2) + normal(np.log(r), -0.5, 1.5)
    expected += normal(np.log(a / (a + b)), -1, 1.5) + normal(np.log(a + b), 0.7, 1.5)
    constant = sum(normal(0, 0, deviation) for deviation in (2, 1.5, 1.5, 1.5))
    assert PRIOR(np.log([r, alpha, a, b]))[0] == pytest.approx(expected - constant)
    assert PRIOR.wider(2.0).terms[0] == (0, 1, "rate", (-3.0, 4.0), (-0.5, 3.0))


def test_its_derivatives_are_those_of_its_density():
    at = np.array([0.3, -1.2, 0.8, -0.4])
    _, gradient, hessian = PRIOR(at)
    np.testing.assert_allclose(gradient, optimize.approx_fprime(at, lambda v: PRIOR(v)[0], 1e-7), atol=1e-5)
    slopes = [optimize.approx_fprime(at, lambda v, k=k: PRIOR(v)[1][k], 1e-7) for k in range(4)]
    np.testing.assert_allclose(hessian, slopes, atol=1e-5)


@pytest.mark.parametrize("model", ["bg_nbd", "mbg_nbd"])
def test_it_gives_a_fit_where_the_data_alone_have_none(model):
    assert not clv.fit(SEEN, model, 0)
    fitted = clv.fit(SEEN, model, 64, prior="weak")
    without_draws = clv.fit(SEEN, model, 0, prior="weak")
    assert [fitted.uncertainty.prior, without_draws.uncertainty.prior] == ["weak", "weak"]
    check = checks.forecast_rests_on_data(fitted, SEEN.assign(customers=1), 365)
    assert (check.id, check.outcome) == ("clv.forecast_rests_on_data", "passed")
    wider = clv.fit(SEEN, model, 0, prior="weak").__class__.fit(SEEN, replicates=0, prior_sd=2.0)
    assert check.values["wider"] == pytest.approx(wider.expected_orders(SEEN, 365).sum())
    with pytest.raises(InputError, match="rests on a weak prior, which would decide an infinite horizon"):
        fitted.discounted_orders(SEEN, 0.1)


@pytest.mark.parametrize("model", [name for name in clv.MODELS if name != "bg_bb"])  # which counts opportunities
def test_days_and_weeks_agree(model):
    rng = np.random.default_rng(3)
    weeks = pd.DataFrame({"frequency": rng.integers(0, 4, 60), "age": rng.integers(30, 60, 60)})
    weeks["recency"] = np.where(weeks.frequency > 0, np.maximum(weeks.frequency, weeks.age // 2), 0)
    days = weeks.assign(recency=7 * weeks.recency, age=7 * weeks.age)
    one, other = (clv.fit(frame, model, 0, prior="weak") for frame in (weeks, days))
    scaled = {"alpha", "beta"}
    for name in one.parameters.index:
        by = 7 if name in scaled else 1
        assert getattr(other, name) == pytest.approx(by * getattr(one, name), rel=1e-4)


def test_where_the_data_are_many_it_hardly_matters():
    customers = clv.summarise(catalog.orders("cdnow_sample"), "1997-09-30")
    alone, with_prior = (clv.fit(customers, "mbg_nbd", 0, prior=prior) for prior in ("none", "weak"))
    errors = clv.fit(customers, "mbg_nbd", 2).parameters.standard_error
    moved = with_prior.parameters.value - alone.parameters.value
    assert (moved.abs() < 0.1 * errors).all()
    check = checks.forecast_rests_on_data(clv.MBGNBD(0.5, 40.0, 0.9, 1.6), customers, 365)
    assert check.outcome == "not applicable"


def test_draws_of_which_few_carry_all_weight_are_refused(monkeypatch):
    weights = np.random.default_rng(1).pareto(1.0, 1000)
    assert fitting._tail_shape(weights) == pytest.approx(1.0, abs=0.25)  # the shape of a Pareto tail of index 1
    assert fitting._tail_shape(np.random.default_rng(1).random(1000)) < 0  # a bounded tail
    monkeypatch.setattr(fitting, "MOST_TAIL_SHAPE", -1.0)
    refused = clv.fit(SEEN, "bg_nbd", 16, prior="weak")
    assert refused.reason.startswith("with the weak prior few draws carry all weight: Pareto's k of their weights is ")
    assert clv.fit(SEEN, "bg_nbd", 0, prior="weak")  # without draws there is nothing to be refused


def test_the_centres_of_a_prior_are_of_customers_and_not_of_rows():
    # three customers who ordered once, and one who did not: .06 orders a day, .75 an observed customer, 12.5 days
    x, recency, age, customers = (np.array(v, dtype=float) for v in ([1, 0], [4, 0], [10, 20], [3, 1]))
    rate, shape = (np.log(0.06), 2.0), (np.log(0.5), 1.5)
    weak = {
        clv.NBD: [(rate, shape)],
        clv.BGNBD: [(rate, shape), ((-np.log(2.75), 1.5), (np.log(2.0), 1.5))],
        clv.ParetoNBD: [(rate, shape), ((-np.log(12.5), 2.0), shape)],
        clv.DailyBGBB: [(rate, (np.log(2.0), 1.5)), ((-np.log(13.5), 2.0), (np.log(2.0), 1.5))],
    }
    for model, expected in weak.items():
        terms = model._prior(x, recency, age, customers).terms
        found = [normal for *_, one, other in terms for normal in (one, other)]
        np.testing.assert_allclose(found, [normal for pair in expected for normal in pair], err_msg=model.title)
