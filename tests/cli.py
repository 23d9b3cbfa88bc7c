"""Runs the program as an operator does, in this process."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

__all__ = ["Ran", "run"]


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


def run(workspace: Path, *words: str, answer: str | None = None) -> Ran:
    """`mailer WORDS…` in `workspace`. `answer` is what a person at a terminal would type."""
    from mailer.commands.program import main  # the whole program: most tests of a module need none of it

    out, err = io.StringIO(), io.StringIO()
    stdin = io.StringIO(answer or "")
    stdin.isatty = lambda: answer is not None  # type: ignore[method-assign]
    status: int | str | None = 0
    with (
        contextlib.chdir(workspace),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("sys.stdin", stdin),
    ):
        try:
            main(words)
        except SystemExit as ended:
            status = ended.code
    assert isinstance(status, int) or status is None, status
    assert "Traceback" not in err.getvalue()
    return Ran(status or 0, out.getvalue(), err.getvalue())
