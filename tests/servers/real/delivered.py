"""What a server has of a message, held against what was composed for it."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterable
from email.errors import NonASCIILocalPartDefect

__all__ = ["is_same", "is_sound"]

#: Fields that servers put above a message: RFC 5321 section 4.4, and what Postfix notes of the envelope.
_TRACE = (b"received", b"return-path", b"delivered-to", b"x-original-to", b"envelope-to")
_FIELD = re.compile(rb"([^:\s]+):[^\n]*\n(?:[ \t][^\n]*\n)*")


def is_sound(data: bytes) -> bool:
    """Whether the message parses without a defect in any header or part.

    Python's parser calls a local part beyond ASCII a defect, which it is not with SMTPUTF8 (RFC 6532).
    """
    message = email.message_from_string(data.decode("utf-8"), policy=email.policy.default)
    return not any(
        not isinstance(defect, NonASCIILocalPartDefect)
        for part in message.walk()
        for defect in (*part.defects, *(d for value in part.values() for d in getattr(value, "defects", ())))
    )


def is_same(data: bytes, sent: Iterable[bytes]) -> bool:
    """Whether below the server's own fields stands one of the messages that were composed, byte for byte.

    Only line ends may differ: a file in a Maildir has those of its machine.
    """
    data = data.replace(b"\r\n", b"\n")
    while (field := _FIELD.match(data)) and field[1].lower() in _TRACE:
        data = data[field.end() :]
    return any(data == raw.replace(b"\r\n", b"\n") for raw in sent)
