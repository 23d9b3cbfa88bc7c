"""Ctrl-C while the program is being loaded ends it as a signal does: at once, and without a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
#: Presses Ctrl-C at the moment when the commands are imported.
PRESSED = """
import os, signal, sys
class Press:
    def find_spec(self, name, path=None, target=None):
        if name == "mailer.commands.program":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Press())
import cli
cli.main(["--version"])
"""
LOADED = """
import signal, cli
try:
    cli.main(["--version"])
finally:
    assert signal.getsignal(signal.SIGINT) is {handler}
"""


def start(code: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_ctrl_c_while_loading_leaves_no_traceback() -> None:
    ended = start(PRESSED)
    assert (ended.returncode, ended.stdout, ended.stderr) == (-signal.SIGINT, "", "")


def test_ctrl_c_belongs_to_python_again_afterwards() -> None:
    ended = start(LOADED.format(handler="signal.default_int_handler"))
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith("mailer ")


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    code = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)" + LOADED
    ended = start(code.format(handler="signal.SIG_IGN"))
    assert (ended.returncode, ended.stderr) == (0, "")
