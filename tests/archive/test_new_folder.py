"""Whole or not at all: files and folders, on a full disk, after a crash, with other writers around."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from mailer.archive.new_folder import write_folder_atomically
from mailer.files import TEMPORARY, put_file
from tests.syncs import Syncs

FILES = [("a.txt", b"one"), ("deep/er/b.txt", b"two")]


def names(folder: Path) -> set[str]:
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*")}


def full_disk(after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """fsync fails as on a full disk from the given call on."""
    calls = 0
    real = os.fsync

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls > after:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)


def test_a_folder_appears_with_all_its_files(tmp_path: Path) -> None:
    write_folder_atomically(tmp_path / "new/place/one", FILES)
    assert names(tmp_path / "new/place") == {
        "one",
        "one/a.txt",
        "one/deep",
        "one/deep/er",
        "one/deep/er/b.txt",
    }
    assert (tmp_path / "new/place/one/deep/er/b.txt").read_bytes() == b"two"


def test_a_folder_that_is_there_stays(tmp_path: Path) -> None:
    write_folder_atomically(tmp_path / "one", FILES)
    with pytest.raises(FileExistsError):
        write_folder_atomically(tmp_path / "one", [("a.txt", b"other")])
    assert (tmp_path / "one/a.txt").read_bytes() == b"one"
    assert {p.name for p in tmp_path.iterdir()} == {"one"}


def test_a_folder_is_replaced_when_asked(tmp_path: Path) -> None:
    write_folder_atomically(tmp_path / "one", FILES)
    write_folder_atomically(tmp_path / "one", [("c.txt", b"three")], replace=True)
    assert names(tmp_path) == {"one", "one/c.txt"}


@pytest.mark.parametrize("after", range(5))
def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    full_disk(after, monkeypatch)
    with pytest.raises(OSError, match="No space"):
        write_folder_atomically(tmp_path / "one", FILES)
    assert names(tmp_path) == set()


def test_what_was_there_survives_a_replacement_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_folder_atomically(tmp_path / "one", FILES)
    real = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if self.name.endswith(TEMPORARY):
            raise OSError(errno.EIO, "Input/output error")
        return real(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(OSError, match="Input/output"):
        write_folder_atomically(tmp_path / "one", [("c.txt", b"three")], replace=True)
    assert (tmp_path / "one/a.txt").read_bytes() == b"one"
    assert {p.name for p in tmp_path.iterdir()} == {"one"}


def test_leftovers_of_a_crash_are_cleared_away_and_nothing_else(tmp_path: Path) -> None:
    for name in (".one.abcd1234.tmp", ".gone.old", ".there.old", "there", ".git"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "x").write_bytes(name.encode())
    (tmp_path / ".a-file.tmp").write_bytes(b"")
    write_folder_atomically(tmp_path / "new", FILES)
    assert {p.name for p in tmp_path.iterdir()} == {"new", "gone", "there", ".git", ".a-file.tmp"}
    assert (tmp_path / "gone/x").read_bytes() == b".gone.old"  # it was all that was left of it
    assert (tmp_path / "there/x").read_bytes() == b"there"


def test_writers_at_the_same_time_do_not_clear_each_other_away(tmp_path: Path) -> None:
    failures: list[Exception] = []

    def write(number: int) -> None:
        try:
            write_folder_atomically(tmp_path / f"c{number}", FILES)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert {p.name for p in tmp_path.iterdir()} == {f"c{n}" for n in range(8)}


def test_a_file_is_replaced_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.json"
    put_file(path, b"one")
    put_file(path, b"two")
    full_disk(0, monkeypatch)
    with pytest.raises(OSError, match="No space"):
        put_file(path, b"three")
    assert path.read_bytes() == b"two"
    assert names(tmp_path) == {"m.json"}


def test_two_writers_of_one_file_at_once_do_not_mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "m.json"
    real, contents = os.fsync, [b"the longer one of the second", b"third"]

    def another_comes_between(descriptor: int) -> None:
        if contents:  # while the first one syncs what it has written, and before it renames
            put_file(path, contents.pop(0))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", another_comes_between)
    put_file(path, b"first")
    assert path.read_bytes() == b"first"  # whole, and the last one to be put in its place
    assert names(tmp_path) == {"m.json"}


def test_a_writer_that_fails_leaves_what_another_writes_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.json"
    real, calls = os.fsync, 0

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            with pytest.raises(OSError, match="No space"):
                put_file(path, b"second")
        elif calls == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    put_file(path, b"first")
    assert path.read_bytes() == b"first"
    assert names(tmp_path) == {"m.json"}


def test_the_folder_of_a_file_is_synced_once_the_file_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.json"
    put_file(path, b"one")
    syncs = Syncs(monkeypatch, noting=path.read_bytes)
    put_file(path, b"two")
    assert syncs.of_folder(tmp_path) == [b"two"]
    assert syncs.of_files == [b"one"]


def test_every_folder_that_is_made_is_synced_into_the_one_above(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    syncs = Syncs(monkeypatch, noting=lambda: names(tmp_path))
    write_folder_atomically(tmp_path / "new/place/one", FILES)
    assert {"new"} in syncs.of_folder(tmp_path)
    assert any("new/place" in noted for noted in syncs.of_folder(tmp_path / "new"))
    assert any("new/place/one/deep/er/b.txt" in noted for noted in syncs.of_folder(tmp_path / "new/place"))
    for folder in ("new/place/one", "new/place/one/deep", "new/place/one/deep/er"):
        assert syncs.of_folder(tmp_path / folder), folder


def test_a_file_has_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        put_file(tmp_path / "m.json", b"")
    finally:
        os.umask(before)
    assert (tmp_path / "m.json").stat().st_mode & 0o777 == 0o640
