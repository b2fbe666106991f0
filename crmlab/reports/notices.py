"""Notices of what came of a schedule: one digest of a suite, by e-mail, to a web address, or to a command.

A digest is written down before it is sent, and goes only when somebody has taken it: what cannot be sent now is tried
again the next time. It names no customer: of a run that failed it says where, and not what the notebook said.
"""

import json
import os
import re
import smtplib
import ssl
import subprocess
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from crmlab.contracts import InputError
from crmlab.reports import ledger, review, store
from crmlab.reports.channels import Notices
from crmlab.reports.due import Ended
from crmlab.reports.ledger import Event
from crmlab.reports.secret import redact

FOLDER = ".notices"  # beside the reports: digests that nobody has taken yet
SECONDS = 20.0  # that a mail server, a web address or a command may take
PASSWORD = "CRMLAB_MAIL_PASSWORD"
TROUBLE = ("failed", "rejected", "stale")


@dataclass(frozen=True)
class Digest:
    """A notice: a subject, lines of text, and the same as JSON for programs."""

    subject: str
    text: str
    data: dict[str, Any] = field(hash=False)


def digest(notices: Notices, reports: Path, ended: Iterable[Ended], before: Mapping[str, Event]) -> Digest | None:
    """The notice of slots that ended; None where there is nothing that notices were asked of.

    before : name of the planned run -> the ledger's event of its slot before: what went on then is not said again, but
        that a run failed
    """
    entries = [entry for each in ended if (entry := _entry(notices, reports, each, before.get(each.slot.name)))]
    if not entries:
        return None
    counts: dict[str, int] = {}
    for entry in entries:
        for kind in entry["kinds"]:
            counts[kind] = counts.get(kind, 0) + 1
    subject = "crmlab: " + ", ".join(f"{count} {SAID[kind][count != 1]}" for kind, count in counts.items())
    text = "\n\n".join("\n".join(_lines(entry)) for entry in entries)
    data = {"subject": subject, "entries": entries}
    return Digest(redact(subject), redact(text + "\n"), redact(data))


SAID = {
    "failed": ("run failed", "runs failed"),
    "rejected": ("input refused", "inputs refused"),
    "stale": ("waits for data", "wait for data"),
    "recovered": ("run is well again", "runs are well again"),
    "check": ("run of which a check fails that did not", "runs of which checks fail that did not"),
    "drift": ("run that differs from the approved one", "runs that differ from the approved ones"),
}


def _entry(notices, reports, ended, before):
    """What is said of a slot, by name; None where there is nothing to say."""
    then, done = before.about["outcome"] if before else "", ended.outcome == "done"
    runs = [store.read(folder) for folder in ended.folders if folder.is_dir()]
    known = _failing(_read(reports / before.report / run) for run in before.about["runs"]) if before else []
    failing = [claim for claim in _failing(runs) if claim not in known]
    drift = [said for folder in ended.folders if done and (said := _drift(reports, folder))]
    news = {
        ended.outcome: ended.outcome == "failed" or (ended.outcome in TROUBLE and ended.outcome != then),
        "recovered": done and then in TROUBLE,
        "check": done and failing,
        "drift": drift,
    }
    kinds = [kind for kind, is_news in news.items() if is_news and kind in notices.of]
    if not kinds:
        return None
    return {
        "name": ended.slot.name,
        "due": f"{ended.slot.due:%Y-%m-%dT%H:%M:%SZ}",
        "outcome": ended.outcome,
        "kinds": kinds,
        "why": _why(ended, runs),
        "answer": [sentence for run in runs for sentence in run.answer],
        "checks": failing,
        "drift": drift,
        "links": [_link(notices, folder) for folder in ended.folders],
    }


def _read(folder):
    """The manifest of an earlier run; None where it is gone."""
    try:
        return store.read(folder)
    except (InputError, OSError):
        return None


def _failing(runs):
    """The claims of checks that fail in runs."""
    return [check["claim"] for run in runs if run for check in run.checks if check["outcome"] == "failed"]


def _why(ended, runs):
    """Why, without what a notebook said, which may name customers."""
    stopped = [f"{run.error.name} in cell {run.error.cell}" for run in runs if run.error]
    return "; ".join(stopped) or ended.why


def _drift(reports, folder):
    """What a run says that the last approved one of its report does not; empty where there is none, or none differs."""
    from crmlab.reports import comparison

    book = ledger.read(reports)
    approved = review.last_approved(reports, folder, book)
    if not approved:
        return ""
    said = comparison.in_short(reports, store.read(approved), store.read(folder))
    return said if "fact" in said or "check" in said else ""


def _link(notices, folder):
    path = f"{folder.parent.name}/{folder.name}/report.html"
    return f"{notices.link.rstrip('/')}/{quote(path)}" if notices.link else str(folder / "report.html")


def _lines(entry):
    yield f"{entry['name']} ({entry['due'].replace('T', ' ').removesuffix(':00Z')} UTC): {entry['outcome']}"
    for text in filter(None, [entry["why"], *entry["answer"]]):
        yield f"  {text}"
    for claim in entry["checks"]:
        yield f"  check failed: {claim}"
    for said in entry["drift"]:
        yield f"  since the approved run: {said}"
    for link in entry["links"]:
        yield f"  {link}"


def send(notices: Notices, reports: Path, notice: Digest | None) -> list[str]:
    """Send a digest, and those that nobody has taken before: what could not be sent, sentences.

    A digest waits in a file of its own for each channel, until that has taken it.
    """
    folder = reports / FOLDER
    if notice:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for channel in notices.channels:
            place = folder / f"{store.new_run()}-{channel}.json"
            beside = place.with_suffix(".part")
            beside.write_text(
                json.dumps({"subject": notice.subject, "text": notice.text, "data": notice.data}), "utf-8"
            )
            os.replace(beside, place)
    faults, down = [], set()
    for place in sorted(folder.glob("*.json")):
        channel = place.stem.rpartition("-")[2]
        if channel in notices.channels and channel not in down:
            try:
                held = json.loads(place.read_text("utf-8"))
                SENDERS[channel](notices, Digest(held["subject"], held["text"], held["data"]))
                place.unlink(missing_ok=True)
            except FAULTS as fault:
                down.add(channel)  # the others of it would wait as long
                said = str(fault) if isinstance(fault, InputError) else f"{type(fault).__name__}: {fault}"
                faults.append(redact(f"no notice by {channel}: {said}; it is kept, and tried again the next time"))
    return faults


def waiting(reports: Path) -> int:
    """How many digests nobody has taken yet."""
    return len([*(reports / FOLDER).glob("*.json")])


def _mail(notices, notice):
    mail, message = notices.mail, EmailMessage()
    message["Subject"], message["From"], message["To"] = notice.subject, mail.sender, ", ".join(mail.to)
    message.set_content(notice.text)
    safely, at = ssl.create_default_context(), (mail.host, mail.port)
    plain: Any = smtplib.SMTP
    connect = plain if mail.tls == "starttls" else partial(smtplib.SMTP_SSL, context=safely)
    with connect(*at, timeout=SECONDS) as server:
        if mail.tls == "starttls":
            server.starttls(context=safely)
        if mail.user:
            if not (password := os.environ.get(PASSWORD)):
                raise InputError(f"{PASSWORD} is not set, and {mail.user} has no password without it")
            server.login(mail.user, password)
        server.send_message(message)


def _webhook(notices, notice):
    address = re.sub(r"\$\{(\w+)\}", lambda name: _variable(name[1]), notices.webhook)
    body = json.dumps(notice.data | {"text": notice.text}).encode()
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        answer.read(1000)


def _variable(name):
    if name not in os.environ:
        raise InputError(f"webhook: there is no environment variable {name}; set it")
    return os.environ[name]


def _command(notices, notice):
    text = f"{notice.subject}\n\n{notice.text}"
    done = subprocess.run(notices.command, input=text, text=True, timeout=SECONDS, capture_output=True)
    if done.returncode:
        last = done.stderr.strip().split("\n")[-1]
        raise InputError(f"{notices.command[0]} ended with code {done.returncode}{f': {last}' if last else ''}")


FAULTS = (OSError, ValueError, KeyError, InputError, smtplib.SMTPException, subprocess.SubprocessError)
SENDERS = {"mail": _mail, "webhook": _webhook, "command": _command}
