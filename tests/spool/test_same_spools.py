"""Both implementations of the spool do the same in any order of operations, and what the table allows."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mailer.campaign.delivery_state import CHANGES, State
from mailer.campaign.status import Event
from mailer.spool.base import Spool, Spools
from mailer.spool.open import spools_of
from mailer.spool.values import ParkedClaim, PlannedDelivery, SettledClaim
from mailer.store.database import open_store
from mailer.transports.base import Outcome, OutcomeKind
from tests.spool.conformance import BUSY, EARLIER, FULL, LATER, LOST, NO, OK, campaign
from tests.spool.memory import MemorySpools
from tests.spool.test_conformance import Kept
from tests.spooled import add_readers

PEOPLE = range(1, 6)
ALLOWED = {
    change.operation.replace(" ", "_"): {(a, b) for a in change.sources for b in change.targets}
    for change in CHANGES
}
#: These change no state, only when a delivery may be claimed, or nothing.
NEUTRAL = (
    "make_parked_deliveries_due",
    "hold_missed_deliveries",
    "release_waiting_deliveries",
    "make_deferred_deliveries_due",
    "release_held_deliveries",
    "take_over_claims",
)

person = st.sampled_from(PEOPLE)
attempt = st.integers(1, 3)
outcome = st.sampled_from([OK, NO, FULL, BUSY, LOST, Outcome(OutcomeKind.SKIPPED, reason="unsubscribed")])
due = st.sampled_from([EARLIER, LATER])
key = st.tuples(person, attempt)

operation = st.one_of(
    st.tuples(st.just("claim"), st.integers(1, 5), st.sets(person, max_size=2), st.none() | person),
    st.tuples(st.just("settle"), st.lists(st.tuples(person, attempt, outcome, due), max_size=5)),
    st.tuples(st.just("release"), st.lists(key, max_size=3), st.booleans()),
    st.tuples(st.just("park"), st.lists(key, max_size=3)),
    st.tuples(st.just("adopt_lost_outcomes"), st.lists(st.tuples(person, attempt, outcome), max_size=3)),
    st.tuples(st.just("resolve_uncertain_deliveries"), st.booleans(), st.none() | person),
    st.tuples(st.just("retry_refused_deliveries"), st.sets(person, max_size=2), st.none() | person),
    st.tuples(st.just("reject_expired_deliveries"), due),
    st.tuples(st.just("hold_missed_deliveries"), due),
    st.tuples(st.just("release_waiting_deliveries"), st.booleans()),
    st.tuples(st.just("make_deferred_deliveries_due"), st.none() | due),
    st.tuples(
        st.sampled_from(
            [
                "make_parked_deliveries_due",
                "release_held_deliveries",
                "take_over_claims",
                "reopen_folder_copies",
                "make_unaccepted_deliveries_uncertain",
            ]
        )
    ),
    st.tuples(st.just("apply_event"), st.sampled_from(Event)),
)
planned = st.builds(
    PlannedDelivery,
    person,
    st.just(0),
    st.none() | due,
    st.booleans(),
    st.sampled_from(["", "", "", "unsubscribed"]),
)


def settled(rows: list[tuple[int, int, Outcome, str]]) -> list[SettledClaim]:
    """One outcome a person, and a time for what is deferred alone."""
    newest = {row[0]: row for row in rows}
    return [
        SettledClaim(who, number, what, when if what.result is OutcomeKind.DEFERRED else "")
        for who, number, what, when in newest.values()
    ]


def done(spool: Spool, name: str, words: tuple[Any, ...]) -> object:
    """What an operation gives, without times."""
    match name:
        case "claim":
            limit, left, only = words
            found = spool.claim(limit, lambda ids: {i: "left" for i in ids if i in left}, only_person=only)
            return None if found is None else sorted((one.person, one.attempt) for one in found)
        case "settle":
            return sorted((one.person, one.attempt) for one in spool.settle(settled(words[0])))
        case "release":
            spool.release(list(dict(words[0]).items()), lowest_priority=words[1])
        case "park":
            spool.park([ParkedClaim(who, number, 4e9) for who, number in dict(words[0]).items()])
        case "adopt_lost_outcomes":
            newest = {row[0]: SettledClaim(*row) for row in words[0]}
            spool.adopt_lost_outcomes(list(newest.values()))
        case "resolve_uncertain_deliveries":
            return spool.resolve_uncertain_deliveries(resend=words[0], only_person=words[1])
        case "retry_refused_deliveries":
            return spool.retry_refused_deliveries(
                lambda rows: {who for who, _ in rows} & words[0], only_person=words[1]
            )
        case "release_waiting_deliveries":
            spool.release_waiting_deliveries(include_scheduled=words[0])
        case "make_deferred_deliveries_due":
            spool.make_deferred_deliveries_due(due_after=words[0])
        case "take_over_claims":
            return sorted(spool.take_over_claims())
        case _:
            return getattr(spool, name)(*words)
    return None


def seen(spool: Spool) -> list[tuple[object, ...]]:
    """Each delivery, without the time of now."""
    return [
        (one.person, one.state, one.cause, one.reason, one.attempts, one.held, one.provider_id,
         one.due_at if one.due_at in (EARLIER, LATER) else one.due_at is not None)
        for one in spool.list_deliveries()
    ]  # fmt: skip


def states(spool: Spool) -> dict[int, State]:
    return {one.person: one.state for one in spool.list_deliveries()}


@given(
    st.lists(planned, max_size=5),
    st.sampled_from(["smtp://mx.test", "outbox:x"]),
    st.lists(operation, max_size=25),
)
def test_two_spools_do_the_same(
    rows: list[PlannedDelivery], url: str, operations: list[tuple[Any, ...]]
) -> None:
    people = {row.person: row for row in rows}
    with TemporaryDirectory() as folder:
        db = open_store(Path(folder) / "subscribers.db")
        add_readers(db, len(PEOPLE))
        made: list[Spool] = []
        all_spools: list[Spools] = [spools_of(db), MemorySpools(Kept())]
        for spools in all_spools:
            spools.freeze(campaign(transport=url), [people[number] for number in sorted(people)])
            made.append(spools.open(spools.find("a"), owner="one"))
        for name, *words in operations:
            before = states(made[0])
            given_back = [done(spool, name, tuple(words)) for spool in made]
            assert given_back[0] == given_back[1], (name, words)
            assert seen(made[0]) == seen(made[1]), (name, words)
            assert made[0].delivery_counts_by_state() == made[1].delivery_counts_by_state()
            assert (made[0].count_held_deliveries(), made[0].count_never_tried_deliveries()) == (
                made[1].count_held_deliveries(),
                made[1].count_never_tried_deliveries(),
            )
            assert made[0].reached_nobody() == made[1].reached_nobody()
            assert made[0].status() is made[1].status()
            after = states(made[0])
            changed = {(before[who], after[who]) for who in after if before[who] is not after[who]}
            if name != "apply_event":
                assert changed <= (set() if name in NEUTRAL else ALLOWED[name]), (name, changed)
        db.close()
