"""Sends what is due from a thread beside the web server, with a database connection of its own.

Each campaign has a thread and a connection of its own beside it (`due`).
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from mailer.config import Settings
from mailer.errors import MailerError
from mailer.services.database.moved import say_other_place
from mailer.services.due.parallel_runs import Attempts
from mailer.services.due.send_due import AGAIN_SECONDS, LOOK_SECONDS, run_due
from mailer.services.workspace import open_workspace
from mailer.store.database import explain
from mailer.transports.stop import Stop

__all__ = ["Scheduler"]

logger = logging.getLogger("mailer.schedule")


class Scheduler:
    """Looks every few seconds, until it is ended. Logs one line for each campaign.

    `on_defect` is told of an error that nobody foresaw. The schedule goes on after it.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        look_seconds: float = LOOK_SECONDS,
        on_defect: Callable[[Exception], None] | None = None,
    ) -> None:
        self._settings = settings
        self._look_seconds = look_seconds
        self._on_defect = on_defect or _log_defect
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
            except Exception as error:
                # A defect must not end the schedule, nor go unseen.
                self._on_defect(error)
                pause = AGAIN_SECONDS

    def _look(self) -> None:
        """Sends what is due, and what becomes due until all of that has ended."""
        workspace = open_workspace(self._settings)
        try:
            if not self._looked:
                say_other_place(workspace.db, self._settings, self._tell)
                self._looked = True
            for done in run_due(workspace, stop=self._stop, attempts=self._attempts, warn=self._tell):
                self._tell(done.sentence(self._settings.publication.zone))
                if isinstance(done.defect, Exception):
                    self._on_defect(done.defect)
        finally:
            workspace.close()

    def _tell(self, sentence: str) -> None:
        logger.warning("%s", " ".join(sentence.split()))


def _log_defect(error: Exception) -> None:
    logger.error("the schedule met an unexpected error", exc_info=error)
