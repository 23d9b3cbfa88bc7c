"""No server outlives the process that started it, however that ends."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests.servers.real.base import ROOT
from tests.servers.real.postfix import Postfix

GUARD = Path(__file__).with_name("guard.py")
#: A process that is disowned, and one that ignores SIGTERM.
STUBBORN = """\
import os, signal, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
open(sys.argv[1] + str(os.getpid()), "w").close()
time.sleep(1000)
"""
POSTFIX = """\
import sys, time
from tests.servers.real.postfix import Postfix
with Postfix() as server:
    print(server.folder, flush=True)
    time.sleep(1000)
"""


def eventually(done: Callable[[], bool]) -> bool:
    until = time.monotonic() + 30
    while not done() and time.monotonic() < until:
        time.sleep(0.02)
    return done()


def running(number: int) -> bool:
    """Whether there is a process of this number that is not only waited for."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def test_disowned_and_stubborn_processes_end_with_standard_input(tmp_path: Path) -> None:
    words = [sys.executable, str(GUARD), json.dumps({}), sys.executable, "-c", STUBBORN, f"{tmp_path}/"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as guard:
        assert eventually(lambda: len(list(tmp_path.iterdir())) == 2)
        numbers = [int(path.name) for path in tmp_path.iterdir()]
        assert all(map(running, numbers))
        assert guard.stdin is not None
        guard.stdin.close()
        assert guard.wait(30) == 0
        assert not any(map(running, numbers))


def test_every_process_of_postfix_ends_when_the_test_run_is_killed() -> None:
    Postfix.need()
    words = [sys.executable, "-c", POSTFIX]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder = run.stdout.readline().strip()
        number = int(Path(folder, "queue/pid/master.pid").read_text())
        assert running(number)
        run.send_signal(signal.SIGKILL)
        assert eventually(lambda: not running(number))
        assert eventually(lambda: not of_folder(folder))
    subprocess.run(["rm", "-rf", folder], check=True)


def of_folder(folder: str) -> list[str]:
    """Processes that work in this folder or below."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cwd"):
        try:
            where = str(path.readlink())
        except OSError:
            continue
        if where.startswith(folder):
            found.append(path.parent.name)
    return found
