"""Readers whose address changes while a run is on get the message once, at one address or the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.audience.change_address import change_address
from mailer.audience.people import get
from mailer.audience.subscribers import unsubscribe
from mailer.audience.values.address import normalize_address
from mailer.config import Settings
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind, OutgoingMessage
from mailer.transports.refusal.refusal import Cause
from tests.delivery.test_leavers import look_on_demand
from tests.delivery.test_run import left, run
from tests.spooled import Scripted, add_readers, freeze, open_spool

ACCEPTED = Outcome(OutcomeKind.ACCEPTED, "ok")
GONE = Outcome(OutcomeKind.REJECTED, "", "550 5.1.1 no such user", Cause.ADDRESS)


def move(db: Database, number: int) -> None:
    person = get(db, number)
    assert person is not None
    assert change_address(db, person, normalize_address(f"moved{number}@example.com"))


@pytest.mark.parametrize("batch", [1, 7])
def test_what_is_claimed_goes_to_the_old_address_and_nobody_gets_it_twice(
    db: Database, settings: Settings, journal: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    """All 20 are claimed at once; the second half moves while the first message is handed over."""
    ids = add_readers(db, 20)
    spool = freeze(db)
    other = open_store(settings.database)
    looked = look_on_demand(monkeypatch)

    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id == ids[0]:
            assert left(open_spool(other, spool.campaign)) == {"sending": 20}
            for number in ids[10:]:
                move(other, number)
            looked()
        return ACCEPTED

    transport = Scripted(decide, batch=batch)
    run(settings, spool, transport, journal, connections=1)
    assert left(spool) == {"accepted": 20}
    assert sorted(transport.sent) == sorted(f"reader{n}@example.org" for n in range(1, 21))
    run(settings, spool, transport, journal, connections=1)
    assert len(transport.sent) == 20


def test_a_refusal_at_the_old_address_marks_nobody_and_a_retry_reaches_the_new_one(
    db: Database, settings: Settings, journal: Path
) -> None:
    ids = add_readers(db, 6)
    spool = freeze(db)
    other = open_store(settings.database)
    moved, gone = set(ids[3:]), ids[2]

    def decide(message: OutgoingMessage) -> Outcome:
        if message.subscriber_id == ids[0]:
            for number in sorted(moved):
                move(other, number)
            unsubscribe(other, ids[5], source="web")
        old = message.subscriber_id in moved and message.address.endswith("@example.org")
        return GONE if old or message.subscriber_id == gone else ACCEPTED

    transport = Scripted(decide)
    run(settings, spool, transport, journal, connections=1)
    statuses = {number: person.status for number in ids if (person := get(db, number))}
    assert {number for number, status in statuses.items() if status == "bounced"} == {gone}
    spool.retry_all()
    run(settings, spool, transport, journal, connections=1)
    accepted = [address for address in transport.sent if address.endswith("@example.com")]
    assert sorted(accepted) == [f"moved{ids[3]}@example.com", f"moved{ids[4]}@example.com"]
    assert left(spool)["accepted"] == 4


def test_mail_that_was_deferred_goes_on_to_the_new_address(
    db: Database, settings: Settings, journal: Path
) -> None:
    (number,) = add_readers(db, 1)
    spool = freeze(db)
    transport = Scripted(lambda _: Outcome(OutcomeKind.DEFERRED, "", "451 later"))
    spool.claim(1)
    spool.settle([(number, 1, Outcome(OutcomeKind.DEFERRED, "", "451 later"), "")])
    move(db, number)
    transport.decide = lambda _: ACCEPTED
    run(settings, spool, transport, journal)
    assert transport.sent == [f"moved{number}@example.com"]
