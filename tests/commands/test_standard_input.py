"""`subscribers import -` reads standard input, and leaves nothing of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.commands.subprocesses import ROOT, run_shell

LIST = "email,name\nann@example.org,Zoë\nbob@example.org,Bob\n"


def left(workspace: Path) -> set[str]:
    return {path.name for path in workspace.iterdir()} - {"issues", "mailer.toml", "outbox"}


def test_a_list_is_read_from_standard_input(workspace: Path) -> None:
    (workspace / "list.csv").write_text(LIST + "bad,\n", encoding="utf-16")
    ended = run_shell(workspace, "cat list.csv | MAILER subscribers import -")
    assert ended.returncode == 1
    assert ended.stdout.decode().splitlines() == [
        "standard input: 3 rows",
        "  added               2  rows 2-3",
        "  refused             1  rows 4",
        'row 4: "bad" is not an e-mail address: it has no @',
        "The refused rows are in stdin.refused.csv. Correct them there and import that file.",
    ]
    assert left(workspace) == {"list.csv", "subscribers.db", "stdin.refused.csv"}


def test_a_pipe_of_the_shell_is_read_too(workspace: Path) -> None:
    (workspace / "list.csv").write_text(LIST + "bad,\n", encoding="utf-8")
    ended = run_shell(workspace, "MAILER subscribers import <(cat list.csv) --json")
    assert (ended.returncode, ended.stderr) == (1, b"")
    assert json.loads(ended.stdout)["added"] == 2
    assert json.loads(ended.stdout)["refused_file"] == "stdin.refused.csv"


def test_its_report_as_json_and_its_options(workspace: Path) -> None:
    (workspace / "list.csv").write_text(LIST, encoding="cp850")
    ended = run_shell(
        workspace, "MAILER subscribers import - --encoding cp850 --refused why.csv --json < list.csv"
    )
    assert ended.returncode == 0, ended
    assert (json.loads(ended.stdout)["file"], json.loads(ended.stdout)["added"]) == ("standard input", 2)
    shown = run_shell(workspace, "MAILER subscribers show ann@example.org --json")
    assert json.loads(shown.stdout)["name"] == "Zoë"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("MAILER subscribers import - < /dev/null", "standard input: is empty"),
        ("MAILER subscribers import - <&-", "standard input: is empty"),
        (
            "printf 'name\\nA\\n' | MAILER subscribers import -",
            "standard input:1: no column holds the address",
        ),
        (
            "printf 'email,name\\na@b.test,Pe\\361a\\n' | MAILER subscribers import -",
            "standard input: may be ",
        ),
    ],
)
def test_what_is_no_list_is_told_and_nothing_is_left(workspace: Path, line: str, sentence: str) -> None:
    ended = run_shell(workspace, line)
    assert ended.returncode == 2
    assert ended.stderr.decode().startswith(sentence), ended
    assert left(workspace) == {"subscribers.db"}


def test_the_copy_is_private_and_gone_when_the_process_is_killed(workspace: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, str(ROOT / "cli.py"), "subscribers", "import", "-"],
        cwd=workspace,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert program.stdin is not None
    program.stdin.write(LIST.encode() * 50_000)
    program.stdin.flush()
    modes: list[int] = []
    for _ in range(400):
        for link in Path(f"/proc/{program.pid}/fd").glob("*"):
            try:
                target, status = os.readlink(link), os.stat(link)  # noqa: PTH115, PTH116
            except OSError:
                continue
            if target.startswith(str(workspace)) and target.endswith("(deleted)"):
                modes.append(status.st_mode & 0o777)
        if modes:
            break
        time.sleep(0.05)
    program.send_signal(signal.SIGKILL)
    program.stdin.close()
    program.wait()
    assert set(modes) == {0o600}
    assert not [name for name in left(workspace) if not name.startswith("subscribers.db")]


def test_a_full_disk_is_told(workspace: Path) -> None:
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        "import cli; import mailer.audience.exchange.files.spooled as spooled; "
        "made = spooled.tempfile.TemporaryFile\n"
        "def small(*words, **more):\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))\n"
        "    return made(*words, **more)\n"
        "spooled.tempfile.TemporaryFile = small\n"
        "cli.main(['subscribers', 'import', '-'])\n"
    )
    (workspace / "code.py").write_text(code)
    (workspace / "list.csv").write_text(LIST * 50_000)
    ended = run_shell(workspace, f"{sys.executable} code.py < list.csv", variables={"PYTHONPATH": str(ROOT)})
    assert ended.returncode == 1
    assert ended.stderr.decode() == (
        "mailer: standard input cannot be copied to a file beside the database: file too large; "
        "make room for it\n"
    )


def test_memory_does_not_grow_with_standard_input(workspace: Path) -> None:
    peaks = []
    for rows in (1000, 60_000):
        wide = "x" * 200
        (workspace / "list.csv").write_text(
            "email,note\n" + "".join(f"bad{number},{wide}\n" for number in range(rows))
        )
        (workspace / "code.py").write_text(
            "import cli, resource, sys\n"
            "try:\n    cli.main(['subscribers', 'import', '-', '--json'])\n"
            "finally:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
        )
        ended = run_shell(
            workspace, f"{sys.executable} code.py < list.csv", variables={"PYTHONPATH": str(ROOT)}
        )
        peaks.append(int(ended.stderr.split()[-1]))
    assert peaks[1] - peaks[0] < 8_000  # KB, of 12 MB of input and one batch


def test_a_plain_list_of_addresses_says_who_has_left(workspace: Path) -> None:
    (workspace / "gone.txt").write_text("a@example.org\nb@example.org\n")
    ended = run_shell(workspace, "MAILER subscribers import - --status unsubscribed < gone.txt")
    assert ended.returncode == 0
    assert ended.stdout.decode() == "standard input: 2 rows\n  added               2  rows 1-2\n"
    ended = run_shell(workspace, "MAILER subscribers import - < gone.txt")
    assert ended.returncode == 2
    assert "there is no header row" in ended.stderr.decode()
