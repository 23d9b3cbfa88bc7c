"""Servers that take mail only from people who are logged in, and we are not: they refuse everybody.

The fault is ours. No delivery ends by it, no reader is marked as bounced, and the run says what is missing.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tests.servers.certificates import authority_file
from tests.servers.real.base import RealServer
from tests.servers.real.conftest import Desk, reader
from tests.servers.real.contract import told
from tests.servers.real.opensmtpd import OpenSmtpdForUsers
from tests.servers.real.postfix import Submission


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        pytest.param(Submission, "454 4.7.1 ", id=Submission.name),  # Relay access denied
        pytest.param(OpenSmtpdForUsers, "550 Invalid recipient", id=OpenSmtpdForUsers.name),
    ],
)
def test_nobody_is_refused_and_we_say_that_a_login_is_missing(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[RealServer], words: str
) -> None:
    monkeypatch.setenv("MAILER_SMTP_CA_FILE", str(authority_file(tmp_path)))
    desk.people([reader(number) for number in range(1, 61)])
    with kind() as server:
        ran = desk.send(f"smtp://127.0.0.1:{server.port}")
        assert ran.status == 1
        assert server.count() == 0
        assert desk.counts == {"pending": 60}, told(desk, server)
        assert bounced(desk) == 0, told(desk, server)
        assert words in ran.err, told(desk, server)
        assert "MAILER_SMTP_PASSWORD" in ran.err, told(desk, server)


def bounced(desk: Desk) -> int:
    """How many readers are struck off because their address is said to be wrong."""
    database = sqlite3.connect(desk.root / "subscribers.db")
    try:
        return int(
            database.execute("SELECT count(*) FROM subscribers WHERE status <> 'active'").fetchone()[0]
        )
    finally:
        database.close()
