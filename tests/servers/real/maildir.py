"""What lies in a Maildir: a file for each recipient of each message."""

from __future__ import annotations

import re
from pathlib import Path

from tests.servers.real.base import Taken

__all__ = ["read_maildir"]


def read_maildir(folder: Path, recipient: str, sender: str = "Return-Path") -> list[Taken]:
    """All of it. `recipient` and `sender` are the fields in which the server notes the envelope."""
    return [_taken(path.read_bytes(), recipient, sender) for path in sorted(folder.glob("new/*"))]


def _taken(data: bytes, recipient: str, sender: str) -> Taken:
    return Taken(_field(data, sender), _field(data, recipient), data)


def _field(data: bytes, name: str) -> str:
    found = re.search(rb"^%b: *(.*)$" % re.escape(name).encode(), data, re.MULTILINE | re.IGNORECASE)
    assert found is not None, data[:1000]
    return found[1].decode().strip().removeprefix("<").removesuffix(">")
