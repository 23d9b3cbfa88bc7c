"""Readers who leave during a run: POSTs to a real `mailer serve`, and the time of each answer."""

from __future__ import annotations

import http.client
import signal
import sqlite3
import time
from contextlib import closing
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from mailer.links.urls import Purpose, TokenCodec
from tests.faults.kills.harness import Desk
from tests.faults.kills.processes import PATIENCE_SECONDS

__all__ = ["Leavers"]

_KEY = "a-secret-key-for-tests-only"


class Leavers:
    """The readers of one campaign who have left, and the service that they ask."""

    def __init__(self, desk: Desk, campaign_id: int) -> None:
        self._desk = desk
        self._campaign_id = campaign_id
        self._tokens = TokenCodec((_KEY,))
        #: When the POST of each reader was answered (seconds of `time.monotonic`), by subscriber id.
        self.answered: dict[int, float] = {}

    def __enter__(self) -> Self:
        with closing(sqlite3.connect(self._desk.root / "subscribers.db")) as database:
            self._ids: dict[int, bytes] = dict(database.execute("SELECT id, stable_id FROM subscribers"))
        self._service = self._desk.start("serve", "--port", "0", "--no-schedule")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while "http://" not in (said := self._service.said):
            assert time.monotonic() < deadline, said
            assert not self._service.ended, said
            time.sleep(0.01)
        address = urlsplit(said[said.index("http://") :].split()[0])
        self._connection = http.client.HTTPConnection(address.netloc, timeout=PATIENCE_SECONDS)
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self._connection.close()
        self._service.kill(signal.SIGTERM)
        status = self._service.wait()
        assert kind is not None or status == 0, self._service.said

    def leave(self, subscriber_id: int) -> None:
        """Unsubscribes a reader by one click, as a mail program does (RFC 8058)."""
        token = self._tokens.make(Purpose.UNSUBSCRIBE, self._ids[subscriber_id], self._campaign_id)
        self._connection.request(
            "POST",
            f"/u/{token}",
            "List-Unsubscribe=One-Click",
            {"Content-Type": "application/x-www-form-urlencoded"},
        )
        answer = self._connection.getresponse()
        self.answered[subscriber_id] = time.monotonic()
        assert answer.status == 200, answer.read()
        answer.read()
