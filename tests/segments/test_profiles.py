"""Segments are profiled on what they were not made of, each effect with its chance after Holm."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats.contingency import association
from statsmodels.stats.multitest import multipletests

from crmlab.display import show
from crmlab.segments.models import profiles
from crmlab.segments.models.profiles import segment_differences, segment_means

from .refusals import refused

COUNT = 600
RNG = np.random.default_rng(1)
LABELS = pd.Series(pd.Categorical(np.repeat(["high", "low", "none"], COUNT // 3), ordered=True), name="scheme")
FRAME = pd.DataFrame(
    {
        "spend": RNG.normal(size=COUNT),
        "age": RNG.normal(size=COUNT) + np.repeat([1.0, 0, 0], COUNT // 3),  # planted
        "noise": RNG.lognormal(size=COUNT),
        "city": np.where(RNG.random(COUNT) < np.repeat([0.8, 0.5, 0.5], COUNT // 3), "north", "south"),  # planted
        "dice": RNG.integers(0, 6, COUNT).astype(str),
        "same": 7,
    }
)


def found(**options):
    return segment_differences(LABELS, FRAME, ["spend"], **options).set_index("variable")


def test_planted_differences_are_found_and_no_others():
    table = found()
    assert table.outcome[["age", "city"]].tolist() == ["differs", "differs"]
    assert table.outcome[["noise", "dice"]].tolist() == ["undecided"] * 2
    assert (table.ci_low <= table.value)[table.value > 0].all()
    assert (table.value <= table.ci_high)[table.value.notna()].all()


def test_what_segments_were_made_of_is_described_and_not_tested():
    table, alone = found(), segment_differences(LABELS, FRAME, [*FRAME], replicates=5)
    held = table.loc["spend"]
    assert held.outcome == "described"
    assert np.isnan([held.p, held.p_adjusted]).all()
    assert held.reason == "not tested, as segments were made of it or of the same orders"
    assert held.value >= 0
    assert set(alone.outcome) == {"described", "no value"}
    assert alone.p.isna().all()
    # it counts for nothing in the family of tests
    without = segment_differences(LABELS, FRAME.drop(columns="spend"), []).set_index("variable")
    pd.testing.assert_series_equal(
        table.p_adjusted.drop("spend"), without.p_adjusted.reindex(table.index.drop("spend"))
    )


def test_chances_are_those_of_scipy_and_statsmodels():
    table = found()
    groups = [FRAME.age[k == LABELS] for k in LABELS.cat.categories]
    assert table.p["age"] == pytest.approx(stats.f_oneway(*groups).pvalue)
    crossed = pd.crosstab(LABELS, FRAME.city)
    assert table.p["city"] == pytest.approx(stats.chi2_contingency(crossed, correction=False).pvalue)
    known = table.p.dropna()
    np.testing.assert_allclose(table.p_adjusted[known.index], multipletests(known, method="holm")[1])


def test_cramers_v_without_its_bias_is_the_same_whichever_side_is_the_wider():
    # rows 6 2 2 and 1 4 5, by hand: χ² = 2 × 6.25 / 3.5 + 2 × 1 / 3 + 2 × 2.25 / 3.5, less 2 / 19 of 20 customers;
    # two rows count as 2 − 1 / 19, three columns as 3 − 4 / 19
    cells = [(0, 0)] * 6 + [(0, 1)] * 2 + [(0, 2)] * 2 + [(1, 0)] + [(1, 1)] * 4 + [(1, 2)] * 5
    two, three = np.array(cells).T
    expected = np.sqrt(((12.5 / 3.5 + 2 / 3 + 4.5 / 3.5) / 20 - 2 / 19) / (1 - 1 / 19))
    assert [profiles._cramer(two, three)[0], profiles._cramer(three, two)[0]] == pytest.approx([expected, expected])


def test_a_p_is_shown_as_one():
    shown = repr(show(segment_differences(LABELS, FRAME, ["spend"], ["age"], replicates=5)))
    assert "< .001" in shown
    assert "e-" not in shown


def test_effects_are_less_what_chance_gives():
    table = found()
    groups = FRAME.age.groupby(LABELS, observed=True)
    plain = 1 - ((FRAME.age - groups.transform("mean")) ** 2).sum() / ((FRAME.age - FRAME.age.mean()) ** 2).sum()
    assert table.value["age"] == pytest.approx(1 - (1 - plain) * (COUNT - 1) / (COUNT - 3))  # Kelley 1935
    v = association(pd.crosstab(LABELS, FRAME.city), method="cramer")
    phi2, rows = v**2 - 2 / (COUNT - 1), 3 - 4 / (COUNT - 1)  # Bergsma 2013
    assert table.value["city"] == pytest.approx(np.sqrt(phi2 / (min(rows, 2 - 1 / (COUNT - 1)) - 1)))


def test_intervals_of_an_effect_hold_it_in_nineteen_of_twenty_samples():
    hits, truth = 0, (1 / 4) / (1 + 1 / 4)  # two equal halves a standard deviation apart
    labels = pd.Series(np.repeat(["a", "b"], 150))
    for seed in range(60):
        x = np.random.default_rng([9, seed]).normal(size=300) + np.repeat([1.0, 0], 150)
        row = segment_differences(labels, pd.DataFrame({"x": x}), [], replicates=200).iloc[0]
        hits += row.ci_low <= truth <= row.ci_high
    assert hits >= 52  # of 60; .95 would give 57, and fewer than 52 once in a hundred


def test_what_is_the_same_for_all_is_a_stated_blank():
    row = found().loc["same"]
    assert np.isnan(row.value)
    assert (row.outcome, row.reason) == ("no value", "it is the same for all customers")
    single = segment_differences(LABELS.where(LABELS == "high", "high"), FRAME, ["spend"], replicates=5)
    assert single.outcome.eq("no value").all()
    assert single.reason.eq("all are of one segment").all()


def test_bad_columns_are_named_at_once():
    frame = FRAME.assign(age=FRAME.age.where(FRAME.age > 0))
    said = refused(segment_differences, LABELS, frame, ["spend"], ["spend", "age", "visits"])
    assert "no visits" in said[0]
    assert "'age' is empty for" in said[1]
    assert (
        "lack 600 labelled customers" in refused(segment_differences, LABELS, FRAME.set_index(FRAME.index + 999), [])[0]
    )


def test_means_are_by_segment_and_of_all():
    table = segment_means(LABELS, FRAME, ["age", "same"])
    assert table.age["high"] == pytest.approx(FRAME.age[:200].mean())
    assert table.age["all"] == pytest.approx(FRAME.age.mean())
    assert table.customers.tolist() == [200, 200, 200, 600]


def test_what_is_not_known_for_all_is_a_stated_blank_unless_it_was_asked_for():
    labels = pd.Series(["a", "b"] * 50)
    features = pd.DataFrame({"x": np.arange(100.0), "strength": [np.nan, 1.0, *range(98)]})
    table = segment_differences(labels, features, [], replicates=10).set_index("variable")
    assert table.loc["strength", ["outcome", "reason"]].tolist() == ["no value", "it is empty for 1 of 100 customers"]
    assert table.loc["x", ["outcome", "reason"]].tolist() == ["undecided", ""]
    assert "'strength' is empty for 1 of 100" in refused(segment_differences, labels, features, [], ["strength"])[0]
