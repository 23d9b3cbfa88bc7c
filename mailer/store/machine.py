"""Identifies the current boot of this machine."""

from __future__ import annotations

from pathlib import Path

__all__ = ["boot_id"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Returns an id that changes with every boot of this machine; empty if the system has none.

    Callers must treat an empty id as changed.
    """
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
