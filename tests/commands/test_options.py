"""An option is heeded or refused: what is given twice, or goes with another that leaves it out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli import run
from tests.desk import ISSUE, SLUG

pytestmark = pytest.mark.desk(readers=2)


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["send", ISSUE, "--yes", "--segment", "a == 1", "--segment", "a == 2"], "--segment"),
        (["send", ISSUE, "--yes", "--transport", "outbox:a", "--transport=outbox:b"], "--transport"),
        (["send", ISSUE, "--yes", "--at", "08:00", "--at", "09:00"], "--at"),
        (["send", ISSUE, "--yes", "--plan", "a", "--plan", "b"], "--plan"),
        (["plan", ISSUE, "--at-local", "08:00", "--at-local", "09:00"], "--at-local"),
        (["render", ISSUE, "-o", "a", "--output", "b"], "--output"),
        (["subscribers", "list", "--edition", "morning", "--edition", "evening"], "--edition"),
        (["subscribers", "unsubscribe", "reader0@example.org", "--edition", "morning",
          "--edition", "feature"],
         "--edition"),
        (["subscribers", "restore", "--campaign", SLUG, "--campaign", "b", "--reason", "x"], "--campaign"),
        (["plan", ISSUE, "--workspace", ".", "--workspace", ".."], "--workspace"),
    ],
)  # fmt: skip
def test_an_option_that_counts_once_is_not_given_twice(desk: Path, words: list[str], option: str) -> None:
    before = run(desk, "subscribers", "list", "--json").json
    ran = run(desk, *words)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == f"mailer: {option} may be given only once; leave one of them out\n"
    assert run(desk, "campaigns", "list", "--json").json == []
    assert run(desk, "subscribers", "list", "--json").json == before
    assert not (desk / "a").exists()


def test_what_may_be_given_several_times_still_may(desk: Path) -> None:
    words = ["--edition", "morning", "--edition", "evening", "--tag", "a", "--tag", "b"]
    ran = run(desk, "subscribers", "add", "eve@example.org", *words, "--json")
    assert ran.json["subscriber"]["editions"] == ["evening", "morning"]
    assert run(desk, "send", ISSUE, "--yes", "--yes").status == 0


def test_doctor_offline_asks_no_nameserver(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = run(desk, "doctor", "--offline", "--dns-server", "127.0.0.1:53")
    assert (ran.status, ran.out) == (2, "")
    assert ran.err == "mailer: --offline and --dns-server cannot be used together; leave one of them out\n"
    monkeypatch.setenv("MAILER_DNS_SERVER", "127.0.0.1:53")
    assert "--offline" not in run(desk, "doctor", "--offline").err


def test_init_makes_no_workspace_elsewhere_than_it_is_told(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    ran = run(here, "--workspace", str(tmp_path / "desk"), "init")
    assert ran.status == 2
    assert (
        ran.err
        == "mailer: --workspace must name an existing workspace; to create one, write `mailer init DIR`\n"
    )
    assert list(tmp_path.iterdir()) == [here]
    assert list(here.iterdir()) == []
