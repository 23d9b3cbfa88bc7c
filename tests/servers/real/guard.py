"""Runs a server's processes, and ends every one of them when whoever asked for it is gone.

    python guard.py MOUNTS COMMAND…

MOUNTS is a JSON object of paths of this machine, each with the file or folder that the server finds there
instead; it needs root, and nobody else sees it. The server ends when standard input ends, so when the process
that holds the other end of it closes it or dies, however it dies. Processes that the server started and
disowned are found, because they become this process's children (PR_SET_CHILD_SUBREAPER in prctl(2)).
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_CLONE_NEWNS = 0x00020000
_MS_BIND = 4096
_MS_REC_PRIVATE = 16384 | (1 << 18)
_GRACE_SECONDS = 3.0
_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), what)


def _mount(mounts: Mapping[str, str]) -> None:
    """Puts files and folders over those of the machine, in a mount namespace of our own."""
    if not mounts:
        return
    _check(_libc.unshare(_CLONE_NEWNS), "unshare")
    _check(_libc.mount(b"none", b"/", None, _MS_REC_PRIVATE, None), "/")
    for target, source in mounts.items():
        _check(_libc.mount(source.encode(), target.encode(), None, _MS_BIND, None), target)


def _descendants() -> list[int]:
    """All processes below this one that have not ended."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(") ")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(folder.name)] = int(parent)
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {os.getpid(), *found}} - found:
        found |= more
    return sorted(found)


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def _end(main: int) -> None:
    """SIGTERM to the server, and SIGKILL to whatever is left of it a moment later."""
    until = time.monotonic() + _GRACE_SECONDS
    if main in _descendants():
        os.kill(main, signal.SIGTERM)
    while time.monotonic() < until and _descendants():
        _reap()
        time.sleep(0.02)
    while left := _descendants():
        for number in left:
            try:
                os.kill(number, signal.SIGKILL)
            except ProcessLookupError:
                continue
        _reap()
        time.sleep(0.01)


def main() -> None:
    """Runs the command until standard input ends or the command does."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of standard input is the one way to end it
    _check(_libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
    _mount(json.loads(sys.argv[1]))

    def begin() -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    server = subprocess.Popen(
        sys.argv[2:], stdin=subprocess.DEVNULL, preexec_fn=begin, start_new_session=True
    )
    ended = os.pidfd_open(server.pid)
    poll = select.poll()
    poll.register(sys.stdin.fileno(), select.POLLIN | select.POLLHUP)
    poll.register(ended, select.POLLIN)
    while not poll.poll(1000):
        _reap()
    _end(server.pid)


if __name__ == "__main__":
    main()
