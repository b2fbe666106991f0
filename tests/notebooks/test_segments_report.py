"""The segments report as the command line runs it: on a small log of all there is to know, and on what it refuses."""

import nbformat
import numpy as np
import pandas as pd
import pytest

from crmlab.reports import store

from ..shell import crmlab
from .conftest import ROOT

TABLES = ("schemes", "stability", "profiles", "migration", "private/assignments", "private/playbook")
CLUSTERS = {"k-means", "mixture", "hierarchical"}


def run(project, **parameters):
    given = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
    done = crmlab("run", "segments", *given, cwd=project, CRMLAB_ROOT=str(project))
    return done, next(iter(store.folders(project / "reports", "segments")), None)


def small_log(customers=120, days=400):
    """Orders of customers with odd names, at stores, of products: 120 of them are too few for nested RFM."""
    rng = np.random.default_rng(5)
    first = rng.integers(0, days // 2, customers)
    who = np.repeat(np.arange(customers), rng.geometric(0.25, customers))
    day = first[who] + np.where(np.r_[True, np.diff(who) > 0], 0, rng.random(len(who)) * (days - first[who])).astype(
        int
    )
    columns = {
        "customer_id": [f'Åsa "{i}", 客\'s' for i in who],
        "time": (pd.Timestamp("2023-01-01") + pd.to_timedelta(day, unit="D")).strftime("%Y-%m-%d"),
        "amount": rng.lognormal(3, 0.8, len(who)).round(2),
        "store_id": [f"s{i % 4}" for i in who],
        "product_id": [f"p{i}" for i in rng.integers(0, 4, len(who))],
    }
    return pd.DataFrame(columns)


@pytest.fixture(scope="module")
def project(project):
    small_log().to_csv(project / "small.csv", index=False)
    return project


@pytest.fixture(scope="module")
def example(project):
    ids = small_log().customer_id.drop_duplicates()[:60]
    people = pd.DataFrame({"customer_id": ids, "reachable": ["yes", "no"] * 30})
    goods = pd.DataFrame({"product_id": ["p0", "p1", "p2", "p3"], "own_label": ["yes", "no"] * 2})
    with (project / "data" / "catalog.toml").open("a") as catalog:
        for name, table, contract in (("people", people, "customers"), ("goods", goods, "products")):
            table.to_csv(project / "data" / f"{name}.csv", index=False)
            catalog.write(f'\n[{name}]\npath = "{name}.csv"\ncontract = "{contract}"\n')
    # the split lies within a month, so that some customers are known for no whole period
    done, folder = run(
        project, data="small.csv", customers="people", products="goods", split="2023-06-20", window_days=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_tables_hold_what_was_promised(example):
    schemes, stability, *_, assignments, plays = (pd.read_csv(example / "tables" / f"{name}.csv") for name in TABLES)
    measures = [
        f"{m}{end}" for m in ("gini", "lift10", "r2") for end in ("", "_difference_ci_low", "_difference_ci_high")
    ]
    assert {"model", "segments", *measures} <= set(schemes)
    assert {"spend", "orders", "active"} == set(schemes.target)
    assert schemes.origin.nunique() == 4  # three, and all of them
    assert {"jaccard", "dissolved", "ari"} <= set(stability)
    assert assignments.customer_id.is_unique
    assert set(assignments.customer_id) == set(plays.customer_id) <= set(small_log().customer_id)
    assert assignments.notna().all().all()
    assert plays[["segment", "treatment", "owner", "stage"]].notna().all().all()
    assert "tables/private" not in (example / "report.html").read_text("utf-8")


def test_what_cannot_be_made_is_left_out_with_its_reason(example):
    schemes = pd.read_csv(example / "tables" / "schemes.csv")
    assignments = pd.read_csv(example / "tables" / "private" / "assignments.csv", index_col=0)
    nested = schemes[schemes.model == "rfm nested"]
    assert nested.gini.isna().all()
    assert nested.gini_outcome.str.contains("fewer than the 125 segments of rfm").all()
    told = [v for v in store.read(example).verdicts if v["claim"] == "rfm nested can be made of what is known"]
    assert [v["passed"] for v in told] == [False]
    assert {"abc", "rfm", "rfm_tiers", "index_system", *CLUSTERS} <= set(assignments)
    assert "rfm nested" not in assignments
    assert "gini_rfm nested" not in store.read(example).facts


def test_stores_products_and_reach_join_in_where_they_are_known(example):
    kotler = pd.read_csv(example / "tables" / "kotler.csv")
    reach = kotler[kotler.criterion == "accessible"]
    assert (reach.value < 0.5).all()  # 30 of 120 can be reached, and of 60 nothing is known
    assert reach.summary.str.contains("taken as no").all()
    brands = pd.read_csv(example / "tables" / "brands.csv", index_col=0)
    assert brands.to_numpy().sum() == pytest.approx(1)
    idic = pd.read_csv(example / "tables" / "idic.csv")
    assert idic.value.notna().all()


def test_the_committed_report_claims_no_more_than_it_found():
    # the best continuous rule orders CDNOW's customers no worse than any scheme, and no clusters are claimed there
    last = nbformat.read(ROOT / "notebooks" / "04_segments.ipynb", 4).cells[-1]
    verdicts = {verdict["claim"]: verdict for verdict in last.outputs[0].metadata["crmlab"]["verdicts"]}
    race = next(v for claim, v in verdicts.items() if claim.endswith("rule: Gini"))
    assert not race["passed"]
    assert race["evidence"].startswith("no difference")
    assert "not claimed" in verdicts["customers fall into segments"]["evidence"]
    nested = next(v for claim, v in verdicts.items() if claim.startswith("rfm nested"))
    assert "no row for" not in nested["evidence"]  # its segments are those of rfm in the playbook


@pytest.mark.slow
def test_the_demonstration_data_are_called_so(project):
    products = "complete_journey_products"
    done, folder = run(project, data="complete_journey", products=products, model="nbd", window_days=91)
    assert done.returncode == 0, done.stdout + done.stderr
    assignments = pd.read_csv(folder / "tables" / "private" / "assignments.csv")
    assert assignments.eight_classes.nunique() == 8
    brands = pd.read_csv(folder / "tables" / "brands.csv", index_col=0)
    assert brands.shape == (3, 3)
    assert brands.to_numpy().sum() == pytest.approx(1)
    assert "demonstration data, not real" in (folder / "report.html").read_text("utf-8")


WRONG = {
    "playbook": ("[value_matrix.keep]", "[value_matrix.kept]", "[value_matrix] lacks 'keep'"),
    "scorecard": ('column = "age"', 'column = "aged"', "did you mean 'age'?"),
}


@pytest.mark.parametrize("file", WRONG)
def test_a_file_that_is_wrong_is_refused_by_what_it_lacks(project, file):
    right, wrong, said = WRONG[file]
    text = (project / "data" / f"{file}.toml").read_text("utf-8")
    (project / "mine.toml").write_text(text.replace(right, wrong), "utf-8")
    done, _folder = run(project, data="small.csv", **{file: "mine.toml"})
    assert done.returncode == 2, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_few_customers_are_refused_in_words(project):
    rows = [f"c{i % 5},2024-{1 + i // 5:02d}-{10 + i % 5},{5 + i}" for i in range(60)]
    (project / "few.csv").write_text("\n".join(["customer_id,time,amount", *rows]) + "\n")
    done, _folder = run(project, data="few.csv")
    assert done.returncode == 2
    assert "Traceback" not in done.stdout + done.stderr
    assert "customers" in done.stdout + done.stderr
