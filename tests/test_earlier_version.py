"""A workspace that an earlier version left: it opens, and its campaigns go on with their frozen bytes.

tests/fixtures/version-*/ hold such workspaces; tests/fixtures/README.md tells how they are made.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mailer import __version__
from mailer.config import load_settings
from mailer.store import open_store
from mailer.tables import migrations
from mailer.web.app import create_app
from tests.cli import run
from tests.clock import Clock
from tests.servers.smtp import Received, SmtpServer
from tests.web.conftest import Browser

VERSIONS = sorted(Path(__file__).parent.glob("fixtures/version-*"))
TROUBLED, FINISHED = "2026-11-18-evening", "2026-11-19-morning"
PAUSED, SCHEDULED = "2026-11-20-morning", "2026-11-21-morning"
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


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name)
def earlier(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Earlier]:
    """The workspace as that version left it, at a time soon after."""
    root = tmp_path / "earlier"
    shutil.copytree(request.param, root)
    told = json.loads((root / "told.json").read_text("utf-8"))
    monkeypatch.setenv("MAILER_SECRET_KEY", told["secret_key"])
    Clock(monkeypatch, "2026-11-20T19:00")
    with SmtpServer() as server:
        for name in ("mailer.toml", "subscribers.sql"):
            text = (root / name).read_text("utf-8").replace(PORT, f"127.0.0.1:{server.port}")
            (root / name).write_text(text, "utf-8")
        with closing(sqlite3.connect(root / "subscribers.db")) as connection:
            connection.executescript((root / "subscribers.sql").read_text("utf-8"))
        yield Earlier(request.param, root, server, told)


def test_there_is_a_workspace_of_each_version_before_this_one() -> None:
    changelog = (Path(__file__).parent.parent / "CHANGELOG.md").read_text("utf-8")
    released = set(re.findall(r"^## (\d+\.\d+\.\d+) \(", changelog, re.M)) - {__version__}
    assert {path.name for path in VERSIONS} == {f"version-{version}" for version in released}


def test_the_database_is_migrated(earlier: Earlier) -> None:
    db = open_store(earlier.root / "subscribers.db")
    with closing(db.conn):
        assert not migrations.pending(db)
        assert db.conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert db.conn.execute("PRAGMA foreign_key_check").fetchall() == []


def test_the_same_people_are_listed_in_the_same_states(earlier: Earlier) -> None:
    now = run(earlier.root, "subscribers", "list", "--json").json
    known = earlier.told["subscribers"]
    assert [{key: person[key] for key in before} for person, before in zip(now, known, strict=True)] == known
    assert {person["status"] for person in now} == {"active", "unsubscribed", "bounced"}


def test_the_export_has_the_same_rows(earlier: Earlier) -> None:
    assert run(earlier.root, "subscribers", "export", "-o", "now.csv").status == 0
    now, known = rows_of(earlier.root / "now.csv"), rows_of(earlier.root / "exported.csv")
    assert [{key: row[key] for key in before} for row, before in zip(now, known, strict=True)] == known


def test_a_suppressed_address_stays_suppressed(earlier: Earlier) -> None:
    shown = run(earlier.root, "subscribers", "show", "suppressed@one.example", "--json").json
    assert shown["suppressed"]["reason"] == "by letter"
    ran = run(earlier.root, "subscribers", "add", "erased@one.example")
    assert ran.status == 2
    assert "suppression list" in ran.err


def test_the_same_campaigns_are_listed_in_the_same_states(earlier: Earlier) -> None:
    now = run(earlier.root, "campaigns", "list", "--json").json
    for campaign, before in zip(now, earlier.told["campaigns"], strict=True):
        for key in ("slug", "status", "issue", "edition", "subject", "due_at", "started_at", "finished_at"):
            assert campaign[key] == before[key], key
        assert {state: campaign["counts"][state] for state in LASTING} == {
            state: before["counts"][state] for state in LASTING
        }
        assert sum(campaign["counts"].values()) == sum(before["counts"].values())


@pytest.mark.parametrize("slug", [TROUBLED, FINISHED, PAUSED, SCHEDULED])
def test_a_campaign_still_verifies(earlier: Earlier, slug: str) -> None:
    ran = run(earlier.root, "campaigns", "verify", slug)
    assert ran.status == 0, ran.out
    assert f"campaigns/{slug} holds what was sent" in ran.out


def test_verify_names_the_version_where_an_issue_renders_differently(earlier: Earlier) -> None:
    page = "templates/web/issue.html"
    theme = (Path(__file__).parent.parent / page).read_text("utf-8")
    (earlier.root / page).parent.mkdir(parents=True)
    (earlier.root / page).write_text(theme.replace("</body>", "<p>Another theme</p></body>"), "utf-8")
    ran = run(earlier.root, "campaigns", "verify", FINISHED)
    assert ran.status == 0, ran.out
    assert f"it was rendered by mailer {earlier.told['version']}, and this is {__version__}" in ran.out


def test_verify_finds_one_changed_byte_in_any_file(earlier: Earlier) -> None:
    folder = earlier.root / "campaigns" / FINISHED
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "manifest.json"]
    assert len(files) >= 5
    for path in files:
        before = path.read_bytes()
        middle = len(before) // 2
        path.write_bytes(before[:middle] + bytes([before[middle] ^ 1]) + before[middle + 1 :])
        ran = run(earlier.root, "campaigns", "verify", FINISHED)
        assert ran.status == 1, path
        assert path.relative_to(folder).as_posix() in ran.out
        path.write_bytes(before)


def test_a_finished_campaign_is_sent_to_nobody_again(earlier: Earlier) -> None:
    ran = run(earlier.root, "send", f"issues/{FINISHED}.yaml", "--yes")
    assert ran.status == 0, ran.err
    assert earlier.server.received == []
    assert earlier.counts(FINISHED) == {"accepted": earlier.campaign(FINISHED)["counts"]["accepted"]}


def test_a_paused_campaign_goes_on_with_its_frozen_bytes_and_reaches_everybody_once(earlier: Earlier) -> None:
    before = earlier.readers(PAUSED, "accepted")
    left = earlier.readers(PAUSED, "pending")
    assert before == earlier.told["got"]
    assert left
    earlier.change_issue(PAUSED)
    ran = run(earlier.root, "campaigns", "resume", PAUSED)
    assert ran.status == 0, (ran.out, ran.err)
    assert sorted(earlier.server.recipients) == left
    for message in earlier.server.received:
        assert_frozen(message, earlier.fixture / "campaigns" / PAUSED)
    assert earlier.counts(PAUSED) == {"accepted": len(before) + len(left)}
    assert run(earlier.root, "campaigns", "verify", PAUSED).status == 0


def test_a_scheduled_campaign_is_sent_at_its_time_with_its_frozen_bytes(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = earlier.readers(SCHEDULED, "pending")
    earlier.change_issue(SCHEDULED)
    clock = Clock(monkeypatch, "2026-11-21T06:59:59")  # a second before 08:00 in Berlin
    assert run(earlier.root, "run-due").status == 0
    assert earlier.server.received == []
    clock.set("2026-11-21T07:00")
    ran = run(earlier.root, "run-due")
    assert ran.status == 0, ran.err
    assert sorted(earlier.server.recipients) == planned
    for message in earlier.server.received:
        assert_frozen(message, earlier.fixture / "campaigns" / SCHEDULED)
    assert run(earlier.root, "campaigns", "verify", SCHEDULED).status == 0


def test_deferred_readers_are_neither_lost_nor_sent_to_twice(earlier: Earlier) -> None:
    everybody = sum(earlier.campaign(TROUBLED)["counts"].values())
    settled = earlier.readers(TROUBLED, "accepted", "uncertain")
    deferred = {"slow1@four.example", "slow2@four.example", "slow3@four.example", "slow4@four.example"}
    run(earlier.root, "campaigns", "resume", TROUBLED)
    run(earlier.root, "campaigns", "retry", TROUBLED)
    assert max(Counter(earlier.server.recipients).values()) == 1
    assert not set(earlier.server.recipients) & set(settled)
    assert deferred <= set(earlier.server.recipients)
    assert sum(earlier.counts(TROUBLED).values()) == everybody


def test_an_unsubscribe_link_of_then_still_works(earlier: Earlier) -> None:
    sent = earlier.told["unsubscribe"]
    browser = Browser(create_app(load_settings(earlier.root)))
    path = sent["link"].removeprefix("https://heron.example")
    assert browser.get(path).status_code == 200
    assert run(earlier.root, "subscribers", "show", sent["address"], "--json").json["status"] == "active"
    assert browser.post(path, data={"List-Unsubscribe": "One-Click"}).status_code == 200
    shown = run(earlier.root, "subscribers", "show", sent["address"], "--json").json
    assert shown["status"] == "unsubscribed"


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
