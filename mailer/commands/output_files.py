"""Opens the target of `-o FILE`: a file that is replaced, or a device, pipe or stream that is written to.

An existing file is replaced in one step. A device, a named pipe, or a stream that is open already, such as
`/dev/stdout`, is written to directly. Symbolic links are followed.
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

__all__ = ["OutputTarget", "output_target"]

#: Descriptors that are open already, as the system names them.
_DESCRIPTOR_PATH = re.compile(r"/(?:dev/fd|proc/self/fd|proc/\d+/fd)/(\d+)")
_STREAMS = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}


@dataclass(frozen=True, slots=True)
class OutputTarget:
    """Holds the target of `-o FILE`: an open file `descriptor`, or the `path` of a file to replace.

    If `is_device` is True, `path` is a device or a pipe, which is written to and not replaced. `shown` is the
    name of the target in messages.
    """

    shown: str
    path: Path = Path()
    descriptor: int | None = None
    is_device: bool = False

    @property
    def is_standard_output(self) -> bool:
        """Returns whether the target is standard output."""
        return self.descriptor == 1

    @contextmanager
    def open_text(self) -> Iterator[IO[str]]:
        """Opens the target for writing text, without newline translation. Only the owner may read a new file.

        Raises OSError with the name of the target if the target cannot be written.
        """
        try:
            if self.descriptor is not None:
                with _text_stream(self.descriptor) as file:
                    yield file
            elif self.is_device:
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


def output_target(output: Path | None) -> OutputTarget:
    """Returns the target for `output`, the path after `-o`; None stands for standard output.

    Raises InputError for a folder, and for a path that cannot be written.
    """
    if output is None:
        return OutputTarget("standard output", descriptor=1)
    if output.is_dir() or not output.name:
        raise InputError(f'"{output}" is a folder; name a file after -o')
    descriptor = _descriptor_of_path(output)
    if descriptor is not None:
        return OutputTarget(str(output), descriptor=descriptor)
    try:
        path = output.resolve()
        mode = path.stat().st_mode
    except FileNotFoundError:
        return OutputTarget(str(output), path)
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        reason = getattr(error, "strerror", None) or "the link leads to itself"
        raise InputError(f'"{output}" cannot be written: {reason.lower()}; name another file') from None
    if stat.S_ISBLK(mode) or stat.S_ISSOCK(mode):
        what = "a disk" if stat.S_ISBLK(mode) else "a socket"
        raise InputError(f'"{output}" is {what}; name a file after -o')
    return OutputTarget(str(output), path, is_device=not stat.S_ISREG(mode))


def _descriptor_of_path(path: Path) -> int | None:
    """Returns the open file descriptor that `path` names, such as 1 for `/dev/stdout`, or None.

    Symbolic links are followed.
    """
    for _ in range(40):
        text = os.path.abspath(path)  # noqa: PTH100 (links are followed one at a time)
        if text in _STREAMS:
            return _STREAMS[text]
        found = _DESCRIPTOR_PATH.fullmatch(text)
        if found:
            return int(found[1])
        try:
            path = path.parent / path.readlink()
        except OSError:
            return None
    return None


@contextmanager
def _text_stream(descriptor: int) -> Iterator[IO[str]]:
    """Opens a text stream on an open file descriptor, flushes the stream at the end, and leaves it open."""
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
