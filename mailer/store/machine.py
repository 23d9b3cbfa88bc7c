"""Identifies the current boot of this machine."""

from __future__ import annotations

from pathlib import Path

__all__ = ["boot_id"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Returns an id that changes with every boot of this machine, or '' if the system has no such id.

    Callers that compare ids must treat '' as different from every id.
    """
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
