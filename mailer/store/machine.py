"""Identifies the running boot of this machine."""

from __future__ import annotations

from pathlib import Path

__all__ = ["boot_id"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def boot_id() -> str:
    """Returns an id of the running boot; empty where the system has none, which counts as changed."""
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""
