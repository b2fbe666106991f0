"""Simulated surveys give back what was planted in them."""

import importlib.util
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.service_quality import Instrument, read_survey, validate_survey
from crmlab.simulate.instrument import instrument_toml
from crmlab.simulate.survey import World, reported_mean, simulate_survey

DATA = Path(__file__).parents[2] / "data"


def admitted(world=None, **size):
    """A simulated survey past the door, and its truth."""
    world = world or World()
    table, truth = simulate_survey(world, **size)
    return validate_survey(table, Instrument.model_validate(tomllib.loads(instrument_toml(world)))), truth


@pytest.fixture(scope="module")
def large():
    return admitted(customers=12_000, managers=3000, staff=3000, waves=2, seed=5)


def test_a_reported_mean_is_that_of_rounded_and_clipped_opinions():
    drawn = np.clip(np.round(np.random.default_rng(0).normal(6.3, 1.2, 400_000)), 1, 7)
    assert reported_mean(6.3, 1.2, 1, 7)[0] == pytest.approx(drawn.mean(), abs=4 * drawn.std() / 400_000**0.5)
    assert reported_mean([4.0], 1.0, 1, 7)[0] == pytest.approx(4)


@pytest.mark.parametrize("measure", ["expect", "perceive", "adequate"])
def test_every_mean_is_the_planted_one(large, measure):
    found, truth = large
    for wave, rows in truth.items.groupby("wave"):
        seen = getattr(found.select(wave=wave), measure)
        error = (seen.mean().to_numpy() - rows[measure].to_numpy()) / (seen.std() / np.sqrt(seen.count())).to_numpy()
        assert np.abs(error).max() < 4.5


@pytest.mark.parametrize("audience", ["manager", "staff"])
def test_what_managers_and_staff_take_expectations_to_be_is_the_planted_estimate(large, audience):
    found, truth = large
    seen = found.select(audience).expect
    rows = truth.items[truth.items.wave == 2]
    error = (seen.mean().to_numpy() - rows[audience].to_numpy()) / (seen.std() / np.sqrt(seen.count())).to_numpy()
    assert np.abs(error).max() < 4.5


def test_dimensions_and_the_whole_are_means_of_items(large):
    _found, truth = large
    first = truth.items[(truth.items.wave == 1) & (truth.items.dimension == "tangibles")]
    row = truth.dimensions[(truth.dimensions.wave == 1) & (truth.dimensions.dimension == "tangibles")]
    assert row.gap.item() == pytest.approx(first.gap.mean())
    by_wave = truth.dimensions.groupby("wave").gap.mean()
    pd.testing.assert_series_equal(truth.overall, by_wave)
    assert by_wave[2] > by_wave[1], "perceptions improve"


def test_straight_liners_and_only_they_give_one_answer_to_all_perceptions(large):
    found, truth = large
    customers = (found.people.audience == "customer").to_numpy()
    spread = found.perceive[customers].max(axis=1) - found.perceive[customers].min(axis=1)
    straightlining = truth.straightlining[customers].to_numpy()
    assert 0.02 < straightlining.mean() < 0.04
    assert (spread[straightlining] == 0).all()
    assert (spread[~straightlining] == 0).mean() < 0.001


def test_codes_are_missing_at_the_planted_rates(large):
    found, _truth = large
    customers = found.select("customer")
    assert customers.expect.isna().to_numpy().mean() == pytest.approx(0.02, abs=0.002)
    assert customers.not_applicable.to_numpy().mean() == pytest.approx(0.02, abs=0.002)
    assert not found.select("manager").perceive.notna().to_numpy().any()


def test_points_sum_to_100_but_for_those_astray():
    table, _truth = simulate_survey(World(points_off_total=0.1), customers=2000, seed=1)
    sums = table[[f"W{i}" for i in range(1, 6)]].sum(axis=1).value_counts(normalize=True)
    assert set(sums.index) == {99, 100, 101}
    assert sums[100] == pytest.approx(0.9, abs=0.03)


def test_repurchase_at_each_level_of_satisfaction_is_planted_and_so_is_their_ratio(large):
    found, truth = large
    rows = found.select("customer").outcomes
    for level, probability in truth.loyalty_probability.items():
        said = rows.repurchase[rows.satisfaction == level]
        assert len(said) > 50
        assert said.mean() == pytest.approx(probability, abs=4.5 * np.sqrt(probability * (1 - probability) / len(said)))
    assert truth.top_box_risk_ratio == pytest.approx(6)


@pytest.mark.parametrize(("predictor", "follows"), [("gap", -1.0), ("perception", 0.0), ("both", -1 / 3)])
def test_satisfaction_follows_what_was_planted(predictor, follows):
    world = World(predictor=predictor, missing=0, not_applicable=0, straightlining=0, slope=0.5, adequate=None)
    found, truth = admitted(world, customers=20_000, seed=2)
    weights = truth.drivers / truth.drivers.sum()
    score = {
        name: sum(weights[d] * frame[items].mean(axis=1) for d, items in found.instrument.dimensions.items())
        for name, frame in (("expect", found.expect), ("perceive", found.perceive))
    }
    columns = np.column_stack([score["expect"], score["perceive"], np.ones(len(found.people))])
    b_expect, b_perceive, _ = np.linalg.lstsq(columns, found.outcomes.satisfaction, rcond=None)[0]
    assert b_perceive == pytest.approx(0.5, abs=0.06)
    assert b_expect / b_perceive == pytest.approx(follows, abs=0.08)


def test_a_world_of_other_dimensions_is_simulated_and_read():
    given = {"a": 3, "b": 2}
    means = {"a": 4.0, "b": 3.0}
    world = World(dimensions=given, expect=means, perceive=means, drivers=means, importance=means, high=5,
                  regions={"all": (1.0, 0.0)}, wave_change=0, adequate=None, straightlining=0)  # fmt: skip
    found, truth = admitted(world, customers=50, seed=1)
    assert found.perceive.shape == (50, 5)
    assert found.adequate.shape == (50, 0)
    assert truth.items.gap.abs().max() == 0, "a null world"


def test_the_same_seed_gives_the_same_survey():
    one, other = (simulate_survey(customers=30, managers=3, staff=3, waves=2, seed=7)[0] for _ in range(2))
    pd.testing.assert_frame_equal(one, other)
    assert not simulate_survey(customers=30, seed=8)[0].equals(simulate_survey(customers=30, seed=7)[0])


def test_the_example_survey_is_what_its_script_simulates():
    spec = importlib.util.spec_from_file_location("example_survey", DATA / "simulate_example_survey.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table, toml = module.example_survey()
    assert table.encode() == (DATA / "example_survey.csv").read_bytes()
    assert toml.encode() == (DATA / "example_survey.toml").read_bytes()


def test_the_example_survey_says_on_its_first_line_that_it_is_simulated_and_is_read():
    assert "simulated" in (DATA / "example_survey.toml").read_text().split("\n")[0].lower()
    found = read_survey(DATA / "example_survey.csv", DATA / "example_survey.toml")
    assert found.findings["survey"] == "example_survey.csv (simulated data, not real)"
    sizes = {who: len(found.select(who).people) for who in ("customer", "manager", "staff")}
    assert sizes == {"customer": 800, "manager": 40, "staff": 60}
    assert [len(names) for names in found.instrument.dimensions.values()] == [4, 5, 4, 4, 5]
    assert not found.dropped
    assert found.instrument.conventions.desired
