"""Counts invalid links by kind and day, and logs only some of them."""

from __future__ import annotations

import logging
import threading

from mailer.clock import now
from mailer.display_text import without_control_characters

__all__ = ["BadLinkCounter"]

#: The first ten of each kind and day (UTC) are logged, and then each power of ten.
_ALL = 10


class BadLinkCounter:
    """Counts invalid links, and logs at most about fifteen lines a day for each kind. The counter may be used
    from many threads."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._day = ""
        self._counts: dict[str, int] = {}

    def count(self, kind: str, sentence: str, token_start: str) -> None:
        """Counts one invalid link, and perhaps logs it.

        `kind` is the kind of problem, `sentence` says what is wrong, and `token_start` is the beginning of
        the link's token.
        """
        with self._lock:
            today = now().date().isoformat()
            if today != self._day:
                self._log_day_counts()
                self._day, self._counts = today, {}
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
        if _should_log_count(number):
            shown = without_control_characters(" ".join(token_start.split()))
            self._log.warning("a link (%s…) %s (%s: %d today)", shown, sentence, kind, number)

    def _log_day_counts(self) -> None:
        """Logs the counts of the day that has ended, unless the last logged line already shows them."""
        for kind, number in self._counts.items():
            if not _should_log_count(number):
                self._log.warning("requests with an invalid link on %s (%s): %d", self._day, kind, number)


def _should_log_count(count: int) -> bool:
    return count <= _ALL or str(count).strip("0") == "1"
