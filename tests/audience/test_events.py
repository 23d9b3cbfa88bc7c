"""Every change of whether a reader may be written to is an event, and only one module knows the table."""

from __future__ import annotations

import ast
import contextlib
import inspect
import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlite_utils import Database

from mailer.audience import change_address as moving
from mailer.audience import events, subscribers
from mailer.audience.change_address import change_address
from mailer.audience.consent import bounces, bulk_changes, suppression
from mailer.audience.consent.bounces import (
    bounces_of,
    last_bounce_time,
    record_bounce,
    restore_bounced_subscriber,
    restore_subscribers_bounced_in_campaign,
)
from mailer.audience.consent.bulk_changes import suppress_all, unsubscribe_all
from mailer.audience.consent.record import Consent
from mailer.audience.consent.suppression import suppress
from mailer.audience.events import Event, last_event_id, people_with_events_since
from mailer.audience.exchange import importer
from mailer.audience.exchange.list_file import ListFile
from mailer.audience.people import Subscriber, get
from mailer.audience.selection import exclusion_reason_sql
from mailer.audience.subscribers import add, erase, set_editions, unsubscribe
from mailer.audience.values.address import Address, normalize_address
from mailer.config import Settings
from mailer.errors import AudienceError
from mailer.store.database import writing

ROOT = Path(__file__).parents[2]
CONSENT = Consent("2026-01-01T00:00:00.000000Z", "web", "sign-up page")
EDITIONS = ("morning", "evening")
CAMPAIGN = """
    INSERT INTO campaigns (slug, issue, issue_hash, edition, issue_date, plan_hash, plan, subject, transport,
        created_at) VALUES (?, 'i', '', 'morning', '', '', '{}', '', '', '') RETURNING id
"""
Add = Callable[..., Subscriber]


# -- one module knows the table -------------------------------------------------------------------

SQL = re.compile(r"\b(FROM|JOIN|INTO|UPDATE|TABLE|ON)\s+events\b", re.IGNORECASE)


def texts(path: Path) -> Iterator[str]:
    """Every string in the code of a file, with its pieces joined."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                p.value for p in node.values if isinstance(p, ast.Constant) and isinstance(p.value, str)
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_only_one_module_writes_and_reads_events() -> None:
    allowed = {"mailer/audience/events.py", "mailer/store/steps/first_tables.py"}
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("mailer", "bench", "tools")
        for path in (ROOT / folder).rglob("*.py")
        if any(SQL.search(text) or text == "events" for text in texts(path))
    }
    assert found == allowed


def test_only_the_audience_changes_who_may_be_written_to() -> None:
    changing = re.compile(
        r"(UPDATE\s+subscribers\s+SET[^;]*\bstatus\s*=|DELETE\s+FROM\s+subscri|INTO\s+suppressions)", re.I
    )
    found = {
        path.relative_to(ROOT / "mailer").as_posix()
        for path in (ROOT / "mailer").rglob("*.py")
        if any(changing.search(text) for text in texts(path))
    }
    # A module that is added here belongs into WAYS_OUT and WAYS_BACK below, too.
    names = (
        "subscribers",
        "erasure",
        "consent/resubscribing",
        "consent/bounces",
        "consent/suppression",
        "exchange/rows/batch",
    )
    assert found == {f"audience/{name}.py" for name in names}


# -- every change is an event ---------------------------------------------------------------------


class Desk:
    """A database with readers, and what can be done to one of them."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self.db = db
        self.settings = settings
        self.campaign = int(db.conn.execute(CAMPAIGN, ("c",)).fetchone()[0])
        self._numbers = itertools.count()
        self._moved: dict[int, str] = {}

    def reader(self) -> Subscriber:
        address = normalize_address(f"reader{next(self._numbers)}@example.org")
        return add(self.db, address, consent=CONSENT, editions=EDITIONS)[0]

    def load(self, reader: Subscriber, **cells: str) -> None:
        path = self.settings.root / "list.csv"
        path.write_text(
            f"email,{','.join(cells)}\n{self.address(reader).address},{','.join(cells.values())}\n"
        )
        importer.import_csv(self.db, self.settings, ListFile.at(path, self.settings))

    def choose(self, reader: Subscriber, *editions: str) -> None:
        set_editions(self.db, reader.id, editions, consent=CONSENT, campaign_id=self.campaign)

    def address(self, reader: Subscriber) -> Address:
        return normalize_address(self._moved.get(reader.id) or reader.address or "")

    def move(self, reader: Subscriber) -> None:
        person, new = get(self.db, reader.id), f"moved{reader.id}@example.org"
        if person is not None and person.address is not None:
            with contextlib.suppress(AudienceError):  # suppressed
                change_address(self.db, person, normalize_address(new))
                self._moved[reader.id] = new

    def bounce(self, reader: Subscriber) -> None:
        record_bounce(
            self.db,
            reader.id,
            campaign_id=self.campaign,
            edition="morning",
            server_answer="no",
            source="smtp",
        )

    def suppress(self, reader: Subscriber) -> None:
        suppress(self.db, self.address(reader).key, "asked by letter")

    def add(self, reader: Subscriber, **options: Any) -> None:
        address = self.address(reader)
        with contextlib.suppress(AudienceError):  # suppressed, or gone without an act of their own
            add(self.db, address, consent=CONSENT, editions=EDITIONS, **options)

    def restore(self, reader: Subscriber) -> None:
        person = get(self.db, reader.id)
        if person is not None and person.status == "bounced" and not self.is_suppressed(reader):
            restore_bounced_subscriber(self.db, person, reason="it works")

    def is_suppressed(self, reader: Subscriber) -> bool:
        return suppression.is_suppressed(self.db, self.address(reader).key)

    def may_get(self) -> set[tuple[str, int]]:
        """(edition, subscriber id) of everybody who may be written to."""
        found = set()
        for edition in EDITIONS:
            reason, values = exclusion_reason_sql(edition)
            rows = self.db.conn.execute(f"SELECT s.id FROM subscribers AS s WHERE {reason} IS NULL", values)
            found |= {(edition, row[0]) for row in rows}
        return found


#: What can make a reader ineligible who is eligible.
WAYS_OUT: dict[str, Callable[[Desk, Subscriber], object]] = {
    "unsubscribe": lambda desk, reader: unsubscribe(desk.db, reader.id),
    "unsubscribe_all": lambda desk, reader: unsubscribe_all(desk.db, [desk.address(reader)]),
    "suppress_all": lambda desk, reader: suppress_all(desk.db, [desk.address(reader)], reason="by letter"),
    "unsubscribe from one edition": lambda desk, reader: unsubscribe(desk.db, reader.id, edition="morning"),
    "set_editions to another": lambda desk, reader: desk.choose(reader, "evening"),
    "set_editions to none": lambda desk, reader: desk.choose(reader),
    "erase": lambda desk, reader: erase(desk.db, reader.id),
    "suppress": lambda desk, reader: desk.suppress(reader),
    "record_bounce": lambda desk, reader: desk.bounce(reader),
    "import_csv as unsubscribed": lambda desk, reader: desk.load(reader, status="unsubscribed"),
    "import_csv as bounced": lambda desk, reader: desk.load(reader, status="bounced"),
    "import_csv as complained": lambda desk, reader: desk.load(reader, status="complained"),
}
#: What can make a reader eligible again, or changes nothing of it.
WAYS_BACK: dict[str, Callable[[Desk, Subscriber], object]] = {
    "set_editions": lambda desk, reader: desk.choose(reader, *EDITIONS),
    "add by their own act": lambda desk, reader: desk.add(reader, at_own_request=True),
    "add": lambda desk, reader: desk.add(reader),
    "add by force": lambda desk, reader: desk.add(
        reader, at_own_request=True, force_reason="it was a mistake"
    ),
    "remove_suppression by force": lambda desk, reader: desk.add(
        reader, at_own_request=True, force_reason="it was a mistake"
    ),
    "change_address": lambda desk, reader: desk.move(reader),
    "restore_bounced_subscriber": lambda desk, reader: desk.restore(reader),
    "restore_subscribers_bounced_in_campaign": lambda desk, _: restore_subscribers_bounced_in_campaign(
        desk.db, desk.campaign, reason="their outage"
    ),
    "import_csv": lambda desk, reader: desk.load(reader, status="active", editions="morning"),
}
READING = {
    *("find", "get", "list_subscribers", "bounces_of", "last_bounce_time"),
    *("is_suppressed", "suppression_reasons", "is_suppressed_sql", "suppression_of"),
    *("earlier_addresses", "former_holder", "address_changed_at"),
    *("current_keys_of_former_addresses", "current_or_former_holder"),
    "append_suppression_reason",  # words alone
    "decide_columns_of_file",
}


@pytest.fixture
def desk(db: Database, settings: Settings) -> Desk:
    return Desk(db, settings)


def test_every_public_operation_of_the_audience_is_tried_here() -> None:
    public = {
        name
        for module in (subscribers, bounces, suppression, importer, bulk_changes, moving)
        for name in module.__all__
        if inspect.isfunction(getattr(module, name))
    }
    tried = {name.partition(" ")[0] for name in (*WAYS_OUT, *WAYS_BACK)}
    assert public - READING == tried


@pytest.mark.parametrize("way", WAYS_OUT)
def test_who_may_not_be_written_to_any_more_is_among_the_people_since(desk: Desk, way: str) -> None:
    reader, other = desk.reader(), desk.reader()
    before = last_event_id(desk.db)
    WAYS_OUT[way](desk, reader)
    assert ("morning", reader.id) not in desk.may_get()
    assert ("morning", other.id) in desk.may_get()
    since, newest = people_with_events_since(desk.db, before)
    assert since == {reader.id}
    assert people_with_events_since(desk.db, newest) == (frozenset(), newest)


@pytest.mark.parametrize("way", WAYS_OUT)
def test_the_change_and_its_event_are_one_transaction(desk: Desk, way: str) -> None:
    reader = desk.reader()
    said: list[str] = []
    desk.db.conn.set_trace_callback(said.append)
    WAYS_OUT[way](desk, reader)
    desk.db.conn.set_trace_callback(None)
    words = [statement.split()[0].upper() for statement in said]
    assert [word for word in words if word in ("BEGIN", "COMMIT")] == ["BEGIN", "COMMIT"]
    outside = words[: words.index("BEGIN")] + words[words.index("COMMIT") :]
    assert not {"INSERT", "UPDATE", "DELETE"} & set(outside)


@hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(st.tuples(st.sampled_from([*WAYS_OUT, *WAYS_BACK]), st.integers(0, 1)), min_size=1, max_size=8)
)
def test_whatever_happens_in_whatever_order_each_change_is_an_event(
    desk: Desk, happened: list[tuple[str, int]]
) -> None:
    readers = [desk.reader(), desk.reader()]
    for way, which in happened:
        before, may_get = last_event_id(desk.db), desk.may_get()
        ({**WAYS_OUT, **WAYS_BACK})[way](desk, readers[which])
        changed = {number for _, number in may_get ^ desk.may_get()}
        assert changed <= people_with_events_since(desk.db, before)[0], way


@pytest.mark.parametrize("way", sorted({*WAYS_OUT, *WAYS_BACK} - {"record_bounce"}))
def test_what_changes_nothing_is_no_event(desk: Desk, way: str) -> None:
    reader = desk.reader()
    do = {**WAYS_OUT, **WAYS_BACK}[way]
    do(desk, reader)
    before = last_event_id(desk.db)
    do(desk, reader)
    assert last_event_id(desk.db) == before


def test_a_failure_takes_the_event_back_with_the_change(desk: Desk) -> None:
    reader = desk.reader()
    before = last_event_id(desk.db)

    def left_and_failed() -> None:
        with writing(desk.db):
            unsubscribe(desk.db, reader.id)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        left_and_failed()
    assert people_with_events_since(desk.db, before) == (frozenset(), before)
    assert ("morning", reader.id) in desk.may_get()


# -- which kind, and whose words --------------------------------------------------------------------


def kinds(db: Database) -> list[tuple[Any, ...]]:
    return db.conn.execute(
        "SELECT kind, subscriber_id, edition, reason, source FROM events ORDER BY id"
    ).fetchall()


def test_coming_back_is_told_by_its_kind(desk: Desk) -> None:
    reader = desk.reader()
    desk.add(reader, at_own_request=True)
    assert kinds(desk.db) == []
    unsubscribe(desk.db, reader.id)
    desk.add(reader, at_own_request=True)
    unsubscribe(desk.db, reader.id, edition="evening")
    desk.choose(reader, *EDITIONS)
    desk.bounce(reader)
    desk.restore(reader)
    assert [(kind, edition, source) for kind, _, edition, _, source in kinds(desk.db)] == [
        ("unsubscribe", "", "cli"),
        ("subscribe", "", "cli"),
        ("unsubscribe", "evening", "cli"),
        ("subscribe", "evening", "preferences"),
        ("bounce", "morning", "smtp"),
        ("restore", "", "cli"),
    ]


def test_a_new_person_is_an_event_only_where_they_arrive_as_gone(
    db: Database, load: Callable[..., Any]
) -> None:
    load(
        "email,status\na@b.test,active\nb@b.test,pending\nc@b.test,bounced\nd@b.test,complained\ne@b.test,退订\n"
    )
    assert kinds(db) == [
        ("bounce", 3, "", "an imported list says so", "import"),
        ("complaint", 4, "", "an imported list says so", "import"),
        ("unsubscribe", 5, "", "", "import"),
    ]


def test_a_row_that_is_met_again_in_its_batch_tells_what_became_of_the_person(
    db: Database, load: Callable[..., Any], person: Add
) -> None:
    person("old@b.test", "morning")
    load(
        "email,status,editions\na@b.test,active,morning\na@b.test,unsubscribed,\n"
        "old@b.test,active,evening\nold@b.test,bounced,\nold@b.test,complained,\n"
    )
    assert [row[:3] for row in kinds(db)] == [
        ("subscribe", 1, "evening"),
        ("complaint", 1, ""),
        ("unsubscribe", 2, ""),
    ]


def test_an_address_that_is_nobodys_is_suppressed_with_an_event_of_nobody(desk: Desk) -> None:
    assert suppress(desk.db, "stranger@example.org", "asked by letter", source="web")
    assert kinds(desk.db) == [("suppress", None, "", "", "web")]
    assert people_with_events_since(desk.db, 0) == (frozenset(), 1)


def test_of_erased_people_no_words_are_kept_and_none_are_added(desk: Desk) -> None:
    reader = desk.reader()
    unsubscribe(desk.db, reader.id, reason="I am Li Wei")
    erase(desk.db, reader.id)
    desk.bounce(reader)
    events.record(desk.db, Event("2026", "complaint", reader.id, "smtp", reason="reader0@example.org"))
    assert [row[0] for row in kinds(desk.db)] == ["unsubscribe", "suppress", "erase", "bounce", "complaint"]
    assert {row[3] for row in kinds(desk.db)} == {""}


# -- bounces that a list tells of -------------------------------------------------------------------


def test_a_campaign_does_not_give_back_whom_a_list_has_marked_since(desk: Desk) -> None:
    kept, back = desk.reader(), desk.reader()
    for reader in (kept, back):
        desk.bounce(reader)
        desk.load(reader, status="bounced")  # it is so already, and changes nothing
    desk.restore(kept)
    desk.load(kept, status="bounced")
    assert restore_subscribers_bounced_in_campaign(desk.db, desk.campaign, reason="their outage") == 1
    assert {n for _, n in desk.may_get()} == {back.id}
    newest, first = bounces_of(desk.db, kept.id, {desk.campaign: "c"})
    assert (newest.campaign, newest.words, newest.source) == ("", "an imported list says so", "import")
    assert (first.campaign, first.words, first.source) == ("c", "no", "smtp")
    assert last_bounce_time(desk.db, kept.id) == newest.at


def test_an_edition_that_was_left_stays_left_whatever_else_a_list_says(desk: Desk) -> None:
    reader = desk.reader()
    unsubscribe(desk.db, reader.id, edition="morning")
    desk.load(reader, status="bounced")
    desk.restore(reader)
    desk.load(reader, editions="morning")
    assert desk.may_get() == {("evening", reader.id)}


# -- an import, a page, an edit: no way back ------------------------------------------------------

#: What an operator does by hand with a word of consent or a reason, and the reader's own act.
BY_HAND = {
    "add by their own act",
    "add by force",
    "remove_suppression by force",
    "restore_bounced_subscriber",
    "restore_subscribers_bounced_in_campaign",
}


@pytest.mark.parametrize(
    "out", [way for way in WAYS_OUT if "one edition" not in way and "another" not in way]
)
@pytest.mark.parametrize("back", [way for way in WAYS_BACK if way not in BY_HAND])
def test_of_all_ways_the_own_page_alone_brings_somebody_back_without_consent(
    desk: Desk, out: str, back: str
) -> None:
    reader = desk.reader()
    WAYS_OUT[out](desk, reader)
    WAYS_BACK[back](desk, reader)
    allowed = back == "set_editions" and out in {
        *("unsubscribe", "unsubscribe_all", "set_editions to none", "record_bounce"),
        *("import_csv as unsubscribed", "import_csv as bounced"),
    }
    assert (("morning", reader.id) in desk.may_get()) == allowed


@pytest.mark.parametrize("back", ["add", "import_csv"])
@pytest.mark.parametrize("out", ["unsubscribe from one edition", "set_editions to another"])
def test_an_edition_that_was_left_comes_back_by_neither(desk: Desk, out: str, back: str) -> None:
    reader = desk.reader()
    WAYS_OUT[out](desk, reader)
    WAYS_BACK[back](desk, reader)
    assert desk.may_get() == {("evening", reader.id)}


def test_a_complaint_after_an_unsubscribe_is_a_complaint(desk: Desk) -> None:
    reader = desk.reader()
    unsubscribe(desk.db, reader.id)
    desk.load(reader, status="complained")
    desk.choose(reader, *EDITIONS)
    assert desk.may_get() == set()
