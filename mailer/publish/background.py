"""Sends what is due from a thread beside the web server, with a database connection of its own.

Each campaign has a thread and a connection of its own beside it (`due`).
"""

from __future__ import annotations

import logging
import sqlite3
import threading

from mailer.config import Settings
from mailer.delivery.stop import Stop
from mailer.errors import MailerError
from mailer.publish.copies import say_other_place
from mailer.publish.due import AGAIN_SECONDS, LOOK_SECONDS, run_due
from mailer.publish.runs import Attempts
from mailer.store import explain, open_store

__all__ = ["Scheduler"]

logger = logging.getLogger("mailer.schedule")


class Scheduler:
    """Looks every few seconds, until it is ended. Logs one line for each campaign."""

    def __init__(self, settings: Settings, *, look_seconds: float = LOOK_SECONDS) -> None:
        self._settings = settings
        self._look_seconds = look_seconds
        self._stop = Stop()
        self._attempts = Attempts()
        self._looked = False
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)

    def start(self) -> None:
        """Begins to look."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """Begins no new work, and gives back what is not on the wire. Safe in a signal handler."""
        self._stop.set()

    def end(self, seconds: float) -> None:
        """Waits up to so long until the work is laid down."""
        self.ask_to_end()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            pause = self._look_seconds
            try:
                self._look()
            except MailerError as error:
                self._tell(str(error))
                pause = AGAIN_SECONDS
            except sqlite3.Error as error:
                self._tell(str(explain(error, self._settings.database.name)))
                pause = AGAIN_SECONDS
            except Exception:
                # A defect must not end the schedule, nor go unseen.
                logger.exception("the schedule met an error that nobody foresaw")
                pause = AGAIN_SECONDS

    def _look(self) -> None:
        """Sends what is due, and what becomes due until all of that has ended."""
        db = open_store(self._settings.database)
        try:
            if not self._looked:
                say_other_place(db, self._settings, self._tell)
                self._looked = True
            for done in run_due(
                db, self._settings, stop=self._stop, attempts=self._attempts, warn=self._tell
            ):
                self._tell(done.sentence(self._settings.publication.zone), done.defect)
        finally:
            db.close()

    def _tell(self, sentence: str, defect: BaseException | None = None) -> None:
        level = logging.WARNING if defect is None else logging.ERROR
        logger.log(level, "%s", " ".join(sentence.split()), exc_info=defect)
