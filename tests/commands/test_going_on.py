"""What goes on by itself (after a limit, after its first few) is not lost when that is interrupted."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.errors import ConfigError, TransportError
from mailer.services.due.send_due import send_due_campaigns
from mailer.services.sending import run as sending
from mailer.services.workspace import make_workspace
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.stop import StopFlag
from tests.cli import run
from tests.clock import Clock
from tests.desk import ISSUE, MAIL, SLUG, fill
from tests.spooled import Scripted, find_campaign, open_spool

NUMBER = 150

pytestmark = [
    pytest.mark.clock("2026-11-21T04:20"),
    pytest.mark.wire(url=MAIL, concurrency=1),
    pytest.mark.desk(readers=NUMBER),
]


@pytest.fixture
def desk(clock: Clock, wire: Scripted, desk: Path) -> Path:
    """A plain `send` used up its limit: a hundred have it, and the rest follow at 13:00."""
    path = desk / "mailer.toml"
    path.write_text(path.read_text("utf-8") + '\n[pace]\nlimit = "100/h"\n', encoding="utf-8")
    assert run(desk, "send", ISSUE, "--yes").status == 1
    assert len(wire.sent) == 100
    clock.forward(minutes=41)
    return desk


def status(desk: Path) -> str:
    return str(run(desk, "campaigns", "show", SLUG, "--json").json["status"])


def look(desk: Path, stop: StopFlag) -> None:
    """What the service does every few seconds."""
    settings = load_settings(desk)
    db = open_store(settings.database)
    try:
        list(send_due_campaigns(make_workspace(settings, db), stop=stop))
    finally:
        db.close()


def accept(_: OutgoingMessage) -> Outcome:
    return Outcome(OutcomeKind.ACCEPTED, "ok")


def everybody_once(desk: Path, wire: Scripted) -> None:
    assert (len(set(wire.sent)), len(wire.sent), status(desk)) == (NUMBER, NUMBER, "sent")


def test_a_service_that_is_stopped_meanwhile_goes_on_later(desk: Path, wire: Scripted) -> None:
    stop = StopFlag()

    def once(message: OutgoingMessage) -> Outcome:
        stop.set()
        return accept(message)

    wire.decide = once
    look(desk, stop)
    assert 100 < len(wire.sent) < NUMBER
    wire.decide = accept
    ran = run(desk, "run-due")
    assert ran.status == 0, ran.err
    everybody_once(desk, wire)


def test_sending_what_was_interrupted_so_is_told_in_a_sentence(desk: Path, wire: Scripted) -> None:
    stop = StopFlag()

    def once(message: OutgoingMessage) -> Outcome:
        stop.set()
        return accept(message)

    wire.decide = once
    look(desk, stop)
    ran = run(desk, "send", ISSUE, "--yes")
    assert "is tried again (the run was stopped before its end)" in ran.err
    wire.decide = accept
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    everybody_once(desk, wire)


def test_an_outage_when_it_goes_on_is_tried_again_for_an_hour(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    def refuse(_: OutgoingMessage) -> Outcome:
        raise TransportError("the server closed the connection")

    wire.decide = refuse
    assert "the server closed the connection" in run(desk, "run-due").err
    clock.forward(minutes=30)
    assert "the server closed the connection" in run(desk, "run-due").err
    wire.decide = accept
    clock.forward(minutes=25)
    assert run(desk, "run-due").status == 0
    everybody_once(desk, wire)


def test_a_process_that_was_killed_meanwhile_is_followed_by_another(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sending, "deliver", lambda *_, **__: exit(9))
        patch.setattr(
            sending, "conclude_failed_run", lambda *_, **__: None
        )  # a killed process writes nothing down
        assert run(desk, "run-due").status == 9
    shown = run(desk, "campaigns", "show", SLUG, "--json").json
    assert shown["status"] == "scheduled"
    assert shown["note"] == "the process died before the end of the run"
    clock.forward(minutes=1)
    assert run(desk, "run-due").status == 0
    everybody_once(desk, wire)


def release_first_few(workspace: Path, clock: Clock, wire: Scripted) -> None:
    """Ten have it, and the time to watch them is over."""
    fill(workspace, NUMBER)
    ran = run(workspace, "send", ISSUE, "--yes", "--at", "2026-11-21T12:30", "--canary", "5%")
    assert ran.status == 0, ran.err
    clock.forward(minutes=11)
    assert run(workspace, "run-due").status == 0
    assert status(workspace) == "held"
    db = open_store(load_settings(workspace).database)
    held_until = find_campaign(db, SLUG).held_until
    db.close()
    clock.now = dt.datetime.fromisoformat(held_until) + dt.timedelta(minutes=1)


@pytest.mark.parametrize("where", ["read_renditions", "update_manifest", "deliver"])
def test_a_kill_after_the_first_few_were_let_go_loses_nobody(
    workspace: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    release_first_few(workspace, clock, wire)
    with monkeypatch.context() as patch:
        patch.setattr(sending, where, lambda *_, **__: exit(9))
        patch.setattr(sending, "conclude_failed_run", lambda *_, **__: None)
        assert run(workspace, "run-due").status == 9
    clock.forward(minutes=1)
    ran = run(workspace, "run-due")
    assert ran.status == 0, ran.err
    everybody_once(workspace, wire)


def test_trouble_with_the_settings_after_the_hold_is_told_until_it_is_mended(
    workspace: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    release_first_few(workspace, clock, wire)

    def unset(*_: object, **__: object) -> Scripted:
        raise ConfigError("MAILER_SMTP_PASSWORD is not set")

    with monkeypatch.context() as patch:
        patch.setattr(sending, "open_transport", unset)
        for _ in range(2):
            assert "MAILER_SMTP_PASSWORD is not set" in run(workspace, "run-due").err
    assert run(workspace, "run-due").status == 0
    everybody_once(workspace, wire)


def test_the_hold_of_one_who_asked_is_not_the_schedules_business_once_they_send(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(sending, "deliver", lambda *_, **__: exit(9))
        patch.setattr(sending, "conclude_failed_run", lambda *_, **__: None)
        assert run(desk, "send", ISSUE, "--yes").status == 9
    assert run(desk, "run-due").out == ""
    db = open_store(load_settings(desk).database)
    assert open_spool(db, find_campaign(db, SLUG)).status() == "sending"
    db.close()
