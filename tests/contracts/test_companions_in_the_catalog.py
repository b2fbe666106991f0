"""How the catalog, a report's parameters and the command line deal with contracts other than TRANSACTIONS."""

from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from crmlab import catalog
from crmlab.cli import app
from crmlab.contracts import InputError
from crmlab.reports import parameters

from ..conftest import LOG
from ..reports.conftest import project, write_notebook  # noqa: F401

HERE = Path(__file__).parents[2]
SERIES = "time,sales\n2024-01-01,1\n2024-02-01,2\n"


def refused(*asked):
    with pytest.raises(InputError) as caught:
        catalog.check(*asked)
    return caught.value.breaches


# Fader & Hardie 2007, shares of 1,000 customers, years 0 to 12; and the sum of Bass's ten years of sales
def test_the_packaged_facts_are_as_published(monkeypatch):
    monkeypatch.setenv("CRMLAB_ROOT", str(HERE))
    left = catalog.check("fader_hardie_2007", "retention").table.execute().set_index(["group", "period"]).customers
    assert left["High-End"].tolist() == [1000, 869, 743, 653, 593, 551, 517, 491, 468, 445, 427, 409, 394]
    assert left["Regular"].tolist() == [1000, 631, 468, 382, 326, 289, 262, 241, 223, 207, 194, 183, 173]
    vcr = catalog.check("vcr_sales")
    assert (vcr.findings.counts["sales"], vcr.findings.counts["every"], vcr.findings.first, vcr.findings.last) == (
        60_640, "year", date(1980, 1, 1), date(1989, 1, 1),
    )  # fmt: skip


def test_data_of_another_contract_are_refused_with_what_there_is_instead(shop):
    shop.write("s.csv", SERIES)
    shop.write("log.csv", LOG + "a,2024-01-01,1\n")
    shop.catalog("[s]\npath = 's.csv'\ncontract = 'series'\n[own]\npath = 'log.csv'\n")
    told = (
        "s holds SERIES (sales, period by period), but this needs TRANSACTIONS (orders, a row each or a row a line); "
        "name such data; data/catalog.toml has own"
    )
    assert refused("s", "transactions") == (told,)
    for needs_orders in (catalog.orders,):
        with pytest.raises(InputError, match="s holds SERIES"):
            needs_orders("s")
    assert refused("own", "stores")[0].endswith("what is known of each store); name such data")
    assert refused("own", "orders")[0].startswith("there is no contract 'orders'; there are transactions, subscr")


def test_a_file_listed_nowhere_is_read_by_what_it_holds_or_by_what_is_asked_of_it(shop):
    path = shop.write("s.csv", SERIES)
    assert catalog.check(path).findings.entry.contract == "series"
    assert catalog.check(path, "series").table.columns == ("time", "sales", "category")
    assert "no column 'customer_id'" in refused(path, "transactions")[0]
    stores = shop.write("stores.csv", "store_id,area\n1,20\n")
    assert catalog.check(stores, "stores").findings.counts["attributes"] == {"area": "number"}
    assert "no column 'customer_id'" in refused(stores)[0]
    assert catalog.check(shop.write("log.csv", LOG + "a,2024-01-01,1\n")).findings.entry.contract == "transactions"


def test_fields_of_orders_and_strange_contracts_are_refused_in_other_entries(shop):
    shop.catalog("""
        [a]
        path = "a.csv"
        contract = "series"
        returns = "net"
        split = 2024-01-01
        columns = { customer_id = "x" }
        [b]
        path = "b.csv"
        contract = "serie"
        [c]
        path = "c.csv"
        contract = "stores"
        zero = "drop"
        acquired_from = 2024-01-01
    """)
    told = "\n".join(breach for name in ("a", "b", "c") for breach in refused(name))
    assert (
        "[a] columns = {'customer_id': 'x'}: no column 'customer_id' in the contract, which has time, sales, " in told
    )
    assert "[b] contract = 'serie'; write 'transactions', 'subscriptions'" in told
    assert (
        "[c]: zero, acquired_from: only of contract = 'transactions', this one is 'stores'; leave out what is not of it"
        in told
    )


FOUND = [
    ("subscriptions", "customer_id,start,end\na,2024-01-01,\nb,2024-01-02,2024-03-01\n",
     {"customers": "2", "contracts ended": "1", "first start to last day observed": "2024-01-01 to 2024-03-01"}),
    ("retention", "period,customers\n0,9\n1,3\n", {"customers in period 0": "9", "periods": "0 to 1"}),
    ("series", SERIES, {"first to last period": "2024-01-01 to 2024-02-01, one every month", "sales": "3 EUR"}),
    ("series", "time,sales\n2024-01-01,1\n", {"first to last period": "2024-01-01 to 2024-01-01, a single one"}),
    ("customers", "customer_id,reachable,age\na,yes,3\nb,,4\n",
     {"reachable": "yes 1, no 0, unknown 1", "other columns": "age (number)"}),
    ("products", "product_id,brand,own_label\na,x,no\n",
     {"brands": "1", "own label": "yes 0, no 1, unknown 0", "other columns": "none"}),
    ("stores", "store_id\na\n", {"stores": "1", "other columns": "none"}),
]  # fmt: skip


@pytest.mark.parametrize(("contract", "text", "lines"), FOUND)
def test_what_validation_found_is_told_in_plain_words(shop, contract, text, lines):
    log = catalog.check(shop.entry(text, contract=repr(contract), currency="'EUR'"))
    summary = log.summary.found
    assert summary["contract"].startswith(contract.upper())
    assert {name: summary[name] for name in lines} == lines
    assert not any(word in " ".join(summary) for word in ("None", "nan", "NaT", "<NA>"))


def test_check_names_the_contract_and_takes_one(project):  # noqa: F811
    (project / "stores.csv").write_text("store_id,area\n1,20\n")
    told = CliRunner().invoke(app, ["check", "stores.csv", "--contract", "stores"]).stdout
    assert "STORES: what is known of each store" in told
    assert "area (number)" in told


def test_a_report_takes_data_of_any_contract(project):  # noqa: F811
    (project / "s.csv").write_text(SERIES)
    write_notebook(
        project / "notebooks" / "02_any.ipynb", parameters='data: Dataset = "s.csv"\nend: date | None = None'
    )
    (project / "notebooks" / "suite.toml").write_text("[ranges.any]\nend = { within = 'data' }\n")
    job = parameters.prepare(project, [("any", {})])[0]
    assert job.datasets["data"].findings.entry.contract == "series"
    parameters.prepare(project, [("any", {"end": "2024-01-15"})])
    with pytest.raises(InputError, match=r"end = 2025-01-15 lies outside s\.csv"):
        parameters.prepare(project, [("any", {"end": "2025-01-15"})])
    (project / "r.csv").write_text("period,customers\n0,9\n1,3\n")
    with pytest.raises(InputError, match=r"end = 2025-01-15 is to lie within r\.csv, which knows no days"):
        parameters.prepare(project, [("any", {"data": "r.csv", "end": "2025-01-15"})])
