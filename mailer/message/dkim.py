"""Signs messages that are joined from fragments with DKIM (RFC 6376, and RFC 8463 for Ed25519).

`Signer` is a domain with its keys. A template makes a `TemplateSigner` of it once: there the constant
fragments are canonicalised, the body up to its first slot and all constant header fields are hashed. For
each message only what follows is canonicalised and hashed, on copies of those two hashes, and each key signs
32 octets. Once a minute, for a new Date, the constant header fields are hashed again
(`TemplateSigner.dated`); the body is not.

    c=relaxed/relaxed   a relay may rewrap header fields and collapse white space
    h=                  constant fields, then those that differ, then the oversigned names once more
    bh=                 one for all keys: both algorithms hash with SHA-256
    t=                  what Date says too: when the message was composed, within a minute
    no l=, no x=        everything is signed, for good

What this module relies on in `mime`: every line end is CRLF, no line of a body ends with white space, and
at both sides of a slot stands a soft line break. So relaxed canonicalisation of a body (section 3.4.4) has
nothing to do but to collapse white space, and does it for each piece by itself. No line begins with a full
stop either, so dot-stuffing never touches what was signed.
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
    "is_aligned",
    "relaxed_piece",
    "relaxed_value",
    "signer_of",
]

#: The fields that are signed where a message has them, in small letters (RFC 6376 section 5.4.1, RFC 8058).
SIGNED = frozenset(
    {
        *("from", "to", "cc", "subject", "date", "message-id", "reply-to", "mime-version", "content-type"),
        *("list-unsubscribe", "list-unsubscribe-post", "list-id", "list-help", "list-archive", "feedback-id"),
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
    """Holds a signing domain: `domain` is the `d=` in ASCII, and each of `keys` makes a signature."""

    domain: str
    keys: tuple[SigningKey, ...]


def signer_of(settings: Settings) -> Signer | None:
    """Returns the domain and the keys of [dkim], read from their files; None where there are none.

    Raises ConfigError where a key cannot be used.
    """
    if not settings.dkim.keys:
        return None
    return Signer(settings.dkim_domain, load_keys(settings))


def is_aligned(signing: str, sender: str) -> bool:
    """Returns whether a signature of the domain `signing` may align with the domain `sender` in DMARC (RFC
    7489).

    False where the two surely have no organisational domain in common. Both are in ASCII.
    """
    ours, theirs = (domain.lower().split(".")[-2:] for domain in (signing, sender))
    return ours == theirs


class TemplateSigner:
    """Signs the messages of one template. Several threads may use it at once.

    `fragments` and `seams` are the template's: fragment, seam, fragment, … fragment. A seam is an index into
    the argument of `sign`. In the header, a seam is the whole value of its field. `signed_at` is in seconds
    since 1970.
    """

    def __init__(
        self, signer: Signer, fragments: Sequence[bytes], seams: Sequence[int], signed_at: int
    ) -> None:
        head = b""
        at = 0
        while b"\r\n\r\n" not in fragments[at]:
            head += fragments[at] + b"\0%d\0" % seams[at]
            at += 1
        last, _, body = fragments[at].partition(b"\r\n\r\n")
        names = self._fields(head + last)
        self._hashed_body = hashlib.sha256(relaxed_piece(body))
        self._body_seams = tuple(seams[at:])
        self._body_fragments = tuple(relaxed_piece(fragment) for fragment in fragments[at + 1 :])
        self._signer = signer
        self._names = tuple(names)
        self._prepare(signed_at)

    def dated(self, date: bytes, signed_at: int) -> TemplateSigner:
        """Returns a signer of the same messages with another value of Date, signed at that time."""
        other = copy.copy(self)
        other._constant = tuple(
            (name, _field(name, date) if name.lower() == "date" else field) for name, field in self._constant
        )
        other._prepare(signed_at)
        return other

    def _prepare(self, signed_at: int) -> None:
        """Hashes the constant fields, and writes the constant parts of the signatures."""
        self._hashed_head = hashlib.sha256(b"".join(field for _, field in self._constant))
        self._keys = tuple(
            (key, *_signature(key, self._signer.domain, self._names, signed_at)) for key in self._signer.keys
        )

    def _fields(self, head: bytes) -> list[str]:
        """Splits the header into constant and varying fields; returns the names for h=."""
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
                constant.append((name, _field(name, value)))
        names = [name for name, _ in (*constant, *differing)]
        if len({name.lower() for name in names}) < len(names):  # they would be hashed from the last one up
            raise ValueError("a signed header field occurs twice")
        self._constant = tuple(constant)
        self._differing = tuple((name.lower().encode("ascii") + b":", seam) for name, seam in differing)
        return [*names, *OVERSIGNED]

    def sign(self, filled: Sequence[bytes]) -> bytes:
        """Returns the DKIM-Signature fields of one message, to stand before all others.

        `filled` holds the encoded values at the seams, by their indices.
        """
        body = self._hashed_body.copy()
        pieces: list[bytes] = []
        for seam, fragment in zip(self._body_seams, self._body_fragments, strict=True):
            pieces += (relaxed_piece(filled[seam]), fragment)
        body.update(b"".join(pieces))
        digest = base64.b64encode(body.digest())
        head = self._hashed_head.copy()
        head.update(b"".join(name + relaxed_value(filled[seam]) + b"\r\n" for name, seam in self._differing))
        fields: list[bytes] = []
        for key, written, canonical in self._keys:
            hashed = head.copy()
            hashed.update(canonical + digest + b"; b=")
            fields += (written, digest, b";\r\n b=", _folded(key.sign(hashed.digest())), b"\r\n")
        return b"".join(fields)


def _signature(key: SigningKey, domain: str, names: Sequence[str], signed_at: int) -> tuple[bytes, bytes]:
    """Returns a DKIM-Signature field up to the value of `bh=`, as written and in canonical form."""
    lines: list[str] = [
        f"v=1; a={key.algorithm}; c=relaxed/relaxed; d={domain};",
        f"s={key.selector}; t={signed_at};",
    ]
    row = "h=" + names[0]
    for name in names[1:]:
        if len(row) + len(name) > 74:
            lines.append(row + ":")
            row = name
        else:
            row += ":" + name
    lines += [row + ";", "bh="]
    value = "\r\n ".join(lines).encode("ascii")
    return b"DKIM-Signature: " + value, b"dkim-signature:" + relaxed_value(value)


def _folded(signature: bytes) -> bytes:
    text = base64.b64encode(signature)
    return b"\r\n ".join(text[at : at + 72] for at in range(0, len(text), 72))


def _field(name: str, value: bytes) -> bytes:
    return name.lower().encode("ascii") + b":" + relaxed_value(value) + b"\r\n"


def relaxed_value(value: bytes) -> bytes:
    """Returns the value of a header field in relaxed form (RFC 6376 section 3.4.2)."""
    return _BREAKS.sub(b" ", value).strip(b" ")


def relaxed_piece(piece: bytes) -> bytes:
    """Returns a piece of a body, as `mime` writes it, in relaxed form."""
    return _RUN.sub(b" ", piece)
