"""Copies of an issue to single addresses, without a campaign: for the editors' own eyes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from secrets import token_hex

from sqlite_utils import Database

from mailer.audience.address import Address, normalize_address
from mailer.audience.subscribers import find
from mailer.audience.suppression import is_suppressed
from mailer.config import Settings
from mailer.delivery.dkim import open_signer
from mailer.delivery.message import Envelope, Message, Person, Template
from mailer.delivery.transports import open_transport, unwritable_by
from mailer.delivery.transports.base import Outcome, Result
from mailer.errors import AudienceError, Problem, SegmentError, TransportError
from mailer.publish.prepare import Prepared
from mailer.render.slots import Part

__all__ = ["TEST_MARK", "Copy", "readers_of_copy", "send_samples"]

TEST_MARK = "[Test] "


@dataclass(frozen=True, slots=True)
class Copy:
    """A test copy: to which address, and what became of it."""

    address: str
    outcome: Outcome


def readers_of_copy(prepared: Prepared) -> int:
    """How many readers get the issue as a test copy shows it."""
    return prepared.plan.variants.get(str(_main(prepared)), 0)


def send_samples(
    db: Database, settings: Settings, prepared: Prepared, addresses: Sequence[str]
) -> list[Copy]:
    """Sends the rendition that most readers of the plan get to each address once, its subject marked.

    Records nothing. The links belong to nobody, so that a click in a test unsubscribes no one. Raises
    AudienceError with every address that is none, is suppressed or cannot be written to by the transport,
    and SegmentError for a segment without readers, before anything is sent; TransportError where nothing is
    taken.
    """
    checked = _checked(db, addresses, prepared.plan.transport)
    if prepared.plan.segment and not prepared.plan.recipients:
        raise SegmentError(
            f"no reader of {prepared.plan.edition} is in the segment, so there is no copy as they get it; "
            "choose another segment, or leave --segment out"
        )
    rendition = prepared.renditions[_main(prepared)]
    subject = rendition.subject
    marked = replace(
        rendition,
        subject=Part((TEST_MARK + subject.fragments[0], *subject.fragments[1:]), subject.slots),
    )
    signer = open_signer(prepared.plan.transport, settings)
    copies: list[Copy] = []
    with closing(open_transport(prepared.plan.transport, settings).channel()) as channel:
        for address in checked:
            envelope = Envelope(
                settings,
                campaign_id=0,
                # Its own Message-ID: mail programs show a message once, and an editor tests more than once.
                slug=f"{prepared.plan.slug}-test-{token_hex(4)}",
                edition=prepared.plan.edition,
            )
            message = Message(Template(marked, envelope, signer), _person(db, address.address))
            try:
                (outcome,) = channel.send([message])
            except TransportError as error:
                raise _told(error, copies) from error
            copies.append(Copy(address.address, outcome))
    return copies


def _main(prepared: Prepared) -> int:
    """The variant that most readers of the plan get."""
    return max(prepared.renditions, key=lambda v: prepared.plan.variants.get(str(v), 0))


def _checked(db: Database, addresses: Sequence[str], transport: str) -> list[Address]:
    """The addresses, each once. Raises AudienceError with all that cannot be written to."""
    found: dict[str, Address] = {}
    problems: list[Problem] = []
    unwritable = unwritable_by(transport)
    for text in addresses:
        try:
            address = normalize_address(text)
        except AudienceError as error:
            problems += error.problems
            continue
        if is_suppressed(db, address.key):
            problems.append(Problem(f"{address.address} is on the suppression list and is never written to"))
        if unwritable is not None and unwritable.holds(address.address):
            problems.append(Problem(f"{address.address} {unwritable.sentence}"))
        found.setdefault(address.key, address)
    if problems:
        raise AudienceError.of(problems)
    return list(found.values())


def _person(db: Database, address: str) -> Person:
    known = find(db, address)
    return Person(0, address, known.name if known else "", known.language if known else "")


def _told(error: TransportError, copies: Sequence[Copy]) -> TransportError:
    """The error, and also which copies went out before it."""
    there = ", ".join(copy.address for copy in copies if copy.outcome.result is Result.ACCEPTED)
    return TransportError(f"{error} (a test copy went to {there} before)") if there else error
