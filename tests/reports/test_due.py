"""What is due is run once, whatever the clock and the machine do, and the ledger says what became of each slot."""

import multiprocessing
import os
import signal
import time
from datetime import UTC, date, datetime, timedelta

import pytest

from crmlab.contracts import InputError
from crmlab.reports import due, ledger, parameters, runner, store
from crmlab.reports.suite import load_suite

from .conftest import TINY, TOLD, write_notebook
from .test_store import manifest

NIGHTLY = 'every = "day"\nat = "03:15"'


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def plan(project, *entries):
    path = project / "notebooks" / "suite.toml"
    path.write_text("\n".join(f"[[run]]\n{entry}" for entry in entries))
    return load_suite(path)


def entry(report="small", **settings):
    lines = [f'report = "{report}"', *(f"{name} = {value}" for name, value in settings.items())]
    return "\n".join(lines if "every" in settings else [*lines, NIGHTLY])


@pytest.fixture
def made(monkeypatch):
    """Runs are published without being executed: what each was given; `then` says how the next of a report end."""
    given = []

    def run_all(jobs, root, reports, workers=1, force=False, started=None):
        found = []
        for job in jobs:
            given.append((job.report.name, dict(job.given), job.slot))
            ends = made.then.get(job.report.name, [])
            end = ends.pop(0) if ends else "success"
            if isinstance(end, Exception):
                found.append(end)
                continue
            run = store.new_run()
            about = manifest(run).model_copy(update={"report": job.report.name, "state": end, "slot": job.slot})
            found.append(runner.Outcome(store.Staged(reports).publish(about)))
        return found

    made.then, made.given = {}, given
    monkeypatch.setattr(runner, "run_all", run_all)
    return made


made.then = {}


def run(project, suite, as_of, **more):
    found = due.run_due(project, project / "reports", suite, moment(as_of), **more)
    return [(each.slot.name, f"{each.slot.due:%m-%d %H:%M}", each.outcome) for each in found]


def recorded(project):
    events = ledger.read(project / "reports").events
    assert not ledger.read(project / "reports").faults
    return [(e.about["name"], e.about["due"], e.about["outcome"]) for e in events if e.event == "slot"]


def test_a_slot_is_run_once_however_often_it_is_asked_for(project, made):
    suite = plan(project, entry())
    assert run(project, suite, "2026-11-29T03:20") == [("small", "11-29 03:15", "done")]
    assert run(project, suite, "2026-11-29T03:25") == []
    assert run(project, suite, "2026-11-30T03:14") == []
    assert run(project, suite, "2026-11-30T03:15") == [("small", "11-30 03:15", "done")]
    assert recorded(project) == [("small", "2026-11-29T03:15:00Z", "done"), ("small", "2026-11-30T03:15:00Z", "done")]
    assert [slot for _, _, slot in made.given] == ["small@20261129T0315Z", "small@20261130T0315Z"]


@pytest.mark.parametrize(
    ("catchup", "outcomes", "runs"),
    [
        ("last", [("11-24 03:15", "skipped"), ("11-25 03:15", "done")], 2),
        ("all", [(f"11-{day} 03:15", "done") for day in range(21, 26)], 6),
        ("none", [("11-25 03:15", "skipped")], 1),
    ],
)
def test_slots_that_were_missed_are_made_up_for_as_the_suite_says(project, made, catchup, outcomes, runs):
    suite = plan(project, entry(catchup=f'"{catchup}"'))
    run(project, suite, "2026-11-20T03:20")
    assert [each[1:] for each in run(project, suite, "2026-11-25T12:00")] == outcomes
    assert len(made.given) == runs
    assert run(project, suite, "2026-11-25T12:05") == []


def test_what_is_missed_by_less_than_an_hour_was_not_missed(project, made):
    suite = plan(project, entry(catchup='"none"'))
    run(project, suite, "2026-11-20T03:20")
    assert run(project, suite, "2026-11-21T04:15") == [("small", "11-21 03:15", "done")]
    assert run(project, suite, "2026-11-22T04:16") == [("small", "11-22 03:15", "skipped")]


def test_four_hundred_slots_missed_are_one_line_and_one_run(project, made):
    suite = plan(project, entry())
    run(project, suite, "2025-10-25T03:20")
    found = due.run_due(project, project / "reports", suite, moment("2026-11-29T12:00"))
    assert [(each.outcome, each.count) for each in found] == [("skipped", 399), ("done", 1)]
    assert len(made.given) == 2
    assert len(recorded(project)) == 3


@pytest.mark.slow
def test_four_hundred_slots_missed_are_all_made_where_all_are_asked_for(project, made):
    suite = plan(project, entry(catchup='"all"'))
    run(project, suite, "2025-10-25T03:20")
    run(project, suite, "2026-11-29T12:00")
    days = [datetime.fromisoformat(day).date() for _, day, _ in recorded(project)]
    assert days == [date(2025, 10, 25) + timedelta(days=n) for n in range(401)]


def test_a_clock_that_goes_backwards_runs_nothing_again(project, made):
    suite = plan(project, entry())
    run(project, suite, "2026-11-29T03:20")
    assert run(project, suite, "2026-11-28T12:00") == []
    assert run(project, suite, "2020-01-01T00:00") == []
    assert run(project, suite, "2026-11-29T23:00") == []
    assert run(project, suite, "2026-11-30T03:15") == [("small", "11-30 03:15", "done")]


def test_both_changes_of_the_clock_run_once(project, made):
    suite = plan(project, 'report = "small"\nevery = "day"\nat = "02:30"\ntime_zone = "Europe/Berlin"')
    at, found = moment("2026-03-27T12:00"), []
    while at < moment("2026-03-31T12:00"):
        found += due.run_due(project, project / "reports", suite, at)
        at += timedelta(minutes=15)
    assert [f"{each.slot.due:%d %H:%M}" for each in found] == [
        "27 01:30",
        "28 01:30",
        "29 01:00",
        "30 00:30",
        "31 00:30",
    ]
    at, found = moment("2026-10-24T12:00"), []
    while at < moment("2026-10-27T12:00"):
        found += due.run_due(project, project / "reports", suite, at)
        at += timedelta(minutes=15)
    ran = [f"{each.slot.due:%d %H:%M}" for each in found if each.outcome == "done"]
    assert ran == ["24 00:30", "25 00:30", "26 01:30", "27 01:30"]


def test_a_leap_day_and_the_end_of_a_month_are_days_as_others(project, made):
    suite = plan(project, 'report = "small"\nevery = "month"\nat = "last 06:00"\ncatchup = "all"')
    run(project, suite, "2028-01-31T06:00")
    assert [each[1] for each in run(project, suite, "2028-04-01T00:00")] == ["02-29 06:00", "03-31 06:00"]


def test_data_are_looked_at_up_to_the_day_of_the_slot(project, made):
    """The log goes on to 20 March 2024: later slots say that it is complete up to their day, earlier ones end there."""
    write_notebook(
        project / "notebooks" / "01_small.ipynb", "x = 1",
        parameters='data: Dataset = "sales"\nuntil: date | None = None\nobserved_until: date | None = None',
    )  # fmt: skip
    suite = plan(project, entry(catchup='"all"'))
    run(project, suite, "2024-03-19T04:00")
    run(project, suite, "2024-03-21T04:00")
    assert [given for _, given, _ in made.given] == [
        {"until": "2024-03-18"}, {"until": "2024-03-19"}, {"observed_until": "2024-03-20"}
    ]  # fmt: skip
    fixed = plan(project, entry(name='"fixed"', parameters='{ until = "2024-03-01" }'))
    run(project, fixed, "2024-03-21T04:00")
    assert made.given[-1][1] == {"until": "2024-03-01"}


def three(project):
    for report, more in (("clv", ""), ("lifecycle", '\nclv_run: str = ""'), ("segments", "")):
        write_notebook(
            project / "notebooks" / f"02_{report}.ipynb",
            TOLD,
            parameters=TINY["parameters"] + more,
            imports="import os",
        )
    return plan(
        project, entry("segments", needs='["lifecycle"]'), entry("lifecycle", needs='["clv"]'), entry("clv"), entry()
    )


def test_what_is_needed_comes_first_and_its_run_is_handed_on(project, made):
    suite = three(project)
    found = due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"))
    assert [each.slot.name for each in found] == ["clv", "small", "lifecycle", "segments"]
    assert {each.outcome for each in found} == {"done"}
    given = {report: parameters for report, parameters, _ in made.given}
    assert given["lifecycle"] == {"clv_run": found[0].runs[0]}
    assert given["segments"] == {}  # which declares none


def test_what_needs_a_run_that_failed_is_skipped_and_the_rest_goes_on(project, made):
    suite = three(project)
    made.then = {"clv": ["failed"]}
    found = due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"))
    assert {each.slot.name: (each.outcome, each.why[:32]) for each in found} == {
        "clv": ("failed", "failed: failed"), "small": ("done", ""),
        "lifecycle": ("skipped", "it needs clv, which was failed"),
        "segments": ("skipped", "it needs lifecycle, which was sk"),
    }  # fmt: skip


def test_faults_that_pass_are_tried_again_with_longer_waits_and_others_are_not(project, made):
    suite, waited = plan(project, entry(retries=3)), []
    made.then = {"small": [OSError("no space left"), "out_of_memory", "success"]}
    (found,) = due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"), wait=waited.append)
    assert (found.outcome, found.attempts, waited) == ("done", 3, [30, 60])
    made.then = {"small": ["killed"] * 9}
    (found,) = due.run_due(project, project / "reports", suite, moment("2026-11-30T04:00"), wait=waited.append)
    assert (found.outcome, found.attempts) == ("failed", 4)
    waited.clear()
    made.then = {"small": ["failed", "success"]}
    (found,) = due.run_due(project, project / "reports", suite, moment("2026-12-01T04:00"), wait=waited.append)
    assert (found.outcome, found.attempts, waited) == ("failed", 1, [])
    made.then = {"small": [InputError("the data are bad")]}
    (found,) = due.run_due(project, project / "reports", suite, moment("2026-12-02T04:00"), wait=waited.append)
    assert (found.outcome, found.why, waited) == ("rejected", "the data are bad", [])


def test_bad_input_is_rejected_and_the_others_run(project, made):
    suite = plan(project, entry(), entry(name='"odd"', parameters='{ data = "nowhere" }', retries=2))
    found = {
        each.slot.name: each for each in due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"))
    }
    assert (found["small"].outcome, found["odd"].outcome, found["odd"].attempts) == ("done", "rejected", 1)
    assert "nowhere" in found["odd"].why
    assert due.run_due(project, project / "reports", suite, moment("2026-11-29T05:00")) == []


def test_data_too_old_make_a_slot_stale_until_they_come_or_the_next_is_due(project, made):
    suite = plan(project, entry(max_age_days=2))
    data = project / "data" / "sales.csv"
    assert run(project, suite, "2024-03-24T04:00") == [("small", "03-24 03:15", "stale")]
    assert run(project, suite, "2024-03-24T05:00") == [("small", "03-24 03:15", "stale")]
    assert recorded(project) == [("small", "2024-03-24T03:15:00Z", "stale")]  # said once
    data.write_text(data.read_text() + "00007,2024-03-22,1.00\n")
    assert run(project, suite, "2024-03-24T06:00") == [("small", "03-24 03:15", "done")]
    assert run(project, suite, "2024-03-26T06:00")[-1] == ("small", "03-26 03:15", "stale")
    assert "sales ends on 2024-03-22, 3 days before 2024-03-25; 2 days at most are allowed" in str(
        [event.about["why"] for event in ledger.read(project / "reports").events if event.event == "slot"]
    )
    assert len(made.given) == 1


def test_a_sweep_is_a_run_for_each_combination_of_one_slot(project, made):
    suite = plan(project, entry(sweep='{ days = [30, 60], customer = ["00123", "00007"] }'))
    (found,) = due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"))
    assert [given for _, given, _ in made.given] == [
        {"days": d, "customer": c} for d in ("30", "60") for c in ("00123", "00007")
    ]  # fmt: skip
    assert len(found.runs) == 4


def test_a_run_whose_process_died_before_its_slot_was_recorded_is_not_made_again(project, made, monkeypatch):
    suite = plan(project, entry())
    monkeypatch.setattr(due, "_record", lambda *about: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(project, suite, "2026-11-29T04:00")
    monkeypatch.undo()
    (found,) = due.run_due(project, project / "reports", suite, moment("2026-11-29T04:05"))
    assert found.outcome == "done"
    assert len(store.folders(project / "reports", "small")) == 1
    assert found.runs == (store.folders(project / "reports", "small")[0].name,)


def test_a_sweep_of_which_one_run_is_there_is_made_whole(project, made):
    """The first try makes one run of two, as memory is short: the second may not take the slot for done."""
    suite = plan(project, entry(sweep="{ days = [30, 60] }", retries=1))
    made.then = {"small": ["success", "out_of_memory"]}
    (found,) = due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"), wait=lambda seconds: None)
    assert (found.outcome, found.attempts, len(found.runs)) == ("done", 2, 2)
    assert [given["days"] for _, given, _ in made.given] == ["30", "60", "30", "60"]


def hold(project, ready, suite):
    def slow(jobs, *about, **more):
        ready.set()
        time.sleep(60)

    runner.run_all = slow
    due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"))


def test_a_second_trigger_runs_nothing_and_a_killed_process_lets_go(project, made):
    suite = plan(project, entry())
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    other = context.Process(target=hold, args=(project, ready, suite))
    other.start()
    assert ready.wait(30)
    with pytest.raises(due.BusyError, match=r"another process runs small since 20"):
        due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"))
    assert due.running(project / "reports")["runs"] == ["small"]
    os.kill(other.pid, signal.SIGKILL)
    other.join()
    assert due.running(project / "reports") is None
    assert run(project, suite, "2026-11-29T04:05") == [("small", "11-29 03:15", "done")]


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([entry(every='"day"', time_zone='"Mars/X"')], "time_zone = 'Mars/X' is no time zone"),
        ([entry(every='"0 15 3 * * 1"')], "the five fields of cron"),
        ([entry(), entry()], "2 scheduled runs are called 'small'; give each a name"),
        ([entry(name='"a"', needs='["b"]'), entry(name='"b"', needs='["a"]')], "needs go round in a circle: "),
        ([entry(name='"a"', needs='["a"]')], "needs go round in a circle: a needs a"),
        ([entry(name='"a"', needs='["bb"]'), entry(name='"b"')], "a needs 'bb', which is not scheduled"),
        (['report = "small"\nat = "03:15"'], "at: without every it is not scheduled"),
        ([entry(sweep="{ days = [] }")], "sweep: days has no values"),
        ([entry(sweep="{ days = [1] }", parameters="{ days = 2 }")], "sweep: days is also among the parameters"),
        ([entry(name='"../x"')], "name"),
        ([entry(retries=11)], "retries"),
        ([entry(catchup='"some"')], "catchup"),
    ],
)
def test_a_suite_that_cannot_be_kept_is_refused_at_once(project, entries, words):
    with pytest.raises(InputError) as fault:
        plan(project, *entries)
    assert words in str(fault.value)


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00", "9999-12-31T23:59-12:00"])
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(InputError, match="moment"):
        due.moment(text)


def test_a_moment_without_a_zone_is_in_utc():
    assert due.moment("2026-11-29T03:15") == moment("2026-11-29T03:15")
    assert due.moment("2026-11-29T03:15+01:00") == moment("2026-11-29T02:15")


def test_a_run_of_a_slot_is_recorded_with_it(project):
    write_notebook(project / "notebooks" / "03_tiny.ipynb", TOLD, **TINY)
    suite = plan(project, entry("tiny"))
    (found,) = due.run_due(project, project / "reports", suite, moment("2026-11-29T04:00"))
    assert found.outcome == "done"
    assert store.read(found.folders[0]).slot == "tiny@20261129T0315Z"
    assert ledger.read(project / "reports").runs[found.runs[0]].about["slot"] == "tiny@20261129T0315Z"
    assert parameters.people(project) == 1
