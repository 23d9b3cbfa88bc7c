"""After `subscribers erase` no byte below the workspace says who somebody was, whatever servers said.

The operator's own files are left out here: `tests/commands/test_erasing.py` has those.
"""

from __future__ import annotations

import binascii
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from mailer.audience.recipients import addresses_of
from mailer.clock import set_clock
from mailer.config import load_settings
from mailer.services.readers.erase import erase_person
from mailer.services.sending.recovery import journal_path
from mailer.spool.journal import Journal
from mailer.spool.lock import campaign_lock
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from tests.clock import Clock
from tests.faults.conftest import SLUG, At, Desk
from tests.servers.sendgrid import SendGridApi
from tests.servers.smtp import SmtpServer
from tests.spooled import find_campaign, open_spool

WHO = "reader2@example.org"
NAME = "Zsófia Quartermain"
CITY = "Nowhere-upon-Sea"
SPELLINGS = [
    "reader2@example.org",
    "<reader2@example.org>",
    "READER2@Example.ORG",
    "reader2%40example.org",
    "%3CReader2%40example.org%3E",
    "reader2&#64;example.org",
]


def holding(root: Path, *needles: str) -> list[str]:
    """The files below `root` that hold one of the needles, as it is or encoded, in any letter case."""
    wanted = [needle.encode().lower() for needle in needles]
    found = []
    for path in sorted(root.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            forms = [data, unquote_to_bytes(data), binascii.a2b_qp(data), data.replace(b"&#64;", b"@")]
            if any(needle in form.lower() for form in forms for needle in wanted):
                found.append(path.relative_to(root).as_posix())
    return found


def left_of_reader2(desk: Desk) -> list[str]:
    return holding(desk.root, WHO, NAME, NAME.encode("unicode_escape").decode(), CITY)


def erase(desk: Desk, address: str = WHO) -> None:
    ran = desk.run("subscribers", "erase", address, "--yes")
    assert ran.status == 0, ran.err


@pytest.fixture
def known(desk: Desk) -> Desk:
    """The desk's reader2 has a name and an attribute, and the lists that were imported are gone."""
    words = ("--name", NAME, "--attribute", f"city={CITY}")
    assert desk.run("subscribers", "add", WHO, *words, "--consent", f"wrote from {WHO}").status == 0
    (desk.root / "readers.csv").unlink()
    return desk


Start = Callable[..., SmtpServer]


# -- what servers said ----------------------------------------------------------------------


@pytest.mark.parametrize("said", SPELLINGS)
def test_words_with_which_a_message_was_accepted(known: Desk, start: Start, said: str) -> None:
    start(pipelining=False).fail("DOT", "reply", f"250 2.0.0 {said} x1 Saved", times=4)
    assert known.send().status == 0
    assert "subscribers.db" in " ".join(left_of_reader2(known))
    erase(known)
    assert left_of_reader2(known) == []


@pytest.mark.parametrize("said", SPELLINGS)
@pytest.mark.parametrize("code", ["550 5.1.1", "451 4.3.0", "552 5.2.2"])
def test_words_with_which_it_was_refused_or_deferred(known: Desk, start: Start, code: str, said: str) -> None:
    start(pipelining=False).fail("RCPT", "reply", f"{code} {said}: no such luck", after=1, times=30)
    assert known.send().status == 1
    assert [reason for reason in known.reasons if "no such luck" in reason]
    erase(known)
    assert left_of_reader2(known) == []
    assert known.run("campaigns", "show", SLUG).status == 0


def test_an_address_that_the_person_had_before(known: Desk, start: Start) -> None:
    start(pipelining=False).fail("DOT", "reply", f"250 2.0.0 {WHO} x1 Saved", times=4)
    assert known.send().status == 0
    assert known.run("subscribers", "change-address", WHO, "zsofia@example.net").status == 0
    erase(known, "zsofia@example.net")
    assert left_of_reader2(known) == []
    assert holding(known.root, "zsofia@example.net") == []
    (known.root / "again.csv").write_text(f"email\n{WHO}\nzsofia@example.net\n")
    assert known.run("subscribers", "import", "again.csv", "--json").json["kept"] == 2
    (known.root / "again.csv").unlink()
    assert left_of_reader2(known) == []


def test_an_address_that_somebody_else_has_by_now_stays_theirs(known: Desk, start: Start) -> None:
    start()
    assert known.run("subscribers", "change-address", WHO, "zsofia@example.net").status == 0
    assert known.run("subscribers", "add", WHO, "--consent", "by phone").status == 0
    erase(known, "zsofia@example.net")
    assert known.run("subscribers", "show", WHO, "--json").json["status"] == "active"
    assert holding(known.root, "zsofia@example.net") == []


def test_words_of_what_is_uncertain(known: Desk, start: Start) -> None:
    start(pipelining=False).fail("DOT", "answer and close", f"2 {WHO}", times=4)
    known.send()
    erase(known)
    assert left_of_reader2(known) == []


def test_words_that_paused_a_campaign(known: Desk, start: Start) -> None:
    words = "550 5.7.26 reader2%40example.org: this mail is unauthenticated, see https://support.google.com"
    start(pipelining=False).fail("RCPT", "reply", words, times=9)
    known.send()
    erase(known)
    assert left_of_reader2(known) == []


@pytest.mark.parametrize("said", SPELLINGS)
@pytest.mark.parametrize("status", [400, 408, 500])
def test_words_that_a_provider_said_of_everybody_in_a_request(
    known: Desk, api: SendGridApi, status: int, said: str
) -> None:
    errors = [{"message": f"nothing for {said} today", "field": None, "help": None}]
    api.answer(status, {"errors": errors}, times=9)
    known.send()
    assert len([reason for reason in known.reasons if "nothing for" in reason]) == 4
    erase(known)
    assert left_of_reader2(known) == []
    assert len([reason for reason in known.reasons if "nothing for" in reason and "today" in reason]) == 3


def test_words_that_name_one_of_a_request_and_its_id(known: Desk, api: SendGridApi) -> None:
    field = "personalizations.1.to.0.email"
    api.answer(400, {"errors": [{"message": "Does not contain a valid address.", "field": field}]})
    known.send()
    assert [reason for reason in known.reasons if WHO in reason]
    erase(known)
    assert left_of_reader2(known) == []


def test_an_outbox(known: Desk) -> None:
    assert known.send().status == 0
    ran = known.run("subscribers", "erase", WHO, "--yes")
    assert ran.status == 0
    (mine,) = [name for name in left_of_reader2(known) if name.startswith("outbox/")]
    assert mine in ran.err
    shutil.rmtree(known.root / "outbox")
    assert left_of_reader2(known) == []


# -- runs that died, runs that are alive ----------------------------------------------------


def die(desk: Desk, result: OutcomeKind, words: str, cause: Cause | None = None) -> None:
    """Leaves what a killed run leaves: claims, and a journal with the server's words about reader2."""
    Clock("2026-11-21T00:00")
    assert desk.send("--at", "2026-11-22T08:00").status == 0
    set_clock(None)
    settings = load_settings(desk.root)
    with closing(open_store(settings.database).conn) as connection:
        connection.execute("UPDATE campaigns SET due_at = '', status = 'ready'")
        connection.execute("UPDATE deliveries SET due_at = NULL")
    db = open_store(settings.database)
    spool = open_spool(db, find_campaign(db, SLUG))
    spool.set_status("sending")
    claims = spool.claim(9) or []
    keys = [(claim.person, claim.attempt) for claim in claims]
    journal = Journal(journal_path(settings, SLUG))
    journal.note_begun_deliveries(keys)
    addresses = addresses_of(db, [claim.person for claim in claims])
    (two,) = [(c.person, c.attempt) for c in claims if addresses[c.person] == WHO]
    others = [(*key, Outcome(OutcomeKind.ACCEPTED, "250 ok")) for key in keys[:1]]
    journal.note_outcomes([*others, (*two, Outcome(result, words, words, cause))])
    journal.close()
    db.close()


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        (OutcomeKind.ACCEPTED, None),
        (OutcomeKind.REJECTED, Cause.ADDRESS),
        (OutcomeKind.DEFERRED, Cause.THEM),
        (OutcomeKind.UNCERTAIN, None),
    ],
)
@pytest.mark.parametrize("said", [*SPELLINGS, "réader2 <reader2@example.org>"])
def test_a_journal_that_a_killed_run_left(
    known: Desk, result: OutcomeKind, cause: Cause | None, said: str
) -> None:
    die(known, result, f"250 {said} Saved", cause)
    assert f".mailer/{SLUG}.journal" in left_of_reader2(known)
    erase(known)
    assert left_of_reader2(known) == []
    assert known.counts["accepted"] == 1 + (result is OutcomeKind.ACCEPTED)
    assert known.counts.get("sending", 0) == 0
    assert known.counts["uncertain"] == 2 + (result is OutcomeKind.UNCERTAIN)


def test_a_run_that_is_killed_after_the_erasure_leaves_no_words_for_long(known: Desk) -> None:
    """The journal is that of a run that was alive when the erasure was over."""
    die(known, OutcomeKind.ACCEPTED, f"250 {WHO} Saved")
    journal = known.root / ".mailer" / f"{SLUG}.journal"
    kept = journal.read_bytes()
    erase(known)
    journal.write_bytes(kept)
    assert known.run("campaigns", "retry", SLUG).status in (0, 1, 2)
    assert left_of_reader2(known) == []


def test_a_run_forgets_whoever_is_erased_while_it_is_on(known: Desk, start: Start) -> None:
    """The server names reader2's address when it takes the message; the erasure comes some messages later."""
    known.people(40)
    (known.root / "readers.csv").unlink()
    server = start(pipelining=False)
    server.fail("DOT", "reply", f"250 2.0.0 <{WHO}> x1 Saved", after=1)
    done: list[int] = []
    erasing = threading.Thread(target=lambda: done.append(erase_directly(known)))
    server.received = At(20, erasing.start)
    ran = known.send()
    erasing.join()
    assert ran.status == 0, ran.err
    assert done == [0]
    assert left_of_reader2(known) == []


def test_a_run_that_keeps_its_journal_for_long_is_told(known: Desk) -> None:
    die(known, OutcomeKind.ACCEPTED, f"250 {WHO} Saved")
    settings = load_settings(known.root)
    waits: list[float] = []
    with campaign_lock(settings, SLUG):
        (left,) = erase_person(settings, WHO, sleep=waits.append).left
    assert f"campaign {SLUG} is being sent" in left
    assert sum(waits) >= 10
    assert left_of_reader2(known) == [f".mailer/{SLUG}.journal"]
    ran = known.run("subscribers", "erase", WHO, "--yes")
    assert ran.status == 0
    assert "was erased before" in ran.out
    assert left_of_reader2(known) == []


def erase_directly(desk: Desk) -> int:
    """Erases reader2 from another thread; gives how many sentences there are about what is left."""
    return len(erase_person(load_settings(desk.root), WHO).left)


# -- what lies about -------------------------------------------------------------------------


def test_a_database_that_was_rescued(known: Desk, start: Start) -> None:
    start(pipelining=False).fail("DOT", "reply", f"250 2.0.0 <{WHO}> x1 Saved", times=4)
    known.send()
    for name in ("subscribers.db-rescued", "subscribers.db-rescued-2"):
        source, copy = sqlite3.connect(known.root / "subscribers.db"), sqlite3.connect(known.root / name)
        source.backup(copy)
        source.close()
        copy.close()
    erase(known)
    assert left_of_reader2(known) == []
    with closing(sqlite3.connect(known.root / "subscribers.db-rescued")) as copy:
        assert copy.execute("SELECT status FROM subscribers WHERE address IS NULL").fetchall() == [
            ("erased",)
        ]


def test_a_rescued_copy_that_is_damaged_is_told(known: Desk) -> None:
    (known.root / "subscribers.db-rescued").write_bytes(b"no database, " * 1000 + WHO.encode())
    ran = known.run("subscribers", "erase", WHO, "--yes")
    assert ran.status == 1
    assert "subscribers.db-rescued may hold the address and cannot be changed" in ran.err
    assert "remove the file" in ran.err
    assert "is erased" in ran.out


def test_the_logs_of_errors_and_whatever_else_is_in_the_folder(known: Desk) -> None:
    errors = known.root / ".mailer" / "errors"
    errors.mkdir(parents=True)
    lines = f"mailer 0.1.0\nValueError: {WHO.upper()}\n  and reader2%40example.org\nthe end\n"
    (errors / "20260101T000000.000000Z-1.log").write_text(lines)
    (known.root / ".mailer" / "note.json").write_text('{"to": "reader2\\u0040example.org", "n": 1}')
    erase(known)
    assert left_of_reader2(known) == []
    kept = (errors / "20260101T000000.000000Z-1.log").read_text()
    assert kept.startswith("mailer 0.1.0\n")
    assert kept.endswith("the end\n")


def test_a_segment_that_names_the_address(known: Desk, start: Start) -> None:
    start()
    segment = f'email == "{WHO}" or email == "reader3@example.org"'
    assert known.run("plan", "issues/issue.yaml", "--segment", segment).status == 0
    assert known.send("--segment", segment).status == 0
    assert known.counts == {"accepted": 2}
    assert f"campaigns/{SLUG}/manifest.json" in left_of_reader2(known)
    erase(known)
    assert left_of_reader2(known) == []
    shown = known.run("campaigns", "show", SLUG, "--json").json
    assert shown["segment"] == 'email == "[erased]" or email == "reader3@example.org"'
    assert known.run("campaigns", "verify", SLUG).status == 0


def test_what_others_rows_say_of_the_address(known: Desk) -> None:
    add = ("subscribers", "add", "reader3@example.org", "--attribute", f"friend=via {WHO.title()}, 2020")
    assert known.run(*add, "--consent", f"told by {WHO}").status == 0
    assert known.run("subscribers", "unsubscribe", "reader4@example.org", "--reason", f"as {WHO}").status == 0
    words = f"{WHO} asked for them"
    assert known.run("subscribers", "suppress", "else@example.org", "--reason", words).status == 0
    erase(known)
    assert left_of_reader2(known) == []
    shown = known.run("subscribers", "show", "reader3@example.org", "--json").json
    assert shown["attributes"] == {"friend": "via [erased], 2020"}


def test_a_longer_address_is_another(known: Desk) -> None:
    others = [
        "areader2@example.org",
        "reader2@example.org.uk",
        "x.reader2@example.org",
        "reader2@example.orga",
    ]
    add = ("subscribers", "add", "reader3@example.org", "--attribute", f"friends={' '.join(others)}")
    assert known.run(*add).status == 0
    erase(known)
    shown = known.run("subscribers", "show", "reader3@example.org", "--json").json
    assert shown["attributes"] == {"friends": " ".join(others)}


def test_a_reason_to_suppress_is_forgotten(known: Desk) -> None:
    words = f"{NAME} rang on Monday"
    assert known.run("subscribers", "suppress", WHO, "--reason", words).status == 0
    erase(known)
    assert left_of_reader2(known) == []
    assert "suppression list" in known.run("subscribers", "add", WHO, "--consent", "again").err


# -- free pages ------------------------------------------------------------------------------


@pytest.fixture
def _insecure(monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite as it is built elsewhere: what is deleted stays in the file."""
    real = sqlite3.connect

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        connection = real(*arguments, **options)
        connection.execute("PRAGMA secure_delete=OFF")
        return connection

    monkeypatch.setattr(sqlite3, "connect", connect)


@pytest.mark.usefixtures("_insecure")
def test_every_connection_overwrites_what_it_deletes(tmp_path: Path) -> None:
    with closing(open_store(tmp_path / "subscribers.db").conn) as connection:
        assert connection.execute("PRAGMA secure_delete").fetchone() != (0,)


@pytest.mark.usefixtures("_insecure")
def test_free_pages_where_sqlite_keeps_what_is_deleted(known: Desk, start: Start) -> None:
    start(pipelining=False).fail("DOT", "reply", f"250 2.0.0 <{WHO}> x1 Saved", times=4)
    known.send()
    known.run("subscribers", "add", WHO, "--attribute", f"note={CITY * 400}")
    known.run(
        "subscribers", "add", WHO, "--attribute", "note=forgotten", "--attribute", "city=", "--name", "Z"
    )
    erase(known)
    assert left_of_reader2(known) == []


@pytest.mark.parametrize("note", [WHO, NAME, CITY * 3], ids=["the address", "the name", "an attribute"])
def test_free_pages_that_an_earlier_version_or_another_program_left(known: Desk, note: str) -> None:
    with closing(sqlite3.connect(known.root / "subscribers.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("CREATE TABLE old (note TEXT)")
        connection.executemany("INSERT INTO old VALUES (?)", [(note * 30,)] * 100)
        connection.execute("DROP TABLE old")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    known.run("subscribers", "add", WHO, "--attribute", f"note={CITY * 3}")
    erase(known)
    assert left_of_reader2(known) == []
    assert known.send().status == 0
