"""Other columns that customers, products and stores keep: as numbers, text, or what they are."""

from datetime import date

import pyarrow as pa

from ..conftest import table
from .conftest import rows, validated


def test_customers_keep_their_other_columns_as_numbers_where_all_cells_are_else_as_text():
    raw = table(
        customer_id=["007", "8"],
        reachable=["Yes", ""],
        age=["41", " "],
        postcode=["01234", "99999"],
        card=["4000123412341234", "1"],
        city=["Ulm", None],
        spent=["1.5e3", "-2"],
        nothing=["", None],
    )
    found = validated("customers", raw)
    assert found.counts["attributes"] == {
        "age": "number", "postcode": "text", "card": "text", "city": "text", "spent": "number", "nothing": "text",
    }  # fmt: skip
    assert rows("customers", raw)[0] == ("007", True, 41.0, "01234", "4000123412341234", "Ulm", 1500.0, "")
    assert found.table.reachable.to_pyarrow().to_pylist() == [True, None]
    assert found.table.age.to_pyarrow().to_pylist() == [41.0, None]
    assert (found.counts["customers"], found.counts["reachable"], found.counts["not_reachable"]) == (2, 1, 0)


def test_attributes_follow_the_decimal_mark_and_give_way_to_mapped_columns():
    raw = table(Laden=["1"], STORE_ID=["x"], area=["12,5"])
    assert rows("stores", raw, columns={"store_id": "Laden"}, decimal=",") == [("1", 12.5)]
    assert rows("stores", raw.drop("STORE_ID"), columns={"store_id": "Laden"}) == [("1", "12,5")]


def test_typed_attributes_keep_what_they_are():
    raw = table(store_id=[1, 2], area=pa.array([1, 2], "int32"), open=[True, False], since=[date(2020, 1, 1)] * 2)
    found = validated("stores", raw)
    assert found.counts["attributes"] == {"area": "number", "open": "boolean", "since": "date"}
    assert rows("stores", raw)[0] == ("1", 1.0, True, date(2020, 1, 1))
