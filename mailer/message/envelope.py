"""Makes the envelope that all messages of a campaign share, and describes a recipient.

Header fields follow RFC 5322, 2369 (List-*), 2919 (List-Id), 8058 (one-click).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from mailer.addresses import header_address
from mailer.clock import now
from mailer.config import Settings
from mailer.errors import InputError
from mailer.links.urls import NOBODY, LinkBuilder, Purpose, TokenCodec
from mailer.message.dates import Dates
from mailer.message.mime import phrase

__all__ = ["Envelope", "Person", "mailbox_field"]

_LINE_BREAK = re.compile(r"[\r\n\0]")


class Person(NamedTuple):
    """Holds the fields of a recipient that a message needs. `attributes` are those of the workspace, as plain
    text.

    `stable_id` are the 8 bytes by which the message and its links name the recipient; the default names
    nobody.
    """

    subscriber_id: int
    address: str
    name: str = ""
    language: str = ""
    attributes: Mapping[str, str] | None = None
    stable_id: bytes = NOBODY


def mailbox_field(name: str, address: str) -> bytes:
    """Returns `"Name" <address>` for From, To and Reply-To. Raises InputError on CR, LF or NUL in either."""
    if _LINE_BREAK.search(name + address):
        raise InputError(f"{address!r}: a name or an address may not hold a line break")
    spec = b"<" + header_address(address).encode("utf-8") + b">"
    if not name:
        return spec[1:-1]
    words = phrase(name)
    return words + (b"\r\n " if b"\r\n" in words or len(words) + len(spec) > 70 else b" ") + spec


class Envelope:
    """Holds what all messages of one campaign share: the sender, the list, where links lead.

    `shared_headers` are its header fields as (name, value) pairs of text, in order, without those of MIME,
    without From, To, Subject, Date, and without those that differ between recipients. `dates` gives the Date:
    that of now by `clock`, or `sent_at` where that is given. `by_number` keeps the Message-ID and the
    reference as versions up to 0.3.0 made them, for a campaign that they froze.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        campaign_id: int,
        slug: str,
        edition: str,
        sent_at: datetime | None = None,
        by_number: bool = False,
        clock: Callable[[], datetime] = now,
    ) -> None:
        publication = settings.publication
        self.campaign_id = campaign_id
        self.slug = slug
        self.sender = publication.sender
        self.reply_to = publication.reply_to
        self.links = LinkBuilder(publication.base_url, TokenCodec(settings.signing_keys()))
        self.domain = header_address(publication.sender.address).rpartition("@")[2]
        self.dates = Dates(sent_at, clock)
        self._return_path = settings.delivery.return_path
        self._by_number = by_number
        host = header_address("x@" + (urlsplit(publication.base_url).hostname or self.domain))[2:]
        contact = header_address((publication.reply_to or publication.sender).address)
        list_name = settings.editions[edition].name.replace('"', "'").replace("\\", "/")
        self.shared_headers: tuple[tuple[str, str], ...] = (
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("List-Id", f'"{list_name}" <{edition}.{host}>'),
            ("List-Help", f"<mailto:{contact}?subject=help>"),
            ("List-Archive", f"<{self.links.archive_url()}>"),
            ("Feedback-ID", f"{slug}:{edition}:newsletter:{self.domain}"),
            ("Precedence", "bulk"),
        )

    def message_id(self, person: Person) -> str:
        """Returns the Message-ID, the same for a campaign and a person, so that a resend is recognisable."""
        return f"<{self.slug}.{self._name(person)}@{self.domain}>"

    def _name(self, person: Person) -> str:
        return str(person.subscriber_id) if self._by_number else person.stable_id.hex()

    def return_path(self, person: Person) -> str:
        """Returns the address for bounces. With delivery.return_path each message has its own (VERP)."""
        if self._return_path is None:
            return header_address(self.sender.address)
        local, _, domain = self._return_path.address.rpartition("@")
        token = self.links.tokens.make(Purpose.BOUNCE, person.stable_id, self.campaign_id)
        return header_address(f"{local}+{token}@{domain}")

    def reference(self, person: Person) -> str:
        """Returns an opaque id of this delivery, which a provider returns with its events."""
        return f"{self.campaign_id}.{self._name(person)}"

    def values(self, person: Person) -> dict[str, str]:
        """Returns the values of the slots of a message to `person`."""
        values = {
            "subscriber.name": person.name,
            "subscriber.email": person.address,
            "subscriber.language": person.language,
            "links.unsubscribe": self.links.unsubscribe_url(person.stable_id, self.campaign_id),
            "links.preferences": self.links.preferences_url(person.stable_id, self.campaign_id),
        }
        for key, value in (person.attributes or {}).items():
            values[f"subscriber.attributes.{key}"] = value
        return values
