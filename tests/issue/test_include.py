"""Entries may stand in other files of the workspace, which cannot lead out of it or run in circles."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.issue.conftest import NAME, Load, Wrong, picture

Write = Callable[[str, str | bytes], Path]


def test_a_file_with_one_entry_or_with_a_list_takes_the_place_of_its_include(
    load: Load, write: Write, head: str
) -> None:
    write("shared/one.yaml", "title: one\n")
    write("shared/more.yaml", "- title: two\n- include: one.yaml\n- title: three\n")
    loaded = load(
        head + "items:\n  - include: ../shared/one.yaml\n  - title: own\n  - include: ../shared/more.yaml\n"
    )
    assert [item.title for item in loaded.issue.items] == ["one", "own", "two", "one", "three"]
    assert loaded.path_and_line_of("items", 1, "title") == (NAME, 6)
    assert loaded.path_and_line_of("items", 2, "title") == ("shared/more.yaml", 1)
    assert loaded.path_and_line_of("items", 3) == ("shared/one.yaml", 1)
    assert [file.path for file in loaded.files] == [NAME, "shared/one.yaml", "shared/more.yaml"]


def test_sections_and_related_links_are_included_too(load: Load, write: Write, head: str) -> None:
    write("issues/section.yaml", "title: S\nitems:\n  - include: item.yaml\n")
    write("issues/item.yaml", "title: I\n")
    write("issues/related.yaml", "- {title: R, url: https://example.org/}\n")
    issue = load(head + "sections:\n  - include: section.yaml\nrelated:\n  - include: related.yaml\n").issue
    assert issue.sections[0].items[0].title == "I"
    assert issue.related[0].title == "R"


def test_pictures_of_an_included_file_are_relative_to_it(load: Load, write: Write, head: str) -> None:
    write("shared/pictures/a.png", picture())
    write("shared/pictures/b c.png", picture(size=(5, 5)))
    write(
        "shared/item.yaml",
        """\
        title: I
        image: {src: pictures/a.png, alt: a}
        body: |
          ![a](pictures/a.png) [![b](<pictures/b c.png>)](https://example.org/)
          ![c][ref] ![web](https://example.org/a.png)

          [ref]: pictures/a.png
        tags: [a]
        """,
    )
    loaded = load(head + "items:\n  - include: ../shared/item.yaml\n")
    assert [file.path for file in loaded.pictures] == ["shared/pictures/a.png", "shared/pictures/b c.png"]
    assert loaded.picture_bytes("shared", "pictures/a.png") == picture()
    assert loaded.picture_bytes("shared", "pictures/b c.png") == picture(size=(5, 5))
    with pytest.raises(ValueError, match="was not read with the issue"):
        loaded.picture_bytes("issues", "pictures/a.png")


@pytest.mark.parametrize(
    ("include", "message"),
    [
        (
            "nothing.yaml",
            "5:14: the include issues/nothing.yaml does not exist; correct the path or add the file",
        ),
        (
            "../../etc/passwd",
            '5:14: the include "../../etc/passwd" leads out of the workspace; move the file into it',
        ),
        ("/etc/passwd", '5:14: the include "/etc/passwd" must be a path relative to this file'),
        ("2026-11-21-morning.yaml", f"5:14: this include leads back to its own file: {NAME} -> {NAME}"),
        ("", "5:13: include must be the path of a file"),
        ("[a]", "5:14: a text cannot begin with ["),
        (
            "a.yaml\n    only: x",
            '5:5: "include" must be the only key of an entry; write "only" into the included file',
        ),
    ],
)
def test_a_wrong_include_is_told_where_it_stands(wrong: Wrong, head: str, include: str, message: str) -> None:
    lines = wrong(f"{head}items:\n  - include: {include}\n")
    assert len(lines) == 1
    assert lines[0].startswith(f"{NAME}:{message}")


def test_a_circle_of_files_is_told_with_its_way(wrong: Wrong, write: Write, head: str) -> None:
    write("issues/a.yaml", "- include: b.yaml\n")
    write("issues/b.yaml", "- include: a.yaml\n")
    assert wrong(head + "items:\n  - include: a.yaml\n") == [
        "issues/b.yaml:1:12: this include leads back to its own file: issues/a.yaml -> issues/b.yaml -> "
        "issues/a.yaml; remove it"
    ]


def test_what_is_wrong_in_an_included_file_is_told_there(wrong: Wrong, write: Write, head: str) -> None:
    write("issues/a.yaml", "- title: a: b\n")
    write("issues/b.yaml", "just words\n")
    write("issues/c.yaml", "名".encode("gbk"))
    write("issues/d.yaml", b"x" * 1_000_001)
    lines = wrong(
        head + "items:\n" + "".join(f"  - include: {name}.yaml\n" for name in "abcda") + "  - titl: x\n"
    )
    assert lines == [
        f'{NAME}:10:5: "titl" is not a known key here; did you mean "title"?',
        f"{NAME}:10:5: this item has no title; add title:",
        'issues/a.yaml:1:11: a ": " is not allowed here; put the whole text in quotes: title: "a: b"',
        "issues/b.yaml:1:1: must hold one entry or a list of entries, because it is included",
        "issues/c.yaml:1:1: is not UTF-8 from here on (byte 0xc3); save the file as UTF-8",
        "issues/d.yaml: is larger than 1 MB; make it smaller or split it",
    ]


def test_includes_are_not_nested_without_end(wrong: Wrong, write: Write, head: str) -> None:
    for number in range(20):
        write(f"issues/{number}.yaml", f"- include: {number + 1}.yaml\n")
    assert wrong(head + "items:\n  - include: 0.yaml\n") == [
        "issues/7.yaml:1:12: includes must not be nested more than 8 levels deep"
    ]


def test_includes_that_multiply_end_quickly(wrong: Wrong, write: Write, head: str) -> None:
    for number in range(7):
        write(f"issues/{number}.yaml", f"- include: {number + 1}.yaml\n" * 50)
    write("issues/7.yaml", "title: x\n")
    (line,) = wrong(head + "items:\n  - include: 0.yaml\n")
    assert line.endswith("an issue may include at most 200 files, 2,000 entries and 4 MB; make it smaller")


def test_includes_of_much_text_or_of_many_entries_end_quickly(wrong: Wrong, write: Write, head: str) -> None:
    write("issues/text.yaml", "title: x\nbody: " + "x" * 90_000)
    write("issues/many.yaml", "- title: x\n" * 1_500)
    for name in ("text", "many"):
        (line,) = wrong(head + "items:\n" + f"  - include: {name}.yaml\n" * 100)
        assert line.endswith(
            "an issue may include at most 200 files, 2,000 entries and 4 MB; make it smaller"
        )


def test_a_link_is_known_by_the_name_that_the_issue_uses(
    load: Load, write: Write, head: str, workspace: Path
) -> None:
    write("shared/item.yaml", "title: I\nbody:\nimage: {src: a.png, alt: a}\n")
    write("shared/real.png", picture())
    (workspace / "shared/a.png").symlink_to("real.png")
    (workspace / "issues/link.yaml").symlink_to("../shared/item.yaml")
    (workspace / "issues/a.png").symlink_to("../shared/real.png")
    (workspace / "issues/deep").symlink_to("../shared")
    loaded = load(head + "items:\n  - include: link.yaml\n  - include: deep/../shared/item.yaml\n")
    assert [file.path for file in loaded.files] == [NAME, "issues/link.yaml", "shared/item.yaml"]
    assert [file.path for file in loaded.pictures] == ["issues/a.png", "shared/a.png"]
