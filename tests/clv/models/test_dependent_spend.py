"""Spend that depends on how often customers order: factors by hand, drawn towards the whole, and on an engine."""

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import clv
from crmlab.clv.models import dependent_spend as by_frequency

MODEL = clv.SpendByFrequency(6.0, 4.0, 15.0, 0.5, 0.8, 1.0, 1.5, 2.0)


def world(slope, seed=1, count=3000, q=4.0):
    """Repeat buyers whose mean spend grows with the log of 1 + frequency by `slope`."""
    rng = np.random.default_rng(seed)
    frequency = rng.geometric(0.25, count)
    gamma = 15.0 * np.exp(slope * np.log1p(frequency))
    mean = rng.gamma(6.0 * frequency, 1 / rng.gamma(q, 1 / gamma)) / frequency
    return pd.DataFrame({"frequency": frequency, "monetary_value": mean})


def test_expected_spend_by_hand():
    frame = pd.DataFrame({"frequency": [0, 1, 3, 4, 8], "monetary_value": [0.0, 30, 30, 30, 30]})
    # (m x + gamma factor) p / (p x + q - 1)
    expected = [15 * 0.5 * 6 / 3, (30 + 12) * 6 / 9, (90 + 15) * 6 / 21, (120 + 22.5) * 6 / 27, (240 + 30) * 6 / 51]
    assert MODEL.expected_spend(frame).tolist() == pytest.approx(expected)
    table = ibis.memtable(frame)
    found = table.mutate(spend=MODEL.conditional_expected_spend(table.frequency, table.monetary_value)).execute()
    assert found.spend.tolist() == pytest.approx(expected)


def test_factors_are_drawn_towards_their_mean_by_hand():
    # two classes: logs 0 and .4, errors .1 and .1: mean .2, q = 8, spare = 100; between = (8 - 1) / 100
    logs, errors = by_frequency._towards_the_whole(
        np.array([1, 3]), np.array([0.0, 0.4]), np.array([0.1, 0.1]), np.log1p([0, 1, 2, 4, 8])
    )
    share = 0.07 / 0.08
    assert logs[[1, 3]] == pytest.approx([0.2 - share * 0.2, 0.2 + share * 0.2])
    assert errors[[1, 3]] == pytest.approx(np.sqrt(share) * 0.1)
    slope = share * 0.4 / (np.log(5) - np.log(2))  # the others lie on the line through the two
    assert logs[0] == pytest.approx(logs[1] - slope * np.log(2))
    assert errors[0] == pytest.approx(np.sqrt(0.07))
    alike, _ = by_frequency._towards_the_whole(
        np.array([1, 2]), np.array([0.1, 0.12]), np.array([0.1, 0.1]), np.log1p([0, 1, 2, 4, 8])
    )
    assert alike == pytest.approx([0.11] * 5)  # no more than errors make of one factor


@pytest.mark.parametrize("slope", [0.0, 0.6])
def test_the_slope_of_a_world_is_found_and_taken_to_those_without_repeat_orders(slope):
    fitted = clv.SpendByFrequency.fit(world(slope), replicates=0)
    once, never = (float(fitted._scale(np.array([x]))[0] * fitted.p / (fitted.q - 1)) for x in (1, 0))
    assert once == pytest.approx(15 * np.exp(slope * np.log(2)) * 6 / 3, rel=0.1)
    assert never == pytest.approx(15 * 6 / 3, rel=0.25)


def test_where_spend_depends_on_frequency_it_is_predicted_better():
    seen, new = world(0.8), world(0.8, seed=2)
    rng = np.random.default_rng(3)
    errors = {}
    for model in (clv.GammaGamma, clv.SpendByFrequency):
        fitted = model.fit(seen, replicates=0)
        expected = fitted.expected_spend(new)
        errors[model] = abs((expected - new.monetary_value)[new.frequency == 1]).mean()
        drawn = fitted.simulate_spend(new, pd.DataFrame({"customer": range(3000), "row": range(3000)}), rng)
        assert drawn.mean() == pytest.approx(expected.mean(), rel=0.1)
    assert errors[clv.SpendByFrequency] < errors[clv.GammaGamma]


def test_what_cannot_be_fitted_has_its_reason():
    one = clv.SpendByFrequency.fit(pd.DataFrame({"frequency": [2, 3, 2], "monetary_value": [5.0, 6.0, 9.0]}))
    assert one.reason == "Gamma-Gamma by frequency needs repeat buyers of two classes of frequency; there are 1"
    alike = clv.SpendByFrequency.fit(pd.DataFrame({"frequency": [1, 3] * 20, "monetary_value": 9.99}))
    assert alike.expected_spend(pd.DataFrame({"frequency": [3], "monetary_value": [9.99]}))[0] == pytest.approx(9.99)
    with_draws = clv.SpendByFrequency.fit(world(0.5, count=400), replicates=16)
    assert list(with_draws.parameters.index) == ["p", "q", "gamma", "none", "once", "few", "several", "many"]
    assert (with_draws.parameters.ci_low < with_draws.parameters.value).all()
    assert [draw.q > 0 for draw in with_draws.draws] == [True] * 16


def test_a_newcomer_spends_by_the_classes_that_orders_to_come_will_make():
    orders = clv.NBD(0.8, 40.0)
    p = [float(stats.nbinom.pmf(n, 0.8, 40 / (40 + 365))) for n in range(400)]  # NBD over 365 days
    assert orders.probability_of_orders_new(365, 3) == pytest.approx(p[3])
    of_class = {n: MODEL.gamma * f * 6 / 3 for n, f in enumerate([0.8, 1.0, 1.0, 1.5, 1.5, 1.5, 1.5] + [2.0] * 393, 1)}
    by_hand = sum(n * p[n] * of_class[n] for n in range(1, 400))
    newcomer = MODEL.of_newcomers(orders, 365)
    spend = newcomer.expected_spend(clv.new_customers())[0]
    assert spend * float(orders.expected_orders_new(365)) == pytest.approx(by_hand, rel=1e-6)
    assert (newcomer.once, newcomer.many) == (MODEL.once, MODEL.many)
    assert MODEL.of_newcomers(orders, 0) is MODEL
    found = clv.predict_new_customer(orders, MODEL, 365, 0.1)
    assert found.value["value"] == pytest.approx(found.value["discounted_orders"] * spend)


def test_a_newcomer_has_an_interval_of_draws_by_the_same_classes():
    fitted = clv.SpendByFrequency.fit(world(0.5, count=400), replicates=64)
    newcomer = fitted.of_newcomers(clv.NBD(0.8, 40.0), 365)
    pairs = list(zip(fitted.draws, newcomer.draws, strict=True))
    assert all(min(was.once, was.many) < now.none < max(was.once, was.few, was.several, was.many) for was, now in pairs)
    assert all((was.once, was.many, was.q) == (now.once, now.many, now.q) for was, now in pairs)


def test_scores_say_whose_spend_is_by_trend():
    customers = ibis.memtable(
        pd.DataFrame({"customer_id": ["a", "b"], "frequency": [0, 3], "recency": [0, 90], "age": [100, 100]}).assign(
            repeat_spend=[0.0, 90.0], monetary_value=[0.0, 30.0]
        )
    )
    scored = clv.score(customers, clv.NBD(0.8, 40.0), MODEL, 365, 0.1).execute()
    assert scored.spend_extrapolated.tolist() == [True, False]
    assert (
        "spend_extrapolated" not in clv.score(customers, clv.NBD(0.8, 40.0), clv.GammaGamma(6, 4, 15), 365, 0.1).columns
    )
