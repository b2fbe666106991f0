"""What became of every run: `reports/ledger.jsonl`, in which each line holds the hash of the line before it.

It is appended to under a lock, and read by the latest event of each run. It names no customer.
"""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

FILE = "ledger.jsonl"
EVENTS = ("run", "tried", "pruned", "forgotten", "approved", "rejected", "withdrawn", "slot")
HEAD = ".ledger"  # the hash of the last line, without which a change of that line would not be seen
NAME = re.compile(r"[^/\0.][^/\0]*")  # of a report or a run, which are names of folders
SLOT = ("name", "due", "outcome", "why", "runs")  # what is said of a turn of a schedule, which bears its own name
FIRST = "0" * 64  # what the first line holds for the hash of one before it


@dataclass(frozen=True)
class Event:
    """A line: the how many-th it is, when, what became of which run, and more by the kind of event."""

    sequence: int
    at: str
    event: str
    report: str
    run: str
    about: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Ledger:
    """The lines of a ledger, and what is wrong with its chain: sentences, none where it holds."""

    events: tuple[Event, ...] = ()
    faults: tuple[str, ...] = ()
    lines: int = 0
    last: str = FIRST  # hash of the last line
    last_but_one: str = FIRST
    runs: dict[str, Event] = field(default_factory=dict, hash=False)  # run -> the event of its publishing
    by_run: dict[str, list[Event]] = field(default_factory=dict, hash=False)  # run -> its events, oldest first

    def approved(self, run: str) -> Event | None:
        """The approval of a run that holds.

        None where there is none, it was rejected or withdrawn since, it is of another manifest, or the chain is broken.
        """
        said = self.of(run, "approved", "rejected", "withdrawn")
        if self.faults or not said or not said[-1].about.get("holds") or run not in self.runs:
            return None
        ours = said[-1].about.get("manifest") == self.runs[run].about.get("manifest")
        approved = [event for event in said if event.event == "approved"]
        return approved[-1] if ours and approved else None

    def of(self, run: str, *events: str) -> list[Event]:
        """The events of a run, oldest first, of these kinds."""
        return [event for event in self.by_run.get(run, ()) if event.event in events]

    def last_of(self, run: str) -> str | None:
        """What became of a run last; None where the ledger does not know it."""
        return self.by_run[run][-1].event if run in self.by_run else None


def read(reports: Path) -> Ledger:
    """The ledger of a folder of reports; an empty one where there is none."""
    path = Path(reports) / FILE
    try:
        about = path.stat()
    except OSError:
        return Ledger()
    found, head = _read(path, about.st_mtime_ns, about.st_size, about.st_ino), _head(reports)
    if head in (None, found.last, found.last_but_one):
        return found
    with path.open("rb") as stream:  # once nobody is writing
        fcntl.flock(stream, fcntl.LOCK_SH)
        found, head = _parsed(stream.read()), _head(reports)
    if head in (None, found.last, found.last_but_one):
        return found
    return _without_its_end(found)


def _without_its_end(found):
    return replace(found, faults=(*found.faults, "the last line was changed, or lines behind it were removed"))


def _head(reports):
    try:
        head = (Path(reports) / HEAD).read_bytes().decode(errors="replace")
    except OSError:
        return None
    return head if re.fullmatch("[0-9a-f]{64}", head) else None  # a machine that lost its power left it half written


@lru_cache(maxsize=4)
def _read(path, *_stamp):
    return _parsed(path.read_bytes())


def _parsed(text):
    whole, _, _torn = text.rpartition(b"\n")  # a line without its end was never finished, nor acknowledged
    events, faults, number, before, last_but_one = [], [], 0, FIRST, FIRST
    for number, line in enumerate(whole.split(b"\n") if whole else (), 1):
        try:
            event = json.loads(line)
            held = event.pop("previous")
            known = {name: event.pop(name) for name in ("sequence", "at", "event", "report", "run")}
            found = Event(**known, about=event)
            _check(found)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            faults.append(f"line {number} is none that crmlab writes")
        else:
            if held != before:
                faults.append(f"line {number} does not follow the line before it, which was changed, added or removed")
            elif found.sequence != number:
                faults.append(f"line {number} says that it is the {found.sequence}th")
            events.append(found)
        last_but_one, before = before, hashlib.sha256(line).hexdigest()
    by_run: dict[str, list[Event]] = {}
    for event in events:
        by_run.setdefault(event.run, []).append(event)
    published = {event.run: event for event in events if event.event == "run"}
    return Ledger(tuple(events), tuple(faults), number, before, last_but_one, published, by_run)


def now() -> str:
    """The time, as lines have it."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _check(event):
    """Raises ValueError where an event is none that this program writes."""
    of_kind = {"run": ("manifest", "files"), "forgotten": ("changed",), "tried": (), "pruned": (), "slot": SLOT}
    needed = of_kind.get(event.event, ("by", "note", "holds"))
    names = all(isinstance(name, str) and NAME.fullmatch(name) for name in (event.report, event.run))
    changed = event.about.get("changed", {})
    pairs = isinstance(changed, dict) and all(isinstance(pair, list) and len(pair) == 2 for pair in changed.values())
    whole = event.event in EVENTS and isinstance(event.sequence, int) and isinstance(event.at, str)
    if not (whole and names and pairs and all(field in event.about for field in needed)):
        raise ValueError


class Book:
    """A ledger that this process alone may write to: its lines as they were found, and where the next one goes."""

    def __init__(self, reports, stream):
        stream.seek(0)
        text = stream.read()
        if text and not text.endswith(b"\n"):  # of a writer that was killed
            stream.truncate(text.rfind(b"\n") + 1)
        self._reports, self._stream, self.ledger = reports, stream, _parsed(text)
        head, found = _head(reports), self.ledger
        # where the end was changed, the next line follows what was recorded, so that the change stays to be seen
        self._last = found.last
        if head not in (None, found.last, found.last_but_one):
            self._last, self.ledger = head, _without_its_end(found)
        self.next = found.lines + 1

    def append(self, event: str, report: str, run: str, at: str = "", **about: Any) -> None:
        """Write a line, which then lies on the disk."""
        at = at or now()
        known = {"sequence": self.next, "at": at, "event": event, "report": report, "run": run}
        line = json.dumps(known | about | {"previous": self._last}).encode()
        self._stream.write(line + b"\n")
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self.next, self._last = self.next + 1, hashlib.sha256(line).hexdigest()
        beside = self._reports / f"{HEAD}.part"
        with beside.open("w") as head:
            head.write(self._last)
            head.flush()
            os.fsync(head.fileno())
        os.replace(beside, self._reports / HEAD)


@contextmanager
def opened(reports: Path) -> Iterator[Book]:
    """The ledger of a folder of reports, to append to; other processes wait meanwhile."""
    Path(reports).mkdir(parents=True, exist_ok=True)
    with (Path(reports) / FILE).open("a+b") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield Book(Path(reports), stream)
