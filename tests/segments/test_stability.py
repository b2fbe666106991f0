"""Segments that stay, when customers are drawn anew or numbers slightly off, are told from those that do not."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from crmlab.segments import plots
from crmlab.segments.models import stability
from crmlab.segments.models.abc import ABC
from crmlab.segments.models.clusters import KMeans
from crmlab.segments.models.rfm import RFM

from .logs import simulated
from .refusals import blank, refused
from .worlds import COLUMNS, one_kind, planted


def test_jaccard_is_that_of_the_most_similar_segment():
    one, other = np.array([0, 0, 0, 1, 1, 2]), np.array([1, 1, 0, 0, 0, 0])
    # by hand: {0,1,2} and {0,1} share 2 of 3; {3,4} and {2,3,4,5} 2 of 4; {5} and those 1 of 4; nobody is in 3
    assert stability.jaccard(one, other, 4, 2) == pytest.approx([2 / 3, 1 / 2, 1 / 4, 0])


def test_planted_clusters_stay_and_too_many_dissolve():
    frame, kind = planted()  # three kinds were simulated
    fits = {"three": partial(KMeans.fit, k=3, columns=COLUMNS), "seven": partial(KMeans.fit, k=7, columns=COLUMNS)}
    table = stability.bootstrap_stability(fits, frame, 20)
    three, seven = (table[table.scheme == name] for name in fits)
    assert (three.outcome == "passed").all()
    assert (three.jaccard > 0.95).all()
    assert (three.dissolved == 0).all()
    assert (three.recovered == 20).all()
    assert seven.dissolved.sum() > 10
    assert seven.ari.iloc[0] < 0.9 < three.ari.iloc[0]
    assert three.customers.sum() == len(kind)
    assert table.outcome[table.jaccard_ci_high < 0.75].eq("failed").all()


def test_a_segment_is_judged_by_its_interval_and_not_by_its_mean():
    similar = pd.DataFrame({0: [0.9] * 4, 1: [0.5] * 4, 2: [0.7, 0.95, 0.95, 0.95], 3: [np.nan] * 4})
    found = stability._summarise(pd.DataFrame({"label": list("abcd")}), similar, np.ones(4), 0.95)
    assert found.outcome.tolist() == ["passed", "failed", "undecided", "no value"]
    assert found.jaccard[2] > 0.75


def test_a_segment_without_customers_says_so():
    table = stability.bootstrap_stability({"abc": ABC.fit}, simulated(200), 5).set_index("label")
    assert table.customers["no value"] == 0
    assert table.loc["no value", ["outcome", "reason"]].tolist() == ["no value", "nobody is in it"]


def test_a_scheme_that_fits_no_draw_says_so():
    seen = []

    def once(features):
        seen.append(features)
        return ABC.fit(features if len(seen) == 1 else features[:2])

    table = stability.bootstrap_stability({"abc": once}, simulated(100), 3)
    assert (table.replicates == 0).all()
    assert table.outcome.eq("not fitted").all()
    assert table.reason.eq("not fitted to any of 3 draws").all()


def test_a_scheme_that_was_not_fitted_says_why():
    frame = simulated(100)
    table = stability.bootstrap_stability({"nested": partial(RFM.fit, nested=True)}, frame, 3)
    assert table.outcome.tolist() == ["not fitted"]
    assert "fewer than the 125 that rfm needs" in table.reason[0]
    moved = stability.jitter_stability({"nested": RFM.fit(frame, nested=True), "abc": ABC.fit(frame)}, frame, (0.1,), 2)
    assert moved.reason[moved.scheme == "nested"].tolist() == table.reason.tolist()
    assert moved.changed[moved.scheme == "abc"].notna().all()


def test_jitter_moves_those_at_a_cut_only():
    frame = pd.DataFrame({"spend": [100.0, 99.0, 10.0, 9.9, 1.0]}, list("abcde"))
    table = stability.jitter_stability({"abc": ABC((50.0, 9.95), (0.8, 0.95))}, frame, (0.001, 0.02), 50)
    # by hand: of five, those with 10 and 9.9 stand within 2 % of the cut at 9.95, and nobody within .1 %
    held = table[table.label == "all"].set_index("perturbation")
    assert held.near_cut[0.001] == 0
    assert held.near_cut[0.02] == pytest.approx(2 / 5)
    assert 0 < held.changed[0.02] < 2 / 5
    assert table[table.label == "A"].changed.eq(0).all()


def test_jitter_keeps_whole_numbers_whole_and_text_alone():
    frame = simulated(300).assign(home_store="s1")
    off = stability._off(frame, 0.05, np.random.default_rng(1))
    assert (off.orders == np.round(off.orders)).all()
    assert off.orders[frame.orders < 10].equals(frame.orders[frame.orders < 10].astype(float))
    assert (off.spend / frame.spend - 1).abs().max() == pytest.approx(0.05, abs=0.002)
    assert off.home_store.equals(frame.home_store)


def test_more_is_off_more_change():
    frame = simulated(500)
    table = stability.jitter_stability({"rfm": RFM.fit(frame)}, frame, replicates=10)
    assert table[table.label == "all"].changed.is_monotonic_increasing


def test_a_scheme_is_jittered_by_the_same_draws_beside_others_as_alone():
    features = simulated()
    fitted = {"abc": ABC.fit(features), "rfm": RFM.fit(features)}
    together = stability.jitter_stability(fitted, features, (0.05, 0.1), 5)
    alone = [stability.jitter_stability({name: scheme}, features, (0.05, 0.1), 5) for name, scheme in fitted.items()]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))


def test_results_are_the_same_from_run_to_run_and_in_any_order_of_rows():
    frame = one_kind("lognormal", 1)
    mixed = frame.sample(frac=1, random_state=1)
    fits = {"two": partial(KMeans.fit, k=2, columns=COLUMNS)}
    pd.testing.assert_frame_equal(
        stability.bootstrap_stability(fits, frame, 5), stability.bootstrap_stability(fits, mixed, 5)
    )
    scheme = {"abc": ABC.fit(frame)}
    pd.testing.assert_frame_equal(stability.jitter_stability(scheme, frame), stability.jitter_stability(scheme, mixed))


def test_a_customer_who_is_drawn_twice_counts_once():
    frame, sizes = simulated(200), []
    stability.bootstrap_stability({"abc": lambda f: sizes.append((len(f), f.index.nunique())) or ABC.fit(f)}, frame, 20)
    assert all(n == kinds for n, kinds in sizes)
    assert np.mean([n for n, _ in sizes[1:]]) == pytest.approx(200 * (1 - 1 / np.e), abs=5)  # 126.4, standard error 1.4


def test_where_no_scheme_was_fitted_the_tables_say_why():
    frame = pd.DataFrame({"spend": [5.0]}, ["a"])
    why = str(ABC.fit(frame))
    found = stability.bootstrap_stability({"abc": ABC.fit}, frame, 2)
    assert (found.outcome.tolist(), found.reason.tolist()) == (["not fitted"], [why])
    (said,) = plots.bootstrap_stability(found).texts
    assert said.get_text().replace("\n", " ") == why
    assert blank(stability.jitter_stability, {"abc": ABC.fit(frame)}, frame) == f"none of 1 schemes was fitted: {why}"


def test_bad_input_is_named():
    assert "give one scheme" in refused(stability.bootstrap_stability, {}, simulated(50))[0]
    assert (
        "shares above 0" in refused(stability.jitter_stability, {"abc": ABC.fit(simulated(50))}, simulated(50), (5,))[0]
    )
