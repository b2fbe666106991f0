"""Which cause a difference of two runs is due to."""

import pytest

from crmlab.contracts import InputError
from crmlab.reports import attribution, comparison, parameters, runner, store

from .conftest import SALES, write_notebook

CODE = """
from ours import TIMES
rows = catalog.orders(data).table
report = Report("Sales")
report.fact("sales", TIMES * share * float(rows.amount.sum().execute()))
report.fact("rows", rows.count().execute(), kind="count")
report
"""
PARAMETERS = 'data: Dataset = "sales"\nshare: float = 1.0'


@pytest.fixture
def place(project):
    (project / "notebooks" / "suite.toml").write_text('[[run]]\nreport = "small"\n')
    write_notebook(project / "notebooks" / "01_small.ipynb", CODE, parameters=PARAMETERS)
    return project


def run(project, times=1, rows=SALES, **given):
    """A run of 42.75 in sales, times what is given, with as many rows as there are."""
    (project / "notebooks" / "ours.py").write_text(f"TIMES = {times}\n")
    (project / "data" / "sales.csv").write_text(rows)
    (job,) = parameters.prepare(project, [("small", given)])
    folder = runner.run(job, project, project / "reports")
    assert store.read(folder).state == "success", store.read(folder).error
    return folder


DOUBLED = SALES + "".join(f"0{line}\n" for line in SALES.splitlines()[1:])  # of other customers, as many


@pytest.mark.parametrize(
    ("planted", "cause"), [({"rows": DOUBLED}, "data"), ({"times": 2}, "code"), ({"share": 2.0}, "parameters")]
)
def test_a_planted_cause_has_all_of_the_difference(place, planted, cause):
    before, after = run(place), run(place, **planted)
    found = attribution.attributed(place, before, after)
    assert found.effects["sales"] == {cause: pytest.approx(42.75)}
    assert found.remainder["sales"] == pytest.approx(0)


def test_causes_that_act_together_leave_a_remainder(place):
    """By hand: sales double by data, by code and by a parameter: 42.75 becomes 342.

    On the data that are there, 85.5 without code and parameter: data 42.75; code 342 - 171, parameter 342 - 171.
    """
    before, after = run(place), run(place, 2, DOUBLED, share=2.0)
    said = []
    found = attribution.attributed(place, before, after, said.append)
    assert found.effects["sales"] == pytest.approx({"data": 42.75, "code": 171, "parameters": 171})
    assert found.remainder["sales"] == pytest.approx(342 - 42.75 - 42.75 - 342)
    assert found.effects["rows"] == {"data": 5, "code": 0, "parameters": 0}
    assert said == [
        "data as now, code as then, parameters as then",
        "data as now, code as then, parameters as now",
        "data as now, code as now, parameters as then",
    ]
    assert comparison.compare(before, after).due_to(comparison.compare(before, after).facts[0]) == ""


def test_where_the_data_of_the_later_run_are_gone_those_of_the_earlier_are_taken(place):
    before, after = run(place), run(place, 2, DOUBLED, share=2.0)
    (place / "data" / "sales.csv").write_text(SALES)
    found = attribution.attributed(place, before, after)
    # on 42.75: 85.5 with code, 85.5 with the parameter; 171 with both, of the later run's 342
    assert found.effects["sales"] == pytest.approx({"data": 171, "code": 42.75, "parameters": 42.75})
    assert found.remainder["sales"] == pytest.approx(342 - 42.75 - 171 - 85.5)


def test_runs_alike_have_nothing_to_attribute(place):
    before = run(place)
    assert attribution.attributed(place, before, run(place)) is None


def test_what_can_no_longer_be_repeated_is_refused(place):
    before, after = run(place), run(place, 2, DOUBLED)
    (place / "data" / "sales.csv").write_text(SALES[:60])
    with pytest.raises(InputError, match="sales: what is there now is what neither run read"):
        attribution.attributed(place, before, after)
    (place / "data" / "sales.csv").write_text(DOUBLED)
    code = place / "reports" / ".code" / store.read(before).code.snapshot
    (code / "notebooks" / "ours.py").write_text("TIMES = 3\n")
    with pytest.raises(InputError, match=r"the copy of the code of that run, \w+, was changed"):
        attribution.attributed(place, before, after)


def test_nothing_of_it_is_published_or_left(place):
    before, after = run(place), run(place, 2, DOUBLED)
    ledger = (place / "reports" / "ledger.jsonl").read_text()
    attribution.attributed(place, before, after)
    assert (place / "reports" / "ledger.jsonl").read_text() == ledger
    assert [*(place / "reports" / ".staging").glob("*")] == []
    assert {path.name for path in (place / "reports" / "small").iterdir()} == {before.name, after.name}
