"""What is known of each product."""

from crmlab.contracts.contract import Column, Contract

COUNTED = {"category": "categories", "brand": "brands"}


def _counts(t, policy):
    return {name: t[name].nunique() for name in COUNTED if name in t.columns}


def _words(c, entry):
    return {plural: f"{c[name]:,}" for name, plural in COUNTED.items() if name in c}


PRODUCTS = Contract(
    kind="products",
    description="what is known of each product",
    columns=(
        Column("product_id", "text", "which product"),
        Column("category", "text", "the kind of product", required=False, nullable=True),
        Column("brand", "text", "whose mark it bears", required=False, nullable=True),
        Column("own_label", "yes", "whether that is the shop's own: yes or no", required=False, nullable=True),
    ),
    empty_message="a table of products needs at least one",
    key=("product_id",),
    duplicate_remedy="keep one row a product",
    attributes=True,
    counts=_counts,
    words=_words,
)
