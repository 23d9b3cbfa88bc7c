"""Names that may stand in the archive."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.archive.paths import display_path, is_path_inside_folder, is_published_file_name
from mailer.campaign.slug import is_slug


@pytest.mark.parametrize("name", ["2026-11-21-morning", "a", "x.2_y"])
def test_ordinary_names_are_slugs(name: str) -> None:
    assert is_slug(name)


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "a/b", "a\\b", "a\0", "a\n", "ü", "-x", "a" * 101])
def test_names_that_could_lead_elsewhere_are_no_slugs(name: str) -> None:
    assert not is_slug(name)
    assert not is_published_file_name(name) or name == "a" * 101


@pytest.mark.parametrize("path", ["issues/a.yaml", "图片/港口.png", "a b/c:d.png"])
def test_paths_of_a_workspace_are_inner(path: str) -> None:
    assert is_path_inside_folder(path)


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../a", "a/../b", "a/./b", "a//b", "a/", "a\\b", "a\nb", "\ud800", "a" * 1001, "."],
)
def test_paths_that_could_lead_elsewhere_are_not(path: str) -> None:
    assert not is_path_inside_folder(path)


@given(st.text(alphabet="ab./\\~:", max_size=12))
def test_no_inner_path_leaves_its_folder(path: str) -> None:
    if is_path_inside_folder(path):
        assert not PurePosixPath(path).is_absolute()
        assert (Path("/base") / path).resolve().is_relative_to("/base")


def test_a_place_is_named_from_the_archive_on() -> None:
    folder = Path("/srv/desk/campaigns/2026-11-21-evening")
    assert display_path(folder) == "campaigns/2026-11-21-evening"
    assert display_path(folder, "web.html") == "campaigns/2026-11-21-evening/web.html"
