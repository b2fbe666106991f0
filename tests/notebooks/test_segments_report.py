"""The segments report as the command line runs it: on the default log, with stores and products, and refusals."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from crmlab.reports import store

ROOT = Path(__file__).parents[2]
TABLES = ("schemes", "stability", "profiles", "migration", "private/assignments", "private/playbook")


def run(project, *options):
    command = [sys.executable, "-c", "from crmlab.cli import main; main()", "run", "segments", *options]
    environment = os.environ | {"CRMLAB_ROOT": str(project)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    return done, next(iter(store.folders(project / "reports", "segments")), None)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = tmp_path_factory.mktemp("project")
    for folder in ("notebooks", "data"):
        shutil.copytree(ROOT / folder, project / folder)
    return project


@pytest.fixture(scope="module")
def example(project):
    done, folder = run(project)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_tables_hold_what_was_promised(example):
    schemes, stability, *_, assignments, plays = (pd.read_csv(example / "tables" / f"{name}.csv") for name in TABLES)
    measures = [f"{m}{end}" for m in ("gini", "lift10", "r2") for end in ("", "_difference_low", "_difference_high")]
    assert {"scheme", "segments", *measures} <= set(schemes)
    assert {"spend", "orders", "active"} == set(schemes.outcome)
    assert schemes.origin.nunique() == 4  # three, and all of them
    assert {"jaccard", "dissolved", "ari"} <= set(stability)
    assert len(assignments) == len(plays) == 2357
    assert assignments.notna().all().all()
    assert plays[["segment", "treatment", "owner"]].notna().all().all()


def test_the_report_claims_no_more_than_it_found(example):
    # the best continuous rule orders CDNOW's customers no worse than any scheme, and no clusters are claimed there
    verdicts = {verdict["claim"]: verdict for verdict in store.read(example).verdicts}
    race = next(v for claim, v in verdicts.items() if claim.endswith("rule: Gini"))
    assert not race["passed"]
    assert race["evidence"].startswith("no difference")
    assert "not claimed" in verdicts["customers fall into segments"]["evidence"]
    assert "tables/private" not in (example / "report.html").read_text("utf-8")


@pytest.mark.slow
def test_stores_and_products_join_in_where_they_are_known(project):
    given = {"data": "complete_journey", "products": "complete_journey_products", "model": "nbd", "window_days": "91"}
    done, folder = run(project, *(word for name, value in given.items() for word in ("-p", f"{name}={value}")))
    assert done.returncode == 0, done.stdout + done.stderr
    assignments = pd.read_csv(folder / "tables" / "private" / "assignments.csv")
    assert assignments.eight_classes.nunique() == 8
    brands = pd.read_csv(folder / "tables" / "brands.csv", index_col=0)
    assert brands.shape == (3, 3)
    assert brands.to_numpy().sum() == pytest.approx(1)
    assert "demonstration data, not real" in (folder / "report.html").read_text("utf-8")


def test_a_playbook_that_lacks_a_class_is_refused_by_its_name(project):
    plan = (project / "data" / "playbook.toml").read_text("utf-8")
    (project / "mine.toml").write_text(plan.replace("[value_matrix.keep]", "[value_matrix.kept]"))
    done, _folder = run(project, "-p", "playbook=mine.toml")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "keep" in done.stderr
    assert "Traceback" not in done.stderr


def test_few_customers_are_refused_in_words(project):
    rows = [f"c{i % 5},2024-{1 + i // 5:02d}-{10 + i % 5},{5 + i}" for i in range(60)]
    (project / "few.csv").write_text("\n".join(["customer_id,time,amount", *rows]) + "\n")
    done, _folder = run(project, "-p", "data=few.csv")
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stdout + done.stderr
    assert "customers" in done.stdout + done.stderr
