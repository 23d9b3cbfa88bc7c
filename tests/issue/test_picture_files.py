"""Names of picture files, and pictures that would be flattened."""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from PIL import Image

from mailer.config import Settings
from mailer.errors import IssueError
from mailer.issue.files.file_names import path_on_disk
from mailer.issue.load import load_issue
from tests.issue.conftest import NAME, Load, Wrong, picture

Write = Callable[[str, str | bytes], Path]

Form = Literal["NFC", "NFD"]
FORMS: tuple[Form, ...] = ("NFC", "NFD")


def moving(format: str, frames: int = 2) -> bytes:
    images = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue", "lime")[:frames]]
    out = io.BytesIO()
    images[0].save(out, format, save_all=True, append_images=images[1:])
    return out.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "WebP"])
def test_an_animation_that_mail_programs_do_not_show_is_refused(
    wrong: Wrong, write: Write, head: str, kind: str
) -> None:
    write("issues/a.png", moving(kind.upper()))
    assert wrong(f"{head}items:\n  - title: a\n    image: {{src: a.png, alt: a}}\n") == [
        f"{NAME}:6:18: the picture issues/a.png is an animated {kind}, which most mail programs do not show; "
        "save it as GIF, or as a picture without animation"
    ]


@pytest.mark.parametrize("data", [moving("GIF"), moving("WEBP", 1), moving("PNG", 1), moving("MPO")])
def test_others_are_taken(load: Load, write: Write, head: str, data: bytes) -> None:
    write("issues/a.img", data)
    (found,) = load(f"{head}items:\n  - title: a\n    image: {{src: a.img, alt: a}}\n").pictures
    assert found.data == data


@pytest.mark.parametrize("disk", FORMS)
@pytest.mark.parametrize("typed", FORMS)
def test_a_name_matches_whatever_its_form(
    load: Load, write: Write, head: str, disk: Form, typed: Form
) -> None:
    there, written = (unicodedata.normalize(form, "bilder-für-é/Ärger 조선.png") for form in (disk, typed))
    write(f"issues/{there}", picture())
    loaded = load(
        f"{head}items:\n  - title: a\n    image: {{src: '{written}', alt: a}}\n"
        f"    body: '![a](<{written}>)'\n"
    )
    assert [file.path for file in loaded.pictures] == [f"issues/{written}"], "as the issue calls it"
    assert loaded.pictures[0].data == picture()


@examples(deadline=None)
@given(
    name=st.text(
        st.characters(codec="utf-8", exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1
    ),
    there=st.sampled_from(FORMS),
)
def test_a_name_is_found_in_any_form(
    name: str, there: Form, tmp_path_factory: pytest.TempPathFactory
) -> None:
    on_disk = unicodedata.normalize(there, name)
    if on_disk in (".", "..") or "/" in on_disk or len(on_disk.encode()) > 255:
        return
    folder = tmp_path_factory.mktemp("names")
    (folder / on_disk).write_bytes(b"x")
    for form in FORMS:
        assert path_on_disk(folder, unicodedata.normalize(form, name)).read_bytes() == b"x"


def test_the_name_as_it_is_written_wins(tmp_path: Path) -> None:
    for form in FORMS:
        (tmp_path / unicodedata.normalize(form, "é")).write_text(form)
    for form in FORMS:
        assert path_on_disk(tmp_path, unicodedata.normalize(form, "é")).read_text() == form


def test_a_name_that_is_not_there_is_left_as_it_is(tmp_path: Path) -> None:
    assert path_on_disk(tmp_path, "é/ü.png") == tmp_path / "é/ü.png"


def test_a_name_in_another_form_cannot_leave_the_workspace(
    wrong: Wrong, write: Write, head: str, workspace: Path
) -> None:
    outside = workspace.parent / "outside"
    outside.mkdir()
    (outside / "a.png").write_bytes(picture())
    (workspace / "issues" / unicodedata.normalize("NFD", "é")).symlink_to(outside)
    (line,) = wrong(f"{head}items:\n  - title: a\n    image: {{src: 'é/a.png', alt: a}}\n")
    assert "leads out of the workspace" in line


@pytest.mark.parametrize("src", [r"p\a.png", r"p/a\b.png", r"..\a.png"])
def test_a_backslash_is_refused(wrong: Wrong, write: Write, head: str, src: str) -> None:
    write(f"issues/{src}", picture())
    assert wrong(f"{head}items:\n  - title: a\n    image:\n      src: {src}\n      alt: a\n") == [
        f'{NAME}:7:12: the picture "{src}" holds a backslash; write / between folders, '
        "and rename a file that has one"
    ]


def test_a_backslash_in_the_name_of_an_issue_is_refused(write: Write, head: str, settings: Settings) -> None:
    path = write(r"issues/a\b.yaml", f"{head}items: [{{title: a}}]\n")
    with pytest.raises(IssueError, match=r"has a backslash in its name; rename it, or its folder"):
        load_issue(path, settings)


@pytest.mark.parametrize("width", ["300", "300px", "300 px"])
def test_a_width_is_a_number_of_pixels(load: Load, write: Write, head: str, width: str) -> None:
    write("issues/a.png", picture())
    loaded = load(f"{head}items:\n  - title: a\n    image: {{src: a.png, alt: a, width: {width}}}\n")
    (image,) = loaded.issue.items[0].image
    assert image.width == 300


@pytest.mark.parametrize("width", ["50%", "wide", "0", "-3", "3.5", "99999"])
def test_a_width_that_is_none_is_told(wrong: Wrong, write: Write, head: str, width: str) -> None:
    write("issues/a.png", picture())
    (line,) = wrong(f"{head}items:\n  - title: a\n    image: {{src: a.png, alt: a, width: {width}}}\n")
    assert line.endswith(f'width: "{width}" is not a width; write a whole number of pixels, such as 300')
    assert line.startswith(f"{NAME}:6:")
