"""`send --at`, `--at-local`, `run-due`: what is due goes out once, what is too late waits to be asked for."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mailer.campaign.campaign import Campaign
from mailer.campaign.due import due_campaigns
from mailer.config import load_settings
from mailer.errors import TransportError
from mailer.services.due.send_due import send_due_campaigns
from mailer.services.sending.schedule_issue import schedule_issue
from mailer.services.workspace import make_workspace
from mailer.spool.journal import Journal
from mailer.spool.lock import campaign_lock
from mailer.store.database import open_store, writing
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.refusal.refusal import Cause
from mailer.transports.stop import StopFlag
from tests.cli import Ran, run
from tests.clock import Clock
from tests.spooled import Scripted, find_campaign, open_spool

SLUG = "2026-11-22-morning"
ISSUE = "issues/2026-11-22-morning.yaml"
TEXT = """\
edition: morning
date: 2026-11-22
language: en
items:
  - title: Cranes stand still
    body: The harbour rests today.
"""
#: Auckland is 13 hours ahead of UTC, Shanghai (the workspace) 8, Berlin 1.
READERS = """\
email,name,timezone
anna@example.org,Anna,Asia/Shanghai
bob@example.com,Bob,
chen@example.net,陈,Pacific/Auckland
dora@example.org,,Europe/Berlin
"""
EVERYBODY = {"anna@example.org", "bob@example.com", "chen@example.net", "dora@example.org"}
EIGHT = "2026-11-22T00:00"  # 08:00 in Shanghai

pytestmark = [pytest.mark.usefixtures("clock"), pytest.mark.desk(readers=READERS, text=TEXT, issue=ISSUE)]


def schedule(desk: Path, *words: str) -> Ran:
    ran = run(desk, "send", ISSUE, "--yes", *(words or ("--at", "08:00")))
    assert ran.status == 0, ran.err
    return ran


def status(desk: Path, slug: str = SLUG) -> str:
    shown = run(desk, "campaigns", "show", slug, "--json")
    assert shown.status == 0, shown.err
    return str(shown.json["status"])


def counts(desk: Path) -> dict[str, int]:
    found = run(desk, "campaigns", "show", SLUG, "--json").json["counts"]
    return {state: number for state, number in found.items() if number}


def manifest(desk: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads((desk / "campaigns" / SLUG / "manifest.json").read_text())
    return found


# -- one time for all -----------------------------------------------------------------------


def test_a_scheduled_campaign_is_frozen_and_nothing_is_sent(desk: Path, wire: Scripted) -> None:
    ran = schedule(desk, "--at", "2026-11-22T08:00")
    assert "Goes out   Sun 22 Nov 2026 08:00 (Asia/Shanghai)" in ran.out
    assert f"Campaign {SLUG} is scheduled: it goes out at Sun 22 Nov 2026 08:00 (Asia/Shanghai)." in ran.out
    assert "mailer run-due" in ran.out
    assert wire.sent == []
    assert status(desk) == "scheduled"
    assert manifest(desk)["status"] == "scheduled"
    assert manifest(desk)["schedule"] == {
        "due_at": "2026-11-22T00:00:00.000000Z",
        "local_time": "",
        "slots": [],
    }
    assert run(desk, "campaigns", "verify", SLUG).status == 0
    assert "[due Sun 22 Nov 2026 08:00 (Asia/Shanghai)]" in run(desk, "campaigns", "list").out
    assert "due        Sun 22 Nov 2026 08:00 (Asia/Shanghai)" in run(desk, "campaigns", "show", SLUG).out


def test_json_says_when(desk: Path, wire: Scripted) -> None:
    document = schedule(desk, "--at", "2026-11-22T08:00+01:00", "--json").json
    assert document["due_at"] == "2026-11-22T07:00:00.000000Z"
    assert document["status"] == "scheduled"
    assert document["counts"]["pending"] == 4
    assert run(desk, "campaigns", "show", SLUG, "--json").json["due_at"] == document["due_at"]


def test_it_goes_out_when_its_time_has_come_and_not_before_and_once(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk)
    clock.set("2026-11-21T23:59")
    assert run(desk, "run-due") == Ran(0, "", "")
    clock.set(EIGHT)
    ran = run(desk, "run-due")
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == f"{SLUG}: 4 accepted; sent\n"
    assert set(wire.sent) == EVERYBODY
    assert manifest(desk)["status"] == "sent"
    clock.forward(minutes=1)
    assert run(desk, "run-due") == Ran(0, "", "")
    assert len(wire.sent) == 4


def test_run_due_tells_as_json(desk: Path, clock: Clock, wire: Scripted) -> None:
    assert run(desk, "run-due", "--json").json == []
    schedule(desk)
    clock.set(EIGHT)
    (done,) = run(desk, "run-due", "--json").json
    assert (done["slug"], done["status"], done["sent_now"]) == (SLUG, "sent", {"accepted": 4})


def test_what_was_approved_is_what_is_sent(desk: Path, clock: Clock) -> None:
    schedule(desk)
    (desk / ISSUE).write_text(TEXT.replace("Cranes stand still", "Cranes fall"), encoding="utf-8")
    run(desk, "subscribers", "unsubscribe", "bob@example.com")
    run(desk, "subscribers", "add", "eve@example.org", "--consent", "asked by phone")
    clock.set(EIGHT)
    assert run(desk, "run-due").status == 0
    messages = [path.read_text() for path in (desk / "outbox").glob("*.eml")]
    assert len(messages) == 3
    assert all(
        "Cranes stand still" in text and "eve@" not in text and "bob@" not in text for text in messages
    )
    assert counts(desk) == {"accepted": 3, "skipped": 1}


def test_a_person_is_asked_with_the_time(desk: Path) -> None:
    ran = run(desk, "send", ISSUE, "--at", "08:00", answer="n\n")
    assert "Send it to 4 people at Sun 22 Nov 2026 08:00 (Asia/Shanghai)?" in ran.out
    assert run(desk, "campaigns", "list", "--json").json == []
    ran = run(desk, "send", ISSUE, "--at", "08:00")
    assert ran.status == 2
    assert "nobody can confirm" in ran.err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--at", "2026-11-21T08:00"), "has passed"),
        (("--at", "soon"), "is not a time"),
        (("--at-local", "8"), "is not a time of day"),
        (("--at", "08:00", "--at-local", "08:00"), "use either --at"),
        (("--at", "08:00", "--test", "me@example.org"), "leave --at and --at-local out"),
        (("--at-local", "08:00", "--test", "me@example.org"), "leave --at and --at-local out"),
        (("--at", "08:00", "--segment", 'language == "fr"'), "no reader would get this issue"),
        (("--at", "08:00", "--plan", "0000"), "plan 0000 is not known"),
    ],
)
def test_wrong_usage_changes_nothing(desk: Path, words: Sequence[str], sentence: str) -> None:
    ran = run(desk, "send", ISSUE, "--yes", *words)
    assert ran.status == 2
    assert sentence in ran.err
    assert not (desk / "campaigns").exists()
    assert run(desk, "campaigns", "list", "--json").json == []


def test_a_plan_can_be_asked_with_a_time(desk: Path) -> None:
    assert "Goes out   Sun 22 Nov 2026 08:00" in run(desk, "plan", ISSUE, "--at", "08:00").out
    assert run(desk, "plan", ISSUE, "--at", "08:00", "--json").json["due_at"] == "2026-11-22T00:00:00.000000Z"


def test_an_hour_means_that_of_the_issues_date(desk: Path, clock: Clock, wire: Scripted) -> None:
    clock.set("2026-11-20T22:00")  # 06:00 of the day before the issue's, where today's 08:00 is to come
    ran = schedule(desk, "--at", "08:00")
    assert "Goes out   Sun 22 Nov 2026 08:00 (Asia/Shanghai), the issue's date\n" in ran.out
    assert "Warning" not in ran.out
    clock.set("2026-11-21T00:00")
    assert run(desk, "run-due") == Ran(0, "", "")
    clock.set(EIGHT)
    assert run(desk, "run-due").out == f"{SLUG}: 4 accepted; sent\n"


def test_the_plan_says_where_an_hour_is_not_of_the_issues_date(desk: Path, clock: Clock) -> None:
    clock.set("2026-11-22T10:00")
    out = run(desk, "plan", ISSUE, "--at", "08:00").out
    assert "Goes out   Mon 23 Nov 2026 08:00 (Asia/Shanghai), the next time it is 08:00\n" in out
    assert "Warning    the issue is dated 2026-11-22, but is sent on 2026-11-23" in out
    assert "the next time" not in run(desk, "plan", ISSUE, "--at", "2026-11-23T08:00").out


# -- the edition's usual time ---------------------------------------------------------------


def test_the_usual_time_is_that_of_the_edition_on_the_issues_date(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    ran = schedule(desk, "--at", "usual")
    assert "Goes out   Sun 22 Nov 2026 08:00 (Asia/Shanghai), the usual time of morning\n" in ran.out
    clock.set(EIGHT)
    assert run(desk, "run-due").out == f"{SLUG}: 4 accepted; sent\n"


def test_a_usual_time_that_has_passed_or_that_there_is_none_of_is_told(desk: Path, clock: Clock) -> None:
    clock.set("2026-11-22T00:00")
    ran = run(desk, "send", ISSUE, "--yes", "--at", "usual")
    assert (ran.status, "Sun 22 Nov 2026 08:00 (Asia/Shanghai) has passed" in ran.err) == (2, True)
    clock.set("2025-11-20T00:00")
    assert "more than a year away" in run(desk, "send", ISSUE, "--yes", "--at", "usual").err
    (desk / ISSUE).write_text(TEXT.replace("morning", "evening"), encoding="utf-8")
    ran = run(desk, "send", ISSUE, "--yes", "--at", "usual")
    assert ran.status == 2
    assert ran.err == (
        "mailer: the evening edition has no usual time; write a time, as in --at 08:00, or add "
        'time = "08:00" under [editions.evening] of mailer.toml\n'
    )
    assert not (desk / "campaigns").exists()


@pytest.mark.parametrize(
    ("now", "warning"),
    [
        (
            "2026-11-21T22:59",
            "now is 61 minutes before the usual time of morning; `--at usual` waits for that time",
        ),
        ("2026-11-21T23:00", ""),
        ("2026-11-22T01:00", ""),
        ("2026-11-22T01:01", "now is 61 minutes after the usual time of morning"),
        ("2026-11-22T12:20", "now is 12 hours after the usual time of morning"),
        (
            "2026-11-19T12:00",
            "now is 60 hours before the usual time of morning; `--at usual` waits for that time",
        ),
        ("2026-11-27T12:00", "now is 5 days after the usual time of morning"),
    ],
)
def test_a_plan_without_a_time_shows_the_usual_one_and_warns_of_another(
    desk: Path, clock: Clock, now: str, warning: str
) -> None:
    clock.set(now)
    document = run(desk, "plan", ISSUE, "--json").json
    assert document["usual_at"] == "2026-11-22T00:00:00.000000Z"
    assert document["time_warnings"] == ([warning] if warning else [])
    for ran in (run(desk, "plan", ISSUE), run(desk, "send", ISSUE, answer="n\n")):
        assert "Usual time Sun 22 Nov 2026 08:00 (Asia/Shanghai)\n" in ran.out
        assert ("Warning" in ran.out) == bool(warning)
        assert f"Warning    {warning}" in ran.out or not warning
    assert "Usual time" not in run(desk, "plan", ISSUE, "--at", "2026-11-28T08:00").out


def test_an_edition_without_a_usual_time_shows_none(desk: Path, clock: Clock) -> None:
    (desk / ISSUE).write_text(TEXT.replace("morning", "evening"), encoding="utf-8")
    assert "Usual time" not in run(desk, "plan", ISSUE).out
    assert run(desk, "plan", ISSUE, "--json").json["usual_at"] is None


def test_what_a_time_warns_of_is_in_the_json_too(desk: Path, clock: Clock) -> None:
    document = run(desk, "plan", ISSUE, "--at", "2026-11-23T08:00", "--json").json
    assert document["time_warnings"] == ["the issue is dated 2026-11-22, but is sent on 2026-11-23"]


def test_a_campaign_that_goes_on_has_no_usual_time(desk: Path, clock: Clock, wire: Scripted) -> None:
    run(desk, "send", ISSUE, "--yes")
    run(desk, "subscribers", "add", "eve@example.org")
    assert "Usual time" not in run(desk, "plan", ISSUE).out


def test_sending_what_waits_says_for_what_and_sends_nothing(desk: Path, wire: Scripted) -> None:
    schedule(desk)
    for words in (("--yes",), (), ("--yes", "--at", "09:00"), ("--yes", "--at-local", "08:00")):
        ran = run(desk, "send", ISSUE, *words)
        assert ran.status == 2
        assert f"campaign {SLUG} is scheduled for Sun 22 Nov 2026 08:00 (Asia/Shanghai)" in ran.err
        assert f"`mailer campaigns resume {SLUG}` sends it now" in ran.err
    assert wire.sent == []
    assert run(desk, "campaigns", "retry", SLUG).status == 2
    assert wire.sent == []


def test_a_campaign_that_was_sent_gets_no_time(desk: Path, wire: Scripted) -> None:
    run(desk, "send", ISSUE, "--yes")
    ran = run(desk, "send", ISSUE, "--yes", "--at", "08:00")
    assert ran.status == 2
    assert f"campaign {SLUG} of this issue is already sent, so it cannot be scheduled" in ran.err


def test_to_change_it_it_is_cancelled_and_sent_again(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert manifest(desk)["status"] == "cancelled"
    (desk / ISSUE).write_text(TEXT.replace("Cranes stand still", "Cranes fall"), encoding="utf-8")
    ran = schedule(desk)
    assert "already" not in ran.out
    clock.set(EIGHT)
    assert run(desk, "run-due").out == f"{SLUG}-2: 4 accepted; sent\n"
    assert sorted(wire.sent) == sorted(EVERYBODY)


def test_resume_sends_a_scheduled_campaign_at_once(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)
    ran = run(desk, "campaigns", "resume", SLUG)
    assert ran.status == 0, ran.err
    assert set(wire.sent) == EVERYBODY
    clock.set(EIGHT)
    assert run(desk, "run-due") == Ran(0, "", "")


def test_what_is_paused_before_its_time_is_not_sent_and_resume_waits_again(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk)
    assert run(desk, "campaigns", "pause", SLUG).status == 0
    ran = run(desk, "campaigns", "resume", SLUG)
    assert ran.status == 0
    assert "is scheduled for Sun 22 Nov 2026 08:00" in ran.out
    assert status(desk) == "scheduled"
    assert run(desk, "campaigns", "pause", SLUG).status == 0
    clock.set(EIGHT)
    assert run(desk, "run-due") == Ran(0, "", "")
    assert wire.sent == []
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert set(wire.sent) == EVERYBODY


def test_warnings_about_the_day(desk: Path, wire: Scripted) -> None:
    ran = schedule(desk, "--at", "2026-11-24T08:00")
    assert "Warning    the issue is dated 2026-11-22, but is sent on 2026-11-24" in ran.out
    other = "issues/other.yaml"
    (desk / other).write_text(TEXT.replace("stand", "rest").replace("11-22", "11-24"), encoding="utf-8")
    ran = run(desk, "plan", other, "--at", "2026-11-24T09:00")
    assert f"is sent on the same day: campaign {SLUG}, Tue 24 Nov 2026 08:00 (Asia/Shanghai)" in ran.out
    (desk / other).write_text(TEXT.replace("stand", "rest"), encoding="utf-8")
    ran = run(desk, "plan", other, "--at", "2026-11-22T09:00")
    assert f"the morning edition of 2026-11-22 is planned already, from {ISSUE} (campaign {SLUG})" in ran.out


# -- too late -------------------------------------------------------------------------------


def test_an_hour_late_is_still_sent(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)
    clock.set("2026-11-22T01:00")
    assert run(desk, "run-due").status == 0
    assert set(wire.sent) == EVERYBODY


def test_more_than_an_hour_late_is_told_once_and_never_sent_unasked(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk)
    clock.set("2026-11-22T01:01")
    ran = run(desk, "run-due")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == (
        f"{SLUG}: campaign {SLUG} missed its time (it was due Sun 22 Nov 2026 08:00 (Asia/Shanghai)), "
        f"so it was not sent. `mailer campaigns resume {SLUG}` sends it now, "
        f"`mailer campaigns cancel {SLUG}` cancels it\n"
    )
    assert status(desk) == manifest(desk)["status"] == "missed"
    assert run(desk, "run-due") == Ran(0, "", "")
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 2
    assert "missed its time" in ran.err
    assert wire.sent == []
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert set(wire.sent) == EVERYBODY
    assert status(desk) == "sent"


def test_what_was_missed_can_be_dropped(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)
    clock.set("2026-11-22T09:00")
    run(desk, "run-due")
    assert run(desk, "campaigns", "cancel", SLUG).status == 0
    assert run(desk, "run-due") == Ran(0, "", "")
    assert wire.sent == []


# -- crashes, outages, two at once ----------------------------------------------------------


def die_in_the_middle(desk: Path, accepted: int = 1) -> None:
    """Leaves the campaign as a run does that was killed: some accepted, the rest pending, `sending`."""
    db = open_store(load_settings(desk).database)
    spool = open_spool(db, find_campaign(db, SLUG))
    spool.set_status("sending")
    claims = spool.claim(accepted)
    assert claims is not None
    ok = Outcome(OutcomeKind.ACCEPTED, "ok")
    spool.settle([(claim.person, claim.attempt, ok, "") for claim in claims])
    db.close()


def test_what_died_in_the_middle_is_finished_by_the_next_run(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk)
    clock.set("2026-11-22T00:10")
    die_in_the_middle(desk)
    clock.set("2026-11-22T01:05")  # more than an hour after its time, less after the last sign of life
    assert run(desk, "run-due").status == 0
    assert len(wire.sent) == 3
    assert counts(desk) == {"accepted": 4}
    assert status(desk) == "sent"


def test_what_died_in_the_middle_long_ago_is_missed(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)
    clock.set("2026-11-22T00:10")
    die_in_the_middle(desk)
    clock.set("2026-11-22T01:11")
    assert run(desk, "run-due").status == 1
    assert status(desk) == "missed"
    assert wire.sent == []
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert counts(desk) == {"accepted": 4}
    assert len(wire.sent) == 3


def test_a_plain_send_that_died_is_not_the_schedules_business(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("mailer.services.sending.send.run_campaign", lambda *_, **__: exit(9))
        assert run(desk, "send", ISSUE, "--yes").status == 9
    die_in_the_middle(desk)
    assert run(desk, "run-due") == Ran(0, "", "")
    assert wire.sent == []


def test_who_is_sent_to_already_is_left_to_the_other_process(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk)
    clock.set(EIGHT)
    with campaign_lock(load_settings(desk), SLUG):
        assert run(desk, "run-due") == Ran(0, "", "")
    assert wire.sent == []


def test_two_runs_that_saw_the_same_send_it_once(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)
    clock.set(EIGHT)
    settings = load_settings(desk)
    first, second = open_store(settings.database), open_store(settings.database)
    slow = send_due_campaigns(make_workspace(settings, first), stop=StopFlag())

    def meanwhile(_: OutgoingMessage) -> Outcome:
        assert list(send_due_campaigns(make_workspace(settings, second), stop=StopFlag())) == []
        return Outcome(OutcomeKind.ACCEPTED, "ok")

    wire.decide = meanwhile
    wire.concurrency = 1
    assert [done.is_complete for done in slow] == [True]
    assert sorted(wire.sent) == sorted(EVERYBODY)
    for db in (first, second):
        db.close()


def unreachable(*_: object, **__: object) -> Scripted:
    raise TransportError("mail.example.org port 25 does not answer")


def test_an_outage_is_tried_again_until_it_is_too_late(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule(desk)

    def refuse(_: OutgoingMessage) -> Outcome:
        raise TransportError("the server closed the connection")

    clock.set(EIGHT)
    wire.decide = refuse
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "the server closed the connection" in ran.err
    assert f"`mailer campaigns resume {SLUG}` tries them at once" in ran.err
    assert status(desk) == "scheduled"
    clock.forward(minutes=1)
    wire.decide = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok")
    with monkeypatch.context() as patch:
        patch.setattr("mailer.services.sending.run.open_transport", unreachable)
        assert "does not answer" in run(desk, "run-due").err
    ran = run(desk, "send", ISSUE, "--yes")
    assert "was due Sun 22 Nov 2026 08:00 (Asia/Shanghai) and is tried again (the server closed" in ran.err
    clock.set("2026-11-22T00:59")
    assert run(desk, "run-due").status == 0
    assert status(desk) == "sent"


def test_after_an_hour_of_outage_it_is_missed_and_says_why(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)

    def refuse(_: OutgoingMessage) -> Outcome:
        raise TransportError("the server closed the connection")

    wire.decide = refuse
    clock.set(EIGHT)
    run(desk, "run-due")
    clock.set("2026-11-22T01:30")
    ran = run(desk, "run-due")
    assert "missed its time" in ran.err
    assert "before, the server closed the connection" in ran.err
    assert status(desk) == "missed"


def test_a_campaign_that_braked_waits_for_the_operator(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.delivery.loop.DOUBTS_IN_A_ROW", 2)
    wire.decide = lambda _: Outcome(OutcomeKind.UNCERTAIN, reason="no answer")
    wire.concurrency = 1
    schedule(desk)
    clock.set(EIGHT)
    assert "stopped itself" in run(desk, "run-due").err
    assert status(desk) == "stopped"
    assert run(desk, "run-due") == Ran(0, "", "")


def test_a_stop_by_signal_goes_on_with_the_next_run(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)
    clock.set(EIGHT)
    settings = load_settings(desk)
    db = open_store(settings.database)
    stop = StopFlag()

    def once(_: OutgoingMessage) -> Outcome:
        stop.set()
        return Outcome(OutcomeKind.ACCEPTED, "ok")

    wire.decide, wire.concurrency = once, 1
    (done,) = send_due_campaigns(make_workspace(settings, db), stop=stop)
    db.close()
    assert not done.is_complete
    assert done.campaign.status == status(desk) == "scheduled"
    assert 0 < len(wire.sent) < 4 or counts(desk) == {"accepted": 4}
    assert run(desk, "run-due").status == 0
    assert sorted(wire.sent) == sorted(EVERYBODY)


def test_what_is_deferred_goes_on_by_itself_for_a_day_and_is_given_up_then(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.delivery.retry.random.uniform", lambda *_: 1.0)
    wire.decide = lambda m: Outcome(
        OutcomeKind.DEFERRED if m.address == "bob@example.com" else OutcomeKind.ACCEPTED,
        reason="451 greylisted",
    )
    schedule(desk)
    clock.set(EIGHT)
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "3 accepted, 1 deferred; stopped (1 is deferred), resumes" in ran.out + ran.err
    assert (status(desk), counts(desk)) == ("stopped", {"accepted": 3, "deferred": 1})
    assert run(desk, "run-due") == Ran(0, "", "")
    expected = [1, 2, 4, 8, 16, 32, 64, 128, 256, 496, 736, 976, 1216]
    looked_at = {
        *range(1, 40),
        *range(40, 24 * 60, 30),
        *(each + near for each in expected for near in (-1, 0, 1)),
    }
    tries, last = [], 0
    for minute in sorted(looked_at - {0} | {24 * 60 - 1, 24 * 60}):
        clock.forward(minutes=minute - last)
        last = minute
        if run(desk, "run-due").out and minute < 24 * 60:
            tries.append(minute)
        if counts(desk).get("rejected"):
            break
    assert tries == expected
    assert minute == 24 * 60
    assert (status(desk), counts(desk)) == ("sent", {"accepted": 3, "rejected": 1})
    (given_up,) = run(desk, "campaigns", "deliveries", SLUG, "--state", "rejected", "--json").json
    assert (given_up["cause"], given_up["reason"]) == ("them", "451 greylisted")
    assert run(desk, "subscribers", "show", "bob@example.com", "--json").json["status"] == "active"


def test_what_is_deferred_longer_than_a_day_because_nobody_was_there_is_given_up(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    wire.decide = lambda _: Outcome(OutcomeKind.DEFERRED, reason="451 greylisted")
    schedule(desk)
    clock.set(EIGHT)
    assert run(desk, "run-due").status == 1
    tried = len(wire.sent)
    clock.forward(hours=30)
    run(desk, "run-due")
    assert counts(desk) == {"rejected": 4}
    assert len(wire.sent) == tried
    assert status(desk) == "stopped"
    assert (
        "no reader has the issue: all 4 deliveries were refused" in run(desk, "campaigns", "show", SLUG).out
    )


def test_a_retry_begins_the_time_for_deferred_mail_anew(desk: Path, clock: Clock, wire: Scripted) -> None:
    wire.decide = lambda _: Outcome(OutcomeKind.DEFERRED, reason="451 greylisted")
    schedule(desk)
    clock.set(EIGHT)
    run(desk, "run-due")
    clock.forward(hours=30)
    run(desk, "run-due")
    assert run(desk, "campaigns", "retry", SLUG).status == 1
    assert counts(desk) == {"deferred": 4}
    wire.decide = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok")
    clock.forward(hours=3)
    assert run(desk, "run-due").status == 0
    assert (status(desk), counts(desk)) == ("sent", {"accepted": 4})


def test_a_foreground_send_says_how_many_wait_until_when(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.delivery.retry.random.uniform", lambda *_: 1.0)
    wire.decide = lambda m: Outcome(
        OutcomeKind.DEFERRED if m.address == "bob@example.com" else OutcomeKind.ACCEPTED,
        reason="451 greylisted",
    )
    clock.set(EIGHT)
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "3 messages were handed to" in ran.out
    assert (
        "1 deferred delivery is tried again by a running `mailer serve`, or by `mailer run-due` (for cron), "
        "from" in ran.out
    )
    assert "Sun 22 Nov 2026 08:01" in ran.out
    wire.decide = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok")
    clock.forward(minutes=61)  # more than an hour after its time: that is for campaigns that have not begun
    assert run(desk, "run-due").status == 0
    assert (status(desk), counts(desk)) == ("sent", {"accepted": 4})


def greylist(wire: Scripted, *gone: str) -> None:
    """Everybody is deferred, or those alone that are named."""
    wire.decide = lambda m: (
        Outcome(OutcomeKind.DEFERRED, reason="451 greylisted", cause=Cause.THEM)
        if not gone or m.address in gone
        else Outcome(OutcomeKind.ACCEPTED, "ok")
    )


def accept_all(wire: Scripted) -> None:
    wire.decide = lambda _: Outcome(OutcomeKind.ACCEPTED, "ok")


def test_deferred_mail_survives_an_outage_of_more_than_an_hour(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    greylist(wire)
    clock.set(EIGHT)
    assert run(desk, "send", ISSUE, "--yes").status == 1

    def down(_: OutgoingMessage) -> Outcome:
        raise TransportError("the server is not there")

    wire.decide = down
    for _ in range(5):
        clock.forward(minutes=20)
        assert run(desk, "run-due").status == 1
    assert status(desk) == "scheduled"
    accept_all(wire)
    clock.forward(hours=3)
    assert run(desk, "run-due").status == 0
    assert (status(desk), counts(desk)) == ("sent", {"accepted": 4})


def test_deferred_mail_whose_try_was_cut_off_is_tried_again_hours_later(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    greylist(wire)
    schedule(desk)
    clock.set(EIGHT)
    assert run(desk, "run-due").status == 1
    stop = StopFlag()

    def cut_off(_: OutgoingMessage) -> Outcome:
        stop.set()
        return Outcome(OutcomeKind.DEFERRED, reason="the run ended before the message was sent")

    wire.decide, wire.concurrency = cut_off, 1
    clock.forward(minutes=2)
    db = open_store(load_settings(desk).database)
    list(send_due_campaigns(make_workspace(load_settings(desk), db), stop=stop))
    db.close()
    accept_all(wire)
    clock.forward(hours=2)
    run(desk, "run-due")
    clock.forward(minutes=2)
    run(desk, "run-due")
    assert (status(desk), counts(desk)) == ("sent", {"accepted": 4})


def test_what_was_given_up_while_nobody_was_there_is_told_once(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    greylist(wire)
    clock.set(EIGHT)
    assert run(desk, "send", ISSUE, "--yes").status == 1
    clock.forward(hours=26)
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "4 rejected; stopped (no reader has the issue: all 4 deliveries were refused)" in ran.out + ran.err
    assert "goes on" not in ran.out + ran.err
    for _ in range(3):
        clock.forward(minutes=1)
        assert run(desk, "run-due") == Ran(0, "", "")
    assert "goes on" not in run(desk, "campaigns", "list").out
    assert run(desk, "send", ISSUE, "--yes").status == 1


def test_an_operators_try_at_a_dead_server_does_not_end_the_automatic_ones(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    greylist(wire)
    clock.set(EIGHT)
    assert run(desk, "send", ISSUE, "--yes").status == 1

    def down(_: OutgoingMessage) -> Outcome:
        raise TransportError("the server is not there")

    wire.decide = down
    assert run(desk, "send", ISSUE, "--yes").status == 1
    assert "[goes on " in run(desk, "campaigns", "list").out
    accept_all(wire)
    clock.forward(minutes=2)
    assert run(desk, "run-due").status == 0
    assert counts(desk) == {"accepted": 4}


def test_a_cancelled_campaign_promises_nothing_to_the_deferred(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    greylist(wire)
    clock.set(EIGHT)
    run(desk, "send", ISSUE, "--yes")
    assert (
        "They are tried again automatically, with growing pauses." in run(desk, "campaigns", "show", SLUG).out
    )
    run(desk, "campaigns", "cancel", SLUG)
    shown = run(desk, "campaigns", "show", SLUG).out
    assert "goes on" not in shown
    assert "automatically" not in shown
    assert run(desk, "campaigns", "show", SLUG, "--json").json["held_until"] is None


def test_a_pause_before_the_first_claim_of_deferred_mail_is_no_defect(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    greylist(wire)
    clock.set(EIGHT)
    run(desk, "send", ISSUE, "--yes")
    real = Journal.__init__

    def paused_meanwhile(self: Journal, *words: Any) -> None:
        real(self, *words)
        db = open_store(desk / "subscribers.db")
        open_spool(db, find_campaign(db, SLUG)).set_status("paused")
        db.close()

    with monkeypatch.context() as patch:
        patch.setattr(Journal, "__init__", paused_meanwhile)
        ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 1
    assert "defect" not in ran.err
    assert (status(desk), counts(desk)) == ("paused", {"deferred": 4})


def test_first_few_that_are_all_greylisted_are_tried_again_before_they_are_judged(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    greylist(wire)
    clock.set(EIGHT)
    ran = run(desk, "send", ISSUE, "--yes", "--canary", "25%", "--hold", "30m")
    assert ran.status == 1
    assert status(desk) == "stopped"
    assert "1 deferred delivery is tried again" in ran.out
    accept_all(wire)
    clock.forward(minutes=2)
    run(desk, "run-due")
    assert (status(desk), counts(desk)) == ("held", {"accepted": 1, "pending": 3})
    clock.forward(minutes=31)
    assert run(desk, "run-due").status == 0
    assert counts(desk) == {"accepted": 4}


def test_run_due_ends_with_1_while_somebody_is_uncertain(desk: Path, clock: Clock, wire: Scripted) -> None:
    wire.decide = lambda m: Outcome(
        OutcomeKind.UNCERTAIN if m.address == "bob@example.com" else OutcomeKind.ACCEPTED, reason="no answer"
    )
    schedule(desk)
    clock.set(EIGHT)
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert f"uncertain deliveries: 1; settle them with `mailer campaigns resolve {SLUG}`" in ran.out + ran.err


def test_one_campaign_in_trouble_does_not_keep_the_next_waiting(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk)
    (desk / "issues/evening.yaml").write_text(TEXT.replace("edition: morning", "edition: evening"), "utf-8")
    assert run(desk, "send", "issues/evening.yaml", "--yes", "--at", "08:00").status == 0
    manifest_path = desk / "campaigns" / SLUG / "manifest.json"
    kept = manifest_path.read_bytes()
    manifest_path.unlink()
    clock.set(EIGHT)
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "manifest.json: is missing" in ran.err
    assert ran.out == "2026-11-22-evening: 4 accepted; sent\n"
    manifest_path.write_bytes(kept)
    assert run(desk, "run-due").status == 0
    assert len(wire.sent) == 8


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (sqlite3.OperationalError("database is locked"), "another process is writing to the database"),
        (OSError(28, "No space left on device"), "no space left on device"),
    ],
)
def test_trouble_with_the_disk_is_a_sentence_and_tried_again(
    desk: Path,
    clock: Clock,
    wire: Scripted,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    sentence: str,
) -> None:
    schedule(desk)
    clock.set(EIGHT)

    def fail(*_: object) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr("mailer.services.due.send_due.signer_for_transport", fail)
        ran = run(desk, "run-due")
    assert (ran.status, ran.out) == (1, "")
    assert sentence in ran.err
    assert run(desk, "run-due").status == 0
    assert len(wire.sent) == 4


def test_who_asked_to_stop_begins_no_campaign(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk)
    clock.set(EIGHT)
    settings = load_settings(desk)
    db, stop = open_store(settings.database), StopFlag()
    stop.set()
    assert list(send_due_campaigns(make_workspace(settings, db), stop=stop)) == []
    db.close()
    assert status(desk) == "scheduled"


def test_two_who_schedule_the_same_make_one_campaign(
    desk: Path, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailer.services.sending import proposal as sending

    real = schedule_issue

    def after_another(*arguments: Any, **named: Any) -> object:
        real(*arguments, **named)
        return real(*arguments, **named)

    monkeypatch.setattr(sending, "schedule_issue", after_another)
    ran = run(desk, "send", ISSUE, "--yes", "--at", "08:00")
    assert ran.status == 2
    assert f"campaign {SLUG} was made by somebody else just now" in ran.err
    assert [campaign["slug"] for campaign in run(desk, "campaigns", "list", "--json").json] == [SLUG]
    assert run(desk, "campaigns", "verify", SLUG).status == 0


def test_a_campaign_cancelled_between_two_looks_is_not_sent(
    desk: Path, clock: Clock, wire: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule(desk)
    clock.set(EIGHT)
    from mailer.services.due import send_due as due

    real = due_campaigns

    def then_cancelled(*arguments: Any) -> list[Campaign]:
        found = real(*arguments)
        assert run(desk, "campaigns", "cancel", SLUG).status == 0
        return found

    monkeypatch.setattr(due, "due_campaigns", then_cancelled)
    assert run(desk, "run-due") == Ran(0, "", "")
    assert wire.sent == []


# -- each reader's own morning --------------------------------------------------------------


def test_everybody_gets_it_in_their_own_morning(desk: Path, clock: Clock, wire: Scripted) -> None:
    ran = schedule(desk, "--at-local", "08:00")
    assert "Goes out   at each reader's 08:00 of 2026-11-22; in Asia/Shanghai that is:" in ran.out
    assert "           1  Sun 22 Nov 2026 03:00\n" in ran.out
    assert "           2  Sun 22 Nov 2026 08:00\n" in ran.out
    assert "           1  Sun 22 Nov 2026 15:00\n" in ran.out
    for time, added, after in (
        ("2026-11-21T18:59", set(), "scheduled"),
        ("2026-11-21T19:00", {"chen@example.net"}, "scheduled"),
        (EIGHT, {"anna@example.org", "bob@example.com"}, "scheduled"),
        ("2026-11-22T06:59", set(), "scheduled"),
        ("2026-11-22T07:00", {"dora@example.org"}, "sent"),
    ):
        before = set(wire.sent)
        clock.set(time)
        ran = run(desk, "run-due")
        assert (ran.status, ran.err) == (0, ""), time
        assert bool(ran.out) == bool(added)
        assert set(wire.sent) - before == added
        assert status(desk) == after
    assert len(wire.sent) == 4


def test_between_the_mornings_it_says_when_it_goes_on(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk, "--at-local", "08:00")
    clock.set("2026-11-21T19:00")
    ran = run(desk, "run-due")
    assert ran.out == f"{SLUG}: 1 accepted; scheduled, resumes Sun 22 Nov 2026 08:00 (Asia/Shanghai)\n"
    assert manifest(desk)["due_at"] == "2026-11-22T00:00:00.000000Z"
    ran = run(desk, "send", ISSUE, "--yes")
    assert ran.status == 2
    assert (
        f"campaign {SLUG} goes on at Sun 22 Nov 2026 08:00 (Asia/Shanghai), at each reader's 08:00" in ran.err
    )
    assert (
        "due        Sun 22 Nov 2026 08:00 (Asia/Shanghai), at each reader's 08:00"
        in run(desk, "campaigns", "show", SLUG).out
    )
    assert len(wire.sent) == 1


def test_many_hours_are_told_in_a_dozen_lines(desk: Path, clock: Clock) -> None:
    zones = [f"Etc/GMT{offset:+}" for offset in range(-14, 12)]
    lines = [f"r{number}@example.org,,{zone}" for number, zone in enumerate(zones)]
    (desk / "more.csv").write_text("\n".join(["email,name,timezone", *lines]), encoding="utf-8")
    assert run(desk, "subscribers", "import", "more.csv").status == 0
    out = run(desk, "plan", ISSUE, "--at-local", "08:00").out
    _, _, slots = out.partition("in Asia/Shanghai that is:\n")
    assert [len(line.split()) for line in slots.splitlines()[:12]] == [6] * 12
    assert slots.splitlines()[12] == "           15 later, the last Mon 23 Nov 2026 03:00"


def test_a_zone_that_is_none_is_the_workspaces(desk: Path, clock: Clock, wire: Scripted) -> None:
    db = open_store(load_settings(desk).database)
    with writing(db):
        db.conn.execute("UPDATE subscribers SET timezone = '../etc/passwd' WHERE name = 'Anna'")
        db.conn.execute("UPDATE subscribers SET timezone = 'Mars/Olympus' WHERE name = 'Bob'")
    db.close()
    slots = schedule(desk, "--at-local", "08:00", "--json").json["slots"]
    assert [slot["readers"] for slot in slots] == [1, 2, 1]
    clock.set(EIGHT)
    run(desk, "run-due")
    assert {"anna@example.org", "bob@example.com"} <= set(wire.sent)


def test_who_has_had_that_hour_already_gets_it_at_once(desk: Path, clock: Clock, wire: Scripted) -> None:
    clock.set("2026-11-21T20:30")  # half past nine on Sunday in Auckland
    ran = schedule(desk, "--at-local", "08:00")
    assert "08:00 has already passed for 1 of the readers: they get the issue at once" in ran.out
    assert run(desk, "run-due").status == 0
    assert wire.sent == ["chen@example.net"]


def test_when_everybody_has_had_that_hour_it_is_wrong_usage(desk: Path, clock: Clock) -> None:
    clock.set("2026-11-22T07:00")
    ran = run(desk, "send", ISSUE, "--yes", "--at-local", "08:00")
    assert ran.status == 2
    assert "08:00 on 2026-11-22 has passed for every reader" in ran.err
    assert not (desk / "campaigns").exists()


def test_a_morning_that_was_missed_is_not_sent_unasked_and_the_others_are(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk, "--at-local", "08:00")
    clock.set("2026-11-21T23:00")  # Auckland's was four hours ago
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "1 reader missed their scheduled time" in ran.out
    assert wire.sent == []
    clock.set(EIGHT)
    assert run(desk, "run-due").status == 0
    assert set(wire.sent) == {"anna@example.org", "bob@example.com"}
    assert "1 missed their time" in run(desk, "campaigns", "show", SLUG).out
    clock.set("2026-11-22T07:00")
    ran = run(desk, "run-due")
    assert status(desk) == "missed"
    assert counts(desk) == {"accepted": 3, "pending": 1}
    assert run(desk, "run-due") == Ran(0, "", "")
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert sorted(wire.sent) == sorted(EVERYBODY)


def test_resume_sends_what_was_missed_and_leaves_the_others_their_morning(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk, "--at-local", "08:00")
    clock.set("2026-11-21T23:00")
    run(desk, "run-due")
    ran = run(desk, "campaigns", "resume", SLUG)
    assert ran.status == 0, ran.err
    assert wire.sent == ["chen@example.net"]
    assert "goes on at Sun 22 Nov 2026 08:00 (Asia/Shanghai), at each reader's 08:00" in ran.out
    assert status(desk) == "scheduled"
    ran = run(desk, "campaigns", "resume", SLUG)
    assert sorted(wire.sent) == sorted(EVERYBODY)
    assert status(desk) == "sent"


def test_all_mornings_missed_is_a_missed_campaign(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk, "--at-local", "08:00")
    clock.set("2026-11-23T00:00")
    ran = run(desk, "run-due")
    assert ran.status == 1
    assert "missed its time (4 readers missed their scheduled time), so it was not sent" in ran.err
    assert wire.sent == []
    assert status(desk) == "missed"


def test_a_slow_morning_is_not_a_missed_one(desk: Path, clock: Clock, wire: Scripted) -> None:
    schedule(desk, "--at-local", "08:00")
    clock.set("2026-11-22T02:00")
    # The run of 08:00 in Shanghai was at work two hours later, when it died.
    db = open_store(load_settings(desk).database)
    db.conn.execute("UPDATE campaigns SET due_at = '2026-11-22T00:00:00.000000Z'")
    db.close()
    die_in_the_middle(desk)
    clock.set("2026-11-22T02:01")
    assert run(desk, "run-due").status == 0
    assert counts(desk) == {"accepted": 3, "pending": 1}


def test_a_paused_morning_sends_what_is_overdue_when_it_goes_on(
    desk: Path, clock: Clock, wire: Scripted
) -> None:
    schedule(desk, "--at-local", "08:00")
    run(desk, "campaigns", "pause", SLUG)
    clock.set("2026-11-22T03:00")
    assert run(desk, "run-due") == Ran(0, "", "")
    assert run(desk, "campaigns", "resume", SLUG).status == 0
    assert set(wire.sent) == EVERYBODY - {"dora@example.org"}
    assert status(desk) == "scheduled"
