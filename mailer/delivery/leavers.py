"""Watches for subscribers who leave during a run, so that no message is handed over to them.

A claim checks the subscriber's status, but a message may wait for seconds or minutes between its claim and
its hand-over. A thread with its own database connection therefore reads new events every 100 ms and checks
again whether their subscribers may be written to. It only reads, so it never waits for a writer.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from mailer.audience.events import last_event_id, people_with_events_since
from mailer.audience.selection import Exclusion, exclusions_of
from mailer.delivery.workers.threads import NO_THREAD, start_thread
from mailer.errors import TransportError
from mailer.store.database import open_read_connection

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["POLL_SECONDS", "Leavers", "watch_leavers"]

#: New events are read at this interval (seconds).
POLL_SECONDS = 0.1
#: A run must end after this time without a successful read (seconds).
_BLIND_SECONDS = 1.0


class Leavers:
    """Tracks the people to whom an edition may no longer be sent, from the creation of this object on.

    `erased` is the number of people who were erased since then; it never decreases. `read_events` and
    `raise_lasting_error` are each called from one thread; `reasons_by_subscriber_id` may be read from any
    thread.
    """

    def __init__(self, db: Database, edition: str) -> None:
        self._db = db
        self._edition = edition
        self._event = last_event_id(db)
        self._reasons: dict[int, str] = {}
        self.erased = 0
        self._seen_at = time.monotonic()
        self._error: sqlite3.Error | None = None

    @property
    def reasons_by_subscriber_id(self) -> Mapping[int, str]:
        """Maps the subscriber ids of the people who have left to the reason: an Exclusion as text.

        Another thread may change the mapping at any time.
        """
        return self._reasons

    def read_events(self) -> None:
        """Reads the events since the last call, and updates `reasons_by_subscriber_id`.

        People who have left are added, and people who may be written to again are removed.
        """
        try:
            people, newest = people_with_events_since(self._db, self._event)
            if people:
                for number, reason in exclusions_of(self._db, people, self._edition):
                    if reason is None:
                        self._reasons.pop(number, None)
                        continue
                    if reason == Exclusion.ERASED and self._reasons.get(number) != reason:
                        self.erased += 1
                    self._reasons[number] = reason
            self._event = newest
        except sqlite3.Error as error:
            self._error = error
            return
        self._seen_at = time.monotonic()
        self._error = None

    def raise_lasting_error(self) -> None:
        """Raises the last sqlite3.Error of `read_events` if all reads have failed for more than a second."""
        if self._error is not None and time.monotonic() - self._seen_at > _BLIND_SECONDS:
            raise self._error


@contextmanager
def watch_leavers(db: Database, edition: str) -> Iterator[Leavers]:
    """Watches the leavers of an edition in a thread, over a second connection to the database of `db`.

    The `with` block must be entered before the first claim. Events before that are not watched, because a
    claim itself takes account of them. Raises TransportError if the system cannot start a thread.
    """
    with closing(open_read_connection(db)) as reader:
        leavers = Leavers(reader, edition)
        ended = threading.Event()

        def read_until_ended() -> None:
            while not ended.wait(POLL_SECONDS):
                leavers.read_events()

        thread = start_thread(read_until_ended, "leavers")
        if thread is None:
            raise TransportError(NO_THREAD)
        try:
            yield leavers
        finally:
            ended.set()
            thread.join()
