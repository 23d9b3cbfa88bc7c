"""Sends due campaigns from a thread beside the web server, with its own database connection.

Each campaign has its own thread and connection (`send_due`).
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from mailer.config import Settings
from mailer.errors import MailerError
from mailer.services.database.moved import report_moved_database
from mailer.services.due.parallel_runs import Attempts
from mailer.services.due.send_due import AGAIN_SECONDS, POLL_SECONDS, run_due
from mailer.services.workspace import open_workspace
from mailer.store.database import to_store_error
from mailer.transports.stop import StopFlag

__all__ = ["Scheduler"]

logger = logging.getLogger("mailer.schedule")


class Scheduler:
    """Sends due campaigns every few seconds until it is stopped. Logs one line for each campaign.

    `on_defect` gets unexpected errors. The scheduler continues after them.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        look_seconds: float = POLL_SECONDS,
        on_defect: Callable[[Exception], None] | None = None,
    ) -> None:
        self._settings = settings
        self._look_seconds = look_seconds
        self._on_defect = on_defect or _log_defect
        self._stop = StopFlag()
        self._attempts = Attempts()
        self._looked = False
        self._thread = threading.Thread(target=self._run, name="schedule", daemon=True)

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """Starts no new work, and makes runs release all claims that are not in flight. It is safe in a
        signal handler."""
        self._stop.set()

    def end(self, seconds: float) -> None:
        """Waits up to `seconds` until all runs have ended."""
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
                self._tell(str(to_store_error(error, self._settings.database.name)))
                pause = AGAIN_SECONDS
            except Exception as error:
                # A defect must not end the scheduler, and must be reported.
                self._on_defect(error)
                pause = AGAIN_SECONDS

    def _look(self) -> None:
        """Sends due campaigns, and those that become due meanwhile."""
        workspace = open_workspace(self._settings)
        try:
            if not self._looked:
                report_moved_database(workspace.db, self._settings, self._tell)
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
