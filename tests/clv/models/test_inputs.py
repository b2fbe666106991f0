"""What no model accepts, and what models do with many rows alike."""

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.clv.models.inputs import Validated, distinct
from crmlab.contracts import InputError
from crmlab.model import Unfitted

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
        ((2, 30, 2**53), "an age of 2^53 or more"),
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
        with pytest.raises(InputError, match=r"2 of 4 rows have .* \(first: row 1\); correct or drop them") as refused:
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


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda m, f: m.expected_orders(f, -5), "horizon_days = -5: choose a finite number of them, 0 or more"),
        (lambda m, f: m.expected_orders(f, np.nan), "horizon_days = nan"),
        (lambda m, f: m.expected_orders_new([1, -1]), "days"),
        (lambda m, f: m.simulate_orders(f, None, np.random.default_rng(1)), "horizon_days = None"),
        (lambda m, f: m.probability_of_orders(f, 30, -1), "count = -1: choose a whole number of orders, 0 or more"),
        (lambda m, f: m.probability_of_orders(f, 30, 1.5), r"count = 1\.5"),
        (lambda m, f: m.discounted_orders(f, -0.1), r"discount_annual = -0\.1: choose a yearly rate of 0 or more"),
        (lambda m, f: m.discounted_orders(f, 0.1, -3), "horizon_days = -3"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(model, ask, message):
    with pytest.raises(ValueError, match=message):
        ask(model, customers(GOOD))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"recency": ["2", "9", "0"]}, "'recency' holds string, not numbers"),
        ({"age": pd.to_timedelta([90, 90, 90], unit="D")}, "'age' holds timedelta64, not numbers"),
        ({"age": pd.Timestamp("2024-01-31")}, "'age' holds datetime64, not numbers"),
        ({"frequency": [2, "many", 0]}, "'frequency' holds mixed-integer, not numbers"),
        ({"frequency": [2 + 1j, 1, 0]}, "'frequency' holds complex, not numbers"),
        ({"customers": ["1", "2", "3"]}, "'customers' holds string, not numbers"),
        ({"customers": 2**62}, r"the rows stand for 1\.38e\+19 customers; at most 2\^53"),
    ],
    ids=["text", "timedelta", "timestamp", "some text", "complex", "text of counts", "too many"],
)
def test_columns_that_are_no_numbers_are_refused_rather_than_read_as_some(change, message):
    frame = customers(GOOD, (1, 9, 90), (0, 0, 90)).assign(**change)
    for ask in (clv.BGNBD.fit, MODELS[0].log_likelihood):
        with pytest.raises(InputError, match=f"^customers: {message}"):
            ask(frame)


def test_every_column_that_is_missing_or_twice_there_is_named():
    frame = customers(GOOD).drop(columns=["recency", "frequency"])
    with pytest.raises(InputError) as refused:
        clv.BGNBD.fit(pd.concat([frame, frame], axis=1))
    assert refused.value.breaches == (
        "customers: there is no column 'frequency'; give it once",
        "customers: there is no column 'recency'; give it once",
        "customers: there are 2 columns 'age'; give it once",
    )
    with pytest.raises(InputError, match="no column 'monetary_value'"):
        clv.GammaGamma.fit(customers(GOOD))


def test_a_lazy_summary_is_told_to_be_collapsed():
    with pytest.raises(InputError, match=r"a Table is no pandas frame; clv\.collapse makes one of a summary"):
        clv.BGNBD.fit(ibis.memtable(customers(GOOD)))


@pytest.mark.parametrize("kind", ["Int64", "int64[pyarrow]", "Float32", object], ids=str)
def test_numbers_are_the_same_of_any_kind_and_an_empty_one_is_none(kind):
    frame = customers(GOOD, (0, 0, 90))
    assert MODELS[0].log_likelihood(frame.astype(kind)) == MODELS[0].log_likelihood(frame)
    with pytest.raises(InputError, match=r"1 of 2 rows have no finite frequency, recency or age \(first: row 1\)"):
        MODELS[0].log_likelihood(frame.astype(kind).assign(age=pd.Series([90, None], dtype=kind)))


def test_a_fit_to_nobody_says_that_there_is_nobody_rather_than_too_few_orders():
    for nobody in (customers(GOOD)[:0], customers(GOOD).assign(customers=0)):
        reason, advice = "BG/NBD needs customers, and there are none", "try a later split or an earlier acquired_from"
        assert clv.BGNBD.fit(nobody) == Unfitted(clv.BGNBD, reason, advice)


@pytest.mark.parametrize("nobody", [customers(GOOD)[:0], customers((0, 0, 9)), customers(GOOD).assign(customers=0)])
@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_a_bootstrap_of_nobody_who_came_back_is_refused_as_a_fit_is(model, nobody):
    with pytest.raises(InputError, match=r"^customers: .* needs (repeat orders|customers).*; try "):
        model.bootstrap(nobody, 3, seed=1)


@pytest.mark.parametrize("count", [np.nan, 0.5, -3, np.inf])
def test_a_number_of_customers_that_is_none_is_refused(count):
    frame = customers(GOOD, GOOD).assign(customers=[1, count])
    with pytest.raises(InputError, match=r"1 of 2 rows have a number of customers that is no whole number"):
        MODELS[0].log_likelihood(frame)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: type(m).__name__)
def test_nobody_is_expected_nothing(model):
    nobody = customers(GOOD)[:0]
    assert model.expected_orders(nobody, 30).empty
    assert model.p_alive(nobody).empty


def test_a_checked_summary_answers_as_a_plain_one_and_is_checked_once():
    frame = customers(GOOD, (0, 0, 90), GOOD).assign(customers=[1, 2, 3])
    seen = Validated(frame)
    for model in MODELS:
        assert model.expected_orders(seen, 30).equals(model.expected_orders(frame, 30))
        assert model.p_alive(seen).equals(model.p_alive(frame))
        one, other = (model.simulate_orders(f, 90, np.random.default_rng(1)) for f in (seen, frame))
        assert one.equals(other)
    frame.loc[0, "recency"] = 99
    assert seen.recency[0] == 30  # what was checked stays as it was
    assert type(seen.assign(recency=frame.recency)) is pd.DataFrame
    with pytest.raises(InputError, match="a recency beyond the age"):
        Validated(frame)


@pytest.mark.parametrize(
    ("model", "hint"),
    [("bgnbd", "did you mean 'bg_nbd'"), ("xyzw", "choose one of these"), ("", "choose one of these")],
)
def test_a_model_that_there_is_not_is_refused_with_those_that_there_are(model, hint):
    known = "there are nbd, bg_nbd, mbg_nbd, pareto_nbd, bg_bb"
    with pytest.raises(InputError, match=f"^model = {model!r}: {known}; {hint}"):
        clv.fit(customers(GOOD), model)


def test_a_way_to_group_customers_that_there_is_not_is_refused():
    with pytest.raises(InputError, match=r"^by = 'Frequency': choose frequency or inactivity"):
        clv.holdout_calibration(MODELS[0], ibis.memtable(customers(GOOD)), 30, by="Frequency")
