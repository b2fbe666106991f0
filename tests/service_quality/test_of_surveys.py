"""What is asked of a whole survey: the same as of its frames, in worlds with a planted truth."""

import numpy as np
import pandas as pd
import pytest

from crmlab import service_quality as sq
from crmlab.contracts import InputError
from crmlab.service_quality import read_survey
from crmlab.service_quality.models.scores import dimension_scores
from crmlab.simulate import survey as worlds
from crmlab.simulate.instrument import instrument_toml

from .rates import predictor_of_surveys_found

CUSTOMERS = 800


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("surveys")


def simulated(folder, seed=1, customers=CUSTOMERS, **world):
    """A survey of a planted world, read through the door, and its truth."""
    world = worlds.World(**world)
    raw, truth = worlds.simulate_survey(world, customers=customers, managers=40, staff=40, seed=seed)
    raw.to_csv(folder / f"{seed}.csv", index=False)
    (folder / f"{seed}.toml").write_text(instrument_toml(world), "utf-8")
    return read_survey(folder / f"{seed}.csv", folder / f"{seed}.toml"), truth


@pytest.fixture(scope="module")
def world(folder):
    return simulated(folder)


@pytest.fixture(scope="module")
def survey(world):
    return world[0]


@pytest.fixture(scope="module")
def customers(survey):
    return survey.select("customer")


def test_reliability_is_told_of_each_battery(survey, customers):
    found = sq.scale_reliability(survey)
    dimensions = survey.instrument.dimensions
    assert list(found.battery.unique()) == ["expect", "perceive", "gap"]
    assert list(found.dimension[:6]) == [*dimensions, "all items"]
    assert found.alpha.notna().all()
    assert found.reason.str.fullmatch("omega_hierarchical is of .*|composite_reliability and ave are of .*").all()
    by_hand = sq.reliability_coefficients(customers.perceive, dimensions, customers.people.weight)
    told = found[found.battery == "perceive"].drop(columns="battery").reset_index(drop=True)
    pd.testing.assert_frame_equal(told, by_hand)
    apart = sq.gap_reliability(survey)
    assert (apart.gap < apart[["expect", "perceive"]].max(axis=1)).all()
    assert apart.gap_alpha.to_numpy() == pytest.approx(found[found.battery == "gap"].alpha[:5].to_numpy(), abs=1e-9)


def test_the_instrument_is_judged_by_its_own_dimensions(survey, customers):
    dimensions, weight = survey.instrument.dimensions, customers.people.weight
    found = sq.discriminant_validity(survey, replicates=20, seed=3)
    pd.testing.assert_frame_equal(found, sq.htmt(customers.perceive, dimensions, weight.to_numpy(), 20, 3))
    assert len(found) == 10
    deleted = sq.item_analysis(survey)
    by_hand = sq.alpha_if_item_deleted(customers.expect, dimensions, weight)
    told = deleted[deleted.battery == "expect"].drop(columns="battery").reset_index(drop=True)
    pd.testing.assert_frame_equal(told, by_hand)
    assert deleted.battery.value_counts().to_dict() == dict.fromkeys(["expect", "perceive", "gap"], 22)


def test_the_dimensions_of_a_planted_world_are_confirmed(survey):
    found = sq.measurement_model(survey)
    assert found.fit_indices.cfi[0] > 0.95  # what was planted is what is asked
    assert list(found.loadings["item"]) == list(survey.instrument.items)


@pytest.mark.parametrize("recommended", ["gap", "perception", "both"])
def test_the_predictor_of_a_planted_world_is_found(recommended):
    assert predictor_of_surveys_found(recommended, 6) >= 5 / 6


def test_drivers_stand_in_the_planted_order(world):
    survey, truth = world
    found = sq.key_drivers(survey, replicates=200)
    assert set(found.by) == {"dimension"}  # 22 items are too many for every order
    planted = truth.drivers.sort_values(ascending=False)
    assert list(found.driver[:2]) == list(planted.index[:2])
    ranks = found.set_index("driver")
    assert (ranks.rank_ci_low <= planted.rank(ascending=False)[ranks.index]).all()
    of_gaps = sq.key_drivers(survey, battery="gap", replicates=20)
    assert of_gaps.r2.iloc[0] < found.r2.iloc[0] + 0.2


def test_priorities_are_derived_where_importance_is_not_asked(survey, customers):
    found = sq.improvement_priorities(survey, replicates=100)
    assert set(found.source) == {"correlation with satisfaction"}
    assert list(found["item"]) == list(survey.instrument.items)
    assert list(found.dimension) == [item.dimension for item in survey.instrument.items.values()]
    weight = customers.people.weight
    kept = customers.perceive.iloc[:, 0].notna() & customers.outcomes.satisfaction.notna()
    pair = np.cov(customers.perceive.iloc[:, 0][kept], customers.outcomes.satisfaction[kept], aweights=weight[kept])
    assert found.importance[0] == pytest.approx(pair[0, 1] / np.sqrt(pair[0, 0] * pair[1, 1]))


def test_penalties_take_the_outer_thirds_of_the_scale(survey, customers):
    found = sq.asymmetric_impact(survey)
    by_hand = sq.penalty_reward_contrasts(
        customers.perceive, customers.outcomes.satisfaction, 3, 5, customers.people.weight
    )
    assert found.text.tolist() == [survey.instrument.items[name].text for name in found["item"]]
    pd.testing.assert_frame_equal(found.drop(columns="text"), by_hand)


def test_loyalty_finds_the_planted_top_box_ratio(world):
    survey, truth = world
    found = sq.loyalty_by_satisfaction(survey)
    assert list(found.satisfaction) == [1, 2, 3, 4, 5]
    assert found.risk_ratio_ci_low.iloc[-1] < truth.top_box_risk_ratio < found.risk_ratio_ci_high.iloc[-1]
    assert (
        (found.share_ci_low <= truth.loyalty_probability.to_numpy())
        & (truth.loyalty_probability.to_numpy() <= found.share_ci_high)
    ).sum() >= 4
    assert sq.checks.top_box_more_loyal(found).outcome == "yes"


def test_those_who_recommend_are_counted(survey, customers):
    row = sq.net_promoter_score(survey).iloc[0]
    answers, weight = customers.outcomes.recommend, customers.people.weight
    each = np.select([answers >= 9, answers <= 6], [100.0, -100.0], 0.0)
    assert row.nps == pytest.approx(np.average(each[answers.notna()], weights=weight[answers.notna()]))


def test_complaints_have_the_planted_effects(survey):
    found = sq.complaint_resolution(survey).set_index("effect")
    assert list(found.index) == ["people told", "stopped buying", "buys less or stopped", "buys more"]
    stopped = worlds.BUYING[:2, 0]
    assert found.ci_low["stopped buying"] < stopped[0] / stopped[1] < found.ci_high["stopped buying"]
    less = worlds.BUYING[:2, :2].sum(axis=1)
    assert found.ci_low["buys less or stopped"] < less[0] / less[1] < found.ci_high["buys less or stopped"]
    assert found.ci_low["people told"] > 1  # planted as two, satisfaction alike


def test_scores_weigh_dimensions_by_points(world, customers):
    survey, _ = world
    found = sq.satisfaction_index(survey, replicates=200).set_index("score")
    sides = dimension_scores(customers.perceive, customers.instrument)[list(customers.points)], customers.points
    full = sides[0].notna().all(axis=1) & sides[1].notna().all(axis=1)
    rating, points = (np.average(side[full], axis=0, weights=customers.people.weight[full]) for side in sides)
    assert found.value["weighted"] == pytest.approx(points @ rating / points.sum())
    planted = np.array([worlds.IMPORTANCE[dimension] for dimension in customers.points])
    assert points / points.sum() == pytest.approx(planted / planted.sum(), abs=0.02)


def test_what_an_instrument_does_not_ask_is_said(survey):
    without = survey.instrument.model_copy(update={"outcomes": {}})
    silent = type(survey)(**{**survey.__dict__, "instrument": without})
    for found in (sq.key_drivers(silent), sq.asymmetric_impact(silent)):
        assert set(found.reason) == {"satisfaction was not asked"}
    assert sq.satisfaction_predictor(silent).reason == "satisfaction was not asked"
    assert set(sq.improvement_priorities(silent).reason) == {"neither importance nor satisfaction was asked"}
    assert list(sq.loyalty_by_satisfaction(silent).reason) == ["satisfaction was not asked; loyalty was not asked"]
    assert list(sq.net_promoter_score(silent).reason) == ["whether customers would recommend was not asked"]
    assert list(sq.complaint_resolution(silent).reason) == ["whether complaints were resolved was not asked"]
    assert sq.checks.top_box_more_loyal(sq.loyalty_by_satisfaction(silent)).outcome == "not applicable"
    with pytest.raises(InputError, match="outcome 'mood': the instrument has none of this name"):
        sq.key_drivers(survey, outcome="mood")
