"""The CLV report on CDNOW, run as the command line runs it: its facts, and that they are the same every time."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from crmlab.reports import store

ROOT = Path(__file__).parents[2]


def run(project, **environment):
    command = [sys.executable, "-c", "from crmlab.cli import main; main()", "run", "clv"]
    done = subprocess.run(
        command,
        cwd=project,
        env=os.environ | {"CRMLAB_ROOT": str(project)} | environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return store.folders(project / "reports", "clv")[0]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Two runs of the defaults, with DuckDB on one thread and on two."""
    project = tmp_path_factory.mktemp("project")
    for folder in ("notebooks", "data"):
        shutil.copytree(ROOT / folder, project / folder)
    return run(project, CRMLAB_THREADS="1"), run(project, CRMLAB_THREADS="2")


@pytest.mark.parametrize(
    ("fact", "published", "tolerance"),
    [  # Fader, Hardie & Lee (2005), with time in days instead of weeks; Fader & Hardie (2013)
        ("bgnbd_r", 0.2426, 5e-5),
        ("bgnbd_alpha", 30.895, 5e-4),
        ("bgnbd_a", 0.7929, 5e-5),
        ("bgnbd_b", 2.4259, 5e-5),
        ("bgnbd_log_likelihood", -14363.53, 0.01),
        ("gamma_gamma_p", 6.25, 0.005),
        ("gamma_gamma_q", 3.74, 0.005),
        ("gamma_gamma_gamma", 15.44, 0.005),
        ("gamma_gamma_log_likelihood", -4055.92, 0.01),
        ("holdout_orders_seen", 1882, 0),
        ("customers", 2357, 0),
    ],
)
def test_the_default_run_finds_the_published_numbers(runs, fact, published, tolerance):
    assert store.read(runs[0]).facts[fact]["value"] == pytest.approx(published, abs=tolerance)


def test_runs_agree_to_the_last_bit_on_one_thread_and_on_two(runs):
    one, two = ({str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*.csv")} for folder in runs)
    assert one.keys() == {
        f"tables/{stem}.csv" for stem in ("calibration", "errors", "parameters", "tracking", "private/value")
    }
    assert one == two
    assert (runs[0] / "facts.json").read_bytes() == (runs[1] / "facts.json").read_bytes()
    assert store.read(runs[0]).verdicts == store.read(runs[1]).verdicts


def test_the_verdicts_say_where_the_model_loses(runs):
    nearer, ranks, independent = store.read(runs[0]).verdicts
    assert (nearer["passed"], ranks["passed"], independent["passed"]) == (True, False, True)
    assert "ranks" in ranks["claim"]
    assert ranks["instead"].startswith("the past rate")


def test_every_estimate_of_the_report_has_an_interval_about_it(runs):
    facts = store.read(runs[0]).facts
    estimates = {name: fact for name, fact in facts.items() if fact["low"] is not None}
    assert {"active_customers", "orders_ahead", "value_ahead", "holdout_orders_expected", "bgnbd_r"} <= estimates.keys()
    assert all(fact["low"] < fact["value"] < fact["high"] for fact in estimates.values())
    assert {facts[n]["interval"] for n in ("orders_ahead", "holdout_orders_expected")} == {"predictive"}
    assert {facts[n]["interval"] for n in ("active_customers", "value_ahead")} == {"confidence"}


def test_every_customer_is_scored_once_by_an_id_that_is_text(runs):
    lines = (runs[0] / "tables" / "private" / "value.csv").read_text().splitlines()
    ids = [line.split(",")[0] for line in lines[1:]]
    assert len(ids) == len(set(ids)) == 2357
    assert ids == sorted(ids)
    assert ids[0] == "00004"
