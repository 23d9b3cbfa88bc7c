"""One process at a time sends a campaign."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.errors import BusyError
from mailer.spool.journal import Journal
from mailer.spool.lock import campaign_lock, exclusive_lock


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


def test_a_lock_names_what_is_locked_and_writes_who_locks(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder" / "x.lock"
    path.parent.mkdir(parents=True)
    path.write_text("1234567890123456789012345678901234567890")
    with exclusive_lock(path, "campaign x"):
        assert path.read_text() == str(os.getpid())
        with pytest.raises(BusyError) as caught, exclusive_lock(path, "the file y"):
            pass
        assert str(caught.value) == (
            f"the file y is being sent by process {os.getpid()} already; wait for that process to end, "
            "or stop it, and run this command again"
        )
    with exclusive_lock(tmp_path / "other" / "folder" / "x.lock", "campaign x") as nothing:
        assert nothing is None
    assert (tmp_path / "other" / "folder" / "x.lock").stat().st_mode & 0o777 == 0o600


def test_a_lock_without_a_number_names_no_process(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with exclusive_lock(path, "campaign x"):
        path.write_text("somebody")
        with (
            pytest.raises(BusyError, match=r"^campaign x is being sent already; wait"),
            exclusive_lock(path, "campaign x"),
        ):
            pass


def test_a_campaign_is_locked_by_its_name(settings: Settings) -> None:
    folder = settings.root / ".mailer"
    with campaign_lock(settings, "a"), campaign_lock(settings, "b"):
        assert sorted(path.name for path in folder.iterdir()) == ["a.lock", "b.lock"]
        with (
            pytest.raises(BusyError, match=r"^campaign a is being sent by process"),
            campaign_lock(settings, "a"),
        ):
            pass
    with campaign_lock(settings, "a"):
        pass


def test_a_run_locks_its_campaign_though_the_lock_file_is_gone(settings: Settings) -> None:
    journal = Journal(settings.root / ".mailer" / "a.journal")
    with pytest.raises(BusyError, match=r"^campaign a is being sent already"), campaign_lock(settings, "a"):
        pass
    with campaign_lock(settings, "b"):
        pass
    journal.close()
    with campaign_lock(settings, "a"):  # the run that holds it opens the journal
        Journal(settings.root / ".mailer" / "a.journal").close()
