"""Change between waves of the same customers, and whether both waves measure the same."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab import service_quality as sq
from crmlab.contracts import InputError
from crmlab.service_quality.models.changes import _comparable, _moments
from crmlab.service_quality.models.structure import Moments, Places, Structure, rmsea, solve

from .rates import two_waves, waves_rejected

checks = sq.checks


def test_the_change_is_that_of_pairs():
    held = two_waves(n=200)
    table = sq.wave_changes(held, replicates=200).set_index("dimension")
    before, after = (held.perceive[held.people.wave == wave].reset_index(drop=True) for wave in "12")
    for name, items in held.instrument.dimensions.items():
        pair = after[items].mean(axis=1), before[items].mean(axis=1)
        route = stats.ttest_rel(*pair)
        ends = route.confidence_interval()
        row = table.loc[name, ["change", "p", "ci_low", "ci_high"]]
        assert row.tolist() == pytest.approx([(pair[0] - pair[1]).mean(), route.pvalue, *ends])
        assert table.after[name] - table.before[name] == pytest.approx(table.change[name])
        assert table.simultaneous_ci_low[name] < table.ci_low[name]
    assert table.loc["overall", "simultaneous_ci_low"] == pytest.approx(table.loc["overall", "ci_low"])
    assert set(table.waves) == {"1 to 2"}


def test_only_those_who_answered_in_both_count_whatever_their_order():
    held = two_waves(n=200)
    rng = np.random.default_rng(3)
    order = rng.permutation(400)[:330]
    frames = {
        name: frame.iloc[order].reset_index(drop=True)
        for name, frame in vars(held).items()
        if isinstance(frame, pd.DataFrame) and len(frame) == 400
    }
    some = sq.Survey(**vars(held) | frames)
    table = sq.wave_changes(some, replicates=100).iloc[0]
    wide = (
        some.perceive[["a1", "a2", "a3", "a4"]].mean(axis=1).groupby([some.people.respondent, some.people.wave]).first()
    )
    apart = wide.unstack().dropna()
    assert table.n == len(apart) < 165
    assert table.change == pytest.approx((apart["2"] - apart["1"]).mean())


@pytest.mark.parametrize(
    ("world", "comparable", "rises"),
    [
        ({}, "yes", "yes"),
        ({"rise": 0.0}, "yes", "undecided"),
        ({"rise": -0.5}, "yes", "no"),
        ({"shift": 0.6}, "no", "not applicable"),
        ({"loading": 0.5}, "no", "not applicable"),
        ({"n": 60}, "undecided", "undecided"),
    ],
)
def test_waves_are_compared_only_where_loadings_and_intercepts_are_equal(world, comparable, rises):
    table = sq.wave_changes(two_waves(**world), replicates=100).set_index("dimension")
    assert (table.comparable["a"], table.comparable["overall"]) == (comparable, comparable)
    assert table.comparable["b"] == ("undecided" if comparable == "undecided" else "yes")
    held, rose = checks.waves_comparable(table.reset_index()), checks.answers_rose(table.reset_index())
    assert held.outcome == {"yes": "passed", "no": "failed", "undecided": "undecided"}[comparable]
    assert rose.outcome == rises
    if comparable == "no":
        assert "loadings or intercepts differ in a." in held.summary
        assert rose.summary == "Not judged: not comparable: a."
    if comparable == "undecided":
        assert rose.recommendation == "Judge first whether the waves can be compared."
        assert "holds 0.08" in table.reason["a"]
    if rises == "yes":
        assert rose.summary.endswith("of the comparable dimensions, by simultaneous intervals: a, b rose.")


def test_intercepts_that_moved_are_seen_by_the_second_step_and_loadings_by_the_first():
    moved, turned = (
        sq.wave_changes(two_waves(**world), replicates=100).iloc[0] for world in ({"shift": 0.6}, {"loading": 0.5})
    )
    assert moved.loadings_p > 0.01 > moved.intercepts_p
    assert turned.loadings_p < 0.001
    assert (moved.loadings_df, moved.intercepts_df) == (3, 3)


def test_the_rmsea_is_of_both_steps_together():
    row = sq.wave_changes(two_waves(n=300, shift=0.2), replicates=100).iloc[0]
    chi2 = row.loadings_chi2 + row.intercepts_chi2
    assert [row.rmsea, row.rmsea_ci_low, row.rmsea_ci_high] == pytest.approx(rmsea(chi2, 6, 300), rel=1e-4)


def test_waves_that_measure_the_same_are_seldom_said_not_to():
    rejected, unlike = waves_rejected(8)
    assert rejected <= 3 / 16
    assert unlike == 0


def test_invariance_over_schools_is_that_of_lavaan():
    # lavaan's tutorial on groups: configural 115.851 on 48, loadings equal 124.044 on 54, intercepts too 164.103 on 60
    examples = pytest.importorskip("semopy.examples", reason="semopy is not installed")
    raw = examples.holzinger39.get_data()
    items = [f"x{i}" for i in range(1, 10)]
    owner, item = np.repeat(np.arange(3), 3), np.arange(9)
    samples = []
    for _, rows in raw.groupby("school"):
        table = rows[items].astype(float)
        samples.append(Moments(len(table), table.mean().to_numpy(), np.cov(table.T, bias=True)))
    found = []
    for step in ("configural", "loadings", "intercepts"):
        places, structures, shared = Places(), [], {}
        for number, sample in enumerate(samples):
            fresh = {
                "loadings": places.free((9, 3), item, owner, start=0.7) if not number or step == "configural" else None,
                "intercepts": places.free((9,), item, start=sample.mean)
                if not number or step != "intercepts"
                else None,
            }
            shared |= {name: place for name, place in fresh.items() if place is not None}
            between, means = places.correlations(3), np.full(3, -1)
            if number and step != "configural":
                between[np.arange(3), np.arange(3)] = places.free((3,), np.arange(3), start=1.0)
            if number and step == "intercepts":
                means = places.free((3,), np.arange(3))
            unique = places.free((9, 9), item, item, start=0.5)
            parts = {"loadings": np.zeros((9, 3)), "between": np.eye(3), "unique": np.zeros((9, 9)),
                     "intercepts": np.zeros(9), "means": np.zeros(3)}  # fmt: skip
            where = {"loadings": shared["loadings"], "between": between, "unique": unique,
                     "intercepts": shared["intercepts"], "means": means}  # fmt: skip
            structures.append(Structure({name: (fixed, where[name]) for name, fixed in parts.items()}))
        solution = solve(samples, structures, np.array(places.starts))
        found.append((solution.chi2, solution.df))
    assert [df for _, df in found] == [48, 54, 60]
    assert [chi2 for chi2, _ in found] == pytest.approx([115.851, 124.044, 164.103], abs=5e-3)


def test_moments_are_those_that_maximum_likelihood_takes():
    # both waves of an item over one spread and about one centre, covariances divided by n
    held = pd.DataFrame({0: [1.0, 2, 3, 6], 1: [2.0, 2, 4, 8]})
    found, spread = _moments(held, None, 4.0), np.sqrt((3.5 + 6) / 2)
    assert found.covariance == pytest.approx(np.cov(held.T, bias=True) / spread**2)
    assert list(found.mean) == pytest.approx([-0.5 / spread, 0.5 / spread])


def test_two_items_and_few_customers_leave_it_undecided():
    held = two_waves(n=100)
    frames = [held.perceive[held.people.wave == wave].reset_index(drop=True) for wave in "12"]
    two = _comparable([each[["a1", "a2"]] for each in frames], None, 0.08, "")
    assert (two["comparable"], two["reason"]) == ("undecided", "2 items: invariance needs 3")
    few = _comparable([each[:16][["a1", "a2", "a3", "a4"]] for each in frames], None, 0.08, "")
    assert few["reason"] == "16 answered all in both waves: more than 16 are needed"
    same = _comparable([each.assign(a2=each.a1)[["a1", "a2", "a3"]] for each in frames], None, 0.08, "")
    assert same["reason"].startswith("an item is the sum of others")


def test_weights_of_the_later_wave_count():
    held = two_waves(n=200)
    weight = np.random.default_rng(4).gamma(2, size=400)
    weighted = sq.Survey(**vars(held) | {"people": held.people.assign(weight=weight)})
    before, after = (held.perceive[held.people.wave == wave].mean(axis=1).to_numpy() for wave in "12")
    row = sq.wave_changes(weighted, replicates=100).iloc[-1]
    assert row.change == pytest.approx(np.average(after - before, weights=weight[200:]))


def test_what_has_no_wave_before_is_blank():
    table = sq.wave_changes(two_waves(n=60), "1")
    assert table.attrs["reason"] == "customers answered in no wave before this one"
    assert checks.waves_comparable(table).outcome == checks.answers_rose(table).outcome == "not applicable"
    assert sq.wave_changes(two_waves(n=60), battery="expect").attrs["reason"] == "expectations were not asked"
    with pytest.raises(InputError, match="wave '3'"):
        sq.wave_changes(two_waves(n=60), "3")
    with pytest.raises(InputError, match="there is none of this name"):
        sq.wave_changes(two_waves(n=60), battery="perceived")
