"""Digests by e-mail over TLS, as a mail server of the test's own takes them."""

import socket
import ssl
from contextlib import contextmanager

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from crmlab.reports import notices
from crmlab.reports.channels import Mail, Notices

TOLD = notices.Digest("crmlab: 1 run failed", "clv: failed — ä €\n", {})


class Inbox:
    """What a server took, and by whom."""

    def __init__(self):
        self.taken, self.users = [], []

    async def handle_DATA(self, server, session, envelope):  # noqa: N802, aiosmtpd's name
        self.taken.append(envelope)
        return "250 OK"

    def password(self, server, session, envelope, mechanism, given):
        self.users.append((given.login, given.password))
        return AuthResult(success=given.password == b"right", handled=False)


def free_port():
    with socket.create_server(("localhost", 0)) as found:
        return found.getsockname()[1]


@contextmanager
def server(tmp_path, monkeypatch, trusted=True, **settings):
    authority, inbox = trustme.CA(), Inbox()
    certificate = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(certificate)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    tls = {"ssl_context": context} if settings.pop("tls") else {"tls_context": context, "require_starttls": True}
    running = Controller(inbox, hostname="localhost", port=free_port(), authenticator=inbox.password, **tls, **settings)
    running.start()
    try:
        ours = {"sender": "crmlab@b.org", "host": "localhost", "port": running.port}
        yield inbox, Mail(to=["crm@b.org", "boss@b.org"], **ours)
    finally:
        running.stop()


@pytest.mark.parametrize("tls", [True, False])
def test_a_digest_arrives_by_tls_from_the_start_or_after_asking_for_it(tmp_path, monkeypatch, tls):
    with server(tmp_path, monkeypatch, tls=tls) as (inbox, mail):
        by = mail.model_copy(update={"tls": "tls" if tls else "starttls"})
        assert notices.send(Notices(mail=by), tmp_path, TOLD) == []
    (taken,) = inbox.taken
    assert taken.rcpt_tos == ["crm@b.org", "boss@b.org"]
    text = taken.content.decode()
    assert "Subject: crmlab: 1 run failed" in text
    assert "To: crm@b.org, boss@b.org" in text
    assert notices.waiting(tmp_path) == 0


def test_a_password_is_of_the_environment(tmp_path, monkeypatch):
    with server(tmp_path, monkeypatch, tls=False, auth_required=True) as (inbox, mail):
        by = Notices(mail=mail.model_copy(update={"user": "crmlab"}))
        monkeypatch.delenv("CRMLAB_MAIL_PASSWORD", raising=False)
        (fault,) = notices.send(by, tmp_path, TOLD)
        assert "CRMLAB_MAIL_PASSWORD is not set" in fault
        monkeypatch.setenv("CRMLAB_MAIL_PASSWORD", "wrong-one")
        (fault,) = notices.send(by, tmp_path, None)
        assert "SMTPAuthenticationError" in fault
        assert "wrong-one" not in fault
        monkeypatch.setenv("CRMLAB_MAIL_PASSWORD", "right")
        assert notices.send(by, tmp_path, None) == []
    assert inbox.users[-1] == (b"crmlab", b"right")
    assert len(inbox.taken) == 1


def test_a_server_that_nobody_vouches_for_gets_nothing(tmp_path, monkeypatch):
    with server(tmp_path, monkeypatch, trusted=False, tls=False) as (inbox, mail):
        (fault,) = notices.send(Notices(mail=mail), tmp_path, TOLD)
    assert "SSLCertVerificationError" in fault
    assert inbox.taken == []
    assert notices.waiting(tmp_path) == 1


def test_a_server_without_tls_gets_nothing(tmp_path):
    inbox = Inbox()
    running = Controller(inbox, hostname="localhost", port=free_port())
    running.start()
    try:
        mail = Mail(to=["a@b.org"], sender="c@b.org", host="localhost", port=running.port)
        (fault,) = notices.send(Notices(mail=mail), tmp_path, TOLD)
    finally:
        running.stop()
    assert "SMTPNotSupportedError" in fault
    assert inbox.taken == []
