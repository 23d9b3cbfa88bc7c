"""One process at a time sends a campaign."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailer.errors import BusyError
from mailer.spool.lock import exclusive_lock


def test_the_second_sender_is_told_who_the_first_is(tmp_path: Path) -> None:
    path = tmp_path / ".mailer" / "x.lock"
    with exclusive_lock(path, "campaign x"):
        with (
            pytest.raises(BusyError, match=f"campaign x is being sent by process {os.getpid()}"),
            exclusive_lock(path, "campaign x"),
        ):
            pass
        assert path.read_text() == str(os.getpid())


def test_the_lock_is_free_again_afterwards(tmp_path: Path) -> None:
    for _ in range(2):
        with exclusive_lock(tmp_path / "x.lock", "campaign x"):
            pass


def test_the_lock_is_given_back_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="boom"), exclusive_lock(tmp_path / "x.lock", "campaign x"):
        raise ValueError("boom")
    with exclusive_lock(tmp_path / "x.lock", "campaign x"):
        pass


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("keep this")
    (tmp_path / "x.lock").symlink_to("mine")
    with pytest.raises(OSError, match="symbolic links"), exclusive_lock(tmp_path / "x.lock", "campaign x"):
        pass
    assert (tmp_path / "mine").read_text() == "keep this"
