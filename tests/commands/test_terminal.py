"""What a person sees at a terminal: the question, a bar that moves, and a stop that is clean."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli import run

ROOT = Path(__file__).parents[2]
ISSUE = "issues/issue.yaml"
READERS = 12
TEXT = "edition: evening\ndate: 2026-11-21\nitems:\n  - title: Cranes rest\n"

pytestmark = pytest.mark.desk(readers=READERS, text=TEXT, issue=ISSUE, MAILER_PACE_LIMIT="8/s", TERM="xterm")


class Terminal:
    """The program at a terminal of its own."""

    def __init__(self, desk: Path, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, str(ROOT / "cli.py"), *words],
            cwd=desk,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        self._seen = b""

    @property
    def shown(self) -> str:
        """All that was on the screen, without colours and cursor movements."""
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._seen.decode("utf-8", "replace"))

    def until(self, words: str) -> None:
        """Reads on until `words` are on the screen."""
        end = time.monotonic() + 30
        while words not in self.shown and time.monotonic() < end and self._read():
            pass
        assert words in self.shown, self.shown

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def close(self) -> int:
        """Reads to the end; gives the exit status."""
        while self._read():
            pass
        os.close(self._ours)
        return self.process.wait(30)

    def _read(self) -> bool:
        if not select.select([self._ours], [], [], 30)[0]:
            return False
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # the other side has closed
            return False
        self._seen += data
        return bool(data)


def test_it_asks_shows_a_bar_and_tells_how_it_went(desk: Path) -> None:
    terminal = Terminal(desk, "send", ISSUE)
    terminal.until(f"Send it to {READERS} people now? [y/N]:")
    terminal.type("y\n")
    terminal.until(f"/{READERS}")
    assert terminal.close() == 0
    assert re.search(rf"[1-9]\d*/{READERS}", terminal.shown)
    assert "/s" in terminal.shown
    assert f"{READERS} messages were handed to outbox:outbox" in terminal.shown


def test_ctrl_c_stops_cleanly_and_it_can_go_on(desk: Path) -> None:
    terminal = Terminal(desk, "send", ISSUE, "--yes")
    terminal.until(f"/{READERS}")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.close() == 1
    assert (
        "The run was stopped. `mailer send issues/issue.yaml` continues where the run stopped."
        in terminal.shown
    )
    assert "Traceback" not in terminal.shown
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert len(list((desk / "outbox").glob("*.eml"))) == READERS


def test_sigterm_is_heeded_too(desk: Path) -> None:
    terminal = Terminal(desk, "send", ISSUE, "--yes")
    terminal.until(f"/{READERS}")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.close() == 1
    assert "The run was stopped." in terminal.shown


@pytest.mark.parametrize("answer", ["n\n", "\x04", None])
def test_no_and_ctrl_c_and_ctrl_d_at_a_question_end_with_1(desk: Path, answer: str | None) -> None:
    terminal = Terminal(desk, "subscribers", "erase", "reader0@example.org")
    terminal.until("Erase reader0@example.org for good? [y/N]:")
    if answer is None:
        terminal.process.send_signal(signal.SIGINT)
    else:
        terminal.type(answer)
    assert terminal.close() == 1
    assert "Traceback" not in terminal.shown
    assert len(run(desk, "subscribers", "list", "--json").json) == READERS
