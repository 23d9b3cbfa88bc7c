from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlite_utils import Database

from mailer.audience.consent.record import Consent, consents_of
from mailer.audience.consent.suppression import is_suppressed, suppress, suppression_of
from mailer.audience.editing import SubscriberEdit, edit_subscriber
from mailer.audience.people import Subscriber
from mailer.audience.segments import parse_segment
from mailer.audience.subscribers import (
    add,
    erase,
    find,
    get,
    list_subscribers,
    set_editions,
    unsubscribe,
)
from mailer.audience.values.address import normalize_address
from mailer.clock import utc_now
from mailer.config import Settings
from mailer.errors import AudienceError
from mailer.spool.open import retained_texts_of

CONSENT = Consent("2026-01-01T00:00:00.000000Z", "web", "sign-up page")
LI = normalize_address("li@example.org")
Add = Callable[..., Subscriber]


def events(db: Database) -> list[tuple[Any, ...]]:
    return db.conn.execute(
        "SELECT kind, subscriber_id, campaign_id, edition, reason, source FROM events ORDER BY id"
    ).fetchall()


def campaign(db: Database) -> int:
    return int(
        db.conn.execute(
            "INSERT INTO campaigns (slug, issue, issue_hash, edition, issue_date, plan_hash, plan, subject, "
            "transport, created_at) VALUES ('c', 'i', '', 'morning', '', '', '{}', '', '', '') RETURNING id"
        ).fetchone()[0]
    )


def test_a_new_person_is_active_with_consent_on_record(db: Database) -> None:
    person, new = add(db, LI, consent=CONSENT, editions=("morning",))
    assert new
    _, person = edit_subscriber(
        db,
        person.id,
        SubscriberEdit("Li", "zh", "Asia/Shanghai", tags=("vip",), attributes={"company": "Acme"}),
    )
    assert (person.address, person.name, person.language, person.timezone) == (
        "li@example.org", "Li", "zh", "Asia/Shanghai",
    )  # fmt: skip
    assert (person.tags, person.attributes, person.status) == (("vip",), {"company": "Acme"}, "active")
    assert person.editions == ("morning",)
    assert consents_of(db, person.id) == (CONSENT,)


def test_adding_somebody_again_changes_only_what_is_said(db: Database, person: Add) -> None:
    first = person("li@example.org", "morning", name="Li", tags=("vip",), attributes={"a": "1", "b": "2"})
    again, new = add(db, normalize_address("LI@EXAMPLE.ORG"), consent=CONSENT, editions=("evening",))
    _, again = edit_subscriber(db, again.id, SubscriberEdit(language="en", attributes={"b": "3"}))
    assert (again.id, new, again.address) == (first.id, False, "li@example.org")
    assert (again.name, again.language, again.tags) == ("Li", "en", ("vip",))
    assert again.attributes == {"a": "1", "b": "3"}
    assert again.editions == ("evening", "morning")


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained", "pending"])
def test_only_their_own_wish_makes_somebody_active_again(db: Database, person: Add, status: str) -> None:
    number = person("li@example.org", "morning", status=status).id
    why = (
        f"is {status}, and only the reader can change that" if status != "bounced" else "has bounced; if the"
    )
    with pytest.raises(AudienceError, match=f"li@example.org {why}"):
        add(db, LI, consent=CONSENT, editions=("evening",))
    kept = get(db, number)
    assert kept
    assert (kept.status, kept.name, kept.editions) == (status, "", ("morning",))
    if status == "complained":
        with pytest.raises(AudienceError, match="the reader reported a message as spam"):
            add(db, LI, consent=CONSENT, at_own_request=True)
        with pytest.raises(AudienceError, match="is complained"):
            add(db, LI, consent=CONSENT, force_reason="it was a mistake")
    forced = "it was a mistake" if status == "complained" else ""
    assert add(db, LI, consent=CONSENT, at_own_request=True, force_reason=forced)[0].status == "active"


def test_a_suppressed_address_is_not_added_whoever_asks(db: Database) -> None:
    assert suppress(db, LI.key, "asked by letter")
    assert not suppress(db, LI.key, "again")
    found = suppression_of(db, LI.key)
    assert found
    assert found.reason == "asked by letter"
    with pytest.raises(
        AudienceError, match=r"on the suppression list since 20.* \(asked by letter\) and must not"
    ):
        add(db, LI, consent=CONSENT, at_own_request=True)
    assert find(db, "li@example.org") is None


@pytest.mark.parametrize("status", ["active", "pending", "bounced"])
def test_an_unsubscribe_wins_over_everything_and_is_recorded_once(
    db: Database, person: Add, status: str
) -> None:
    number, sent = person("li@example.org", "morning", status=status).id, campaign(db)
    assert unsubscribe(db, number, campaign_id=sent, reason=" too much " + "x" * 600, source="one-click")
    assert not unsubscribe(db, number, campaign_id=sent, source="web")
    gone = get(db, number)
    assert gone
    assert gone.status == "unsubscribed"
    assert events(db) == [("unsubscribe", number, sent, "", "too much " + "x" * 491, "one-click")]


def test_a_reason_may_come_after_the_unsubscribe(db: Database, person: Add) -> None:
    number = person("li@example.org", "morning").id
    unsubscribe(db, number, source="one-click")
    assert not unsubscribe(db, number, reason="too long", source="web")
    assert not unsubscribe(db, number, reason="another", source="web")
    assert events(db) == [("unsubscribe", number, None, "", "too long", "one-click")]


def test_leaving_one_edition_keeps_the_others(db: Database, person: Add) -> None:
    number = person("li@example.org", "morning", "evening").id
    assert unsubscribe(db, number, edition="evening", source="web")
    assert not unsubscribe(db, number, edition="evening", source="web")
    left = get(db, number)
    assert left
    assert (left.status, left.editions) == ("active", ("morning",))
    assert events(db) == [("unsubscribe", number, None, "evening", "", "web")]


def test_nobody_is_unsubscribed_by_a_number_that_is_nobodys(db: Database, person: Add) -> None:
    number = person("li@example.org").id
    erase(db, number)
    assert not unsubscribe(db, number)
    assert not unsubscribe(db, 4711)


def test_a_persons_own_choice_of_editions_is_exact(db: Database, person: Add) -> None:
    number = person("li@example.org", "morning", "evening").id
    assert set_editions(db, number, ["evening", "feature"], consent=CONSENT)
    assert not set_editions(db, number, ["feature", "evening"], consent=CONSENT)
    chosen = get(db, number)
    assert chosen
    assert chosen.editions == ("evening", "feature")
    assert events(db) == [
        ("unsubscribe", number, None, "morning", "", "preferences"),
        ("subscribe", number, None, "feature", "", "preferences"),
    ]
    assert len(consents_of(db, number)) == 2


def test_choosing_no_edition_is_an_unsubscribe(db: Database, person: Add) -> None:
    number = person("li@example.org", "morning").id
    assert set_editions(db, number, [], consent=CONSENT)
    gone = get(db, number)
    assert gone
    assert gone.status == "unsubscribed"


def test_who_complained_stays_so_and_never_comes_back_by_a_link(db: Database, person: Add) -> None:
    number = person("li@example.org", "morning", status="complained").id
    assert not unsubscribe(db, number, source="one-click")
    assert not set_editions(db, number, ["morning"], consent=CONSENT)
    still = get(db, number)
    assert still
    assert still.status == "complained"
    assert events(db) == []


@pytest.mark.parametrize("status", ["unsubscribed", "bounced"])
def test_choosing_an_edition_brings_somebody_back(db: Database, person: Add, status: str) -> None:
    number = person("li@example.org", "morning", status=status).id
    assert set_editions(db, number, ["morning"], consent=CONSENT)
    back = get(db, number)
    assert back
    assert back.status == "active"


def test_a_suppressed_or_erased_person_cannot_choose(db: Database, person: Add) -> None:
    number = person("li@example.org", "morning", status="unsubscribed").id
    suppress(db, LI.key, "x")
    assert not set_editions(db, number, ["morning"], consent=CONSENT)
    erase(db, number)
    assert not set_editions(db, number, ["morning"], consent=CONSENT)
    assert not set_editions(db, 99, ["morning"], consent=CONSENT)


def test_erasing_leaves_the_number_and_nothing_that_says_who(
    db: Database, person: Add, settings: Settings
) -> None:
    number, sent = (
        person("li.wei@example.org", "morning", name="Li Wei", attributes={"phone": "12345678"}).id,
        campaign(db),
    )
    db.conn.execute(
        "INSERT INTO deliveries (campaign_id, subscriber_id, state, reason) "
        "VALUES (?, ?, 'rejected', '550 li.wei@example.org unknown')", (sent, number),
    )  # fmt: skip
    unsubscribe(db, number, reason="I am Li Wei", source="web")
    assert erase(db, number, retained=retained_texts_of(db))
    assert not erase(db, number)
    assert not erase(db, 4711)
    gone = get(db, number)
    assert gone == Subscriber(
        number,
        None,
        status="erased",
        joined_at=gone.joined_at if gone else "",
        updated_at=gone.updated_at if gone else "",
    )
    assert db.conn.execute("SELECT subscriber_id, reason FROM deliveries").fetchall() == [(number, "")]
    assert events(db) == [
        ("unsubscribe", number, None, "", "", "web"),
        ("suppress", number, None, "", "", "cli"),
        ("erase", number, None, "", "", "cli"),
    ]
    assert is_suppressed(db, "li.wei@example.org")
    assert find(db, "li.wei@example.org") is None
    for name in ("subscribers.db", "subscribers.db-wal"):
        content = (settings.root / name).read_bytes()
        assert b"li.wei" not in content
        assert b"Li Wei" not in content
        assert b"12345678" not in content


def test_people_are_listed_in_the_order_they_came(db: Database, person: Add) -> None:
    person("b@example.org", "morning", language="zh")
    person("a@example.org", "evening", status="bounced")
    erase(db, person("c@example.org").id)

    def listed(**wanted: Any) -> list[str | None]:
        return [found.address for found in list_subscribers(db, **wanted)]

    assert listed() == ["b@example.org", "a@example.org"]
    assert listed(status="bounced") == ["a@example.org"]
    assert listed(edition="morning") == ["b@example.org"]
    assert listed(segment=parse_segment('language == "zh"')) == ["b@example.org"]
    assert listed(status="erased") == [None]


def test_nobody_is_found_by_an_unknown_number(db: Database) -> None:
    assert get(db, 1) is None
    assert utc_now().endswith("Z")
