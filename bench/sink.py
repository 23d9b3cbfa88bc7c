"""Postfix's `smtp-sink`, which takes SMTP and throws it away, and its `smtp-source`, the yardstick."""

from __future__ import annotations

import os
import re
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.measuring import Failed, started

__all__ = ["Sink", "smtp_sink", "source_command", "tool"]

_START_SECONDS = 10.0


def tool(name: str) -> str:
    """The path of a program of Postfix's. Raises Failed with how to get it."""
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/libexec/postfix")
    if path is None:
        raise Failed(
            f"{name} is missing; it comes with Debian's package postfix, which need not run: "
            "`sudo apt-get install --no-install-recommends postfix && sudo systemctl disable --now postfix`"
        )
    return path


class Sink:
    """A sink that runs, and what it has counted."""

    def __init__(self, port: int, counter: Path, kept: Path | None) -> None:
        self.port = port
        self.url = f"smtp://127.0.0.1:{port}"
        self._counter = counter
        self._kept = kept

    def messages(self) -> int:
        """How many messages it has taken, dot and all."""
        with self._counter.open("rb") as file:
            file.seek(max(0, self._counter.stat().st_size - 200))
            found = re.findall(rb"mesg=(\d+)", file.read())
        return int(found[-1]) if found else 0

    def kept(self) -> int:
        """How many bytes of messages it has kept, with a few lines of its own for each."""
        return self._kept.stat().st_size if self._kept and self._kept.exists() else 0


@contextmanager
def smtp_sink(*, keep: bool = False) -> Iterator[Sink]:
    """A sink of one's own on a free port of this machine. With `keep`, it writes down what it gets."""
    # Its counter goes to a file, so that nobody must keep up with it.
    with tempfile.NamedTemporaryFile() as counter, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        kept = Path(folder, "kept") if keep else None
        Path(folder).chmod(0o777)  # where this runs as root, the sink does not
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        command = [
            tool("smtp-sink"),
            *user,
            "-c",
            *(["-D", str(kept)] if kept else []),
            f"127.0.0.1:{port}",
            "1000",
        ]
        with started(command, stdout=counter, cwd="/") as process:
            until = time.monotonic() + _START_SECONDS
            while process.poll() is None and time.monotonic() < until:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                except OSError:
                    time.sleep(0.02)
                    continue
                yield Sink(port, Path(counter.name), kept)
                return
            raise Failed(f"smtp-sink did not start on port {port}")


def source_command(
    port: int, message: Path, *, count: int, sessions: int, numbered: bool = False
) -> Sequence[str]:
    """`smtp-source` with connections that are kept, sending the file's lines `count` times to this port.

    With `numbered`, each message goes to another recipient; without, all go to one.
    """
    return (
        *(
            tool("smtp-source"),
            "-d",
            *(["-N"] if numbered else []),
            "-s",
            str(sessions),
            "-m",
            str(count),
            "-F",
            str(message),
        ),
        *("-f", "desk@news.example.org", "-t", "reader1@d1.example.org", f"127.0.0.1:{port}"),
    )
