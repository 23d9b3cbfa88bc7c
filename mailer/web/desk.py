"""What readers ask of the database: who is this, take me off, these editions please.

One connection a request, each used by one thread. Nothing is said to be done before it is committed.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlite_utils import Database

from mailer.audience.consent import Consent
from mailer.audience.subscribers import Subscriber, get, set_editions, unsubscribe
from mailer.config import Settings
from mailer.errors import StoreError
from mailer.links import Purpose, Token, Tokens
from mailer.store import check_write, explain, open_store, utc_now, writing

__all__ = ["Desk"]

_log = logging.getLogger("mailer.web")
#: How long a reader waits for a busy database: shorter than mail programs wait for us.
_BUSY_SECONDS = 20.0
#: How long /healthz waits for it: a load balancer waits no longer.
_CHECK_SECONDS = 2.0
#: They complained to their provider: another mail would harm both sides, whoever presses the button.
_NEVER_BACK = ("complained",)


class Desk:
    """Reads tokens, and does what they entitle to. Used from many threads."""

    def __init__(self, settings: Settings, *, busy_seconds: float = _BUSY_SECONDS) -> None:
        self._settings = settings
        self._busy_seconds = busy_seconds
        self.tokens = Tokens(settings.signing_keys())

    def check(self) -> None:
        """Raises StoreError or sqlite3.Error where the database cannot be read, or takes no write."""
        try:
            with self._open(min(self._busy_seconds, _CHECK_SECONDS)) as db:
                check_write(db)
        except sqlite3.Error as error:
            raise explain(error, self._settings.database) from error

    def read(self, text: str, purpose: Purpose) -> Token:
        """What a token says; one that is not ours belongs to number 0, who is nobody."""
        return self.tokens.read(text, purpose) or Token(purpose, 0, 0)

    def token(self, purpose: Purpose, other: Token) -> str:
        """A token for the same person and campaign, for another purpose."""
        return self.tokens.make(purpose, other.subscriber_id, other.campaign_id)

    def reader(self, token: Token) -> Subscriber | None:
        """Who holds the token; None for nobody, also where they were erased."""
        with self._open() as db:
            return self._reader(db, token)

    def leave(self, token: Token, *, reason: str, source: str) -> Subscriber | None:
        """Unsubscribes from everything; again and again changes nothing, but may add the reason."""
        with self._open() as db:
            if self._reader(db, token) is None:
                return None
            campaign = token.campaign_id or None
            with writing(db):  # read before it is committed: what is recorded is also answered
                unsubscribe(db, token.subscriber_id, campaign_id=campaign, reason=reason, source=source)
                return self._reader(db, token)

    def explain_leaving(self, token: Token, *, reason: str) -> Subscriber | None:
        """Adds the reason to an unsubscribe, and does nothing to somebody who has come back since."""
        with self._open() as db:
            person = self._reader(db, token)
            if person is not None and person.status == "unsubscribed":
                unsubscribe(db, token.subscriber_id, reason=reason)
            return person

    def choose(self, token: Token, editions: Iterable[str]) -> Subscriber | None:
        """Sets the editions; none is an unsubscribe. Gives the person as they are afterwards."""
        known = self._settings.editions.keys()
        with self._open() as db:
            person = self._reader(db, token)
            if person is None:
                return None
            chosen = known & set(editions)
            if chosen and person.status in _NEVER_BACK:
                return person
            if chosen and person.status == "active":
                chosen |= set(person.editions) - known  # what this page could not show
            consent = Consent(utc_now(), "preferences", _origin(token))
            with writing(db):
                set_editions(
                    db, token.subscriber_id, chosen, consent=consent, campaign_id=token.campaign_id or None
                )
                return self._reader(db, token)

    def _reader(self, db: Database, token: Token) -> Subscriber | None:
        if not token.subscriber_id:
            return None
        person = get(db, token.subscriber_id)
        if person is None:
            _log.warning(
                "a link names subscriber %d, who is not in subscribers.db; was an old backup restored?",
                token.subscriber_id,
            )
            # The link is sound, so that somebody would be told what cannot be recorded here.
            raise StoreError(f"subscriber {token.subscriber_id} is not in {self._settings.database.name}")
        return person if person.address is not None else None

    @contextmanager
    def _open(self, busy_seconds: float | None = None) -> Iterator[Database]:
        path = self._settings.database
        if not path.exists():
            # A new, empty database would make every unsubscribe look done.
            raise StoreError(f"{path} is missing; restore it from a backup")
        db = open_store(path, busy_seconds=self._busy_seconds if busy_seconds is None else busy_seconds)
        db.conn.text_factory = _as_text
        try:
            yield db
        finally:
            db.conn.close()


def _as_text(data: bytes) -> str:
    """Text of the database, whatever its bytes are: nothing in a reader's row keeps them from leaving."""
    return data.decode("utf-8", "replace")


def _origin(token: Token) -> str:
    return f"preferences page, campaign {token.campaign_id}" if token.campaign_id else "preferences page"
