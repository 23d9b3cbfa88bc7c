"""Composes one recipient's message by joining fragments that were encoded once for everybody.

`Envelope` holds what all messages of a campaign share, `Template` one rendition of it with its seams,
`Message` one recipient's copy. `Message.raw()` is a join of bytes: it parses nothing and encodes only the few
slots.
"""

from __future__ import annotations

from datetime import datetime

from mailer.addresses import address_with_ascii_domain
from mailer.config import Settings
from mailer.message.dates import MinuteCache, Stamp
from mailer.message.dkim import Signer, TemplateSigner
from mailer.message.envelope import Envelope, Person, mailbox_field
from mailer.message.mime import encoded_words, quoted_printable, slot_lines, unstructured
from mailer.message.paragraphs import ReadyParagraph
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import Context, Part, Slot, escape

__all__ = ["Envelope", "Message", "Person", "Template", "compose_sample"]


class Template:
    """Holds one rendition as byte fragments with seams, built once for all recipients of its variant.

    With a `signer` every message begins with its DKIM signatures. Several threads may use it at once.
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
        # The Date field, and what signs messages with it.
        self._dated = MinuteCache(envelope.dates, self._with_date)

    def _with_date(
        self, stamp: Stamp, before: tuple[bytes, TemplateSigner | None] | None
    ) -> tuple[bytes, TemplateSigner | None]:
        field = b"Date: " + stamp.date
        if self._signer is None:
            return field, None
        if before and before[1]:
            return field, before[1].dated(stamp.date, stamp.seconds)
        fragments = [field + self._fragments[0], *self._fragments[1:]]
        return field, TemplateSigner(self._signer, fragments, self._seams, stamp.seconds)

    def _head(self) -> None:
        """Writes the part of the header after the value of Date."""
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
        for name, value in envelope.shared_headers:
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
        """Returns the message for one recipient: CRLF line ends, 7-bit except for an SMTPUTF8 address."""
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
        date, template_signer = self._dated.value()
        pieces = [template_signer.sign(filled)] if template_signer else []
        pieces += (date, self._fragments[0])
        for seam, fragment in zip(self._seams, self._fragments[1:], strict=True):
            pieces += (filled[seam], fragment)
        return b"".join(pieces)


#: With more, a line could have over 998 octets (RFC 5322 section 2.1.1), and a server may cut it.
_LONGEST_LIST_ID = 300

_MESSAGE_ID, _TO, _UNSUBSCRIBE, _SUBJECT, _FIRST_FILLED = range(5)


class Message:
    """Holds one recipient's copy, as a transport takes it (see `transports.base.Outgoing`)."""

    __slots__ = ("_values", "address", "attempt", "name", "person", "subscriber_id", "template")

    #: Every piece is written so that none of its lines begins with a full stop (see `mime`).
    needs_dot_stuffing = False

    def __init__(self, template: Template, person: Person, attempt: int = 1) -> None:
        self.template = template
        self.person = person
        self.subscriber_id = person.subscriber_id
        self.attempt = attempt
        self.address = address_with_ascii_domain(person.address)
        self.name = escape(person.name, Context.HEADER).strip()
        self._values: dict[str, str] | None = None

    @property
    def values(self) -> dict[str, str]:
        """Returns the values of its slots, made on first use, by the worker that composes the message."""
        if self._values is None:
            self._values = self.template.envelope.values(self.person)
        return self._values

    @property
    def key(self) -> tuple[int, int]:
        """Returns (subscriber id, attempt), which identifies the claim."""
        return self.subscriber_id, self.attempt

    @property
    def envelope(self) -> Envelope:
        """Returns the envelope, shared by all messages of the campaign."""
        return self.template.envelope

    @property
    def rendition(self) -> Rendition:
        """Returns the rendition that it shows."""
        return self.template.rendition

    @property
    def message_id(self) -> str:
        """Returns the Message-ID, the same whenever the campaign writes to this person."""
        return self.envelope.message_id(self.person)

    @property
    def return_path(self) -> str:
        """Returns the address for bounces of this one message."""
        return self.envelope.return_path(self.person)

    @property
    def reference(self) -> str:
        """Returns an opaque id of this delivery, which a provider returns with its events."""
        return self.envelope.reference(self.person)

    @property
    def headers(self) -> dict[str, str]:
        """Returns the header fields of this message alone, beside To and Message-ID."""
        return {"List-Unsubscribe": f"<{self.values['links.unsubscribe']}>"}

    def raw(self) -> bytes:
        """Returns the whole message as bytes."""
        return self.template.compose(self)


def compose_sample(
    settings: Settings, rendition: Rendition, *, slug: str, edition: str, sent_at: datetime
) -> bytes:
    """Returns a sample message as a reader would get it. Its links belong to nobody."""
    envelope = Envelope(settings, campaign_id=0, slug=slug, edition=edition, sent_at=sent_at)
    person = Person(0, "reader@example.org")
    return Message(Template(rendition, envelope), person).raw()


def _field_value(name: str, value: str) -> bytes:
    """Returns a shared field as it stands in a message."""
    if name != "List-Id" or (value.isascii() and len(value) <= _LONGEST_LIST_ID):
        return value.encode("ascii")
    description, _, identifier = value.rpartition(" ")
    return encoded_words(description.strip('"')) + b"\r\n " + identifier.encode("ascii")
