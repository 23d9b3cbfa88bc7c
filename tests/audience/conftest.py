"""A database of its own for each test, and short ways to fill it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.consent.record import Consent
from mailer.audience.editing import SubscriberEdit, edit_subscriber
from mailer.audience.exchange.columns.options import ImportOptions
from mailer.audience.exchange.importer import Progress, import_csv
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.exchange.report import ImportReport
from mailer.audience.people import Subscriber
from mailer.audience.subscribers import add
from mailer.audience.values.address import normalize_address
from mailer.config import Settings

CONSENT = Consent("2026-01-01T00:00:00.000000Z", "web", "sign-up page")


@pytest.fixture
def person(db: Database) -> Callable[..., Subscriber]:
    """Adds somebody: `person("li@example.org", "morning", language="zh", status="bounced")`."""

    def make(
        address: str,
        *editions: str,
        status: str = "active",
        attributes: Mapping[str, Any] | None = None,
        **details: Any,
    ) -> Subscriber:
        added, _ = add(db, normalize_address(address), consent=CONSENT, editions=editions)
        values = (json.dumps(attributes or {}), status, added.id)  # an edit keeps no empty attribute
        db.conn.execute("UPDATE subscribers SET attributes = ?, status = ? WHERE id = ?", values)
        return edit_subscriber(db, added.id, SubscriberEdit(**details))[1]

    return make


@pytest.fixture
def load(db: Database, settings: Settings, workspace: Path) -> Callable[..., ImportReport]:
    """Imports text or bytes as list.csv."""

    def run(
        content: str | bytes,
        *,
        refused: Path | None = None,
        options: ImportOptions | None = None,
        on_progress: Progress | None = None,
        **more: Any,
    ) -> ImportReport:
        path = workspace / "list.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        said = replace(options or ImportOptions(), **more)
        source = ListFile.at(path, settings, refused)
        return import_csv(db, settings, source, said, on_progress=on_progress)

    return run


def counts(report: ImportReport) -> dict[str, int]:
    """What became of the rows, without what did not happen."""
    return {outcome: rows.count for outcome, rows in report.rows.items() if rows.count}
