"""A real `send` against a real server, killed while it sends, again and again; then both sides are compared.

After any number of kills: nobody got it twice, nobody is lost, and the uncertain are at most what was on the
wire.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.cli import run
from tests.servers.sendgrid import KEY, SendGridApi
from tests.servers.smtp import SmtpServer

ROOT = Path(__file__).parents[2]
SLUG = "2026-11-21-evening"
ISSUE = "issues/issue.yaml"
READERS = 1500
CONNECTIONS = 4


@pytest.fixture
def desk(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with an issue, many readers, and a known number of connections."""
    (workspace / ISSUE).write_text(
        "edition: evening\ndate: 2026-11-21\nitems:\n  - title: Cranes stand still\n    body: Quiet.\n"
    )
    rows = "\n".join(f"reader{i}@example.org,Reader {i}" for i in range(READERS))
    (workspace / "readers.csv").write_text(f"email,name\n{rows}\n")
    monkeypatch.setenv("MAILER_DELIVERY_CONNECTIONS", str(CONNECTIONS))
    assert run(workspace, "subscribers", "import", "readers.csv").status == 0
    return workspace


def start(desk: Path, url: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(ROOT / "cli.py"), "send", ISSUE, "--yes", "--transport", url]
    return subprocess.Popen(command, cwd=desk, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def end_after(process: subprocess.Popen[bytes], got: list[object], number: int, how: signal.Signals) -> None:
    """Sends the signal once the other side has so many messages (or the process has ended)."""
    deadline = time.monotonic() + 60
    while len(got) < number and process.poll() is None:
        assert time.monotonic() < deadline, "it does not get anywhere"
        time.sleep(0.0005)
    if process.poll() is None:
        process.send_signal(how)
    out, err = process.communicate(timeout=60)
    assert b"Traceback" not in err, err.decode()
    del out


def states(desk: Path) -> Counter[str]:
    return Counter(run(desk, "campaigns", "show", SLUG, "--json").json["counts"])


def compare(desk: Path, recipients: list[str], kills: int, bound: int) -> None:
    """The server's log against the spool, person by person."""
    got = Counter(recipients)
    assert max(got.values()) == 1, [address for address, times in got.items() if times > 1]
    counted = states(desk)
    assert counted["accepted"] + counted["uncertain"] == READERS
    assert counted["uncertain"] <= kills * bound
    import sqlite3

    database = sqlite3.connect(desk / "subscribers.db")
    rows = database.execute(
        "SELECT s.address, d.state FROM deliveries d JOIN subscribers s ON s.id = d.subscriber_id"
    ).fetchall()
    database.close()
    for address, state in rows:
        if state == "accepted":
            assert got[address] == 1, address
    uncertain = {address for address, state in rows if state == "uncertain"}
    assert set(got) | uncertain == {address for address, _ in rows}


@pytest.mark.parametrize("seed", range(int(os.environ.get("MAILER_TEST_KILLS", "3"))))
def test_smtp_after_kills_nobody_twice_nobody_lost(desk: Path, seed: int) -> None:
    chance = random.Random(seed)
    kills = 3
    with SmtpServer() as server:
        for _ in range(kills):
            end_after(
                start(desk, server.url),
                server.received,  # type: ignore[arg-type]
                len(server.received) + chance.randint(1, READERS // (kills + 1)),
                signal.SIGKILL,
            )
        end_after(start(desk, server.url), server.received, READERS * 2, signal.SIGKILL)  # type: ignore[arg-type]
    compare(desk, server.recipients, kills, CONNECTIONS)


def test_smtp_sigterm_leaves_nothing_uncertain(desk: Path) -> None:
    with SmtpServer() as server:
        for part in (1, 2):
            end_after(start(desk, server.url), server.received, part * 300, signal.SIGTERM)  # type: ignore[arg-type]
            counted = states(desk)
            assert counted["sending"] == counted["uncertain"] == 0
            assert counted["accepted"] == len(server.received)
        end_after(start(desk, server.url), server.received, READERS * 2, signal.SIGTERM)  # type: ignore[arg-type]
    compare(desk, server.recipients, 0, 0)
    assert states(desk)["accepted"] == READERS


def test_sendgrid_after_a_kill_nobody_twice_nobody_lost(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", KEY)
    with SendGridApi() as api:
        monkeypatch.setenv("MAILER_SENDGRID_URL", api.url)
        end_after(start(desk, "sendgrid:"), api.delivered, 1, signal.SIGKILL)  # type: ignore[arg-type]
        end_after(start(desk, "sendgrid:"), api.delivered, READERS * 2, signal.SIGKILL)  # type: ignore[arg-type]
        compare(desk, api.recipients, 1, READERS)
