"""Users that exist for one server alone: account files with these added, to be mounted over the machine's."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["accounts"]


def accounts(folder: Path, users: Mapping[str, tuple[int, int]]) -> None:
    """Writes `passwd` and `group` into `folder`: the machine's, and these users by user and group number."""
    passwd, group = Path("/etc/passwd").read_text(), Path("/etc/group").read_text()
    for name, (user, own) in users.items():
        passwd += f"{name}:x:{user}:{own}::/nonexistent:/usr/sbin/nologin\n"
        group += f"{name}:x:{own}:\n"
    (folder / "passwd").write_text(passwd)
    (folder / "group").write_text(group)
