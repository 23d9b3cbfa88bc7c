"""A workspace, commands that are real processes, a server's log, and the comparison of the two.

`Desk` starts commands by way of `starter` and looks at what they left; `compare` holds that against what the
server took (`log`), and asks of every planned person what must hold after any number of kills.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import CONFIG
from tests.faults.kills.log import CONNECTIONS, REQUEST, Log

__all__ = [
    "ISSUE",
    "QUICK",
    "ROOT",
    "SLUG",
    "Desk",
    "Process",
    "Starter",
    "Tally",
    "compare",
]

ROOT = Path(__file__).parents[3]
SLUG = "2026-11-21-evening"
ISSUE = "issues/issue.yaml"
_TEXT = "edition: evening\ndate: 2026-11-21\nitems:\n  - title: Cranes stand still\n    body: Quiet.\n"
_PATIENCE_SECONDS = 60.0

#: Much happens often: small windows, frequent commits, a journal that is emptied, short waits after a 4xx.
QUICK: dict[str, Any] = {
    "mailer.delivery.run:_WINDOW": 60,
    "mailer.delivery.run:_SETTLE_SECONDS": 0.01,
    "mailer.delivery.run:_JOURNAL_BYTES": 2000,
    "mailer.delivery.run:deliver.__kwdefaults__": {"retry_after": [0.01, 0.02, 0.04]},
    "mailer.delivery.transports.sendgrid:SendGrid.batch": REQUEST,
}


@dataclass
class Tally:
    """What a test adds to the line of totals."""

    kills: int = 0
    duplicates: int = 0
    lost: int = 0
    uncertain: int = 0
    bound: int = 0


class Starter:
    """The process that forks commands (see `starter`)."""

    def __init__(self, folder: Path) -> None:
        make_workspace(folder, readers=1)
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAILER_", "SENDGRID_"))}
        env |= {"MAILER_SECRET_KEY": "a-secret-key-for-tests-only", "NO_COLOR": "1"}
        env |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.kills.starter", str(folder)],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._buffer = b""
        self._status: dict[int, int] = {}
        self._started: list[int] = []

    def fork(self, request: Mapping[str, Any]) -> int:
        """Starts a command; gives its pid."""
        self._say(request)
        while not self._started:
            self._listen(_PATIENCE_SECONDS)
        return self._started.pop()

    def signal(self, pid: int, how: signal.Signals) -> None:
        """Sends a signal, unless the process has ended."""
        self._say({"pid": pid, "signal": int(how)})

    def status(self, pid: int, seconds: float = 0.0) -> int | None:
        """How the process ended, or None where it has not, waiting so long for it."""
        deadline = time.monotonic() + seconds
        while pid not in self._status:
            left = deadline - time.monotonic()
            self._listen(max(left, 0.0))
            if left <= 0:
                break
        return self._status.get(pid)

    def close(self) -> None:
        """Ends it; its children have ended before."""
        self._process.communicate(timeout=_PATIENCE_SECONDS)

    def _say(self, document: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document).encode() + b"\n")
        self._process.stdin.flush()

    def _listen(self, seconds: float) -> None:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        if not select.select([pipe], [], [], seconds)[0]:
            return
        data = os.read(pipe, 65536)
        if not data:
            assert self._process.stderr is not None
            raise RuntimeError(f"the starter has ended: {self._process.stderr.read().decode()}")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if "status" in answer:
                self._status[answer["pid"]] = answer["status"]
            else:
                self._started.append(answer["pid"])


def make_workspace(root: Path, *, readers: int) -> None:
    """The files of a workspace with one issue; nothing is imported yet."""
    (root / "issues").mkdir(parents=True)
    (root / "mailer.toml").write_text(CONFIG)
    (root / ISSUE).write_text(_TEXT)
    rows = "\n".join(f"reader{i}@example.org,Reader {i}" for i in range(readers))
    (root / "readers.csv").write_text(f"email,name\n{rows}\n")


@dataclass
class Process:
    """A running command."""

    starter: Starter
    pid: int
    out: Path

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        self.starter.signal(self.pid, how)

    @property
    def ended(self) -> bool:
        return self.starter.status(self.pid) is not None

    def wait(self) -> int:
        """The exit status, negative for a signal. What it said holds no traceback."""
        status = self.starter.status(self.pid, _PATIENCE_SECONDS)
        words = self.said
        assert status is not None, words
        assert "Traceback" not in words, words
        assert status in (0, 1, 2, -signal.SIGKILL, -signal.SIGTERM), words
        return status

    @property
    def said(self) -> str:
        return self.out.read_text() if self.out.exists() else ""


@dataclass
class Desk:
    """A workspace, and the commands that run in it."""

    root: Path
    starter: Starter
    log: Log
    connections: int = CONNECTIONS
    dials: dict[str, Any] = field(default_factory=lambda: dict(QUICK))
    _number: int = 0

    def start(self, *words: str, kill: Mapping[str, Any] | None = None, **more: Any) -> Process:
        """Starts `mailer WORDS…`, to be killed at a step where `kill` names one."""
        self._number += 1
        out = self.root.parent / f"{self.root.name}-{self._number}.txt"
        request = {
            "words": words,
            "cwd": str(self.root),
            "env": {"MAILER_DELIVERY_CONNECTIONS": str(self.connections), **self.log.env},
            "out": str(out),
            "dials": {**self.dials, **more.pop("dials", {})},
            **more,
        }
        if kill is not None:
            request["kill"] = kill
        return Process(self.starter, self.starter.fork(request), out)

    def send(self, **more: Any) -> Process:
        return self.start("send", ISSUE, "--yes", *self.log.words, **more)

    def run(self, *words: str) -> str:
        """A command that must do what it is asked; gives what it said."""
        process = self.start(*words)
        assert process.wait() == 0, process.said
        return process.said

    def rows(self) -> list[tuple[str, str, str]]:
        """(address, state, reason) of every planned person."""
        with closing(sqlite3.connect(self.root / "subscribers.db")) as database:
            return database.execute(
                "SELECT s.address, d.state, d.reason FROM deliveries d "
                "JOIN subscribers s ON s.id = d.subscriber_id ORDER BY s.id"
            ).fetchall()

    def counts(self) -> Counter[str]:
        return Counter(state for _, state, _ in self.rows())

    @property
    def status(self) -> str:
        """The campaign's status, or nothing where none was committed.

        Looks at a copy, so that a crashed database stays as it is.
        """
        copy = self.root.parent / f"{self.root.name}-look"
        copy.mkdir(exist_ok=True)
        for name in ("subscribers.db", "subscribers.db-wal"):
            (copy / name).unlink(missing_ok=True)
            if (self.root / name).exists():
                shutil.copy(self.root / name, copy / name)
        with closing(sqlite3.connect(copy / "subscribers.db")) as database:
            try:
                row = database.execute("SELECT status FROM campaigns").fetchone()
            except sqlite3.OperationalError:
                return ""  # not even the tables
        return str(row[0]) if row else ""

    def manifest(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.root / "campaigns" / SLUG / "manifest.json").read_bytes())
        return loaded

    def finish(self) -> None:
        """Sends until nothing is left to try, as an operator would."""
        for _ in range(5):
            process = self.start("campaigns", "resume", SLUG) if self.status == "paused" else self.send()
            status = process.wait()
            counts = self.counts()
            if not any(counts[state] for state in ("pending", "sending", "deferred")):
                assert status in (0, 1), process.said
                return
        raise AssertionError(f"it does not get through: {self.counts()}: {process.said}")


def compare(desk: Desk, *, readers: int, bound: int, tally: Tally | None = None) -> Counter[str]:
    """The server's log against the spool, person by person, after everything is through. Gives the counts.

    `bound` is how many may be uncertain at most.
    """
    got = desk.log.recipients()
    rows = desk.rows()
    counts = Counter(state for _, state, _ in rows)
    twice = sorted(address for address, times in got.items() if times > 1)
    unknown = got.keys() - {address for address, _, _ in rows}
    missing = [address for address, state, _ in rows if state == "accepted" and not got[address]]
    dropped = [f"{address} {state}" for address, state, _ in rows if state not in _ENDS]
    against = [f"{a} {state}" for a, state, _ in rows if state not in ("accepted", "uncertain") and got[a]]
    if tally is not None:
        tally.duplicates += len(twice)
        tally.lost += len(missing) + len(dropped) + readers - len(rows)
        tally.uncertain += counts["uncertain"]
        tally.bound += bound
    assert not twice, f"they have it twice: {twice}"
    assert not unknown, f"nobody planned them: {unknown}"
    assert len(rows) == readers
    assert not missing, f"accepted, and never arrived: {missing}"
    assert not dropped, f"nothing became of them: {dropped}"
    assert not against, f"they have it, and the spool does not know: {against}"
    assert counts["uncertain"] <= bound
    said = desk.manifest()
    assert said["status"] == "sent"
    assert +Counter(said["counts"]) == counts
    assert said["started_at"]
    assert said["finished_at"]
    assert not list((desk.root / "campaigns").glob(".*")), "a half-made folder is left"
    return counts


_ENDS = ("accepted", "uncertain", "rejected")
