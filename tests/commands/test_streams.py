"""Standard streams that are closed, broken, full or short of letters end no command with a traceback."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path

import pytest

from mailer.commands.context import as_json_text, say
from mailer.commands.streams import flush_output_streams, prepare_streams
from tests.cli import run
from tests.commands.subprocesses import run_here, run_python, run_shell
from tests.desk import ISSUE, SLUG, TEXT

TITLE = "港口的起重机 🏗"
NARROW: list[dict[str, str | bytes]] = [
    {"PYTHONIOENCODING": "latin-1"},
    {"LC_ALL": "C", "PYTHONUTF8": "0"},
]

pytestmark = pytest.mark.desk(readers=2)


@pytest.fixture
def desk(desk: Path) -> Path:
    """A workspace whose issue has letters of many scripts, and so has the name of one of its readers."""
    (desk / ISSUE).write_text(TEXT.replace("Cranes stand still", TITLE) + f"title: {TITLE}\n", "utf-8")
    assert run(desk, "subscribers", "add", "reader0@example.org", "--name", "安娜 🏗").status == 0
    return desk


@pytest.mark.parametrize("variables", NARROW, ids=lambda one: next(iter(one.values())))
def test_letters_that_the_output_has_not_are_replaced(desk: Path, variables: dict[str, str | bytes]) -> None:
    for words, shown in (
        (["send", ISSUE, "--yes"], b"is sent:"),
        (["campaigns", "list"], b"?"),
        (["subscribers", "list"], b"?"),
        (["subscribers", "show", "reader0@example.org"], b"?"),
    ):
        ended = run_here(desk, *words, variables=variables)
        assert ended.returncode == 0, ended
        assert shown in ended.stdout
    listed = run_here(desk, "campaigns", "list", "--json", variables=variables)
    encoding = str(variables.get("PYTHONIOENCODING", "ascii"))
    assert TITLE in json.loads(listed.stdout.decode(encoding))[0]["subject"]
    people = run_here(desk, "subscribers", "list", "--json", variables=variables)
    assert json.loads(people.stdout.decode(encoding))[0]["name"] == "安娜 🏗"


@pytest.mark.parametrize(
    "words",
    ["subscribers list --json", "subscribers export", "nonsense"],
)
def test_closed_streams_and_broken_pipes_are_no_traceback(desk: Path, words: str) -> None:
    for redirection in (">&-", "2>&-", "<&- >&- 2>&-", "| head -0", ">/dev/full", "2>&1 | true"):
        run_shell(desk, f"MAILER {words} {redirection}")


def test_a_full_disk_under_standard_output_is_told(desk: Path) -> None:
    ended = run_shell(desk, "MAILER campaigns list --json >/dev/full")
    assert (ended.returncode, ended.stderr) == (
        1,
        b"mailer: no space left on device; correct that and run this again\n",
    )


def test_wrong_usage_ends_with_2_though_nobody_hears_of_it(desk: Path) -> None:
    ended = run_shell(desk, "MAILER nonsense --json 2>/dev/full")
    assert (ended.returncode, list(json.loads(ended.stdout))) == (2, ["error"])


def test_without_standard_input_a_question_is_not_asked(desk: Path) -> None:
    ended = run_shell(desk, f"MAILER send {ISSUE} <&-")
    assert ended.returncode == 2
    assert b"nobody can confirm" in ended.stderr


@pytest.mark.parametrize("redirection", [">&- 2>&-", "2> >(true)", "2>/dev/full"])
def test_a_send_ends_well_though_nobody_hears_of_it(desk: Path, redirection: str) -> None:
    ended = run_shell(desk, f"MAILER send --yes {ISSUE} {redirection}")
    assert ended.returncode == 0, ended
    assert run(desk, "campaigns", "show", SLUG, "--json").json["counts"]["accepted"] == 2


def test_a_file_that_is_opened_never_becomes_a_standard_stream(workspace: Path) -> None:
    code = (
        "import os, sys\n"
        "for number in (0, 1, 2): os.close(number)\n"
        "sys.stdin = sys.stdout = sys.stderr = None\n"
        "from mailer.commands.streams import flush_output_streams, prepare_streams\n"
        "prepare_streams()\n"
        "assert os.open('x', os.O_CREAT | os.O_WRONLY) > 2\n"
        "print('lost', file=sys.stdout); print('lost', file=sys.stderr); assert sys.stdin.read() == ''\n"
        "flush_output_streams()\n"
    )
    assert run_python(workspace, code).returncode == 0
    assert (workspace / "x").read_bytes() == b""


def test_closed_streams_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = os.dup(0)
    os.close(0)
    try:
        for name in ("stdin", "stdout", "stderr"):
            monkeypatch.setattr(sys, name, None)
        prepare_streams()
        assert os.fstat(0).st_rdev == os.stat(os.devnull).st_rdev  # noqa: PTH116
        for stream in (sys.stdin, sys.stdout, sys.stderr):
            stream.close()
    finally:
        os.dup2(kept, 0)
        os.close(kept)


def test_what_nobody_takes_is_dropped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    with open(theirs, "w", encoding="utf-8") as broken, io.StringIO() as closed:  # noqa: PTH123
        broken.write("lost")
        closed.close()
        monkeypatch.setattr(sys, "stdout", broken)
        monkeypatch.setattr(sys, "stderr", closed)
        flush_output_streams()
        broken.flush()


def test_a_line_on_a_broken_standard_error_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Broken())
    say("unheard", err=True)
    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(BrokenPipeError):
        say("unheard")


def test_json_has_escapes_for_letters_that_the_output_has_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="latin-1"))
    assert as_json_text("é") == '"é"'
    assert as_json_text("港🏗\udcff\x1b") == '"\\u6e2f\\ud83c\\udfd7\\udcff\\u001b"'
