"""The application as a browser meets it, with a real database below."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlite_utils import Database

from mailer.audience.consent.record import Consent
from mailer.audience.editing import SubscriberEdit, edit_subscriber
from mailer.audience.stable_ids import stable_id_of_subscriber
from mailer.audience.subscribers import Subscriber, add, get
from mailer.audience.values.address import normalize_address
from mailer.config import Settings
from mailer.links.urls import Purpose, TokenCodec
from mailer.store.database import open_store
from mailer.web.app import create_app

BASE = "https://news.example.org"
NOW = "2026-11-21T00:00:00.000000Z"


class Browser:
    """Asks the application, from any thread, and follows nothing."""

    def __init__(self, app: Any, *, raises: bool = True) -> None:
        self._app = app
        self._raises = raises

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app, raise_app_exceptions=self._raises)
            async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
                return await client.request(method, path, **more)

        return asyncio.run(ask())

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)


@dataclass
class Site:
    """The application, its database, and the links of its readers."""

    settings: Settings
    db: Database
    browser: Browser

    def link(self, person: Subscriber | bytes, purpose: str = "u", campaign: int = 0) -> str:
        """The link of a reader, or of a stable id."""
        stable_id = person if isinstance(person, bytes) else stable_id_of_subscriber(self.db, person.id)
        kind = Purpose.UNSUBSCRIBE if purpose == "u" else Purpose.PREFERENCES
        return f"/{purpose}/{TokenCodec(self.settings.signing_keys()).make(kind, stable_id, campaign)}"

    def now(self, person: Subscriber) -> Subscriber:
        found = get(self.db, person.id)
        assert found is not None
        return found

    def events(self) -> list[tuple[Any, ...]]:
        rows = self.db.conn.execute(
            "SELECT kind, subscriber_id, campaign_id, edition, reason, source FROM events ORDER BY id"
        )
        return rows.fetchall()

    def campaign(self, slug: str = "2026-11-21-morning") -> int:
        cursor = self.db.conn.execute(
            "INSERT INTO campaigns (slug, issue, issue_hash, edition, issue_date, plan_hash, plan, subject,"
            " transport, created_at) VALUES (?, 'i', 'h', 'morning', '2026-11-21', 'p', '{}', 's', 't', ?)",
            (slug, NOW),
        )
        return int(cursor.lastrowid or 0)

    def contents(self) -> list[str]:
        """Everything in the database, to see that nothing has changed."""
        return list(self.db.conn.iterdump())


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    db = open_store(settings.database)
    yield Site(settings, db, Browser(create_app(settings)))
    db.conn.close()


@pytest.fixture
def reader(site: Site) -> Subscriber:
    return a_reader(site)


def a_reader(site: Site, address: str = "anna@example.org", language: str = "en") -> Subscriber:
    person, _ = add(
        site.db,
        normalize_address(address),
        consent=Consent(NOW, "import"),
        editions=["morning", "evening"],
    )
    return edit_subscriber(site.db, person.id, SubscriberEdit(language=language))[1]


@pytest.fixture
def locked(site: Site) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Takes the database's write lock from outside."""
    held: list[sqlite3.Connection] = []

    def take() -> sqlite3.Connection:
        connection = sqlite3.connect(site.settings.database, isolation_level=None, check_same_thread=False)
        connection.execute("BEGIN IMMEDIATE")
        held.append(connection)
        return connection

    yield take
    for connection in held:
        connection.close()
