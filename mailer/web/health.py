"""Answers /healthz: can an unsubscribe be recorded? The database is asked at most once a second."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable

from mailer.errors import MailerError

__all__ = ["FRESH_SECONDS", "Health"]

_log = logging.getLogger("mailer.web")
#: How long an answer is given again without asking the database.
FRESH_SECONDS = 1.0
#: How long it is given to others while the database is being asked.
_USABLE_SECONDS = 10.0
_clock = time.monotonic


class Health:
    """Caches the result of `check`, so that any number of requests ask the database once a second.

    `check` raises MailerError, sqlite3.Error or OSError where nothing can be recorded. Many threads use it.
    """

    def __init__(self, check: Callable[[], None]) -> None:
        self._check = check
        self._asking = threading.Lock()
        self._asked: tuple[float, bool] | None = None  # when, and what the answer was

    def is_well(self) -> bool:
        """Returns whether a write can be recorded. Each failed `check` is logged once."""
        recent = self._newer_than(_USABLE_SECONDS)
        # One thread asks. The others take the last answer; without a recent one they wait for this one.
        if not self._asking.acquire(blocking=recent is None):
            return bool(recent)
        try:
            fresh = self._newer_than(FRESH_SECONDS)
            if fresh is None:
                fresh = self._ask()
                self._asked = _clock(), fresh
            return fresh
        finally:
            self._asking.release()

    def _newer_than(self, seconds: float) -> bool | None:
        asked = self._asked
        return asked[1] if asked is not None and _clock() - asked[0] < seconds else None

    def _ask(self) -> bool:
        try:
            self._check()
        except (MailerError, sqlite3.Error, OSError) as error:
            _log.error("nothing can be recorded: %s", error)
            return False
        return True
