from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlite_utils import Database

from mailer.audience.consent.suppression import suppress
from mailer.audience.people import Subscriber
from mailer.audience.recipients import (
    Recipient,
    RecipientChecker,
    addresses_of,
    attribute_texts,
    unreachable_subscriber_ids,
)
from mailer.audience.selection import exclusions_of
from mailer.audience.subscribers import erase, unsubscribe
from mailer.errors import StoreError

Add = Callable[..., Subscriber]

NOBODY = 999


def stable_id(db: Database, person: Subscriber) -> bytes:
    return bytes(
        db.conn.execute("SELECT stable_id FROM subscribers WHERE id = ?", (person.id,)).fetchone()[0]
    )


def statements(db: Database, call: Callable[[], object]) -> list[str]:
    seen: list[str] = []
    db.conn.set_trace_callback(seen.append)
    call()
    db.conn.set_trace_callback(None)
    return seen


def test_everybody_who_may_not_be_written_to_has_the_reason_that_the_selection_gives(
    db: Database, person: Add
) -> None:
    people = [
        person(f"{status}@example.org", "morning", status=status)
        for status in ("active", "pending", "unsubscribed", "bounced", "complained")
    ]
    people += [person("elsewhere@example.org", "evening"), person("never@example.org", "morning")]
    suppress(db, "never@example.org", "by letter")
    gone = person("gone@example.org", "morning")
    erase(db, gone.id)
    ids = [each.id for each in (*people, gone)]
    reasons = RecipientChecker(db, "morning")(ids)
    assert reasons == {number: reason for number, reason in exclusions_of(db, ids, "morning") if reason}
    assert reasons == dict(
        zip(
            ids[1:],
            ("pending", "unsubscribed", "bounced", "complained", "not_subscribed", "suppressed", "erased"),
            strict=True,
        )
    )


def test_a_number_that_is_nobodys_counts_as_erased(db: Database, person: Add) -> None:
    recipients = RecipientChecker(db, "morning")
    assert recipients([NOBODY, person("li@example.org", "morning").id]) == {NOBODY: "erased"}
    with pytest.raises(KeyError):
        recipients.take(NOBODY)


def test_whoever_may_be_written_to_is_remembered_until_they_are_taken(db: Database, person: Add) -> None:
    li = person(
        "Li@Example.org", "morning", name="李", language="zh", attributes={"vip": True, "of": ["a", "b"]}
    )
    wu = person("wu@b.example", "morning")
    recipients = RecipientChecker(db, "morning")
    assert recipients([li.id]) == {}
    assert recipients([wu.id]) == {}
    assert recipients.take(li.id) == Recipient(
        li.id, "Li@example.org", "李", "zh", {"vip": "true", "of": "a, b"}, "example.org", stable_id(db, li)
    )
    assert recipients.take(wu.id) == Recipient(
        wu.id, "wu@b.example", "", "", None, "b.example", stable_id(db, wu)
    )
    with pytest.raises(KeyError):
        recipients.take(li.id)


def test_whoever_leaves_between_two_questions_is_not_remembered(db: Database, person: Add) -> None:
    li = person("li@example.org", "morning")
    recipients = RecipientChecker(db, "morning")
    recipients([li.id])
    unsubscribe(db, li.id)
    assert recipients([li.id]) == {li.id: "unsubscribed"}
    with pytest.raises(KeyError):
        recipients.take(li.id)


def test_a_recipient_without_a_stable_id_stops_the_claim(db: Database, person: Add) -> None:
    li = person("li@example.org", "morning")
    db.conn.execute("UPDATE subscribers SET stable_id = NULL")
    with pytest.raises(StoreError, match=f"subscriber {li.id} has no stable id, so no unsubscribe link"):
        RecipientChecker(db, "morning")([li.id])


def test_somebody_who_has_left_needs_no_stable_id(db: Database, person: Add) -> None:
    li = person("li@example.org", "morning", status="unsubscribed")
    db.conn.execute("UPDATE subscribers SET stable_id = NULL")
    assert RecipientChecker(db, "morning")([li.id]) == {li.id: "unsubscribed"}


def test_any_number_of_people_is_asked_for_in_one_statement(db: Database, person: Add) -> None:
    ids = [person(f"{number}@example.org", "morning").id for number in range(20)]
    recipients = RecipientChecker(db, "morning")
    assert len(statements(db, lambda: recipients(ids))) == 1
    assert len(statements(db, lambda: addresses_of(db, ids))) == 1
    assert (
        len(statements(db, lambda: unreachable_subscriber_ids(db, [(number, "address") for number in ids])))
        == 1
    )
    assert recipients([]) == addresses_of(db, []) == {}
    assert unreachable_subscriber_ids(db, []) == set()


def test_the_addresses_of_the_erased_and_of_nobody_are_none(db: Database, person: Add) -> None:
    li, gone = person("li@example.org", status="bounced"), person("gone@example.org")
    erase(db, gone.id)
    assert addresses_of(db, [li.id, gone.id, NOBODY]) == {
        li.id: "li@example.org",
        gone.id: None,
        NOBODY: None,
    }


@pytest.mark.parametrize(
    ("status", "cause", "cannot"),
    [
        ("bounced", "", True),
        ("bounced", "mailbox", True),
        ("bounced", "address", True),
        ("active", "address", False),
        ("unsubscribed", "address", True),
        ("pending", "address", True),
        ("unsubscribed", "mailbox", False),
        ("unsubscribed", "them", False),
        ("active", "us", False),
    ],
)
def test_a_bounce_or_a_refused_address_of_somebody_inactive_is_unreachable(
    db: Database, person: Add, status: str, cause: str, cannot: bool
) -> None:
    li, other = person("li@example.org", status=status), person("other@example.org")
    assert unreachable_subscriber_ids(db, [(li.id, cause), (other.id, ""), (NOBODY, "address")]) == (
        {li.id} if cannot else set()
    )


def test_attributes_are_shown_as_plain_text() -> None:
    assert attribute_texts({"a": None, "b": False, "c": [1, True], "d": 2.5, "e": "x"}) == {
        "a": "",
        "b": "false",
        "c": "1, true",
        "d": "2.5",
        "e": "x",
    }
