"""Records what is synced to the disk."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Syncs"]


class Syncs:
    """Every `os.fsync`, with what `noting` gives at that moment: of files, and of each folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, noting: Callable[[], Any] = lambda: None) -> None:
        self.of_files: list[Any] = []
        self._of_folders: list[tuple[tuple[int, int], Any]] = []
        real = os.fsync

        def fsync(descriptor: int) -> None:
            real(descriptor)
            status = os.fstat(descriptor)
            if stat.S_ISDIR(status.st_mode):
                self._of_folders.append(((status.st_dev, status.st_ino), noting()))
            else:
                self.of_files.append(noting())

        monkeypatch.setattr(os, "fsync", fsync)

    def of_folder(self, folder: Path) -> list[Any]:
        """What was noted at each sync of `folder`."""
        status = folder.stat()
        return [noted for which, noted in self._of_folders if which == (status.st_dev, status.st_ino)]
