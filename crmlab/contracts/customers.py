"""What is known of each customer."""

from crmlab.contracts.contract import Column, Contract

CUSTOMERS = Contract(
    kind="customers",
    description="what is known of each customer",
    columns=(
        Column("customer_id", "id", "who; text, never a number"),
        Column("reachable", "yes", "whether the customer may be written to: yes or no", required=False, nullable=True),
    ),
    empty_message="a table of customers needs at least one",
    key=("customer_id",),
    duplicate_remedy="keep one row a customer",
    attributes=True,
    counts=lambda t, policy: {"customers": t.count()},
    words=lambda c, entry: {"customers": f"{c['customers']:,}"},
)
