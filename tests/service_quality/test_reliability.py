"""How reliably dimensions are measured: worlds with known loadings, and why rows are blank."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from crmlab.service_quality.models import factors as factor_models
from crmlab.service_quality.models.confirm import CFA
from crmlab.service_quality.models.covariance import (
    covariance_to_correlation,
    effective_n,
    pairwise_covariance,
)
from crmlab.service_quality.models.factors import Factors, HeywoodError, htmt, parallel_analysis
from crmlab.service_quality.models.reliability import (
    ALL,
    alpha_if_item_deleted,
    cronbach_alpha,
    cronbach_alpha_interval,
    mcdonald_omega,
    reliability_coefficients,
)

from .gap_worlds import world

DIMENSIONS = {d: [f"{d}{i}" for i in range(1, 5)] for d in "ABC"}
ITEMS = [item for items in DIMENSIONS.values() for item in items]
GENERAL, GROUP = 0.6, 0.5  # loadings of every item on what all share, and on its dimension


def answers(n, seed, general=GENERAL, group=GROUP):
    """Standardised answers of three dimensions behind which stands one general factor."""
    rng = np.random.default_rng(seed)
    own = np.repeat(rng.normal(size=(n, 3)), 4, axis=1)
    rest = np.sqrt(1 - general**2 - group**2)
    held = general * rng.normal(size=(n, 1)) + group * own + rest * rng.normal(size=(n, 12))
    return pd.DataFrame(held, columns=ITEMS)


def truth():
    """Correlations of that world."""
    same = np.kron(np.eye(3), np.ones((4, 4)))
    held = GENERAL**2 + GROUP**2 * same
    np.fill_diagonal(held, 1)
    return pd.DataFrame(held, ITEMS, ITEMS)


def test_omegas_of_a_known_world_are_its_own():
    # Schmid and Leiman: the general part of the sum is (12 x .6)², the common one adds 3 (4 x .5)²
    total = truth().to_numpy().sum()
    found = mcdonald_omega(truth(), 3)
    assert found["omega_hierarchical"] == pytest.approx((12 * GENERAL) ** 2 / total, abs=1e-5)
    assert found["omega_total"] == pytest.approx(((12 * GENERAL) ** 2 + 3 * (4 * GROUP) ** 2) / total, abs=1e-5)


def test_factors_are_turned_to_the_best_optimum_however_they_were_found():
    # the three dimensions explain alike, so that least squares may find their factors turned in any way
    planted = np.hstack([np.full((12, 1), GENERAL), GROUP * np.kron(np.eye(3), np.ones((4, 1)))])
    values, vectors = np.linalg.eigh(planted @ planted.T)
    found = vectors[:, -3:] * np.sqrt(values[-3:])
    for turn in [np.eye(3), *stats.ortho_group.rvs(3, 20, random_state=3)]:
        loadings, _ = factor_models._oblimin(found @ turn)
        assert (np.sort(np.abs(loadings), axis=1)[:, :2] < 1e-4).all(), "each item has one factor"


def test_a_large_sample_comes_near_the_truth():
    found = reliability_coefficients(answers(40_000, 1), DIMENSIONS).set_index("dimension")
    loading = GENERAL**2 + GROUP**2  # squared, of one factor a dimension
    whole = 16 * loading / (16 * loading + 4 * (1 - loading))
    for column in ("alpha", "alpha_standardised", "omega_total", "composite_reliability"):
        assert list(found[column][:3]) == pytest.approx([whole] * 3, abs=0.005)
    assert list(found.ave[:3]) == pytest.approx([loading] * 3, abs=0.01)
    assert found.loc[ALL, "omega_hierarchical"] == pytest.approx(
        mcdonald_omega(truth(), 3)["omega_hierarchical"], abs=0.01
    )
    assert found.omega_hierarchical[:3].isna().all()
    assert found.loc[ALL, ["composite_reliability", "ave"]].isna().all()
    assert set(found.reason[:3]) == {"omega_hierarchical is of all items only"}
    assert found.reason[ALL] == "composite_reliability and ave are of one factor, so of one dimension"


def test_the_interval_of_alpha_covers_it():
    loading = GENERAL**2 + GROUP**2
    whole = 16 * loading / (16 * loading + 4 * (1 - loading))
    rng = np.random.default_rng(1)
    true = np.full((4, 4), loading) + (1 - loading) * np.eye(4)
    found = [cronbach_alpha(np.cov(held.T)) for held in rng.multivariate_normal(np.zeros(4), true, (2_000, 120))]
    ends = [cronbach_alpha_interval(value, 4, 120) for value in found]
    covered = np.mean([low <= whole <= high for low, high in ends])
    assert covered == pytest.approx(0.95, abs=0.015)  # 3 standard errors of 2,000 surveys


def test_alpha_if_deleted_is_that_of_the_others():
    held = answers(200, 2)
    found = alpha_if_item_deleted(held, DIMENSIONS).set_index("item")
    others = {"rest": DIMENSIONS["A"][1:]}
    assert found.alpha_if_deleted["A1"] == pytest.approx(reliability_coefficients(held, others).alpha[0], rel=1e-12)
    assert found.item_rest_correlation["A1"] == pytest.approx(
        np.corrcoef(held.A1, held[others["rest"]].sum(axis=1))[0, 1], rel=1e-12
    )
    assert found["mean"]["B2"] == pytest.approx(held.B2.mean(), rel=1e-12)
    assert found.sd["B2"] == pytest.approx(held.B2.std(), rel=1e-12)


def test_rows_are_blank_with_their_reason():
    held = answers(200, 3).assign(B1=4.0)
    dimensions = {"two": ["A1", "A2"], "still": DIMENSIONS["B"], "one": ["A3"], "sound": DIMENSIONS["C"]}
    found = reliability_coefficients(held, dimensions).set_index("dimension")
    two = "alpha of 2 items rests on one correlation; omegas need 3 items, and there are 2"
    reasons = [two, "no variance in B1", "1 item: at least 2 are needed"]
    assert list(found.reason[:4]) == [*reasons, "omega_hierarchical is of all items only"]
    assert found.alpha.notna().to_list()[:4] == [True, False, False, True]
    assert found.omega_total.notna().to_list()[:4] == found.ave.notna().to_list()[:4] == [False, False, False, True]
    few = reliability_coefficients(held.iloc[:9], {"C": DIMENSIONS["C"]}).iloc[0]
    assert few.reason == "9 respondents answered its items in pairs: at least 10 are needed"
    deleted = alpha_if_item_deleted(held, dimensions).set_index("item")
    assert deleted.reason["B2"] == "no variance in B1"
    assert np.isnan(deleted.alpha_if_deleted["B2"])


def test_alpha_of_two_items_by_hand():
    # variances 2.5 and 2.5, covariance 2: alpha = 2 (1 - 5 / 9) = 8/9, which is 2r / (1 + r) of
    # r = .8; the F of its interval has 49 and 49 degrees of freedom (Feldt), so that its ends are reciprocal
    held = pd.DataFrame({"a": [1, 2, 3, 4, 5] * 10, "b": [2, 1, 3, 5, 4] * 10}).astype(float)
    row = reliability_coefficients(held, {"two": ["a", "b"]}).iloc[0]
    assert row.alpha == row.alpha_standardised == pytest.approx(8 / 9, rel=1e-12)
    reach = stats.f.ppf(0.975, 49, 49)
    assert [row.alpha_ci_low, row.alpha_ci_high] == pytest.approx([1 - reach / 9, 1 - 1 / reach / 9], rel=1e-12)
    items = alpha_if_item_deleted(held, {"two": ["a", "b"]})
    assert items.item_rest_correlation.tolist() == pytest.approx([0.8, 0.8])
    assert items.alpha_if_deleted.isna().all()
    assert set(items.reason) == {"alpha_if_deleted: one item would be left"}


def test_a_dimension_of_two_items_leaves_the_alpha_of_all_items():
    held = answers(200, 3)
    last = reliability_coefficients(held, {"two": ["A1", "A2"], "B": ["B1", "B2", "B3"]}).iloc[-1]
    assert last.alpha == pytest.approx(cronbach_alpha(held[["A1", "A2", "B1", "B2", "B3"]].cov()))
    assert (np.isnan(last.omega_total), last.reason) == (True, "omegas need 6 items, and there are 5")


def test_an_item_explained_wholly_keeps_its_alpha_and_loses_its_omega():
    held = pd.DataFrame([[1, 0.8, 0.8], [0.8, 1, 0.4], [0.8, 0.4, 1]], list("abc"), list("abc"))
    rng = np.random.default_rng(4)
    seen = pd.DataFrame(rng.multivariate_normal(np.zeros(3), held, 500), columns=list("abc"))
    row = reliability_coefficients(seen, {"d": list("abc")}).iloc[0]
    assert row.reason.endswith("(a Heywood case)")
    assert row.alpha > 0.7
    assert np.isnan(row.omega_total)
    with pytest.raises(HeywoodError, match="all of a and more"):
        factor_models.one_factor_loadings(held)


def test_covariances_of_pairs_are_those_of_pandas():
    rng = np.random.default_rng(5)
    held = answers(300, 5).where(rng.random((300, 12)) > 0.2)
    pd.testing.assert_frame_equal(pairwise_covariance(held), held.cov(), rtol=1e-10)
    pd.testing.assert_frame_equal(
        covariance_to_correlation(pairwise_covariance(held[["A1", "A2"]].dropna())), held[["A1", "A2"]].dropna().corr()
    )
    counts = held.notna().astype(int)
    assert effective_n(held) == (counts.T @ counts).to_numpy().min()


def test_weighted_covariances_are_those_of_numpy():
    held, weight = answers(300, 6), np.random.default_rng(6).random(300)
    found = pairwise_covariance(held, weight).to_numpy()
    assert found == pytest.approx(np.cov(held.T, aweights=weight), rel=1e-10)
    assert effective_n(held, weight) == pytest.approx(weight.sum() ** 2 / (weight**2).sum(), rel=1e-12)


def test_exploring_finds_the_planted_dimensions():
    held = answers(5_000, 7, general=0.4, group=0.7)
    found = Factors.fit(held)
    assert list(found.loadings.columns) == ["factor 1", "factor 2", "factor 3", "communality"]
    best = found.loadings.drop(columns="communality").abs().idxmax(axis=1)
    assert best.groupby(best.index.str[0]).nunique().to_list() == [1, 1, 1]
    assert best.nunique() == 3
    assert list(found.loadings.communality) == pytest.approx([0.4**2 + 0.7**2] * 12, abs=0.05)
    off = found.correlations.to_numpy()[np.triu_indices(3, 1)]
    assert list(off) == pytest.approx([0.16 / (0.16 + 0.49)] * 3, abs=0.05)


def test_the_samples_of_parallel_analysis_are_as_many_as_asked(monkeypatch):
    drawn = []
    monkeypatch.setattr(
        factor_models, "parallel_analysis", lambda *given: drawn.append(given) or parallel_analysis(*given)
    )
    factor_models.factor_structure(world(n=100), replicates=20, seed=2)
    assert drawn[0][2:] == (20, 2)


def test_parallel_analysis_keeps_what_is_above_chance():
    assert parallel_analysis(answers(1_000, 8, general=0.4, group=0.7)).retained.sum() == 3
    noise = pd.DataFrame(np.random.default_rng(9).normal(size=(500, 12)), columns=ITEMS)
    table = parallel_analysis(noise)
    assert table.retained.sum() <= 1
    # a second route: eigenvalues of correlations of drawn respondents
    rng = np.random.default_rng(10)
    first = [np.linalg.eigvalsh(np.corrcoef(rng.normal(size=(12, 500))))[-1] for _ in range(300)]
    assert table.random_eigenvalue[0] == pytest.approx(np.quantile(first, 0.95), abs=0.015)


def test_htmt_is_near_the_correlation_of_dimensions():
    # between items .36, within .61: .36 / .61 whatever the loadings
    found = htmt(answers(20_000, 11), DIMENSIONS, replicates=200)
    assert list(zip(found.dimension_1, found.dimension_2, strict=True)) == [("A", "B"), ("A", "C"), ("B", "C")]
    assert list(found.htmt) == pytest.approx([0.36 / 0.61] * 3, abs=0.02)
    assert ((found.ci_low < 0.36 / 0.61) & (found.ci_high > 0.36 / 0.61)).all()
    one = htmt(answers(100, 12), {"A": ["A1"], "B": ["B1", "B2"]}, replicates=10)
    assert list(one.reason) == ["a dimension of one item"]


def test_htmt_by_hand():
    held = answers(150, 13)
    r = held.corr().abs()
    inside = [r.loc[DIMENSIONS[d], DIMENSIONS[d]].to_numpy()[np.triu_indices(4, 1)].mean() for d in "AB"]
    by_hand = r.loc[DIMENSIONS["A"], DIMENSIONS["B"]].to_numpy().mean() / np.sqrt(np.prod(inside))
    assert htmt(held, DIMENSIONS, replicates=20).htmt[0] == pytest.approx(by_hand, rel=1e-12)


def test_confirming_finds_planted_loadings():
    held = answers(3_000, 15).rename(columns={"A1": "到货 速度"})
    dimensions = DIMENSIONS | {"A": ["到货 速度", *DIMENSIONS["A"][1:]]}
    found = CFA.fit(held, dimensions)
    fit = found.fit_indices.iloc[0]
    assert fit.p == pytest.approx(stats.chi2.sf(fit.chi2, fit.df), abs=1e-9)
    assert fit.p > 0.001
    assert list(found.loadings["item"]) == [item for items in dimensions.values() for item in items]
    assert list(found.loadings.loading) == pytest.approx([np.sqrt(0.61)] * 12, abs=0.04)
    assert list(found.convergent.ave) == pytest.approx([0.61] * 3, abs=0.03)
    assert (fit.n, fit.respondents, fit.note) == (3000, 3000, "")


def test_a_dimension_of_two_items_is_confirmed_and_one_of_a_single_item_left_out():
    held = answers(3_000, 15)
    found = CFA.fit(held, {"two": ["A1", "A2"], "B": DIMENSIONS["B"], "one": ["C1"]})
    assert list(found.loadings.loading) == pytest.approx([np.sqrt(0.61)] * 6, abs=0.05)
    assert found.correlations.loc["two", "B"] == pytest.approx(0.36 / 0.61, abs=0.05)
    fit = found.fit_indices.iloc[0]
    assert (fit.df, fit.note) == (8, "left out, as of one item: one")  # 21 covariances, 13 parameters


@pytest.mark.parametrize(
    ("rows", "dimensions", "reason"),
    [
        (200, {"A": ["A1"], "B": ["B1"]}, "no dimension has two items"),
        (200, {"A": ["A1", "A2"]}, "one dimension alone needs three items, and it has 2"),
        (24, DIMENSIONS, "24 respondents answered all items: more than 24 are needed"),
        (200, {"A": ["A1", "A2", "still"]}, "no variance in still"),
        (200, {"A": ["A1", "A2", "sum"]}, "an item is the sum of others"),
    ],
)
def test_what_cannot_be_confirmed_says_why(rows, dimensions, reason):
    held = answers(rows, 14).assign(still=4.0, sum=lambda frame: frame.A1 + frame.A2)
    found = CFA.fit(held, dimensions)
    assert not found
    assert found.reason.startswith(reason)


def test_an_item_explained_wholly_is_said_to_be():
    # as of the correlations above, r12 r13 / r23 = 1.6: no unique variance is left of a
    true = np.array([[1, 0.8, 0.8], [0.8, 1, 0.4], [0.8, 0.4, 1]])
    held = pd.DataFrame(np.random.default_rng(4).multivariate_normal(np.zeros(3), true, 500), columns=list("abc"))
    assert CFA.fit(held, {"d": list("abc")}).fit_indices.note[0] == "an item is explained wholly (a Heywood case)"
