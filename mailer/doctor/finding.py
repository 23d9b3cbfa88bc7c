"""What a check found: one sentence about how it is, and one about what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailer.transports.base import one_line

__all__ = ["Finding", "Status", "record"]

#: A character-string of a TXT record holds at most so many octets (RFC 1035 section 3.3).
_LONGEST_STRING = 255


class Status(StrEnum):
    """How a thing stands. `unknown` is what could not be looked at, and says nothing about it."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


#: A finding quotes what stands in the DNS, and that may be 64 KB.
_LONGEST = 2000


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


def record(name: str, kind: str, value: str) -> str:
    """A DNS record as it stands in a zone file; a TXT value is cut into strings of 255 octets."""
    if kind != "TXT":
        return f"{name}. {kind} {value}"
    parts = [value[start : start + _LONGEST_STRING] for start in range(0, len(value), _LONGEST_STRING)]
    return f"{name}. TXT " + " ".join(f'"{part}"' for part in parts)
