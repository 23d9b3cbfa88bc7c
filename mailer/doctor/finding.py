"""What a check found: one sentence about how it is, and one about what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Status", "record"]

#: A character-string of a TXT record holds at most so many octets (RFC 1035 section 3.3).
_LONGEST_STRING = 255


class Status(StrEnum):
    """How a thing stands. `unknown` is what could not be looked at, and says nothing about it."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer. `advice` is what to do, and empty where there is nothing to do."""

    name: str
    status: Status
    message: str
    advice: str = ""


def record(name: str, kind: str, value: str) -> str:
    """A DNS record as it stands in a zone file; a TXT value is cut into strings of 255 octets."""
    if kind != "TXT":
        return f"{name}. {kind} {value}"
    parts = [value[start : start + _LONGEST_STRING] for start in range(0, len(value), _LONGEST_STRING)]
    return f"{name}. TXT " + " ".join(f'"{part}"' for part in parts)
