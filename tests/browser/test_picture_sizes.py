"""Pictures in a real browser: none is wider than its own pixels or its column, wherever it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.pictured import EVERYWHERE, FEATURE, SIZES, pictured, png
from tools.screenshots import Shown, opened, shown

pytestmark = pytest.mark.browser

FAR = {"far-wide.png": png((1400, 700)), "far-icon.png": png((20, 20))}
#: The pictures of a feature that are as wide as the paper, or as their own pixels.
EDGE = ("near", "wide", "wide told")
LAYOUTS = ("morning", "evening", "feature")

#: Of each picture: its width and height, those of its file, and the room in the block that holds it.
MEASURE = """
() => [...document.images].filter((image) => image.alt).map((image) => {
  let block = image.parentElement;
  while (["A", "STRONG", "EM"].includes(block.tagName)) block = block.parentElement;
  const style = getComputedStyle(block), box = block.getBoundingClientRect();
  const own = image.getBoundingClientRect();
  return {
    alt: image.alt, width: own.width, height: own.height, natural: image.naturalWidth,
    naturalHeight: image.naturalHeight, display: getComputedStyle(image).display,
    left: own.left - box.left - parseFloat(style.paddingLeft),
    right: box.right - parseFloat(style.paddingRight) - own.right,
  };
})
"""

#: The gaps above and below each picture that stands between two paragraphs, to the boxes of the texts.
GAPS = """
(alts) => Object.fromEntries([...document.images].filter((image) => alts.includes(image.alt)).map((image) => {
  const marks = [...document.querySelectorAll("p, figcaption")].filter((p) => p.textContent.trim());
  const own = image.getBoundingClientRect();
  const above = marks.map((p) => p.getBoundingClientRect()).filter((box) => box.bottom <= own.top + 1).pop();
  let below = marks.filter((p) => p.getBoundingClientRect().top >= own.bottom - 1);
  const caption = /caption/.test(below[0].className + below[0].tagName.toLowerCase()) ? below.shift() : null;
  const end = caption ? caption.getBoundingClientRect().bottom : own.bottom;
  return [image.alt, [own.top - above.bottom, below[0].getBoundingClientRect().top - end].map(Math.round)];
}))
"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    made = {}
    for layout in LAYOUTS:
        root = tmp_path_factory.mktemp("pictured") / "desk"
        text = EVERYWHERE + (FEATURE if layout == "feature" else "")
        page = shown(pictured(root, layout, text), root)
        made[layout] = Shown(layout, page.mail, page.web, {**page.pictures, **FAR})
    return made


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("medium", ["mail", "web"])
@pytest.mark.parametrize("width", [280, 320, 375, 680, 900])
def test_no_picture_is_wider_than_its_pixels_or_its_column(
    browser: Browser, pages: dict[str, Shown], layout: str, medium: str, width: int
) -> None:
    page = pages[layout]
    with opened(browser, getattr(page, medium), page.pictures, width=width, scheme="light") as tab:
        found: list[dict[str, Any]] = tab.evaluate(MEASURE)
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert len(found) >= 20
    for picture in found:
        assert picture["natural"], picture
        assert picture["width"] <= picture["natural"] + 0.5, picture
        assert picture["height"] <= 721, picture
        shape = picture["width"] / picture["height"] / (picture["natural"] / picture["naturalHeight"])
        assert abs(shape - 1) < 0.1, picture
        if picture["alt"] not in EDGE:
            assert picture["left"] > -1, picture
            assert picture["right"] > -1, picture
        small = picture["natural"] <= 88
        inline = "alone" not in picture["alt"] and picture["alt"] not in ("of an item", "small", "small told")
        if small:
            assert picture["width"] == picture["natural"], picture
        if small and inline and picture["alt"] != "far":
            assert picture["display"] == "inline", picture


@pytest.mark.parametrize("medium", ["mail", "web"])
@pytest.mark.parametrize("width", [375, 680])
def test_wide_pictures_of_a_feature_reach_from_edge_to_edge(
    browser: Browser, pages: dict[str, Shown], medium: str, width: int
) -> None:
    page = pages["feature"]
    with opened(browser, getattr(page, medium), page.pictures, width=width, scheme="light") as tab:
        found = {picture["alt"]: picture for picture in tab.evaluate(MEASURE)}
    paper = min(width, 600 if medium == "mail" else 688)
    assert found["wide"]["width"] == paper
    assert found["wide told"]["width"] == paper
    assert found["near"]["width"] == min(paper, SIZES["near"][0])
    assert found["middle"]["width"] < paper


@pytest.mark.parametrize("medium", ["mail", "web"])
@pytest.mark.parametrize("width", [375, 680])
def test_the_gaps_around_a_picture_are_the_same_with_and_without_a_caption(
    browser: Browser, pages: dict[str, Shown], medium: str, width: int
) -> None:
    page = pages["feature"]
    alts = ["small", "small told", "middle", "near", "wide", "wide told"]
    with opened(browser, getattr(page, medium), page.pictures, width=width, scheme="light") as tab:
        gaps = tab.evaluate(GAPS, alts)
    assert sorted(gaps) == sorted(alts)
    assert len({tuple(gap) for gap in gaps.values()}) == 1, gaps


@pytest.mark.parametrize("medium", ["mail", "web"])
def test_the_gaps_in_an_item_are_the_same_with_and_without_a_caption(
    browser: Browser, tmp_path: Path, medium: str
) -> None:
    text = """
items:
  - title: One
    body: |
      Before.

      ![bare](p/badge.png)

      Between.

      ![told](p/badge.png "A caption")

      Between.

      [![linked](p/badge.png)](https://www.example.org/)

      After.
    comment: |
      Before.

      ![bare too](p/badge.png)

      Between.

      ![told too](p/badge.png "A caption")

      After.
"""
    page = shown(pictured(tmp_path / "desk", "evening", text), tmp_path / "desk")
    with opened(browser, getattr(page, medium), page.pictures, width=375, scheme="light") as tab:
        gaps = tab.evaluate(GAPS, ["bare", "told", "linked", "bare too", "told too"])
    assert gaps["bare"] == gaps["told"] == gaps["linked"]
    assert gaps["bare too"] == gaps["told too"]
