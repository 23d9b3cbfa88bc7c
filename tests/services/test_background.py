"""The schedule beside the web server: looks, sends what is due, survives trouble, ends when asked to."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailer.campaign.campaign import Campaign
from mailer.campaign.status import Status
from mailer.config import Settings
from mailer.errors import StoreError
from mailer.services.due import background
from mailer.services.due.background import Scheduler
from mailer.services.due.send_due import DueCampaignResult

SENT = Campaign(
    id=1, slug="x", issue="i", issue_hash="h", edition="morning", issue_date="2026-11-22", segment="",
    plan_hash="p", plan={}, subject="s", transport="t", status=Status.SENT, status_note="", created_at="c",
    started_at="s", finished_at="f", stable_ids=1,
)  # fmt: skip


class Looks:
    """Stands for `send_due_campaigns`: each look does the next of what it is told, then nothing."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)
        self.done = threading.Event()
        self.connections: set[int] = set()

    def __call__(
        self, workspace: Any, *, stop: Any, retry_times: Any, warn: Any
    ) -> Iterator[DueCampaignResult]:
        self.connections.add(id(workspace.db.conn))
        if not self.steps:
            self.done.set()
            return
        step = self.steps.pop(0)
        if isinstance(step, BaseException):
            raise step
        yield step


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "AGAIN_SECONDS", 0.01)


def look(settings: Settings, monkeypatch: pytest.MonkeyPatch, *steps: Any) -> Looks:
    looks = Looks(*steps)
    monkeypatch.setattr(background, "send_due_campaigns", looks)
    scheduler = Scheduler(settings, poll_seconds=0.01)
    scheduler.start()
    try:
        assert looks.done.wait(20)
    finally:
        scheduler.stop(20)
    assert not any(thread.name == "schedule" for thread in threading.enumerate())
    return looks


@pytest.mark.usefixtures("quick")
def test_one_line_for_each_campaign(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look(settings, monkeypatch, DueCampaignResult(SENT), DueCampaignResult(SENT, error="in\ntwo lines"))
    assert caplog.messages == ["x: no reader was left; sent", "x: in two lines"]


@pytest.mark.usefixtures("quick")
def test_trouble_is_told_in_a_line_and_does_not_end_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    locked = sqlite3.OperationalError("database is locked")
    look(settings, monkeypatch, StoreError("no room"), locked, ZeroDivisionError(), DueCampaignResult(SENT))
    first, second, third, last = caplog.records
    assert first.getMessage() == "no room"
    assert "another process is writing to the database" in second.getMessage()
    assert third.levelno == logging.ERROR
    assert third.exc_info is not None
    assert last.getMessage().startswith("x: ")


@pytest.mark.usefixtures("quick")
def test_a_defect_that_ended_one_campaign_is_in_the_log(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look(settings, monkeypatch, DueCampaignResult(SENT, error="a bug", defect=ZeroDivisionError()))
    told, logged = caplog.records
    assert told.getMessage() == "x: a bug"
    assert logged.levelno == logging.ERROR
    assert logged.exc_info is not None


def test_what_never_began_ends_at_once(settings: Settings, workspace: Path) -> None:
    Scheduler(settings).stop(1)
    assert not (workspace / "subscribers.db").exists()


def test_once_asked_to_end_it_begins_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks(DueCampaignResult(SENT))
    monkeypatch.setattr(background, "send_due_campaigns", looks)
    scheduler = Scheduler(settings)
    scheduler.request_stop()
    scheduler.start()
    scheduler.stop(20)
    assert len(looks.steps) == 1
