"""A desk with the sample evening edition, and 500 readers of it."""

from __future__ import annotations

import csv
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mailer.message.message import Message
from tests.cli import Ran, run
from tests.desk import copy_repository

__all__ = ["CONNECTIONS", "ISSUE", "SLUG", "Desk", "reader"]

SLUG = "2026-11-21-evening"
ISSUE = f"issues/{SLUG}.yaml"
#: More than any limit that a server gets here.
CONNECTIONS = 8
_LANGUAGES = ("en", "zh")


def reader(number: int) -> str:
    """The address of a reader, by number from 1: fifty domains, so that none stands for all."""
    return f"reader{number}@d{number % 50}.example.org"


@dataclass
class Desk:
    """The workspace. `sent` has the messages that were composed for each address, `last` the last `send`."""

    root: Path
    sent: dict[str, set[bytes]] = field(default_factory=dict)
    last: Ran = field(default_factory=lambda: Ran(0, "", ""))

    def run(self, *words: str) -> Ran:
        return run(self.root, *words)

    def people(self, addresses: Sequence[str]) -> None:
        """These are its readers from now on, too."""
        with (self.root / "readers.csv").open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["email", "name", "language", "tags"])
            for number, address in enumerate(addresses):
                tags = "vip" if number % 3 == 0 else ""
                rows.writerow([address, f"读者 {number}", _LANGUAGES[number % 2], tags])
        ran = self.run("subscribers", "import", "readers.csv", "--json")
        assert ran.status == 0, ran.err
        assert ran.json["added"] == len(addresses), ran.json

    def send(self, url: str) -> Ran:
        """`mailer send` of the edition, to whoever does not have it yet."""
        self.last = self.run("send", ISSUE, "--yes", "--transport", url)
        return self.last

    @property
    def states(self) -> dict[str, str]:
        """The state of each reader's delivery, by address."""
        return {address: state for address, state, _ in self._deliveries()}

    @property
    def reasons(self) -> dict[str, str]:
        """Why, by address."""
        return {address: reason for address, _, reason in self._deliveries()}

    @property
    def counts(self) -> dict[str, int]:
        """How many deliveries are in each state."""
        return dict(Counter(self.states.values()))

    def accepted(self) -> list[str]:
        """Whose message a server has taken, as the spool knows it."""
        return sorted(address for address, state in self.states.items() if state == "accepted")

    def _deliveries(self) -> list[tuple[str, str, str]]:
        database = sqlite3.connect(self.root / "subscribers.db")
        try:
            return database.execute(
                "SELECT subscribers.address, deliveries.state, deliveries.reason FROM deliveries "
                "JOIN subscribers ON subscribers.id = deliveries.subscriber_id"
            ).fetchall()
        finally:
            database.close()


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """The repository's own workspace without a reader; all that it composes is noted."""
    root = copy_repository(tmp_path / "desk", "issues", "templates")
    monkeypatch.setenv("MAILER_DELIVERY_CONNECTIONS", str(CONNECTIONS))
    made = Desk(root)
    compose: Callable[[Message], bytes] = Message.raw

    def raw(message: Message) -> bytes:
        data = compose(message)
        made.sent.setdefault(message.address, set()).add(data)
        return data

    monkeypatch.setattr(Message, "raw", raw)
    return made
