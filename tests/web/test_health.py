"""/healthz says whether an unsubscribe could be recorded now, and cannot be used to load the database."""

from __future__ import annotations

import resource
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.subscribers import Subscriber
from mailer.errors import StoreError
from mailer.services.readers import reader_actions as web_desk
from mailer.services.readers.reader_actions import ReaderActions
from mailer.store.database import open_store
from mailer.web import app as web_app
from mailer.web.health import HealthCheck
from tests.web.conftest import Browser, Site


class Ticks:
    """A monotonic clock that a test sets forward."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def browser(site: Site, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """The application, which waits a twentieth of a second for a busy database."""
    monkeypatch.setattr(web_app, "ReaderActions", lambda settings: ReaderActions(settings, busy_seconds=0.05))
    return Browser(web_app.create_app(site.settings))


def test_a_sound_database_is_healthy_and_is_not_changed_by_it(site: Site, browser: Browser) -> None:
    before = site.contents()
    answer = browser.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")
    assert browser.request("HEAD", "/healthz").status_code == 200
    assert site.contents() == before


def test_a_locked_database_is_unhealthy_until_it_is_free(
    site: Site,
    browser: Browser,
    reader: Subscriber,
    locked: Callable[[], sqlite3.Connection],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("mailer.web.health.FRESH_SECONDS", 0.0)
    holder = locked()
    assert browser.post(site.link(reader)).status_code == 503
    answer = browser.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "unavailable\n")
    assert answer.headers["retry-after"]
    assert "another process is writing to the database" in caplog.text
    holder.execute("ROLLBACK")
    assert browser.get("/healthz").status_code == 200
    assert browser.post(site.link(reader)).status_code == 200


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file of this process grows beyond one page: EFBIG, which SQLite treats as ENOSPC."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_is_unhealthy(
    site: Site, browser: Browser, reader: Subscriber, full_disk: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert browser.post(site.link(reader)).status_code == 503
    assert browser.get("/healthz").status_code == 503
    assert "the disk is full or failing" in caplog.text


def test_a_read_only_database_is_unhealthy(
    site: Site, reader: Subscriber, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(path: Path, *, busy_seconds: float) -> Database:
        uri = f"file:{path}?mode=ro"
        connection = sqlite3.connect(uri, uri=True, timeout=busy_seconds, isolation_level=None)
        return Database(connection)

    monkeypatch.setattr(web_desk, "open_store", read_only)
    assert browser.get(site.link(reader)).status_code == 200
    assert browser.post(site.link(reader)).status_code == 503
    assert browser.get("/healthz").status_code == 503


def test_the_database_is_asked_once_a_second_at_most(
    site: Site, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def counted(*arguments: Any, **named: Any) -> Database:
        asked.append(arguments)
        return open_store(*arguments, **named)

    monkeypatch.setattr(web_desk, "open_store", counted)
    ticks = Ticks()
    monkeypatch.setattr("mailer.web.health._clock", ticks)
    for _ in range(20):
        assert browser.get("/healthz").status_code == 200
    assert len(asked) == 1
    ticks.now += 0.9
    browser.get("/healthz")
    assert len(asked) == 1
    ticks.now += 0.2
    browser.get("/healthz")
    assert len(asked) == 2


def test_a_damaged_database_is_unhealthy(site: Site) -> None:
    site.db.conn.close()
    for path in site.settings.root.glob("subscribers.db*"):
        path.write_bytes(b"this is no database at all" * 100)
    answer = site.browser.get("/healthz")
    assert answer.status_code == 503
    assert "Traceback" not in answer.text


class Slow:
    """A check that lasts until it is let go, and then fails or not."""

    def __init__(self) -> None:
        self.begun, self.free = threading.Event(), threading.Event()
        self.fails = False
        self.calls = 0

    def __call__(self) -> None:
        self.calls += 1
        self.begun.set()
        assert self.free.wait(20)
        if self.fails:
            raise StoreError("subscribers.db: it is locked")


def test_while_the_database_is_asked_the_others_get_the_last_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks, slow = Ticks(), Slow()
    monkeypatch.setattr("mailer.web.health._clock", ticks)
    health = HealthCheck(slow)
    slow.free.set()
    assert health.can_record_writes()
    slow.free.clear()
    slow.begun.clear()
    slow.fails = True
    ticks.now += 2
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(health.can_record_writes)
        assert slow.begun.wait(20)
        assert health.can_record_writes()  # not older than a few seconds, and it did not wait
        slow.free.set()
        assert not asking.result(20)
    assert not health.can_record_writes()
    assert slow.calls == 2


def test_an_answer_of_long_ago_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    ticks, slow = Ticks(), Slow()
    monkeypatch.setattr("mailer.web.health._clock", ticks)
    health = HealthCheck(slow)
    slow.free.set()
    assert health.can_record_writes()
    slow.free.clear()
    slow.begun.clear()
    slow.fails = True
    ticks.now += 3600
    with ThreadPoolExecutor(2) as pool:
        both = [pool.submit(health.can_record_writes)]
        assert slow.begun.wait(20)
        both.append(pool.submit(health.can_record_writes))
        slow.free.set()
        assert [answer.result(20) for answer in both] == [False, False]
    assert slow.calls == 2
