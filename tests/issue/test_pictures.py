"""A picture is there, is a picture by its content, is of a sane size, and has words for it."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mailer.issue.pictures import pictures
from mailer.issue.texts import texts
from tests.issue.conftest import NAME, Load, Wrong, picture

Write = Callable[[str, str | bytes], Path]


def huge_png(side: int) -> bytes:
    """A PNG whose header promises more pixels than anybody has memory for."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "WEBP"])
def test_what_a_mail_can_be_made_of_is_taken_whatever_its_name(
    load: Load, write: Write, head: str, kind: str
) -> None:
    write("issues/a.img", picture(kind))
    (found,) = load(f"{head}items:\n  - title: a\n    image: {{src: a.img, alt: a}}\n").pictures
    assert found.data == picture(kind)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<svg/>", "is not a valid PNG, JPEG, GIF or WebP picture; save it again in one of these formats"),
        (b"", "is not a valid PNG, JPEG, GIF or WebP picture; save it again in one of these formats"),
        (
            picture("TIFF"),
            "is not a valid PNG, JPEG, GIF or WebP picture; save it again in one of these formats",
        ),
        (
            picture()[:40],
            "is not a valid PNG, JPEG, GIF or WebP picture; save it again in one of these formats",
        ),
        (
            picture()[:-20] + b"\0" * 20,
            "is not a valid PNG, JPEG, GIF or WebP picture; save it again in one of these formats",
        ),
        (
            b"\x89PNG\r\n\x1a\n" + b"\xff" * 50,
            "is not a valid PNG, JPEG, GIF or WebP picture; save it again in one of these formats",
        ),
        (huge_png(7_000), "has more than 40 million pixels; make it smaller"),
        (huge_png(12_000), "has more than 40 million pixels; make it smaller"),
        (huge_png(60_000), "has more than 40 million pixels; make it smaller"),
        (b"x" * 10_000_001, "is larger than 10 MB; make it smaller or split it"),
    ],
)
def test_what_is_no_sound_picture_is_refused(
    wrong: Wrong, write: Write, head: str, data: bytes, message: str
) -> None:
    write("issues/a.png", data)
    lines = wrong(f"{head}items:\n  - title: a\n    image: {{src: a.png, alt: a}}\n")
    assert lines == [f"{NAME}:6:18: the picture issues/a.png {message}"]


@pytest.mark.parametrize(
    ("src", "message"),
    [
        ("a.png", "the picture issues/a.png does not exist; correct the path or add the file"),
        ("../../a.png", 'the picture "../../a.png" leads out of the workspace; move the file into it'),
        ("../issues", "the picture issues is a folder, but must be a file; correct the path"),
        (
            "http://example.org/a.png",
            'src: "http://example.org/a.png" must be a file of the workspace or a URL that begins with',
        ),
        (
            "data:image/png;base64,x",
            'src: "data:image/png;base64,x" must be a file of the workspace or a URL that begins',
        ),
        (
            "//www.example.org/a.png",
            'src: "//www.example.org/a.png" must be a file of the workspace or a URL that begins',
        ),
        ("https:///a.png", 'src: "https:///a.png" needs a host'),
        (
            "'{{ subscriber.name }}'",
            "src: must not contain a slot, because a picture is the same for all readers",
        ),
    ],
)
def test_a_picture_is_a_file_of_the_workspace_or_on_the_web(
    wrong: Wrong, head: str, src: str, message: str
) -> None:
    lines = wrong(f'{head}items:\n  - title: a\n    image:\n      src: {src}\n      alt: "a"\n')
    assert lines[0].startswith(f"{NAME}:7:12: {message}")


def test_a_sign_that_makes_no_character_is_part_of_a_name(load: Load, write: Write, head: str) -> None:
    write("issues/100%CEll ü.png", picture())
    loaded = load(f"{head}items:\n  - title: a\n    body: '![a](100%CEll%20%C3%BC.png)'\n")
    assert [file.path for file in loaded.pictures] == ["issues/100%CEll ü.png"]
    assert loaded.picture_bytes("issues", pictures.unescaped_path("100%CEll%20%C3%BC.png")) == picture()


def test_a_picture_on_the_web_is_left_there(load: Load, head: str) -> None:
    loaded = load(
        f"{head}items:\n  - title: a\n    image: {{src: 'https://example.org/a.png', alt: a}}\n"
        "    body: '![a](https://example.org/b.png)'\n"
    )
    assert loaded.pictures == ()


def test_pictures_in_markdown_are_looked_at_too(wrong: Wrong, write: Write, head: str) -> None:
    write("issues/a b.png", picture())
    lines = wrong(
        head
        + "body: |\n  Words `![no](code.png)`\n\n  ![a](a%20b.png)\n  ![b](nothing.png)\n\n  ![](a%20b.png)\n"
        "intro: '![x](http://example.org/a.png)'\n"
    )
    assert lines == [
        f"{NAME}:8:1: the picture issues/nothing.png does not exist; correct the path or add the file",
        f"{NAME}:10:1: this picture has no alternative text; write ![what it shows](…)",
        f'{NAME}:11:8: the picture "http://example.org/a.png" must be the path of a file or a URL '
        "that begins with https://",
    ]


def test_the_source_of_an_image_comes_before_the_pictures_of_its_caption(
    load: Load, write: Write, head: str
) -> None:
    for name in ("a.png", "b.png", "c.png"):
        write(f"issues/{name}", picture())
    loaded = load(
        f"{head}items:\n  - title: a\n    body: '![c](c.png)'\n"
        "    image: {caption: '![b](b.png)', alt: a, src: a.png}\n"
    )
    assert [file.path for file in loaded.pictures] == ["issues/c.png", "issues/a.png", "issues/b.png"]


def test_there_are_not_too_many_pictures(
    wrong: Wrong, write: Write, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailer.issue.pictures.limits.MAX_COUNT", 2)
    for number in range(4):
        write(f"issues/{number}.png", picture(size=(number + 1, 1)))
    text = head + "body: |\n" + "".join(f"  ![a]({number}.png)\n\n" for number in range(4))
    assert wrong(text) == [f"{NAME}:9:1: an issue may have 2 pictures at most, 40 MB in all; leave some out"]


def test_a_crowd_of_pictures_is_refused_without_a_search_for_each(
    wrong: Wrong, write: Write, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    searches: list[str] = []
    real = re.sub

    def counted(pattern: str, *rest: Any, **more: Any) -> str:
        searches.append(pattern)
        return real(pattern, *rest, **more)

    monkeypatch.setattr(re, "sub", counted)
    crowd = " ".join(f"![a](a{number}.png)" for number in range(2000))
    write("parts/crowd.yaml", f"title: a\nbody: |\n  {crowd}\n")
    lines = wrong(head + "items:\n  - include: ../parts/crowd.yaml\n")
    assert lines[0].startswith("parts/crowd.yaml:3:1: the picture parts/a0.png does not exist")
    assert len(searches) < 300


def test_a_text_that_is_too_long_is_refused_and_not_looked_through(
    wrong: Wrong, head: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "parse_markdown", None)
    lines = wrong(head + "body: |\n  " + "![a](a.png) " * 10_000 + "\n")
    assert len(lines) == 1
    assert "100,000" in lines[0] or "100000" in lines[0]
