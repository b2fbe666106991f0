"""The page for those who come from another package: what it says is run, and lifetimes beside it."""

import re
import warnings
from pathlib import Path

import lifetimes
import pandas as pd
import pytest
from lifetimes.datasets import load_cdnow_summary, load_cdnow_summary_data_with_monetary_value
from lifetimes.utils import summary_data_from_transaction_data

from crmlab import catalog, clv, segments
from crmlab.estimate import Estimate

PAGE = (Path(__file__).parents[1] / "docs" / "coming-from.md").read_text("utf-8")
ROWS = re.findall(r"^\| ([^|]+) \| `([^`]+)` \| `([^`]+)` \|$", PAGE, re.MULTILINE)
SECTIONS = dict(re.findall(r"^## (\S+?),?(?: of R)?\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))
OF_LIFETIMES = [row for row in ROWS if row[1] in SECTIONS["lifetimes"]]
OTHERS = [row for row in ROWS if row not in OF_LIFETIMES]


@pytest.fixture(scope="module")
def names():
    log = catalog.orders("cdnow_sample").table.execute()
    df = log.rename(columns={"customer_id": "Client", "time": "Ordered", "amount": "Paid"})[
        ["Client", "Ordered", "Paid"]
    ]
    df = df.astype({"Paid": float})
    orders, end = catalog.orders(df, customer_id="Client", time="Ordered", amount="Paid"), "1997-09-30"
    f, m = load_cdnow_summary(index_col=[0]), load_cdnow_summary_data_with_monetary_value()
    customers = clv.summarise(orders, end)
    given = {"df": df[df.Ordered <= end], "end": end, "orders": orders, "customers": customers, "f": f}
    given |= {"m": m[m.frequency > 0], "model": clv.fit(f, "bg_nbd"), "spend": clv.fit_spend(m[m.frequency > 0])}
    bgf = lifetimes.BetaGeoFitter().fit(f.frequency, f.recency, f["T"])
    ggf = lifetimes.GammaGammaFitter().fit(given["m"].frequency, given["m"].monetary_value)
    theirs = {"bgf": bgf, "mbgf": lifetimes.ModifiedBetaGeoFitter(), "pnbd": lifetimes.ParetoNBDFitter(), "ggf": ggf}
    return (
        given
        | theirs
        | {"clv": clv, "segments": segments, "summary_data_from_transaction_data": summary_data_from_transaction_data}
    )


def test_the_page_has_its_tables():
    assert list(SECTIONS) == ["lifetimes", "pymc-marketing", "CLVTools", "rfm"]
    assert (len(OF_LIFETIMES), len(OTHERS)) == (11, 15)


@pytest.mark.parametrize(("what", "theirs", "ours"), OF_LIFETIMES, ids=[row[0] for row in OF_LIFETIMES])
def test_lifetimes_and_crmlab_give_the_same_number(what, theirs, ours, names):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of lifetimes
        expected = eval(theirs, names)
    found = eval(ours, names)
    found = found.value if isinstance(found, Estimate) else found
    assert found == pytest.approx(float(expected), rel=2e-3)


@pytest.mark.parametrize(("what", "theirs", "ours"), OTHERS, ids=[f"{row[0]}: {row[1]}" for row in OTHERS])
def test_what_stands_beside_other_packages_runs(what, theirs, ours, names):
    names = names | {"model": clv.fit(names["customers"], "bg_nbd"), "spend": clv.fit_spend(names["customers"])}
    found = eval(ours, names)
    assert found is not None
    assert bool(found) if not isinstance(found, (pd.DataFrame, pd.Series)) else len(found)


def test_the_four_lines_of_the_readme_run(names, capsys):
    text = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
    code = text.split("## Four lines of Python\n\n")[1].split("\n\n")[0]
    assert len(code.splitlines()) == 4
    exec("\n".join(line.removeprefix("    ") for line in code.splitlines()), {"df": names["df"]})
    said = capsys.readouterr().out
    assert "customers, by MBG/NBD" in said
    assert "customers_who_order" in said
