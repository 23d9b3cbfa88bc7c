"""Sends test copies of an issue to single addresses, without a campaign.

A copy to a subscriber is what this reader would get: the reader's variant, name, language and attributes. A
copy to any other address is what most readers get. The links in a copy are not valid for any reader.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from secrets import token_hex
from typing import TYPE_CHECKING, Literal

from mailer.audience.consent.suppression import is_suppressed
from mailer.audience.people import Subscriber, find
from mailer.audience.recipients import attribute_texts
from mailer.audience.selection import is_in_segment, variant_of
from mailer.audience.values.address import Address, normalize_address
from mailer.config import Settings
from mailer.errors import AudienceError, IssueError, Problem, SegmentError, TransportError
from mailer.message.message import Envelope, Message, MessageTemplate, Person
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.workspace import Workspace
from mailer.transports.base import Outcome, OutcomeKind
from mailer.transports.registry import open_transport, signer_for_transport, unwritable_addresses_of

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["TEST_MARK", "SentTestCopy", "count_readers_of_variant", "send_test_copies"]

TEST_MARK = "[Test] "


@dataclass(frozen=True, slots=True)
class SentTestCopy:
    """Holds a test copy that was sent: its address, its outcome and the variant that the copy shows.

    `values` says whose name, language and attributes the copy contains: `reader` means the subscriber's, and
    `nobody` means none. `own` says whether the variant is the subscriber's own variant. A subscriber outside
    of the requested segment gets the variant of most readers instead.
    """

    address: str
    outcome: Outcome
    variant: int
    values: Literal["reader", "nobody"]
    own: bool


@dataclass(frozen=True, slots=True)
class _TestCopyRecipient:
    """Holds the recipient of a test copy, and the variant to send.

    `on_list` says whether the recipient is a subscriber, and `own` whether the variant is that of the
    subscriber.
    """

    person: Person
    variant: int
    on_list: bool
    own: bool


def count_readers_of_variant(prepared: PreparedIssue, variant: int) -> int:
    """Returns how many readers of the plan get this variant."""
    named = prepared.renditions.get(variant)
    return prepared.plan.variants.get(str(named.variant), 0) if named is not None else 0


def send_test_copies(
    workspace: Workspace, prepared: PreparedIssue, addresses: Sequence[str]
) -> list[SentTestCopy]:
    """Sends one test copy to each address, with a mark in its subject. Records nothing.

    A subscriber gets the variant that the issue has for them. A subscriber outside of the segment, and any
    other address, gets the variant that most readers of the plan get. The links are valid for no reader, so
    that a click in a test unsubscribes nobody.

    Raises AudienceError for addresses that are invalid, suppressed or cannot be written to by the transport,
    SegmentError for a segment without readers, and IssueError for a variant with errors; all before anything
    is sent. Raises TransportError if the transport fails.
    """
    db, settings = workspace.db, workspace.settings
    checked = _normalize_writable_addresses(db, addresses, prepared.plan.transport)
    if prepared.plan.segment and not prepared.plan.recipients:
        raise SegmentError(
            f"no reader of {prepared.plan.edition} is in the segment, so no reader gets this copy; "
            "choose another segment, or leave --segment out"
        )
    recipients = [_find_test_copy_recipient(db, prepared, address.address) for address in checked]
    renditions = _renditions_of_variants(settings, prepared, {recipient.variant for recipient in recipients})
    signer = signer_for_transport(prepared.plan.transport, settings)
    copies: list[SentTestCopy] = []
    with closing(open_transport(prepared.plan.transport, settings).channel()) as channel:
        for recipient in recipients:
            envelope = Envelope(
                settings.in_language(renditions[recipient.variant].language),
                campaign_id=0,
                # Its own Message-ID: mail programs show a message once, and an editor tests more than once.
                slug=f"{prepared.plan.slug}-test-{token_hex(4)}",
                edition=prepared.plan.edition,
            )
            template = MessageTemplate(_mark_subject_as_test(renditions[recipient.variant]), envelope, signer)
            try:
                (outcome,) = channel.send([Message(template, recipient.person)])
            except TransportError as error:
                raise _error_naming_sent_copies(error, copies) from error
            values: Literal["reader", "nobody"] = "reader" if recipient.on_list else "nobody"
            copies.append(
                SentTestCopy(recipient.person.address, outcome, recipient.variant, values, recipient.own)
            )
    return copies


def _mark_subject_as_test(rendition: Rendition) -> Rendition:
    subject = rendition.subject
    marked = RenditionPart((TEST_MARK + subject.fragments[0], *subject.fragments[1:]), subject.slots)
    return replace(rendition, subject=marked)


def _find_test_copy_recipient(db: Database, prepared: PreparedIssue, address: str) -> _TestCopyRecipient:
    """Returns the recipient at this address. A subscriber's data is used, but not the subscriber id, so that
    links name nobody."""
    known = find(db, address)
    if known is None or known.address is None:
        return _TestCopyRecipient(
            Person(0, address), _variant_of_most_readers(prepared), on_list=False, own=False
        )
    person = Person(
        0,
        known.address,
        known.name,
        known.language,
        attribute_texts(known.attributes) if known.attributes else None,
    )
    own = _is_subscriber_in_segment(db, prepared, known)
    variant = variant_of(db, known.id, prepared.selection.only) if own else _variant_of_most_readers(prepared)
    return _TestCopyRecipient(person, variant, on_list=True, own=own)


def _is_subscriber_in_segment(db: Database, prepared: PreparedIssue, subscriber: Subscriber) -> bool:
    segment = prepared.selection.segment
    return segment is None or is_in_segment(db, subscriber.id, segment)


def _renditions_of_variants(
    settings: Settings, prepared: PreparedIssue, variants: set[int]
) -> Mapping[int, Rendition]:
    """Returns the renditions of these variants. Renders the variants that no reader of the plan gets."""
    missing = variants - prepared.renditions.keys()
    if not missing:
        return prepared.renditions
    from mailer.render.check import check_rendition
    from mailer.render.render import render_variants

    loaded = prepared.loaded
    made = render_variants(loaded, settings, slug=prepared.plan.slug, variants=sorted(missing))
    errors = [
        problem
        for rendition in {id(r): r for r in made.values()}.values()
        for problem in check_rendition(loaded, rendition, settings)
        if problem.severity == "error"
    ]
    if errors:
        raise IssueError.from_problems(errors)
    return {**prepared.renditions, **made}


def _variant_of_most_readers(prepared: PreparedIssue) -> int:
    """Returns the variant that most readers of the plan get."""
    return max(prepared.renditions, key=lambda v: prepared.plan.variants.get(str(v), 0))


def _normalize_writable_addresses(db: Database, addresses: Sequence[str], transport: str) -> list[Address]:
    """Returns the addresses, normalized and without duplicates. Raises AudienceError that names all addresses
    that cannot be written to."""
    found: dict[str, Address] = {}
    problems: list[Problem] = []
    unwritable = unwritable_addresses_of(transport)
    for text in addresses:
        try:
            address = normalize_address(text)
        except AudienceError as error:
            problems += error.problems
            continue
        if is_suppressed(db, address.key):
            problems.append(Problem(f"{address.address} is on the suppression list and is never written to"))
        if unwritable is not None and unwritable.matches(address.address):
            problems.append(Problem(f"{address.address} {unwritable.reason_text}"))
        found.setdefault(address.key, address)
    if problems:
        raise AudienceError.from_problems(problems)
    return list(found.values())


def _error_naming_sent_copies(error: TransportError, copies: Sequence[SentTestCopy]) -> TransportError:
    """Returns the error, extended by the addresses to which test copies were sent before the error."""
    there = ", ".join(copy.address for copy in copies if copy.outcome.result is OutcomeKind.ACCEPTED)
    return TransportError(f"{error} (a test copy was already sent to {there})") if there else error
