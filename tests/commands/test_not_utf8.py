"""Bytes that are not UTF-8 in arguments and names of files: a command works, or says why it cannot."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.cli import run
from tests.commands.subprocesses import run_here
from tests.desk import ISSUE, SLUG

BAD = b"\xff\xd6"
TEXT = BAD.decode("utf-8", "surrogateescape")
WHO = "reader0@example.org"

pytestmark = pytest.mark.desk(readers=2)


def test_an_unsubscribe_is_recorded_with_the_bad_bytes_replaced(desk: Path) -> None:
    ended = run_here(desk, "subscribers", "unsubscribe", WHO, "--reason", b"no \xff thanks")
    assert (ended.returncode, ended.stdout) == (0, f"{WHO} is now unsubscribed from everything.\n".encode())
    assert run(desk, "subscribers", "show", WHO, "--json").json["status"] == "unsubscribed"


def test_a_suppression_is_recorded_with_the_bad_bytes_replaced(desk: Path) -> None:
    assert run(desk, "subscribers", "suppress", WHO, "--reason", f"no {TEXT}").status == 0
    assert run(desk, "subscribers", "show", WHO, "--json").json["suppressed"]["reason"] == "no \ufffd\ufffd"


def test_a_restore_is_told_why_it_is_refused_and_not_that_its_reason_is(desk: Path) -> None:
    ran = run(desk, "subscribers", "restore", WHO, "--reason", f"they {TEXT} wrote")
    assert ran.status == 2
    assert "did not bounce" in ran.err or "is active" in ran.err


def test_a_reason_in_utf_8_is_kept_whatever_the_locale_says(desk: Path) -> None:
    variables: dict[str, str | bytes] = {"LC_ALL": "C", "PYTHONUTF8": "0"}
    words: list[str | bytes] = ["subscribers", "suppress", WHO, "--reason", "不要了".encode()]
    assert run_here(desk, *words, variables=variables).returncode == 0
    assert run(desk, "subscribers", "show", WHO, "--json").json["suppressed"]["reason"] == "不要了"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["plan", ISSUE, "--segment", f'name == "{TEXT}"'], "--segment"),
        (["send", ISSUE, "--yes", "--segment", f'name != "{TEXT}"'], "--segment"),
        (["plan", ISSUE, "--transport", f"outbox:{TEXT}"], "--transport"),
        (["send", ISSUE, "--yes", "--transport", f"smtp://{TEXT}"], "--transport"),
        (["send", ISSUE, "--test", f"{TEXT}@example.org"], "--test"),
        (["plan", ISSUE, "--at", TEXT], "--at"),
        (["send", ISSUE, "--canary", TEXT], "--canary"),
        (["subscribers", "add", "x@example.org", "--consent", f"by {TEXT}"], "--consent"),
        (["subscribers", "add", "x@example.org", "--tag", "a", "--tag", TEXT], "--tag"),
        (["subscribers", "add", f"x@{TEXT}.org"], "ADDRESS"),
        (["subscribers", "unsubscribe", f"{TEXT}@example.org"], "ADDRESS"),
        (["subscribers", "restore", "--campaign", TEXT, "--reason", "x"], "--campaign"),
        (["subscribers", "list", "--status", TEXT], "--status"),
        (["campaigns", "show", TEXT], "SLUG"),
        (["campaigns", "verify", TEXT], "SLUG"),
        (["new", TEXT], "EDITION"),
        (["serve", "--host", TEXT], "--host"),
        (["doctor", "--dns-server", TEXT], "--dns-server"),
    ],
)
def test_any_other_argument_is_named_and_refused(desk: Path, words: list[str], name: str) -> None:
    ran = run(desk, *words)
    assert ran.status == 2
    assert ran.err.startswith(f'mailer: {name} "')
    assert ran.err.endswith(
        " holds bytes that are not UTF-8 text; write it again in UTF-8. Nothing was changed\n"
    )
    assert ran.err.isprintable() or ran.err[:-1].isprintable()
    assert not (desk / "campaigns").exists()


def test_an_issue_with_such_a_name_is_refused_before_anything_is_made(desk: Path) -> None:
    bad = os.fsencode(desk / "issues") + b"/\xff.yaml"
    shutil.copy(os.fsencode(desk / ISSUE), bad)
    for words in (["check"], ["plan"], ["send", "--yes"], ["explain", WHO]):
        ended = run_here(desk, *words, b"issues/\xff.yaml")
        assert ended.returncode == 2
        assert ended.stderr.startswith(
            "issues/\ufffd.yaml: has a name that is not valid text; rename it".encode()
        )
    assert run(desk, "campaigns", "list", "--json").json == []
    run_here(desk, "render", ISSUE, "-o", b"look\xff")
    assert os.path.exists(os.fsencode(desk) + b"/look\xff/email.html")  # noqa: PTH110


def test_a_list_with_such_a_name_is_imported(workspace: Path) -> None:
    (workspace / ISSUE).write_text("x")
    for name, rows in ((b"\xff.csv", b"email\nann@example.org\n"), (b"\xfe.csv", b"email\nnobody\n")):
        with open(os.fsencode(workspace) + b"/" + name, "wb") as file:  # noqa: PTH123
            file.write(rows)
    ended = run_here(workspace, "subscribers", "import", b"\xff.csv", "--json")
    assert ended.returncode == 0, ended.stderr
    consent = run(workspace, "subscribers", "show", "ann@example.org", "--json").json["consents"][0]
    assert consent["origin"] == "\ufffd.csv"
    ended = run_here(workspace, "subscribers", "import", b"\xfe.csv")
    assert ended.returncode == 1
    assert "The refused rows are in \ufffd.refused.csv.".encode() in ended.stdout


def test_a_workspace_with_such_a_name_works(desk: Path) -> None:
    there = os.fsencode(desk.parent) + b"/\xff"
    where = Path(os.fsdecode(there))
    shutil.copytree(desk, where)
    assert run_here(where, "send", ISSUE, "--yes").returncode == 0
    assert run_here(desk, "campaigns", "verify", SLUG, "--workspace", there).returncode == 0
