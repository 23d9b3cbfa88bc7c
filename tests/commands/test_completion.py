"""The shell completes commands, options and values; it never sees an error, and nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli import Ran, run
from tests.commands.contract import leaves

Ask = Callable[[Path, str], Ran]
SLUGS = ["2026-11-22-evening", "2026-11-21-morning"]


@pytest.fixture
def desk(workspace: Path) -> Path:
    for slug in SLUGS:
        (workspace / "campaigns" / slug).mkdir(parents=True)
    for name in ("2026-11-21-morning.yaml", "2026-11-22-evening.yml", "notes.txt", "a b.yaml", "$(id).yaml"):
        (workspace / "issues" / name).touch()
    return workspace


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Ask:
    def ask(folder: Path, line: str) -> Ran:
        words = line.split(" ")
        monkeypatch.setenv("_MAILER_COMPLETE", "complete_bash")
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
        return run(folder)

    return ask


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("mailer camp", ["campaigns"]),
        ("mailer campaigns re", ["resume", "retry", "resolve"]),
        ("mailer send --tr", ["--transport"]),
        ("mailer new ", ["evening", "feature", "morning"]),
        ("mailer new m", ["morning"]),
        ("mailer subscribers list --edition f", ["feature"]),
        ("mailer campaigns show ", SLUGS),
        ("mailer campaigns verify 2026-11-21", SLUGS[1:]),
        ("mailer plan ", ["issues/2026-11-22-evening.yml", "issues/2026-11-21-morning.yaml"]),
        ("mailer explain ann@example.org issues/2026-11-22", ["issues/2026-11-22-evening.yml"]),
        (f"mailer campaigns deliveries {SLUGS[0]} --state unc", ["uncertain"]),
        ("mailer subscribers list --status su", ["suppressed"]),
        ("mailer subscribers import x.csv --dates ", ["dmy", "mdy"]),
        ("mailer send --segment a --segment b --transport out", ["outbox:outbox"]),
    ],
)
def test_words_are_completed(desk: Path, asked: Ask, line: str, words: list[str]) -> None:
    ran = asked(desk, line)
    assert (ran.status, ran.out.split(), ran.err) == (0, words, "")
    assert not (desk / "subscribers.db").exists()


def test_issues_are_named_as_from_the_current_folder(desk: Path, asked: Ask) -> None:
    assert asked(desk / "issues", "mailer check 2026-11-21").out.split() == ["2026-11-21-morning.yaml"]


def test_the_workspace_may_be_named(
    desk: Path, tmp_path: Path, asked: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert asked(tmp_path, f"mailer --workspace {desk} campaigns show ").out.split() == SLUGS
    monkeypatch.setenv("MAILER_WORKSPACE", str(desk))
    assert asked(tmp_path, "mailer campaigns show ").out.split() == SLUGS


@pytest.mark.parametrize("spoilt", ["no workspace", "no campaigns", "wrong settings", "no text"])
@pytest.mark.parametrize("line", ["mailer campaigns show ", "mailer new ", "mailer plan "])
def test_where_there_is_nothing_to_complete_nothing_is_said(
    desk: Path,
    asked: Ask,
    spoilt: str,
    line: str,
) -> None:
    for slug in SLUGS:
        (desk / "campaigns" / slug).rmdir()
    (desk / "campaigns").rmdir()
    if spoilt == "no workspace":
        (desk / "mailer.toml").unlink()
    if spoilt == "wrong settings":
        (desk / "mailer.toml").write_text("[[[")
    if spoilt == "no text":
        (desk / "mailer.toml").write_bytes(b"\xff\xfe")
    if line != "mailer plan " or spoilt == "no workspace":
        ran = asked(desk, line)
        assert (ran.status, ran.err) == (0, "")
        assert ran.out.strip() == "" or (spoilt == "no campaigns" and "new" in line)


@pytest.mark.parametrize("instruction", ["complete_bash", "complete_zsh", "source_none_such", "x"])
def test_a_shell_that_asks_wrongly_gets_no_traceback(
    desk: Path, monkeypatch: pytest.MonkeyPatch, instruction: str
) -> None:
    monkeypatch.setenv("_MAILER_COMPLETE", instruction)
    ran = run(desk)
    assert ran.status in (0, 1)
    assert "defect" not in ran.err


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_each_shell_gets_its_script(desk: Path, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setenv("_MAILER_COMPLETE", f"source_{shell}")
    ran = run(desk)
    assert ran.status == 0
    assert f"complete_{shell}" in ran.out


def test_every_parameter_with_such_values_completes_them(desk: Path) -> None:
    from mailer.commands.parsing.completion import _SOURCES

    named = {
        name
        for _, command in leaves()
        for parameter in command.params
        for name in (parameter.metavar or "", *parameter.opts)
    }
    assert set(_SOURCES) <= named
    for path, command in leaves():
        for parameter in command.params:
            if parameter.name in ("slug", "issue", "state", "status") or "edition" in parameter.name:
                assert {parameter.metavar or "", *parameter.opts} & set(_SOURCES), f"{path} {parameter.name}"
