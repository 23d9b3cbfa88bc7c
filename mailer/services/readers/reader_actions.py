"""Carries out what readers request by their links: show a page, unsubscribe, choose editions.

Each action opens its own database connection. An action is reported as done only after its commit. A link
identifies a reader only if its signature is valid: see `LinkVisit.state`.
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
from mailer.audience.stable_ids import assign_missing_ids, stable_id_of_subscriber, subscriber_id_of_token
from mailer.audience.subscribers import Subscriber, get, set_editions, unsubscribe
from mailer.clock import utc_now
from mailer.config import Settings
from mailer.errors import StoreError
from mailer.links.urls import NOBODY, Purpose, Token, TokenCodec
from mailer.services.readers.bad_links import BadLinkCounter
from mailer.spool.open import spools_of
from mailer.store.database import check_writable, open_store, to_store_error, writing

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
    """Lists the possible results of reading a link: COPY means that the link is from a test copy, and
    INCOMPLETE that the link cannot be read. Each value is the name of the web page for that result."""

    KNOWN = ""
    ERASED = "erased"
    UNKNOWN = "unknown"
    COPY = "copy"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class LinkVisit:
    """Holds what is known about a link that was opened. `person` is set only if `state` is KNOWN.

    `stable_id` is the stable id of the person, and `campaign_id` the id of the campaign whose message
    contained the link. `refused` is true if the requested choice is not allowed and was not carried out.
    """

    state: LinkState
    person: Subscriber | None = None
    stable_id: bytes = NOBODY
    campaign_id: int = 0
    refused: bool = False


class ReaderActions:
    """Reads signed links, and carries out the actions that the links authorize. One object may be used from
    many threads."""

    def __init__(self, settings: Settings, *, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._settings = settings
        self._busy_seconds = busy_seconds
        self._tokens = TokenCodec(settings.signing_keys())
        self._bad_links = BadLinkCounter(_log)

    def check_database(self) -> None:
        """Raises StoreError or sqlite3.Error if the database cannot be read or written."""
        try:
            with self._open_database(min(self._busy_seconds, _CHECK_SECONDS)) as db:
                check_writable(db)
        except sqlite3.Error as error:
            raise to_store_error(error, self._settings.database) from error

    def make_token(self, purpose: Purpose, visit: LinkVisit) -> str:
        """Returns the token of a link for another purpose, for the same person and campaign as `visit`."""
        return self._tokens.make(purpose, visit.stable_id, visit.campaign_id)

    def identify_reader(self, token_text: str, purpose: Purpose) -> LinkVisit:
        """Returns the reader and the campaign that the token of a link names. Changes nothing."""
        token = self._read_token(token_text, purpose)
        if isinstance(token, LinkVisit):
            return token
        with self._open_database() as db:
            return self._find_visitor(db, token, token_text)

    def unsubscribe_from_all(self, token_text: str, *, reason: str, source: str) -> LinkVisit:
        """Unsubscribes the person from all editions. A repeated call changes nothing, but may add the reason.

        `source` says how the request was made, such as "one-click".
        """
        token = self._read_token(token_text, Purpose.UNSUBSCRIBE)
        if isinstance(token, LinkVisit):
            return token
        with self._open_database() as db:
            visit = self._find_visitor(db, token, token_text)
            if visit.person is None:
                return visit
            campaign, number = _existing_campaign_id(db, visit), visit.person.id
            with writing(db):  # the answer is read in the same transaction
                unsubscribe(db, number, campaign_id=campaign, reason=reason, source=source)
                return replace(visit, person=get(db, number))

    def add_unsubscribe_reason(self, token_text: str, *, reason: str) -> LinkVisit:
        """Adds the reason to an earlier unsubscribe, unless the person has subscribed again since then."""
        token = self._read_token(token_text, Purpose.UNSUBSCRIBE)
        if isinstance(token, LinkVisit):
            return token
        with self._open_database() as db:
            visit = self._find_visitor(db, token, token_text)
            if visit.person is not None and visit.person.status in ("unsubscribed", "complained"):
                unsubscribe(db, visit.person.id, reason=reason)
            return visit

    def choose_editions(self, token_text: str, editions: Iterable[str]) -> LinkVisit:
        """Sets the editions that the person gets. If `editions` is empty, the person is unsubscribed. Returns
        the person after the change."""
        token = self._read_token(token_text, Purpose.PREFERENCES)
        if isinstance(token, LinkVisit):
            return token
        known = self._settings.editions.keys()
        with self._open_database() as db:
            visit = self._find_visitor(db, token, token_text)
            person = visit.person
            if person is None:
                return visit
            chosen = known & set(editions)
            if chosen and _is_barred_from_resubscribing(person):
                return replace(visit, refused=True)
            if chosen and person.status == "active":
                chosen |= set(person.editions) - known  # the page could not show these
            consent = Consent(utc_now(), "preferences", _consent_source(visit))
            with writing(db):
                set_editions(
                    db, person.id, chosen, consent=consent, campaign_id=_existing_campaign_id(db, visit)
                )
                return replace(visit, person=get(db, person.id))

    def _read_token(self, token_text: str, purpose: Purpose) -> Token | LinkVisit:
        """Returns the token of a link if the token is valid and names a reader. Otherwise returns a LinkVisit
        that says why not."""
        token = self._tokens.read(token_text, purpose)
        if token is None:
            unknown = self._tokens.has_unknown_key(token_text)
            kind, why = ("unknown key", _OTHER_KEY) if unknown else ("unreadable", _CHANGED)
            self._bad_links.count(kind, why, _token_beginning(token_text))
            return LinkVisit(LinkState.INCOMPLETE)
        return LinkVisit(LinkState.COPY) if token.is_of_test_copy else token

    def _find_visitor(self, db: Database, token: Token, token_text: str) -> LinkVisit:
        number = subscriber_id_of_token(db, token)
        person = None if number is None else get(db, number)
        if person is None:
            database = self._settings.database.name
            why = f"names somebody who is not in {database}; perhaps an old backup was restored"
            self._bad_links.count("unknown person", why, _token_beginning(token_text))
            return LinkVisit(LinkState.UNKNOWN)
        if person.address is None:
            return LinkVisit(LinkState.ERASED)
        return LinkVisit(LinkState.KNOWN, person, stable_id_of_subscriber(db, person.id), token.campaign_id)

    @contextmanager
    def _open_database(self, busy_seconds: float | None = None) -> Iterator[Database]:
        path = self._settings.database
        if not path.exists():
            # With a new, empty database every unsubscribe would seem to succeed.
            raise StoreError(f"{path} is missing; restore it from a backup")
        db = open_store(path, busy_seconds=self._busy_seconds if busy_seconds is None else busy_seconds)
        db.conn.text_factory = _decode_database_text
        try:
            assign_missing_ids(
                db, self._settings.signing_keys()[-1]
            )  # another may have been put in its place
            yield db
        finally:
            db.conn.close()


def _decode_database_text(data: bytes) -> str:
    """Decodes text from the database. Replaces invalid bytes, so that no content of a row can prevent an
    unsubscribe."""
    return data.decode("utf-8", "replace")


def _token_beginning(token_text: str) -> str:
    """Returns the first characters of a link's token for the log; empty if the token contains an @ and could
    be an e-mail address."""
    return "" if "@" in token_text else token_text[:_SHOWN]


def _is_barred_from_resubscribing(person: Subscriber) -> bool:
    return person.status in _NEVER_BACK or person.suppressed_at is not None


def _existing_campaign_id(db: Database, visit: LinkVisit) -> int | None:
    """Returns the id of the campaign whose message contained the link; None if that campaign does not exist
    any more."""
    return visit.campaign_id if visit.campaign_id in spools_of(db).slugs_by_id() else None


def _consent_source(visit: LinkVisit) -> str:
    return f"preferences page, campaign {visit.campaign_id}" if visit.campaign_id else "preferences page"
