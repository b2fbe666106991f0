"""Worlds with planted gaps: intervals hold them, and families of tests err as rarely as they say."""

import tomllib

import numpy as np
import pytest
from scipy.stats import norm

from crmlab.service_quality import Instrument, validate_survey
from crmlab.service_quality.models.gaps import gap_scores
from crmlab.simulate.instrument import instrument_toml
from crmlab.simulate.survey import World, simulate_survey
from crmlab.stats.comparisons import holm
from crmlab.stats.differences import Sample, one_sample

from .gap_worlds import survey


def truth(mean, spread, high=7):
    """Mean of a normal opinion rounded and clipped to 1 … high."""
    edges = (np.arange(1.5, high) - mean) / spread
    return 1 + norm.sf(edges).sum()


def planted(surveys, n, means, seed):
    """Many small surveys in one, each a dimension of its own: item answers share its respondents' halo."""
    rng = np.random.default_rng(seed)
    items = len(means[0])
    halo = 0.6 * np.repeat(rng.normal(size=(n, surveys)), items, axis=1)
    expect, perceive = (
        np.clip(np.round(np.tile(m, surveys) + halo + 0.8 * rng.normal(size=halo.shape)), 1, 7) for m in means
    )
    return survey({f"{i}-": items for i in range(surveys)}, expect=expect, perceive=perceive)


def test_planted_gaps_lie_inside_their_intervals_at_the_nominal_rate():
    expect_at, perceive_at = [5.5, 6.2, 4.8], [4.6, 5.9, 5.0]
    held = planted(600, 60, (expect_at, perceive_at), seed=11)
    true = np.array([truth(p, 1) - truth(e, 1) for e, p in zip(expect_at, perceive_at, strict=True)])
    table, error = gap_scores(held, replicates=500), np.sqrt(0.95 * 0.05 / 600)
    at = np.tile(true, 600)
    inside = ((table.ci_low <= at) & (at <= table.ci_high)).to_numpy().reshape(600, 3).mean(axis=0)
    booted = ((table.bootstrap_ci_low <= at) & (at <= table.bootstrap_ci_high)).to_numpy().reshape(600, 3).mean(axis=0)
    whole = gap_scores(held, by="dimension", replicates=1)[:-1]
    assert (np.abs(inside - 0.95) < 3.5 * error).all()
    assert abs(((whole.ci_low <= true.mean()) & (true.mean() <= whole.ci_high)).mean() - 0.95) < 3.5 * error
    assert (booted > 0.95 - 0.02 - 3.5 * error).all()  # percentiles of 60 answers are a little short


@pytest.mark.slow
def test_gaps_of_simulated_surveys_lie_inside_their_intervals_at_the_nominal_rate():
    # 500 surveys of 90 customers, whose dimensions stand side by side in one: with regions, straight-liners, codes for
    # missing and not applicable. The truth is the simulator's, after rounding and clipping
    world, surveys, size = World(), 500, 90
    raw, truth = simulate_survey(world, customers=surveys * size, seed=7)
    asked = validate_survey(raw, Instrument.model_validate(tomllib.loads(instrument_toml(world))))
    beside = [
        frame.to_numpy().reshape(surveys, size, 22).transpose(1, 0, 2).reshape(size, -1)
        for frame in (asked.expect, asked.perceive)
    ]
    sizes = {f"{i}-{d}": n for i in range(surveys) for d, n in world.dimensions.items()}
    held = survey(sizes, expect=beside[0], perceive=beside[1])
    scores = gap_scores(held, by="dimension", replicates=1)[:-1]
    inside = [
        ((table.ci_low <= np.tile(true, surveys)) & (np.tile(true, surveys) <= table.ci_high))
        .to_numpy()
        .reshape(surveys, -1)
        for table, true in ((gap_scores(held, replicates=1), truth.items.gap), (scores, truth.dimensions.gap))
    ]
    rate, error = np.hstack(inside).mean(axis=0), np.sqrt(0.95 * 0.05 / surveys)
    assert len(rate) == 22 + 5
    assert (np.abs(rate - 0.95) < 3.5 * error).all()
    assert abs(rate[:22].mean() - 0.95) < 0.01


def test_weighted_intervals_hold_what_the_weights_restore():
    # half of those who are hard to please answer, and count double
    rng, inside = np.random.default_rng(5), []
    true = (truth(4, 1) + truth(5.5, 1)) / 2 - truth(5.5, 1)
    for _ in range(600):
        hard = rng.random(120) < 1 / 3
        perceive = np.clip(np.round(np.where(hard, 4, 5.5) + rng.normal(size=120)), 1, 7)
        expect = np.clip(np.round(5.5 + rng.normal(size=120)), 1, 7)
        found = one_sample(Sample.of(perceive - expect, np.where(hard, 2.0, 1.0)))
        inside.append(found["ci_low"] <= true <= found["ci_high"])
    assert abs(np.mean(inside) - 0.95) < 3.5 * np.sqrt(0.95 * 0.05 / 600)


def test_null_surveys_err_in_a_family_no_more_often_than_once_in_twenty():
    table = gap_scores(planted(600, 60, ([5.2] * 8, [5.2] * 8), seed=2), replicates=1)
    for p in (table.p, table.signed_rank_p):
        wrong = (holm(p, table.dimension) < 0.05).groupby(table.dimension).any()
        assert len(wrong) == 600
        assert wrong.mean() <= 0.05 + 2.6 * np.sqrt(0.05 * 0.95 / 600)
        assert wrong.mean() > 0.01  # not by never speaking
        assert (p < 0.05).groupby(table.dimension).any().mean() > 0.2  # as it would be without Holm
