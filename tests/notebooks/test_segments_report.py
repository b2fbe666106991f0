"""The segments report on a small log of all there is to know, and on what it refuses."""

import nbformat
import numpy as np
import pandas as pd
import pytest

from crmlab.reports import store

from ..shell import crmlab
from .conftest import ROOT

SCHEMES = "../figures/gini_by_number_of_segments"  # the figure's frame: the whole comparison
TABLES = (SCHEMES, "pairs", "stability", "profiles", "private/assignments", "private/playbook")
CLUSTERS = {"k-means", "mixture", "hierarchical"}


FEW = {  # draws, the fewest that are taken
    "replicates": 100,
    "criteria_replicates": 100,
    "null_replicates": 19,
    "stability_replicates": 2,
    "jitter_replicates": 1,
}


def run(project, **parameters):
    """The report as the command line runs it, with few draws."""
    given = [word for name, value in (FEW | parameters).items() for word in ("-p", f"{name}={value}")]
    return crmlab("run", "segments", *given, cwd=project, CRMLAB_ROOT=str(project))


def whole(project, **parameters):
    """The folder of a run, and its facts and checks by name and id."""
    done = run(project, **parameters)
    assert done.returncode == 0, done.stdout + done.stderr
    folder = store.latest(project / "reports", "segments")
    made = store.read(folder)
    return folder, made.facts, {check["id"]: check for check in made.checks}


def reported(book):
    """Facts and checks of an executed notebook, by name and id."""
    (last,) = [cell for cell in book.cells if cell.source.strip() == "report"]
    left = last.outputs[0].metadata["crmlab"]
    return {fact["name"]: fact for fact in left["facts"]}, {check["id"]: check for check in left["checks"]}


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
    rows = [f"c{i % 5},2024-{1 + i // 5:02d}-{10 + i % 5},{5 + i}" for i in range(60)]
    (project / "few.csv").write_text("\n".join(["customer_id,time,amount", *rows]) + "\n")
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
    named = {"data": "small.csv", "customers": "people", "products": "goods"}
    folder, facts, checks = whole(project, split="2023-06-20", window_days=60, **named)
    return folder / "tables", facts, checks


def test_the_tables_hold_what_was_promised(example):
    tables, _, checks = example
    schemes, pairs, stability, profiles, assignments, plays = (pd.read_csv(tables / f"{name}.csv") for name in TABLES)
    assert {"origin", "origins", "target", "population", "measure", "model", "is_baseline", "segments"} <= set(schemes)
    assert {"value", "baseline", "difference", "outcome", "reason"} <= set(schemes)
    assert {"spend", "orders", "active"} == set(schemes.target)
    assert {"gini", "lift", "r2"} == set(schemes.measure) == set(pairs.measure)
    assert schemes.origin.nunique() == 4  # three, and all of them
    assert {"jaccard", "dissolved", "ari"} <= set(stability)
    assert {"variable", "outcome", "reason"} <= set(profiles)
    assert assignments.customer_id.is_unique
    assert set(assignments.customer_id) == set(plays.customer_id) <= set(small_log().customer_id)
    assert assignments.notna().all().all()
    assert plays[["segment", "treatment", "owner", "stage"]].notna().all().all()
    assert "new" in set(plays.stage)
    assert {f"segments.schemes_beat_baselines.{measure}" for measure in ("gini", "lift", "r2")} <= set(checks)


def test_what_cannot_be_made_is_left_out_with_its_reason(example):
    tables, facts, checks = example
    schemes = pd.read_csv(tables / f"{SCHEMES}.csv")
    assignments = pd.read_csv(tables / "private" / "assignments.csv", index_col=0)
    nested = schemes[schemes.model == "rfm nested"]
    assert nested.value.isna().all()
    assert nested.outcome.eq("not fitted").all()
    each = nested[nested.origin != "all origins"]
    assert each.reason.str.contains("fewer than the 125 that rfm needs").all()
    rules = pd.read_csv(tables / "rules.csv")
    assert rules.reason[rules.scheme == "rfm nested"].str.contains("fewer than the 125 that").tolist() == [True]
    assert {"abc", "rfm", "rfm_tiers", "index_system", *CLUSTERS} <= set(assignments)
    assert "rfm nested" not in assignments
    assert facts["gini_rfm nested"]["value"] is None
    assert facts["gini_rfm nested"]["reason"] == "not fitted from any of 3 origins"
    assert "segments.meets_kotler_criteria.abc" in checks
    assert "segments.meets_kotler_criteria.rfm nested" not in checks


def test_stores_products_and_reach_join_in_where_they_are_known(example):
    tables, _, checks = example
    kotler = pd.read_csv(tables / "kotler.csv")
    reach = kotler[kotler.criterion == "accessible"]
    assert (reach.value < 0.5).all()  # 30 of 120 can be reached, and of 60 nothing is known
    assert reach.summary.str.contains("taken as no").all()
    brands = pd.read_csv(tables / "brands.csv", index_col=0)
    assert brands.to_numpy().sum() == pytest.approx(1)
    idic = pd.read_csv(tables / "idic.csv")
    assert idic.value.notna().all()
    assert checks["segments.store_strength_changes_treatment"]["outcome"] in (
        "yes",
        "no",
        "undecided",
        "not applicable",
    )


def test_the_committed_report_claims_no_more_than_it_found():
    # the best continuous baseline orders CDNOW's customers no worse than any scheme, and no clusters are shown there
    facts, checks = reported(nbformat.read(ROOT / "notebooks" / "04_segments.ipynb", 4))
    assert checks["segments.schemes_beat_baselines.gini"]["outcome"] == "undecided"
    clusters = checks["segments.customers_form_clusters"]
    assert clusters["outcome"] == "undecided"
    assert clusters["summary"].startswith("No clusters are shown.")
    nested = checks["segments.meets_kotler_criteria.rfm nested"]
    assert "no row for" not in nested["summary"]  # its segments are those of rfm in the playbook
    assert checks["segments.store_strength_changes_treatment"]["outcome"] == "not applicable"
    assert [name for name, fact in facts.items() if fact["value"] is None] == ["gini_eight_classes"]  # no stores


@pytest.mark.slow
def test_the_demonstration_data_with_stores_and_products_run(project):
    products = "complete_journey_products"
    named = {"data": "complete_journey", "products": products, "model": "nbd"}
    folder, _, checks = whole(project, window_days=91, **named)
    assignments = pd.read_csv(folder / "tables" / "private" / "assignments.csv")
    assert assignments.eight_classes.nunique() == 8
    brands = pd.read_csv(folder / "tables" / "brands.csv", index_col=0)
    assert brands.shape == (3, 3)
    assert brands.to_numpy().sum() == pytest.approx(1)
    assert checks["segments.store_strength_changes_treatment"]["outcome"] in ("yes", "no", "undecided")
    data = pd.read_csv(folder / "tables" / "data.csv")
    assert data.astype(str).apply(lambda column: column.str.contains("demonstration data, not real")).any(axis=None)


def test_a_run_links_no_private_table(example):
    tables, _, _ = example
    assert "tables/private" not in (tables.parent / "report.html").read_text("utf-8")


def run_with(project, file, right, wrong):
    """A run with a copy of data/<file>.toml in which `right` became `wrong`."""
    text = (project / "data" / f"{file}.toml").read_text("utf-8")
    assert right in text
    (project / "mine.toml").write_text(text.replace(right, wrong), "utf-8")
    done = run(project, data="few.csv", **{file: "mine.toml"})
    assert "Traceback" not in done.stdout + done.stderr
    return done


def test_a_playbook_that_is_wrong_is_refused_by_what_it_lacks(project):
    done = run_with(project, "playbook", "[value_matrix.keep]", "[value_matrix.kept]")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "[value_matrix] lacks 'keep'" in done.stderr


def test_a_scorecard_that_features_do_not_fit_ends_a_run_that_keeps_what_was_found_by_then(project):
    done = run_with(project, "scorecard", 'column = "age"', 'column = "aged"')
    assert done.returncode == 1, done.stdout + done.stderr
    assert "did you mean 'age'?" in done.stdout
    assert "customers: 5" in done.stdout


def test_five_customers_make_a_report_that_says_how_many_more_are_needed(project):
    _, facts, checks = whole(project, data="few.csv")
    assert facts["customers"]["value"] == 5
    assert facts["gini_past spend"]["reason"] == "5 customers are too few for 5 folds; 50 are needed"
    beat = checks["segments.schemes_beat_baselines.gini"]
    assert beat["outcome"] == "not applicable"
    assert beat["summary"].endswith("50 are needed.")
