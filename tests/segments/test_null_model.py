"""Clusters are shown where they were planted, and hardly ever where there is one kind of customer."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import adjusted_rand_score

from crmlab.segments.checks import customers_form_clusters
from crmlab.segments.models.clusters import KMeans
from crmlab.segments.models.null_model import Margin, UnimodalNull, clusters_by_silhouette, null_comparison, p_value

from .rates import SMALL, clusters_claimed
from .refusals import blank, refused
from .worlds import COLUMNS, one_kind, planted


def test_few_worlds_of_one_kind_show_clusters():
    assert clusters_claimed(3) <= stats.binom.ppf(0.975, 12, 0.05)  # the bench counts over 50 of each kind


@pytest.mark.parametrize("seed", range(3))
def test_planted_clusters_are_shown_and_found(seed):
    frame, kind = planted(seed)
    table = null_comparison(frame, COLUMNS, **SMALL)
    check = customers_form_clusters(table)
    assert (check.id, check.kind, check.outcome) == ("segments.customers_form_clusters", "finding", "yes")
    assert check.summary.startswith("With 3 clusters of 200 of 300 customers the silhouette is ")
    assert clusters_by_silhouette(table).value == 3
    labels = KMeans.fit(frame, int(table.k[0]), COLUMNS).assign(frame)
    assert adjusted_rand_score(kind, labels) > 0.9


def test_skewed_customers_of_one_kind_show_no_clusters():
    table = null_comparison(one_kind("lognormal", 1), COLUMNS, "raw", **SMALL)
    check = customers_form_clusters(table)
    assert table.silhouette[0] > 0.5  # which alone would be taken for clusters
    assert check.outcome == "undecided"
    assert check.summary.startswith("No clusters are shown.")
    assert check.recommendation.startswith("Use classes by rules")
    assert len(table) == 20


def test_both_measures_must_beat_the_null():
    null = pd.DataFrame({"source": "null", "k": 2, "silhouette": 0.4, "prediction_strength": 0.9}, range(1, 20))
    null = null.assign(searched=30, customers=40)

    def outcome(silhouette, strength):
        seen = pd.DataFrame([["customers", 2, silhouette, strength, 30, 40]], columns=null.columns)
        return customers_form_clusters(pd.concat([seen, null])).outcome

    assert outcome(0.5, 0.95) == "yes"
    assert outcome(0.5, 0.9) == "undecided"
    assert outcome(0.4, 0.95) == "undecided"
    assert outcome(0.3, 0.95) == "no"  # less separate than every draw of one kind


@pytest.mark.parametrize("transform", ["raw", "log"])
def test_the_null_has_one_mode_on_the_scale_on_which_customers_are_clustered(transform, monkeypatch):
    fit, fitted = UnimodalNull.fit, []
    monkeypatch.setattr(UnimodalNull, "fit", lambda *given: fitted.append(fit(*given)) or fitted[0])
    null_comparison(one_kind("lognormal", 1, 60), COLUMNS, transform, **SMALL)
    assert {margin.log for margin in fitted[0].margins} == {transform == "log"}


def test_customers_of_nothing_come_where_nought_lies_among_the_values():
    above = Margin((3.0, 5.0), (0.0, 1.0), 0.4, False, False)
    assert above.quantile(np.array([0, 0.39, 0.4, 0.7, 1])).tolist() == pytest.approx([0, 0, 3, 4, 5])
    around = Margin((-2.0, 2.0), (0.0, 1.0), 0.5, False, False)  # a quarter below nought, a half there
    assert around.quantile(np.array([0, 0.125, 0.25, 0.5, 0.875, 1])).tolist() == pytest.approx([-2, -1, 0, 0, 1, 2])


@pytest.mark.parametrize("draws", [19, 25, 39, 50])
def test_the_limit_is_beaten_where_p_says_so(draws):
    null = pd.DataFrame({"source": "null", "k": 2, "silhouette": np.arange(draws) / 100, "prediction_strength": 0.5})
    null = null.assign(searched=30, customers=40)
    for value in np.arange(-0.005, draws / 100, 0.01):
        seen = pd.DataFrame([["customers", 2, value, 0.9, 30, 40]], columns=null.columns)
        values = customers_form_clusters(pd.concat([seen, null])).values
        assert (value > values["silhouette_limit"]) == (values["silhouette_p"] <= 0.05 + 1e-9)


def test_ending_early_changes_no_outcome():
    frame = one_kind("gaussian", 2, 200)
    early, whole = (null_comparison(frame, COLUMNS, "raw", stop_early=u, **SMALL) for u in (True, False))
    assert len(early) < len(whole)
    pd.testing.assert_frame_equal(early, whole.iloc[: len(early)])
    assert customers_form_clusters(whole).outcome != "yes"


def test_a_margin_keeps_zeros_and_whole_numbers():
    rng = np.random.default_rng(1)
    counts = rng.poisson(rng.gamma(0.8, 2.5, 3000))
    drawn = Margin.fit(counts).quantile((np.arange(3000) + 0.5) / 3000)
    assert (drawn == 0).mean() == pytest.approx((counts == 0).mean(), abs=1e-3)
    assert (drawn == np.round(drawn)).all()
    seen, found = (np.bincount(v.astype(int), minlength=40)[:6] / 3000 for v in (counts, drawn))
    np.testing.assert_allclose(found, seen, atol=0.012)  # a falling density needs no change but for noise


def test_a_margin_tells_refunds_from_zeros():
    values = np.r_[np.full(200, -5.0) - np.linspace(0, 1, 200), np.zeros(300), np.linspace(1, 9, 500)]
    drawn = Margin.fit(values).quantile((np.arange(1000) + 0.5) / 1000)
    assert (drawn == 0).sum() == 300
    assert (drawn < 0).sum() == pytest.approx(200, abs=40)  # between refunds and orders the valley is filled
    assert (np.diff(drawn) >= 0).all()


def test_a_margin_of_two_modes_is_given_one():
    values = np.r_[np.random.default_rng(1).normal(0, 1, 500), np.random.default_rng(2).normal(10, 1, 500)]
    margin = Margin.fit(values)
    density = np.diff(margin.shares) / np.diff(margin.edges)
    turns = np.sign(np.diff(density)[np.abs(np.diff(density)) > 1e-9])
    assert (np.diff(turns) <= 0).all()  # it rises, then falls, and never rises again
    assert ((values > 3) & (values < 7)).mean() < 0.01
    drawn = margin.quantile(np.linspace(0.001, 0.999, 999))
    assert ((drawn > 3) & (drawn < 7)).mean() > 0.15  # the valley is filled


def test_a_margin_of_one_mode_stays_as_it_is():
    values = np.random.default_rng(5).lognormal(0, 1, 2000)
    drawn = Margin.fit(values).quantile((np.arange(2000) + 0.5) / 2000)
    assert stats.ks_2samp(values, drawn).statistic < 0.03


def test_the_null_has_the_rank_correlation_of_the_data():
    frame = one_kind("gamma_poisson", 3, 1000)
    drawn = UnimodalNull.fit(frame, COLUMNS).sample(4000, np.random.default_rng(1))
    seen, found = (stats.spearmanr(f.orders, f.spend).statistic for f in (frame, drawn))
    assert found == pytest.approx(seen, abs=0.04)


def test_the_sample_is_said_where_it_is_used():
    table = null_comparison(one_kind("uniform", 1, 100), COLUMNS, "raw", **SMALL | {"sample_size": 60})
    assert table[["searched", "customers"]].drop_duplicates().to_numpy().tolist() == [[60, 100]]
    assert clusters_by_silhouette(table).n == 60
    assert " 60 of 100 customers" in customers_form_clusters(table).summary


def test_searches_are_the_same_from_run_to_run():
    frame = one_kind("uniform", 1, 100)
    again = [null_comparison(frame, COLUMNS, "raw", **SMALL | {"k_values": (2, 3)}) for _ in range(2)]
    pd.testing.assert_frame_equal(*again)


def test_bad_input_is_named():
    frame = one_kind("uniform", 1, 100)
    assert "give 19 draws or more" in refused(null_comparison, frame, COLUMNS, replicates=9)[0]
    assert "'spend' is 1 for all 100" in blank(null_comparison, frame.assign(spend=1), COLUMNS)
    assert "fewer than" in blank(null_comparison, frame[:20], COLUMNS)
    few = null_comparison(frame[:20], COLUMNS)
    assert customers_form_clusters(few).outcome == "not applicable"
    assert clusters_by_silhouette(few).reason == few.attrs["reason"]


def test_a_p_value_counts_the_customers_among_their_draws():
    table = pd.DataFrame({"silhouette": [0.5, 0.6, 0.5, 0.4, 0.1]})  # the customers, then four draws: two are as good
    assert p_value(table, "silhouette", 4) == 3 / 5
