"""Gaps of segments: by pandas, and by the formula of empirical Bayes; small cells say nothing."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.contracts import InputError
from crmlab.service_quality.models.segments import NOT_GIVEN, segment_gap_scores

from .gap_worlds import answers, survey

SIZES = {"north": 120, "south": 80, "east": 29, "west": 5, "moon": 4}


def world(seed=1, sizes=SIZES, apart=0.0, **more):
    rng = np.random.default_rng(seed)
    label = np.repeat(list(sizes), list(sizes.values()))
    shift = dict(zip(sizes, apart * rng.normal(size=len(sizes)), strict=True))
    perceive = answers(rng, len(label), 5, 5) + 0 * len(label)
    perceive = np.clip(np.round(perceive + np.array([shift[name] for name in label])[:, None]), 1, 7)
    return survey(
        {"tangibles": 3, "empathy": 2},
        expect=answers(rng, len(label), 5, 5.8),
        perceive=perceive,
        people={"region": label},
        design={"segments": ["region"]},
        **more,
    )


def test_cells_are_the_gaps_of_those_in_them():
    held = world()
    table = segment_gap_scores(held, "region").set_index(["dimension", "segment"])
    apart = held.perceive - held.expect
    scores = {d: apart[n].mean(axis=1) for d, n in held.instrument.dimensions.items()}
    scores["overall"] = (scores["tangibles"] + scores["empathy"]) / 2
    for dimension, score in scores.items():
        for segment in ("all", "north", "south", "east", "west"):
            x = score if segment == "all" else score[held.people.region == segment]
            ends = stats.ttest_1samp(x, 0).confidence_interval()
            row = table.loc[(dimension, segment)]
            assert [row.n, row.gap, row.ci_low, row.ci_high] == pytest.approx([len(x), x.mean(), *ends])
    assert list(dict.fromkeys(table.index.get_level_values("segment"))) == [
        "all",
        "east",
        "moon",
        "north",
        "south",
        "west",
    ]


def test_cells_below_thirty_are_greyed_and_below_five_hold_no_value():
    table = segment_gap_scores(world(), "region")
    states = table.drop_duplicates("segment").set_index("segment").state.to_dict()
    assert states == {
        "all": "shown",
        "north": "shown",
        "south": "shown",
        "east": "greyed",
        "west": "greyed",
        "moon": "suppressed",
    }
    hidden = table[table.state == "suppressed"]
    assert hidden[["gap", "ci_low", "ci_high", "shrunken_gap", "shrinkage_weight"]].isna().all(axis=None)
    assert set(hidden.reason) == {"fewer than 5 answers"}
    shown = segment_gap_scores(world(sizes={"a": 30, "b": 200}), "region")
    assert set(shown.state) == {"shown"}


def test_small_cells_are_drawn_to_the_whole_by_the_formula():
    held = world(apart=0.6)
    table = segment_gap_scores(held, "region")
    rows = table[table.dimension == "tangibles"].set_index("segment")
    score = (held.perceive - held.expect)[held.instrument.dimensions["tangibles"]].mean(axis=1)
    cells = score.groupby(held.people.region)
    n, mean = cells.count(), cells.mean()
    within = cells.apply(lambda x: ((x - x.mean()) ** 2).sum()).sum() / (n.sum() - len(n))
    between = ((n * (mean - score.mean()) ** 2).sum() - (len(n) - 1) * within) / (n.sum() - (n**2).sum() / n.sum())
    shrinkage_weight = between / (between + within / n)
    assert between > 0
    for segment in ("north", "south", "east", "west"):
        assert rows.shrinkage_weight[segment] == pytest.approx(shrinkage_weight[segment])
        expected = score.mean() + shrinkage_weight[segment] * (mean[segment] - score.mean())
        assert rows.shrunken_gap[segment] == pytest.approx(expected)
    assert rows.shrinkage_weight["west"] < rows.shrinkage_weight["east"] < rows.shrinkage_weight["north"]
    assert rows.shrunken_gap["all"] == rows.gap["all"]


def test_segments_that_differ_by_no_more_than_noise_have_the_gap_of_the_whole():
    rows = np.tile([[4.0], [5], [6], [7]], (4, 1))
    held = survey(
        {"a": 1},
        expect=np.full_like(rows, 6),
        perceive=rows,
        people={"region": np.repeat(["one", "other"], 8)},
        design={"segments": ["region"]},
    )
    table = segment_gap_scores(held, "region")
    table = table[(table.dimension == "a") & (table.segment != "all")]
    assert table.shrinkage_weight.tolist() == [0, 0]
    assert table.shrunken_gap.tolist() == [-0.5, -0.5]


def test_shrunken_gaps_are_nearer_the_truth_than_raw_ones():
    raw, shrunken_gap = [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        size = rng.integers(6, 25, 12)
        label = np.repeat([f"s{i}" for i in range(12)], size)
        truth = dict(zip(dict.fromkeys(label), -0.5 + 0.3 * rng.normal(size=12), strict=True))
        perceive = 5 + np.array([truth[name] for name in label])[:, None] + rng.normal(size=(len(label), 1))
        held = survey(
            {"a": 1},
            expect=np.full_like(perceive, 5.0),
            perceive=perceive,
            people={"region": label},
            design={"segments": ["region"]},
        )
        table = segment_gap_scores(held, "region")
        table = table[(table.dimension == "a") & (table.segment != "all")]
        true = table.segment.map(truth)
        raw.append(((table.gap - true) ** 2).mean())
        shrunken_gap.append(((table.shrunken_gap - true) ** 2).mean())
    assert np.mean(shrunken_gap) < 0.8 * np.mean(raw)


def test_those_without_a_segment_are_told_apart_and_come_last():
    held = world()
    held.people.loc[:39, "region"] = None
    table = segment_gap_scores(held, "region")
    assert table.segment.unique()[-1] == NOT_GIVEN
    assert table[table.segment == NOT_GIVEN].n.tolist() == [40, 40, 40]
    sums = table[table.segment != "all"].groupby("dimension").n.sum()
    assert (sums == sum(SIZES.values())).all()


def test_weights_reach_the_cells():
    weight = np.random.default_rng(3).gamma(2, size=sum(SIZES.values()))
    held = world(weights=weight)
    table = segment_gap_scores(held, "region").set_index(["dimension", "segment"])
    there = (held.people.region == "north").to_numpy()
    score = (held.perceive - held.expect)[held.instrument.dimensions["empathy"]].mean(axis=1)
    row = table.loc[("empathy", "north")]
    assert row.gap == pytest.approx(np.average(score[there], weights=weight[there]))
    assert row.n_effective == pytest.approx(weight[there].sum() ** 2 / (weight[there] ** 2).sum())


def test_one_segment_alone_is_the_whole():
    table = segment_gap_scores(world(sizes={"only": 50}), "region").set_index(["dimension", "segment"])
    pd.testing.assert_series_equal(
        table.loc[("overall", "only"), ["n", "gap", "ci_low"]],
        table.loc[("overall", "all"), ["n", "gap", "ci_low"]],
        check_names=False,
    )


def test_a_segment_that_the_instrument_does_not_declare_is_refused():
    with pytest.raises(InputError, match=r"segment = 'tier': is no segment .*'region'"):
        segment_gap_scores(world(), "tier")
