"""The service-quality report as the command line runs it: on the packaged example, and on an unprepared survey."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from crmlab.reports import store

ROOT = Path(__file__).parents[2]
GAPS = ["item", "dimension", "n", "expect", "perceive", "gap", "low", "high", "t", "p_holm", "d"]
TABLES = ("gaps", "dimensions", "reliability", "drivers", "priorities", "loyalty")


def run(project, *options):
    command = [sys.executable, "-c", "from crmlab.cli import main; main()", "run", "service_quality", *options]
    environment = os.environ | {"CRMLAB_ROOT": str(project)}
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    return done, next(iter(store.folders(project / "reports", "service_quality")), None)


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
    held = {path.stem for path in (example / "tables").glob("*.csv")}
    assert set(TABLES) <= held
    gaps = pd.read_csv(example / "tables" / "gaps.csv")
    assert gaps.columns[: len(GAPS)].to_list() == GAPS
    assert len(gaps) == 22
    assert ((gaps.low <= gaps.gap) & (gaps.gap <= gaps.high)).all()
    np.testing.assert_allclose(gaps.gap, gaps.perceive - gaps.expect, atol=1e-9)


def test_the_report_says_that_its_data_are_simulated(example):
    manifest = store.read(example)
    assert any("simulated" in note for note in manifest.notes)
    assert "simulated" in (example / "report.html").read_text("utf-8")
    assert set(manifest.files) == {"survey", "instrument"}


def test_the_facts_are_gaps_with_intervals(example):
    facts = store.read(example).facts
    assert {"gap_overall", "gap_reliability", "nps"} <= facts.keys()
    assert all(fact["low"] < fact["value"] < fact["high"] for name, fact in facts.items() if name != "customers")
    assert facts["gap_responsiveness"]["high"] < facts["gap_tangibles"]["low"]  # as planted


def test_a_survey_nobody_prepared_runs_from_an_instrument_of_a_few_lines(project):
    rng = np.random.default_rng(1)
    truth = rng.normal(0, 0.7, 80)
    columns = {
        f"{kind}{item}": np.clip(np.round(mean + truth + rng.normal(0, 1, 80)), 1, 5).astype(int)
        for kind, mean in (("E", 4.2), ("P", 3.6))
        for item in range(1, 7)
    }
    pd.DataFrame({"id": range(80)} | columns).to_csv(project / "own.csv", index=False)
    (project / "own.toml").write_text(
        'name = "own"\ntitle = "Our own survey"\ndata_kind = "simulated"\n[scale]\nlow = 1\nhigh = 5\n'
        "[dimensions]\nplace = ['Q1', 'Q2', 'Q3']\npeople = ['Q4', 'Q5', 'Q6']\n[items]\n"
        + "".join(f"Q{n} = {{ expect = 'E{n}', perceive = 'P{n}' }}\n" for n in range(1, 7))
        + "[design]\nrespondent = 'id'\n",
        "utf-8",
    )
    done, folder = run(project, "-p", f"survey={project / 'own.csv'}", "-p", f"instrument={project / 'own.toml'}")
    assert done.returncode == 0, done.stdout + done.stderr
    made = store.read(folder)
    assert made.title.startswith("Our own survey")
    assert made.facts["gap_overall"]["value"] < 0


def test_a_survey_that_does_not_fit_its_instrument_is_refused_in_words(project):
    (project / "short.csv").write_text("id,E1\n1,4\n2,5\n")
    before = len(store.folders(project / "reports", "service_quality"))
    done, _ = run(project, "-p", f"survey={project / 'short.csv'}")
    assert done.returncode == 2
    assert "error:" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert len(store.folders(project / "reports", "service_quality")) == before
