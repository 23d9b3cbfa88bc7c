"""What others wrote is shown by the terminal, and never commands it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.commands.context import as_json_text
from mailer.display_text import without_control_characters
from mailer.store.database import open_store
from tests.cli import run

EVIL = "\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202e"
ESCAPED = r"\e[2J\e]0;owned\a\r\u009b31m\u202e"


def harmless(text: str) -> bool:
    return not set(text) & set("\x1b\x07\r\x7f\x9b\u2028\u2029\u202e\u2066\ud800\udcff")


@given(st.text(st.characters()))
def test_a_line_that_a_terminal_shows_is_the_same_but_for_what_it_would_obey(text: str) -> None:
    seen = without_control_characters(text)
    assert harmless(seen)
    assert len(seen) == len(text)
    assert all(one in (other, "\ufffd") for one, other in zip(seen, text, strict=True))
    assert without_control_characters("晨报\tتقرير 👩‍💻\n") == "晨报\tتقرير 👩‍💻\n"


@given(st.dictionaries(st.text(st.characters()), st.text(st.characters())))
def test_json_for_a_terminal_reads_the_same(document: dict[str, str]) -> None:
    text = as_json_text(document)
    assert harmless(text)
    assert json.loads(text) == document
    assert json.loads(as_json_text(document, 2)) == document


@pytest.mark.parametrize(
    "line",
    [f'date: "{ESCAPED}"', f'"{ESCAPED}": x', f'items: [{{title: x, only: "{ESCAPED}"}}]'],
)
def test_an_issue_does_not_command_the_terminal(workspace: Path, line: str) -> None:
    (workspace / "issues/evil.yaml").write_text(f"edition: evening\n{line}\n")
    for words in (["check"], ["check", "--json"], ["render", "-o", "out"], ["plan"]):
        ran = run(workspace, *words, "issues/evil.yaml")
        assert ran.status == 2
        assert harmless(ran.out + ran.err), words


def test_a_file_that_was_put_into_an_archive_does_not_command_the_terminal(workspace: Path) -> None:
    folder = workspace / "campaigns/2026-11-21-evening"
    folder.mkdir(parents=True)
    manifest = {"schema": 1, "slug": EVIL, "status": "completed", "files": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / EVIL).write_text("")
    (folder / "\udcff").write_text("")
    for more in ((), ("--json",)):
        ran = run(workspace, "campaigns", "verify", folder.name, *more)
        assert ran.status == 1
        assert "owned" in ran.out
        assert harmless(ran.out)


def test_what_somebody_wrote_does_not_pass_for_a_line_of_ours(workspace: Path) -> None:
    assert (
        run(workspace, "subscribers", "add", "anna@example.org", "--attribute", "city=Ulm\nStatus  x").status
        == 0
    )
    with open_store(workspace / "subscribers.db").conn as connection:
        connection.execute("UPDATE subscribers SET name = ?", (EVIL,))
    connection.close()
    shown = run(workspace, "subscribers", "show", "anna@example.org").out
    assert [line.split()[1] for line in shown.splitlines() if line.startswith("Status")] == ["active"]
    listed = run(workspace, "subscribers", "list").out + run(workspace, "subscribers", "list", "--json").out
    assert "owned" in shown
    assert "owned" in listed
    assert harmless(shown + listed)
