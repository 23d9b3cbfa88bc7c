"""What a power cut leaves: what was synced, and of the journal anything, or nothing.

A commit is synced and the journal never is, so what survives a cut is the database as of its last commit.
Each of them is tried, with the worst that may have gone out since.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.config import Settings
from mailer.spool import journal as journal_module
from mailer.spool.journal import Journal
from mailer.store.database import open_store, writing
from mailer.transports.base import Outcome, OutcomeKind
from tests.faults.kills.harness import QUICK, SLUG, Desk, Starter, Tally, compare
from tests.faults.kills.log import Log
from tests.spooled import DeskSpool, add_readers, freeze

WINDOW = 8
READERS = 24
_BEGUN = re.compile(r"^> (\d+) ", re.MULTILINE)
DIALS = {
    **QUICK,
    "mailer.delivery.loop:_SETTLE_SECONDS": 3600.0,
    "mailer.delivery.intake:_WINDOW": WINDOW,
    "mailer.transports.sendgrid.transport:SendGrid.batch_size": 2,  # three requests fit into the window
}
ANOTHER_BOOT = {"mailer.spool.journal:boot_id": "another boot"}

MakeDesk = Callable[..., Desk]


@pytest.mark.parametrize("kind", ["smtp", "sendgrid"])
def test_a_power_cut_after_any_commit(
    make_desk: MakeDesk, starter: Starter, tmp_path: Path, kind: str
) -> None:
    desk = make_desk(kind, readers=READERS, connections=1)
    desk.dials = DIALS
    copies = tmp_path / "copies"
    assert desk.send(copies=str(copies)).wait() == 0
    assert desk.counts() == Counter(accepted=READERS)
    with contextlib.closing(sqlite3.connect(desk.root / "subscribers.db")) as database:
        address = dict(database.execute("SELECT id, address FROM subscribers"))
    gone: set[str] = set()
    doubts: list[int] = []
    moments = sorted(copies.iterdir())
    assert len(moments) > 2 * READERS // WINDOW, "each window is claimed and settled"
    for moment in moments:
        journal = moment / "journal"  # the last commit has no next one, and so no journal
        begun = _BEGUN.findall(journal.read_text()) if journal.exists() else []
        gone |= {address[int(key)] for key in begun}
        for survives in (False, True) if begun else (False,):
            with Log(kind) as log:
                root = tmp_path / f"{moment.name}{survives}"
                after = _restored(desk, starter, moment, root, log, journal_survives=survives)
                after.finish()
                doubts.append(_no_harm(after, gone))
    assert len(gone) == READERS
    assert max(doubts) == WINDOW, "a cut leaves a whole window in doubt, and never more"


def _restored(
    desk: Desk, starter: Starter, moment: Path, root: Path, log: Log, *, journal_survives: bool
) -> Desk:
    """The workspace as it comes up after the cut."""
    shutil.copytree(desk.root, root, ignore=shutil.ignore_patterns("subscribers.db*", "campaigns", ".mailer"))
    for path in moment.iterdir():
        if path.is_dir():
            shutil.copytree(path, root / path.name)
        elif path.name != "journal":
            shutil.copy(path, root / path.name)
    if journal_survives and (moment / "journal").exists():
        (root / ".mailer").mkdir()
        shutil.copy(moment / "journal", root / ".mailer" / f"{SLUG}.journal")
    return Desk(root, starter, log, desk.connections, {**desk.dials, **ANOTHER_BOOT})


def _no_harm(desk: Desk, gone: set[str]) -> int:
    """Nobody who may have had it by then gets it again, and nobody else is lost. Gives the uncertain ones."""
    got = desk.log.recipients()
    assert max(got.values(), default=1) == 1
    assert not got.keys() & gone
    rows = desk.rows()
    assert len(rows) == READERS
    assert {state for _, state, _ in rows} <= {"accepted", "uncertain"}
    assert {address for address, state, _ in rows if state == "accepted"} <= got.keys() | gone
    return sum(state == "uncertain" for _, state, _ in rows)


@pytest.mark.parametrize("journal", ["of another boot", "lost", "empty"])
def test_after_another_boot_what_was_claimed_is_held_and_no_more_than_a_window(
    make_desk: MakeDesk, tally: Tally, journal: str
) -> None:
    desk = make_desk("smtp", readers=READERS)
    desk.dials = DIALS
    kill = {"at": "mailer.spool.journal:Journal.note_outcomes", "when": "before", "call": READERS // 2}
    assert desk.send(kill=kill).wait() == -9
    tally.kills += 1
    path = desk.root / ".mailer" / f"{SLUG}.journal"
    if journal == "lost":
        path.unlink()
    elif journal == "empty":
        path.write_bytes(b"")
    desk.dials = {**DIALS, **ANOTHER_BOOT}
    desk.finish()
    counts = compare(desk, readers=READERS, bound=WINDOW, tally=tally)
    assert counts["uncertain"] >= (1)


# -- a journal that is cut short ----------------------------------------------------------------

WRITES: tuple[tuple[str, tuple[tuple[int, Outcome | None], ...]], ...] = (
    ("begin", ((1, None),)),
    ("begin", ((2, None), (3, None))),
    ("finish", ((1, Outcome(OutcomeKind.ACCEPTED)),)),
    (
        "finish",
        (
            (2, Outcome(OutcomeKind.REJECTED, "", "550 nobody")),
            (3, Outcome(OutcomeKind.DEFERRED, "", "450 é")),
        ),
    ),
    ("begin", ((4, None),)),
    ("begin", ((5, None), (6, None), (11, None))),
    ("finish", ((4, Outcome(OutcomeKind.ACCEPTED, "id 4 > 5 1")),)),
    ("finish", ((5, Outcome(OutcomeKind.UNCERTAIN, "", "gone")), (7, None))),
    ("finish", ((7, Outcome(OutcomeKind.ACCEPTED)), (8, None), (9, None))),
    ("finish", ((6, Outcome(OutcomeKind.ACCEPTED, "six")),)),
)
CLAIMED = 12


class _Undo(Exception):
    pass


@pytest.fixture
def claimed(settings: Settings) -> Iterator[DeskSpool]:
    """Twelve claimed deliveries; the subscribers have the numbers from 1 on."""
    db = open_store(settings.database)
    assert add_readers(db, CLAIMED) == list(range(1, CLAIMED + 1))
    spool = freeze(db)
    assert len(spool.claim(CLAIMED) or []) == CLAIMED
    yield spool
    db.conn.close()


def verdicts(db: Database, spool: DeskSpool, journal: Path) -> dict[int, str]:
    """What the recovery says of each, and nothing is kept of it."""
    states: dict[int, str] = {}
    with contextlib.suppress(_Undo), writing(db):
        spool.recover(journal)
        states = {number: state for number, state, *_ in spool.each()}
        raise _Undo
    return states


@pytest.mark.parametrize("goes_on", ["", "begin", "finish"])
@pytest.mark.parametrize("same_boot", [True, False])
def test_a_journal_cut_at_any_byte(
    claimed: DeskSpool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, goes_on: str, same_boot: bool
) -> None:
    path = tmp_path / "x.journal"
    journal = Journal(path)
    opened = journal.size
    ends: list[int] = []
    for kind, entries in WRITES:
        if kind == "begin":
            journal.note_begun_deliveries([(number, 1) for number, _ in entries])
        else:
            journal.note_outcomes(
                [(number, 1, outcome) for number, outcome in entries if outcome],
                begun=[(number, 1) for number, outcome in entries if not outcome],
            )
        ends.append(path.stat().st_size)
    journal.close()
    whole = path.read_bytes()
    journal = Journal(path)
    if not same_boot:
        monkeypatch.setattr(journal_module, "boot_id", lambda: "another boot")
    for cut in range(len(whole) + 1):
        # After a write that the disk cut short, another worker may still write its line.
        path.write_bytes(whole[:cut])
        if goes_on == "begin":
            journal.note_begun_deliveries([(CLAIMED, 1)])
        elif goes_on:
            journal.note_outcomes([(CLAIMED, 1, Outcome(OutcomeKind.ACCEPTED))])
        found = verdicts(claimed.database, claimed, path)
        begun = {CLAIMED} if goes_on == "begin" else set()
        known = {CLAIMED: "accepted"} if goes_on == "finish" else {}
        half: set[int] = set()
        half_known: dict[int, str] = {}
        for (_, entries), end, start in zip(WRITES, ends, [opened, *ends], strict=False):
            for number, outcome in entries:
                if end <= cut and not outcome:
                    begun.add(number)
                elif end <= cut and outcome:
                    known[number] = outcome.result.value
                elif start < cut and not outcome:
                    half.add(number)
                elif start < cut and outcome:
                    half_known[number] = outcome.result.value
        for number, state in found.items():
            if number in known:
                allowed = {known[number]}
            elif number in begun or not same_boot:
                allowed = {"uncertain", half_known.get(number, "uncertain")}
            elif cut < opened or number in half:
                allowed = {"pending", "uncertain"}  # its `begin` never returned, so it was never handed over
            else:
                allowed = {"pending"}
            assert state in allowed, (cut, number, whole[:cut][-60:])
        if cut < opened - 1:
            assert "pending" not in found.values(), "without a boot nothing is known"
    journal.close()
