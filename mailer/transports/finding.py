"""A finding of `mailer doctor`: one sentence about how a thing stands, and one about what to do.

The type is here, because a transport tries itself; all other checks are doctor's.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailer.transports.base import one_line

__all__ = ["Finding", "Status", "Unanswered", "look_up_here"]


class Status(StrEnum):
    """The status of a finding. `unknown` means that a thing could not be looked at."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


#: A finding quotes what stands in the DNS, and that may be 64 KB.
_LONGEST: Final = 2000


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer. `advice` is what to do, and empty where there is nothing to do.

    What others wrote (the DNS, a server) may be put in as it is: it is cut, and nothing unprintable stays.
    """

    name: str
    status: Status
    message: str
    advice: str = ""

    def __post_init__(self) -> None:
        for field in ("name", "message", "advice"):
            object.__setattr__(self, field, one_line(getattr(self, field), _LONGEST))


class Unanswered(Exception):
    """A question to the DNS was not answered, so that nothing may be concluded. It says why in a sentence."""


def look_up_here(host: str) -> None:
    """Raises Unanswered where this machine's own look-up of a host cannot tell just now."""
    try:
        socket.getaddrinfo(host, None)
    except socket.gaierror as error:
        if error.errno == socket.EAI_AGAIN:
            raise Unanswered(f"this machine cannot look up {host} just now: {error.strerror}") from None
    except UnicodeError:
        return  # whoever connects says so
