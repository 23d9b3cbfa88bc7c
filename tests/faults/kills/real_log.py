"""What a real mail server took, by its own log or mailbox, while the commands that send to it are killed."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.kills.log import CONNECTIONS, Log
from tests.servers.real.base import RealServer
from tests.servers.real.node import Haraka
from tests.servers.real.postfix import Postfix

__all__ = ["REAL", "RealLog"]

_PATIENCE_SECONDS = 60.0
#: A message is in one of these while Postfix works on it.
_BUSY = ("incoming", "active", "deferred")
_GONE = {"06", "0A"}  # TIME_WAIT and LISTEN in /proc/net/tcp


class _Postfix(Postfix):
    """A client that was killed leaves the beginning of a message in the log; what is queued tells more."""

    def _settle(self) -> None:
        queues = [self.folder / "queue" / name for name in _BUSY]
        self.settle(lambda: not any(path.is_file() for queue in queues for path in queue.rglob("*")))


REAL: dict[str, type[RealServer]] = {"postfix": _Postfix, "haraka": Haraka}
#: Which file of the server's tells of its messages so far, and what stands in it for each.
_SO_FAR = {"postfix": ("mail.log", b"status=sent"), "haraka": ("taken.jsonl", b"\n")}


class RealLog(Log):
    """As `Log`, over the server of this name."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.real = REAL[kind]()
        self.most_at_once = CONNECTIONS

    def __enter__(self) -> Self:
        self.real.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self.real.__exit__(kind, *rest)

    @property
    def words(self) -> list[str]:
        return ["--transport", self.real.url]

    @property
    def env(self) -> dict[str, str]:
        return {}

    def __len__(self) -> int:
        name, sign = _SO_FAR[self.kind]
        path = self.real.folder / name
        return path.read_bytes().count(sign) if path.exists() else 0

    def recipients(self) -> Counter[str]:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while _connections(self.real.port):
            assert time.monotonic() < deadline, "a connection stays open"
            time.sleep(0.02)
        return self.real.recipients()

    def be_faulty(self, refusals: Sequence[tuple[int, bool]]) -> None:
        """A real server has no faults to order."""


def _connections(port: int) -> int:
    """How many connections to this port of 127.0.0.1 the server has not closed yet."""
    own = f":{port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(line[1].endswith(own) and line[3] not in _GONE for line in lines)
