"""A database with readers, a frozen campaign, and a transport that does as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from sqlite_utils import Database

from mailer.audience.consent.record import Consent
from mailer.audience.subscribers import Details, add
from mailer.audience.values.address import normalize_address
from mailer.config import Settings
from mailer.message.envelope import Envelope
from mailer.message.message import Template
from mailer.services.planning.plan import Selection
from mailer.spool.sqlite.deliveries import Spool
from mailer.store.database import writing
from mailer.transports.base import Outcome, Outgoing, Result
from tests.message.test_message import SENT, simple

EDITION = "morning"


def add_readers(db: Database, number: int, domain: str = "example.org") -> list[int]:
    consent = Consent(given_at="2026-01-01T00:00:00.000000Z", method="test", origin="")
    with writing(db):
        return [
            add(
                db,
                normalize_address(f"reader{i}@{domain}"),
                consent=consent,
                editions=[EDITION],
                details=Details(name=f"Reader {i}", attributes={"seat": i} if i % 2 else None),
            )[0].id
            for i in range(1, number + 1)
        ]


def freeze(db: Database, slug: str = "2026-11-21-morning") -> Spool:
    sql, parameters = Selection(EDITION, None, ()).recipients_sql()
    with writing(db):
        return Spool.freeze(
            db,
            slug=slug,
            issue="issues/x.yaml",
            issue_hash="hash",
            edition=EDITION,
            issue_date="2026-11-21",
            segment="",
            plan_hash="plan",
            plan={"recipients": 1},
            subject="Subject",
            transport="outbox:outbox",
            audience_sql=sql,
            audience_parameters=parameters,
        )


def templates(settings: Settings, spool: Spool) -> dict[int, Template]:
    envelope = Envelope(
        settings, campaign_id=spool.campaign.id, slug=spool.campaign.slug, edition=EDITION, sent_at=SENT
    )
    return {0: Template(simple(), envelope)}


class Scripted:
    """A transport whose outcome for each message a function decides. It notes what was handed over."""

    def __init__(
        self,
        decide: Callable[[Outgoing], Outcome] = lambda _: Outcome(Result.ACCEPTED, "ok"),
        *,
        batch: int = 1,
        concurrency: int = 4,
    ) -> None:
        self.batch = batch
        self.concurrency = concurrency
        self.decide = decide
        self.sent: list[str] = []
        self.closed = 0
        self.lock = threading.Lock()

    def channel(self) -> Scripted:
        return self

    def send(self, batch: Sequence[Outgoing]) -> list[Outcome]:
        assert len(batch) <= self.batch
        outcomes = [self.decide(message) for message in batch]
        with self.lock:
            self.sent += [message.address for message in batch]
        return outcomes

    def close(self) -> None:
        with self.lock:
            self.closed += 1
