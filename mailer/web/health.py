"""Checks for /healthz whether an unsubscribe can be recorded. The database is asked at most once a second."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable

from mailer.errors import MailerError

__all__ = ["FRESH_SECONDS", "HealthCheck"]

_log = logging.getLogger("mailer.web")
#: How long an answer is given again without asking the database.
FRESH_SECONDS = 1.0
#: How long it is given to others while the database is being asked.
_USABLE_SECONDS = 10.0
_clock = time.monotonic


class HealthCheck:
    """Caches the result of `check`, so that many requests ask the database only once a second.

    `check` must raise MailerError, sqlite3.Error or OSError if nothing can be recorded. Several threads may
    use one object.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._asking = threading.Lock()
        self._asked: tuple[float, bool] | None = None  # when, and what the answer was

    def can_record_writes(self) -> bool:
        """Returns whether writes can be recorded: the result of a check that is at most ten seconds old."""
        recent = self._result_newer_than(_USABLE_SECONDS)
        # One thread asks. The others take the last answer; without a recent one they wait for this one.
        if not self._asking.acquire(blocking=recent is None):
            return bool(recent)
        try:
            fresh = self._result_newer_than(FRESH_SECONDS)
            if fresh is None:
                fresh = self._run_check()
                self._asked = _clock(), fresh
            return fresh
        finally:
            self._asking.release()

    def _result_newer_than(self, seconds: float) -> bool | None:
        asked = self._asked
        return asked[1] if asked is not None and _clock() - asked[0] < seconds else None

    def _run_check(self) -> bool:
        try:
            self._check()
        except (MailerError, sqlite3.Error, OSError) as error:
            _log.error("nothing can be recorded: %s", error)
            return False
        return True
