"""A workspace, commands that are real processes, a server's log, and the comparison of the two.

`Desk` starts commands by way of `starter` and looks at what they left; `compare` holds that against what the
server took (`log`), and asks of every planned person what must hold after any number of kills.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.conftest import CONFIG
from tests.faults.kills.log import CONNECTIONS, REQUEST, Log
from tests.faults.kills.processes import ROOT, Process, Starter
from tests.faults.kills.tally import Tally

__all__ = [
    "ISSUE",
    "QUICK",
    "ROOT",
    "SLUG",
    "Campaign",
    "Desk",
    "Process",
    "Starter",
    "Tally",
    "compare",
    "make_workspace",
]

SLUG = "2026-11-21-evening"
ISSUE = "issues/issue.yaml"
_TEXT = "edition: evening\ndate: 2026-11-21\nitems:\n  - title: Cranes stand still\n    body: Quiet.\n"

#: Much happens often: small windows, frequent commits, a journal that is emptied.
QUICK: dict[str, Any] = {
    "mailer.delivery.intake:_WINDOW": 60,
    "mailer.delivery.loop:_SETTLE_SECONDS": 0.01,
    "mailer.delivery.loop:_JOURNAL_BYTES": 2000,
    "mailer.transports.sendgrid.transport:SendGrid.batch_size": REQUEST,
}


def make_workspace(root: Path, *, readers: int) -> None:
    """The files of a workspace with one issue; nothing is imported yet."""
    (root / "issues").mkdir(parents=True)
    (root / "mailer.toml").write_text(CONFIG)
    (root / ISSUE).write_text(_TEXT)
    rows = "\n".join(f"reader{i}@example.org,Reader {i}" for i in range(readers))
    (root / "readers.csv").write_text(f"email,name\n{rows}\n")


@dataclass(frozen=True)
class Campaign:
    """One campaign as the database has it."""

    id: int
    slug: str
    status: str
    segment: str


@dataclass
class Desk:
    """A workspace, and the commands that run in it.

    `story` is what was started, for the message of a test that fails.
    """

    root: Path
    starter: Starter
    log: Log
    connections: int = CONNECTIONS
    dials: dict[str, Any] = field(default_factory=lambda: dict(QUICK))
    tally: Tally = field(default_factory=Tally)
    story: list[str] = field(default_factory=list)
    _number: int = 0

    def start(self, *words: str, kill: Mapping[str, Any] | None = None, **more: Any) -> Process:
        """Starts `mailer WORDS…`, to be killed at a step where `kill` names one."""
        self._number += 1
        self.tally.commands += 1
        self.story.append(f"{self._number}: {' '.join(words)}")
        out = self.root.parent / f"{self.root.name}-{self._number}.txt"
        request = {
            "words": words,
            "cwd": str(self.root),
            "env": {
                "MAILER_DELIVERY_CONNECTIONS": str(self.connections),
                **self.log.env,
                **more.pop("env", {}),
            },
            "out": str(out),
            "dials": {**self.dials, **more.pop("dials", {})},
            **more,
        }
        if kill is not None:
            request["kill"] = kill
        return Process(self.starter, self.starter.fork(request), out)

    def send(self, *options: str, **more: Any) -> Process:
        return self.start("send", ISSUE, "--yes", *self.log.words, *options, **more)

    def run(self, *words: str) -> str:
        """A command that must do what it is asked; gives what it said."""
        process = self.start(*words)
        assert process.wait() == 0, process.said
        return process.said

    def rows(self, slug: str = SLUG) -> list[tuple[str, str, str]]:
        """(address, state, reason) of every planned person of that campaign."""
        with closing(sqlite3.connect(self.root / "subscribers.db")) as database:
            return database.execute(
                "SELECT s.address, d.state, d.reason FROM deliveries d "
                "JOIN subscribers s ON s.id = d.subscriber_id "
                "JOIN campaigns c ON c.id = d.campaign_id WHERE c.slug = ? ORDER BY s.id",
                [slug],
            ).fetchall()

    def counts(self, slug: str = SLUG) -> Counter[str]:
        """How many deliveries of that campaign are in each state."""
        return Counter(state for _, state, _ in self.rows(slug))

    @property
    def status(self) -> str:
        """The first campaign's status, or nothing where none was committed."""
        return next((campaign.status for campaign in self.campaigns()), "")

    def campaigns(self) -> list[Campaign]:
        """All campaigns, oldest first. To be asked while no command runs."""
        with self.copied() as database:
            try:
                rows = database.execute("SELECT id, slug, status, segment FROM campaigns ORDER BY id")
            except sqlite3.OperationalError:
                return []  # not even the tables
            return [Campaign(*row) for row in rows]

    @contextmanager
    def copied(self) -> Iterator[sqlite3.Connection]:
        """A copy of the database, so that a crashed one stays as it is."""
        copy = self.root.parent / f"{self.root.name}-look"
        copy.mkdir(exist_ok=True)
        for name in ("subscribers.db", "subscribers.db-wal"):
            (copy / name).unlink(missing_ok=True)
            if (self.root / name).exists():
                shutil.copy(self.root / name, copy / name)
        with closing(sqlite3.connect(copy / "subscribers.db")) as database:
            yield database

    def manifest(self, slug: str = SLUG) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.root / "campaigns" / slug / "manifest.json").read_bytes())
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
        tally.left_sending += counts["sending"]
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
