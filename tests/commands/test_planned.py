"""Readers come, leave and change between a plan and its sending: nobody beyond the plan gets the issue."""

from __future__ import annotations

import gc
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.audience.planned import PlannedPeople
from mailer.config import load_settings
from mailer.errors import CampaignError
from mailer.services.planning.approved_plan import apply_approved_plan
from mailer.services.planning.prepare import PlanRequest, PreparedIssue, prepare_issue
from mailer.services.sending.freeze import ChangesSincePlan
from mailer.services.sending.result import SendResult
from mailer.services.sending.send import send_issue
from mailer.services.workspace import make_workspace
from mailer.store.database import writing
from mailer.transports.stop import StopFlag
from tests.cli import Ran, run
from tests.clock import Clock
from tests.commands.test_sending import READERS, TEXT, counts, outbox
from tests.desk import ISSUE, SLUG
from tests.faults.conftest import bound_by_permissions
from tests.spooled import freeze, people_of

ANNA, BOB, CHEN, DORA = "anna@example.org", "bob@example.com", "chen@example.net", "dora@example.org"
Change = Callable[[], object]

pytestmark = [pytest.mark.usefixtures("desk"), pytest.mark.desk(readers=READERS, text=TEXT)]


def plan(desk: Path, *words: str) -> str:
    ran = run(desk, "plan", ISSUE, *words, "--json")
    assert ran.status == 0, ran.err
    return str(ran.json["hash"])


def send(desk: Path, plan_hash: str, *words: str) -> Ran:
    return run(desk, "send", ISSUE, "--plan", plan_hash, *words)


def leave(desk: Path, address: str) -> None:
    assert run(desk, "subscribers", "unsubscribe", address).status == 0


def erase(desk: Path, address: str) -> None:
    assert run(desk, "subscribers", "erase", address, "--yes").status == 0


def join(desk: Path, address: str, *words: str) -> None:
    assert run(desk, "subscribers", "add", address, "--consent", "by phone", *words).status == 0


def deliveries(db: Database) -> list[tuple[int, str, str]]:
    return db.conn.execute("SELECT subscriber_id, state, reason FROM deliveries ORDER BY 1").fetchall()


def nothing_was_sent(desk: Path, ran: Ran) -> None:
    assert ran.status == 2
    assert "nothing was sent. Plan again with `mailer plan issues/" in ran.err
    assert ran.err.count("\n") == 1
    assert not (desk / "outbox").exists()
    assert not (desk / "campaigns").exists()
    assert run(desk, "campaigns", "list", "--json").json == []


# -- send --plan ----------------------------------------------------------------------------


def test_who_left_since_the_plan_is_skipped_and_said(desk: Path, db: Database) -> None:
    planned = plan(desk)
    for address in (BOB, DORA):
        leave(desk, address)
    ran = send(desk, planned)
    assert ran.status == 0, ran.err
    assert "2 planned readers have left since and are skipped." in ran.out
    assert set(outbox(desk)) == {ANNA, CHEN}
    assert counts(desk) == {"accepted": 2, "skipped": 2}
    assert deliveries(db)[1] == (2, "skipped", "unsubscribed")
    shown = run(desk, "campaigns", "show", SLUG, "--json").json
    assert shown["plan"]["recipients"] == 4
    assert shown["plan"]["hash"] == planned
    manifest = json.loads((desk / "campaigns" / SLUG / "manifest.json").read_text("utf-8"))
    assert sum(manifest["counts"].values()) == 4
    assert run(desk, "campaigns", "verify", SLUG).status == 0


def test_the_number_of_leavers_is_in_the_json(desk: Path) -> None:
    planned = plan(desk)
    leave(desk, BOB)
    document = send(desk, planned, "--json").json
    assert (document["left_since_plan"], document["joined_since_plan"]) == (1, 0)
    assert document["counts"]["accepted"] == 3
    again = send(desk, planned, "--json").json
    assert again["left_since_plan"] == 0


def test_a_plan_that_nothing_happened_since_says_nothing(desk: Path) -> None:
    ran = send(desk, plan(desk))
    assert ran.status == 0, ran.err
    assert "since" not in ran.out
    assert counts(desk) == {"accepted": 4}


def test_every_way_of_leaving_is_told_with_its_reason(desk: Path, db: Database) -> None:
    planned = plan(desk)
    run(desk, "subscribers", "suppress", ANNA, "--reason", "asked by letter")
    run(desk, "subscribers", "unsubscribe", BOB, "--edition", "morning")
    db.conn.execute("UPDATE subscribers SET status = 'complained' WHERE id = 3")
    assert send(desk, planned).status == 0
    assert deliveries(db)[:3] == [
        (1, "skipped", "suppressed"),
        (2, "skipped", "not_subscribed"),
        (3, "skipped", "complained"),
    ]


def test_who_was_erased_is_in_no_kept_plan_any_more(desk: Path, db: Database) -> None:
    planned, other = plan(desk), plan(desk, "--segment", "joined > 2000-01-01")
    erase(desk, BOB)
    kept = dict(db.conn.execute("SELECT hash, people FROM plans").fetchall())
    assert kept.keys() == {planned, other}
    assert all(sorted(dict(PlannedPeople(people))) == [1, 3, 4] for people in kept.values())
    ran = send(desk, planned, "--json")
    assert ran.status == 0, ran.err
    assert ran.json["left_since_plan"] == 1
    assert counts(desk) == {"accepted": 3}
    assert ran.json["plan"]["recipients"] == 3
    assert ran.json["plan"]["variants"] == {"0": 1, "1": 2}
    assert ran.json["plan"]["hash"] == planned


def test_a_plan_without_the_erased_person_stays_as_it_is(desk: Path, db: Database) -> None:
    planned = plan(desk, "--segment", '"member" in tags')
    before = db.conn.execute("SELECT people FROM plans").fetchall()
    erase(desk, BOB)
    assert db.conn.execute("SELECT people FROM plans").fetchall() == before
    ran = send(desk, planned, "--segment", '"member" in tags', "--json")
    assert ran.json["left_since_plan"] == 0
    assert set(outbox(desk)) == {ANNA, DORA}


def test_an_erasure_that_fails_changes_no_plan(desk: Path, db: Database) -> None:
    planned = plan(desk)
    db.conn.execute("CREATE TRIGGER no AFTER INSERT ON events BEGIN SELECT RAISE(ABORT, 'no'); END")
    assert run(desk, "subscribers", "erase", BOB, "--yes").status == 1
    db.conn.execute("DROP TRIGGER no")
    assert send(desk, planned).status == 0
    assert counts(desk) == {"accepted": 4}


def test_a_plan_that_cannot_be_read_stops_no_erasure(desk: Path, db: Database) -> None:
    planned = plan(desk)
    db.conn.execute("UPDATE plans SET people = x'01ffff'")
    ran = send(desk, planned)
    assert ran.status == 1
    assert "is damaged; make it again with `mailer plan`" in ran.err
    erase(desk, BOB)
    assert db.conn.execute("SELECT count(*) FROM plans").fetchone() == (0,)


def test_who_joined_since_the_plan_stops_it(desk: Path) -> None:
    planned = plan(desk)
    leave(desk, BOB)
    join(desk, "eve@example.org")
    ran = send(desk, planned)
    assert ran.err.startswith("mailer: 1 reader joined since that plan; ")
    nothing_was_sent(desk, ran)


def test_who_reads_another_version_than_planned_stops_it(desk: Path) -> None:
    planned = plan(desk)
    (desk / "more.csv").write_text(f"email,tags\n{BOB},member\n", encoding="utf-8")
    assert run(desk, "subscribers", "import", "more.csv").status == 0
    ran = send(desk, planned)
    assert "1 reader would get another version than planned" in ran.err
    nothing_was_sent(desk, ran)
    join(desk, "eve@example.org")
    join(desk, "fay@example.org")
    ran = send(desk, planned)
    assert "2 readers joined since that plan, 1 would get another version than planned" in ran.err
    nothing_was_sent(desk, ran)


def test_two_who_read_another_version(desk: Path) -> None:
    planned = plan(desk)
    (desk / "more.csv").write_text(f"email,tags\n{BOB},member\n{CHEN},member\n", encoding="utf-8")
    run(desk, "subscribers", "import", "more.csv")
    assert "2 readers would get another version than planned" in send(desk, planned).err


def test_who_came_back_is_sent_to(desk: Path) -> None:
    planned = plan(desk)
    leave(desk, BOB)
    join(desk, BOB)
    assert send(desk, planned).status == 0
    assert counts(desk) == {"accepted": 4}


def test_a_version_that_nobody_reads_any_more_is_no_change(desk: Path) -> None:
    planned = plan(desk)
    for address in (ANNA, DORA):
        leave(desk, address)
    ran = send(desk, planned)
    assert ran.status == 0, ran.err
    assert set(outbox(desk)) == {BOB, CHEN}
    assert run(desk, "campaigns", "show", SLUG, "--json").json["plan"]["variants"] == {"0": 2, "1": 2}


@pytest.mark.parametrize(
    ("file", "old", "new", "what"),
    [
        (ISSUE, "Cranes stand still", "Cranes dance", "the issue or the theme"),
        ("mailer.toml", "desk@news.example.org", "other@news.example.org", "the sender"),
        ("mailer.toml", "editors@news", "letters@news", "the address for replies"),
        ("mailer.toml", "https://news.", "https://www.", "base_url and the issue or the theme"),
    ],
)
def test_other_content_than_planned_stops_it(desk: Path, file: str, old: str, new: str, what: str) -> None:
    planned = plan(desk)
    path = desk / file
    path.write_text(path.read_text("utf-8").replace(old, new), encoding="utf-8")
    ran = send(desk, planned)
    assert ran.err.startswith(f"mailer: {what} changed since plan {planned}; ")
    nothing_was_sent(desk, ran)


def test_another_segment_than_planned_stops_it(desk: Path) -> None:
    ran = send(desk, plan(desk, "--segment", '"member" in tags'))
    assert "the segment changed since plan" in ran.err
    nothing_was_sent(desk, ran)


def test_another_name_than_planned_stops_it(desk: Path) -> None:
    planned = plan(desk)
    run(desk, "send", ISSUE, "--yes", "--segment", '"member" in tags')
    ran = send(desk, planned)
    assert ran.status == 2
    assert f"campaign {SLUG} was made since plan {planned}, so this command would create {SLUG}-2" in ran.err
    assert len(outbox(desk)) == 2


def test_a_plan_is_kept_for_thirty_days(desk: Path, db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock("2026-11-01T08:00")
    planned = plan(desk)
    clock.forward(days=30, seconds=1)
    ran = send(desk, planned)
    assert f"{planned} is not known: plans are kept for 30 days" in ran.err
    nothing_was_sent(desk, ran)
    clock.forward(seconds=-1)
    leave(desk, BOB)
    later = plan(desk)
    assert db.conn.execute("SELECT count(*) FROM plans").fetchone() == (2,)
    clock.forward(seconds=1)
    assert plan(desk) == later
    assert db.conn.execute("SELECT hash FROM plans").fetchall() == [(later,)]


def test_a_plan_of_another_database_is_not_known(desk: Path, db: Database) -> None:
    planned = plan(desk)
    db.conn.execute("DELETE FROM plans")
    nothing_was_sent(desk, send(desk, planned))


def test_a_campaign_of_that_plan_goes_on(desk: Path, db: Database) -> None:
    planned = plan(desk)
    leave(desk, BOB)
    assert send(desk, planned, "--at", "2099-11-21T08:00").status == 2  # more than a year away
    assert send(desk, planned, "--transport", "smtp://127.0.0.1:1").status == 1
    assert counts(desk) == {"pending": 3, "skipped": 1}
    join(desk, "eve@example.org")
    db.conn.execute("DELETE FROM plans")
    ran = send(desk, "0" * 16, "--transport", "outbox:outbox")
    assert ran.status == 2
    assert f"the plan of campaign {SLUG} is {planned}, not {'0' * 16}" in ran.err
    assert send(desk, planned, "--transport", "outbox:outbox").status == 0
    assert counts(desk) == {"accepted": 3, "skipped": 1}


def test_a_plan_can_be_sent_later(desk: Path) -> None:
    Clock("2026-11-20T12:00")
    planned = plan(desk)
    leave(desk, BOB)
    document = send(desk, planned, "--at", "2026-11-21T08:00", "--json").json
    assert document["left_since_plan"] == 1
    assert counts(desk) == {"pending": 3, "skipped": 1}
    manifest = json.loads((desk / "campaigns" / SLUG / "manifest.json").read_text("utf-8"))
    assert manifest["counts"] == {"pending": 3, "skipped": 1}


def test_a_plan_for_each_readers_morning_says_who_left(desk: Path) -> None:
    Clock("2026-11-20T12:00")
    planned = plan(desk)
    leave(desk, BOB)
    ran = send(desk, planned, "--at-local", "08:00")
    assert ran.status == 0, ran.err
    assert "1 planned reader has left since and is skipped." in ran.out


def test_the_times_of_readers_count_nobody_who_left(desk: Path) -> None:
    Clock("2026-11-20T12:00")
    edited = run(desk, "subscribers", "add", ANNA, "--timezone", "Pacific/Kiritimati", "--consent", "x")
    assert edited.status == 0, edited.err
    planned = plan(desk)
    leave(desk, ANNA)
    document = send(desk, planned, "--at-local", "08:00", "--json").json
    assert document["slots"] == [{"due_at": "2026-11-21T00:00:00.000000Z", "readers": 3}]
    assert document["due_at"] == "2026-11-21T00:00:00.000000Z"


def test_everybody_left(desk: Path) -> None:
    planned = plan(desk)
    for address in (ANNA, BOB, CHEN, DORA):
        leave(desk, address)
    ran = send(desk, planned)
    assert ran.status == 2
    assert "no reader would get this issue" in ran.err
    assert not (desk / "campaigns").exists()


# -- keeping --------------------------------------------------------------------------------


def test_a_plan_beside_another_writer_does_not_wait_for_it(
    desk: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.services.planning.approved_plan._PATIENCE", 0.05)
    with writing(db):
        ran = run(desk, "plan", ISSUE)
        asked = run(desk, "send", ISSUE)
    assert ran.status == 0, ran.err
    assert "Warning    this plan could not be stored, so `mailer send --plan` will not find it" in ran.out
    assert "another process is writing to the database" in ran.out
    assert asked.err == "mailer: standard input is not a terminal, so nobody can confirm; add --yes\n"
    assert db.conn.execute("SELECT count(*) FROM plans").fetchone() == (0,)
    assert run(desk, "plan", ISSUE).out.count("Warning") == ran.out.count("Warning") - 1


@pytest.mark.parametrize("what", ["file", "folder", "both"])
def test_a_plan_of_a_database_that_is_read_only(desk: Path, what: str) -> None:
    database = desk / "subscribers.db"
    gc.collect()  # no connection of this process is left, so that the last one takes -wal and -shm away
    sqlite3.connect(database).execute("SELECT 1 FROM subscribers").connection.close()
    with bound_by_permissions():
        if what != "folder":
            database.chmod(0o444)
        if what != "file":
            desk.chmod(0o555)
        try:
            ran = run(desk, "plan", ISSUE, "--json")
        finally:
            desk.chmod(0o755)
            database.chmod(0o644)
    assert ran.status == 0, ran.err
    assert ran.json["recipients"] == 4
    assert "could not be stored" in ran.json["warnings"][-1]
    assert "the database is read-only" in ran.json["warnings"][-1]


def test_the_plan_that_send_shows_can_be_sent(desk: Path) -> None:
    ran = run(desk, "send", ISSUE)
    planned = ran.err.partition("--plan ")[2].partition(" ")[0]
    assert send(desk, planned).status == 0


def test_a_plan_that_is_refused_can_be_sent_later(desk: Path, db: Database) -> None:
    assert run(desk, "send", ISSUE, answer="n\n").status == 1
    (planned,) = db.conn.execute("SELECT hash FROM plans").fetchone()
    leave(desk, BOB)
    assert send(desk, planned).status == 0


def test_the_plan_of_a_campaign_is_not_kept_again(desk: Path, db: Database) -> None:
    run(desk, "send", ISSUE, "--yes")
    run(desk, "plan", ISSUE)
    assert db.conn.execute("SELECT count(*) FROM plans").fetchone() == (0,)


# -- a plain send, while the operator looks at the plan --------------------------------------


class Sending:
    """A sending that was prepared; something happens before it is frozen."""

    def __init__(self, desk: Path, db: Database) -> None:
        self.db, self.settings = db, load_settings(desk)
        self.prepared: PreparedIssue = prepare_issue(
            make_workspace(self.settings, db), desk / ISSUE, PlanRequest()
        )
        self.since: list[ChangesSincePlan] = []

    def go(self) -> SendResult:
        return send_issue(
            make_workspace(self.settings, self.db),
            self.prepared,
            stop=StopFlag(),
            observe=lambda _: None,
            on_frozen=self.since.append,
        )


def test_who_leaves_before_the_freeze_is_skipped_and_the_others_get_it(desk: Path, db: Database) -> None:
    sending = Sending(desk, db)
    leave(desk, BOB)
    erase(desk, DORA)
    assert sending.go().is_complete
    assert sending.since == [ChangesSincePlan(left=2)]
    assert [row[1:] for row in deliveries(db)] == [
        ("accepted", ""), ("skipped", "unsubscribed"), ("accepted", ""), ("skipped", "erased"),
    ]  # fmt: skip
    assert set(outbox(desk)) == {ANNA, CHEN}
    assert run(desk, "campaigns", "show", SLUG, "--json").json["plan"]["recipients"] == 4


def test_who_joins_before_the_freeze_is_not_sent_to(desk: Path, db: Database) -> None:
    sending = Sending(desk, db)
    join(desk, "eve@example.org")
    join(desk, "fay@example.org")
    leave(desk, ANNA)
    assert sending.go().is_complete
    assert sending.since == [ChangesSincePlan(left=1, joined=2)]
    assert set(outbox(desk)) == {BOB, CHEN, DORA}
    assert len(deliveries(db)) == 4


def test_a_send_that_asks_says_who_came_and_left_meanwhile(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object, **__: object) -> None:
        leave(desk, ANNA)
        join(desk, "eve@example.org")

    monkeypatch.setattr("mailer.commands.sending.send.ask_for_confirmation", answer)
    ran = run(desk, "send", ISSUE, answer="y\n")
    assert ran.status == 0, ran.err
    assert "1 planned reader has left since and is skipped." in ran.out
    assert "1 reader has joined since the plan and will not get it." in ran.out
    assert set(outbox(desk)) == {BOB, CHEN, DORA}


def test_a_reader_whose_version_changes_before_the_freeze_stops_it(desk: Path, db: Database) -> None:
    sending = Sending(desk, db)
    db.conn.execute("UPDATE subscribers SET tags = '[\"member\"]' WHERE id = 2")
    with pytest.raises(
        CampaignError, match="a reader would get another version than planned; nothing was sent"
    ):
        sending.go()
    assert run(desk, "campaigns", "list", "--json").json == []
    assert not (desk / "campaigns" / SLUG).exists()
    assert run(desk, "send", ISSUE, "--yes").status == 0
    assert counts(desk) == {"accepted": 4}


def test_who_comes_back_to_a_version_that_was_not_rendered_stops_it(
    desk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailer.services.sending import proposal as module

    planned = plan(desk)
    for address in (ANNA, DORA):
        leave(desk, address)
    real = apply_approved_plan

    def late(*arguments: object) -> PreparedIssue:
        prepared = real(*arguments)  # type: ignore[arg-type]
        join(desk, ANNA)
        return prepared

    monkeypatch.setattr(module, "apply_approved_plan", late)
    ran = send(desk, planned)
    assert ran.status == 2
    assert "a reader would get another version than planned" in ran.err
    assert not (desk / "outbox").exists()


def test_everybody_leaves_before_the_freeze(desk: Path, db: Database) -> None:
    sending = Sending(desk, db)
    for address in (ANNA, BOB, CHEN, DORA):
        leave(desk, address)
    with pytest.raises(CampaignError, match="all planned readers have left since"):
        sending.go()
    assert run(desk, "campaigns", "list", "--json").json == []


def test_who_got_it_by_another_campaign_before_the_freeze_gets_no_second_copy(
    desk: Path, db: Database
) -> None:
    sending = Sending(desk, db)
    plan = sending.prepared.plan
    other = freeze(
        db,
        "another",
        people=[person for person in people_of(db, plan.edition) if person < 3],
        issue=plan.issue,
        issue_hash="",
        edition=plan.edition,
        issue_date=plan.date,
        segment="x",
        plan={"recipients": 2},
    )
    db.conn.execute("UPDATE deliveries SET state = 'accepted' WHERE campaign_id = ?", [other.campaign.id])
    leave(desk, CHEN)
    assert sending.go().is_complete
    assert sending.since == [ChangesSincePlan(left=1, received=2)]
    assert set(outbox(desk)) == {DORA}
    mine = db.conn.execute(
        "SELECT reason FROM deliveries WHERE campaign_id <> ? ORDER BY subscriber_id", [other.campaign.id]
    ).fetchall()
    assert mine == [("received",), ("received",), ("unsubscribed",), ("",)]


def test_who_received_it_meanwhile_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    from mailer.commands.output import say_changes_since_plan

    say_changes_since_plan(ChangesSincePlan(received=1, joined=2))
    assert capsys.readouterr().out == (
        "1 planned reader has received the issue by another campaign and is skipped.\n"
        "2 readers have joined since the plan and will not get it.\n"
    )


def test_the_first_few_are_chosen_of_those_who_are_still_there(desk: Path, db: Database) -> None:
    rows = "".join(f"reader{number}@example.org\n" for number in range(30))
    (desk / "more.csv").write_text("email\n" + rows, encoding="utf-8")
    run(desk, "subscribers", "import", "more.csv")
    planned = plan(desk)
    db.conn.execute("UPDATE subscribers SET status = 'unsubscribed' WHERE id > 4")
    ran = send(desk, planned, "--canary", "5%", "--hold", "ask", "--json")
    assert ran.json["status"] == "held"
    assert {s: n for s, n in ran.json["counts"].items() if n} == {
        "accepted": 2, "pending": 2, "skipped": 30,
    }  # fmt: skip


def test_a_campaign_that_another_command_made_meanwhile_is_no_lost_one(
    desk: Path, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(desk, "send", ISSUE, "--yes").status == 0
    workspace = make_workspace(load_settings(desk), db)
    campaigns = workspace.spools.campaigns
    known = [[], campaigns()]
    monkeypatch.setattr(workspace.spools, "campaigns", lambda: known.pop(0))
    with pytest.raises(
        CampaignError, match=f"{SLUG} was made by somebody else just now; run this command again"
    ):
        prepare_issue(workspace, desk / ISSUE, PlanRequest())
