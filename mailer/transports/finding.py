"""Defines a finding of `mailer doctor`: one sentence about what is so, and one about what to do.

The type is here, because a transport's driver tries the transport itself; all other checks are in doctor.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailer.transports.base import one_line

__all__ = ["Finding", "Status", "Unanswered", "look_up_here"]


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
    """Holds one line of doctor's output. `advice` is what to do, empty where there is nothing to do.

    Text from others (the DNS, a server) may be passed as it is: it is cut, and unprintable characters are
    removed.
    """

    name: str
    status: Status
    message: str
    advice: str = ""

    def __post_init__(self) -> None:
        for field in ("name", "message", "advice"):
            object.__setattr__(self, field, one_line(getattr(self, field), _LONGEST))


class Unanswered(Exception):
    """Says why a question to the DNS or a server was not answered, so that nothing may be concluded."""


def look_up_here(host: str) -> None:
    """Raises Unanswered where this machine's own name look-up of a host fails temporarily."""
    try:
        socket.getaddrinfo(host, None)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Unanswered(f"this machine cannot look up {host} just now: {error.strerror}") from None
    except UnicodeError:
        return  # the attempt to connect reports it
