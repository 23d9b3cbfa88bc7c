"""Composes one recipient's message by joining fragments that were encoded once for everybody.

`Envelope` holds the fields that all messages of a campaign share, `MessageTemplate` the encoded fragments of
one rendition, and `Message` the data of one recipient. `Message.raw()` joins bytes: it parses nothing and
encodes only the few slots.
"""

from __future__ import annotations

from mailer.addresses import address_with_ascii_domain
from mailer.config import Mailbox
from mailer.message.bodies import encode_body
from mailer.message.dates import DateStamp, MinuteCache
from mailer.message.dkim import Signer, TemplateSigner
from mailer.message.envelope import Envelope, Person
from mailer.message.header_fields import (
    encode_unstructured_value,
    field_value,
    language_fields,
    list_id_value,
    mailbox_value,
)
from mailer.render.rendition import Rendition
from mailer.render.slots.slots import SlotContext, escape_for_context

__all__ = ["Envelope", "Message", "Person", "MessageTemplate"]


class MessageTemplate:
    """Holds one rendition as encoded fragments, between which the values of each recipient are inserted.

    A template is built once for all recipients of a variant. With a `signer` each message gets DKIM
    signatures. Several threads may use one object.
    """

    def __init__(self, rendition: Rendition, envelope: Envelope, signer: Signer | None = None) -> None:
        self.rendition = rendition
        self.envelope = envelope
        self._has_slotted_subject = bool(rendition.subject.slots)
        self._bodies = (encode_body(rendition.text), encode_body(rendition.html))
        # Between each two fragments stands one value of `_seam_values`.
        self._fragments: list[bytes] = [b""]
        self._write_header()
        boundary = b"=_" + rendition.digest[:32].encode("ascii")  # neither encoding ever writes =_
        self._append_bytes(b'Content-Type: multipart/alternative;\r\n boundary="', boundary, b'"\r\n\r\n')
        for kind, body in zip((b"plain", b"html"), self._bodies, strict=True):
            self._append_bytes(b"--", boundary, b"\r\nContent-Type: text/", kind, b'; charset="utf-8"\r\n')
            self._append_bytes(b"Content-Transfer-Encoding: ", body.transfer_encoding, b"\r\n\r\n")
            self._append_bytes(body.fragments[0])
            self._fragments += body.fragments[1:]
        self._append_bytes(b"--", boundary, b"--\r\n")
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
        return field, TemplateSigner(self._signer, fragments, stamp.seconds)

    def _write_header(self) -> None:
        """Appends to the fragments the part of the header that follows the value of Date."""
        envelope = self.envelope
        self._append_bytes(b"\r\nMessage-ID:")
        self._begin_fragment()
        self._append_mailbox("From", envelope.sender)
        self._append_bytes(b"\r\nTo:")
        self._begin_fragment()
        if envelope.reply_to:
            self._append_mailbox("Reply-To", envelope.reply_to)
        self._append_bytes(b"\r\nSubject:")
        if self._has_slotted_subject:
            self._begin_fragment()
        else:
            self._append_bytes(encode_unstructured_value("Subject", self.rendition.subject.fill({})))
        self._append_bytes(b"\r\nList-Unsubscribe:")
        self._begin_fragment()
        self._append_bytes(b"\r\n")
        for name, value in (*envelope.shared_headers, *language_fields(self.rendition.language)):
            self._append_bytes(name.encode("ascii"), b":", _encoded_field_value(name, value), b"\r\n")
        self._append_bytes(b"MIME-Version: 1.0\r\n")

    def _append_mailbox(self, field: str, mailbox: Mailbox) -> None:
        value = mailbox_value(field, mailbox.name, mailbox.address)
        self._append_bytes(b"\r\n", field.encode("ascii"), b":", value)

    def _append_bytes(self, *data: bytes) -> None:
        self._fragments[-1] += b"".join(data)

    def _begin_fragment(self) -> None:
        self._fragments.append(b"")

    def _seam_values(self, message: Message) -> list[bytes]:
        """Returns the bytes between the fragments, for one recipient."""
        values = message.values
        found = [
            field_value("Message-ID", message.message_id.encode("ascii")),
            mailbox_value("To", message.name, message.address),
        ]
        if self._has_slotted_subject:
            found.append(encode_unstructured_value("Subject", self.rendition.subject.fill(values)))
        found.append(b" " + ",\r\n ".join(self.envelope.unsubscribe_uris(values)).encode("ascii"))
        for body in self._bodies:
            found += body.encode(values)
        return found

    def compose(self, message: Message) -> bytes:
        """Returns the bytes of the message to one recipient, with CRLF line ends.

        The message is 7-bit, unless an address needs SMTPUTF8.
        """
        seam_values = self._seam_values(message)
        date, template_signer = self._dated.current_value()
        pieces = [template_signer.sign(seam_values)] if template_signer else []
        pieces += (date, self._fragments[0])
        for value, fragment in zip(seam_values, self._fragments[1:], strict=True):
            pieces += (value, fragment)
        return b"".join(pieces)


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
        return {"List-Unsubscribe": ", ".join(self.envelope.unsubscribe_uris(self.values))}

    def raw(self) -> bytes:
        """Returns the whole message as bytes."""
        return self.template.compose(self)


def _encoded_field_value(name: str, value: str) -> bytes:
    """Returns the value of a shared header field, with the white space before it."""
    if name == "List-Id":
        description, _, identifier = value.rpartition(" ")
        return list_id_value(description.strip('"'), identifier[1:-1])
    data = value.encode("ascii")
    return b" " + data if name.startswith("List-") else field_value(name, data)
