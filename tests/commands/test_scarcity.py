"""A process that gets no more memory or threads ends with a sentence, and the next one goes on."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.cli import run
from tests.commands.subprocesses import run_python
from tests.desk import ISSUE, SLUG, fill

#: From the beginning of the delivery on, the process gets no room for the stack of a thread.
NO_ROOM = """
import resource, cli
import mailer.services.sending.run as send
deliver = send.deliver
def in_little_room(*words, **more):
    with open("/proc/self/statm") as file:
        size = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + 2_000_000, resource.RLIM_INFINITY))
    return deliver(*words, **more)
send.deliver = in_little_room
cli.main(["send", "{issue}", "--yes"])
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process is read from /proc")
def test_a_send_without_room_for_a_thread_says_so_and_the_next_goes_on(workspace: Path) -> None:
    fill(workspace, 3)
    ended = run_python(workspace, NO_ROOM.format(issue=ISSUE))
    assert ended.returncode == 1
    assert b"mailer: the operating system cannot start another thread for this process; " in ended.stderr
    assert f"mailer: no reader has the issue yet; `mailer send {ISSUE}` sends the 3".encode() in ended.stderr
    assert run(workspace, "campaigns", "show", SLUG, "--json").json["status"] == "stopped"
    assert run(workspace, "send", ISSUE, "--yes").status == 0
    assert run(workspace, "campaigns", "show", SLUG, "--json").json["counts"]["accepted"] == 3


@pytest.mark.parametrize("place", ["claim", "settle"])
def test_a_run_out_of_memory_says_so_and_the_next_goes_on(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    fill(workspace, 3)

    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(f"mailer.spool.sqlite.claims.ClaimOperations.{place}", fail)
        ran = run(workspace, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert ran.err.startswith(
        "mailer: there was not enough memory; free some memory and run this again; .mailer/errors/"
    )
    assert run(workspace, "send", ISSUE, "--yes").status == 0
    assert run(workspace, "campaigns", "show", SLUG, "--json").json["counts"]["accepted"] == 3
    assert len(list((workspace / "outbox").glob("*.eml"))) == 3


def test_the_doctor_looks_without_threads_too(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with_threads = run(workspace, "doctor", "--offline").out
    monkeypatch.setattr(threading.Thread, "start", fail)
    assert run(workspace, "doctor", "--offline").out.count("\n") == with_threads.count("\n")
