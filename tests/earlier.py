"""A workspace that an earlier version left, for tests/test_earlier_version.py."""

from __future__ import annotations

import csv
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.cli import run
from tests.servers.smtp import Received, SmtpServer

__all__ = [
    "FINISHED",
    "HELD",
    "LASTING",
    "PAUSED",
    "PLANNED",
    "PORT",
    "SCHEDULED",
    "STOPPED",
    "TRIED_OUT",
    "TROUBLED",
    "VERSIONS",
    "Earlier",
    "assert_frozen",
    "rows_of",
]

VERSIONS = sorted(Path(__file__).parent.glob("fixtures/version-*"))
TROUBLED, FINISHED = "2026-11-18-evening", "2026-11-19-morning"
PAUSED, SCHEDULED = "2026-11-20-morning", "2026-11-21-morning"
#: Since 0.2.0.
TRIED_OUT, STOPPED = "2026-11-19-evening", "2026-11-20-evening"
HELD, PLANNED = "2026-11-21-evening", "2026-11-22-morning"
#: In the fixture, where the SMTP server was.
PORT = "127.0.0.1:2525"
#: States of a delivery about which every version has to say the same.
LASTING = ("pending", "sending", "accepted", "uncertain", "skipped")


class Earlier:
    """A copy of an earlier version's workspace, with a server of now where its SMTP server was."""

    def __init__(self, fixture: Path, root: Path, server: SmtpServer, told: dict[str, Any]) -> None:
        self.fixture, self.root, self.server, self.told = fixture, root, server, told

    def campaign(self, slug: str) -> dict[str, Any]:
        """What that version said of a campaign."""
        return next(campaign for campaign in self.told["campaigns"] if campaign["slug"] == slug)

    def renders_as_then(self) -> bool:
        """Whether an issue renders to the bytes that it had by that version."""
        return "renders to the same bytes" in run(self.root, "campaigns", "verify", FINISHED).out

    def counts(self, slug: str) -> dict[str, int]:
        shown = run(self.root, "campaigns", "show", slug, "--json")
        assert shown.status == 0, shown.err
        return {state: number for state, number in shown.json["counts"].items() if number}

    def change_issue(self, slug: str) -> None:
        """Edits the file of an issue that is frozen already."""
        path = self.root / "issues" / f"{slug}.yaml"
        path.write_text(path.read_text("utf-8").replace("title: ", "title: Changed since, "), "utf-8")

    def readers(self, slug: str, *states: str) -> list[str]:
        """The addresses of everybody whose delivery is in one of these states."""
        with closing(sqlite3.connect(self.root / "subscribers.db")) as connection:
            rows = connection.execute(
                "SELECT s.address, d.state FROM deliveries AS d JOIN subscribers AS s "
                "ON s.id = d.subscriber_id JOIN campaigns AS c ON c.id = d.campaign_id WHERE c.slug = ?",
                [slug],
            ).fetchall()
        return sorted(address or "" for address, state in rows if state in states)

    def numbers(self) -> dict[str, tuple[int, str]]:
        """The number and the stable id, in hex, of everybody by address."""
        with closing(sqlite3.connect(self.root / "subscribers.db")) as connection:
            rows = connection.execute("SELECT address, id, lower(hex(stable_id)) FROM subscribers").fetchall()
        return {address: (number, stable_id) for address, number, stable_id in rows if address}

    def sent(self, slug: str) -> list[str]:
        """Who got a campaign from the server, in order; each message is what was frozen.

        One that renders to other bytes by now has been made anew, as a campaign of its own.
        """
        again = self.root / "campaigns" / f"{slug}-2"
        folder = again if again.is_dir() else self.fixture / "campaigns" / slug
        subject = self.campaign(slug)["subject"]
        got = [message for message in self.server.received if message.message["Subject"] == subject]
        for message in got:
            assert_frozen(message, folder)
        return sorted(message.recipient for message in got)


def rows_of(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def assert_frozen(message: Received, folder: Path) -> None:
    """The message is what the campaign's folder holds, with a value in each slot."""
    frozen = json.loads((folder / "variants" / "0.json").read_text("utf-8"))
    parts = {
        "html": message.message.get_body(("html",)),
        "text": message.message.get_body(("plain",)),
    }
    for name, part in parts.items():
        assert part is not None
        sent = part.get_content().replace("\r\n", "\n")
        pattern = "(.*?)".join(re.escape(fragment) for fragment in frozen[name]["fragments"])
        assert re.fullmatch(pattern + r"\n?", sent), (name, sent)
