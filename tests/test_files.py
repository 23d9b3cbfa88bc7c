"""Several writers of one file, dead writers, and what is synced."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mailer.files import (
    NewFile,
    atomically_replaced_file,
    create_files,
    is_temporary_name,
    remove_leftover_files,
    sync_folder,
)
from tests.syncs import Syncs


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def die_while_writing(path: Path) -> str:
    """Another process dies while it writes `path`; gives the name of what it leaves."""
    code = (
        "import os, sys, pathlib; from mailer.files import NewFile; "
        "new = NewFile(pathlib.Path(sys.argv[1])); new.file.write(b'half'); new.file.flush(); "
        "print(new.temporary.name, flush=True); os._exit(9)"
    )
    ended = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)
    assert ended.returncode == 9, ended.stderr
    return ended.stdout.strip()


def test_two_writers_of_one_file_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    with atomically_replaced_file(path) as one:
        one.write(b"one, ")
        with atomically_replaced_file(path) as two:
            two.write(b"two")
            one.write(b"and the rest of one")
        assert path.read_bytes() == b"two"
    assert path.read_bytes() == b"one, and the rest of one"
    assert names(tmp_path) == {"list.csv"}


def test_a_block_that_fails_leaves_the_old_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), atomically_replaced_file(path, encoding="ascii") as file:
        file.write("new, \u00fc")
    assert path.read_text() == "old"
    assert names(tmp_path) == {"list.csv"}


def test_text_keeps_its_line_ends(tmp_path: Path) -> None:
    with atomically_replaced_file(tmp_path / "a", encoding="utf-8-sig") as file:
        file.write("é\r\nb\n")
    assert (tmp_path / "a").read_bytes() == b"\xef\xbb\xbf\xc3\xa9\r\nb\n"


@pytest.mark.parametrize(("mode", "umask", "expected"), [(0o666, 0o022, 0o644), (0o600, 0, 0o600)])
def test_a_file_has_the_permissions_asked_for_less_the_umask(
    tmp_path: Path, mode: int, umask: int, expected: int
) -> None:
    before = os.umask(umask)
    try:
        with atomically_replaced_file(tmp_path / "a", mode=mode):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == expected


def test_the_file_is_synced_before_the_renaming_and_its_folder_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    syncs = Syncs(monkeypatch, noting=lambda: path.exists())
    with atomically_replaced_file(path) as file:
        file.write(b"data")
    assert syncs.of_folder(tmp_path) == [True]
    assert syncs.of_files == [False]


def test_a_folder_that_cannot_be_synced_is_an_error_but_where_its_file_system_has_no_such_thing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(number: int) -> None:
        def fsync(descriptor: int) -> None:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(os, "fsync", fsync)

    fail(errno.EINVAL)
    sync_folder(tmp_path)
    fail(errno.EIO)
    with pytest.raises(OSError, match="Input/output"):
        sync_folder(tmp_path)


def test_what_a_dead_writer_left_is_removed_by_the_next_writer_of_the_same_file(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    left, others = die_while_writing(one), die_while_writing(other)
    assert names(tmp_path) == {left, others}
    with atomically_replaced_file(one) as file:
        file.write(b"whole")
    assert names(tmp_path) == {"one", others}
    remove_leftover_files(tmp_path)
    assert names(tmp_path) == {"one"}


def test_only_leftovers_are_removed(tmp_path: Path) -> None:
    strangers = {".git", ".a.tmp", "a.0123456789abcdef.tmp", ".a.0123456789abcdef", ".a.0123456789ABCDEF.tmp"}
    for name in strangers:
        (tmp_path / name).touch()
    (tmp_path / ".folder.0123456789abcdef.tmp").mkdir()
    (tmp_path / ".link.0123456789abcdef.tmp").symlink_to(tmp_path / ".git")
    os.mkfifo(tmp_path / ".pipe.0123456789abcdef.tmp")
    before = names(tmp_path)
    remove_leftover_files(tmp_path)
    assert names(tmp_path) == before
    remove_leftover_files(tmp_path / "not there")


def test_a_temporary_name_tells_what_it_is_of() -> None:
    assert is_temporary_name(".manifest.json.0123456789abcdef.tmp")
    assert is_temporary_name(".manifest.json.0123456789abcdef.tmp", "manifest.json")
    assert not is_temporary_name(".manifest.json.0123456789abcdef.tmp", "manifest")
    assert not is_temporary_name("manifest.json", "manifest.json")


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("长" * 85)
    left = die_while_writing(path)
    assert is_temporary_name(left, path.name)
    with atomically_replaced_file(path) as file:
        file.write(b"data")
    assert names(tmp_path) == {path.name}


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        NewFile(tmp_path / "none/list.csv")
    assert caught.value.filename == str(tmp_path / "none/list.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught2, atomically_replaced_file(tmp_path / "folder"):
        pass
    assert caught2.value.filename == str(tmp_path / "folder")
    assert names(tmp_path) == {"folder"}


def test_what_is_left_in_the_buffer_does_not_keep_a_file_from_being_discarded(tmp_path: Path) -> None:
    new = NewFile(tmp_path / "a")
    new.file.write(b"data")
    os.close(new.file.fileno())  # so that writing the buffer out fails
    new.discard()
    assert names(tmp_path) == set()


@pytest.mark.parametrize("when", ["before the lock", "while it takes the lock"])
def test_a_file_that_is_taken_for_a_leftover_before_it_is_locked_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    real, calls = fcntl.flock, 0

    def flock(descriptor: int, operation: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            (only,) = tmp_path.iterdir()
            if when == "before the lock":
                remove_leftover_files(tmp_path)
                assert not only.exists()
            else:
                raise BlockingIOError
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", flock)
    with atomically_replaced_file(tmp_path / "a") as file:
        file.write(b"data")
    assert names(tmp_path) == {"a"}
    assert (tmp_path / "a").read_bytes() == b"data"


def test_without_locks_a_file_is_written_and_no_leftover_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def flock(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", flock)
    left = die_while_writing(tmp_path / "a")
    with atomically_replaced_file(tmp_path / "a") as file:
        file.write(b"data")
    assert names(tmp_path) == {"a", left}


def test_files_are_created_whole_where_the_file_system_has_no_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Path, _target: Path) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    create_files(tmp_path, {"a/b.txt": b"b", "c.txt": b"c"})
    assert (tmp_path / "a/b.txt").read_bytes() == b"b"
    with pytest.raises(OSError, match=r"c\.txt"):
        create_files(tmp_path, {"a/d.txt": b"d", "c.txt": b"another"})
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b.txt", "c.txt"]
    assert (tmp_path / "c.txt").read_bytes() == b"c"
