"""A contract is one object: what it carries is all that validation, the catalog and the summary need to know of it."""

import pyarrow as pa
import pytest

from crmlab.contracts import CONTRACTS, Column, Contract, InputError, Policy, infer_contract, validation
from crmlab.contracts.contract import negative
from crmlab.contracts.readings import READERS
from crmlab.entry import Entry

from ..conftest import table
from .conftest import refused

VISITS = Contract(
    kind="visits",
    description="how often a page was seen, day by day",
    columns=(
        Column("day", "day", "which day"),
        Column("views", "whole", "how many"),
        Column("page", "text", "which page", required=False),
        Column("bot", "yes", "whether a program saw it: yes or no", required=False, nullable=True),
    ),
    empty_message="visits need at least one day",
    key=("page", "day"),
    duplicate_remedy="add them up",
    attributes=True,
    row_rules=lambda t, policy: negative("views"),
    counts=lambda t, policy: {"views": t.views.sum()},
    words=lambda c, entry: {"views": f"{c['views']:,}"},
)


def validate(raw):
    return validation.validate(VISITS, raw, "file", Policy())


def test_a_contract_of_ones_own_is_validated_counted_and_put_in_words():
    raw = table(day=["2024-01-01", "2024-01-02"], views=["2000", "1"], bot=["yes", ""], size=["1.5", "2"])
    found = validate(raw)
    assert found.table.columns == ("day", "views", "page", "bot", "size")
    assert found.table.page.to_pyarrow().to_pylist() == ["all", "all"]
    assert VISITS.describe(found.counts, Entry(path="x.csv")) == {
        "rows": "2",
        "views": "2,001",
        "bot": "yes 1, no 0, unknown 1",
        "other columns": "size (number)",
    }


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        (
            {"day": ["2024-01-01"]},
            "file: no column 'views' (how many); its columns are 'day'; rename one, or name it in ",
        ),
        (
            {"day": pa.array([], "string"), "views": pa.array([], "string")},
            "file: there are no rows; visits need at least one day",
        ),
        ({"day": ["2024-01-01"], "views": ["-1"]}, "file: 'views' is negative in 1 of 1 rows (first: row 1 '-1'); co"),
        (
            {"day": ["2024-01-01"] * 2, "views": ["1"] * 2},
            "file: 'day' stands in more than one row of its page in 2 of 2 rows (first: row 1 '2024-01-01'; row 2 "
            "'2024-01-01'); add them up",
        ),
    ],
)
def test_its_rules_its_key_and_its_words_are_used(columns, told):
    with pytest.raises(InputError) as caught:
        validate(table(**columns))
    assert caught.value.breaches[0].startswith(told)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=CONTRACTS)
def test_every_contract_is_whole(contract):
    names = [column.name for column in contract.columns]
    assert CONTRACTS[contract.kind] is contract
    assert set(contract.key) <= set(names)
    assert len(set(names)) == len(names)
    assert {column.kind for column in contract.columns} <= READERS.keys()
    assert all([contract.description, contract.empty_message, *(column.meaning for column in contract.columns)])
    assert bool(contract.key) == bool(contract.duplicate_remedy)
    assert Policy(contract=contract.kind).contract == contract.kind


@pytest.mark.parametrize(
    ("contract", "form"),
    [(kind, form) for kind, c in CONTRACTS.items() if kind != "transactions" for form in c.forms or (c.columns,)],
)
def test_a_table_without_rows_is_refused(contract, form):
    raw = table(**{column.name: pa.array([], "string") for column in form})
    (breach,) = refused(contract, raw)
    assert breach.startswith("file: there are no rows; a ")


IDS = [("customers", "customer_id"), ("products", "product_id"), ("stores", "store_id")]


@pytest.mark.parametrize(("contract", "key"), IDS)
def test_ids_are_unique(contract, key):
    told = refused(contract, table(**{key: ["a", "b", "a", "a"]}))
    assert told[0].startswith(f"file: '{key}' stands in more than one row in 3 of 4 rows (first: row 1 'a'; row 3 'a'")


def test_a_file_listed_nowhere_is_told_by_its_columns():
    assert infer_contract(["customer_id", "start", "end", "x"]) == "subscriptions"
    assert infer_contract(["tenure", "churned", "x"]) == "subscriptions"
    assert infer_contract(["customer_id", "start", "tenure"]) == "transactions"
    assert infer_contract(["period", "customers"]) == "retention"
    assert infer_contract(["time", "sales"]) == "series"
    assert infer_contract(["customer_id", "time", "amount", "sales"]) == "transactions"
    assert infer_contract(["customer_id", "time", "Paid"]) == "transactions"
    assert infer_contract(["store_id"]) == "transactions"
