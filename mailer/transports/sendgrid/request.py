"""Makes the bodies of requests to SendGrid's v3 mail/send: content, and one personalization per recipient.

A slot becomes a substitution tag. SendGrid replaces tags as text and escapes nothing, so each value is
escaped here for the context of its slot. The limits are listed in
https://www.twilio.com/docs/sendgrid/api-reference/mail-send/limitations and …/mail-send/errors.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from json.encoder import encode_basestring_ascii as _json
from typing import Any, Final

from mailer.addresses import address_with_ascii_domain
from mailer.config import Mailbox
from mailer.message.header_fields import encoded_words, language_fields
from mailer.message.paragraphs import EncodedParagraph
from mailer.render.slots.slots import RenditionPart, Slot, SlotContext, escape_for_context
from mailer.transports.base import OutgoingMessage

__all__ = ["MOST_RECIPIENTS", "REFERENCE", "RequestTemplate", "UnfitRecipient", "groups_for_requests"]

#: Personalizations, and recipients, in one request.
MOST_RECIPIENTS: Final = 1000

#: The custom argument that SendGrid gives back with every event of a message.
REFERENCE: Final = "mailer_reference"

_MOST_SUBSTITUTION_BYTES: Final = 10_000
_RESERVED_IN_NAMES = re.compile(r"[;,]")
_LIST_ID = re.compile(r'"?(.*?)"? (<[\x21-\x7e]+>)')
# An account may have any of these on; what stands in a request goes before the account's settings. The
# filters that bypass suppressions are off unless a request turns them on, and exclude each other.
_OFF: Final[Mapping[str, Any]] = {"enable": False}
_MAIL_SETTINGS: Final[Mapping[str, Any]] = {"footer": _OFF, "sandbox_mode": _OFF}
_TRACKING_SETTINGS: Final[Mapping[str, Any]] = {
    "click_tracking": {"enable": False, "enable_text": False},
    "open_tracking": _OFF,
    "subscription_tracking": _OFF,
    "ganalytics": _OFF,
}


class UnfitRecipient(Exception):
    """Says, in a sentence, why SendGrid could not accept the values of one recipient."""


class RequestTemplate:
    """Holds one rendition of one campaign, encoded once for the bodies of all requests."""

    def __init__(self, sample: OutgoingMessage) -> None:
        self.rendition = sample.rendition
        self.envelope = sample.envelope
        self._slots: dict[Slot, str] = {}
        self._paragraphs: list[tuple[str, EncodedParagraph]] = []
        self._sample = sample.values
        # Nobody can know a tag beforehand, so no name and no text can hold one.
        self._key = secrets.token_hex(6)
        rendition = sample.rendition
        document: dict[str, Any] = {
            "from": _mailbox_object(self.envelope.sender),
            "subject": self._text_with_tags(rendition.subject),
            "content": [
                {"type": "text/plain", "value": self._text_with_tags(rendition.text) or " "},
                {"type": "text/html", "value": self._text_with_tags(rendition.html)},
            ],
            "mail_settings": _MAIL_SETTINGS,
            "tracking_settings": _TRACKING_SETTINGS,
        }
        if self.envelope.reply_to:
            document["reply_to"] = _mailbox_object(self.envelope.reply_to)
        self._rest = json.dumps(document)[1:]
        self._shared = "".join(
            f"{_json(name)}:{_json(encoded_header_value(name, value))},"
            for name, value in (*self.envelope.shared_headers, *language_fields(rendition.language))
        )
        # A link that needs no escaping anywhere is put in as it is, see `_slot_that_shares_tag`.
        self._links = [(f'{_json(tag)}:"', s.paths[0]) for s, tag in self._slots.items() if self._is_link(s)]
        self._tags = [(f"{_json(tag)}:", s) for s, tag in self._slots.items() if not self._is_link(s)]
        self._lines = [(f"{_json(tag)}:", paragraph) for tag, paragraph in self._paragraphs]
        tags = (*self._slots.values(), *(tag for tag, _ in self._paragraphs))
        self._tag_bytes = sum(len(tag) for tag in tags)

    def fits_message(self, message: OutgoingMessage) -> bool:
        """Returns whether a message has the rendition and the campaign of this template."""
        return message.rendition is self.rendition and message.envelope is self.envelope

    def personalization(self, message: OutgoingMessage) -> str:
        """Returns the personalization of a message's recipient as JSON text.

        Raises UnfitRecipient if it is too large.

        It has all header fields, the shared ones too, because SendGrid's pages do not say whether the fields
        of a personalization replace or join those of the request. Joining text that was encoded once is
        several times faster than encoding it for each recipient.
        """
        values = message.values
        filled = [tag + _json(slot.fill(values)) for tag, slot in self._tags]
        filled += [f'{tag}{values[path]}"' for tag, path in self._links]
        filled += [tag + _json(paragraph.fill(values)) for tag, paragraph in self._lines]
        substitutions = ",".join(filled)
        if len(substitutions) > _MOST_SUBSTITUTION_BYTES:  # as JSON it is never shorter than what counts
            self._check_substitution_size(values)
        name = message.name
        if ";" in name or "," in name:
            name = _RESERVED_IN_NAMES.sub(" ", name).strip()
        named = f',"name":{_json(name)}' if name else ""
        own = "".join([f",{_json(field)}:{_json(value)}" for field, value in message.headers.items()])
        return (
            f'{{"to":[{{"email":{_json(message.address)}{named}}}],'
            f'"headers":{{{self._shared}"Message-ID":{_json(message.message_id)}{own}}},'
            f'"custom_args":{{"{REFERENCE}":{_json(message.reference)}}}'
            + (f',"substitutions":{{{substitutions}}}}}' if substitutions else "}")
        )

    def _check_substitution_size(self, values: Mapping[str, str]) -> None:
        """Raises UnfitRecipient if the values of a recipient are longer than SendGrid allows."""
        filled = [slot.fill(values) for slot in self._slots]
        filled += [paragraph.fill(values) for _, paragraph in self._paragraphs]
        size = self._tag_bytes + sum(len(text.encode("utf-8")) for text in filled)
        if size > _MOST_SUBSTITUTION_BYTES:
            raise UnfitRecipient(
                f"the personal values of this message have {size:,} bytes, and SendGrid accepts "
                f"{_MOST_SUBSTITUTION_BYTES:,} at most; shorten the reader's name or attributes"
            )

    def request_body(self, personalizations: Sequence[str]) -> str:
        """Returns the body of a request with these personalizations, as JSON text."""
        return f'{{"personalizations":[{",".join(personalizations)}],{self._rest}'

    def _text_with_tags(self, part: RenditionPart) -> str:
        pieces: list[str] = []
        for piece in part.pieces():
            if isinstance(piece, str):
                pieces.append(piece)
            elif isinstance(piece, int):
                slot = self._slot_that_shares_tag(part.slots[piece])
                pieces.append(self._slots.setdefault(slot, f"-{self._key}x{len(self._slots)}-"))
            else:
                tag = f"-{self._key}p{len(self._paragraphs)}-"
                self._paragraphs.append((tag, EncodedParagraph(part, piece)))
                pieces.append(tag)
        return "".join(pieces)

    def _slot_that_shares_tag(self, slot: Slot) -> Slot:
        """Returns the slot whose tag is used for `slot`.

        Slots for the same link share a tag if the link needs no escaping in the context of `slot`; every
        other slot has its own tag.
        """
        plain = Slot(slot.paths, "", SlotContext.TEXT)
        if slot.default or not self._is_link(plain):
            return slot
        link = self._sample[slot.paths[0]]
        return plain if escape_for_context(link, slot.context) == link else slot

    def _is_link(self, slot: Slot) -> bool:
        """Returns whether a slot is one of our links in plain text, which differ only in their tokens."""
        if len(slot.paths) > 1 or slot.context is not SlotContext.TEXT or slot.default:
            return False
        link = self._sample.get(slot.paths[0], "") if slot.paths[0].startswith("links.") else ""
        return (
            bool(link) and _json(link) == f'"{link}"' and escape_for_context(link, SlotContext.TEXT) == link
        )


def groups_for_requests(batch: Sequence[OutgoingMessage]) -> Iterator[list[int]]:
    """Yields lists of indices of messages that may share a request.

    The messages of a list have the same rendition and campaign, and no address occurs twice.
    """
    open_groups: dict[tuple[int, int], list[tuple[list[int], set[str]]]] = {}
    for place, message in enumerate(batch):
        address = message.address.casefold()
        kind = open_groups.setdefault((id(message.rendition), id(message.envelope)), [])
        for places, addresses in kind:
            if len(places) < MOST_RECIPIENTS and address not in addresses:
                places.append(place)
                addresses.add(address)
                break
        else:
            kind.append(([place], {address}))
    for kind in open_groups.values():
        for places, _ in kind:
            yield places


def encoded_header_value(field: str, value: str) -> str:
    """Returns the value of a header field in the form that SendGrid needs: one line of ASCII (RFC 2047).

    Its encoded words fit into lines of 76 characters if the value is folded at its spaces.
    """
    if value.isascii():
        return value
    match = _LIST_ID.fullmatch(value)
    if match:
        return f"{_encoded_words(field, match[1])} {match[2]}"
    return _encoded_words(field, value)


def _encoded_words(field: str, text: str) -> str:
    return encoded_words(text, len(field) + 2).decode("ascii").replace("\r\n", "")


def _mailbox_object(mailbox: Mailbox) -> dict[str, str]:
    address = {"email": address_with_ascii_domain(mailbox.address)}
    if mailbox.name:
        address["name"] = mailbox.name
    return address
