"""What the spool on SQLite keeps beside deliveries: texts about people, plans, and the use of rate limits."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlite_utils import Database

from mailer.audience.planned import PlannedPeople, PlannedPeopleBuilder
from mailer.audience.subscribers import erase
from mailer.errors import CampaignError
from mailer.spool.erased_words import (
    ErasedTextRedaction,
    journal_has_text_about_erased_people,
    redact_journal,
)
from mailer.spool.journal import Journal, read_journal
from mailer.spool.ledger import LedgerEntry, RateLimitLedger
from mailer.spool.open import retained_texts_of, spools_of
from mailer.spool.sqlite.kept_plans import KeptPlan, find_plan, store_plan
from mailer.spool.sqlite.pace_budget import StoredRateLimitLedger
from mailer.spool.values import PlannedDelivery, SettledClaim
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.refusal.refusal import Cause
from tests.clock import Clock
from tests.spool.conformance import campaign, everybody
from tests.spooled import add_readers

ANN, BEN = "reader1@example.org", "reader2@example.org"


# -- the erased ----------------------------------------------------------------------------------


def without_ann(text: str) -> str:
    return text.replace(ANN, "[erased]")


def texts(db: Database) -> list[tuple[str, str]]:
    """The provider id and the reason of every delivery."""
    return db.conn.execute(
        "SELECT provider_id, reason FROM deliveries ORDER BY campaign_id, subscriber_id"
    ).fetchall()


def two_campaigns(db: Database) -> None:
    """Two campaigns to two people, whose texts all name reader 1."""
    add_readers(db, 2)
    for slug in "ab":
        plan = {"segment": f'address = "{ANN}"', "words": f"«{ANN}»"}
        spool = spools_of(db).freeze(
            campaign(slug, issue=slug, issue_hash=slug, segment=f'address = "{ANN}"', plan=plan),
            [PlannedDelivery(1, 0), PlannedDelivery(2, 0)],
        )
        spool.claim(9, everybody)
        outcome = Outcome(OutcomeKind.REJECTED, f"id {ANN}", f"550 <{ANN}>, {BEN}", Cause.US)
        spool.settle([SettledClaim(person, 1, outcome) for person in (1, 2)])
        db.conn.execute("UPDATE campaigns SET status_note = ? WHERE slug = ?", [f"see {ANN}", slug])


def test_a_person_is_forgotten_in_every_campaign(db: Database) -> None:
    two_campaigns(db)
    before = texts(db)
    retained_texts_of(db).forget_person(1)
    assert texts(db) == [("", ""), before[1], ("", ""), before[3]]


def test_an_address_is_removed_from_all_texts(db: Database) -> None:
    two_campaigns(db)
    spools = spools_of(db)
    retained_texts_of(db).redact_texts(without_ann, "nobody")
    assert texts(db)[0][0] == f"id {ANN}"
    retained_texts_of(db).redact_texts(without_ann, "reader1")
    assert texts(db) == [("id [erased]", f"550 <[erased]>, {BEN}")] * 4
    for one in spools.campaigns():
        assert (one.segment, one.status_note) == ('address = "[erased]"', "see [erased]")
        assert one.plan == {"segment": 'address = "[erased]"', "words": f"«{ANN}»"}


def outcome(words: str, provider_id: str = "", cause: Cause | None = None) -> Outcome:
    return Outcome(OutcomeKind.REJECTED, provider_id, words, cause)


def test_nothing_is_redacted_where_nobody_was_erased(db: Database) -> None:
    add_readers(db, 2)
    given = [SettledClaim(1, 1, outcome(f"550 {ANN}"))]
    assert ErasedTextRedaction(db).redact_outcomes(given) == given
    assert ErasedTextRedaction(db).redact_text(f"see {ANN}") == f"see {ANN}"


def test_outcomes_keep_what_says_nothing_about_the_erased(db: Database) -> None:
    add_readers(db, 3)
    erase(db, 1)
    redaction = ErasedTextRedaction(db)
    shared = outcome(f"550 <{ANN}> no", f"id {BEN}", Cause.ADDRESS)
    plain = outcome("550 no", "id")
    skipped = Outcome(OutcomeKind.SKIPPED, reason="erased")
    given = [
        SettledClaim(1, 1, shared, "due"),
        SettledClaim(2, 2, shared, "later"),
        SettledClaim(3, 1, shared),
        SettledClaim(1, 2, outcome("", "id")),
        SettledClaim(1, 3, outcome("no", "")),
        SettledClaim(2, 1, plain),
        SettledClaim(1, 4, skipped),
        SettledClaim(2, 4, outcome("550 no", ANN)),
    ]
    redacted = outcome("550 <[erased]> no", f"id {BEN}", Cause.ADDRESS)
    bare = Outcome(OutcomeKind.REJECTED)
    assert list(redaction.redact_outcomes(given)) == [
        SettledClaim(1, 1, outcome("", "", Cause.ADDRESS), "due"),
        SettledClaim(2, 2, redacted, "later"),
        SettledClaim(3, 1, redacted),
        SettledClaim(1, 2, bare),
        SettledClaim(1, 3, bare),
        SettledClaim(2, 1, plain),
        SettledClaim(1, 4, Outcome(OutcomeKind.SKIPPED)),
        SettledClaim(2, 4, outcome("550 no", "[erased]")),
    ]
    assert list(redaction.redact_outcomes([SettledClaim(1, 4, skipped)])) == [SettledClaim(1, 4, skipped)]
    for only in (outcome("", "id"), outcome("no", "")):
        assert list(redaction.redact_outcomes([SettledClaim(1, 1, only)])) == [SettledClaim(1, 1, bare)]
    assert redaction.redact_text(f"{ANN} {BEN}") == f"[erased] {BEN}"
    assert redaction.redact_text("") == ""


def test_what_is_adopted_or_noted_says_nothing_about_the_erased(db: Database) -> None:
    add_readers(db, 2)
    spool = spools_of(db).freeze(campaign(), [PlannedDelivery(1, 0), PlannedDelivery(2, 0)])
    erase(db, 1)
    spool.adopt_lost_outcomes([SettledClaim(n, 1, outcome(f"550 {ANN} no", "id")) for n in (1, 2)])
    assert texts(db) == [("", ""), ("id", "550 [erased] no")]


def test_a_journal_is_redacted_where_somebody_was_erased(db: Database, tmp_path: Path) -> None:
    add_readers(db, 2)
    path = tmp_path / "j"
    journal = Journal(path)
    journal.note_outcomes([(1, 1, outcome("550 no")), (2, 1, outcome(f"550 {ANN}"))])
    journal.close()
    before = path.read_bytes()
    assert journal_has_text_about_erased_people(db, path) is False
    assert redact_journal(db, path) is False
    path.write_bytes(before + b"cut")
    assert journal_has_text_about_erased_people(db, path) is False
    assert redact_journal(db, path) is False
    path.write_bytes(before)
    erase(db, 1)
    assert journal_has_text_about_erased_people(db, path) is True
    assert redact_journal(db, path) is True
    assert journal_has_text_about_erased_people(db, path) is False
    assert redact_journal(db, path) is False
    assert read_journal(path).outcomes == {(1, 1): outcome(""), (2, 1): outcome("550 [erased]")}


# -- campaigns -----------------------------------------------------------------------------------


def test_a_campaign_of_an_early_version_is_read_as_such(db: Database) -> None:
    spools = spools_of(db)
    assert [spools.freeze(campaign(slug), []).campaign.stable_ids for slug in "ab"] == [1, 1]
    db.conn.execute("UPDATE campaigns SET stable_ids = 0 WHERE slug = 'a'")
    assert [(one.slug, one.stable_ids) for one in spools.campaigns()] == [("b", 1), ("a", 0)]


def test_the_words_of_a_plan_are_stored_as_they_are(db: Database) -> None:
    spools_of(db).freeze(campaign(plan={"words": "«é»"}), [])
    assert db.conn.execute("SELECT plan FROM campaigns").fetchall() == [('{"words": "«é»"}',)]


def test_who_mistypes_a_campaign_is_told_the_nearest(db: Database) -> None:
    spools = spools_of(db)
    spools.freeze(campaign("2026-11-21-morning"), [])
    with pytest.raises(CampaignError) as caught:
        spools.find("2026-11-21-mourning")
    assert str(caught.value) == (
        'there is no campaign "2026-11-21-mourning"; did you mean "2026-11-21-morning"?'
    )
    with pytest.raises(CampaignError) as caught:
        spools.find("x")
    assert str(caught.value) == 'there is no campaign "x"; `mailer campaigns list` shows all campaigns'


# -- plans ---------------------------------------------------------------------------------------


def people(*rows: tuple[int, int]) -> PlannedPeople:
    builder = PlannedPeopleBuilder()
    for person, variant in rows:
        builder.add([person], [variant])
    return builder.build()


def test_a_plan_is_kept_for_thirty_days(db: Database, clock: Clock) -> None:
    first = KeptPlan({"words": "«é»"}, {"n": 1}, people((1, 0), (3, 2)))
    second = KeptPlan({"words": "b"}, {"n": 2}, people((2, 1)))
    store_plan(db, "first", first.plan, first.content, first.people)
    assert find_plan(db, "second") is None
    clock.forward(days=10)
    store_plan(db, "second", second.plan, second.content, second.people)
    clock.forward(days=20)
    assert find_plan(db, "first") == first
    assert find_plan(db, "second") == second
    clock.forward(microseconds=1)
    assert find_plan(db, "first") is None
    store_plan(db, "third", {}, {}, people())
    assert [row[0] for row in db.conn.execute("SELECT hash FROM plans ORDER BY hash")] == ["second", "third"]
    assert db.conn.execute("SELECT plan FROM plans WHERE hash = 'second'").fetchall() == [('{"words": "b"}',)]


def test_a_plan_that_is_made_again_is_kept_from_then(db: Database, clock: Clock) -> None:
    for content in ({"words": "«a»"}, {"words": "«b»"}):
        store_plan(db, "hash", {"words": "«é»"}, content, people((1, 0)))
        clock.forward(days=29)
    assert find_plan(db, "hash") == KeptPlan({"words": "«é»"}, {"words": "«b»"}, people((1, 0)))
    assert db.conn.execute("SELECT plan, content FROM plans").fetchall() == [
        ('{"words": "«é»"}', '{"words": "«b»"}')
    ]
    clock.forward(days=1)
    store_plan(db, "other", {}, {}, people())
    assert find_plan(db, "hash") is not None


# -- rate limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", [True, False])
def test_the_use_of_a_limit_is_kept_by_its_name(db: Database, stored: bool) -> None:
    ledger = StoredRateLimitLedger(db) if stored else RateLimitLedger()
    seen: list[LedgerEntry] = []

    def put(name: str, entry: LedgerEntry) -> None:
        def update(before: LedgerEntry) -> LedgerEntry:
            seen.append(before)
            return entry

        ledger.update_entry(name, update)

    put("/h", (3600.5, 5))
    put("/s", (7.25, 1))
    put("/h", (3600.5, 6))
    put("/h", (7200.0, 6))
    put("/h", (0.0, 0))
    put("/h", (0.0, 0))
    put("/s", (0.0, 0))
    assert seen == [
        (0.0, 0), (0.0, 0), (3600.5, 5), (3600.5, 6), (7200.0, 6), (0.0, 0), (7.25, 1),
    ]  # fmt: skip


def test_what_does_not_change_is_not_written(db: Database) -> None:
    ledger = spools_of(db).rate_limit_ledger()
    before = db.conn.total_changes
    ledger.update_entry("/h", lambda entry: entry)
    assert db.conn.total_changes == before
    ledger.update_entry("/h", lambda _: (1.0, 2))
    ledger.update_entry("/h", lambda entry: entry)
    assert db.conn.total_changes == before + 1
