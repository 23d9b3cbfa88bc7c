"""Postfix as providers run it: submission with STARTTLS and AUTH, and behind postscreen."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.certificates import authority_file
from tests.servers.real.base import Manners
from tests.servers.real.conftest import Desk, reader
from tests.servers.real.contract import agree, everybody_has_it, told
from tests.servers.real.dovecot import Dovecot
from tests.servers.real.postfix import PASSWORD, USER, Postscreen, Submission


@pytest.fixture
def _authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Certificates are verified."""
    monkeypatch.setenv("MAILER_SMTP_CA_FILE", str(authority_file(tmp_path)))


@pytest.mark.usefixtures("_authority")
@pytest.mark.parametrize("mechanism", ["plain", "login", "cram-md5"])
def test_submission_with_starttls_and_a_login(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, mechanism: str
) -> None:
    number = 500 if mechanism == "plain" else 20
    desk.people([reader(number) for number in range(1, number + 1)])
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", PASSWORD)
    dovecot = Dovecot(USER, PASSWORD, mechanisms=mechanism)
    with Submission(dovecot=dovecot) as server:
        ran = desk.send(server.url)
        assert ran.status == 0, told(desk, server)
        everybody_has_it(desk, server)
        log = (server.folder / "mail.log").read_text()
        assert f"sasl_method={mechanism.upper()}, sasl_username={USER}" in log
        assert "TLSv1.3" in log


@pytest.mark.usefixtures("_authority")
def test_a_wrong_password_is_told_and_does_not_lock_the_account(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.people([reader(number) for number in range(1, 21)])
    monkeypatch.setenv("MAILER_SMTP_PASSWORD", "another")
    with Submission() as server:
        ran = desk.send(server.url)
        assert ran.status == 1
        assert f"127.0.0.1:{server.port} refused the user {USER}: 535 5.7.8" in ran.err
        assert "MAILER_SMTP_PASSWORD" in ran.err
        assert desk.counts == {"pending": 20}, told(desk, server)
        agree(desk, server)
        # Providers lock an account after a handful.
        assert (server.folder / "mail.log").read_text().count("authentication failed") == 1


def test_who_is_sent_away_by_postscreen_gets_it_later(desk: Desk) -> None:
    desk.people([reader(number) for number in range(1, 101)])
    with Postscreen(Manners()) as server:
        ran = desk.send(server.url)
        assert set(desk.counts) <= {"accepted", "deferred"}, told(desk, server)
        assert "450 4.3.2 Service currently unavailable" in ran.out
        assert ran.status == 1
        ran = desk.send(server.url)
        assert ran.status == 0, told(desk, server)
        everybody_has_it(desk, server)
