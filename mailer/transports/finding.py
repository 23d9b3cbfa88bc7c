"""Defines a finding of `mailer doctor`: a sentence about what was found, and a sentence about what to do.

The type is defined here because transports report findings about themselves. The other checks are in
`doctor`.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailer.transports.base import one_line

__all__ = ["Finding", "Status", "UnansweredQuery", "check_resolver_answers"]


class Status(StrEnum):
    """Lists the statuses of a finding. `unknown` means that the check could not be made."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


#: A finding quotes what stands in the DNS, and that may be 64 KB.
_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Finding:
    """Holds one line of the output of `mailer doctor`.

    `name` names the check, `message` says what was found, and `advice` says what to do about it, or is ''.

    The texts may quote the DNS or a server: long texts are cut, and unprintable characters are removed.
    """

    name: str
    status: Status
    message: str
    advice: str = ""

    def __post_init__(self) -> None:
        for field in ("name", "message", "advice"):
            object.__setattr__(self, field, one_line(getattr(self, field), _LONGEST))


class UnansweredQuery(Exception):
    """Signals that the DNS or a server did not answer a query, so that nothing can be concluded.

    The text of the exception says why.
    """


def check_resolver_answers(host: str) -> None:
    """Raises UnansweredQuery if this machine's resolver fails temporarily when it looks up `host`."""
    try:
        socket.getaddrinfo(host, None)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise UnansweredQuery(
                f"this machine cannot look up {host} at the moment: {error.strerror}"
            ) from None
    except UnicodeError:
        return  # the attempt to connect reports it
