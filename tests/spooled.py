"""A database with readers, a frozen campaign, and a transport that does as it is told."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.consent.record import Consent
from mailer.audience.editing import SubscriberEdit, edit_subscriber
from mailer.audience.recipients import RecipientChecker, addresses_of, unreachable_subscriber_ids
from mailer.audience.selection import select_subscribers
from mailer.audience.subscribers import add
from mailer.audience.values.address import normalize_address
from mailer.campaign.campaign import Campaign, NewCampaign
from mailer.config import Settings
from mailer.delivery.options import RunParameters
from mailer.delivery.progress import Progress
from mailer.delivery.record_refusals import RefusalRecorder
from mailer.delivery.run import deliver
from mailer.message.envelope import Envelope
from mailer.message.message import MessageTemplate
from mailer.spool.erased_words import ErasedTextRedaction
from mailer.spool.journal import read_journal
from mailer.spool.open import spools_of
from mailer.spool.recover import settle_claims
from mailer.spool.sqlite.spools import SqliteSpool
from mailer.spool.values import ClaimedDelivery, FindExcluded, PlannedDelivery, RefusedClaim, SettledClaim
from mailer.store.database import writing
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage, Transport
from mailer.transports.registry import event_source_of, is_folder_transport
from tests.message.test_message import SENT, simple

EDITION = "morning"


def add_readers(db: Database, number: int, domain: str = "example.org") -> list[int]:
    consent = Consent(given_at="2026-01-01T00:00:00.000000Z", method="test", origin="")
    ids = []
    with writing(db):
        for i in range(1, number + 1):
            person, _ = add(db, normalize_address(f"reader{i}@{domain}"), consent=consent, editions=[EDITION])
            edit_subscriber(
                db, person.id, SubscriberEdit(name=f"Reader {i}", attributes={"seat": i} if i % 2 else {})
            )
            ids.append(person.id)
    return ids


class DeskSpool(SqliteSpool):
    """A spool together with the audience of its database, as the service uses the two."""

    #: Where it is set, a run claims this person's delivery alone.
    only_person: int | None = None

    def __init__(self, db: Database, campaign: Campaign, *, owner: str = "") -> None:
        into_folder = is_folder_transport(campaign.transport)
        super().__init__(db, campaign, ErasedTextRedaction(db), owner=owner, into_folder=into_folder)
        self.database = db
        self._source = event_source_of(campaign.transport)

    @property
    def source(self) -> str:
        """How refusals are learned of: `smtp`, `sendgrid`, `outbox`."""
        return self._source

    @source.setter
    def source(self, source: str) -> None:
        self._source = source
        self.into_folder = source == "outbox"

    @property
    def recorder(self) -> RefusalRecorder:
        """Records bounces among what is settled."""
        return RefusalRecorder(self.database, spools_of(self.database), self, self._source)

    def claim(
        self, limit: int, find_excluded: FindExcluded | None = None, *, only_person: int | None = None
    ) -> list[ClaimedDelivery] | None:
        """Claims; without `find_excluded`, whoever may not be written to now is skipped."""
        return super().claim(
            limit,
            find_excluded or RecipientChecker(self.database, self.campaign.edition),
            only_person=only_person,
        )

    def settle(self, outcomes: Sequence[tuple[int, int, Outcome, str] | SettledClaim]) -> list[RefusedClaim]:
        """Settles and records bounces, so that nothing is left to record."""
        with self.transaction():
            self.recorder.record_bounces(super().settle([SettledClaim(*outcome) for outcome in outcomes]))
        return []

    def retry_all(self, *, only_person: int | None = None) -> tuple[int, int]:
        """Tries again whoever can be reached. Gives how many, and how many stay rejected."""
        again = self.retry_refused_deliveries(
            partial(unreachable_subscriber_ids, self.database), only_person=only_person
        )
        return again, self.delivery_counts_by_state()["rejected"]

    def recover(self, journal: Path) -> dict[str, int]:
        """Settles what a dead run left by its journal."""
        read, addresses = partial(read_journal, journal), partial(addresses_of, self.database)
        return settle_claims(self, read, addresses, lambda _: None)

    def set_status(self, status: str) -> None:
        """Sets a status, whatever the campaign's was."""
        self.database.conn.execute("UPDATE campaigns SET status = ? WHERE id = ?", [status, self.campaign.id])

    def each(self) -> list[tuple[int, str, int, str, str]]:
        """(subscriber id, state, attempts, provider id, reason) of every delivery, by subscriber."""
        return [
            (one.person, one.state.value, one.attempts, one.provider_id, one.reason)
            for one in self.list_deliveries()
        ]


def open_spool(db: Database, campaign: Campaign) -> DeskSpool:
    """The deliveries of a campaign."""
    return DeskSpool(db, campaign)


def find_campaign(db: Database, slug: str) -> Campaign:
    """The campaign of that name."""
    return spools_of(db).find(slug)


def campaigns(db: Database) -> list[Campaign]:
    """All campaigns, newest first."""
    return spools_of(db).campaigns()


def people_of(db: Database, edition: str = EDITION) -> list[int]:
    """Everybody who may get an edition now."""
    return [
        person
        for rows in select_subscribers(db, edition, None, ())
        for person, _, reason, _, _ in rows
        if reason is None
    ]


def freeze(
    db: Database,
    slug: str = "2026-11-21-morning",
    *,
    people: Sequence[int] | None = None,
    transport: str = "outbox:outbox",
    **other: Any,
) -> DeskSpool:
    """A campaign with a pending delivery for these people, or for everybody who may get the edition."""
    campaign = NewCampaign(
        **{
            "slug": slug,
            "issue": "issues/x.yaml",
            "issue_hash": "hash",
            "edition": EDITION,
            "issue_date": "2026-11-21",
            "segment": "",
            "plan_hash": "plan",
            "plan": {"recipients": 1},
            "subject": "Subject",
            "transport": transport,
            **other,
        }
    )
    spools_of(db).freeze(
        campaign, [PlannedDelivery(person, 0) for person in (people_of(db) if people is None else people)]
    )
    return open_spool(db, find_campaign(db, slug))


def templates(settings: Settings, spool: DeskSpool) -> dict[int, MessageTemplate]:
    envelope = Envelope(
        settings, campaign_id=spool.campaign.id, slug=spool.campaign.slug, edition=EDITION, sent_at=SENT
    )
    return {0: MessageTemplate(simple(), envelope)}


def send_over(monkeypatch: pytest.MonkeyPatch, transport: Scripted) -> None:
    """Each `send` hands its messages to this transport, whatever URL it is told."""
    monkeypatch.setattr("mailer.services.sending.run.open_transport", lambda *_, **__: transport)


class Scripted:
    """A transport whose outcome for each message a function decides. It notes what was handed over."""

    def __init__(
        self,
        decide: Callable[[OutgoingMessage], Outcome] = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok"),
        *,
        batch: int = 1,
        concurrency: int = 4,
    ) -> None:
        self.batch_size = batch
        self.concurrency = concurrency
        self.decide = decide
        self.sent: list[str] = []
        self.closed = 0
        self.lock = threading.Lock()

    def channel(self) -> Scripted:
        return self

    def send(self, batch: Sequence[OutgoingMessage]) -> list[Outcome]:
        assert len(batch) <= self.batch_size
        outcomes = [self.decide(message) for message in batch]
        with self.lock:
            self.sent += [message.address for message in batch]
        return outcomes

    def close(self) -> None:
        with self.lock:
            self.closed += 1


def run_spool(
    spool: DeskSpool, templates: Mapping[int, MessageTemplate], transport: Transport, **options: Any
) -> Progress:
    """Delivers a campaign as the service does."""
    return deliver(
        RunParameters(
            db=spool.database,
            spools=spools_of(spool.database),
            spool=spool,
            templates=templates,
            transport=transport,
            source=spool.source,
            only_person=spool.only_person,
            **options,
        )
    )
