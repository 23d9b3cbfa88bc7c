"""Signs messages that are joined from fragments with DKIM (RFC 6376, and RFC 8463 for Ed25519).

`Signer` holds a domain with its keys. A `TemplateSigner` is made once for each template: it canonicalises the
template's constant fragments, and hashes the body up to the first slot and all constant header fields. For
each message, only the rest is canonicalised and hashed, on copies of those two hashes, and each key signs 32
octets. Once a minute, for a new Date, the constant header fields are hashed again
(`TemplateSigner.with_date`).

    c=relaxed/relaxed   a relay may rewrap header fields and collapse white space
    h=                  constant fields, then those that differ, then the oversigned names once more
    bh=                 one for all keys: both algorithms hash with SHA-256
    t=                  what Date says too: when the message was composed, within a minute
    no l=, no x=        everything is signed, for good

This module relies on the encoding of `bodies`: every line end is CRLF, no line of a body ends with white
space, and a line end stands between any two pieces that hold white space. So relaxed canonicalisation of a
body (section 3.4.4) only collapses white space, and each piece can be canonicalised by itself. No line begins
with a full stop either, so dot-stuffing never changes a signed line.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from mailer.config import Settings
from mailer.message.dkim_keys import SigningKey, load_keys

__all__ = [
    "OVERSIGNED",
    "SIGNED",
    "Signer",
    "TemplateSigner",
    "domains_may_align",
    "relaxed_body_piece",
    "relaxed_header_value",
    "load_signer",
]

#: The fields that are signed where a message has them, in small letters (RFC 6376 section 5.4.1, RFC 8058).
SIGNED = frozenset(
    {
        *("from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"),
        *("list-unsubscribe", "list-unsubscribe-post", "list-id", "list-help", "list-archive", "list-post"),
        *("content-language", "feedback-id"),
    }
)
#: Oversigned, once more than they occur, so that nobody can add one: fields that readers see or click.
OVERSIGNED = (
    *("From", "To", "Cc", "Subject", "Date", "Reply-To", "Content-Type"),
    *("List-Unsubscribe", "List-Unsubscribe-Post"),
)

_RUN = re.compile(rb"[ \t]{2,}|\t")
_BREAKS = re.compile(rb"[ \t\r\n]+")
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_SEAM = re.compile(rb" ?\0([0-9]+)\0")


@dataclass(frozen=True, slots=True)
class Signer:
    """Holds a signing domain and its keys.

    `domain` is the `d=` of the signatures, in ASCII. Each of `keys` adds one signature to a message.
    """

    domain: str
    keys: tuple[SigningKey, ...]


def load_signer(settings: Settings) -> Signer | None:
    """Returns the domain and the keys of the section [dkim], or None if the section names no keys.

    Raises ConfigError if a key file cannot be used.
    """
    if not settings.dkim.keys:
        return None
    return Signer(settings.dkim_domain, load_keys(settings))


def domains_may_align(signing_domain: str, sender_domain: str) -> bool:
    """Returns whether a signature of one domain may pass DMARC's alignment for a sender's domain (RFC 7489).

    The answer is False only if the two domains, both in ASCII, surely have different organisational domains.
    """
    ours, theirs = (domain.lower().split(".")[-2:] for domain in (signing_domain, sender_domain))
    return ours == theirs


class TemplateSigner:
    """Signs the messages of one template. Several threads may use one object.

    A message is fragment, value, fragment, … fragment: `fragments` are the template's constant bytes, and
    the values are the argument of `sign`. In the header, such a value is the whole value of its field.
    `signed_at` is in seconds since 1970.
    """

    def __init__(self, signer: Signer, fragments: Sequence[bytes], signed_at: int) -> None:
        head = b""
        at = 0
        while b"\r\n\r\n" not in fragments[at]:
            head += fragments[at] + b"\0%d\0" % at
            at += 1
        last, _, body = fragments[at].partition(b"\r\n\r\n")
        names = self._split_header_fields(head + last)
        self._hashed_body = hashlib.sha256(relaxed_body_piece(body))
        self._body_seam = at  # the number of the first value that belongs to the body
        self._body_fragments = tuple(relaxed_body_piece(fragment) for fragment in fragments[at + 1 :])
        self._signer = signer
        self._names = tuple(names)
        self._hash_constant_fields(signed_at)

    def with_date(self, date: bytes, signed_at: int) -> TemplateSigner:
        """Returns a signer of the same messages with another Date.

        `date` is the value of the Date field, `signed_at` the same time in seconds since 1970.
        """
        other = copy.copy(self)
        other._constant = tuple(
            (name, _canonical_field(name, date) if name.lower() == "date" else field)
            for name, field in self._constant
        )
        other._hash_constant_fields(signed_at)
        return other

    def _hash_constant_fields(self, signed_at: int) -> None:
        """Hashes the constant header fields, and writes the constant parts of the signatures.

        `signed_at` is in seconds since 1970.
        """
        self._hashed_head = hashlib.sha256(b"".join(field for _, field in self._constant))
        self._keys = tuple(
            (key, *_signature_start(key, self._signer.domain, self._names, signed_at))
            for key in self._signer.keys
        )

    def _split_header_fields(self, head: bytes) -> list[str]:
        """Splits the header into its constant and its varying fields. Returns the names for `h=`."""
        constant: list[tuple[str, bytes]] = []
        differing: list[tuple[str, int]] = []
        for field in _FIELD_END.split(head):
            raw_name, _, value = field.partition(b":")
            name = raw_name.decode("ascii")
            if name.lower() not in SIGNED:
                continue
            seam = _SEAM.fullmatch(value)
            if seam:
                differing.append((name, int(seam[1])))
            elif b"\0" in value:
                raise ValueError(f"{name} is signed, so its whole value must be one seam")
            else:
                constant.append((name, _canonical_field(name, value)))
        names = [name for name, _ in (*constant, *differing)]
        if len({name.lower() for name in names}) < len(names):  # they would be hashed from the last one up
            raise ValueError("a signed header field occurs twice")
        self._constant = tuple(constant)
        self._differing = tuple((name.lower().encode("ascii") + b":", seam) for name, seam in differing)
        return [*names, *OVERSIGNED]

    def sign(self, seam_values: Sequence[bytes]) -> bytes:
        """Returns the DKIM-Signature fields of one message, which must come before all its other fields.

        `seam_values` are the encoded values of the message, one between each two of the template's fragments.
        """
        body = self._hashed_body.copy()
        pieces: list[bytes] = []
        for value, fragment in zip(seam_values[self._body_seam :], self._body_fragments, strict=True):
            pieces += (relaxed_body_piece(value), fragment)
        body.update(b"".join(pieces))
        digest = base64.b64encode(body.digest())
        head = self._hashed_head.copy()
        head.update(
            b"".join(
                name + relaxed_header_value(seam_values[seam]) + b"\r\n" for name, seam in self._differing
            )
        )
        fields: list[bytes] = []
        for key, written, canonical in self._keys:
            hashed = head.copy()
            hashed.update(canonical + digest + b"; b=")
            fields += (written, digest, b";\r\n b=", _folded_base64(key.sign(hashed.digest())), b"\r\n")
        return b"".join(fields)


def _signature_start(
    key: SigningKey, domain: str, names: Sequence[str], signed_at: int
) -> tuple[bytes, bytes]:
    """Returns the beginning of a DKIM-Signature field, up to `bh=`: as written, and in canonical form.

    `names` are the header fields to list in `h=`. `signed_at` is in seconds since 1970.
    """
    lines = [f"v=1; a={key.algorithm}; c=relaxed/relaxed;"]
    for tag in (f"d={domain};", f"s={key.selector};", f"t={signed_at};"):
        column = len("DKIM-Signature: ") if len(lines) == 1 else 1
        if column + len(lines[-1]) + 1 + len(tag) <= 78:
            lines[-1] += " " + tag
        else:
            lines.append(tag)
    row = "h=" + names[0]
    for name in names[1:]:
        if len(row) + len(name) > 74:
            lines.append(row + ":")
            row = name
        else:
            row += ":" + name
    lines += [row + ";", "bh="]
    value = "\r\n ".join(lines).encode("ascii")
    return b"DKIM-Signature: " + value, b"dkim-signature:" + relaxed_header_value(value)


def _folded_base64(signature: bytes) -> bytes:
    text = base64.b64encode(signature)
    return b"\r\n ".join(text[at : at + 72] for at in range(0, len(text), 72))


def _canonical_field(name: str, value: bytes) -> bytes:
    return name.lower().encode("ascii") + b":" + relaxed_header_value(value) + b"\r\n"


def relaxed_header_value(value: bytes) -> bytes:
    """Returns the value of a header field in relaxed form (RFC 6376 section 3.4.2)."""
    return _BREAKS.sub(b" ", value).strip(b" ")


def relaxed_body_piece(piece: bytes) -> bytes:
    """Returns a piece of a body that `bodies` encoded, in relaxed form (RFC 6376 section 3.4.4)."""
    if b"  " not in piece and b"\t" not in piece:  # as in all of base64; the search is much faster
        return piece
    return _RUN.sub(b" ", piece)
