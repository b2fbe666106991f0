"""What is known of each store."""

from crmlab.contracts.contract import Column, Contract

STORES = Contract(
    kind="stores",
    description="what is known of each store",
    columns=(Column("store_id", "text", "which store"),),
    empty_message="a table of stores needs at least one",
    key=("store_id",),
    duplicate_remedy="keep one row a store",
    attributes=True,
    words=lambda c, entry: {"stores": f"{c['rows']:,}"},
)
