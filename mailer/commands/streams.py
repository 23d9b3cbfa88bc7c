"""The standard streams: open at the start, whatever they are, and quiet at the end."""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

__all__ = ["close_quietly", "prepare_streams"]


def prepare_streams() -> None:
    """Opens those of the three streams that are closed, and lets output replace letters that it has not.

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
    """Writes out what the streams still hold. What nobody takes is dropped, without Python's complaint."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _drop(stream)


def _drop(stream: TextIO) -> None:
    """Lets the stream write into nothing from here on: it is flushed once more when Python ends."""
    try:
        number = stream.fileno()
    except (OSError, ValueError, AttributeError):
        return
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, number)
    os.close(nothing)
