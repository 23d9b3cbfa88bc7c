"""Counts links that are no good, by kind and day, and tells the log about few of them."""

from __future__ import annotations

import logging
import threading

from mailer.clock import now
from mailer.display_text import visible

__all__ = ["BadLinkCounter"]

#: Of each kind and day (UTC), the first ten are told, and then each tenth power.
_ALL = 10


class BadLinkCounter:
    """Used from many threads. However many links are no good, a day has some fifteen lines of each kind."""

    def __init__(self, log: logging.Logger) -> None:
        self._log = log
        self._lock = threading.Lock()
        self._day = ""
        self._counts: dict[str, int] = {}

    def note(self, kind: str, sentence: str, beginning: str) -> None:
        """Counts one of `kind`: `beginning` is that of its token, and `sentence` says what is wrong."""
        with self._lock:
            today = now().date().isoformat()
            if today != self._day:
                self._tell_the_day()
                self._day, self._counts = today, {}
            number = self._counts[kind] = self._counts.get(kind, 0) + 1
        if _is_told(number):
            shown = visible(" ".join(beginning.split()))
            self._log.warning("a link (%s…) %s (%s: %d today)", shown, sentence, kind, number)

    def _tell_the_day(self) -> None:
        """The counts of the day that has ended, where they are not in the log already."""
        for kind, number in self._counts.items():
            if not _is_told(number):
                self._log.warning("links on %s (%s): %d", self._day, kind, number)


def _is_told(number: int) -> bool:
    return number <= _ALL or str(number).strip("0") == "1"
