"""The service-quality report as the command line runs it: on the packaged example, and on an unprepared survey."""

import ast
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest

from crmlab import report as reporting
from crmlab.reports import store

from ..shell import crmlab
from .conftest import ROOT

GAPS = ["item", "dimension", "n", "expect", "perceive", "gap", "ci_low", "ci_high", "t", "p_adjusted", "d"]
TABLES = {  # and columns that each has, whatever was asked
    "gap_scores": GAPS,
    "dimensions": GAPS,
    "scale_reliability": ["battery", "dimension", "alpha", "omega_total", "composite_reliability", "ave", "reason"],
    "key_drivers": ["driver", "r2_contribution", "rank", "rank_ci_low", "rank_ci_high", "reason"],
    "improvement_priorities": ["item", "importance", "performance", "quadrant", "stability", "decision", "reason"],
    "loyalty_by_satisfaction": [
        "satisfaction",
        "n",
        "share",
        "risk_ratio",
        "risk_ratio_ci_low",
        "risk_ratio_ci_high",
        "reason",
    ],
}
OUTCOMES = ("satisfaction", "repurchase", "recommend", "complained", "resolved", "word_of_mouth", "buying")


def run(project, *options):
    """The report as the command line runs it, with few draws."""
    done = crmlab("run", "service_quality", "-p", "replicates=100", *options, cwd=project, CRMLAB_ROOT=str(project))
    return done, next(iter(store.folders(project / "reports", "service_quality")), None)


@pytest.fixture(scope="module")
def example(project):
    done, folder = run(project)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_the_tables_hold_what_was_promised(example):
    held = {path.stem for path in (example / "tables").glob("*.csv")}
    assert TABLES.keys() <= held
    gap_scores = pd.read_csv(example / "tables" / "gap_scores.csv")
    assert gap_scores.columns[: len(GAPS)].to_list() == GAPS
    assert len(gap_scores) == 22
    assert ((gap_scores.ci_low <= gap_scores.gap) & (gap_scores.gap <= gap_scores.ci_high)).all()
    np.testing.assert_allclose(gap_scores.gap, gap_scores.perceive - gap_scores.expect, atol=1e-9)


def test_the_report_says_that_its_data_are_simulated(example):
    manifest = store.read(example)
    assert [source.nature for source in manifest.sources] == ["simulated"]
    assert "simulated" in (example / "report.html").read_text("utf-8")
    assert set(manifest.files) == {"survey", "instrument"}


def test_the_facts_are_gaps_with_intervals(example):
    facts = store.read(example).facts
    assert {"gap_overall", "gap_reliability", "nps"} <= facts.keys()
    assert all(fact["ci_low"] < fact["value"] < fact["ci_high"] for name, fact in facts.items() if name != "customers")
    assert facts["gap_responsiveness"]["ci_high"] < facts["gap_tangibles"]["ci_low"]  # as planted


def without(text, *keys, tables=()):
    """An instrument file without some keys of its items, and without some of its tables."""
    for key in keys:
        text = re.sub(rf"^{key} = .*\n", "", text, flags=re.M)
    for name in tables:
        text = re.sub(rf"^\[{name}\].*\n(?:(?!\[).*\n)*", "", text, flags=re.M)
    return text


def earlier(answers):
    """Managers and staff answered in the first wave, customers in both."""
    return answers.assign(wave=answers.wave.where(answers.audience == "customer", "1"))


SURVEYS = {  # what becomes of the packaged example and of its instrument, and what each report is to say
    "perceptions alone": (lambda a: a, lambda t: without(t, "expect", "adequate"), "expectations were not asked"),
    "expectations alone": (lambda a: a, lambda t: without(t, "perceive", "adequate"), "perceptions were not asked"),
    "gaps alone": (
        lambda a: a[a.audience == "customer"],
        lambda t: without(t, "segments", "adequate", tables=["points", *(f"outcomes.{name}" for name in OUTCOMES)]),
        "satisfaction was not asked",
    ),
    "three customers": (lambda a: a[a.wave == "2"][:3], lambda t: t, "at least 30 are needed"),
    "managers before": (earlier, lambda t: t, "managers of wave 1, customers of wave 2"),
}


def cell_value(source, names):
    """Runs a cell: the value of its last line, None where that is a statement."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), "cell", "exec"), names)
    return eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None


@pytest.mark.filterwarnings("error", "ignore::DeprecationWarning")
@pytest.mark.parametrize(("answers", "instrument", "told"), SURVEYS.values(), ids=SURVEYS)
def test_surveys_that_asked_less_go_through_the_whole_recipe(answers, instrument, told, tmp_path, monkeypatch):
    own = {name: str(tmp_path / f"own.{kind}") for name, kind in (("survey", "csv"), ("instrument", "toml"))}
    raw = pd.read_csv(ROOT / "data" / "example_survey.csv", dtype=str, keep_default_na=False)
    answers(raw).to_csv(own["survey"], index=False)
    Path(own["instrument"]).write_text(instrument((ROOT / "data" / "example_survey.toml").read_text("utf-8")), "utf-8")
    shown, drawn, names, mpl.rcParams["backend"] = [], [], {}, "agg"
    monkeypatch.setattr(reporting, "display", lambda each: shown.append(repr(each)))
    monkeypatch.setattr(reporting.plt, "close", lambda figure: drawn.extend(figure.axes))
    for cell in nbformat.read(ROOT / "notebooks" / "03_service_quality.ipynb", 4).cells:
        if cell.cell_type == "code":
            value = cell_value(cell.source, names)
        if "parameters" in cell.metadata.get("tags", ()):
            names |= own | {"replicates": 100}
    words = [text.get_text() for ax in drawn for text in (*ax.texts, *ax.get_yticklabels())]
    monkeypatch.undo()
    plt.close("all")
    said = " ".join("\n".join([*shown, *words]).split())
    assert told in said
    assert "nan" not in said.lower().split()
    assert isinstance(value, reporting.Report)
    assert "service_quality.gap_predicts_satisfaction" in value.checks
    assert {"gap_overall", "gap_overall_weighted", "top_box_risk_ratio", "nps"} <= value.facts.keys()
    for stem, columns in TABLES.items():
        table = value.tables[stem]
        assert set(columns) <= set(table.columns), stem
        assert len(table), stem
        blank = table[[name for name in table if table[name].dtype == float and name != "n"]].isna().all(axis=1)
        assert (table.reason[blank] != "").all(), f"{stem}: a blank row without its reason"


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
    own = {"survey": project / "own.csv", "instrument": project / "own.toml"}
    done, folder = run(project, *(word for name, value in own.items() for word in ("-p", f"{name}={value}")))
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
