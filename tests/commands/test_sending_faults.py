"""What happens to a campaign when something changes, or breaks, between its steps."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.archive.campaign import update_manifest, write_campaign
from mailer.config import load_settings
from mailer.errors import CampaignError
from mailer.services.planning.prepare import PlanRequest, prepare_issue
from mailer.services.sending.send import send_issue
from mailer.services.workspace import make_workspace
from mailer.spool.sqlite.spools import SqliteSpools
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.stop import StopFlag
from tests.cli import run
from tests.commands.test_sending import TEXT, counts, interrupted, outbox
from tests.desk import ISSUE, SLUG
from tests.spooled import Scripted, find_campaign, open_spool, send_over

pytestmark = pytest.mark.desk(
    readers="email,name\n" + "".join(f"reader{i}@example.org,Reader {i}\n" for i in range(4)), text=TEXT
)


def manifest(desk: Path) -> dict[str, object]:
    found = json.loads((desk / "campaigns" / SLUG / "manifest.json").read_text("utf-8"))
    assert isinstance(found, dict)
    return found


def all_uncertain(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        doubtful = Scripted(lambda _: Outcome(OutcomeKind.UNCERTAIN, "", "the line went dead"))
        send_over(patch, doubtful)
        run(desk, "send", ISSUE, "--yes")
    assert counts(desk) == {"uncertain": 4}


def test_a_later_run_sends_the_same_bytes_whatever_was_configured_since(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(desk, monkeypatch, after=1)
    config = desk / "mailer.toml"
    text = config.read_text("utf-8").replace("desk@news.example.org", "other@example.com")
    config.write_text(text.replace("[editions.morning]", "[editions.noon]"), encoding="utf-8")
    ran = run(desk, "campaigns", "resume", SLUG)
    assert ran.status == 0, ran.err
    messages = outbox(desk).values()
    assert len(messages) == 4
    assert {str(message["From"]) for message in messages} == {"Harbour Brief <desk@news.example.org>"}
    assert {str(message["Message-ID"]).partition("@")[2] for message in messages} == {"news.example.org>"}


@pytest.mark.parametrize("status", ["pause", "cancel"])
@pytest.mark.parametrize("words", [("retry",), ("resolve", "--resend")])
def test_a_refused_command_changes_nothing(
    desk: Path, monkeypatch: pytest.MonkeyPatch, status: str, words: tuple[str, ...]
) -> None:
    all_uncertain(desk, monkeypatch)
    database = open_store(desk / "subscribers.db")
    database.conn.execute("UPDATE campaigns SET status = 'stopped'")
    database.conn.execute("UPDATE deliveries SET state = 'rejected' WHERE subscriber_id = 1")
    update_manifest(desk / "campaigns" / SLUG, {"counts": {"uncertain": 3, "rejected": 1}})
    assert run(desk, "campaigns", status, SLUG).status == 0
    ran = run(desk, "campaigns", words[0], SLUG, *words[1:])
    assert ran.status == 2
    assert counts(desk) == {"rejected": 1, "uncertain": 3}


def test_a_cancelled_campaign_says_so_in_its_folder(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(desk, monkeypatch, after=1)
    run(desk, "campaigns", "cancel", SLUG)
    assert manifest(desk)["status"] == "cancelled"
    assert manifest(desk)["finished_at"]
    assert run(desk, "campaigns", "cancel", SLUG).status == 2


def test_who_a_cancelled_campaign_never_reached_may_get_it_by_another(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupted(desk, monkeypatch, after=1)
    run(desk, "campaigns", "cancel", SLUG)
    plan = run(desk, "plan", ISSUE, "--segment", 'domain == "example.org"', "--json").json
    assert plan["slug"] == f"{SLUG}-2"
    assert plan["recipients"] == 3
    assert plan["excluded"] == {"received": 1}


def test_a_resolve_is_told_in_the_folder_too(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    all_uncertain(desk, monkeypatch)
    run(desk, "campaigns", "resolve", SLUG, "--assume-sent", "--json")
    found = manifest(desk)["counts"]
    assert isinstance(found, dict)
    assert found["accepted"] == 4


def test_a_folder_that_appears_in_between_is_left_alone(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailer.services.sending import freeze as module

    real = write_campaign
    folder = desk / "campaigns" / SLUG

    def late(*arguments: object, **named: object) -> None:
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("somebody's evidence")
        real(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "write_campaign", late)
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert (folder / "manifest.json").read_text() == "somebody's evidence"
    assert run(desk, "campaigns", "list", "--json").json == []
    assert not (desk / "outbox").exists()


def test_a_commit_that_fails_takes_the_folder_back(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = SqliteSpools.transaction

    @contextlib.contextmanager
    def full(self: SqliteSpools) -> Iterator[None]:
        with real(self):
            yield
            raise OSError(28, "No space left on device", "subscribers.db")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteSpools, "transaction", full)
        ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "no space left on device" in ran.err
    assert not (desk / "campaigns" / SLUG).exists()
    assert run(desk, "campaigns", "list", "--json").json == []
    assert run(desk, "send", ISSUE, "--yes").status == 0


def test_another_process_was_faster_with_another_audience(desk: Path) -> None:
    settings = load_settings(desk)
    db = open_store(settings.database)
    first = prepare_issue(make_workspace(settings, db), desk / ISSUE, PlanRequest())
    second = prepare_issue(
        make_workspace(settings, db), desk / ISSUE, PlanRequest(segment='domain == "example.org"')
    )
    assert send_issue(
        make_workspace(settings, db), first, stop=StopFlag(), observe=lambda _: None
    ).is_complete
    with pytest.raises(CampaignError, match="made by somebody else just now"):
        send_issue(make_workspace(settings, db), second, stop=StopFlag(), observe=lambda _: None)
    again = send_issue(make_workspace(settings, db), first, stop=StopFlag(), observe=lambda _: None)
    assert again.progress is None
    assert len(outbox(desk)) == 4


def test_a_surprise_leaves_a_campaign_that_says_stopped(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:

        def broken(*_: object, **__: object) -> None:
            raise OSError(5, "Input/output error")

        patch.setattr("mailer.services.sending.run.deliver", broken)
        assert run(desk, "send", ISSUE, "--yes").status == 1
    assert run(desk, "campaigns", "show", SLUG, "--json").json["status"] == "stopped"
    assert manifest(desk)["status"] == "stopped"
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert manifest(desk)["status"] == "sent"


def test_a_paused_campaign_with_nothing_left_is_sent(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mailer.transports.base import OutgoingMessage

    handed = []

    def last(message: OutgoingMessage) -> Outcome:
        handed.append(message.address)
        if len(handed) == 4:
            db = open_store(desk / "subscribers.db")
            open_spool(db, find_campaign(db, SLUG)).set_status("paused")
            db.close()
        return Outcome(OutcomeKind.ACCEPTED)

    transport = Scripted(last, concurrency=1)
    send_over(monkeypatch, transport)
    assert run(desk, "send", ISSUE, "--yes", "--json").json["status"] == "sent"


def test_without_a_terminal_a_long_run_tells_a_line_now_and_then(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.commands.output._LINE_SECONDS", 0.0)
    monkeypatch.setattr("mailer.delivery.loop.POLL_SECONDS", 0.0)
    monkeypatch.setenv("MAILER_PACE_LIMIT", "50/s")
    monkeypatch.setenv("MAILER_DELIVERY_TRANSPORT", "smtp://mx.example.org")
    transport = Scripted()
    send_over(monkeypatch, transport)
    ran = run(desk, "send", ISSUE, "--yes")
    assert "of 4, " in ran.err
    assert "a second, about" in ran.err
    assert ran.status == 0


def test_a_campaign_whose_folder_is_gone_is_not_guessed(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import shutil

    interrupted(desk, monkeypatch, after=1)
    shutil.rmtree(desk / "campaigns" / SLUG)
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "restore" in ran.err
    assert len(outbox(desk)) == 1
    ran = run(desk, "campaigns", "verify", SLUG)
    assert ran.status == 2
    assert "is missing; restore it from a backup" in ran.err
