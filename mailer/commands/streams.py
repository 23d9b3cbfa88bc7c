"""Prepares the standard streams at the start of the program, and closes them at its end."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

__all__ = ["close_quietly", "prepare_streams"]


def prepare_streams() -> None:
    """Opens the closed ones of the three streams, and replaces letters that output cannot encode by `?`.

    Without this, the next file that is opened, such as the database, would become standard error.
    """
    number = os.open(os.devnull, os.O_RDWR)
    while number <= 2:
        number = os.open(os.devnull, os.O_RDWR)
    os.close(number)
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")


def close_quietly() -> None:
    """Flushes the output streams. Output that cannot be written is dropped without an error."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _redirect_to_null(stream)


def _redirect_to_null(stream: TextIO) -> None:
    """Redirects the stream to the null device, because Python flushes it once more when it ends."""
    try:
        number = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, number)
    os.close(nothing)
