"""Weights of indicators on published examples.

The sources are rows of REFERENCE marked [R], the tolerance half a unit of the last digit unless a test says otherwise.
"""

import numpy as np
import pandas as pd
import pytest

from crmlab.contracts import InputError
from crmlab.segments.models import weights

DRINKS = ["coffee", "wine", "tea", "beer", "soda", "milk", "water"]  # Saaty 2008; the README of AHPy
CONSUMED = [
    [1, 9, 5, 2, 1, 1, 1 / 2],
    [1 / 9, 1, 1 / 3, 1 / 9, 1 / 9, 1 / 9, 1 / 9],
    [1 / 5, 3, 1, 1 / 3, 1 / 4, 1 / 3, 1 / 9],
    [1 / 2, 9, 3, 1, 1 / 2, 1, 1 / 3],
    [1, 9, 4, 2, 1, 2, 1 / 2],
    [1, 9, 3, 1, 1 / 2, 1, 1 / 3],
    [2, 9, 9, 3, 2, 3, 1],
]
ROOMS = ["size", "transport", "neighbourhood", "age", "yard", "comforts", "condition", "financing"]  # Saaty 1980
HOUSE = [
    [1, 5, 3, 7, 6, 6, 1 / 3, 1 / 4],
    [1 / 5, 1, 1 / 3, 5, 3, 3, 1 / 5, 1 / 7],
    [1 / 3, 3, 1, 6, 3, 4, 6, 1 / 5],
    [1 / 7, 1 / 5, 1 / 6, 1, 1 / 3, 1 / 4, 1 / 7, 1 / 8],
    [1 / 6, 1 / 3, 1 / 3, 3, 1, 1 / 2, 1 / 5, 1 / 6],
    [1 / 6, 1 / 3, 1 / 4, 4, 2, 1, 1 / 5, 1 / 6],
    [3, 5, 1 / 6, 7, 5, 5, 1, 1 / 2],
    [4, 7, 5, 8, 6, 6, 2, 1],
]
AIRCRAFT = pd.DataFrame(  # Hwang & Yoon 1981, words of the last two columns as 9, 7, 5, 3
    [
        [2.0, 1500, 20000, 5.5, 5, 9],
        [2.5, 2700, 18000, 6.5, 3, 5],
        [1.8, 2000, 21000, 4.5, 7, 7],
        [2.2, 1800, 20000, 5.0, 5, 5],
    ],
    columns=["speed", "range", "payload", "price", "reliability", "manoeuvrability"],
)


def test_drinks_have_the_published_weights_and_consistency():
    found = weights.ahp_weights(pd.DataFrame(CONSUMED, DRINKS, DRINKS))
    assert found.names == tuple(DRINKS)
    assert found.values == pytest.approx([0.177, 0.019, 0.042, 0.116, 0.190, 0.129, 0.327], abs=5e-4)
    assert found.consistency_ratio == pytest.approx(0.022, abs=5e-4)


def test_the_house_is_refused_for_its_published_inconsistency():
    with pytest.raises(InputError, match=r"consistency ratio 0\.169 is above 0\.1") as caught:
        weights.ahp_weights(pd.DataFrame(HOUSE, ROOMS, ROOMS))
    assert "'neighbourhood' to 'condition', judged 6" in str(caught.value)


def test_the_house_has_the_published_weights_once_let_through():
    # Saaty's weights and greatest eigenvalue, 9.669; both were recomputed
    found = weights.ahp_weights(pd.DataFrame(HOUSE, ROOMS, ROOMS), limit=0.2)
    assert found.values == pytest.approx([0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333], abs=5e-4)
    assert found.consistency_ratio == pytest.approx((9.669 - 8) / 7 / 1.41, abs=5e-5)


def test_the_random_index_is_saatys():
    assert weights.RANDOM_INDEX[6:8] == (1.32, 1.41)


def test_aircraft_have_the_published_entropy_weights():
    found = weights.entropy_weights(AIRCRAFT, "sum")
    assert found.values == pytest.approx([0.0642, 0.2061, 0.0134, 0.0813, 0.3587, 0.2763], abs=5e-5)


def test_aircraft_have_quite_other_weights_by_the_other_variant():
    found = weights.entropy_weights(AIRCRAFT, "minmax")
    assert found.values == pytest.approx([0.150, 0.167, 0.114, 0.160, 0.129, 0.279], abs=5e-4)


def test_entropy_agrees_with_scipy_on_random_values():
    from scipy.stats import entropy

    values = pd.DataFrame(np.random.default_rng(7).gamma(1.5, size=(200, 4)), columns=list("abcd"))
    unlike = 1 - entropy(values, axis=0) / np.log(200)
    assert weights.entropy_weights(values).values == pytest.approx(unlike / unlike.sum(), rel=1e-12)
