"""From orders and spend to money, for a customer and for all of them."""

import ibis
import numpy as np
import pandas as pd
import pytest

from crmlab import clv
from crmlab.model import Unfitted
from crmlab.simulate.orders import simulate_orders, simulate_spend

from ..worlds import log

ORDERS, SPEND = clv.BGNBD(0.25, 38.1, 0.61, 2.65), clv.GammaGamma(4.7, 4.2, 24.4)
END = "2024-10-01"


@pytest.fixture(scope="module")
def summary():
    """The lazy summary of 300 simulated customers."""
    orders = simulate_orders(0.6, 20.0, 0.8, 3.0, customers=300, days=280, seed=6)
    days = (pd.Timestamp("2024-01-01") + pd.to_timedelta(orders.day, unit="D")).dt.date.astype(str)
    amounts = simulate_spend(orders, 6.0, 4.0, 15.0, seed=7).astype(str)
    return clv.summarise(log(*zip("00" + orders.customer_id, days, amounts, strict=True)), END)


def test_value_is_orders_times_spend_times_margin():
    value = clv.value(pd.Series([2.0, 0.5]), pd.Series([10.0, 8.0]), margin=0.25)
    assert value.to_list() == [5.0, 1.0]
    assert value.name == "value"


@pytest.mark.parametrize("margin", [-0.1, 30, np.nan, np.inf])
def test_a_margin_that_is_no_share_is_refused(summary, margin):
    for ask in (
        lambda: clv.value(pd.Series([2.0]), pd.Series([10.0]), margin),
        lambda: clv.score(summary, ORDERS, SPEND, 365, 0.1, margin),
    ):
        with pytest.raises(ValueError, match=f"margin = {margin}: choose the share of spend that is profit, 0 to 1"):
            ask()


def test_a_total_weighs_each_row_by_its_customers():
    assert clv.total(pd.Series([1.5, 2.0]), pd.Series([2, 3])) == 9.0
    assert clv.total(pd.Series([1.5, 2.0])) == 3.5


def test_score_is_what_pandas_computes_customer_by_customer(summary):
    found = clv.score(summary, ORDERS, SPEND, 365, 0.1, margin=0.3).execute()
    each = summary.order_by("customer_id").execute().drop(columns="repeat_spend")
    expected = each.assign(
        p_alive=ORDERS.p_alive(each),
        expected_orders=ORDERS.expected_orders(each, 365),
        discounted_orders=ORDERS.discounted_orders(each, 0.1, 365),
        expected_spend=SPEND.expected_spend(each),
    )
    expected["value"] = clv.value(expected.discounted_orders, expected.expected_spend, 0.3)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-12, atol=0)


def test_score_without_a_model_of_spend_is_of_orders_alone(summary):
    found = clv.score(summary, ORDERS, None, 365, 0.1, margin=0.3).execute()
    full = clv.score(summary, ORDERS, SPEND, 365, 0.1, margin=0.3).execute()
    assert list(full.columns.difference(found.columns)) == ["expected_spend", "value"]
    pd.testing.assert_frame_equal(found, full[found.columns])


def test_score_keeps_orders_and_spend_separate_where_they_have_no_product(summary):
    separate = clv.score(summary, ORDERS, SPEND, 365, 0.1, with_value=False).execute()
    full = clv.score(summary, ORDERS, SPEND, 365, 0.1).execute()
    pd.testing.assert_frame_equal(separate, full.drop(columns="value"))


def test_score_has_one_finite_row_a_customer_by_an_id_that_is_text(summary):
    found = clv.score(summary, ORDERS, SPEND, 365, 0.1).execute()
    assert len(found) == summary.count().execute() == 300
    assert found.customer_id.is_monotonic_increasing
    assert found.customer_id.is_unique
    assert found.customer_id.str.fullmatch(r"00\d{3}").all()
    assert np.isfinite(found.drop(columns="customer_id").to_numpy(float)).all()


def test_totals_are_the_same_on_either_grain(summary):
    scored = clv.score(summary, ORDERS, SPEND, 365, 0.1).execute()
    alike = clv.collapse(summary)
    orders = ORDERS.discounted_orders(alike, 0.1, 365)
    assert clv.total(ORDERS.p_alive(alike), alike.customers) == pytest.approx(scored.p_alive.sum(), rel=1e-12)
    assert clv.total(orders, alike.customers) == pytest.approx(scored.discounted_orders.sum(), rel=1e-12)
    value = clv.value(orders, SPEND.expected_spend(alike))  # linear in spend, so the mean of a row's customers will do
    assert clv.total(value, alike.customers) == pytest.approx(scored["value"].sum(), rel=1e-12)


def test_score_of_what_was_not_fitted_is_blank_and_without_spend_it_is_of_orders(summary):
    blank = clv.score(summary, Unfitted(clv.BGNBD, "no maximum"), SPEND, 365, 0.1)
    assert blank.attrs["reason"] == "no maximum"
    alone = clv.score(summary, ORDERS, None, 365, 0.1).execute()
    for spend in (Unfitted(clv.GammaGamma, "nobody spent"), clv.GammaGamma(4.7, 0.9, 24.4)):  # or infinite mean spend
        pd.testing.assert_frame_equal(clv.score(summary, ORDERS, spend, 365, 0.1).execute(), alone)


def test_the_top_customers_are_those_of_the_highest_value(summary):
    scored = clv.score(summary, ORDERS, SPEND, 365, 0.1)
    top = clv.top_customers(ORDERS, scored, SPEND, 365, 0.1, count=5)
    by_value = scored.execute().sort_values("value", ascending=False).head(5)
    assert top.customer_id.to_list() == by_value.customer_id.to_list()
    assert top["value"].to_numpy() == pytest.approx(by_value["value"].to_numpy())
    assert not [name for name in top if name.startswith(("discounted", "p_alive_"))]
    alone = clv.top_customers(ORDERS, scored, Unfitted(clv.GammaGamma, "nobody spent"), 365, 0.1, count=5)
    by_orders = scored.execute().sort_values("discounted_orders", ascending=False).head(5)
    assert alone.customer_id.to_list() == by_orders.customer_id.to_list()
    assert alone.expected_spend.to_list() == pytest.approx(by_orders.expected_spend.to_list())  # kept beside orders
    unfitted = Unfitted(clv.BGNBD, "no maximum")
    blank = clv.top_customers(unfitted, clv.score(summary, unfitted, SPEND, 365, 0.1), SPEND, 365, 0.1)
    assert blank.attrs["reason"] == "no maximum"


def test_of_customers_of_one_value_the_first_by_id_are_the_top():
    same = pd.DataFrame({"customer_id": list("dbca"), "frequency": 2, "recency": 20, "age": 40, "monetary_value": 8.0})
    scored = ibis.memtable(same.assign(value=5.0, discounted_orders=1.0))
    for spend in (SPEND, None):
        assert clv.top_customers(ORDERS, scored, spend, 365, 0.1, count=3).customer_id.to_list() == ["a", "b", "c"]


def test_intervals_of_the_top_customers_are_those_of_a_prediction_by_the_same_seed(summary):
    orders, spend = ORDERS.with_covariance(np.eye(4) * 0.01, 9), SPEND.with_covariance(np.eye(3) * 0.001, 9)
    scored = clv.score(summary, orders, spend, 365, 0.1)
    top = clv.top_customers(orders, scored, spend, 365, 0.1, count=5, seed=3)
    rows = scored.execute().set_index("customer_id").loc[top.customer_id].reset_index()
    again = clv.predict_customers(orders, spend, rows, 365, 0.1, seed=3)
    ends = [name for name in top if "_ci_" in name or "_pi_" in name]
    assert top[ends].notna().all(axis=None)
    assert len(ends) == 8
    pd.testing.assert_frame_equal(top[ends], again[ends])


def buyers(frequency, spend):
    return pd.DataFrame({"frequency": frequency, "recency": 1, "age": 2, "monetary_value": spend})


def test_spend_values_orders_by_a_model_that_depends_on_frequency_only_where_it_must():
    rng = np.random.default_rng(3)
    frequency = rng.poisson(3, 4000) + 1
    free, tied = buyers(frequency, rng.gamma(4, 5, 4000)), buyers(frequency, frequency * 5 + rng.gamma(4, 5, 4000))
    assert clv.spend_for_value(SPEND, free) is SPEND
    assert clv.spend_for_value(SPEND, free, limit=0.01) is SPEND  # its interval reaches beyond: undecided
    dependent = clv.spend_for_value(SPEND, tied, replicates=40)
    assert isinstance(dependent, clv.SpendByFrequency)
    assert len(list(dependent.draws)) == 40
    assert clv.spend_for_value(SPEND, buyers(frequency, 20.0)) is SPEND  # cannot be judged
    wide = clv.GammaGamma(4.7, 1.1, 24.4).with_covariance(np.eye(3) * 0.01)
    assert "mean spend may be infinite: q is 1.100, and its interval" in clv.spend_for_value(wide, free).reason
    unfitted = Unfitted(clv.GammaGamma, "nobody spent")
    assert clv.spend_for_value(unfitted, free) is unfitted
