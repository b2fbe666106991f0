"""Other weights: how often customers would be in another tier."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.checks import tiers_robust_to_weights
from crmlab.segments.models import index_system
from crmlab.segments.models.index_system import IndexSystem
from crmlab.stats.intervals import percentile_interval

from .logs import later_features, simulated
from .refusals import refused
from .test_index_system import card, few

FRAME = simulated(600)


def test_weights_are_drawn_about_those_that_stand_as_far_off_as_asked():
    drawn = index_system._drawn(np.array([0.25, 0.25, 0.25, 0.25, 0]), 0.2, 40_000, 1)
    assert drawn.sum(axis=1) == pytest.approx(np.ones(40_000))
    # 40,000 draws: means within .0005, deviations within 2 %
    assert drawn.mean(axis=0) == pytest.approx([0.25, 0.25, 0.25, 0.25, 0], abs=5e-4)
    assert drawn.std(axis=0)[:4] == pytest.approx([0.05] * 4, rel=0.02)
    assert (drawn[:, 4] == 0).all()


def test_tiny_errors_leave_everybody_where_they_are():
    model = IndexSystem.fit(FRAME, card(), 8)
    weight_sensitivity = model.weight_sensitivity(later_features(300), error=1e-6, replicates=20)
    assert (weight_sensitivity.probability < 0.1).all()
    assert weight_sensitivity.probability.mean() < 0.005
    assert (weight_sensitivity.best_tier <= weight_sensitivity.tier).all()  # best first
    assert (weight_sensitivity.worst_tier >= weight_sensitivity.tier).all()


def test_the_best_and_the_worst_tier_are_the_ends_of_the_interval_of_draws(monkeypatch):
    model, graded, drawn = IndexSystem.fit(FRAME, card(), 8), index_system._graded, []
    monkeypatch.setattr(index_system, "_graded", lambda *given: drawn.append(graded(*given)) or drawn[-1])
    found = model.weight_sensitivity(FRAME, replicates=60)
    best, worst = percentile_interval(drawn)
    assert (found.best_tier.cat.codes == best).all()
    assert (found.worst_tier.cat.codes == worst).all()


def test_a_single_indicator_leaves_no_doubt():
    one = card("given").model_copy(
        update={"indicators": {"value": card().indicators["value"].model_copy(update={"weight": 1.0})}}
    )
    weight_sensitivity = IndexSystem.fit(FRAME, one, 8).weight_sensitivity(FRAME, replicates=20)
    assert (weight_sensitivity.probability == 0).all()
    assert (weight_sensitivity.best_tier.astype(str) == weight_sensitivity.tier.astype(str)).all()


def test_who_leads_by_every_indicator_is_never_in_doubt_and_who_leads_by_one_is():
    rng = np.random.default_rng(5)
    n = 200
    frame = few(spend=rng.random(n), orders=rng.random(n), days_since_last=rng.random(n))
    frame.iloc[0] = [2, 2, -1]  # best by all
    frame.iloc[1] = [-1, -1, 2]  # worst by all
    weight_sensitivity = IndexSystem.fit(frame, card(), 8).weight_sensitivity(frame, error=0.5)
    assert weight_sensitivity.probability.iloc[:2].tolist() == [0, 0]
    assert weight_sensitivity.probability.iloc[2:].mean() > 0.2


def test_chances_add_up_and_grow_with_error():
    model = IndexSystem.fit(FRAME, card("given"), 8)
    small, large = (model.weight_sensitivity(FRAME, error, 200) for error in (0.1, 0.5))
    assert (small.probability_better + small.probability_worse).to_numpy() == pytest.approx(
        small.probability.to_numpy()
    )
    assert small.probability.mean() < large.probability.mean()
    assert model.weight_sensitivity(FRAME, 0.1, 200).equals(small)
    assert not model.weight_sensitivity(FRAME, 0.1, 200, seed=2).equals(small)


def test_chances_are_what_two_indicators_say_by_hand():
    # two customers, two tiers, marks (1, 0) and (0, 1): the first is on top while its weight is above one half.
    # Beta(a, a) of weight .6 : .4 with error .2 has concentration 1 / .04 - 1 = 24, so Beta(14.4, 9.6)
    from scipy import stats

    frame = few(spend=[1, 0], orders=[0, 1])
    both = {
        name: card().indicators[name].model_copy(update={"weight": w}) for name, w in (("value", 0.6), ("orders", 0.4))
    }
    model = IndexSystem.fit(frame, card().model_copy(update={"weighting": "given", "indicators": both}), 2)
    weight_sensitivity = model.weight_sensitivity(frame, 0.2, 20_000)
    assert weight_sensitivity.tier.tolist() == ["tier 1", "tier 2"]
    assert weight_sensitivity.probability.tolist() == pytest.approx([stats.beta.cdf(0.5, 14.4, 9.6)] * 2, abs=0.01)
    assert weight_sensitivity.probability_worse.tolist() == [weight_sensitivity.probability.iloc[0], 0]


def test_tiers_show_how_many_are_unstable_the_empty_ones_too():
    weight_sensitivity = pd.DataFrame(
        {"tier": pd.Categorical(["x", "x", "z"], ["x", "y", "z"]), "probability": [0.25, 0.1, 0.9]}
    )
    table = index_system.weight_sensitivity_by_tier(weight_sensitivity)
    assert table.index.tolist() == ["x", "y", "z", "all"]
    assert table.customers.tolist() == [2, 0, 1, 3]
    assert table.unstable.tolist() == [1, 0, 1, 2]
    assert table.share.tolist() == pytest.approx([0.5, 0, 1, 2 / 3])
    assert table.probability.tolist() == pytest.approx([0.175, 0, 0.9, 1.25 / 3])
    check = tiers_robust_to_weights(table)
    assert (check.id, check.kind) == ("segments.tiers_robust_to_weights", "assumption")
    assert check.outcome == "failed"  # Wilson's interval of 2 of 3 begins at 20.8 %
    assert check.summary.startswith(
        "The tier of 66.7 % (95 % confidence interval 20.8 % to 93.9 %) of 3 customers is unst"
    )
    assert "most in z, 100 %" in check.summary
    assert check.recommendation == "Grade customers into fewer tiers."
    assert check.claim.startswith("At most 20 % of customers have an unstable tier")
    assert tiers_robust_to_weights(table, max_share=0.7).outcome == "undecided"
    assert tiers_robust_to_weights(table, max_share=0.95).outcome == "passed"


@pytest.mark.parametrize(("error", "replicates"), [(0, 10), (1, 10), (np.nan, 10), (0.2, 0)])
def test_bad_errors_and_draws_are_refused(error, replicates):
    model = IndexSystem.fit(FRAME, card(), 8)
    assert "give an error above 0 and below 1" in refused(model.weight_sensitivity, FRAME, error, replicates)[0]
