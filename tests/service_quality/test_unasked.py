"""Surveys that asked only some of what can be asked: every table has its columns, and rows that say what is missing."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab import service_quality as sq
from crmlab.contracts import InputError
from crmlab.service_quality.models.asked import not_asked_reasons
from crmlab.service_quality.models.gaps import service_adequacy
from crmlab.service_quality.models.zone import zone_of_tolerance

from .gap_worlds import DIMENSIONS, answers, survey, world

DATA = Path(__file__).parents[2] / "data"
PROMISED = ["item", "dimension", "n", "expect", "perceive", "gap", "ci_low", "ci_high", "t", "p_adjusted", "d"]
LISTED = [*DIMENSIONS, "overall"]


@pytest.fixture(scope="module")
def example():
    return sq.read_survey(DATA / "example_survey.csv", sq.load_instrument(DATA / "example_survey.toml"))


def without(held, *measures):
    """A survey in which nobody was asked some batteries."""
    items = {name: item.model_copy(update=dict.fromkeys(measures)) for name, item in held.instrument.items.items()}
    empty = {measure: getattr(held, measure).iloc[:, :0] for measure in measures}
    return replace(held, instrument=held.instrument.model_copy(update={"items": items}), **empty)


@pytest.mark.parametrize(
    ("lacking", "told"), [("expect", "expectations were not asked"), ("perceive", "perceptions were not asked")]
)
def test_gaps_without_a_side_have_a_row_each_that_says_so(lacking, told):
    held = without(world(n=30), lacking)
    for by, names in (("item", list(held.instrument.items)), ("dimension", LISTED)):
        table = sq.gap_scores(held, by)
        assert table[by if by == "item" else "dimension"].to_list() == names
        assert list(table.columns[:11]) == PROMISED
        assert set(table.reason) == {told}
        assert (table.n == 0).all()
        assert table[["gap", "ci_low", "p", "p_adjusted", "bootstrap_ci_low"]].isna().all(axis=None)
        weighted = sq.weighted_gap_scores(held, by)
        assert len(weighted) == len(names)
        assert weighted.weighted_gap.isna().all()
    check = sq.checks.shortfall_larger_where_important(sq.weighted_gap_scores(held))
    assert (check.outcome, check.summary) == ("not applicable", f"Not judged: {told}.")


def test_an_item_that_lacks_a_side_has_a_row_and_the_others_their_numbers():
    held = world(n=50)
    rest = replace(held, expect=held.expect.drop(columns=["t1", "e1", "e2", "e3"]))
    table = sq.gap_scores(rest).set_index("item")
    assert list(table.index) == list(held.instrument.items)
    assert table.reason["t1"] == "expectations were not asked"
    kept = table.index.difference(["t1", "e1", "e2", "e3"])
    assert table.gap[kept].to_list() == sq.gap_scores(held).set_index("item").gap[kept].to_list()
    by_dimension = sq.gap_scores(rest, "dimension").set_index("dimension")
    assert by_dimension.reason.to_dict() == dict.fromkeys(LISTED, "") | {"empathy": "expectations were not asked"}
    assert by_dimension.gap["overall"] == pytest.approx(by_dimension.gap[["tangibles", "reliability"]].mean())


def test_items_that_lack_either_side_are_told_of_as_a_dimension():
    rng = np.random.default_rng(1)
    held = survey({"a": 2}, expect=answers(rng, 20, 2), perceive=answers(rng, 20, 2))
    held = replace(held, expect=held.expect[["a1"]], perceive=held.perceive[["a2"]])
    told = not_asked_reasons(held, "dimension", "expect", "perceive")
    assert told.to_dict() == dict.fromkeys(["a", "overall"], "no item of it was asked in all of them")
    assert sq.satisfaction_predictor(held).reason == "satisfaction was not asked"
    assert sq.gap_reliability(held).reason.to_list() == ["no item was asked in both"]


def test_perceptions_alone_are_all_there_is_to_servperf():
    held = world(n=200)
    alone = without(held, "expect")
    pd.testing.assert_frame_equal(sq.perception_scores(alone), sq.perception_scores(held))
    told = sq.scale_reliability(alone)
    assert told[told.battery == "perceive"].alpha.notna().all()
    assert told[told.battery != "perceive"].reason.to_list() == ["expectations were not asked"] * 2
    served = sq.perception_scores(without(held, "perceive"), by="dimension")
    assert served.dimension.to_list() == LISTED
    assert set(served.reason) == {"perceptions were not asked"}


def test_levels_that_were_not_asked_are_said():
    held = world(n=20)
    assert (
        set(service_adequacy(held).reason) == set(zone_of_tolerance(held).reason) == {"adequate levels were not asked"}
    )
    assert zone_of_tolerance(held, "dimension").dimension.to_list() == LISTED


def test_perceptions_alone_are_what_predicts_where_nothing_else_was_asked(example):
    customers = example.select("customer", 2)
    found = sq.satisfaction_predictor(without(customers, "expect"))
    assert (found.reason, found.recommendation) == ("expectations were not asked", "use the perceptions alone")
    check = sq.checks.gap_predicts_satisfaction(found)
    assert check.outcome == "not applicable"
    assert check.summary == "Not judged: expectations were not asked; use the perceptions alone."
    found = sq.satisfaction_predictor(without(customers, "perceive"))
    assert found.recommendation == "use expectation and perception side by side until it can be judged"


def test_models_of_perceptions_say_that_none_were_asked(example):
    silent = without(example.select("customer", 2), "perceive")
    told = "perceptions were not asked"
    for found in (sq.key_drivers(silent), sq.asymmetric_impact(silent), sq.improvement_priorities(silent)):
        assert set(found.reason) == {told}
    assert list(sq.key_drivers(silent).driver) == list(silent.instrument.dimensions)
    assert list(sq.improvement_priorities(silent)["item"]) == list(silent.instrument.items)
    assert {"quadrant", "stability", "decision", "dimension", "source"} <= set(sq.improvement_priorities(silent))
    assert sq.factor_structure(silent).reason == sq.measurement_model(silent).reason == told
    assert sq.discriminant_validity(silent).reason.to_list() == [told]
    assert set(sq.satisfaction_index(silent).reason) == {told}
    assert set(sq.response_frequencies(silent).reason) == {told}
    assert sq.all_segment_gap_scores(silent).reason.to_list() == [told]


def test_outcomes_that_nobody_answered_are_said(example):
    customers = example.select("customer", 2)
    silent = replace(customers, outcomes=customers.outcomes.assign(satisfaction=np.nan, recommend=np.nan))
    assert set(sq.key_drivers(silent).reason) == {"nobody answered satisfaction"}
    assert set(sq.improvement_priorities(silent).reason) == {"nobody answered satisfaction"}
    assert sq.loyalty_by_satisfaction(silent).reason.to_list() == ["nobody answered satisfaction"]
    unjudged = sq.checks.top_box_more_loyal(sq.loyalty_by_satisfaction(silent))
    assert (unjudged.outcome, unjudged.summary) == ("not applicable", "Not judged: nobody answered satisfaction.")
    assert sq.net_promoter_score(silent).reason.to_list() == ["nobody answered recommend"]
    assert sq.satisfaction_predictor(silent).reason == "nobody answered satisfaction"


def test_satisfaction_without_importance_is_the_simple_score_alone(example):
    customers = example.select("customer", 2)
    plain = replace(customers, points=customers.points.iloc[:, :0])
    found, with_points = (sq.satisfaction_index(held, replicates=50).set_index("score") for held in (plain, customers))
    assert found.loc["simple", ["value", "ci_low", "ci_high"]].to_list() == pytest.approx(
        with_points.loc["simple", ["value", "ci_low", "ci_high"]].to_list()
    )
    assert found.value[["weighted", "weighted less simple"]].isna().all()
    assert set(found.reason) == {"", "neither importance points nor ratings of importance from 0 were asked"}
    below = replace(plain, importance=plain.perceive)
    scales = plain.instrument.scales | {"importance": sq.Scale(low=-3, high=3)}
    below = replace(below, instrument=plain.instrument.model_copy(update={"scales": scales}))
    assert sq.satisfaction_index(below, replicates=50).value.notna().sum() == 1


def test_stated_importance_of_some_items_leaves_the_others_blank(example):
    customers = example.select("customer", 2)
    rated = replace(customers, importance=customers.expect[["Q1", "Q2", "Q9"]])
    found = sq.improvement_priorities(rated, replicates=20).set_index("item")
    assert list(found.index) == list(customers.instrument.items)
    assert found.importance.notna().sum() == 3
    assert found.reason["Q3"] == "ratings of importance were not asked"
    assert set(found.source) == {"stated"}
    one = sq.improvement_priorities(replace(rated, importance=rated.importance[["Q1"]]), replicates=20).set_index(
        "item"
    )
    assert one.reason["Q1"] == "no other attribute to lay a crosshair by"
    assert set(sq.improvement_priorities(customers, "stated").reason) == {"ratings of importance were not asked"}


def test_managers_asked_before_are_compared_with_customers_of_now_and_it_is_said(example):
    earlier = example.people.assign(wave=example.people.wave.where(example.people.audience == "customer", 1))
    apart = replace(example, people=earlier)
    found, same = (sq.gaps_model(held, wave=2).set_index("number") for held in (apart, example))
    assert found.state.to_list() == same.state.to_list()
    assert found.gap[[1, 5, 6, 7]].to_list() == same.gap[[1, 5, 6, 7]].to_list()
    assert found.waves.to_dict() == {
        1: "managers of wave 1, customers of wave 2",
        2: "wave 1",
        3: "wave 1",
        4: "wave 1",
        5: "",
        6: "staff of wave 1, customers of wave 2",
        7: "wave 1",
    }
    assert set(same.waves) == {""}
    now = apart.as_of(2)
    pd.testing.assert_frame_equal(sq.gaps_model(now).set_index("number"), found)
    assert any("managers" in warning for warning in now.warnings)


def test_what_is_no_survey_or_no_battery_is_refused_in_words():
    with pytest.raises(
        InputError, match=r"survey is of type str .*; give a Survey, as service_quality\.read_survey gives"
    ):
        sq.gap_scores("survey.csv")
    for function in (sq.response_frequencies, sq.factor_structure, sq.measurement_model, sq.discriminant_validity):
        with pytest.raises(InputError, match="battery = 'percieve': there is none of this name; did you mean"):
            function(world(n=9), "percieve")
