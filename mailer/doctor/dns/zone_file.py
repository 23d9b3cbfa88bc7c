"""Formats DNS records as lines of a zone file, for an operator to publish."""

from __future__ import annotations

from typing import Final

__all__ = ["zone_file_line"]

#: A character-string of a TXT record holds at most so many octets (RFC 1035 section 3.3).
_LONGEST_STRING: Final = 255


def zone_file_line(name: str, record_type: str, value: str) -> str:
    """Returns a DNS record as a line of a zone file. `record_type` is A, MX, TXT and so on. A TXT value is
    cut into strings of at most 255 octets."""
    if record_type != "TXT":
        return f"{name}. {record_type} {value}"
    parts = [value[start : start + _LONGEST_STRING] for start in range(0, len(value), _LONGEST_STRING)]
    return f"{name}. TXT " + " ".join(f'"{part}"' for part in parts)
