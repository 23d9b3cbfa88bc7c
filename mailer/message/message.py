"""Composes one recipient's message by joining fragments that were encoded once for everybody.

`Envelope` holds the fields that all messages of a campaign share, `MessageTemplate` the encoded fragments of
one rendition, and `Message` the data of one recipient. `Message.raw()` joins bytes: it parses nothing and
encodes only the few slots.
"""

from __future__ import annotations

from datetime import datetime

from mailer.addresses import address_with_ascii_domain
from mailer.config import Settings
from mailer.message.dates import DateStamp, MinuteCache
from mailer.message.dkim import Signer, TemplateSigner
from mailer.message.envelope import Envelope, Person, mailbox_field
from mailer.message.mime import (
    encode_quoted_printable,
    encode_slot_value,
    encode_unstructured_value,
    encoded_words,
)
from mailer.message.paragraphs import EncodedParagraph
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext, escape_for_context

__all__ = ["Envelope", "Message", "Person", "MessageTemplate", "compose_sample"]


class MessageTemplate:
    """Holds one rendition as encoded fragments, between which the values of each recipient are inserted.

    A template is built once for all recipients of a variant. With a `signer` each message gets DKIM
    signatures. Several threads may use one object.
    """

    def __init__(self, rendition: Rendition, envelope: Envelope, signer: Signer | None = None) -> None:
        self.rendition = rendition
        self.envelope = envelope
        self._slots: list[Slot] = []
        # Paragraphs of the text part, each with the numbers of its slots.
        self._paragraphs: list[tuple[EncodedParagraph, list[int]]] = []
        self._first_slot = _FIRST_FILLED + len(rendition.text.paragraphs)
        self._slotted_subject = bool(rendition.subject.slots)
        # Fragment, seam, fragment, seam, ... fragment. A seam is an index into what `compose` fills in.
        self._fragments: list[bytes] = []
        self._seams: list[int] = []
        self._open: list[bytes] = []
        self._write_header()
        boundary = b"=_" + rendition.digest[:32].encode("ascii")  # quoted-printable never holds =_
        self._append_bytes(b'Content-Type: multipart/alternative;\r\n boundary="', boundary, b'"\r\n\r\n')
        for kind, part in ((b"plain", rendition.text), (b"html", rendition.html)):
            self._append_bytes(b"--", boundary, b"\r\nContent-Type: text/", kind, b'; charset="utf-8"\r\n')
            self._append_bytes(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n")
            self._write_body_part(part)
            self._append_bytes(b"\r\n")
        self._append_bytes(b"--", boundary, b"--\r\n")
        self._fragments.append(b"".join(self._open))
        self._signer = signer
        # The Date field, and what signs messages with it.
        self._dated = MinuteCache(envelope.dates, self._date_field_and_signer)

    def _date_field_and_signer(
        self, stamp: DateStamp, previous: tuple[bytes, TemplateSigner | None] | None
    ) -> tuple[bytes, TemplateSigner | None]:
        field = b"Date: " + stamp.date
        if self._signer is None:
            return field, None
        if previous and previous[1]:
            return field, previous[1].with_date(stamp.date, stamp.seconds)
        fragments = [field + self._fragments[0], *self._fragments[1:]]
        return field, TemplateSigner(self._signer, fragments, self._seams, stamp.seconds)

    def _write_header(self) -> None:
        """Appends to the fragments the part of the header that follows the value of Date."""
        envelope = self.envelope
        self._append_bytes(b"\r\nMessage-ID: ")
        self._add_seam(_MESSAGE_ID)
        self._append_bytes(b"\r\nFrom: ", mailbox_field(envelope.sender.name, envelope.sender.address))
        self._append_bytes(b"\r\nTo: ")
        self._add_seam(_TO)
        if envelope.reply_to:
            self._append_bytes(
                b"\r\nReply-To: ", mailbox_field(envelope.reply_to.name, envelope.reply_to.address)
            )
        self._append_bytes(b"\r\nSubject: ")
        if self._slotted_subject:
            self._add_seam(_SUBJECT)
        else:
            self._append_bytes(encode_unstructured_value(self.rendition.subject.fill({})))
        self._append_bytes(b"\r\nList-Unsubscribe: ")
        self._add_seam(_UNSUBSCRIBE)
        self._append_bytes(b"\r\n")
        for name, value in envelope.shared_headers:
            self._append_bytes(name.encode("ascii"), b": ", _encoded_field_value(name, value), b"\r\n")
        self._append_bytes(b"MIME-Version: 1.0\r\n")

    def _write_body_part(self, part: RenditionPart) -> None:
        for piece in part.pieces():
            if isinstance(piece, str):
                self._append_bytes(encode_quoted_printable(piece))
            elif isinstance(piece, int):
                self._add_seam(self._first_slot + self._slot_index(part.slots[piece]))
            else:
                slots = [self._slot_index(slot) for slot in part.slots[piece.slot : piece.end_slot]]
                self._add_seam(_FIRST_FILLED + len(self._paragraphs))
                self._paragraphs.append((EncodedParagraph(part, piece), slots))

    def _slot_index(self, slot: Slot) -> int:
        if slot not in self._slots:
            self._slots.append(slot)
        return self._slots.index(slot)

    def _append_bytes(self, *data: bytes) -> None:
        self._open += data

    def _add_seam(self, value_index: int) -> None:
        self._fragments.append(b"".join(self._open))
        self._open = []
        self._seams.append(value_index)

    def compose(self, message: Message) -> bytes:
        """Returns the bytes of the message to one recipient, with CRLF line ends.

        The message is 7-bit, unless an address needs SMTPUTF8.
        """
        values = message.values
        seam_values = [
            message.message_id.encode("ascii"),
            mailbox_field(message.name, message.address),
            b"<" + values["links.unsubscribe"].encode("ascii") + b">",
            encode_unstructured_value(self.rendition.subject.fill(values)) if self._slotted_subject else b"",
        ]
        texts = [slot.fill(values) for slot in self._slots]
        lines = [encode_slot_value(text) for text in texts]
        for paragraph, slots in self._paragraphs:
            seam_values.append(paragraph.encode([texts[i] for i in slots], [lines[i] for i in slots]))
        seam_values += lines
        date, template_signer = self._dated.current_value()
        pieces = [template_signer.sign(seam_values)] if template_signer else []
        pieces += (date, self._fragments[0])
        for seam, fragment in zip(self._seams, self._fragments[1:], strict=True):
            pieces += (seam_values[seam], fragment)
        return b"".join(pieces)


#: With more, a line could have over 998 octets (RFC 5322 section 2.1.1), and a server may cut it.
_LONGEST_LIST_ID = 300

_MESSAGE_ID, _TO, _UNSUBSCRIBE, _SUBJECT, _FIRST_FILLED = range(5)


class Message:
    """Holds the message to one recipient, with the interface of `transports.base.Outgoing`.

    `attempt` is the number of times that the delivery was claimed, this one included.
    """

    __slots__ = (
        "_return_path",
        "_values",
        "address",
        "attempt",
        "name",
        "person",
        "subscriber_id",
        "template",
    )

    #: Every piece is written so that none of its lines begins with a full stop (see `mime`).
    needs_dot_stuffing = False

    def __init__(self, template: MessageTemplate, person: Person, attempt: int = 1) -> None:
        self.template = template
        self.person = person
        self.subscriber_id = person.subscriber_id
        self.attempt = attempt
        self.address = address_with_ascii_domain(person.address)
        self.name = escape_for_context(person.name, SlotContext.HEADER).strip()
        self._values: dict[str, str] | None = None
        self._return_path = ""

    @property
    def values(self) -> dict[str, str]:
        """Returns the values of the message's slots, by path such as `subscriber.name`.

        They are computed on first use, which is in the thread that composes the message.
        """
        if self._values is None:
            self._values = self.template.envelope.slot_values(self.person)
        return self._values

    @property
    def key(self) -> tuple[int, int]:
        """Returns (subscriber id, attempt), which identifies the claim of this delivery."""
        return self.subscriber_id, self.attempt

    @property
    def envelope(self) -> Envelope:
        """Returns the envelope, which all messages of the campaign share."""
        return self.template.envelope

    @property
    def rendition(self) -> Rendition:
        """Returns the rendition that this message shows."""
        return self.template.rendition

    @property
    def message_id(self) -> str:
        """Returns the Message-ID: the same for each attempt of this campaign to write to this person."""
        return self.envelope.message_id(self.person)

    @property
    def return_path(self) -> str:
        """Returns the envelope sender of this message, which bounces are sent to."""
        if not self._return_path:
            self._return_path = self.envelope.return_path(self.person)
        return self._return_path

    @property
    def reference(self) -> str:
        """Returns an opaque id of this delivery, which a provider returns with its events."""
        return self.envelope.delivery_reference(self.person)

    @property
    def headers(self) -> dict[str, str]:
        """Returns the header fields, beside To and Message-ID, whose values belong to this message alone."""
        return {"List-Unsubscribe": f"<{self.values['links.unsubscribe']}>"}

    def raw(self) -> bytes:
        """Returns the whole message as bytes."""
        return self.template.compose(self)


def compose_sample(
    settings: Settings, rendition: Rendition, *, slug: str, edition: str, sent_at: datetime
) -> bytes:
    """Returns the bytes of a sample message to an invented reader. The links in it belong to nobody."""
    envelope = Envelope(settings, campaign_id=0, slug=slug, edition=edition, sent_at=sent_at)
    person = Person(0, "reader@example.org")
    return Message(MessageTemplate(rendition, envelope), person).raw()


def _encoded_field_value(name: str, value: str) -> bytes:
    """Returns the value of a shared header field as bytes; a long or non-ASCII List-Id as encoded words."""
    if name != "List-Id" or (value.isascii() and len(value) <= _LONGEST_LIST_ID):
        return value.encode("ascii")
    description, _, identifier = value.rpartition(" ")
    return encoded_words(description.strip('"')) + b"\r\n " + identifier.encode("ascii")
