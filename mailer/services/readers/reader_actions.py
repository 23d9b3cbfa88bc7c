"""What readers ask of the database: who is this, take me off, these editions please.

One connection a request, each used by one thread. Nothing is said to be done before it is committed. A link
is either exactly right by its signature, or it names nobody: `Visit.standing` says which.
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
from mailer.audience.stable_ids import fill_in, stable_id_at, whose
from mailer.audience.subscribers import Subscriber, get, set_editions, unsubscribe
from mailer.config import Settings
from mailer.errors import StoreError
from mailer.links.urls import NOBODY, Purpose, Token, Tokens
from mailer.services.readers.bad_links import Tally
from mailer.spool.open import spools_of
from mailer.store.database import check_write, explain, open_store, utc_now, writing

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["Desk", "Standing", "Visit"]

_log = logging.getLogger("mailer.web")
#: How long a reader waits for a busy database: shorter than mail programs wait for us.
_BUSY_SECONDS = 20.0
#: How long /healthz waits for it: a load balancer waits no longer.
_CHECK_SECONDS = 2.0
#: They complained to their provider: another mail would harm both sides, whoever presses the button.
_NEVER_BACK = ("complained",)
#: Of a token that is no good, the log has so many characters.
_SHOWN = 6
_CHANGED = "cannot be read: it was cut or changed on its way"
_OTHER_KEY = (
    "is signed with a key that neither MAILER_SECRET_KEY nor MAILER_SECRET_KEY_OLD held when "
    "this program started"
)


class Standing(Enum):
    """How a link stands. The values are the names of the pages that say so."""

    KNOWN = ""
    ERASED = "erased"
    UNKNOWN = "unknown"
    COPY = "copy"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Visit:
    """Whose link was opened, as the database knows them now. `person` is there for a KNOWN standing alone.

    `refused` says that what they chose may not be done, and was not.
    """

    standing: Standing
    person: Subscriber | None = None
    stable_id: bytes = NOBODY
    campaign_id: int = 0
    refused: bool = False


class Desk:
    """Reads links, and does what they entitle to. Used from many threads."""

    def __init__(self, settings: Settings, *, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._settings = settings
        self._busy_seconds = busy_seconds
        self._tokens = Tokens(settings.signing_keys())
        self._tally = Tally(_log)

    def check(self) -> None:
        """Raises StoreError or sqlite3.Error where the database cannot be read, or takes no write."""
        try:
            with self._open(min(self._busy_seconds, _CHECK_SECONDS)) as db:
                check_write(db)
        except sqlite3.Error as error:
            raise explain(error, self._settings.database) from error

    def link(self, purpose: Purpose, visit: Visit) -> str:
        """A token for the same person and campaign, for any purpose."""
        return self._tokens.make(purpose, visit.stable_id, visit.campaign_id)

    def look(self, text: str, purpose: Purpose) -> Visit:
        """Whose link this is. Changes nothing."""
        token = self._read(text, purpose)
        if isinstance(token, Visit):
            return token
        with self._open() as db:
            return self._visit(db, token, text)

    def leave(self, text: str, *, reason: str, source: str) -> Visit:
        """Unsubscribes from everything; again and again changes nothing, but may add the reason."""
        token = self._read(text, Purpose.UNSUBSCRIBE)
        if isinstance(token, Visit):
            return token
        with self._open() as db:
            visit = self._visit(db, token, text)
            if visit.person is None:
                return visit
            campaign, number = _campaign(db, visit), visit.person.id
            with writing(db):  # read before it is committed: what is recorded is also answered
                unsubscribe(db, number, campaign_id=campaign, reason=reason, source=source)
                return replace(visit, person=get(db, number))

    def explain_leaving(self, text: str, *, reason: str) -> Visit:
        """Adds the reason to an unsubscribe, and does nothing to somebody who has come back since."""
        token = self._read(text, Purpose.UNSUBSCRIBE)
        if isinstance(token, Visit):
            return token
        with self._open() as db:
            visit = self._visit(db, token, text)
            if visit.person is not None and visit.person.status in ("unsubscribed", "complained"):
                unsubscribe(db, visit.person.id, reason=reason)
            return visit

    def choose(self, text: str, editions: Iterable[str]) -> Visit:
        """Sets the editions; none is an unsubscribe. Gives the person as they are afterwards."""
        token = self._read(text, Purpose.PREFERENCES)
        if isinstance(token, Visit):
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
                chosen |= set(person.editions) - known  # what this page could not show
            consent = Consent(utc_now(), "preferences", _origin(visit))
            with writing(db):
                set_editions(db, person.id, chosen, consent=consent, campaign_id=_campaign(db, visit))
                return replace(visit, person=get(db, person.id))

    def _read(self, text: str, purpose: Purpose) -> Token | Visit:
        """The sound token in a link, or what is said without asking the database."""
        token = self._tokens.read(text, purpose)
        if token is None:
            unknown = self._tokens.is_of_unknown_key(text)
            kind, why = ("unknown key", _OTHER_KEY) if unknown else ("unreadable", _CHANGED)
            self._tally.note(kind, why, _beginning(text))
            return Visit(Standing.INCOMPLETE)
        return Visit(Standing.COPY) if token.is_copy else token

    def _visit(self, db: Database, token: Token, text: str) -> Visit:
        number = whose(db, token)
        person = None if number is None else get(db, number)
        if person is None:
            database = self._settings.database.name
            why = f"names somebody who is not in {database}; perhaps an old backup was restored"
            self._tally.note("unknown person", why, _beginning(text))
            return Visit(Standing.UNKNOWN)
        if person.address is None:
            return Visit(Standing.ERASED)
        return Visit(Standing.KNOWN, person, stable_id_at(db, person.id), token.campaign_id)

    @contextmanager
    def _open(self, busy_seconds: float | None = None) -> Iterator[Database]:
        path = self._settings.database
        if not path.exists():
            # A new, empty database would make every unsubscribe look done.
            raise StoreError(f"{path} is missing; restore it from a backup")
        db = open_store(path, busy_seconds=self._busy_seconds if busy_seconds is None else busy_seconds)
        db.conn.text_factory = _as_text
        try:
            fill_in(db, self._settings.signing_keys()[-1])  # another may have been put in its place
            yield db
        finally:
            db.conn.close()


def _as_text(data: bytes) -> str:
    """Text of the database, whatever its bytes are: nothing in a reader's row keeps them from leaving."""
    return data.decode("utf-8", "replace")


def _beginning(text: str) -> str:
    """What the log has of a link: nothing of an address that somebody wrote there."""
    return "" if "@" in text else text[:_SHOWN]


def _may_not_come_back(person: Subscriber) -> bool:
    return person.status in _NEVER_BACK or person.suppressed_at is not None


def _campaign(db: Database, visit: Visit) -> int | None:
    """Returns the id of the campaign that carried the link; None for one that is not there any more."""
    return visit.campaign_id if visit.campaign_id in spools_of(db).slugs() else None


def _origin(visit: Visit) -> str:
    return f"preferences page, campaign {visit.campaign_id}" if visit.campaign_id else "preferences page"
