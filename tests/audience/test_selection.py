"""Who gets an edition, who does not and why, and which variant they read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from sqlite_utils import Database

from mailer.audience.consent.suppression import suppress
from mailer.audience.people import Subscriber
from mailer.audience.recipients import RecipientChecker
from mailer.audience.segments import Segment, parse_segment
from mailer.audience.selection import (
    Exclusion,
    exclusion_of,
    exclusion_reason_sql,
    exclusions_of,
    is_in_segment,
    select_subscribers,
    subscriber_time_zones,
    variant_of,
    variant_sql,
)
from mailer.audience.subscribers import erase

Add = Callable[..., Subscriber]


@pytest.fixture
def crowd(db: Database, person: Add) -> dict[str, Exclusion | None]:
    """One person for each reason, and one who gets the morning edition in Chinese."""
    person("ok@example.org", "morning", language="zh")
    for status in ("pending", "unsubscribed", "bounced", "complained"):
        person(f"{status}@example.org", "morning", status=status, language="zh")
    person("elsewhere@example.org", "evening", language="zh")
    person("english@example.org", "morning", language="en")
    person("never@example.org", "morning", language="zh")
    suppress(db, "never@example.org", "by letter")
    erase(db, person("gone@example.org", "morning").id)
    return {
        "ok@example.org": None,
        "pending@example.org": Exclusion.PENDING,
        "unsubscribed@example.org": Exclusion.UNSUBSCRIBED,
        "bounced@example.org": Exclusion.BOUNCED,
        "complained@example.org": Exclusion.COMPLAINED,
        "elsewhere@example.org": Exclusion.NOT_SUBSCRIBED,
        "english@example.org": Exclusion.OUTSIDE_SEGMENT,
        "never@example.org": Exclusion.SUPPRESSED,
        "": Exclusion.ERASED,
    }


def test_everybody_has_one_reason_or_gets_it(db: Database, crowd: dict[str, Exclusion | None]) -> None:
    segment = parse_segment('language == "zh"')
    sql, params = exclusion_reason_sql("morning", segment)
    rows = db.conn.execute(f"SELECT s.id, ifnull(s.address, ''), {sql} FROM subscribers s", params).fetchall()
    assert {address: reason for _, address, reason in rows} == crowd
    for number, address, _ in rows:
        assert exclusion_of(db, number, "morning", segment) == crowd[address]


def test_several_people_are_asked_for_at_once_and_nobody_else_is_told_of(
    db: Database, crowd: dict[str, Exclusion | None]
) -> None:
    ids = dict(db.conn.execute("SELECT ifnull(address, ''), id FROM subscribers").fetchall())
    asked = [ids["never@example.org"], ids["ok@example.org"], ids["english@example.org"], 999]
    assert sorted(exclusions_of(db, asked, "morning")) == sorted(
        [
            (ids["ok@example.org"], None),
            (ids["english@example.org"], None),
            (ids["never@example.org"], "suppressed"),
        ]
    )
    assert exclusions_of(db, [], "morning") == []


def test_the_claim_asks_the_same_as_the_plan(db: Database, crowd: dict[str, Exclusion | None]) -> None:
    numbers = [row[0] for row in db.conn.execute("SELECT id FROM subscribers ORDER BY id")]
    claimed = RecipientChecker(db, "morning")
    reasons = claimed(numbers)
    eligible = [(claimed.take(number).address,) for number in numbers if number not in reasons]
    assert eligible == [("ok@example.org",), ("english@example.org",)]
    reason, params = exclusion_reason_sql("morning")
    planned = db.conn.execute(
        f"SELECT s.address FROM subscribers s WHERE ({reason}) IS NULL ORDER BY s.id", params
    ).fetchall()
    assert planned == eligible


def test_a_mask_has_a_bit_for_every_segment_somebody_is_in(db: Database, person: Add) -> None:
    person("a@example.org", language="zh", tags=("vip",))
    person("b@example.org", language="en")
    person("c@example.org", tags=("vip",))
    segments = [
        parse_segment('language == "zh"'),
        parse_segment('"vip" in tags'),
        parse_segment('not language == "zh"'),
    ]
    sql, params = variant_sql(segments)
    assert db.conn.execute(f"SELECT {sql} FROM subscribers s ORDER BY s.id", params).fetchall() == [
        (3,),
        (4,),
        (6,),
    ]
    assert db.conn.execute(f"SELECT DISTINCT {variant_sql([])[0]} FROM subscribers s").fetchall() == [(0,)]


def test_a_person_reads_the_variant_of_the_segments_they_are_in(db: Database, person: Add) -> None:
    vip, chinese = parse_segment('"vip" in tags'), parse_segment('language == "zh"')
    nobody, both = person("a@example.org").id, person("b@example.org", language="zh", tags=("vip",)).id
    assert [variant_of(db, number, [vip, chinese]) for number in (nobody, both)] == [0, 3]
    assert [is_in_segment(db, number, vip) for number in (nobody, both)] == [False, True]
    for ask in (lambda: variant_of(db, 999, [vip]), lambda: is_in_segment(db, 999, vip)):
        with pytest.raises(LookupError, match="there is no subscriber 999"):
            ask()


def test_a_mask_of_62_segments_is_a_number_of_the_database(db: Database, person: Add) -> None:
    number = person("a@example.org", language="zh").id
    assert variant_of(db, number, [parse_segment('language == "zh"')] * 62) == 2**62 - 1


def test_a_mask_of_too_many_segments_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at most 62 segments"):
        variant_sql([parse_segment("x == 1")] * 63)


def test_nobody_has_no_reason(db: Database) -> None:
    with pytest.raises(LookupError):
        exclusion_of(db, 1, "morning")


def test_every_reason_has_a_sentence() -> None:
    assert all(reason.sentence for reason in Exclusion)


def test_a_mask_of_the_deepest_and_longest_segments_still_runs(db: Database, person: Add) -> None:
    person("a@example.org", attributes={"x": "1"})
    deep = parse_segment("(" * 16 + "x == 1" + ")" * 16)
    nots = parse_segment("not " * 16 + "x == 1")
    wide = parse_segment("x in (" + ", ".join(["2"] * 199 + ["1"]) + ")")
    long = parse_segment(" or ".join(["x == 2"] * 199) + " or x == 1")
    sql, params = variant_sql([deep, nots, wide, long] * 4)
    assert db.conn.execute(f"SELECT {sql} FROM subscribers s", params).fetchone() == (0xFFFF,)


Row = tuple[int, str, str | None, int, int]


def selected(
    db: Database, segments: Sequence[Segment] = (), cannot_write_to: Callable[[str], bool] | None = None
) -> list[Row]:
    """Everybody, as a plan of the morning edition for those who read Chinese finds them."""
    chinese = parse_segment('language == "zh"')
    found = select_subscribers(db, "morning", chinese, segments, cannot_write_to=cannot_write_to)
    return [row for rows in found for row in rows]


def test_a_plan_finds_everybody_with_their_reason(db: Database, crowd: dict[str, Exclusion | None]) -> None:
    rows = db.conn.execute("SELECT id, ifnull(address, '') FROM subscribers ORDER BY id").fetchall()
    assert len(rows) == len(crowd)
    assert selected(db) == [
        (number, "example.org" if address else "", crowd[address], 0, 0) for number, address in rows
    ]


def test_a_plan_finds_the_variant_that_each_reads(db: Database, person: Add) -> None:
    both = person("a@example.org", "morning", language="zh", tags=("vip",)).id
    other = person("b@harbour.example", "morning", language="zh", tags=("old",)).id
    neither = person("c@example.org", "morning", language="zh").id
    segments = [parse_segment('"vip" in tags'), parse_segment('not "old" in tags')]
    for cannot_write_to in (None, lambda _: False):
        assert selected(db, segments, cannot_write_to) == [
            (both, "example.org", None, 0, 3),
            (other, "harbour.example", None, 0, 0),
            (neither, "example.org", None, 0, 2),
        ]


def test_a_plan_knows_whom_the_transport_cannot_write_to(
    db: Database, crowd: dict[str, Exclusion | None]
) -> None:
    asked = []

    def cannot_write_to(address: str) -> bool:
        asked.append(address)
        return address.startswith(("ok", "never"))

    rows = selected(db, cannot_write_to=cannot_write_to)
    assert sorted(asked) == sorted(address for address in crowd if address)  # not the erased one's
    assert [(reason, unwritable) for _, _, reason, unwritable, _ in rows if unwritable] == [
        (None, 1),
        ("suppressed", 1),
    ]
    assert [(*row[:3], 0, row[4]) for row in rows] == selected(db)


def test_a_plan_of_nobody_is_no_list(db: Database) -> None:
    assert next(select_subscribers(db, "morning", None, ()), None) is None


def test_a_plan_of_many_finds_everybody_once_in_the_order_of_their_ids(db: Database) -> None:
    db.conn.execute(
        "WITH RECURSIVE numbers(n) AS (SELECT 12001 UNION ALL SELECT n - 1 FROM numbers WHERE n > 1) "
        "INSERT INTO subscribers (id, address, address_key, domain, stable_id, joined_at, updated_at) "
        "SELECT n, n || '@example.org', n, 'example.org', n, '', '' FROM numbers"
    )
    lists = list(select_subscribers(db, "morning", None, ()))
    assert [row[0] for rows in lists for row in rows] == list(range(1, 12002))
    assert all(0 < len(rows) < 10_000 for rows in lists)


def test_everybody_has_a_time_zone_or_none_that_is_known(db: Database, person: Add) -> None:
    first = person("b@example.org", timezone="Europe/Berlin").id
    second = person("a@example.org").id
    third = person("c@example.org", timezone="Asia/Shanghai").id
    assert list(subscriber_time_zones(db)) == [
        (first, "Europe/Berlin"),
        (second, ""),
        (third, "Asia/Shanghai"),
    ]
