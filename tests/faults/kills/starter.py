"""Starts `mailer` commands as processes that can be killed, cheaply and at a chosen step.

Run as a program it imports everything once, sends one small campaign to get warm, and then forks: each line
of JSON on standard input becomes a process of its own that runs the real command. Nothing in `mailer` knows
of this. A step is reached by wrapping the named function in the fork, right before the command begins.

    {"words": [...], "cwd": "...", "env": {...}, "out": FILE, "dials": {"mailer.x:NAME": value},
     "kill": {"at": "mailer.x:Class.function", "when": "before", "call": 1, "once": "mailer.y:function"}}
    -> {"pid": 71}, and once that has ended {"pid": 71, "status": -9}
    {"signal": 9, "pid": 71}
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import select
import shutil
import signal
import socket
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

__all__ = ["COMMIT", "THE_DOT", "THE_JOURNAL_GOES", "THE_LAST_BYTE", "THE_RENAME"]

#: Steps that are no function of `mailer`: what it asks of the system there.
COMMIT = "COMMIT"
THE_DOT = "the final dot"
THE_LAST_BYTE = "the last byte of a request"
THE_RENAME = "a rename"
THE_JOURNAL_GOES = "the end of the journal"

#: Where the answers go; standard output is the commands'.
_ANSWERS = 3
_Around = Callable[[Callable[[], Any]], Any]


def serve() -> None:
    """Reads requests and forks until standard input ends."""
    living: dict[int, int] = {}  # read end of the pipe that a child holds open while it lives -> its pid
    buffer = b""
    while True:
        ready, _, _ = select.select([0, *living], [], [])
        for pipe in [pipe for pipe in ready if pipe]:
            os.close(pipe)
            pid = living.pop(pipe)
            _tell({"pid": pid, "status": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])})
        if 0 in ready:
            data = os.read(0, 65536)
            if not data:
                return
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                request = json.loads(line)
                if "signal" in request:
                    # Only who has not been waited for is surely still that process.
                    if request["pid"] in living.values():
                        os.kill(request["pid"], request["signal"])
                    continue
                read_end, write_end = os.pipe()
                pid = os.fork()
                if pid == 0:
                    os.close(read_end)
                    _become(request)
                os.close(write_end)
                living[read_end] = pid
                _tell({"pid": pid})


def _tell(document: dict[str, int]) -> None:
    os.write(_ANSWERS, json.dumps(document).encode() + b"\n")


def _become(request: dict[str, Any]) -> NoReturn:
    """The child: the real command with its real end."""
    status = 70
    try:
        output = os.open(request["out"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.chdir(request["cwd"])
        os.environ.update(request["env"])
        _turn(request.get("dials", {}))
        if "kill" in request:
            _kill_at(**request["kill"])
        if "copies" in request:
            _copy_commits(Path(request["cwd"]), Path(request["copies"]))
        from mailer.commands.program import main

        try:
            main(request["words"])
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 71
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _turn(dials: dict[str, Any]) -> None:
    for name, value in dials.items():
        owner, attribute = _place(name)
        before = getattr(owner, attribute)
        if isinstance(before, dict):
            setattr(owner, attribute, {**before, **value})
        else:
            setattr(owner, attribute, functools.partial(_give, value) if callable(before) else value)


def _give(value: Any) -> Any:
    return value


def _place(name: str) -> tuple[Any, str]:
    """`package.module:Class.name` as the object that has it, and the last name."""
    module, _, path = name.partition(":")
    *outer, last = path.split(".")
    owner: Any = importlib.import_module(module)
    for attribute in outer:
        owner = getattr(owner, attribute)
    getattr(owner, last)  # a step that is not there is an error in the list of steps
    return owner, last


def _kill_at(*, at: str, when: str, call: int = 1, once: str = "") -> None:
    """Kills this process right before or right after a call of `at`.

    It is call number `call`, counted from the first call of `once` where that is named.
    """
    lock = threading.Lock()
    seen = 0
    armed = not once

    def around(function: Callable[[], Any]) -> Any:
        nonlocal seen
        with lock:
            seen += armed
            mine = armed and seen == call
        if mine and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = function()
        if mine and when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    def arm(function: Callable[[], Any]) -> Any:
        nonlocal armed
        armed = True
        return function()

    _wrap(at, around)
    if once:
        _wrap(once, arm)


def _wrap(name: str, around: _Around) -> None:
    if name in _SYSTEM:
        _SYSTEM[name](around)
        return
    owner, attribute = _place(name)
    plain = vars(owner).get(attribute) if isinstance(owner, type) else None
    function = getattr(owner, attribute)

    @functools.wraps(function)
    def wrapped(*words: Any, **more: Any) -> Any:
        return around(lambda: function(*words, **more))

    setattr(owner, attribute, staticmethod(wrapped) if isinstance(plain, staticmethod) else wrapped)


def _wrap_commit(around: _Around) -> None:
    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *more: Any) -> sqlite3.Cursor:
            run = functools.partial(super().execute, sql, *more)
            result: sqlite3.Cursor = around(run) if sql.strip().upper() == "COMMIT" else run()
            return result

    connect = sqlite3.connect
    sqlite3.connect = functools.partial(connect, factory=Connection)  # type: ignore[assignment]


def _wrap_write(meant: Callable[[bytes], bool]) -> Callable[[_Around], None]:
    def wrap_method(method: str, around: _Around) -> None:
        original = getattr(socket.socket, method)

        def write(self: socket.socket, data: bytes, *flags: int) -> Any:
            run = functools.partial(original, self, data, *flags)
            return around(run) if meant(bytes(data)) else run()

        setattr(socket.socket, method, write)

    def wrap(around: _Around) -> None:
        for method in ("send", "sendall"):
            wrap_method(method, around)

    return wrap


def _wrap_system(name: str, meant: Callable[[str], bool]) -> Callable[[_Around], None]:
    def wrap(around: _Around) -> None:
        original = getattr(os, name)

        def call(path: Any, *more: Any, **others: Any) -> Any:
            run = functools.partial(original, path, *more, **others)
            return around(run) if meant(os.fspath(path)) else run()

        setattr(os, name, call)

    return wrap


def _wrap_renames(around: _Around) -> None:
    for name in ("rename", "replace"):
        _wrap_system(name, lambda _: True)(around)


_SYSTEM: dict[str, Callable[[_Around], None]] = {
    COMMIT: _wrap_commit,
    THE_DOT: _wrap_write(lambda data: data.startswith(b".\r\n")),
    THE_LAST_BYTE: _wrap_write(lambda data: len(data) == 1),
    THE_RENAME: _wrap_renames,
    THE_JOURNAL_GOES: _wrap_system("unlink", lambda path: path.endswith(".journal")),
}


def _copy_commits(workspace: Path, copies: Path) -> None:
    """After each commit, what a power cut would leave; before the next, what had gone out by then.

    A commit is synced before it returns, and so is the campaign's folder; the journal never is. So
    `copies/N/` holds database and folder, and `copies/N/journal` what was noted until commit N + 1.
    """
    number = 0

    def around(commit: Callable[[], Any]) -> Any:
        nonlocal number
        if number:
            journals = sorted((workspace / ".mailer").glob("*.journal"))
            (copies / f"{number:03}" / "journal").write_bytes(b"".join(j.read_bytes() for j in journals))
        result = commit()
        number += 1
        folder = copies / f"{number:03}"
        folder.mkdir(parents=True)
        for name in ("subscribers.db", "subscribers.db-wal"):
            shutil.copy(workspace / name, folder / name)
        if (workspace / "campaigns").is_dir():
            shutil.copytree(workspace / "campaigns", folder / "campaigns")
        return result

    _wrap_commit(around)


def _warm(folder: str) -> None:
    """One campaign in that workspace, so that everything is imported and compiled before the first fork."""
    os.chdir(folder)
    from mailer.commands.program import main

    for words in (["subscribers", "import", "readers.csv"], ["send", "issues/issue.yaml", "--yes"]):
        try:
            main(words)
        except SystemExit as ended:
            if ended.code:
                raise
    for name in ("smtp.transport", "sendgrid.transport", "sendgrid.client"):
        importlib.import_module(f"mailer.transports.{name}")
    while threading.active_count() > 1:  # a fork has only the thread that forked
        time.sleep(0.001)
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    os.dup2(1, _ANSWERS)
    os.dup2(2, 1)
    _warm(sys.argv[1])
    serve()
