"""`explain` answers the question that every desk gets by telephone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli import run
from tests.commands.test_sending import READERS, TEXT
from tests.desk import ISSUE, SLUG

pytestmark = pytest.mark.desk(readers=READERS, text=TEXT)


def test_who_gets_it_and_what_they_read(desk: Path) -> None:
    ran = run(desk, "explain", "Anna@Example.org", ISSUE)
    assert ran.status == 0, ran.err
    assert ran.out == (
        f"anna@example.org gets {ISSUE}: the person is active and subscribes to its edition.\n"
        '  also gets the parts that are only for "member" in tags\n'
    )


def test_what_was_done_already(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    run(desk, "subscribers", "unsubscribe", "bob@example.com")
    told = run(desk, "explain", "bob@example.com", ISSUE).out
    assert f"bob@example.com does not get {ISSUE}: has unsubscribed." in told
    assert re.search(rf"campaign {SLUG}: accepted at .* \(Asia/Shanghai\) ", told)
    document = run(desk, "explain", "bob@example.com", ISSUE, "--json").json
    assert document["gets_it"] is False
    assert document["exclusion"] == "unsubscribed"
    assert document["deliveries"][0]["state"] == "accepted"


def test_somebody_who_is_not_there(desk: Path) -> None:
    assert "the address is not a subscriber's." in run(desk, "explain", "eve@example.org", ISSUE).out
    run(desk, "subscribers", "erase", "anna@example.org", "--yes")
    assert (
        "the address is not a subscriber's, and is on the suppression list."
        in run(desk, "explain", "anna@example.org", ISSUE).out
    )


@pytest.mark.parametrize("words", [("no address", ISSUE), ("anna@example.org", "issues/none.yaml")])
def test_a_wrong_word_is_one_sentence(desk: Path, words: tuple[str, str]) -> None:
    ran = run(desk, "explain", *words)
    assert ran.status == 2
    assert ran.err.count("\n") == 1
