"""A message to one recipient, joined from fragments that were encoded once for everybody.

`Envelope` holds what all messages of a campaign share, `Template` one rendition of it with its
seams, `Message` one recipient's copy. `Message.raw()` is a join of bytes; nothing is parsed or encoded
there but the few slots. Header fields follow RFC 5322, 2369 (List-*), 2919 (List-Id), 8058 (one-click).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from mailer.addresses import header_address
from mailer.config import Settings
from mailer.errors import InputError
from mailer.links.urls import NOBODY, Links, Purpose, Tokens
from mailer.message.dates import Dates, PerMinute, Stamp
from mailer.message.dkim import Seal, Signer
from mailer.message.mime import encoded_words, phrase, quoted_printable, slot_lines, unstructured
from mailer.message.paragraphs import ReadyParagraph
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import Context, Part, Slot, escape

__all__ = ["Envelope", "Message", "Person", "Template", "compose_sample", "mailbox_field"]


_LINE_BREAK = re.compile(r"[\r\n\0]")


class Person(NamedTuple):
    """What a message needs to know of its recipient. `attributes` are the free ones, as plain text.

    `stable_id` are 8 bytes, by which the message and its links name the recipient; without it, nobody.
    """

    subscriber_id: int
    address: str
    name: str = ""
    language: str = ""
    attributes: Mapping[str, str] | None = None
    stable_id: bytes = NOBODY


def mailbox_field(name: str, address: str) -> bytes:
    """`"Name" <address>` for From, To and Reply-To. Raises InputError on CR, LF or NUL in either."""
    if _LINE_BREAK.search(name + address):
        raise InputError(f"{address!r}: a name or an address may not hold a line break")
    spec = b"<" + header_address(address).encode("utf-8") + b">"
    if not name:
        return spec[1:-1]
    words = phrase(name)
    return words + (b"\r\n " if b"\r\n" in words or len(words) + len(spec) > 70 else b" ") + spec


class Envelope:
    """What all messages of one campaign share: who sends, which list, where to go.

    `shared` are its header fields as (name, value) pairs of text, in order, without those of MIME, without
    From, To, Subject, Date, and without those that differ between recipients. `dates` gives the Date: that
    of now, or `sent_at` where that is given. `by_number` keeps the Message-ID and the reference as versions
    up to 0.3.0 made them, for a campaign that they froze.
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
    ) -> None:
        publication = settings.publication
        self.campaign_id = campaign_id
        self.slug = slug
        self.sender = publication.sender
        self.reply_to = publication.reply_to
        self.links = Links(publication.base_url, Tokens(settings.signing_keys()))
        self.domain = header_address(publication.sender.address).rpartition("@")[2]
        self.dates = Dates(sent_at)
        self._return_path = settings.delivery.return_path
        self._by_number = by_number
        host = header_address("x@" + (urlsplit(publication.base_url).hostname or self.domain))[2:]
        contact = header_address((publication.reply_to or publication.sender).address)
        list_name = settings.editions[edition].name.replace('"', "'").replace("\\", "/")
        self.shared: tuple[tuple[str, str], ...] = (
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            ("List-Id", f'"{list_name}" <{edition}.{host}>'),
            ("List-Help", f"<mailto:{contact}?subject=help>"),
            ("List-Archive", f"<{self.links.archive()}>"),
            ("Feedback-ID", f"{slug}:{edition}:newsletter:{self.domain}"),
            ("Precedence", "bulk"),
        )

    def message_id(self, person: Person) -> str:
        """The same for the same campaign and person, so that even a chosen resend is recognisable."""
        return f"<{self.slug}.{self._name(person)}@{self.domain}>"

    def _name(self, person: Person) -> str:
        return str(person.subscriber_id) if self._by_number else person.stable_id.hex()

    def return_path(self, person: Person) -> str:
        """Where bounces go: one address a message (VERP) where delivery.return_path is set."""
        if self._return_path is None:
            return header_address(self.sender.address)
        local, _, domain = self._return_path.address.rpartition("@")
        token = self.links.tokens.make(Purpose.BOUNCE, person.stable_id, self.campaign_id)
        return header_address(f"{local}+{token}@{domain}")

    def reference(self, person: Person) -> str:
        """An opaque name of this delivery for a provider to give back."""
        return f"{self.campaign_id}.{self._name(person)}"

    def values(self, person: Person) -> dict[str, str]:
        """What the slots of a message to `person` are filled with."""
        values = {
            "subscriber.name": person.name,
            "subscriber.email": person.address,
            "subscriber.language": person.language,
            "links.unsubscribe": self.links.unsubscribe(person.stable_id, self.campaign_id),
            "links.preferences": self.links.preferences(person.stable_id, self.campaign_id),
        }
        for key, value in (person.attributes or {}).items():
            values[f"subscriber.attributes.{key}"] = value
        return values


class Template:
    """One rendition as byte fragments with seams. Built once, used for every recipient of its variant.

    With a `signer` every message begins with its DKIM signatures. It may be used by several threads at once.
    """

    def __init__(self, rendition: Rendition, envelope: Envelope, signer: Signer | None = None) -> None:
        self.rendition = rendition
        self.envelope = envelope
        self._slots: list[Slot] = []
        # Paragraphs of the text part, each with the numbers of its slots.
        self._paragraphs: list[tuple[ReadyParagraph, list[int]]] = []
        self._first_slot = _FIRST_FILLED + len(rendition.text.paragraphs)
        self._slotted_subject = bool(rendition.subject.slots)
        # Fragment, seam, fragment, seam, ... fragment. A seam is an index into what `compose` fills in.
        self._fragments: list[bytes] = []
        self._seams: list[int] = []
        self._open: list[bytes] = []
        self._head()
        boundary = b"=_" + rendition.digest[:32].encode("ascii")  # quoted-printable never holds =_
        self._write(b'Content-Type: multipart/alternative;\r\n boundary="', boundary, b'"\r\n\r\n')
        for kind, part in ((b"plain", rendition.text), (b"html", rendition.html)):
            self._write(b"--", boundary, b"\r\nContent-Type: text/", kind, b'; charset="utf-8"\r\n')
            self._write(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n")
            self._body(part)
            self._write(b"\r\n")
        self._write(b"--", boundary, b"--\r\n")
        self._fragments.append(b"".join(self._open))
        self._signer = signer
        # The Date field and the seal that signs it.
        self._dated = PerMinute(envelope.dates, self._sealed)

    def _sealed(self, stamp: Stamp, before: tuple[bytes, Seal | None] | None) -> tuple[bytes, Seal | None]:
        field = b"Date: " + stamp.date
        if self._signer is None:
            return field, None
        if before and before[1]:
            return field, before[1].dated(stamp.date, stamp.seconds)
        fragments = [field + self._fragments[0], *self._fragments[1:]]
        return field, Seal(self._signer, fragments, self._seams, stamp.seconds)

    def _head(self) -> None:
        """Writes the header after the value of Date."""
        envelope = self.envelope
        self._write(b"\r\nMessage-ID: ")
        self._seam(_MESSAGE_ID)
        self._write(b"\r\nFrom: ", mailbox_field(envelope.sender.name, envelope.sender.address))
        self._write(b"\r\nTo: ")
        self._seam(_TO)
        if envelope.reply_to:
            self._write(b"\r\nReply-To: ", mailbox_field(envelope.reply_to.name, envelope.reply_to.address))
        self._write(b"\r\nSubject: ")
        if self._slotted_subject:
            self._seam(_SUBJECT)
        else:
            self._write(unstructured(self.rendition.subject.fill({})))
        self._write(b"\r\nList-Unsubscribe: ")
        self._seam(_UNSUBSCRIBE)
        self._write(b"\r\n")
        for name, value in envelope.shared:
            self._write(name.encode("ascii"), b": ", _field_value(name, value), b"\r\n")
        self._write(b"MIME-Version: 1.0\r\n")

    def _body(self, part: Part) -> None:
        for piece in part.pieces():
            if isinstance(piece, str):
                self._write(quoted_printable(piece))
            elif isinstance(piece, int):
                self._seam(self._first_slot + self._index(part.slots[piece]))
            else:
                slots = [self._index(slot) for slot in part.slots[piece.slot : piece.end]]
                self._seam(_FIRST_FILLED + len(self._paragraphs))
                self._paragraphs.append((ReadyParagraph(part, piece), slots))

    def _index(self, slot: Slot) -> int:
        if slot not in self._slots:
            self._slots.append(slot)
        return self._slots.index(slot)

    def _write(self, *data: bytes) -> None:
        self._open += data

    def _seam(self, index: int) -> None:
        self._fragments.append(b"".join(self._open))
        self._open = []
        self._seams.append(index)

    def compose(self, message: Message) -> bytes:
        """The complete message for one recipient: CRLF line ends, 7-bit but for an SMTPUTF8 address."""
        values = message.values
        filled = [
            message.message_id.encode("ascii"),
            mailbox_field(message.name, message.address),
            b"<" + values["links.unsubscribe"].encode("ascii") + b">",
            unstructured(self.rendition.subject.fill(values)) if self._slotted_subject else b"",
        ]
        texts = [slot.fill(values) for slot in self._slots]
        lines = [slot_lines(text) for text in texts]
        for paragraph, slots in self._paragraphs:
            filled.append(paragraph.encoded([texts[i] for i in slots], [lines[i] for i in slots]))
        filled += lines
        date, seal = self._dated.value()
        pieces = [seal.sign(filled)] if seal else []
        pieces += (date, self._fragments[0])
        for seam, fragment in zip(self._seams, self._fragments[1:], strict=True):
            pieces += (filled[seam], fragment)
        return b"".join(pieces)


#: With more, a line could have over 998 octets (RFC 5322 section 2.1.1), and a server may cut it.
_LONGEST_LIST_ID = 300

_MESSAGE_ID, _TO, _UNSUBSCRIBE, _SUBJECT, _FIRST_FILLED = range(5)


class Message:
    """One recipient's copy: what a transport is given (see `transports.base.Outgoing`)."""

    __slots__ = ("_values", "address", "attempt", "name", "person", "subscriber_id", "template")

    #: Every piece is written so that none of its lines begins with a full stop (see `mime`).
    needs_dot_stuffing = False

    def __init__(self, template: Template, person: Person, attempt: int = 1) -> None:
        self.template = template
        self.person = person
        self.subscriber_id = person.subscriber_id
        self.attempt = attempt
        self.address = header_address(person.address)
        self.name = escape(person.name, Context.HEADER).strip()
        self._values: dict[str, str] | None = None

    @property
    def values(self) -> dict[str, str]:
        """What fills its slots. Made when first asked for, by the worker that composes it."""
        if self._values is None:
            self._values = self.template.envelope.values(self.person)
        return self._values

    @property
    def key(self) -> tuple[int, int]:
        """(subscriber id, attempt): which claim this is."""
        return self.subscriber_id, self.attempt

    @property
    def envelope(self) -> Envelope:
        """What it shares with all messages of the campaign."""
        return self.template.envelope

    @property
    def rendition(self) -> Rendition:
        """What it shows."""
        return self.template.rendition

    @property
    def message_id(self) -> str:
        """The same whenever the same campaign writes to the same person."""
        return self.envelope.message_id(self.person)

    @property
    def return_path(self) -> str:
        """Where bounces of this one message go."""
        return self.envelope.return_path(self.person)

    @property
    def reference(self) -> str:
        """An opaque name of this delivery for a provider to give back."""
        return self.envelope.reference(self.person)

    @property
    def headers(self) -> dict[str, str]:
        """The header fields that only this message has, beside To and Message-ID."""
        return {"List-Unsubscribe": f"<{self.values['links.unsubscribe']}>"}

    def raw(self) -> bytes:
        """The whole message as bytes."""
        return self.template.compose(self)


def compose_sample(
    settings: Settings, rendition: Rendition, *, slug: str, edition: str, sent_at: datetime
) -> bytes:
    """A message as a reader would get it, for looking at. Its links belong to nobody."""
    envelope = Envelope(settings, campaign_id=0, slug=slug, edition=edition, sent_at=sent_at)
    person = Person(0, "reader@example.org")
    return Message(Template(rendition, envelope), person).raw()


def _field_value(name: str, value: str) -> bytes:
    """A shared field as it stands in a message."""
    if name != "List-Id" or (value.isascii() and len(value) <= _LONGEST_LIST_ID):
        return value.encode("ascii")
    description, _, identifier = value.rpartition(" ")
    return encoded_words(description.strip('"')) + b"\r\n " + identifier.encode("ascii")
