"""Carries out what readers request by their links: show, unsubscribe, choose editions.

Each request has its own connection, in one thread. An action is reported only after its commit. A link must
have a valid signature, or it identifies nobody: see `LinkVisit.standing`.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

from mailer.audience.consent.record import Consent
from mailer.audience.stable_ids import assign_missing_ids, stable_id_at, subscriber_of
from mailer.audience.subscribers import Subscriber, get, set_editions, unsubscribe
from mailer.clock import utc_now
from mailer.config import Settings
from mailer.errors import StoreError
from mailer.links.urls import NOBODY, Purpose, Token, TokenCodec
from mailer.services.readers.bad_links import BadLinkCounter
from mailer.spool.open import spools_of
from mailer.store.database import check_write, explain, open_store, writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["ReaderActions", "LinkState", "LinkVisit"]

_log = logging.getLogger("mailer.web")
#: How long a request waits for a busy database (seconds): shorter than mail programs wait for a reply.
_BUSY_SECONDS = 20.0
#: How long /healthz waits for the database (seconds): a load balancer waits no longer.
_CHECK_SECONDS = 2.0
#: People who complained to their provider cannot come back by a button: another mail would harm both sides.
_NEVER_BACK = ("complained",)
#: The log shows this number of characters of an invalid token.
_SHOWN = 6
_CHANGED = "cannot be read: it was cut or changed on its way"
_OTHER_KEY = (
    "is signed with a key that neither MAILER_SECRET_KEY nor MAILER_SECRET_KEY_OLD held when "
    "this program started"
)


class LinkState(Enum):
    """Lists the states of a link. The values are the names of the pages for them."""

    KNOWN = ""
    ERASED = "erased"
    UNKNOWN = "unknown"
    COPY = "copy"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class LinkVisit:
    """Describes the person whose link was opened. `person` is set only if `standing` is KNOWN.

    `refused` says that their choice is not allowed and was not carried out.
    """

    standing: LinkState
    person: Subscriber | None = None
    stable_id: bytes = NOBODY
    campaign_id: int = 0
    refused: bool = False


class ReaderActions:
    """Reads signed links, and carries out the actions that they authorize. It is used from many threads."""

    def __init__(self, settings: Settings, *, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._settings = settings
        self._busy_seconds = busy_seconds
        self._tokens = TokenCodec(settings.signing_keys())
        self._tally = BadLinkCounter(_log)

    def check(self) -> None:
        """Raises StoreError or sqlite3.Error where the database cannot be read, or takes no write."""
        try:
            with self._open(min(self._busy_seconds, _CHECK_SECONDS)) as db:
                check_write(db)
        except sqlite3.Error as error:
            raise explain(error, self._settings.database) from error

    def link(self, purpose: Purpose, visit: LinkVisit) -> str:
        """Returns a token for the same person and campaign, for another purpose."""
        return self._tokens.make(purpose, visit.stable_id, visit.campaign_id)

    def look(self, text: str, purpose: Purpose) -> LinkVisit:
        """Returns whose link this is. Changes nothing."""
        token = self._read(text, purpose)
        if isinstance(token, LinkVisit):
            return token
        with self._open() as db:
            return self._visit(db, token, text)

    def leave(self, text: str, *, reason: str, source: str) -> LinkVisit:
        """Unsubscribes the person from everything. It is idempotent, but a later call may add the reason."""
        token = self._read(text, Purpose.UNSUBSCRIBE)
        if isinstance(token, LinkVisit):
            return token
        with self._open() as db:
            visit = self._visit(db, token, text)
            if visit.person is None:
                return visit
            campaign, number = _campaign(db, visit), visit.person.id
            with writing(db):  # the answer is read in the same transaction
                unsubscribe(db, number, campaign_id=campaign, reason=reason, source=source)
                return replace(visit, person=get(db, number))

    def explain_leaving(self, text: str, *, reason: str) -> LinkVisit:
        """Adds the reason to an unsubscribe, unless the person has come back since then."""
        token = self._read(text, Purpose.UNSUBSCRIBE)
        if isinstance(token, LinkVisit):
            return token
        with self._open() as db:
            visit = self._visit(db, token, text)
            if visit.person is not None and visit.person.status in ("unsubscribed", "complained"):
                unsubscribe(db, visit.person.id, reason=reason)
            return visit

    def choose(self, text: str, editions: Iterable[str]) -> LinkVisit:
        """Sets the editions; none is an unsubscribe. Returns the person as they are afterwards."""
        token = self._read(text, Purpose.PREFERENCES)
        if isinstance(token, LinkVisit):
            return token
        known = self._settings.editions.keys()
        with self._open() as db:
            visit = self._visit(db, token, text)
            person = visit.person
            if person is None:
                return visit
            chosen = known & set(editions)
            if chosen and _may_not_come_back(person):
                return replace(visit, refused=True)
            if chosen and person.status == "active":
                chosen |= set(person.editions) - known  # the page could not show these
            consent = Consent(utc_now(), "preferences", _origin(visit))
            with writing(db):
                set_editions(db, person.id, chosen, consent=consent, campaign_id=_campaign(db, visit))
                return replace(visit, person=get(db, person.id))

    def _read(self, text: str, purpose: Purpose) -> Token | LinkVisit:
        """Returns the valid token of a link, or the answer that needs no database."""
        token = self._tokens.read(text, purpose)
        if token is None:
            unknown = self._tokens.has_unknown_key(text)
            kind, why = ("unknown key", _OTHER_KEY) if unknown else ("unreadable", _CHANGED)
            self._tally.note(kind, why, _beginning(text))
            return LinkVisit(LinkState.INCOMPLETE)
        return LinkVisit(LinkState.COPY) if token.is_of_test_copy else token

    def _visit(self, db: Database, token: Token, text: str) -> LinkVisit:
        number = subscriber_of(db, token)
        person = None if number is None else get(db, number)
        if person is None:
            database = self._settings.database.name
            why = f"names somebody who is not in {database}; perhaps an old backup was restored"
            self._tally.note("unknown person", why, _beginning(text))
            return LinkVisit(LinkState.UNKNOWN)
        if person.address is None:
            return LinkVisit(LinkState.ERASED)
        return LinkVisit(LinkState.KNOWN, person, stable_id_at(db, person.id), token.campaign_id)

    @contextmanager
    def _open(self, busy_seconds: float | None = None) -> Iterator[Database]:
        path = self._settings.database
        if not path.exists():
            # With a new, empty database every unsubscribe would seem to succeed.
            raise StoreError(f"{path} is missing; restore it from a backup")
        db = open_store(path, busy_seconds=self._busy_seconds if busy_seconds is None else busy_seconds)
        db.conn.text_factory = _as_text
        try:
            assign_missing_ids(
                db, self._settings.signing_keys()[-1]
            )  # another may have been put in its place
            yield db
        finally:
            db.conn.close()


def _as_text(data: bytes) -> str:
    """Decodes text of the database, also invalid bytes, so that no content of a row prevents an
    unsubscribe."""
    return data.decode("utf-8", "replace")


def _beginning(text: str) -> str:
    """Returns the beginning of a link's token for the log, without any part of an address."""
    return "" if "@" in text else text[:_SHOWN]


def _may_not_come_back(person: Subscriber) -> bool:
    return person.status in _NEVER_BACK or person.suppressed_at is not None


def _campaign(db: Database, visit: LinkVisit) -> int | None:
    """Returns the id of the campaign that carried the link; None for one that is not there any more."""
    return visit.campaign_id if visit.campaign_id in spools_of(db).slugs() else None


def _origin(visit: LinkVisit) -> str:
    return f"preferences page, campaign {visit.campaign_id}" if visit.campaign_id else "preferences page"
