"""Files are found inside the workspace, read with limits and decoded with a place for what is wrong."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailer.issue.files.source_file import TextDecodingError, decode_utf8, locate_file, read_bounded_file


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert decode_utf8(b"\xef\xbb\xbfedition: morning") == "edition: morning"


@pytest.mark.parametrize(
    ("data", "line", "column", "message"),
    [
        (
            "标题：\n新闻 x".encode("gbk"),
            1,
            1,
            "is not UTF-8 from here on (byte 0xb1); save the file as UTF-8",
        ),
        (
            "a: 港\nb: ".encode() + b"\xff",
            2,
            4,
            "is not UTF-8 from here on (byte 0xff); save the file as UTF-8",
        ),
        ("a: b".encode("utf-16"), 1, 1, "is saved as UTF-16; save it as UTF-8"),
        (b"a: b\r\nc: \0", 2, 4, "holds a NUL character; delete it"),
        ("a: 港\x1b".encode(), 1, 5, "holds the control character U+001B; delete it"),
        ("a: \x9b".encode(), 1, 4, "holds the control character U+009B; delete it"),
    ],
)
def test_bytes_that_are_no_text_are_named_with_their_place(
    data: bytes, line: int, column: int, message: str
) -> None:
    with pytest.raises(TextDecodingError) as caught:
        decode_utf8(data)
    assert (caught.value.line, caught.value.column, str(caught.value)) == (line, column, message)


def test_a_file_over_the_limit_is_refused_and_one_of_just_that_size_is_not(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 100)
    assert len(read_bounded_file(path, 100)) == 100
    with pytest.raises(ValueError, match=r"is larger than 9\.9e-05 MB; make it smaller or split it"):
        read_bounded_file(path, 99)


def test_only_regular_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="must be a regular file; replace it by one"):
        read_bounded_file(tmp_path / "pipe", 10)
    with pytest.raises(ValueError, match="is a folder, but must be a file; correct the path"):
        read_bounded_file(tmp_path, 10)
    with pytest.raises(ValueError, match="cannot be read: no such file or directory"):
        read_bounded_file(tmp_path / "nothing", 10)


def test_a_disk_that_fails_is_a_sentence() -> None:
    with pytest.raises(ValueError, match=r"is not a regular file|cannot be read"):
        read_bounded_file(Path("/proc/self/mem"), 10)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "is not the name of a file"),
        ("a\0b", "is not the name of a file"),
        ("/etc/passwd", "must be a path relative to this file"),
        ("~/x", "must be a path relative to this file"),
        ("C:\\x", "must be a path relative to this file"),
        ("../../etc/passwd", "leads out of the workspace; move the file into it"),
        ("link/passwd", "leads out of the workspace; move the file into it"),
        ("loop", "is not a path to a file|does not exist"),
        ("x" * 300, "is not a path to a file|does not exist"),
        ("nothing.yaml", "issues/nothing.yaml does not exist; correct the path or add the file"),
    ],
)
def test_a_path_stays_inside_the_workspace(tmp_path: Path, name: str, message: str) -> None:
    root = tmp_path.resolve()
    (root / "issues").mkdir()
    (root / "issues/link").symlink_to("/etc")
    (root / "issues/loop").symlink_to(root / "issues/loop")
    with pytest.raises(ValueError, match=message):
        locate_file(root, root / "issues", name)


def test_a_path_may_go_up_and_follow_a_link_inside_the_workspace(tmp_path: Path) -> None:
    root = tmp_path.resolve()
    (root / "issues").mkdir()
    (root / "shared").mkdir()
    (root / "shared/a.yaml").touch()
    (root / "issues/b.yaml").symlink_to("../shared/a.yaml")
    assert locate_file(root, root / "issues", "../shared/a.yaml") == root / "shared/a.yaml"
    assert locate_file(root, root / "issues", "b.yaml") == root / "shared/a.yaml"
