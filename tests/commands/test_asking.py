"""Commands that ask first: what an answer does, and what happens where nobody can answer."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
import typer

from mailer.commands.confirmation import ask_for_confirmation
from tests.cli import run
from tests.desk import ISSUE, SLUG

SEND = ("send", ISSUE)
ERASE = ("subscribers", "erase", "reader0@example.org")
CANCEL = ("campaigns", "cancel", SLUG)

pytestmark = pytest.mark.desk(readers=2)


@pytest.fixture
def paused(desk: Path) -> Path:
    assert run(desk, "send", ISSUE, "--yes", "--at", "23:59").status == 0
    assert run(desk, "campaigns", "pause", SLUG).status == 0
    return desk


def readers(desk: Path) -> list[str]:
    return [str(person["address"]) for person in run(desk, "subscribers", "list", "--json").json]


def campaigns(desk: Path) -> list[str]:
    return [str(campaign["status"]) for campaign in run(desk, "campaigns", "list", "--json").json]


@pytest.mark.parametrize("json", [(), ("--json",)])
@pytest.mark.parametrize("words", [ERASE, CANCEL, ("send", "issues/other.yaml")])
@pytest.mark.parametrize("answer", ["n\n", "NO\n", "\n", "perhaps\nno\n", ""])
def test_saying_no_ends_with_1_everywhere_and_changes_nothing(
    paused: Path, words: tuple[str, ...], answer: str, json: tuple[str, ...]
) -> None:
    other = (paused / ISSUE).read_text().replace("morning", "evening")
    (paused / "issues/other.yaml").write_text(other)
    ran = run(paused, *words, *json, answer=answer)
    assert ran.status == 1
    assert "[y/N]" in (ran.err if json else ran.out)
    if json:
        assert list(ran.json) == ["error"]
        assert ran.json["error"]["exit_status"] == 1
        assert ran.json["error"]["message"] in ran.err
    if answer:
        assert "Nothing was " in (ran.err if json else ran.out)
    assert readers(paused) == ["reader0@example.org", "reader1@example.org"]
    assert campaigns(paused) == ["paused"]
    assert not (paused / "outbox").exists()


@pytest.mark.parametrize("words", [SEND, ERASE])
def test_where_nobody_can_answer_nothing_is_done(desk: Path, words: tuple[str, ...]) -> None:
    for more in ((), ("--json",)):
        ran = run(desk, *words, *more)
        assert ran.status == 2
        assert "standard input is not a terminal, so nobody can confirm; add --yes" in ran.err
        assert (ran.err.count("\n"), "[y/N]" in ran.out) == (1, False)
    assert len(readers(desk)) == 2
    assert campaigns(desk) == []


def test_erasing_is_done_after_yes(desk: Path) -> None:
    ran = run(desk, *ERASE, answer="y\n")
    assert "Erase reader0@example.org for good?" in ran.out
    assert ran.status == 0
    assert readers(desk) == ["reader1@example.org"]
    assert run(desk, "subscribers", "erase", "reader1@example.org", "-y", "--json").json == {"erased": 2}


def test_cancelling_asks_at_a_terminal(paused: Path) -> None:
    ran = run(paused, *CANCEL, answer="y\n")
    assert f"Cancel campaign {SLUG} for good?" in ran.out
    assert ran.status == 0
    assert campaigns(paused) == ["cancelled"]


@pytest.mark.parametrize("answer", [None, ""])
def test_cancelling_with_yes_never_asks(paused: Path, answer: str | None) -> None:
    ran = run(paused, *CANCEL, "--yes", answer=answer)
    assert (ran.status, ran.out) == (0, f"Campaign {SLUG} is cancelled.\n")


def test_a_script_cancels_without_being_asked(paused: Path) -> None:
    ran = run(paused, *CANCEL)
    assert (ran.status, ran.out) == (0, f"Campaign {SLUG} is cancelled.\n")
    assert campaigns(paused) == ["cancelled"]


def test_nobody_is_asked_about_a_campaign_that_is_not_there(desk: Path) -> None:
    ran = run(desk, *CANCEL, answer="y\n")
    assert ran.status == 2
    assert "[y/N]" not in ran.out


def test_an_answer_that_cannot_be_decoded_is_a_no(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = io.TextIOWrapper(io.BytesIO(b"\xff\xfe\n"), encoding="utf-8")
    monkeypatch.setattr(answer, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", answer)
    with pytest.raises(typer.Exit) as ended:
        ask_for_confirmation(
            "Forget \x1b]0;owned\x07?",
            unattended_error=None,
            declined_message="Nothing was changed.",
            to_stderr=False,
        )
    assert ended.value.exit_code == 1
    assert "\x1b" not in capsys.readouterr().out


def test_without_any_standard_input_nobody_can_answer(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    ask_for_confirmation("Go on?", unattended_error=None, declined_message="", to_stderr=False)
