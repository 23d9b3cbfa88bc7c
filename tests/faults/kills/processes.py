"""Commands as processes that can be killed: the client of `starter`, which forks them."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PATIENCE_SECONDS", "ROOT", "Process", "Starter"]

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60.0


class Starter:
    """The process that forks commands (see `starter`)."""

    def __init__(self, folder: Path) -> None:
        """Sends the campaign of the workspace in `folder` first, to get warm."""
        env = {k: v for k, v in os.environ.items() if not k.startswith(("MAILER_", "SENDGRID_"))}
        env |= {"MAILER_SECRET_KEY": "a-secret-key-for-tests-only", "NO_COLOR": "1"}
        env |= {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.kills.starter", str(folder)],
            cwd=ROOT,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._buffer = b""
        self._status: dict[int, int] = {}
        self._started: list[int] = []

    def fork(self, request: Mapping[str, Any]) -> int:
        """Starts a command; gives its pid."""
        self._say(request)
        while not self._started:
            self._listen(PATIENCE_SECONDS)
        return self._started.pop()

    def signal(self, pid: int, how: signal.Signals) -> None:
        """Sends a signal, unless the process has ended."""
        self._say({"pid": pid, "signal": int(how)})

    def status(self, pid: int, seconds: float = 0.0) -> int | None:
        """How the process ended, or None where it has not, waiting so long for it."""
        deadline = time.monotonic() + seconds
        while pid not in self._status:
            left = deadline - time.monotonic()
            self._listen(max(left, 0.0))
            if left <= 0:
                break
        return self._status.get(pid)

    def close(self) -> None:
        """Ends it; its children have ended before."""
        self._process.communicate(timeout=PATIENCE_SECONDS)

    def _say(self, document: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(document).encode() + b"\n")
        self._process.stdin.flush()

    def _listen(self, seconds: float) -> None:
        assert self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        if not select.select([pipe], [], [], seconds)[0]:
            return
        data = os.read(pipe, 65536)
        if not data:
            assert self._process.stderr is not None
            raise RuntimeError(f"the starter has ended: {self._process.stderr.read().decode()}")
        *lines, self._buffer = (self._buffer + data).split(b"\n")
        for line in lines:
            answer = json.loads(line)
            if "status" in answer:
                self._status[answer["pid"]] = answer["status"]
            else:
                # The system gives numbers again: that of an earlier command says nothing of this one.
                self._status.pop(answer["pid"], None)
                self._started.append(answer["pid"])


@dataclass
class Process:
    """A running command."""

    starter: Starter
    pid: int
    out: Path

    def kill(self, how: signal.Signals = signal.SIGKILL) -> None:
        self.starter.signal(self.pid, how)

    @property
    def ended(self) -> bool:
        return self.starter.status(self.pid) is not None

    def wait(self) -> int:
        """The exit status, negative for a signal. What it said holds no traceback."""
        status = self.starter.status(self.pid, PATIENCE_SECONDS)
        words = self.said
        assert status is not None, words
        assert "Traceback" not in words, words
        assert status in (0, 1, 2, -signal.SIGKILL, -signal.SIGTERM), words
        return status

    @property
    def said(self) -> str:
        return self.out.read_text() if self.out.exists() else ""
