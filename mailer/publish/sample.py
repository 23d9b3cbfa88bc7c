"""One copy of an issue to one address, without a campaign: for the editor's own eyes."""

from __future__ import annotations

from dataclasses import replace
from secrets import token_hex

from sqlite_utils import Database

from mailer.audience.address import normalize_address
from mailer.audience.subscribers import find
from mailer.audience.suppression import is_suppressed
from mailer.config import Settings
from mailer.delivery.dkim import open_signer
from mailer.delivery.message import Envelope, Message, Person, Template
from mailer.delivery.transports import open_transport
from mailer.delivery.transports.base import Outcome
from mailer.errors import AudienceError
from mailer.publish.prepare import Prepared
from mailer.render.slots import Part

__all__ = ["TEST_MARK", "send_sample"]

TEST_MARK = "[Test] "


def send_sample(db: Database, settings: Settings, prepared: Prepared, address: str) -> Outcome:
    """Sends the rendition that most readers get to `address`, its subject marked. Records nothing.

    Its links belong to nobody, so that a click in a test unsubscribes no one. Raises AudienceError for
    an address that is none, or is suppressed; TransportError where the transport takes nothing.
    """
    checked = normalize_address(address)
    if is_suppressed(db, checked.key):
        raise AudienceError(f"{checked.address} is on the suppression list and is never written to")
    main = max(prepared.renditions, key=lambda v: prepared.plan.variants.get(str(v), 0))
    rendition = prepared.renditions[main]
    subject = rendition.subject
    marked = replace(
        rendition,
        subject=Part((TEST_MARK + subject.fragments[0], *subject.fragments[1:]), subject.slots),
    )
    envelope = Envelope(
        settings,
        campaign_id=0,
        # A Message-ID of its own: mail programs show a message once, and an editor tests more than once.
        slug=f"{prepared.plan.slug}-test-{token_hex(4)}",
        edition=prepared.plan.edition,
    )
    signer = open_signer(prepared.plan.transport, settings)
    known = find(db, checked.address)
    person = Person(0, checked.address, known.name if known else "", known.language if known else "")
    channel = open_transport(prepared.plan.transport, settings).channel()
    try:
        (outcome,) = channel.send([Message(Template(marked, envelope, signer), person)])
    finally:
        channel.close()
    return outcome
