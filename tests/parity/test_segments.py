"""What schemes of segmentation go by is the same on DuckDB, PostgreSQL and Spark: integers equal, money exact."""

import pandas as pd
import pytest

from crmlab import engines, segments
from crmlab.contracts import InputError

from .test_engines import END, LATER, assert_same, contract_table, run, stored

pytestmark = pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning")


@pytest.fixture(scope="module")
def both(rows, other):
    """The log with categories, stores and products, some unknown, on both engines."""
    digit = rows.customer_id.str[-1]
    turn = pd.Series(range(len(rows)), rows.index)
    named = rows.assign(
        category=digit.where(digit != "0"),
        store_id=("s" + (turn % 4).astype(str)).where(turn % 11 != 0, " "),
        product_id="p" + (turn % 5).astype(str),
    )
    return contract_table(engines.connect(), named), contract_table(other, named)


@pytest.fixture(scope="module")
def products(other):
    frame = pd.DataFrame(
        {
            "product_id": [f"p{n}" for n in range(5)],
            "category": ["tea", "tea", "tea", "milk", None],
            "brand": ["own", "a", "b", "own", "a"],
            "own_label": ["true", "false", "false", "true", None],
        }
    )
    return [stored(on, "parity_products", frame, own_label="boolean") for on in (engines.connect(), other)]


@pytest.fixture(scope="module")
def stores(other):
    frame = pd.DataFrame({"store_id": ["s0", "s1", "s2", "s3"], "area": ["100", "250.5", "80", "120"]})
    return [stored(on, "parity_stores", frame, area="float64") for on in (engines.connect(), other)]


@pytest.mark.parametrize("window_days", [60, 365])
def test_customer_features_are_the_same(both, window_days):
    one, two = (segments.collect(segments.customer_features(log, END, window_days)) for log in both)
    assert {"orders", "categories", "stores", "home_store"} <= set(one)
    assert_same(one.reset_index(), two.reset_index())


def test_holdout_activity_is_the_same(both):
    assert_same(*run(both, lambda log: segments.holdout_activity(log, END, LATER).order_by("customer_id")))


@pytest.mark.parametrize("given", [{}, {"category": "tea"}, {"own_brands": ["own", "b"]}])
def test_brand_usage_is_the_same(both, products, given):
    one, two = (segments.brand_customers(log, table, END, **given) for log, table in zip(both, products, strict=True))
    assert (one.own_label_share > 0).any()
    assert_same(one.reset_index(), two.reset_index())


def test_a_category_that_is_not_there_is_refused_alike(both, products):
    said = []
    for log, table in zip(both, products, strict=True):
        with pytest.raises(InputError) as caught:
            segments.brand_customers(log, table, END, category="Tea")
        said.append(str(caught.value))
    assert said == ["products: no category 'Tea'; take 'tea'"] * 2


@pytest.mark.parametrize("weights", [{"spend": 2.0, "customers": 1.0}, {"spend": 1.0, "area": 1.0}])
def test_the_strength_of_stores_is_the_same(both, stores, weights):
    for table, by in ((segments.store_index, "store_id"), (segments.store_strength, "customer_id")):
        made = [table(log, END, weights, known).execute() for log, known in zip(both, stores, strict=True)]
        one, two = (frame.sort_values(by, ignore_index=True) for frame in made)
        pd.testing.assert_frame_equal(one, two, check_dtype=False, rtol=1e-12)


def test_whom_one_may_write_to_is_the_same(both, other):
    frame = pd.DataFrame({"customer_id": ["1", "2"], "reachable": ["true", None]})
    known = [stored(on, "parity_customers", frame, reachable="boolean") for on in (engines.connect(), other)]
    features = segments.collect(segments.customer_features(both[0], END))
    one, two = (segments.join_reachable(features, table) for table in known)
    assert one.reachable.tolist() == two.reachable.tolist()
