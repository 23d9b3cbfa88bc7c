"""`plan`, `send` and `campaigns`, as an operator uses them: nobody gets an issue twice, nobody is lost."""

from __future__ import annotations

import contextlib
import email
import email.policy
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailer.commands.signals import stop_on_signals
from mailer.spool.lock import exclusive_lock
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.stop import StopFlag
from tests.cli import Ran, run
from tests.desk import ISSUE, SLUG
from tests.spooled import Scripted, send_over

ROOT = Path(__file__).parents[2]
TEXT = """\
edition: morning
date: 2026-11-21
language: en
intro: Good morning, {{ subscriber.name or "reader" }}.
items:
  - title: Cranes stand still
    body: The harbour rests today.
  - title: For members
    body: Only for those who pay.
    only: '"member" in tags'
"""
ONE_OF_FOUR = "  pending            3\n  accepted           1\n"
READERS = """\
email,name,language,tags
anna@example.org,Anna,en,member
bob@example.com,Bob,en,
chen@example.net,陈,zh,
dora@example.org,,en,member
"""

pytestmark = pytest.mark.desk(readers=READERS, text=TEXT)


def outbox(desk: Path) -> dict[str, email.message.EmailMessage]:
    found = {}
    for path in sorted((desk / "outbox").glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, email.message.EmailMessage)
        found[message["To"].addresses[0].addr_spec] = message
    return found


def counts(desk: Path, slug: str = SLUG) -> dict[str, int]:
    shown = run(desk, "campaigns", "show", slug, "--json")
    assert shown.status == 0, shown.err
    return {state: number for state, number in shown.json["counts"].items() if number}


# -- plan -----------------------------------------------------------------------------------


def test_a_plan_tells_who_gets_it_and_who_does_not(desk: Path) -> None:
    run(desk, "subscribers", "unsubscribe", "bob@example.com")
    ran = run(desk, "plan", ISSUE)
    assert ran.status == 0, ran.err
    assert "3 will get it" in ran.out
    assert "1 will not: has unsubscribed" in ran.out
    assert '2 also get the parts that are only for "member" in tags (variant 1)' in ran.out
    assert SLUG in ran.out
    assert not (desk / "campaigns").exists()
    assert not (desk / "outbox").exists()


def test_a_plan_is_the_same_until_something_changes(desk: Path) -> None:
    first = run(desk, "plan", ISSUE, "--json").json
    assert first["recipients"] == 4
    assert first["variants"] == {"0": 2, "1": 2}
    assert first["domains"] == {"example.org": 2, "example.com": 1, "example.net": 1}
    assert first["status"] == "new"
    assert first["html_bytes"] > 1000
    assert run(desk, "plan", ISSUE, "--json").json == first
    run(desk, "subscribers", "unsubscribe", "bob@example.com")
    second = run(desk, "plan", ISSUE, "--json").json
    assert second["hash"] != first["hash"]
    assert second["content_hash"] == first["content_hash"]


def test_a_segment_narrows_the_plan(desk: Path) -> None:
    plan = run(desk, "plan", ISSUE, "--segment", 'language == "zh"', "--json").json
    assert plan["recipients"] == 1
    assert plan["excluded"] == {"outside_segment": 3}


@pytest.mark.parametrize("command", ["plan", "send"])
def test_a_wrong_segment_is_one_sentence(desk: Path, command: str) -> None:
    ran = run(desk, command, ISSUE, "--segment", 'langage == "zh"')
    assert ran.status == 2
    assert "langage" in ran.err
    assert "language" in ran.err
    assert not (desk / "campaigns").exists()


def test_a_wrong_only_is_told_at_its_line(desk: Path) -> None:
    (desk / ISSUE).write_text(TEXT.replace('"member" in tags', '"member" inn tags'), encoding="utf-8")
    ran = run(desk, "plan", ISSUE)
    assert ran.status == 2
    assert ran.err.startswith(f"{ISSUE}:10")


def test_a_plan_tells_what_changed_since_the_last_campaign(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    run(desk, "subscribers", "unsubscribe", "bob@example.com")
    run(desk, "subscribers", "add", "eve@example.org", "--consent", "asked by phone")
    (desk / "issues/next.yaml").write_text(TEXT.replace("11-21", "11-22"), encoding="utf-8")
    plan = run(desk, "plan", "issues/next.yaml", "--json").json
    assert plan["since"] == {"campaign": SLUG, "joined": 1, "left": 1}
    assert f"{SLUG}: 1 new, 1 gone" in run(desk, "plan", "issues/next.yaml").out


# -- send -----------------------------------------------------------------------------------


def test_everybody_gets_their_own_copy(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 0, ran.err
    messages = outbox(desk)
    assert set(messages) == {"anna@example.org", "bob@example.com", "chen@example.net", "dora@example.org"}
    anna, dora = messages["anna@example.org"], messages["dora@example.org"]
    text = anna.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "Good morning, Anna." in text
    assert "For members" in text
    assert "Good morning, reader." in dora.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "For members" not in messages["bob@example.com"].as_string()
    assert len({str(m["List-Unsubscribe"]) for m in messages.values()}) == 4
    assert "4 messages were handed to outbox:outbox" in ran.out
    assert counts(desk) == {"accepted": 4}


def test_a_second_send_reaches_nobody_twice(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    before = {path: path.stat().st_mtime_ns for path in (desk / "outbox").iterdir()}
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 0, ran.err
    assert f"There is nothing to do: {SLUG} was sent to 4 readers already." in ran.out
    assert {path: path.stat().st_mtime_ns for path in (desk / "outbox").iterdir()} == before


def test_a_copy_of_the_file_is_the_same_issue(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    (desk / "issues/copy.yaml").write_text(TEXT, encoding="utf-8")
    assert "nothing to do" in run(desk, "send", "issues/copy.yaml", "--yes").out


def test_an_edited_file_goes_on_as_it_was_archived(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(desk, monkeypatch, after=1)
    (desk / ISSUE).write_text(TEXT.replace("Cranes stand still", "Cranes dance"), encoding="utf-8")
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 0, ran.err
    assert "the issue has changed since" in ran.out
    assert "nobody" not in ran.out
    assert counts(desk) == {"accepted": 4}
    assert all("Cranes dance" not in message.as_string() for message in outbox(desk).values())


def test_another_segment_leaves_out_who_has_it_already(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes", "--segment", '"member" in tags')
    ran = run(desk, "send", ISSUE, "--yes", "--json")
    assert ran.json["slug"] == f"{SLUG}-2"
    assert ran.json["counts"]["accepted"] == 2
    assert ran.json["plan"]["excluded"] == {"received": 2}
    assert len(list((desk / "outbox").iterdir())) == 4


def test_another_issue_for_the_same_slot_is_a_warning(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    (desk / "issues/other.yaml").write_text(TEXT.replace("Cranes", "Ships"), encoding="utf-8")
    ran = run(desk, "plan", "issues/other.yaml")
    assert f"the morning edition of 2026-11-21 was sent already, from {ISSUE} (campaign {SLUG})" in ran.out
    assert f"{SLUG}-2" in ran.out


def test_send_asks_first(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, answer="n\n")
    assert ran.status == 1
    assert "Send it to 4 people now?" in ran.out
    assert "Nothing was sent." in ran.out
    assert not (desk / "outbox").exists()
    assert not (desk / "campaigns").exists()
    assert run(desk, "send", ISSUE, answer="y\n").status == 0
    assert len(outbox(desk)) == 4


def test_send_does_not_guess_where_nobody_can_answer(desk: Path) -> None:
    ran = run(desk, "send", ISSUE)
    assert ran.status == 2
    assert "add --yes, or --plan" in ran.err
    assert not (desk / "outbox").exists()


def test_a_plan_hash_sends_exactly_that_plan(desk: Path) -> None:
    planned = run(desk, "plan", ISSUE, "--json").json["hash"]
    run(desk, "subscribers", "add", "eve@example.org", "--consent", "asked by phone")
    ran = run(desk, "send", ISSUE, "--plan", planned)
    assert ran.status == 2
    assert "1 reader joined since that plan" in ran.err
    assert not (desk / "outbox").exists()
    assert not (desk / "campaigns").exists()
    planned = run(desk, "plan", ISSUE, "--json").json["hash"]
    assert run(desk, "send", ISSUE, "--plan", planned).status == 0
    assert len(outbox(desk)) == 5
    assert run(desk, "send", ISSUE, "--plan", planned).status == 0
    assert run(desk, "send", ISSUE, "--plan", "0000").status == 2


def test_an_issue_for_nobody_is_not_sent(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--yes", "--segment", 'language == "fr"')
    assert ran.status == 2
    assert "no reader would get this issue" in ran.err
    assert not (desk / "campaigns").exists()


def test_send_prints_one_json_document(desk: Path) -> None:
    document = run(desk, "send", ISSUE, "--yes", "--json").json
    assert document["slug"] == SLUG
    assert document["status"] == "sent"
    assert document["counts"]["accepted"] == 4
    assert document["sent_now"] == {"accepted": 4}


def test_without_a_secret_key_nothing_is_sent(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILER_SECRET_KEY")
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 2
    assert "MAILER_SECRET_KEY is not set" in ran.err
    assert not (desk / "outbox").exists()


def test_a_test_copy_makes_no_campaign(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--test", "anna@example.org")
    assert ran.status == 0, ran.err
    (message,) = outbox(desk).values()
    assert str(message["Subject"]).startswith("[Test] ")
    assert not (desk / "campaigns").exists()
    assert run(desk, "campaigns", "list", "--json").json == []
    assert run(desk, "send", ISSUE, "--test", "editor@example.test", "--json").json["result"] == "accepted"


def test_a_test_copy_never_goes_to_a_suppressed_address(desk: Path) -> None:
    run(desk, "subscribers", "erase", "anna@example.org", "--yes")
    ran = run(desk, "send", ISSUE, "--test", "anna@example.org")
    assert ran.status == 2
    assert "suppression list" in ran.err
    assert run(desk, "send", ISSUE, "--test", "no address").status == 2
    assert not (desk / "outbox").exists()


def test_a_test_copy_that_is_refused_says_so(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Scripted(lambda _: Outcome(OutcomeKind.REJECTED, "", "550 no"))
    monkeypatch.setattr(
        "mailer.services.planning.test_copy.open_transport", lambda url, settings, **_: refusing
    )
    ran = run(desk, "send", ISSUE, "--test", "anna@example.org")
    assert ran.status == 1
    assert "was rejected: 550 no" in ran.err


# -- what goes wrong ------------------------------------------------------------------------


def interrupted(desk: Path, monkeypatch: pytest.MonkeyPatch, *, after: int) -> Ran:
    """A send that is stopped by a signal after so many messages."""
    from mailer.transports.base import OutgoingMessage
    from mailer.transports.registry import open_transport

    with monkeypatch.context() as patch:
        done: list[str] = []
        stops: list[StopFlag] = []

        @contextlib.contextmanager
        def noted() -> Iterator[StopFlag]:
            with stop_on_signals() as stop:
                stops.append(stop)
                yield stop

        def slowly(url, settings, **_):
            real = open_transport(url, settings).channel()

            def decide(message: OutgoingMessage) -> Outcome:
                (outcome,) = real.send([message])
                done.append(message.address)
                if len(done) >= after:
                    os.kill(os.getpid(), signal.SIGTERM)
                    assert stops[0].wait(10)
                return outcome

            return Scripted(decide, concurrency=1)

        patch.setattr("mailer.services.sending.run.open_transport", slowly)
        patch.setattr("mailer.commands.sending.send.stop_on_signals", noted)
        return run(desk, "send", ISSUE, "--yes")


def test_a_signal_stops_cleanly_and_the_next_send_goes_on(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = interrupted(desk, monkeypatch, after=2)
    assert ran.status == 1
    assert "The run was stopped." in ran.out
    assert counts(desk) == {"accepted": 2, "pending": 2}
    assert run(desk, "campaigns", "show", SLUG, "--json").json["status"] == "stopped"
    again = run(desk, "send", ISSUE, "--yes")
    assert again.status == 0, again.err
    assert "2 messages were handed to" in again.out
    assert counts(desk) == {"accepted": 4}
    assert len(outbox(desk)) == 4


def test_two_sends_at_once_one_works_and_the_other_says_so(desk: Path) -> None:
    with exclusive_lock(desk / ".mailer" / f"{SLUG}.lock", "x"):
        ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert f"campaign {SLUG} is being sent by process {os.getpid()} already" in ran.err
    assert not (desk / "outbox").exists()
    assert run(desk, "send", ISSUE, "--yes").status == 0


def test_an_unreachable_server_loses_nothing(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--yes", "--transport", "smtp://127.0.0.1:1")
    assert ran.status == 1
    assert "127.0.0.1:1" in ran.err
    assert counts(desk) == {"pending": 4}
    assert run(desk, "campaigns", "show", SLUG, "--json").json["status"] == "stopped"
    assert run(desk, "send", ISSUE, "--yes", "--transport", "outbox:outbox").status == 0
    assert counts(desk) == {"accepted": 4}


def test_refusals_end_with_status_1_and_are_told(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def decide(message):
        if message.address.startswith("bob"):
            return Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 no such user")
        if message.address.startswith("chen"):
            return Outcome(OutcomeKind.UNCERTAIN, "", "the line went dead")
        return Outcome(OutcomeKind.ACCEPTED)

    with monkeypatch.context() as patch:
        send_over(patch, Scripted(decide))
        ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "1 rejected: 550 5.1.1 no such user" in ran.out
    assert "may or may not have arrived" in ran.out
    assert f"mailer campaigns retry {SLUG}" in ran.out
    assert counts(desk) == {"accepted": 2, "rejected": 1, "uncertain": 1}

    held = run(desk, "send", ISSUE, "--yes")
    assert held.status == 1
    assert "There is nothing to send: every delivery" in held.out
    assert not (desk / "outbox").exists()

    assert run(desk, "campaigns", "retry", SLUG).status == 1  # the uncertain one is still held
    assert list(outbox(desk)) == ["bob@example.com"]
    ran = run(desk, "campaigns", "resolve", SLUG)
    assert ran.status == 2
    assert "--assume-sent" in ran.err
    assert (
        "1 uncertain delivery counts as accepted"
        in run(desk, "campaigns", "resolve", SLUG, "--assume-sent").out
    )
    assert counts(desk) == {"accepted": 4}
    assert list(outbox(desk)) == ["bob@example.com"]


def test_what_is_uncertain_is_resent_only_when_asked(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        doubtful = Scripted(lambda _: Outcome(OutcomeKind.UNCERTAIN, "", "the line went dead"))
        send_over(patch, doubtful)
        run(desk, "send", ISSUE, "--yes")
    assert run(desk, "send", ISSUE, "--yes").status == 1
    assert not (desk / "outbox").exists()
    ran = run(desk, "campaigns", "resolve", SLUG, "--resend", "--json")
    assert ran.status == 0, ran.err
    assert ran.json["sent_now"] == {"accepted": 4}
    assert len(outbox(desk)) == 4


def test_the_resend_policy_is_a_choice_of_the_workspace(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILER_DELIVERY_UNCERTAIN", "resend")
    with monkeypatch.context() as patch:
        doubtful = Scripted(lambda _: Outcome(OutcomeKind.UNCERTAIN, "", "the line went dead"))
        send_over(patch, doubtful)
        run(desk, "send", ISSUE, "--yes")
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert len(outbox(desk)) == 4


def test_an_archive_that_cannot_be_written_leaves_no_campaign(desk: Path) -> None:
    (desk / "campaigns").write_text("a file in the way")
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "campaigns" in ran.err
    assert run(desk, "campaigns", "list", "--json").json == []
    assert not (desk / "outbox").exists()
    (desk / "campaigns").unlink()
    assert run(desk, "send", ISSUE, "--yes").status == 0


def test_a_locked_database_is_one_sentence(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mailer.store.database.BUSY_SECONDS", 0.1)
    monkeypatch.setattr(
        "mailer.services.workspace.open_store", lambda path: open_store(path, busy_seconds=0.1)
    )
    other = sqlite3.connect(desk / "subscribers.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ran = run(desk, "send", ISSUE, "--yes")
    other.execute("ROLLBACK")
    other.close()
    assert ran.status == 1
    assert "another process is writing to the database" in ran.err
    assert not (desk / "outbox").exists()
    assert run(desk, "campaigns", "list", "--json").json == []


def test_a_kill_leaves_a_campaign_that_can_go_on(desk: Path) -> None:
    """A real process, killed while it sends; then a real second one."""
    (desk / "mailer.toml").write_text(
        (desk / "mailer.toml").read_text("utf-8") + '\n[pace]\nlimit = "2/s"\n', encoding="utf-8"
    )
    command = [sys.executable, str(ROOT / "cli.py"), "send", ISSUE, "--yes"]
    process = subprocess.Popen(command, cwd=desk, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while (
        not list((desk / "outbox").glob("*.eml")) and process.poll() is None and time.monotonic() < deadline
    ):
        time.sleep(0.02)
    process.kill()
    process.wait(10)
    arrived = {path.name for path in (desk / "outbox").glob("*.eml")}
    assert 0 < len(arrived) < 4
    finished = subprocess.run(
        command,
        cwd=desk,
        env={**os.environ, "MAILER_PACE_LIMIT": "1000/s"},
        capture_output=True,
        timeout=60,
        text=True,
    )
    assert "Traceback" not in finished.stderr
    state = counts(desk)
    assert state.get("accepted", 0) + state.get("uncertain", 0) == 4
    assert state.get("uncertain", 0) <= 1
    assert len(list((desk / "outbox").glob("*.eml"))) >= 3


# -- campaigns ------------------------------------------------------------------------------


def test_campaigns_are_listed_and_shown(desk: Path) -> None:
    assert "There is no campaign yet" in run(desk, "campaigns", "list").out
    run(desk, "send", ISSUE, "--yes")
    assert SLUG in run(desk, "campaigns", "list").out
    (listed,) = run(desk, "campaigns", "list", "--json").json
    assert listed["slug"] == SLUG
    shown = run(desk, "campaigns", "show", SLUG).out
    assert "issues/2026-11-21-morning.yaml" in shown
    assert "accepted" in shown
    document = run(desk, "campaigns", "show", SLUG, "--json").json
    assert {"slug", "status", "issue", "edition", "plan", "counts"} <= set(document)
    assert document["counts"] == {
        "pending": 0,
        "sending": 0,
        "accepted": 4,
        "rejected": 0,
        "deferred": 0,
        "uncertain": 0,
        "skipped": 0,
    }


@pytest.mark.parametrize("verb", ["show", "pause", "cancel", "resume", "retry", "verify"])
def test_a_campaign_that_is_not_there(desk: Path, verb: str) -> None:
    ran = run(desk, "campaigns", verb, "2026-01-01-morning")
    assert ran.status == 2
    assert 'there is no campaign "2026-01-01-morning"' in ran.err


def test_a_paused_campaign_waits_for_resume(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(desk, monkeypatch, after=1)
    assert run(desk, "campaigns", "pause", SLUG).out == f"Campaign {SLUG} is paused.\n{ONE_OF_FOUR}"
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 2
    assert f"`mailer campaigns resume {SLUG}`" in ran.err
    assert counts(desk) == {"accepted": 1, "pending": 3}
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert counts(desk) == {"accepted": 4}
    assert run(desk, "campaigns", "pause", SLUG).status == 2


def test_a_cancelled_campaign_stays_unsent(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(desk, monkeypatch, after=1)
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    for words in (("send", ISSUE, "--yes"), ("campaigns", "resume", SLUG), ("campaigns", "retry", SLUG)):
        ran = run(desk, *words)
        assert ran.status == 2, words
        assert "was cancelled" in ran.err
    assert counts(desk) == {"accepted": 1, "pending": 3}


def test_a_campaign_goes_on_without_its_issue(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(desk, monkeypatch, after=1)
    (desk / ISSUE).unlink()
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert len(outbox(desk)) == 4


def test_a_retry_with_nothing_to_retry(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    ran = run(desk, "campaigns", "retry", SLUG)
    assert ran.status == 0
    assert "No delivery was rejected or deferred." in ran.out


def test_a_campaign_folder_is_verified(desk: Path) -> None:
    run(desk, "send", ISSUE, "--yes")
    assert run(desk, "campaigns", "verify", SLUG).status == 0
    assert run(desk, "campaigns", "verify", SLUG, "--json").json == {
        "slug": SLUG,
        "ok": True,
        "findings": [],
        "notes": [],
    }
    page = desk / "campaigns" / SLUG / "web.html"
    page.write_text(page.read_text("utf-8") + "<!-- changed -->", encoding="utf-8")
    ran = run(desk, "campaigns", "verify", SLUG)
    assert ran.status == 1
    assert "web.html" in ran.out


def test_an_unsubscribe_between_plan_and_send_wins(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    interrupted(desk, monkeypatch, after=1)
    run(desk, "subscribers", "unsubscribe", "dora@example.org")
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert counts(desk) == {"accepted": 3, "skipped": 1}
    assert "dora@example.org" not in outbox(desk)
