"""Prepares the standard streams when the program starts, and flushes them when it ends."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

__all__ = ["flush_output_streams", "prepare_streams"]


def prepare_streams() -> None:
    """Opens each standard stream that is closed, and makes output print `?` for characters it cannot encode.

    If standard error stayed closed, the next file to be opened, such as the database, would take its place.
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


def flush_output_streams() -> None:
    """Flushes standard output and standard error. Output that cannot be written is dropped silently."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _redirect_to_null(stream)


def _redirect_to_null(stream: TextIO) -> None:
    """Redirects `stream` to the null device, so that Python's last flush at exit does not fail."""
    try:
        number = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, number)
    os.close(nothing)
