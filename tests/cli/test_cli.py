"""The command line as a person uses it, on a small CSV of the test's own."""

import json
import re
import shutil

import pytest

from crmlab.reports import store
from crmlab.simulate.orders import simulate_orders

from ..reports.conftest import TINY, TOLD, project, write_notebook  # noqa: F401, a fixture
from ..reports.test_store import publish
from ..shell import crmlab, process

SALES = """Client,Day,Paid
00123,2024-01-01,10.00
00123,2024-02-10,20.00
"""


def snapshot(folder):
    return sorted((str(p), p.stat().st_mtime_ns) for p in (folder / "reports").rglob("*"))


def refused(*arguments, cwd, by=crmlab):
    """What a refused command says; it exits with 2, tells no traceback, and leaves reports/ as it was."""
    before = snapshot(cwd)
    done = by(*arguments, cwd=cwd)
    assert done.returncode == 2, done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert snapshot(cwd) == before
    return done.stderr


def log(path, text):
    path.write_text(text)
    return path.name


def test_a_store_that_cannot_be_written_is_told_in_a_line(project):  # noqa: F811
    shutil.rmtree(project / "reports", ignore_errors=True)
    (project / "reports").write_text("no folder")
    done = crmlab("run", "small", cwd=project)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(r"error: \[Errno \d+\] .+: '.*/reports.*'\n", done.stderr), done.stderr


def test_list_names_reports_and_their_parameters(project):  # noqa: F811
    assert crmlab("list", cwd=project).stdout == "small  A small report\n"
    told = crmlab("list", "small", cwd=project).stdout
    assert "days: int = 30  [1 to 365]\n    how far ahead\n" in told
    assert "split: date | None = None  [within the days of data]" in told


def test_check_tells_what_validation_found(project):  # noqa: F811
    told = crmlab("check", "sales", cwd=project).stdout
    assert re.search(r"rows\s+5$", told, re.M)
    assert re.search(r"customers\s+3$", told, re.M)
    assert "simulated data, not real" in told
    assert "2024-01-01 to 2024-03-20" in told


def test_run_runs_show_and_site_tell_one_story(project):  # noqa: F811
    done = process("run", "small", "-p", "customer=00007", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "rows: 5" in done.stdout
    assert "share: 33.3 % (95 % confidence interval 10.0 % to 50.0 %)" in done.stdout
    (folder,) = (project / "reports" / "small").glob("2*")
    assert str(project / "reports" / "index.html") in done.stdout
    assert folder.name in (project / "reports" / "index.html").read_text()
    listed = crmlab("runs", cwd=project).stdout
    assert folder.name in listed
    assert "customer=00007" in listed
    assert "rows: 5" in crmlab("show", folder.name[:12], cwd=project).stdout
    (project / "reports" / "index.html").unlink()
    assert crmlab("site", cwd=project).returncode == 0
    assert (project / "reports" / "index.html").is_file()


def test_a_failed_notebook_ends_in_exit_code_1_with_its_error_and_cell(project):  # noqa: F811
    write_notebook(project / "notebooks" / "02_bad.ipynb", "1 / 0", **TINY)
    done = process("run", "bad", cwd=project)
    assert done.returncode == 1
    assert "failed" in done.stdout
    assert "cell 3: ZeroDivisionError: division by zero" in done.stdout
    assert "Traceback" not in done.stderr
    (folder,) = (project / "reports" / "bad").glob("2*")
    assert (folder / "report.html").is_file()


def test_a_suite_runs_what_it_names(project):  # noqa: F811
    done = crmlab("run", "--suite", "notebooks/suite.toml", cwd=project)
    assert done.returncode == 0, done.stderr
    assert len(list((project / "reports" / "small").glob("2*"))) == 1


def test_no_runs_yet_is_said(project):  # noqa: F811
    assert "no runs yet" in crmlab("runs", cwd=project).stdout


BAD_LOGS = {
    "a missing column": (SALES, ["no column 'customer_id'", "'Client', 'Day', 'Paid'", "no column 'time'"]),
    "empty values": (
        "customer_id,time,amount\n,2024-01-01,1\na,,1\na,2024-01-01,\n",
        ["'customer_id' is empty in 1 of 3 rows", "'time' is empty in 1 of 3", "'amount' is empty in 1 of 3"],
    ),
    "values that cannot be read": (
        "customer_id,time,amount\n" + "a,yesterday,1\n" * 6 + "a,2024-01-01,ten\n",
        ["'time' is not a date or time in 6 of 7 rows", "row 5", "'amount' is not a number", "row 7 'ten'"],
    ),
    "no rows": ("customer_id,time,amount\n", ["no rows"]),
    "an empty file": ("", ["bad.csv"]),
    "negative amounts": (
        "customer_id,time,amount\na,2024-01-01,-5\n",
        ["'amount' is negative in 1 of 1 rows", "returns"],
    ),
    "several at once": (
        "customer_id,time,total\n,2024-13-01,-1\n",
        ["no column 'amount'", "'customer_id' is empty", "'time' is not a date"],
    ),
}


@pytest.mark.parametrize("fault", BAD_LOGS)
def test_a_bad_log_is_refused_by_run_and_check_alike(project, fault):  # noqa: F811
    text, parts = BAD_LOGS[fault]
    name = log(project / "bad.csv", text)
    for told in (refused("run", "small", "-p", f"data={name}", cwd=project), refused("check", name, cwd=project)):
        for part in parts:
            assert part in told


BAD_CALLS = {
    "an unknown report": (["run", "smal"], ["no report 'smal'", "small", "did you mean 'small'"]),
    "an unknown data set": (["run", "small", "-p", "data=sale"], ["no data 'sale'", "did you mean 'sales'"]),
    "a path that does not exist": (["run", "small", "-p", "data=gone/none.csv"], ["no file", "none.csv"]),
    "an unknown parameter": (["run", "small", "-p", "dais=3"], ["no parameter 'dais'", "did you mean 'days'"]),
    "a wrong type": (["run", "small", "-p", "days=abc"], ["days = 'abc' is not of type int"]),
    "a value out of range": (["run", "small", "-p", "days=0"], ["days = 0 is out of range, which is 1 to 365"]),
    "a name that is no identifier": (["run", "small", "-p", "x;y=1"], ["'x;y' is not"]),
    "a parameter without a value": (["run", "small", "-p", "days"], ["write it as name=value"]),
    "a split outside the data": (["run", "small", "-p", "split=2020-01-01"], ["split = 2020-01-01 lies outside sales"]),
    "nothing to run": (["run"], ["nothing to run"]),
    "an unknown suite": (["run", "--suite", "none.toml"], ["no suite"]),
    "an unknown run": (["show", "2020"], ["0 runs begin with '2020'", "none yet"]),
    "several at once": (
        ["run", "smal", "small", "-p", "days=abc", "-p", "dais=1", "-p", "data=sale", "-p", "oops"],
        ["'smal'", "'abc'", "'dais'", "'sale'", "'oops'"],
    ),
}


@pytest.mark.parametrize("fault", BAD_CALLS)
def test_a_bad_call_is_refused_in_words(project, fault):  # noqa: F811
    arguments, parts = BAD_CALLS[fault]
    told = refused(*arguments, cwd=project)
    for part in parts:
        assert part in told


def test_a_process_of_its_own_refuses_a_bad_call_alike(project):  # noqa: F811
    assert "no report 'smal'" in refused("run", "smal", cwd=project, by=process)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"\0" * 100 + b"PAR1", b"not parquet at all"])
def test_an_unreadable_parquet_file_is_refused(project, content):  # noqa: F811
    (project / "bad.parquet").write_bytes(content)
    told = refused("run", "small", "-p", "data=bad.parquet", cwd=project)
    assert "bad.parquet: cannot be read" in told


def test_a_truncated_parquet_file_is_refused(project):  # noqa: F811
    whole = simulate_orders(r=0.5, alpha=30, a=1, b=3, customers=50, days=100, seed=1)
    whole.rename(columns={"day": "amount"}).assign(time="2024-01-01").to_parquet(project / "whole.parquet")
    content = (project / "whole.parquet").read_bytes()
    (project / "cut.parquet").write_bytes(content[: len(content) // 2])
    assert "cut.parquet: cannot be read" in refused("check", "cut.parquet", cwd=project)


def test_outside_a_project_it_says_so(tmp_path):
    done = crmlab("list", cwd=tmp_path, CRMLAB_ROOT="/nowhere")
    assert done.returncode == 2
    assert "/nowhere" in done.stderr


def test_a_run_that_nothing_has_changed_since_is_answered_from_the_store(project):  # noqa: F811
    first = crmlab("run", "small", cwd=project)
    again = crmlab("run", "small", "-p", "days=30", cwd=project)
    assert (first.returncode, again.returncode) == (0, 0)
    assert "unchanged since this run; --force runs it again" in again.stdout
    assert "rows: 5" in again.stdout
    assert len(list((project / "reports" / "small").glob("2*"))) == 1
    assert crmlab("run", "small", "--force", cwd=project).returncode == 0
    assert len(list((project / "reports" / "small").glob("2*"))) == 2


def test_a_sweep_makes_one_run_a_value_and_one_failure_stops_no_other(project):  # noqa: F811
    write_notebook(project / "notebooks" / "02_tiny.ipynb", "{30: 1}[days] if days != 31 else None", **TINY)
    done = crmlab("run", "tiny", "--sweep", "days=30,31,32", "--jobs", "2", cwd=project)
    assert done.returncode == 1
    rows = [line.split() for line in done.stdout.splitlines() if line.strip().startswith("tiny")]
    assert [(row[1], row[2]) for row in rows] == [("days=30", "success"), ("days=31", "success"), ("days=32", "failed")]
    assert len(list((project / "reports" / "tiny").glob("2*"))) == 3


def test_one_entry_serves_reports_by_values_of_a_column(project):  # noqa: F811
    lines = 'data: Dataset = "sales"  # what to read\nwhere: Condition | None = None  # rows that count'
    told = "from crmlab.report import Report\nfrom crmlab import catalog\nreport = Report('Part')\n"
    told += "report.fact('spend', float(catalog.orders(data, where=where).findings.counts['spend']))\nreport"
    write_notebook(project / "notebooks" / "02_part.ipynb", told, parameters=lines)
    done = crmlab("run", "part", "--sweep", "where=customer_id = '00123',customer_id = '00007'", cwd=project)
    assert done.returncode == 0, done.stderr
    facts = [
        json.loads(path.read_text())["facts"]["spend"]["value"]
        for path in (project / "reports").glob("part/2*/facts.json")
    ]
    assert sorted(facts) == [12.75, 30.0]


def test_reproduce_says_what_differs_and_compares_all(project):  # noqa: F811
    crmlab("run", "small", "-p", "customer=00007", cwd=project)
    done = crmlab("reproduce", "small", cwd=project)
    assert done.returncode == 0, done.stderr
    assert " of small: nothing it was made from has changed\n" in done.stdout
    for part in ("equal  fact rows", "equal  table private/days.csv", "equal  table private/rows.csv", "all equal"):
        assert part in done.stdout
    with (project / "data" / "sales.csv").open("a") as more:
        more.write("00007,2024-03-02,1.00\n")
    done = crmlab("reproduce", "small", cwd=project)
    assert done.returncode == 1
    assert "data sales: 5 rows, then 6" in done.stdout
    assert "DIFFERS  fact rows  5, 6" in done.stdout
    assert "DIFFERS  table private/rows.csv  5 and 6 rows" in done.stdout


def test_tables_are_whole_in_a_log_that_is_narrow(project):  # noqa: F811
    customer = "00007" * 20
    crmlab("run", "small", "-p", f"customer={customer}", cwd=project)
    told = process("runs", cwd=project, COLUMNS="80").stdout
    assert f"customer={customer}" in "".join(told.split())


def test_prune_says_what_it_removed(project):  # noqa: F811
    older, newer = (publish(project / "reports", f"2026010{day}T000000Z-a") for day in (1, 2))
    done = crmlab("prune", "--keep", "1", cwd=project)
    assert f"removed small {older.name}\n1 removed\n" in done.stdout
    assert list((project / "reports" / "small").glob("2*")) == [newer]


def test_secrets_are_refused_as_parameters(project):  # noqa: F811
    assert "looks like a secret" in refused("run", "small", "-p", "api_key=x", cwd=project)
    assert "looks like a secret" in refused("run", "small", "-p", "db_password=x", cwd=project)


def test_verify_and_approve_say_what_became_of_runs(project):  # noqa: F811
    write_notebook(project / "notebooks" / "02_tiny.ipynb", TOLD, **TINY)
    assert crmlab("run", "tiny", cwd=project).returncode == 0
    assert crmlab("run", "tiny", "--force", cwd=project).returncode == 0
    newest, first = (folder.name for folder in store.folders(project / "reports"))
    done = crmlab("approve", "tiny", "--by", "Ann Lee", "--note", "[bold] agrees", cwd=project)
    assert done.stdout.startswith(f"tiny {newest}: approved by Ann Lee\n")
    assert "approved" in (project / "reports" / "index.html").read_text()
    assert "[bold] agrees" in (project / "reports" / "tiny" / newest / "report.html").read_text()
    done = crmlab("verify", cwd=project)
    assert (done.returncode, done.stdout.count(": as it was recorded")) == (0, 2)
    (project / "reports" / "tiny" / first / "facts.json").write_text("{}")
    done = crmlab("verify", first, cwd=project)
    assert done.returncode == 1
    assert done.stdout == f"tampered  tiny {first}: facts.json has been changed\n"
    done = crmlab("approve", first, "--by", "Ann", cwd=project)
    assert done.returncode == 2
    assert "facts.json has been changed; only a run as it was recorded can be judged" in done.stderr
    done = crmlab("approve", newest, "--by", "Bob", "--reject", "--withdraw", cwd=project)
    assert (done.returncode, done.stderr) == (2, "error: --reject and --withdraw are given; give one\n")
    shutil.rmtree(project / "reports" / "tiny" / first)
    done = crmlab("verify", cwd=project)
    assert done.returncode == 1
    assert f"missing  tiny {first} was recorded on " in done.stdout
    ledger = project / "reports" / "ledger.jsonl"
    ledger.write_text(ledger.read_text().replace("Ann Lee", "Ann Low"))
    done = crmlab("verify", newest, cwd=project)
    assert done.stdout.startswith("broken  ledger.jsonl: the last line was changed, or lines behind it were removed")


def test_compare_sets_a_run_beside_the_last_approved_one(project):  # noqa: F811
    write_notebook(project / "notebooks" / "02_tiny.ipynb", TOLD, **TINY)
    crmlab("run", "tiny", cwd=project)
    done = crmlab("compare", "tiny", cwd=project)
    assert (done.returncode, done.stderr) == (
        2,
        "error: no earlier run of tiny is approved; name the run to compare with\n",
    )
    crmlab("approve", "tiny", "--by", "Ann", cwd=project)
    crmlab("run", "tiny", "-p", "days=33", cwd=project)
    newer, older = (folder.name for folder in store.folders(project / "reports"))
    done = crmlab("compare", "tiny", "--fail-on", "days:5%", cwd=project)
    assert done.stdout.splitlines()[:4] == [
        f"tiny {newer} against the approved {older}",
        "1 of 1 facts differ, 0 checks changed outcome, 0 tables differ: the data are the same, so that every "
        "difference is real.",
        "  parameter days: 30, then 33",
        "  differs  days: 30 -> 33; +3 (+10.0 %)",
    ]
    assert done.returncode == 1
    assert (project / "reports" / "comparisons" / f"{newer}-against-{older}.html").is_file()
    done = crmlab("compare", "tiny", "--fail-on", "day:5%", cwd=project)
    assert (done.returncode, "both runs have no fact 'day'; did you mean 'days'?" in done.stderr) == (2, True)
    path = project / "reports" / "tiny" / older / "facts.json"
    whole = path.read_text()
    path.write_text("{}")
    done = crmlab("compare", "tiny", cwd=project)
    assert done.returncode == 2
    assert "facts.json has been changed; only a run as it was recorded can be compared" in done.stderr
    path.write_text(whole)
    done = crmlab("facts", "tiny", "days", "--csv", cwd=project)
    assert [line.split(",")[4] for line in done.stdout.splitlines()] == ["value", "30", "33"]
    assert "33" in crmlab("facts", "tiny", "days", cwd=project).stdout


def test_two_people_approve_where_the_suite_asks_for_two(project):  # noqa: F811
    write_notebook(project / "notebooks" / "02_tiny.ipynb", TOLD, **TINY)
    suite = project / "notebooks" / "suite.toml"
    suite.write_text(suite.read_text() + "\n[review]\npeople = 2\n")
    crmlab("run", "tiny", cwd=project)
    done = crmlab("approve", "tiny", "--by", "Ann", cwd=project)
    assert done.stdout.split("\n")[0].endswith(": approved by Ann; 1 of the 2 people who must approve it has done so")
    done = crmlab("approve", "tiny", "--by", "Bob", cwd=project)
    assert done.stdout.split("\n")[0].endswith(": approved by Bob")
