"""What is imported when, and Ctrl-C meanwhile.

Ctrl-C while the program is being loaded ends it as a signal does: at once, and without a traceback. A command
imports only what it needs, so that it starts fast.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mailer.commands.loading.lazy import LazyCommand
from mailer.commands.loading.table import all_commands
from tests.desk import ISSUE, fill

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


def modules(*words: str) -> set[str]:
    """The modules that `mailer WORDS…` imports."""
    code = f"""
import sys, cli
before = set(sys.modules)
try:
    cli.main({words!r})
finally:
    print("\\n" + " ".join(set(sys.modules) - before))
"""
    ended = start(code)
    assert (ended.returncode, ended.stderr) == (0, "")
    return set(ended.stdout.splitlines()[-1].split())


def packages(*words: str) -> set[str]:
    """The packages of others that `mailer WORDS…` imports."""
    names = {name.partition(".")[0] for name in modules(*words)} - sys.stdlib_module_names - {"mailer"}
    return {name for name in names if not name.startswith("_sysconfigdata")}


#: Typer, with what it imports itself.
TYPER = {"typer", "annotated_doc", "shellingham"}
#: Typer reads the values of options with it; it stands in the way of no `--help`.
PYDANTIC = {"pydantic", "pydantic_core", "annotated_types", "typing_extensions", "typing_inspection"}


#: The settings, and the database with what sqlite-utils imports itself.
WORKSPACE = {"babel", "dotenv", "sqlite_utils", "click", "click_default_group", "dateutil", "pluggy", "six"}
WORKSPACE |= {"sqlite_fts4", "tabulate"}


@pytest.mark.parametrize(
    ("words", "allowed"),
    [
        (["--help"], TYPER),
        (["--version"], TYPER),
        (["campaigns", "--help"], TYPER | PYDANTIC),
        (["campaigns", "list"], TYPER | PYDANTIC | WORKSPACE),
    ],
    ids=["help", "version", "group", "list"],
)
def test_a_command_imports_only_the_packages_that_it_needs(
    workspace: Path, words: list[str], allowed: set[str]
) -> None:
    options = [] if words[-1].startswith("--") else ["--workspace", str(workspace)]
    assert packages(*options, *words) - allowed == set()


def test_a_check_does_not_import_what_fetches_or_sends(workspace: Path) -> None:
    fill(workspace, 1)
    loaded = packages("--workspace", str(workspace), "check", str(workspace / ISSUE))
    assert (
        loaded & {"requests", "urllib3", "authlib", "sendgrid", "cryptography", "rich", "sqlite_utils"}
        == set()
    )
    assert {"jinja2", "mjml", "premailer", "markdown_it"} <= loaded


def whole(group: Any) -> Iterator[tuple[str, LazyCommand]]:
    """Each command of the group and of the groups within, by its whole name."""
    for name, command in group.items():
        if isinstance(command, LazyCommand):
            yield name, command
        else:
            yield from ((f"{name} {below}", one) for below, one in whole(command.commands))


COMMANDS = dict(whole(all_commands()))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_of_a_command_what_the_command_says_itself(name: str) -> None:
    listed = COMMANDS[name]
    command = listed.load()
    assert command.name == listed.name == name.split()[-1]
    assert listed.help == command.get_short_help_str(1000)


def test_a_group_lists_its_commands_without_importing_them() -> None:
    assert "mailer.commands.campaigns.campaigns" not in modules("campaigns", "--help")
    assert "mailer.commands.campaigns.campaigns" in modules("campaigns", "show", "--help")
