"""What is due is run, once each slot: missed ones made up for as the suite says, what needs what in order, and all of
it in the ledger.

A slot ends as done, failed, rejected (its input is refused, as it would be again) or skipped; one whose data are older
than stated is stale, and is looked at again until the next one is due.
"""

import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from crmlab import engines
from crmlab.contracts import InputError
from crmlab.reports import ledger, parameters, runner, slots, store
from crmlab.reports.slots import Slot
from crmlab.reports.suite import Planned, Suite

LOCK = ".due"  # beside the reports: held by the process that runs what is due, and says what it runs
FIRST_WAIT, LONGEST_WAIT = 30.0, 900.0  # seconds before a fault that may pass is tried again, each twice the last
MAY_PASS = "may pass"  # of a fault that another try may not meet
ENDED = ("done", "failed", "rejected", "skipped")
STATES_THAT_PASS = ("killed", "out_of_memory")  # of runs
FAULTS_THAT_PASS = ("OSError", "MemoryError", "ConnectionError", "TimeoutError", "BlockingIOError", "OperationalError")


@dataclass(frozen=True)
class Ended:
    """What became of a slot."""

    slot: Slot
    outcome: str
    why: str = ""
    runs: tuple[str, ...] = ()
    folders: tuple[Path, ...] = field(default=(), compare=False)
    attempts: int = 1
    count: int = 1  # how many slots, of several that were skipped together


class BusyError(Exception):
    """Another process runs what is due; the words say which, and since when."""


def run_due(
    root: Path, reports: Path, suite: Suite, as_of: datetime, jobs: int = 1, wait: Callable[[float], Any] = time.sleep,
    started: Callable[[Any], Any] = lambda job: lambda done, cells: None,
) -> list[Ended]:  # fmt: skip
    """Run what is due at a moment, and was not yet run: what became of each slot, in order.

    jobs    : how many runs at once
    wait    : called with the seconds to wait before another try
    started : called with a job when its turn comes; gives the function that is called with its progress
    Raises BusyError where another process does so now.
    """
    with _alone(reports) as say:
        store.clean(reports)
        known, ended = history(reports), []
        planned = {plan.known_as: plan for plan in suite.scheduled}
        order = TopologicalSorter({name: plan.needs for name, plan in planned.items()})
        order.prepare()
        while order.is_active():
            ready = [planned[name] for name in order.get_ready()]
            for batch in _batches(ready, known, as_of):
                for found in batch.skipped:
                    ended.append(_record(reports, planned[found.slot.name], found, known))
                say([slot.name for _, slot in batch.turns])
                made = _tried(root, reports, batch.turns, known, planned, jobs, wait, started)
                ended += [_record(reports, planned[found.slot.name], found, known) for found in made]
            order.done(*(plan.known_as for plan in ready))
        return ended


@contextmanager
def _alone(reports: Path) -> Iterator[Callable]:
    """Keep others out, as long as this process lives; gives a function that says what is run now."""
    reports.mkdir(parents=True, exist_ok=True)
    with (reports / LOCK).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            now = running(reports)
            names = ", ".join(now["runs"]) if now and now["runs"] else "what is due"
            since = f" since {now['since']}" if now else ""
            raise BusyError(f"another process runs {names}{since}") from None

        def say(names):
            lock.seek(0)
            lock.truncate()
            lock.write(json.dumps({"process": os.getpid(), "since": ledger.now(), "runs": names}))
            lock.flush()

        say([])
        yield say
        lock.truncate(0)


def running(reports: Path) -> dict[str, Any] | None:
    """What a process that lives runs now, and since when; None where there is none."""
    with suppress(OSError, ValueError), (reports / LOCK).open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            held = json.loads(lock.read())
            return held if isinstance(held, dict) and {"since", "runs"} <= held.keys() else None
    return None


def history(reports: Path) -> dict[str, list[ledger.Event]]:
    """What became of slots, by the name of the planned run, in the order of the ledger."""
    found: dict[str, list[ledger.Event]] = {}
    for event in ledger.read(reports).events:
        if event.event == "slot":
            found.setdefault(event.about["name"], []).append(event)
    return found


def last_ended(events: list[ledger.Event]) -> datetime | None:
    """Up to which slot, by its time and not by the ledger's order, all have ended; None where none has."""
    return max((at(event) for event in events if event.about["outcome"] in ENDED), default=None)


def at(event: ledger.Event) -> datetime:
    """When the slot of an event was due."""
    return datetime.fromisoformat(event.about["due"])


def owed(plan: Planned, events: list[ledger.Event], as_of: datetime) -> tuple[list[Slot], list[Slot]]:
    """The slots of a planned run that are to be made up for by a moment, and those that are skipped; oldest first."""
    last = last_ended(events)
    if last is None:
        latest = slots.last_due(plan.known_as, plan.cron, plan.time_zone, as_of)
        open_slots = [latest] if latest else []
    else:
        open_slots = [*slots.due(plan.known_as, plan.cron, plan.time_zone, last, as_of)]
    if not open_slots or plan.catchup == "all":
        return open_slots, []
    if plan.catchup == "none" and as_of - open_slots[-1].due > slots.ON_TIME:
        return [], open_slots
    return open_slots[-1:], open_slots[:-1]


@dataclass(frozen=True)
class _Batch:
    turns: list[tuple[Planned, Slot]]
    skipped: list[Ended]


def _batches(ready, known, as_of):
    """Turns of planned runs that may be made at once: the first of each, then the second, and so on."""
    todo = {plan.known_as: owed(plan, known.get(plan.known_as, []), as_of) for plan in ready}
    longest = max((len(made) for made, _ in todo.values()), default=0)
    for turn in range(max(longest, 1)):
        turns = [(plan, todo[plan.known_as][0][turn]) for plan in ready if turn < len(todo[plan.known_as][0])]
        skipped = [
            Ended(missed[-1], "skipped", f"it was missed, and catchup is {plan.catchup}", count=len(missed))
            for plan in ready
            if turn == 0 and (missed := todo[plan.known_as][1])
        ]
        if turns or skipped:
            yield _Batch(turns, skipped)


def _tried(root, reports, turns, known, planned, jobs, wait, started):
    """What became of turns, those of faults that may pass tried again."""
    ended, left, attempt = [], turns, 0
    while left:
        attempt += 1
        if attempt > 1:
            wait(min(FIRST_WAIT * 2 ** (attempt - 2), LONGEST_WAIT))
        found = _once(root, reports, left, known, planned, jobs, started)
        again = []
        for turn, each in zip(left, found, strict=True):
            if each.outcome == MAY_PASS and attempt <= turn[0].retries:
                again.append(turn)
            else:
                outcome = "failed" if each.outcome == MAY_PASS else each.outcome
                ended.append(replace(each, outcome=outcome, attempts=attempt))
        left = again
    return ended


def _once(root, reports, turns, known, planned, jobs, started):
    """What became of turns when each was tried once; MAY_PASS of faults that another try may not meet."""
    found, ready = {}, []
    for number, (plan, slot) in enumerate(turns):
        if len(made := _made_before(reports, slot)) >= len(plan.given):
            found[number] = Ended(slot, "done", runs=tuple(made))
        elif lacking := _lacking(plan, slot, known):
            found[number] = Ended(slot, *lacking)
        else:
            try:
                prepared = _prepared(root, reports, plan, slot, known, planned)
                if old := next(filter(None, (_too_old(plan, slot, job) for job in prepared)), ""):
                    found[number] = Ended(slot, "stale", old)
                else:
                    ready += [(number, job) for job in prepared]
            except InputError as fault:
                found[number] = Ended(slot, MAY_PASS if _is_down(fault) else "rejected", str(fault))
            except OSError as fault:
                found[number] = Ended(slot, MAY_PASS, f"{type(fault).__name__}: {fault}")
    outcomes = runner.run_all([job for _, job in ready], root, reports, jobs, False, started) if ready else []
    for number, (_, slot) in enumerate(turns):
        own = [outcome for (place, _), outcome in zip(ready, outcomes, strict=True) if place == number]
        if number not in found:
            found[number] = _judged(slot, own)
    return [found[number] for number in range(len(turns))]


def _made_before(reports, slot):
    """The runs of a slot that were published by a process that died before it could record the slot."""
    recorded = ledger.read(reports).runs.values()
    return [event.run for event in recorded if event.about.get("slot") == slot.id and event.about["state"] == "success"]


def _lacking(plan, slot, known):
    """What becomes of a slot whose run needs another that is not there, and why; None where all are there.

    It waits as long as the other's data are too old.
    """
    for need in plan.needs:
        if not (event := _needed(known.get(need, []), slot)):
            return "skipped", f"it needs {need}, which has not run"
        outcome = event.about["outcome"]
        if outcome != "done":
            return "stale" if outcome == "stale" else "skipped", f"it needs {need}, which was {outcome}"
    return None


def _needed(events, slot):
    """The latest of another's slots that comes no later than this one or, where none does, the latest; else None."""
    earlier = [event for event in events if at(event) <= slot.due]
    return max(earlier or events, key=lambda event: (at(event), event.sequence), default=None)


def _prepared(root, reports, plan, slot, known, planned):
    """The jobs of a slot: as the suite says, of the day of the slot, with the runs that it needs."""
    declared = parameters.reports(root, only={plan.report})
    names = declared[plan.report].parameters if plan.report in declared else {}
    more: dict[str, Any] = {}
    for need in plan.needs:
        parameter = f"{planned[need].report}_run"
        if parameter in names and parameter not in plan.parameters:
            more[parameter] = _needed(known[need], slot).about["runs"][-1]
    found = []
    for given in plan.given:
        (job,) = parameters.prepare(root, [(plan.report, given | more)])
        if not {"observed_until", "until"} & given.keys():
            (job,) = parameters.prepare(root, [(plan.report, given | more | _of_day(job, slot.day, names))])
        found.append(replace(job, slot=slot.id))
    return found


def _of_day(job, day, names):
    """What makes a run one of a day: its data are complete up to it or, where they go on, are looked at up to it."""
    last = max((found.last for data in job.datasets.values() if (found := data.findings).last), default=None)
    if last is None:
        return {}
    name = "observed_until" if last <= day else "until"
    return {name: day} if name in names else {}


def _too_old(plan, slot, job):
    """Why the data of a job are too old; empty where they are not, or nobody said how old they may be."""
    if plan.max_age_days is None:
        return ""
    for name, data in job.datasets.items():
        last = data.findings.last or _written(data, job, name)
        if last and (age := (slot.day - last).days) > plan.max_age_days:
            allowed = f"{plan.max_age_days} day{'s' * (plan.max_age_days != 1)}"
            return f"{data.findings.name} ends on {last}, {age:,} days before {slot.day}; {allowed} at most are allowed"
    return ""


def _written(data, job, name):
    """The day on which a file without days of its own was written."""
    from crmlab import catalog

    paths = [path for path, _ in catalog.files_of(job.typed[name])]
    return max((date.fromtimestamp(path.stat().st_mtime) for path in paths), default=None)


def _is_down(fault):
    return any(engines.DOWN in breach for breach in fault.breaches)


def _judged(slot, outcomes):
    """What became of a slot, from what became of its runs."""
    folders = tuple(outcome.folder for outcome in outcomes if isinstance(outcome, runner.Outcome))
    runs, faults, passing = tuple(folder.name for folder in folders), [], False
    for outcome in outcomes:
        if isinstance(outcome, InputError):
            faults.append(str(outcome))
            passing |= _is_down(outcome)
            if not passing:
                return Ended(slot, "rejected", str(outcome), runs, folders)
        elif isinstance(outcome, Exception):
            faults.append(f"{type(outcome).__name__}: {outcome}")
            passing |= isinstance(outcome, OSError)
        else:
            run = store.read(outcome.folder)
            if run.state != "success":
                name = run.error.name if run.error else run.state
                faults.append(f"{run.state}: {name}{f': {run.error.message}' if run.error else ''}")
                passing |= run.state in STATES_THAT_PASS or name in FAULTS_THAT_PASS
    if not faults:
        return Ended(slot, "done", runs=runs, folders=folders)
    return Ended(slot, MAY_PASS if passing else "failed", "; ".join(faults), runs, folders)


def _record(reports, plan, ended, known):
    """Write what became of a slot into the ledger, and give it; of one that is stale still, it is there already."""
    events = known.setdefault(ended.slot.name, [])
    due = f"{ended.slot.due:%Y-%m-%dT%H:%M:%SZ}"
    written = [(event.about["due"], event.about["outcome"], event.about["why"]) for event in events[-1:]]
    if (due, ended.outcome, ended.why) not in written:
        about = {"name": ended.slot.name, "due": due, "outcome": ended.outcome, "why": ended.why}
        about |= {"runs": list(ended.runs), "attempts": ended.attempts, "count": ended.count}
        with ledger.opened(reports) as book:
            book.append("slot", plan.report, ended.slot.id, **about)
            events.append(ledger.Event(book.next - 1, ledger.now(), "slot", plan.report, ended.slot.id, about))
    return ended


def moment(text: str) -> datetime:
    """A moment from its ISO text; without a zone, in UTC. Raises InputError where it is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no moment; write it as 2026-11-29T03:15, or with +01:00 behind it") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    if not datetime(1970, 1, 2, tzinfo=UTC) < found < datetime(9000, 1, 1, tzinfo=UTC):
        raise InputError(f"{text!r} lies too far away; give a moment after 1970")
    return found.astimezone(UTC)
