"""A workspace that an earlier version left: it opens, and its campaigns go on with their frozen bytes.

tests/fixtures/version-*/ hold such workspaces; tests/fixtures/README.md tells how they are made.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from mailer import __version__
from mailer.config import load_settings
from mailer.store.database import open_store
from mailer.store.tables import migrations
from mailer.web.app import create_app
from tests.cli import run
from tests.clock import Clock
from tests.earlier import (
    FINISHED,
    HELD,
    LASTING,
    PAUSED,
    PLANNED,
    PORT,
    SCHEDULED,
    STOPPED,
    TRIED_OUT,
    TROUBLED,
    VERSIONS,
    Earlier,
    assert_frozen,
    rows_of,
)
from tests.servers.smtp import SmtpServer
from tests.web.conftest import Browser

#: Workspaces that hold what 0.2.0 brought.
SINCE_0_2_0 = pytest.mark.parametrize(
    "earlier",
    [path for path in VERSIONS if path.name != "version-0.1.0"],
    ids=lambda path: path.name,
    indirect=True,
)


@pytest.fixture(params=VERSIONS, ids=lambda path: path.name)
def earlier(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Earlier]:
    """The workspace as that version left it, at a time soon after."""
    root = tmp_path / "earlier"
    shutil.copytree(request.param, root)
    told = json.loads((root / "told.json").read_text("utf-8"))
    monkeypatch.setenv("MAILER_SECRET_KEY", told["secret_key"])
    Clock("2026-11-20T19:00")
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


def test_names_by_language_change_nothing_of_an_earlier_campaign(earlier: Earlier) -> None:
    config = earlier.root / "mailer.toml"
    text = re.sub(r'^name = (".*")$', r'name = {zh = "新名", de = \1}', config.read_text("utf-8"), flags=re.M)
    config.write_text(text, "utf-8")
    assert load_settings(earlier.root).publication.name.forms[0] == ("zh", "新名")
    for slug in (FINISHED, PAUSED):
        assert run(earlier.root, "campaigns", "verify", slug).status == 0
    ran = run(earlier.root, "campaigns", "resume", PAUSED)
    assert ran.status == 0, (ran.out, ran.err)
    assert earlier.server.received
    for message in earlier.server.received:
        assert_frozen(message, earlier.fixture / "campaigns" / PAUSED)
        assert message.message["List-Id"].startswith('"Heron Morning" <')


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
    run(earlier.root, "run-due")  # what is deferred goes on
    earlier.server.received.clear()
    clock = Clock("2026-11-21T06:59:59")  # a second before 08:00 in Berlin
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


@pytest.mark.parametrize("way", ["{}.", "{}%3E", "{}3D", "%3D3D{}", "lower", "cut"])
def test_an_unsubscribe_link_of_then_holds_though_it_was_changed_on_its_way(
    earlier: Earlier, way: str
) -> None:
    sent = earlier.told["unsubscribe"]
    browser = Browser(create_app(load_settings(earlier.root)))
    token = sent["link"].rpartition("/")[2]
    changed = {"lower": token.lower(), "cut": token[:-1]}.get(way, way.format(token))
    assert browser.post(f"/u/{changed}", data={"List-Unsubscribe": "One-Click"}).status_code == 200
    shown = run(earlier.root, "subscribers", "show", sent["address"], "--json").json
    assert shown["status"] == "unsubscribed"


def test_a_campaign_of_then_goes_on_under_its_message_ids(earlier: Earlier) -> None:
    """The Message-ID tells a mail program that a copy is one; links are those of now, and work.

    Versions up to 0.3.0 wrote the number of a reader into it, later ones a stable id.
    """
    by_number = earlier.fixture.name in ("version-0.1.0", "version-0.2.0", "version-0.3.0")
    assert run(earlier.root, "campaigns", "resume", PAUSED).status == 0
    paused = list(earlier.server.received)
    earlier.server.received.clear()
    (earlier.root / "issues/new.yaml").write_text(
        "edition: morning\ndate: 2026-12-01\nitems:\n  - title: One more\n", "utf-8"
    )
    ran = run(earlier.root, "send", "issues/new.yaml", "--yes")
    assert ran.status == 0, ran.err
    numbers = earlier.numbers()
    for message in earlier.server.received:
        _, stable_id = numbers[message.recipient]
        assert str(message.message["Message-ID"]).startswith(f"<2026-12-01-morning.{stable_id}@")
    browser = Browser(create_app(load_settings(earlier.root)))
    assert paused
    assert earlier.server.received
    for message in paused:
        number, stable_id = numbers[message.recipient]
        known_as = number if by_number else stable_id
        assert str(message.message["Message-ID"]).startswith(f"<{PAUSED}.{known_as}@")
        link = str(message.message["List-Unsubscribe"]).strip("<>")
        assert browser.post(link.removeprefix("https://heron.example")).status_code == 200
        shown = run(earlier.root, "subscribers", "show", message.recipient, "--json").json
        assert shown["status"] == "unsubscribed"


@SINCE_0_2_0
def test_the_same_deliveries_are_listed_in_the_same_states_with_the_same_times(earlier: Earlier) -> None:
    for slug, known in earlier.told["deliveries"].items():
        now = run(earlier.root, "campaigns", "deliveries", slug, "--json").json
        assert [{key: one[key] for key in before} for one, before in zip(now, known, strict=True)] == known
    for slug in (TRIED_OUT, STOPPED, HELD):
        assert run(earlier.root, "campaigns", "verify", slug).status == 0


@SINCE_0_2_0
def test_a_kept_plan_is_sent_to_those_planned(earlier: Earlier) -> None:
    plan = earlier.told["plan"]
    ran = run(earlier.root, "send", f"issues/{PLANNED}.yaml", "--plan", plan["hash"])
    if earlier.renders_as_then():
        assert ran.status == 0, ran.err
        assert len(set(earlier.server.recipients)) == len(earlier.server.recipients) == plan["recipients"]
    else:
        assert ran.status == 2  # nothing was changed
        assert "the issue or the theme" in ran.err
        assert earlier.server.received == []


@SINCE_0_2_0
def test_a_stopped_campaign_goes_on_by_itself_with_who_was_deferred(earlier: Earlier) -> None:
    waiting = earlier.readers(STOPPED, "deferred")
    assert len(waiting) == 4
    before = earlier.readers(STOPPED, "accepted")
    earlier.change_issue(STOPPED)
    ran = run(earlier.root, "run-due")
    assert f"{STOPPED}: 4 accepted; sent" in ran.out, (ran.out, ran.err)
    assert sorted(earlier.server.recipients) == earlier.sent(STOPPED) == waiting
    assert earlier.readers(STOPPED, "accepted") == sorted(before + waiting)


@SINCE_0_2_0
def test_mail_is_given_up_a_day_after_it_was_first_deferred(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = earlier.readers(STOPPED, "deferred")
    assert len(refused) == 4
    earlier.server.fail("RCPT", "reply", "450 4.2.0 Try again later", times=4)
    clock = Clock("2026-11-21T18:30")  # ten minutes before
    assert run(earlier.root, "run-due").status == 1
    assert earlier.readers(STOPPED, "deferred") == refused
    earlier.server.fail("RCPT", "reply", "450 4.2.0 Try again later", times=4)
    clock.set("2026-11-21T18:41")
    assert run(earlier.root, "run-due").status == 1
    assert earlier.readers(STOPPED, "deferred") == []
    assert set(refused) <= set(earlier.readers(STOPPED, "rejected"))
    assert earlier.server.received == []


@SINCE_0_2_0
def test_a_held_campaign_goes_on_at_its_time_to_the_others(
    earlier: Earlier, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, others = earlier.readers(HELD, "accepted"), earlier.readers(HELD, "pending")
    assert first
    assert others
    earlier.change_issue(HELD)
    clock = Clock("2026-11-21T07:30")
    run(earlier.root, "run-due")
    assert earlier.sent(HELD) == []
    clock.set("2026-11-21T07:32")
    run(earlier.root, "run-due")
    assert earlier.sent(HELD) == others
    assert earlier.counts(HELD) == {"accepted": len(first) + len(others)}


@SINCE_0_2_0
def test_what_was_tried_out_in_a_folder_reached_nobody(earlier: Earlier) -> None:
    everybody = earlier.readers(TRIED_OUT, "accepted")
    shown = run(earlier.root, "campaigns", "show", TRIED_OUT, "--json").json
    assert shown["in_folder"] == len(everybody) > 0
    ran = run(earlier.root, "send", f"issues/{TRIED_OUT}.yaml", "--yes")
    assert ran.status == 0, ran.err
    assert sorted(earlier.server.recipients) == earlier.sent(TRIED_OUT) == everybody
    assert run(earlier.root, "campaigns", "verify", TRIED_OUT).status == 0


@SINCE_0_2_0
def test_the_place_of_the_last_run_is_told_once(earlier: Earlier) -> None:
    first = run(earlier.root, "campaigns", "resume", PAUSED)
    assert "this database was last used at /srv/heron/subscribers.db on another machine" in first.err
    assert "last used" not in run(earlier.root, "run-due").err
