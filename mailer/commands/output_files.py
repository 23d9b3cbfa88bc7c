"""Opens the target of `-o FILE`: a file that is replaced, or a device, pipe or stream that is written to.

A file takes the place of another in one step. A device, a named pipe or a stream that is open already, such
as `/dev/stdout`, is written to as it is. A link is followed.
"""

from __future__ import annotations

import io
import os
import re
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from mailer.errors import InputError
from mailer.files import atomically_replaced_file

__all__ = ["Target", "target_of"]

#: Descriptors that are open already, as the system names them.
_OPEN = re.compile(r"/(?:dev/fd|proc/self/fd|proc/\d+/fd)/(\d+)")
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}


@dataclass(frozen=True, slots=True)
class Target:
    """Names where a list goes: an open `descriptor`, or `path`, which is replaced unless `written_to`."""

    shown: str
    path: Path = Path()
    descriptor: int | None = None
    written_to: bool = False

    @property
    def is_output(self) -> bool:
        """Returns whether it is standard output."""
        return self.descriptor == 1

    @contextmanager
    def opened(self) -> Iterator[IO[str]]:
        """Opens the target as a text file without newline translation; only the owner may read a new file.

        Raises OSError, which names it, where it cannot be written.
        """
        try:
            if self.descriptor is not None:
                with _stream(self.descriptor) as file:
                    yield file
            elif self.written_to:
                # neither made nor cut: it may have become something else since it was looked at
                number = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
                with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
                    yield file
            else:
                with atomically_replaced_file(
                    self.path, mode=0o600, encoding="utf-8-sig"
                ) as file:  # it holds addresses
                    yield file
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, self.shown) from None


def target_of(output: Path | None) -> Target:
    """Returns the target of `-o FILE`, or standard output without it. Raises InputError for a folder."""
    if output is None:
        return Target("standard output", descriptor=1)
    if output.is_dir() or not output.name:
        raise InputError(f'"{output}" is a folder; name a file after -o')
    descriptor = _descriptor(output)
    if descriptor is not None:
        return Target(str(output), descriptor=descriptor)
    try:
        path = output.resolve()
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Target(str(output), path)
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        reason = getattr(error, "strerror", None) or "the link leads to itself"
        raise InputError(f'"{output}" cannot be written: {reason.lower()}; name another file') from None
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        what = "a disk" if stat.S_ISBLK(mode) else "a socket"
        raise InputError(f'"{output}" is {what}; name a file after -o')
    return Target(str(output), path, written_to=not stat.S_ISREG(mode))


def _descriptor(path: Path) -> int | None:
    """Returns the number of the open descriptor that the path names, also through links, or None."""
    for _ in range(40):
        text = os.path.abspath(path)  # noqa: PTH100 (links are followed one at a time)
        if text in _STREAMS:
            return _STREAMS[text]
        found = _OPEN.fullmatch(text)
        if found:
            return int(found[1])
        try:
            path = path.parent / path.readlink()
        except OSError:
            return None
    return None


@contextmanager
def _stream(descriptor: int) -> Iterator[IO[str]]:
    """Opens a text stream on an open descriptor, flushes it at the end and leaves the descriptor open."""
    if descriptor == 1:
        sys.stdout.flush()
        binary = sys.stdout.buffer
    else:
        binary = os.fdopen(os.dup(descriptor), "wb")
    text = io.TextIOWrapper(binary, encoding="utf-8", newline="")
    try:
        yield text
        text.flush()
    finally:
        if descriptor == 1:
            text.detach()
        else:
            text.close()
