"""Products: what is accepted, and what is said."""

from ..conftest import table
from .conftest import refused, rows, validated


def test_yes_and_no_are_read_in_the_common_ways_and_nothing_else():
    told = ["yes", "Y", "TRUE", "t", "1", "no", "n", "False", "f", "0", ""]
    raw = table(product_id=[*map(str, range(len(told)))], own_label=told)
    assert validated("products", raw).table.own_label.to_pyarrow().to_pylist() == [True] * 5 + [False] * 5 + [None]
    assert rows("products", table(product_id=["a"], own_label=[True])) == [("a", True)]
    assert rows("products", table(product_id=["a"], own_label=[0])) == [("a", False)]
    (breach,) = refused("products", table(product_id=["a", "b"], own_label=["perhaps", "2"]))
    assert (
        "'own_label' is neither yes nor no in 2 of 2 rows (first: row 1 'perhaps'; row 2 '2'); write yes or" in breach
    )
    (breach,) = refused("products", table(product_id=["a"], own_label=[0.5]))
    assert breach.startswith("file: 'own_label' is stored as float64, which is neither yes nor no; store ")


def test_a_product_may_lack_category_and_brand():
    raw = table(product_id=["a", "b"], category=["x", ""], brand=["m", "n"])
    counts = validated("products", raw).counts
    assert (counts["brand"], counts["rows"]) == (2, 2)
