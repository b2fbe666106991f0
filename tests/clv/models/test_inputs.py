"""What no model accepts, and what models do with many rows alike."""

import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv.models.inputs import distinct
from crmlab.contracts import InputError

from ..worlds import customers

MODELS = [clv.BGNBD(0.24, 30.9, 0.79, 2.43), clv.NBD(0.4, 60.0), clv.ParetoNBD(0.55, 74.0, 0.61, 81.7)]
GOOD = (2, 30, 90)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ((np.nan, 0, 90), "no finite frequency, recency or age"),
        ((0, np.inf, 90), "no finite frequency, recency or age"),
        ((None, 0, 90), "no finite frequency, recency or age"),
        ((-1, 0, 90), "a frequency below 0"),
        ((1.5, 30, 90), "a frequency that is no whole number below 2^53"),
        ((2**53, 30, 90), "a frequency that is no whole number below 2^53"),
        ((0, 0, -1), "an age below 0"),
        ((2, -3, 90), "a recency below 0"),
        ((2, 91, 90), "a recency beyond the age"),
        ((2, 0, 90), "repeat orders but recency 0"),
        ((0, 30, 90), "no repeat order but a recency"),
    ],
)
@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_an_impossible_customer_is_refused_whatever_is_asked(model, row, what):
    frame = customers(GOOD, row, GOOD, row)
    for ask in (type(model).fit, model.log_likelihood, model.p_alive, lambda f: model.expected_orders(f, 30)):
        with pytest.raises(InputError, match=r"2 of 4 rows have .* \(first: row 1\); mend or drop them") as refused:
            ask(frame)
        assert what in str(refused.value)


def test_everything_impossible_is_named_at_once():
    with pytest.raises(InputError) as refused:
        MODELS[0].p_alive(customers((-1, 0, 5), (2, 9, 3), (1, 1, -4)))
    assert len(refused.value.breaches) == 3  # the last has an age below 0 and a recency beyond it


@pytest.mark.parametrize(
    ("spend", "what"),
    [(np.nan, "no finite"), (-1.0, "a monetary_value below 0"), (np.inf, "no finite")],
)
def test_impossible_spend_is_refused_with_its_count(spend, what):
    frame = pd.DataFrame({"frequency": [1, 2, 3], "monetary_value": [10.0, spend, spend]})
    for ask in (clv.GammaGamma.fit, clv.GammaGamma(6, 4, 15).log_likelihood):
        with pytest.raises(InputError, match=rf"2 of 3 rows have {what}.*\(first: row 1\)"):
            ask(frame)


def test_who_came_on_the_last_day_is_kept_and_tells_nothing():
    for model in MODELS:
        assert model.log_likelihood(customers((0, 0, 0))) == 0
        assert model.p_alive(customers((0, 0, 0)))[0] == 1


def test_distinct_rows_are_sorted_and_found_again():
    rng = np.random.default_rng(1)
    rows = rng.integers(0, 4, (500, 3)).astype(float)
    *kinds, which = distinct(*rows.T)
    expected = np.unique(rows, axis=0)
    np.testing.assert_array_equal(np.stack(kinds, axis=1), expected)
    np.testing.assert_array_equal(expected[which], rows)


def test_counts_do_not_overflow_small_integers():
    frame = customers(*[(100, 200, 250)] * 400, (0, 0, 200), (3, 100, 220))
    small = frame.astype({"frequency": "int8", "recency": "uint8", "age": "uint8"})
    for model in MODELS:
        assert model.log_likelihood(small) == model.log_likelihood(frame)
