"""Weights of indicators: by judgements, by entropy, equal and given; and what is said against bad ones."""

import numpy as np
import pandas as pd
import pytest

from crmlab.segments.models import weights

from .refusals import refused

NAMES = ["a", "b", "c", "d"]
TRUE = np.array([0.4, 0.3, 0.2, 0.1])


def consistent(true=TRUE, names=NAMES):
    """The judgements of someone who knows the weights."""
    return pd.DataFrame(np.divide.outer(true, true), names, names)


def test_judgements_that_agree_give_back_the_weights_they_were_made_of():
    found = weights.ahp_weights(consistent())
    assert found.values == pytest.approx(TRUE, abs=1e-12)
    assert found.consistency_ratio == pytest.approx(0, abs=1e-12)
    assert found.method == "AHP, consistency ratio 0"


def test_three_judgements_have_the_ratio_of_a_formula():
    # for three, the greatest eigenvalue is 1 + q + 1/q with q the cube root of a13 / (a12 a23)
    matrix = pd.DataFrame([[1, 2, 3], [1 / 2, 1, 2], [1 / 3, 1 / 2, 1]], list("abc"), list("abc"))
    q = (3 / (2 * 2)) ** (1 / 3)
    assert weights.ahp_weights(matrix).consistency_ratio == pytest.approx((1 + q + 1 / q - 3) / 2 / 0.58, rel=1e-9)
    # and the weights are geometric means of rows
    rows = np.prod(matrix, axis=1) ** (1 / 3)
    assert weights.ahp_weights(matrix).values == pytest.approx(rows / rows.sum(), rel=1e-9)


def test_one_and_two_indicators_cannot_contradict_each_other():
    assert weights.ahp_weights(pd.DataFrame([[1]])).values == (1.0,)
    assert weights.ahp_weights(pd.DataFrame([[1, 9], [1 / 9, 1]])).values == pytest.approx((0.9, 0.1))
    assert weights.ahp_weights(pd.DataFrame([[1, 9], [1 / 9, 1]])).consistency_ratio == 0


def test_reciprocals_may_be_rounded():
    rounded = consistent().round(2)
    assert weights.ahp_weights(rounded).values == pytest.approx(TRUE, abs=5e-3)
    # whichever of the two was rounded
    assert weights.ahp_weights(1 / rounded.T).values == pytest.approx(weights.ahp_weights(rounded).values, rel=1e-12)


def test_a_planted_contradiction_is_the_worst_judgement_and_the_one_to_mend():
    matrix = consistent()
    matrix.loc["b", "d"], matrix.loc["d", "b"] = 1 / 6, 6  # 3 in truth
    table = weights.ahp_judgements(matrix)
    assert table.loc[0, ["first", "second"]].tolist() == ["b", "d"]
    assert table.discrepancy.is_monotonic_decreasing
    assert table.consistency_ratio_without.idxmin() == 0
    told = refused(weights.ahp_weights, matrix)[0]
    assert "the worst is 'b' to 'd', judged 0.1667" in told
    assert weights.ahp_weights(matrix, limit=2).consistency_ratio > 0.1


def test_the_gate_lets_through_what_is_at_it():
    matrix = consistent()
    matrix.loc["a", "d"], matrix.loc["d", "a"] = 9, 1 / 9
    ratio = weights.ahp_weights(matrix, limit=1).consistency_ratio
    assert weights.ahp_weights(matrix, limit=ratio).consistency_ratio == ratio
    assert refused(weights.ahp_weights, matrix, ratio * 0.999)


def test_a_matrix_that_is_no_matrix_is_named():
    assert "2 rows by 3 columns are not square" in refused(weights.ahp_weights, [[1, 2, 3], [1, 2, 3]])[0]
    assert "0 rows" in refused(weights.ahp_weights, [])[0]
    other = consistent().rename(columns={"d": "e"})
    assert refused(weights.ahp_weights, other)[0].startswith("comparisons: rows are a, b, c, d, columns a, b, c, e")
    assert "16 indicators are more than 15" in refused(weights.ahp_weights, np.ones((16, 16)))[0]
    assert "limit = 0" in refused(weights.ahp_weights, consistent(), 0)[0]


def test_every_judgement_that_is_no_judgement_is_named_at_once():
    matrix = consistent().astype(object)
    matrix.loc["a", "b"], matrix.loc["b", "a"], matrix.loc["c", "d"], matrix.loc["c", "c"] = -3, 0, "much", 2
    assert refused(weights.ahp_weights, matrix) == (
        "comparisons: 'a' to 'b' is -3; write a number above 0",
        "comparisons: 'b' to 'a' is 0; write a number above 0",
        "comparisons: 'c' to 'd' is 'much'; write a number above 0",
        "comparisons: 'c' to 'c' is 2; write 1",
    )
    for bad in (np.nan, np.inf):
        matrix = consistent()
        matrix.loc["a", "b"] = bad
        assert f"'a' to 'b' is {bad}" in refused(weights.ahp_weights, matrix)[0]


def test_every_pair_that_is_not_reciprocal_is_named_at_once():
    matrix = consistent()
    matrix.loc["b", "a"], matrix.loc["d", "c"] = 3, 0.6
    assert refused(weights.ahp_judgements, matrix) == (
        "comparisons: not reciprocal: 'a' to 'b' is 1.333, so 'b' to 'a' must be 0.7500, not 3",
        "comparisons: not reciprocal: 'c' to 'd' is 2, so 'd' to 'c' must be 0.5000, not 0.6000",
    )
    assert refused(weights.ahp_weights, np.full((6, 6), 2.0) - np.eye(6))[-1] == "comparisons: 10 more like these"


def values():
    rng = np.random.default_rng(3)
    return pd.DataFrame({"wide": rng.gamma(0.5, size=500), "narrow": rng.gamma(9, size=500)})


@pytest.mark.parametrize("variant", weights.VARIANTS)
def test_entropy_weighs_what_tells_customers_apart(variant):
    found = weights.entropy_weights(values(), variant)
    assert sum(found.values) == pytest.approx(1)
    assert found.values[0] > 0.8
    assert found.method == f"entropy, variant {variant}"


def test_entropy_of_sums_knows_no_scale_and_that_of_minmax_no_shift_either():
    frame = values()
    assert weights.entropy_weights(frame * [1000, 0.01]).values == pytest.approx(weights.entropy_weights(frame).values)
    moved = weights.entropy_weights(frame * [1000, 0.01] + [-5, 7], "minmax")
    assert moved.values == pytest.approx(weights.entropy_weights(frame, "minmax").values)


def test_direction_matters_to_minmax_alone():
    frame = values()
    assert weights.entropy_weights(frame, "sum", ["wide"]) == weights.entropy_weights(frame, "sum")
    turned = weights.entropy_weights(frame, "minmax", ["wide"])
    assert turned.values == pytest.approx(weights.entropy_weights(frame.assign(wide=-frame.wide), "minmax").values)
    assert turned.values[0] < weights.entropy_weights(frame, "minmax").values[0]


def test_what_entropy_cannot_weigh_is_named_at_once():
    frame = values().assign(flat=2.0, gone=np.nan, below=-1.0)
    frame.loc[0, "below"] = 3.0
    assert refused(weights.entropy_weights, frame, "sum", ["other"]) == (
        "lower: unknown indicator 'other'; take wide, narrow, flat, gone, below",
        "indicator 'flat' is the same for all 500 customers, so it cannot part them; drop it",
        "indicator 'gone' is empty or infinite for 500 of 500 customers; fill it",
        "indicator 'below' is negative for 499 customers, which have no shares; take 'minmax'",
    )
    assert "variant = 'max'" in refused(weights.entropy_weights, values(), "max")[0]
    assert "same for all 1 customers" in refused(weights.entropy_weights, values().head(1))[0]


def test_equal_and_given_weights_are_as_told():
    assert weights.equal_weights(NAMES).values == (0.25,) * 4
    given_weights = weights.given_weights({"b": 0.25, "a": 0.75}, ["a", "b"])
    assert (given_weights.names, given_weights.values) == (("a", "b"), (0.75, 0.25))


def test_bad_given_weights_are_named_at_once():
    assert refused(weights.given_weights, {"a": -0.1, "x": 0.2, "b": np.nan}, ["a", "b", "c"]) == (
        "weights: unknown indicator 'x'; take a, b, c",
        "weights: none for indicator 'c'; give one",
        "weights: a = -0.1 is no weight; give 0 to 1",
        "weights: b = nan is no weight; give 0 to 1",
    )
    assert refused(weights.given_weights, {"a": 0.5, "b": 0.4}, ["a", "b"]) == (
        "weights: they sum to 0.9; let the indicators share 1",
    )
