"""How the program starts and ends: a plain sentence and an exit status, never a traceback."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from mailer import __version__
from mailer.commands import program
from tests.cli import run

ROOT = Path(__file__).parents[2]


def test_version_and_help(workspace: Path) -> None:
    assert run(workspace, "--version").out == f"mailer {__version__}\n"
    helped = run(workspace, "--help")
    assert helped.status == 0
    for command in ("init", "new", "check", "render", "plan", "send", "campaigns", "subscribers", "serve"):
        assert command in helped.out


def test_every_command_has_help(workspace: Path) -> None:
    import typer.main

    group = typer.main.get_command(program.app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert command.help, name
        for below, sub in getattr(command, "commands", {}).items():
            assert sub.help, f"{name} {below}"


@pytest.mark.parametrize("words", [["nonsense"], ["send"], ["campaigns", "show"], ["--nonsense"]])
def test_wrong_usage_is_status_2(workspace: Path, words: list[str]) -> None:
    ran = run(workspace, *words)
    assert ran.status == 2
    assert "Error" in ran.err


def test_outside_a_workspace_there_is_one_sentence(tmp_path: Path) -> None:
    ran = run(tmp_path, "campaigns", "list")
    assert ran.status == 2
    assert ran.err.startswith("mailer: there is no mailer.toml in ")


@pytest.mark.parametrize("place", ["first", "last", "joined"])
def test_the_workspace_option_may_stand_anywhere(workspace: Path, tmp_path: Path, place: str) -> None:
    option = ["--workspace", str(workspace)]
    words = {
        "first": [*option, "campaigns", "list"],
        "last": ["campaigns", "list", *option],
        "joined": ["campaigns", f"--workspace={workspace}", "list"],
    }[place]
    assert run(tmp_path, *words).out.startswith("There is no campaign yet")


def test_the_workspace_may_come_from_the_environment(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_WORKSPACE", str(workspace / "issues"))
    assert run(tmp_path, "campaigns", "list").out.startswith("There is no campaign yet")
    ran = run(workspace, "--workspace", str(tmp_path), "campaigns", "list")
    assert ran.err.startswith("mailer: there is no mailer.toml in ")
    monkeypatch.setattr("mailer.commands.campaigns.campaigns.list_campaign_overviews", lambda _: 1 / 0)
    assert run(tmp_path, "campaigns", "list").status == 1
    assert len(list((workspace / ".mailer/errors").iterdir())) == 1


def test_a_new_workspace_is_made_where_it_is_told_whatever_the_environment_names(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILER_WORKSPACE", str(workspace))
    assert run(tmp_path, "init", "desk").status == 0
    assert (tmp_path / "desk/mailer.toml").is_file()


def test_words_after_two_dashes_are_left_alone() -> None:
    assert program._move_workspace_option_first(["a", "--", "--workspace", "x"]) == [
        "a",
        "--",
        "--workspace",
        "x",
    ]
    assert program._move_workspace_option_first(["a", "--workspace"]) == ["--workspace", "a"]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (
            sqlite3.OperationalError("database is locked"),
            "subscribers.db: another process is writing to the database",
        ),
        (sqlite3.OperationalError("database or disk is full"), "the disk is full or failing"),
        (OSError(28, "No space left on device", "x"), "mailer: x: no space left on device"),
        (OSError("odd"), "mailer: odd; correct that"),
    ],
)
def test_trouble_below_is_a_sentence_too(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("mailer.commands.campaigns.campaigns.list_campaign_overviews", fail)
    ran = run(workspace, "campaigns", "list")
    assert ran.status == 1
    assert sentence in ran.err


def test_a_closed_pipe_is_no_traceback(workspace: Path) -> None:
    command = f"{sys.executable} {ROOT / 'cli.py'} --help | true"
    ended = subprocess.run(command, shell=True, cwd=workspace, capture_output=True, text=True, timeout=60)
    assert "Traceback" not in ended.stderr


def test_cli_py_and_mailer_are_the_same_program(workspace: Path) -> None:
    ended = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "--version"], capture_output=True, text=True, timeout=60
    )
    assert ended.stdout == f"mailer {__version__}\n"
