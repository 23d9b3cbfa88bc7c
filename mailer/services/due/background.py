"""Sends due campaigns in a background thread of the web server.

The thread has its own database connection, and so has the thread of each campaign (`send_due`).
"""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from mailer.config import Settings
from mailer.errors import MailerError
from mailer.services.database.moved import report_moved_database
from mailer.services.due.parallel_runs import RetryTimes
from mailer.services.due.send_due import AGAIN_SECONDS, POLL_SECONDS, send_due_campaigns
from mailer.services.workspace import open_workspace
from mailer.store.database import to_store_error
from mailer.transports.stop import StopFlag

__all__ = ["Scheduler"]

logger = logging.getLogger("mailer.schedule")


class Scheduler:
    """Sends due campaigns every few seconds until the scheduler is stopped. Logs one line for each campaign.

    `poll_seconds` is the time between two searches for due campaigns. `on_defect` is called with unexpected
    errors; the scheduler then continues.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        poll_seconds: float = POLL_SECONDS,
        on_defect: Callable[[Exception], None] | None = None,
    ) -> None:
        self._settings = settings
        self._poll_seconds = poll_seconds
        self._on_defect = on_defect or _log_defect
        self._stop = StopFlag()
        self._retry_times = RetryTimes()
        self._has_reported_move = False
        self._thread = threading.Thread(target=self._run_until_stopped, name="schedule", daemon=True)

    def start(self) -> None:
        """Starts the background thread."""
        self._thread.start()

    def request_stop(self) -> None:
        """Prevents new runs, and makes active runs release all claims that are not in flight. Returns at
        once.

        This method may be called in a signal handler.
        """
        self._stop.set()

    def stop(self, seconds: float) -> None:
        """Requests that the scheduler stops, and waits up to `seconds` until all runs have ended."""
        self.request_stop()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run_until_stopped(self) -> None:
        pause = 0.0
        while not self._stop.wait(pause):
            pause = self._poll_seconds
            try:
                self._send_due_campaigns()
            except MailerError as error:
                self._log_sentence(str(error))
                pause = AGAIN_SECONDS
            except sqlite3.Error as error:
                self._log_sentence(str(to_store_error(error, self._settings.database.name)))
                pause = AGAIN_SECONDS
            except Exception as error:
                # A defect must not end the scheduler, and must be reported.
                self._on_defect(error)
                pause = AGAIN_SECONDS

    def _send_due_campaigns(self) -> None:
        """Sends all due campaigns, including campaigns that become due meanwhile."""
        workspace = open_workspace(self._settings)
        try:
            if not self._has_reported_move:
                report_moved_database(workspace.db, self._settings, self._log_sentence)
                self._has_reported_move = True
            for done in send_due_campaigns(
                workspace, stop=self._stop, retry_times=self._retry_times, warn=self._log_sentence
            ):
                self._log_sentence(done.summary(self._settings.publication.zone))
                if isinstance(done.defect, Exception):
                    self._on_defect(done.defect)
        finally:
            workspace.close()

    def _log_sentence(self, sentence: str) -> None:
        logger.warning("%s", " ".join(sentence.split()))


def _log_defect(error: Exception) -> None:
    logger.error("the scheduler failed with an unexpected error", exc_info=error)
