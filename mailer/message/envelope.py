"""Defines the envelope (the fields that all messages of a campaign share) and the data of a recipient.

Header fields follow RFC 5322, 2369 (List-*), 2919 (List-Id), 8058 (one-click).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import quote, urlsplit

from mailer.addresses import address_with_ascii_domain
from mailer.clock import now
from mailer.config import FEEDBACK_STREAM, Settings
from mailer.links.urls import NOBODY, LinkBuilder, Purpose, TokenCodec
from mailer.message.dates import DateStampClock

__all__ = ["Envelope", "Person", "feedback_id_of_domain"]

#: The characters of a local part that need no percent-encoding in a mailto URI, beside letters and digits.
_MAILTO_SAFE = "!$'*+-._~"
#: Gmail asks for a sender id of 5 to 15 characters. With more labels, each would be too short to read.
_SHORTEST_SENDER_ID, _LONGEST_SENDER_ID, _MOST_LABELS = 5, 15, 4


class Person(NamedTuple):
    """Holds the data of a recipient that a message needs.

    `attributes` are the values of the workspace's own fields for readers, by name. `stable_id` holds the
    8 bytes that identify the recipient in the message and its links; the default identifies nobody.
    """

    subscriber_id: int
    address: str
    name: str = ""
    language: str = ""
    attributes: Mapping[str, str] | None = None
    stable_id: bytes = NOBODY


class Envelope:
    """Holds the fields that all messages of one campaign share: the sender, the List-* fields and the links.

    `settings` are those in the language of the messages, because List-Id holds the edition's name.
    `shared_headers` are the List-* and other constant fields as (name, value) pairs, in order; the fields of
    MIME and From, To, Reply-To, Subject and Date are not among them. The Date of a message is `sent_at`, or
    the time that `clock` returns if `sent_at` is None. `has_legacy_ids` is True for a campaign that version
    0.3.0 or an earlier one has frozen: a Message-ID then holds the subscriber's number instead of the stable
    id.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        campaign_id: int,
        slug: str,
        edition: str,
        sent_at: datetime | None = None,
        has_legacy_ids: bool = False,
        clock: Callable[[], datetime] = now,
    ) -> None:
        publication = settings.publication
        self.campaign_id = campaign_id
        self.slug = slug
        self.sender = publication.sender
        self.reply_to = publication.reply_to
        self.links = LinkBuilder(publication.base_url, TokenCodec(settings.signing_keys()))
        self.domain = address_with_ascii_domain(publication.sender.address).rpartition("@")[2]
        self.dates = DateStampClock(sent_at, clock)
        self._return_path = settings.delivery.return_path
        self._shared_return_path = address_with_ascii_domain(publication.sender.address)
        self._has_legacy_ids = has_legacy_ids
        host = address_with_ascii_domain("x@" + (urlsplit(publication.base_url).hostname or self.domain))[2:]
        contact = address_with_ascii_domain((publication.reply_to or publication.sender).address)
        list_name = settings.editions[edition].name.replace('"', "'").replace("\\", "/")
        sender_id = publication.feedback_id or feedback_id_of_domain(self.domain)
        mailbox = publication.unsubscribe_mailto
        self._unsubscribe_address = address_with_ascii_domain(mailbox.address) if mailbox else ""
        self.shared_headers: tuple[tuple[str, str], ...] = (
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("List-Id", f'"{list_name}" <{edition}.{host}>'),
            ("List-Help", f"<{_mailto(contact, 'help')}>"),
            ("List-Archive", f"<{self.links.archive_url()}>"),
            ("List-Post", "NO"),
            ("Feedback-ID", _feedback_id(slug, edition, FEEDBACK_STREAM, sender_id)),
            ("Precedence", "bulk"),
        )

    def message_id(self, person: Person) -> str:
        """Returns the Message-ID: always the same for one campaign and one person, also when resent."""
        return f"<{self.slug}.{self._recipient_id(person)}@{self.domain}>"

    def _recipient_id(self, person: Person) -> str:
        return str(person.subscriber_id) if self._has_legacy_ids else person.stable_id.hex()

    def return_path(self, person: Person) -> str:
        """Returns the envelope sender, which bounces are sent to.

        If the setting delivery.return_path is set, each message has an address of its own (VERP). Otherwise
        the envelope sender is the address of the publication's sender.
        """
        if self._return_path is None:
            return self._shared_return_path
        local, _, domain = self._return_path.address.rpartition("@")
        token = self.links.tokens.make(Purpose.BOUNCE, person.stable_id, self.campaign_id)
        return address_with_ascii_domain(f"{local}+{token}@{domain}")

    def delivery_reference(self, person: Person) -> str:
        """Returns an opaque id of the delivery to `person`, which a provider returns with its events."""
        return f"{self.campaign_id}.{self._recipient_id(person)}"

    def unsubscribe_uris(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """Returns the URIs of List-Unsubscribe, each in angle brackets, the one for one click (https) first.

        `values` are the values of the message's slots.
        """
        link = values["links.unsubscribe"]
        if not self._unsubscribe_address:
            return (f"<{link}>",)
        # The token of the link names the reader, so no address needs to be trusted or found.
        subject = f"unsubscribe {link.rpartition('/')[2]}"
        return f"<{link}>", f"<{_mailto(self._unsubscribe_address, subject)}>"

    def slot_values(self, person: Person) -> dict[str, str]:
        """Returns the values of the slots in a message to `person`, by path such as `subscriber.name`."""
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


def feedback_id_of_domain(domain: str) -> str:
    """Returns a sender id of 5 to 15 characters for Feedback-ID, made from an ASCII domain.

    It is the domain itself if this is short enough. Otherwise it is the domain without its last label if two
    labels are left, with the longest labels shortened. It always holds a full stop, so it differs from the
    other identifiers in Feedback-ID.
    """
    labels = domain.lower().split(".")[-_MOST_LABELS:]
    if len(domain) > _LONGEST_SENDER_ID and len(labels) > 2:
        labels.pop()
    while sum(map(len, labels)) + len(labels) - 1 > _LONGEST_SENDER_ID:
        longest = max(range(len(labels)), key=lambda number: len(labels[number]))
        labels[longest] = labels[longest][:-1].rstrip("-")
    sender_id = ".".join(labels)
    return sender_id if len(sender_id) >= _SHORTEST_SENDER_ID else f"{sender_id}-mail"


def _feedback_id(*identifiers: str) -> str:
    """Returns the value of Feedback-ID. The sender id is the last of `identifiers`.

    Gmail asks for identifiers that differ, so one that is repeated is only written in its last place.
    """
    return ":".join(reversed(dict.fromkeys(reversed(identifiers))))


def _mailto(address: str, subject: str) -> str:
    """Returns a mailto URI (RFC 6068) with a subject."""
    local, _, domain = address.rpartition("@")
    return f"mailto:{quote(local, safe=_MAILTO_SAFE)}@{domain}?subject={quote(subject, safe='')}"
