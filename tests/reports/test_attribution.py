"""Which cause a difference of two runs is due to."""

from dataclasses import replace

import pytest

from crmlab import catalog, exported
from crmlab.contracts import InputError
from crmlab.estimate import Estimate
from crmlab.reports import attribution, comparison, parameters, reread, runner, store
from crmlab.reports.manifest import Code, Environment, Source
from crmlab.reports.suite import Limits

from .conftest import SALES, lay_out, write_notebook
from .test_store import manifest

CODE = """
from ours import TIMES
rows = catalog.orders(data).table
report = Report("Sales")
report.fact("sales", TIMES * share * float(rows.amount.sum().execute()))
report.fact("rows", rows.count().execute(), kind="count")
report
"""
PARAMETERS = 'data: Dataset = "sales"\nshare: float = 1.0'


DOUBLED = SALES + "".join(f"0{line}\n" for line in SALES.splitlines()[1:])  # of other customers, as many
LARGE = {"times": 2, "rows": DOUBLED, "share": 2.0}


def run(project, times=1, rows=SALES, **given):
    """A run of 42.75 in sales, times what is given, with as many rows as there are."""
    (project / "notebooks" / "ours.py").write_text(f"TIMES = {times}\n")
    (project / "data" / "sales.csv").write_text(rows)
    (job,) = parameters.prepare(project, [("small", given)])
    folder = runner.run(job, project, project / "reports")
    assert store.read(folder).state == "success", store.read(folder).error
    return folder


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A project and two of its runs, between which data, code and a parameter each double the sales."""
    with pytest.MonkeyPatch.context() as patch:
        project = lay_out(tmp_path_factory.mktemp("project"))
        patch.setenv("CRMLAB_ROOT", str(project))
        patch.chdir(project)
        (project / "notebooks" / "suite.toml").write_text('[[run]]\nreport = "small"\n')
        write_notebook(project / "notebooks" / "01_small.ipynb", CODE, parameters=PARAMETERS)
        yield project, run(project), run(project, **LARGE)


def test_causes_that_act_together_leave_a_remainder_and_nothing_is_published_or_left(two):
    """By hand: sales double by data, by code and by a parameter: 42.75 becomes 342.

    On the data that are there, 85.5 without code and parameter: data 42.75; code 342 - 171, parameter 342 - 171.
    """
    project, before, after = two
    (project / "data" / "sales.csv").write_text(DOUBLED)
    reports, said = project / "reports", []
    kept = (reports / "ledger.jsonl").read_text()
    found = attribution.attributed(project, before, after, said.append)
    assert found.effects["sales"] == pytest.approx({"data": 42.75, "code": 171, "parameters": 171})
    assert found.remainder["sales"] == pytest.approx(342 - 42.75 - 42.75 - 342)
    assert found.effects["rows"] == {"data": 5, "code": 0, "parameters": 0}
    assert said == [
        "data as now, code as then, parameters as then",
        "data as now, code as then, parameters as now",
        "data as now, code as now, parameters as then",
    ]
    assert (reports / "ledger.jsonl").read_text() == kept
    assert [*(reports / ".staging").glob("*")] == []
    assert {path.name for path in (reports / "small").iterdir()} == {before.name, after.name}
    compared = comparison.compare(before, after)
    assert compared.due_to(compared.facts[0]) == ""
    with_causes = replace(compared, attribution=found)
    assert with_causes.due_to(compared.facts[0]) == "data +42.75, code +171, parameters +171, together -85.50"


def test_where_the_data_of_the_later_run_are_gone_those_of_the_earlier_are_taken(two):
    """By hand, on 42.75: 85.5 with code, 85.5 with the parameter; 171 with both, of the later run's 342."""
    project, before, after = two
    (project / "data" / "sales.csv").write_text(SALES)
    found = attribution.attributed(project, before, after)
    assert found.effects["sales"] == pytest.approx({"data": 171, "code": 42.75, "parameters": 42.75})
    assert found.remainder["sales"] == pytest.approx(342 - 42.75 - 171 - 85.5)


def test_what_can_no_longer_be_repeated_is_refused(two):
    project, before, after = two
    (project / "data" / "sales.csv").write_text(SALES[:60])
    with pytest.raises(InputError, match="sales: what is there now is what neither run read"):
        attribution.attributed(project, before, after)
    (project / "data" / "sales.csv").write_text(DOUBLED)
    code = project / "reports" / ".code" / store.read(before).code.snapshot
    (code / "notebooks" / "ours.py").write_text("TIMES = 3\n")
    with pytest.raises(InputError, match=r"the copy of the code of that run, \w+, was changed"):
        attribution.attributed(project, before, after)


def published(reports, **about):
    held = {"sales": Estimate(about.pop("sales", 42.75)).as_dict()}
    data = Source(parameter="data", name="sales", nature="simulated", sha256=about.pop("digest", "a" * 64), rows=5)
    made = manifest(store.new_run()).model_copy(update={"facts": held, "data": [data]} | about)
    return store.Staged(reports).publish(made)


CAUSES = {
    "data": {"digest": "b" * 64},
    "code": {"code": Code(commit=None, dirty=None, sha256="1" * 64, modules={"ours.py": "1"})},
    "parameters": {"parameters_given": {"share": "2.0"}},
}


@pytest.mark.parametrize("cause", CAUSES)
def test_the_only_cause_has_all_of_the_difference(project, monkeypatch, cause):
    monkeypatch.setattr(attribution, "_held", lambda one, other: "now")
    before, after = published(project / "reports"), published(project / "reports", sales=85.5, **CAUSES[cause])
    found = attribution.attributed(project, before, after)
    assert found.effects["sales"] == {cause: pytest.approx(42.75)}
    assert found.remainder["sales"] == pytest.approx(0)


def test_runs_alike_have_nothing_to_attribute(project):
    assert attribution.attributed(project, *(published(project / "reports") for _ in "ab")) is None


def test_data_narrowed_by_a_condition_are_there_as_long_as_the_catalog_reads_them_so(project):
    entry = catalog.find("sales")[1].model_dump(mode="json", exclude_defaults=True)
    held = Source(
        parameter="data", name="sales", nature="simulated", rows=1, sha256=catalog.fingerprint("sales"),
        entry=entry | {"where": "amount > 1"},
    )  # fmt: skip
    run = manifest("x").model_copy(update={"data": [held], "parameters": {"data": "sales", "only": "amount > 1"}})
    assert reread.is_there(run, held)
    assert reread.condition(run, held) == "amount > 1"
    listed = project / "data" / "catalog.toml"
    listed.write_text(listed.read_text() + 'where = "amount < 9"\n')
    assert not reread.is_there(run, held)
    both = held.model_copy(update={"entry": entry | {"where": "(amount < 9) AND (amount > 1)"}})
    assert reread.condition(run, both) == "amount > 1"


def test_a_cause_that_is_not_repeated_is_not_hidden_in_another(project, monkeypatch):
    """Packages differ too: all is repeated with those of now, and what they did remains."""
    given = {"parameters_given": {"share": "2.0"}, "environment": Environment(
        python="3.12", platform="x", lock_sha256=None, packages={})}  # fmt: skip
    before, after = published(project / "reports"), published(project / "reports", sales=100.0, **given)
    monkeypatch.setattr(attribution, "_held", lambda one, other: "now")
    repeated = {"2.0": {"sales": 90.0}, None: {"sales": 45.0}}
    monkeypatch.setattr(
        attribution, "_repeated", lambda *about: repeated[about[4].parameters_given.get("share")]
    )  # fmt: skip
    found = attribution.attributed(project, before, after)
    assert found.effects["sales"] == {"parameters": 45.0}
    assert found.remainder["sales"] == pytest.approx(100 - 42.75 - 45)


def test_a_repetition_keeps_to_the_limits_of_the_suite_and_to_its_groups(two, monkeypatch):
    project, before, after = two
    (project / "data" / "sales.csv").write_text(DOUBLED)
    seen = {}

    def execute(worker, job, seconds, progress):
        seen["seconds"] = (job["cell_seconds"], seconds)
        seen["tables"] = (worker.staged.folder / exported.SETTINGS).read_text()
        return {"state": "timeout", "error": {"name": "RunTimeout", "message": "late", "cell": 1}}

    monkeypatch.setattr(attribution.Worker, "execute", execute)
    code = project / "reports" / ".code" / store.read(before).code.snapshot / "notebooks" / "ours.py"
    code.write_text("TIMES = 1\n")
    with pytest.raises(InputError, match=r"the run cannot be repeated so \(RunTimeout: late\)"):
        attribution.attributed(project, before, after, limits=Limits(cell_seconds=3, run_seconds=8))
    assert seen == {"seconds": (3, 8), "tables": '{"csv":"safe","smallest_group":null}'}
    assert [*(project / "reports" / ".staging").glob("*")] == []
