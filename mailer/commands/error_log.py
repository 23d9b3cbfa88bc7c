"""Writes the log of an unexpected error: a traceback without the values of variables.

The message of the error is left out, because it may quote an address, a name or a key.
"""

from __future__ import annotations

import os
import platform
import re
import stat
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path

from mailer import __version__
from mailer.clock import utc_now

__all__ = ["MAX_LOGS", "write_error_log"]

#: The newest logs are kept, at most this many.
MAX_LOGS = 20
_MAX_END_FRAMES = 40
_MAX_ERRORS = 10
_NAME = re.compile(r"\d{8}T\d{6}\.\d{6}Z-\d+\.log")
_ADDRESS = re.compile(r"[^\s@<>\"'`(),;:]+@[^\s@<>\"'`(),;:]+")


def write_error_log(workspace: Path, error: BaseException, command: str) -> Path:
    """Writes a log that only the owner can read into `.mailer/errors/`, and returns the path of the log.

    `command` is the name of the command, without its arguments. Raises OSError if the log cannot be written.
    """
    folder = workspace / ".mailer" / "errors"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if stat.S_IMODE(folder.stat().st_mode) != 0o700:
        folder.chmod(0o700)
    path = folder / f"{re.sub('[-:]', '', utc_now())}-{os.getpid()}.log"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(_ADDRESS.sub("[address]", _log_text(error, command)))
    others = sorted(one for one in folder.iterdir() if _NAME.fullmatch(one.name) and one != path)
    for one in others[: max(0, len(others) - MAX_LOGS + 1)]:
        one.unlink(missing_ok=True)
    return path


def _log_text(error: BaseException, command: str) -> str:
    head = f"mailer {__version__}, Python {platform.python_version()}, {sys.platform}, {utc_now()}"
    lines = [head, f"mailer {command}".rstrip(), ""]
    for number, one in enumerate(_error_chain(error)):
        lines += ["", "while this was dealt with, or as its cause:"] if number else []
        lines.append(f"{type(one).__module__}.{type(one).__qualname__}, most recent call last:")
        lines += _traceback_lines(one)
    return "".join(line.encode("utf-8", "replace").decode() + "\n" for line in lines)


def _error_chain(error: BaseException) -> Iterator[BaseException]:
    """Yields `error`, and then the errors that led to it."""
    seen: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and not any(current is one for one in seen) and len(seen) < _MAX_ERRORS:
        seen.append(current)
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _traceback_lines(error: BaseException) -> list[str]:
    """Returns the lines of the traceback of `error`. Of a very long traceback, the middle is left out."""
    frames = list(traceback.walk_tb(error.__traceback__))
    left_out = max(0, len(frames) - 2 * _MAX_END_FRAMES)
    chosen = frames[:_MAX_END_FRAMES] + frames[_MAX_END_FRAMES + left_out :]
    lines: list[str] = []
    for number, frame in enumerate(traceback.StackSummary.extract(iter(chosen), limit=2 * _MAX_END_FRAMES)):
        if left_out and number == _MAX_END_FRAMES:
            lines.append(f"  … {left_out} more calls …")
        lines.append(f"  {_relative_to_import_path(frame.filename)}, line {frame.lineno}, in {frame.name}")
        # A template's lines are the operator's own text, and no line of the program.
        if frame.line and frame.filename.endswith(".py"):
            lines.append(f"    {frame.line}")
    return lines


def _relative_to_import_path(file: str) -> str:
    """Returns the path of a source file, relative to the folder from which Python imported the file."""
    for folder in sorted(filter(None, sys.path), key=len, reverse=True):
        if file.startswith(folder.rstrip("/") + "/"):
            return file[len(folder.rstrip("/")) + 1 :]
    return Path(file).name
