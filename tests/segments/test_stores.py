"""The strength of home stores in small logs, against what a log without the customer says."""

import numpy as np
import pytest

from crmlab.segments.tables.features import collect, customer_features
from crmlab.segments.tables.stores import store_index, store_strength

from .logs import log, random_rows, table
from .refusals import refused

END = "2024-03-01"
SHOP = (
    ("ann", "2024-02-01", "10", "north"),
    ("ann", "2024-02-02", "4", "south"),
    ("bob", "2024-02-01", "30", "north"),
    ("cid", "2024-02-01", "20", "south"),
    ("dan", "2024-02-01", "50", "south"),
)
SPEND = {"spend": 1.0}
STORES = {"store_id": ["north", "south"], "area": [100.0, 300.0], "town": ["x", "y"]}


def strength(rows, **options):
    return collect(store_strength(log(*rows, columns=["store_id"]), END, **options))


def test_strength_is_the_stores_sales_in_those_of_the_average_store_without_the_customer():
    found = strength(SHOP, weights=SPEND)
    assert found.home_store.to_dict() == {"ann": "north", "bob": "north", "cid": "south", "dan": "south"}
    # without ann: north 30 and south 70, on average 50; without bob: north 10, south 74
    assert found.store_strength.to_dict() == pytest.approx(
        {"ann": 30 / 50, "bob": 10 / 42, "cid": 54 / 47, "dan": 24 / 32}
    )


def test_indicators_are_weighed():
    by_customers = strength(SHOP, weights={"customers": 2.0})
    assert by_customers.store_strength["ann"] == pytest.approx(1 / 1.5)  # one other at north, two at south
    both = strength(SHOP, weights={"spend": 3.0, "customers": 1.0})
    assert both.store_strength["ann"] == pytest.approx(0.75 * 30 / 50 + 0.25 * 1 / 1.5)


def test_attributes_of_stores_are_in_those_of_the_average_store():
    found = strength(SHOP, weights={"area": 1.0}, stores=table(**STORES))
    assert found.store_strength.to_dict() == {"ann": 0.5, "bob": 0.5, "cid": 1.5, "dan": 1.5}


def test_it_is_what_a_log_without_the_customer_says():
    rows = [(*r[:3], r[4], r[6]) for r in random_rows(np.random.default_rng(4), 300, "2024-01-01", END, customers=25)]
    rows.append(("c000", "2024-02-29", "70000.00", "alone", "2024-02-29"))  # a store that nobody else buys at
    rows.append(("c001", "2024-02-29", "1.00", "alone too", "2024-02-29"))
    weights = {"spend": 2.0, "customers": 1.0}
    found = strength(rows, weights=weights, window_days=40)
    for customer in found.index[:6]:
        others = log(*(r for r in rows if r[0] != customer), columns=["store_id"])
        index = store_index(others, END, weights, window_days=40).execute().set_index("store_id").strength
        assert found.store_strength[customer] == pytest.approx(index.get(found.home_store[customer], 0.0), rel=1e-12)


def test_a_customers_own_spend_changes_no_bit_of_it():
    more = [(c, day, "9999" if c == "ann" and store == "north" else a, store) for c, day, a, store in SHOP]
    assert strength(more).store_strength["ann"] == strength(SHOP).store_strength["ann"]


def test_where_nobody_else_buys_a_store_has_no_strength():
    assert strength([("ann", "2024-02-01", "10", "north")]).store_strength.to_dict() == {"ann": 0.0}


def test_the_window_counts_for_strength_and_all_for_home():
    old = (("ann", "2023-01-01", "500", "south"), ("eve", "2023-01-01", "900", "south"))
    found = strength([*SHOP, *old], weights=SPEND)
    assert found.home_store["ann"] == "south"
    assert found.store_strength["ann"] == pytest.approx(70 / 50)


def test_home_is_that_of_the_features():
    rows = [(*r[:3], r[4], r[6]) for r in random_rows(np.random.default_rng(1), 200, "2024-01-01", END)]
    known = collect(customer_features(log(*rows, columns=["store_id"]), END))
    assert strength(rows).home_store.to_dict() == known.home_store[known.home_store != ""].to_dict()


def test_it_is_joined_to_the_features_on_the_engine():
    shop = log(*SHOP, ("eve", "2024-02-01", "3", None), columns=["store_id"])
    known, strong = customer_features(shop, END), store_strength(shop, END)
    joined = collect(known, strong)
    assert joined.drop(columns="store_strength").equals(collect(known))
    assert joined.store_strength.drop("eve").equals(collect(strong).store_strength)
    assert np.isnan(joined.store_strength["eve"])  # who bought at no known store


def test_the_index_has_every_store_the_strongest_first():
    found = store_index(log(*SHOP, columns=["store_id"]), END, {"spend": 1, "area": 1}, table(**STORES)).execute()
    assert found.to_dict("list") == {
        "store_id": ["south", "north"],
        "spend": [74.0, 40.0],
        "customers": [3, 2],
        "area": [300.0, 100.0],
        "strength": pytest.approx([0.5 * 74 / 57 + 0.5 * 1.5, 0.5 * 40 / 57 + 0.5 * 0.5]),
    }


def test_every_wrong_weight_is_named():
    told = refused(strength, SHOP, weights={"aera": 1.0, "spend": -1.0, "town": 1.0}, stores=table(**STORES))
    assert told == (
        "weights: no indicator 'aera' of stores; take area",
        "weights: spend = -1.0 is no weight; give 0 or more",
        "weights: no indicator 'town' of stores; take spend, customers, area",
    )
    assert refused(strength, SHOP, weights={"spend": 0.0}) == (
        "weights: none is above 0; give one indicator a weight at least",
    )


def test_a_log_without_stores_is_refused():
    plain = log(*(r[:3] for r in SHOP))
    assert "no column 'store_id'" in refused(store_strength, plain, END)[0]


@pytest.mark.parametrize(
    ("stores", "says"),
    [
        ({"store_id": ["north"], "area": [1.0]}, "no row for 1 of the 2 stores"),
        ({"store_id": ["north", "south"], "area": [1.0, None]}, "'area' is empty for 1 of the 2 stores bought at"),
        ({"store_id": ["north", "south"], "area": [1.0, -2.0]}, "'area' is negative somewhere"),
        ({"store_id": ["north", "south"], "area": [0.0, 0.0]}, "or 0 everywhere"),
    ],
)
def test_stores_whose_value_is_not_known_are_refused(stores, says):
    told = refused(strength, SHOP, weights={"area": 1.0}, stores=table(**stores))
    assert len(told) == 1
    assert says in told[0]
