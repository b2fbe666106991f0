"""Signs of careless answering by loops, planted straight-liners, and what leaving them out would change."""

import itertools
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.service_quality.models.careless import (
    FLAGS,
    careless_responding,
    careless_sensitivity,
    careless_sensitivity_by_flag,
    even_odd,
    flag_counts,
    intra_individual_variability,
    long_string,
)
from crmlab.service_quality.models.gaps import gap_scores

from .gap_worlds import answers, survey

SIZES = {"tangibles": 4, "reliability": 5, "service": 4, "assurance": 4, "empathy": 5}


def world(n=1000, share=0.06, seed=1, holes=0.03, reversed=()):
    """A survey, and who was planted to tick one perception throughout; many honest expectations sit at the ceiling."""
    rng = np.random.default_rng(seed)
    expect, perceive = answers(rng, n, 22, 6.3, 0.8, 0.8), answers(rng, n, 22, 4.9, 1.0, 0.7)
    expect[: n // 4] = 7
    lazy = rng.random(n) < share
    perceive[lazy] = rng.integers(3, 8, (lazy.sum(), 1))
    turned = [i for i, name in enumerate(itertools.chain(*names().values())) if name in reversed]
    perceive[np.ix_(lazy, turned)] = 8 - perceive[np.ix_(lazy, turned)]  # ticked alike, turned round since
    perceive[rng.random(perceive.shape) < holes] = np.nan
    return survey(SIZES, expect=expect, perceive=perceive, reversed=reversed), lazy


def names():
    return {d: [f"{d[0]}{i + 1}" for i in range(n)] for d, n in SIZES.items()}


@pytest.mark.parametrize("reversed", [(), ("t2", "e1", "e3")])
def test_planted_straight_liners_are_found_and_hardly_anybody_else(reversed):
    held, lazy = world(n=4000, reversed=reversed)
    found = careless_responding(held).careless.to_numpy()
    assert found[lazy].mean() >= 0.95
    assert found[~lazy].mean() <= 0.02


def test_expectations_at_the_ceiling_are_no_carelessness():
    held, lazy = world()
    found = careless_responding(held)
    assert found.straightlining_expect[:250].all()
    assert not found.careless[:250][~lazy[:250]].any()


def test_a_long_string_is_the_longest_run_with_gaps_passed_over():
    rng = np.random.default_rng(2)
    rows = rng.integers(1, 4, (200, 9)).astype(float)
    rows[rng.random(rows.shape) < 0.2] = np.nan
    expected = [max((len([*run]) for _, run in itertools.groupby(row[~np.isnan(row)])), default=0) for row in rows]
    assert long_string(rows).tolist() == expected


def test_variability_is_the_deviation_within_a_respondent():
    rng = np.random.default_rng(3)
    rows = rng.integers(1, 8, (50, 6)).astype(float)
    rows[rng.random(rows.shape) < 0.3] = np.nan
    np.testing.assert_allclose(intra_individual_variability(rows), pd.DataFrame(rows).std(axis=1))


def test_even_odd_consistency_is_a_stepped_up_correlation_over_dimensions():
    rng = np.random.default_rng(4)
    rows = answers(rng, 60, 22)
    rows[rng.random(rows.shape) < 0.1] = np.nan
    frame = pd.DataFrame(rows, columns=list(itertools.chain(*names().values())))
    found = even_odd(frame, SimpleNamespace(dimensions=names()))
    for i, row in frame.iterrows():
        halves = pd.DataFrame([(row[held[::2]].mean(), row[held[1::2]].mean()) for held in names().values()]).dropna()
        r = halves[0].corr(halves[1])
        assert found[i] == pytest.approx(max(2 * r / (1 + r), -1), nan_ok=True)


def test_flat_answers_and_few_dimensions_have_no_even_odd():
    frame = pd.DataFrame(np.full((2, 22), 4.0), columns=list(itertools.chain(*names().values())))
    assert np.isnan(even_odd(frame, SimpleNamespace(dimensions=names()))).all()
    two = {d: held for d, held in names().items() if d in ("tangibles", "empathy")}
    assert np.isnan(even_odd(frame + np.arange(22), SimpleNamespace(dimensions=two))).all()


def test_answers_that_hang_together_are_more_consistent_than_random_ones():
    rng = np.random.default_rng(5)
    topics = np.repeat(rng.normal(size=(400, 5)), list(SIZES.values()), axis=1)
    sound = survey(SIZES, expect=4 + topics + 0.3 * rng.normal(size=(400, 22)), perceive=rng.integers(1, 8, (400, 22)))
    found = careless_responding(sound)
    assert found.inconsistent_expect.mean() < 0.05
    assert found.inconsistent_perceive.mean() > 0.4


def test_too_few_answers_say_nothing():
    held = survey({"a": 5}, expect=np.full((4, 5), 7), perceive=np.full((4, 5), 3))
    found = careless_responding(held)
    assert not found.careless.any()
    assert found[["perceive_long_string", "perceive_irv", "perceive_even_odd"]].isna().all(axis=None)


def test_flags_are_counted_of_those_who_could_show_them():
    held, _ = world()
    found = careless_responding(held)
    table = flag_counts(found).set_index("flag")
    assert table.flagged["straightlining_perceive"] == found.straightlining_perceive.sum()
    assert table.n["inconsistent_perceive"] == found.perceive_even_odd.notna().sum()
    assert table.share["straightlining_expect"] == pytest.approx(found.straightlining_expect.mean())


def test_sensitivity_shows_gaps_with_and_without_and_deletes_nobody():
    held, _ = world()
    marked = careless_responding(held).careless.to_numpy()
    table = careless_sensitivity(held, replicates=50)
    whole = gap_scores(held, by="dimension", replicates=50)
    assert table.gap.tolist() == whole.gap.tolist()
    assert (table.n - table.n_without).max() == marked.sum()
    apart = (held.perceive - held.expect)[~marked]
    for row in table[:-1].itertuples():
        assert row.gap_without == pytest.approx(apart[names()[row.dimension]].mean(axis=1).mean())
        assert row.difference == pytest.approx(row.gap_without - row.gap)
    assert len(held.people) == 1000


def test_a_gap_that_careless_answers_made_is_said_to_change():
    # the honest see no gap; a fifth tick 1 throughout
    rng = np.random.default_rng(6)
    expect = answers(rng, 400, 22, 5)
    perceive = answers(rng, 400, 22, 5)
    perceive[:80] = 1
    table = careless_sensitivity(survey(SIZES, expect=expect, perceive=perceive), replicates=100)
    assert table.conclusion_changes.all()
    honest = survey(SIZES, expect=expect[80:], perceive=perceive[80:])
    unchanged = careless_sensitivity(honest, flag=pd.Series(np.arange(320) < 3), replicates=100)
    assert not unchanged.conclusion_changes.any()


def test_all_careless_leaves_blanks_with_their_reason():
    held = survey(SIZES, expect=np.full((20, 22), 6) - np.arange(20)[:, None] % 2, perceive=np.full((20, 22), 4))
    table = careless_sensitivity(held, replicates=100)
    assert table.gap_without.isna().all()
    assert set(table.reason) == {"fewer than 2 pairs"}


def test_an_unknown_flag_is_refused():
    with pytest.raises(InputError, match="flag = 'lazy'"):
        careless_sensitivity(world()[0], flag="lazy")


def test_long_strings_and_little_variation_are_signs_beside_straight_lines():
    held, _ = world(n=400, holes=0.1)
    found = careless_responding(held)
    for battery in ("expect", "perceive"):
        ticked = getattr(held, battery).to_numpy()
        count = (~np.isnan(ticked)).sum(axis=1)
        runs = [max(len([*run]) for _, run in itertools.groupby(row[~np.isnan(row)])) for row in ticked]
        assert found[f"repetitive_{battery}"].to_list() == [run > n / 2 for run, n in zip(runs, count, strict=True)]
        assert (found[f"repetitive_{battery}"] >= found[f"straightlining_{battery}"]).all()
        spread = pd.DataFrame(ticked).std(axis=1)
        least = found[f"unvarying_{battery}"]
        assert spread[least].max() < spread[~least].min()
        assert least.sum() == max((spread == 0).sum(), least.sum()) <= max((spread == 0).sum(), 0.05 * 400)


def test_each_sign_is_left_out_by_itself_battery_by_battery():
    held, _ = world(n=300)
    table, found = careless_sensitivity_by_flag(held, replicates=100), careless_responding(held)
    assert table.flag.to_list() == list(FLAGS)
    assert table[["indicator", "battery"]].drop_duplicates().shape == (8, 2)
    for row in table.itertuples():
        alone = careless_sensitivity(held, row.flag, replicates=100).iloc[-1]
        assert (row.gap, row.gap_without, row.gap_without_ci_low) == (
            alone.gap,
            alone.gap_without,
            alone.gap_without_ci_low,
        )
        assert row.flagged == found[row.flag].sum()
    assert set(table.conclusion_changes) == {"none"}
