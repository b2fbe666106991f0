"""What customers spend on a category by whose brand, in small logs whose numbers are plain to see."""

from crmlab.segments.tables.brands import brand_usage
from crmlab.segments.tables.features import collect

from .logs import log, table
from .refusals import refused

END = "2024-03-01"
PRODUCTS = {
    "product_id": ["own", "red", "blue", "blue2", "salt", "odd"],
    "category": ["tea", "tea", "tea", "tea", "salt", "tea"],
    "brand": ["House", "Red", "Blue", "Blue", "Red", None],
    "own_label": [True, False, False, False, False, None],
}
SHOP = (
    ("ann", "2024-02-01", "6", "own"),
    ("ann", "2024-02-01", "1", "red"),
    ("ann", "2024-02-02", "2", "blue"),
    ("ann", "2024-02-03", "1", "blue2"),
    ("bob", "2024-02-01", "5", "salt"),
    ("bob", "2022-02-01", "5", "own"),
    ("cid", "2024-02-01", "3", "odd"),
    ("cid", "2024-02-01", "1", "red"),
    ("dan", "2024-03-02", "7", "own"),
    ("eve", "2024-02-01", "7", "not listed"),
)


def used(products=PRODUCTS, **options):
    found = collect(brand_usage(log(*SHOP, columns=["product_id"]), table(**products), END, **options))
    return found.to_dict("index")


def test_shares_are_of_what_was_spent_on_the_category_in_the_window():
    assert used(category="tea") == {
        "ann": {"usage": 10.0, "own_label_share": 0.6, "national_share": 0.3},  # Blue before Red
        "cid": {"usage": 4.0, "own_label_share": 0.0, "national_share": 0.25},  # the odd one is of unknown label
    }


def test_without_a_category_all_products_count():
    assert used()["bob"] == {"usage": 5.0, "own_label_share": 0.0, "national_share": 1.0}


def test_own_brands_may_be_named():
    assert used(category="tea", own_brands=["House", "Red"])["ann"] == {
        "usage": 10.0, "own_label_share": 0.7, "national_share": 0.3
    }  # fmt: skip


def test_without_brands_all_national_ones_are_one():
    plain = {name: values for name, values in PRODUCTS.items() if name != "brand"}
    assert used(plain, category="tea")["ann"]["national_share"] == 0.4


def test_what_was_returned_whole_was_not_used():
    rows = (("a", "2024-02-01", "5", "own"), ("a", "2024-02-01", "4", "red"), ("a", "2024-02-05", "-5", "own"))
    found = collect(brand_usage(log(*rows, columns=["product_id"]), table(**PRODUCTS), END))
    assert found.to_dict("index") == {"a": {"usage": 4.0, "own_label_share": 0.0, "national_share": 1.0}}


def test_what_is_missing_is_named():
    plain = {name: PRODUCTS[name] for name in ("product_id", "brand")}
    assert refused(used, plain, category="tea") == (
        "products: no column 'own_label'; map it in data/catalog.toml; or name the own_brands",
        "products: no column 'category'; map it in data/catalog.toml",
    )
    assert refused(used, category="tee") == ("products: no category 'tee'; take 'tea'",)
    assert "no brand is among own_brands = 'Haus'" in refused(used, own_brands=["Haus"])[0]
    without = log(*(r[:3] for r in SHOP))
    assert "no column 'product_id'" in refused(brand_usage, without, table(**PRODUCTS), END)[0]
