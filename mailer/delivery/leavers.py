"""Subscribers who leave while a run is on, so that none of them is handed a message any more.

A claim looks at the subscriber's status, but a message may wait for seconds or minutes between its claim
and its hand-over. A thread with a database connection of its own therefore reads the new events each 100 ms
and asks again whether the subscribers in them may be written to. It only reads, and so waits for no writer.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from mailer.audience.events import last_event, people_since
from mailer.audience.selection import Exclusion, exclusions_of
from mailer.delivery.workers.threads import NO_THREAD, start_thread
from mailer.errors import TransportError
from mailer.store.database import open_reader

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["LOOK_SECONDS", "Leavers", "watch_leavers"]

#: So often the new events are read (seconds).
LOOK_SECONDS = 0.1
#: After so long without a successful look a run must not go on (seconds).
_BLIND_SECONDS = 1.0


class Leavers:
    """Who has become ineligible for an edition since this object was made. `left` maps ids to the reason.

    `erased` counts those who were erased since; it only grows.
    `read_events` and `check` belong to one thread each; `left` may be read from any.
    """

    def __init__(self, db: Database, edition: str) -> None:
        self._db = db
        self._edition = edition
        self._event = last_event(db)
        self._left: dict[int, str] = {}
        self.erased = 0
        self._seen_at = time.monotonic()
        self._error: sqlite3.Error | None = None

    @property
    def left(self) -> Mapping[int, str]:
        """Subscriber ids, each with an Exclusion as text. It changes while it is being read."""
        return self._left

    def read_events(self) -> None:
        """Reads the events since the last look; who has come back is taken out again."""
        try:
            people, newest = people_since(self._db, self._event)
            if people:
                for number, reason in exclusions_of(self._db, people, self._edition):
                    if reason is None:
                        self._left.pop(number, None)
                        continue
                    if reason == Exclusion.ERASED and self._left.get(number) != reason:
                        self.erased += 1
                    self._left[number] = reason
            self._event = newest
        except sqlite3.Error as error:
            self._error = error
            return
        self._seen_at = time.monotonic()
        self._error = None

    def check(self) -> None:
        """Raises the sqlite3.Error that has kept `read_events` from reading for longer than a second."""
        if self._error is not None and time.monotonic() - self._seen_at > _BLIND_SECONDS:
            raise self._error


@contextmanager
def watch_leavers(db: Database, edition: str) -> Iterator[Leavers]:
    """Follows the leavers of an edition from a thread, over a second connection to the database of `db`.

    What was committed before is for the claims to see, so begin before the first claim. Raises TransportError
    where the system starts no thread.
    """
    with closing(open_reader(db)) as reader:
        leavers = Leavers(reader, edition)
        ended = threading.Event()

        def follow() -> None:
            while not ended.wait(LOOK_SECONDS):
                leavers.read_events()

        thread = start_thread(follow, "leavers")
        if thread is None:
            raise TransportError(NO_THREAD)
        try:
            yield leavers
        finally:
            ended.set()
            thread.join()
