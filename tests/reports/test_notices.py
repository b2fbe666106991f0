"""Who is told of what came of a schedule, by which way, and what becomes of what nobody takes."""

import json
import re
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from pydantic import ValidationError

from crmlab.estimate import Estimate
from crmlab.reports import notices, review, store
from crmlab.reports.channels import Mail, Notices
from crmlab.reports.due import Ended
from crmlab.reports.ledger import Event
from crmlab.reports.manifest import Error
from crmlab.reports.slots import Slot

from .test_store import manifest

SLOT = Slot("clv", datetime(2026, 11, 29, 3, 15, tzinfo=UTC), date(2026, 11, 28))
TO_A_COMMAND = Notices(command=[sys.executable, "-c", "import sys; open('told.txt', 'w').write(sys.stdin.read())"])


def published(reports, **about):
    return store.Staged(reports).publish(manifest(store.new_run()).model_copy(update=about))


def ended(folder=None, outcome="done", why=""):
    folders = (folder,) if folder else ()
    return Ended(SLOT, outcome, why, tuple(each.name for each in folders), folders)


def event(outcome, *runs):
    return Event(1, "", "slot", "small", "clv@x", {"outcome": outcome, "runs": list(runs)})


def kinds(settings, reports, each, before):
    told = notices.digest(settings, reports, [each], {"clv": event(before)} if before else {})
    return told.data["entries"][0]["kinds"] if told else []


FAILING = {"id": "a.b", "kind": "comparison", "outcome": "failed", "claim": "It beats the baselines",
           "summary": "", "recommendation": "", "values": {}}  # fmt: skip


@pytest.mark.parametrize(
    ("outcome", "before", "told"),
    [
        ("failed", "", ["failed"]),
        ("failed", "failed", ["failed"]),
        ("rejected", "done", ["rejected"]),
        ("rejected", "rejected", []),  # it was said
        ("stale", "stale", []),
        ("done", "failed", ["recovered"]),
        ("done", "stale", ["recovered"]),
        ("done", "done", []),
        ("skipped", "done", []),
    ],
)
def test_somebody_is_told_of_trouble_once_and_of_its_end(tmp_path, outcome, before, told):
    assert kinds(Notices(), tmp_path, ended(outcome=outcome), before) == told


def test_checks_that_fail_and_facts_that_differ_from_the_approved_run_are_told(tmp_path):
    approved = published(tmp_path, facts={"spend": Estimate(10.0, 9, 11).as_dict()})
    review.decide(tmp_path, approved, "approved", "Ann")
    made = published(tmp_path, facts={"spend": Estimate(20.0, 19, 21).as_dict()}, checks=[FAILING], answer=["So much."])
    told = notices.digest(Notices(link="https://x.org/r/"), tmp_path, [ended(made)], {})
    assert told.subject == (
        "crmlab: 1 run of which a check fails that did not, 1 run that differs from the approved one"
    )
    assert told.text.splitlines() == [
        "clv (2026-11-29 03:15 UTC): done",
        "  So much.",
        "  check failed: It beats the baselines",
        "  since the approved run: 1 fact differs (spend +10 (+100.0 %)); "
        "1 check changed outcome (It beats the baselines: absent, then failed)",
        f"  https://x.org/r/small/{made.name}/report.html",
    ]
    assert notices.digest(Notices(of=["failed"]), tmp_path, [ended(made)], {}) is None


def test_a_check_that_failed_the_night_before_is_not_said_again(tmp_path):
    other = FAILING | {"id": "a.c", "claim": "It rises"}
    first, second = published(tmp_path, checks=[FAILING]), published(tmp_path, checks=[FAILING, other])
    assert notices.digest(Notices(), tmp_path, [ended(first)], {"clv": event("done", first.name)}) is None
    told = notices.digest(Notices(), tmp_path, [ended(second)], {"clv": event("done", first.name, "pruned")})
    assert told.data["entries"][0]["checks"] == ["It rises"]


def test_what_a_notebook_said_and_secrets_are_never_told(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "hunter22")
    made = published(tmp_path, state="failed", error=Error(cell=3, name="KeyError", message="customer 00123"))
    told = notices.digest(Notices(), tmp_path, [ended(made, "failed", "failed: KeyError: customer 00123")], {})
    assert "KeyError in cell 3" in told.text
    assert "00123" not in told.text + json.dumps(told.data)
    told = notices.digest(Notices(), tmp_path, [ended(outcome="rejected", why="postgres://me:hunter22@x")], {})
    assert "hunter22" not in told.text + json.dumps(told.data)


def test_several_slots_are_one_digest(tmp_path):
    several = [ended(outcome="failed"), ended(outcome="failed"), ended(outcome="rejected")]
    assert notices.digest(Notices(), tmp_path, several, {}).subject == "crmlab: 2 runs failed, 1 input refused"


TOLD = notices.Digest("crmlab: 1 run failed", "clv: failed\n", {"subject": "crmlab: 1 run failed", "entries": []})


@contextmanager
def web(status=200):
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(status)
            self.end_headers()

        def log_message(self, *about):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", taken
    finally:
        server.shutdown()
        server.server_close()


def test_a_web_address_takes_json(tmp_path):
    with web() as (address, taken):
        assert notices.send(Notices(webhook=address), tmp_path, TOLD) == []
    assert taken == [{"subject": "crmlab: 1 run failed", "entries": [], "text": "clv: failed\n"}]
    assert notices.waiting(tmp_path) == 0


def test_a_command_reads_the_text(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert notices.send(TO_A_COMMAND, tmp_path, TOLD) == []
    assert (tmp_path / "told.txt").read_text() == "crmlab: 1 run failed\n\nclv: failed\n"


def test_what_cannot_be_sent_is_kept_and_tried_again_and_other_ways_go_on(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with web(503) as (address, taken):
        both = TO_A_COMMAND.model_copy(update={"webhook": address})
        (fault,) = notices.send(both, tmp_path, TOLD)
        refused = "no notice by webhook: HTTPError: HTTP Error 503: Service Unavailable"
        assert fault == f"{refused}; it is kept, and tried again the next time"
        assert notices.waiting(tmp_path) == 1
        assert len(notices.send(both, tmp_path, TOLD)) == 1
    assert len(taken) == 2  # the second of the digests was not tried where the first was not taken
    assert notices.waiting(tmp_path) == 2
    with web() as (address, taken):
        assert notices.send(both.model_copy(update={"webhook": address}), tmp_path, None) == []
    assert [each["subject"] for each in taken] == [TOLD.subject] * 2
    assert notices.waiting(tmp_path) == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (Notices(command=["false"]), "false ended with code 1"),
        (Notices(command=["no-such-command-here"]), "FileNotFoundError"),
        (Notices(webhook="https://x.org/${NO_SUCH_NAME}"), "there is no environment variable NO_SUCH_NAME"),
        (Notices(webhook="http://127.0.0.1:9/"), "URLError"),
        (Notices(mail=Mail(to=["a@b.c"], sender="d@e.f", host="127.0.0.1", port=9)), "ConnectionRefusedError"),
    ],
)
def test_a_way_that_fails_is_said_and_ends_nothing(tmp_path, settings, words):
    (fault,) = notices.send(settings, tmp_path, TOLD)
    assert words in fault
    assert notices.waiting(tmp_path) == 1


def test_a_way_that_hangs_is_given_up(tmp_path, monkeypatch):
    import socket

    monkeypatch.setattr(notices, "SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mail = Notices(mail=Mail(to=["a@b.c"], sender="d@e.f", host="127.0.0.1", port=port))
        (fault,) = notices.send(mail, tmp_path, TOLD)
        assert "timed out" in fault
        (fault,) = notices.send(
            Notices(webhook=f"http://127.0.0.1:{port}/"), tmp_path, None if notices.waiting(tmp_path) > 1 else TOLD
        )
        assert "timed out" in fault or "TimeoutError" in fault
    slow = Notices(command=[sys.executable, "-c", "import time; time.sleep(60)"])
    (fault,) = notices.send(slow, tmp_path, TOLD)
    assert "TimeoutExpired" in fault


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"mail": {"to": ["a b"], "sender": "d@e.f", "host": "x"}}, "'a b' is no address"),
        ({"mail": {"to": ["a@b.c\nBcc: x@y.z"], "sender": "d@e.f", "host": "x"}}, "is no address"),
        ({"mail": {"to": [], "sender": "d@e.f", "host": "x"}}, "at least 1"),
        ({"webhook": "ftp://x.org"}, "is no web address"),
        ({"webhook": "https://me:secret@x.org"}, "leave the password out"),
        ({"link": "x.org"}, "is no web address"),
        ({"of": ["everything"]}, "failed"),
        ({"sms": "1"}, "sms"),
    ],
)
def test_ways_that_are_none_are_refused(given, words):
    with pytest.raises(ValidationError, match=re.escape(words)):
        Notices.model_validate(given)
