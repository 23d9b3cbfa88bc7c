"""The samples in a real browser: nothing overflows, all is legible, thumbs find their targets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from tools.screenshots import SCHEMES, Shown, opened, phones, picture_of

pytestmark = pytest.mark.browser

#: For each text that can be seen: its size, and its contrast with the nearest background (WCAG 2.2).
LOOK = """
() => {
  const parse = (text) => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = (rgb) => {
    const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.map((v) => linear(v / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour.slice(0, 3);
    }
    return [255, 255, 255];
  };
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.replace(/[\\s\\u00a0]+/g, " ").trim();
    const element = node.parentElement;
    if (!text || ["STYLE", "SCRIPT"].includes(element.tagName) || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const [a, b] = [luminance(parse(style.color).slice(0, 3)), luminance(behind(element))];
    texts.push({
      text: text.slice(0, 40),
      size: parseFloat(style.fontSize),
      contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05),
    });
  }
  const wide = [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility())
    .filter((element) => !element.parentElement.closest(".scroll"))
    .filter((element) => element.getBoundingClientRect().right > innerWidth + 0.5
                      || element.getBoundingClientRect().left < -0.5);
  return {
    texts,
    wide: wide.map((element) => element.outerHTML.slice(0, 120)),
    scroll: document.documentElement.scrollWidth,
    pictures: [...document.images].map((image) => ({
      src: image.src, alt: image.getAttribute("alt"), loaded: image.complete && image.naturalWidth > 0,
      stretched: image.naturalWidth
        ? Math.abs(image.width / image.height / (image.naturalWidth / image.naturalHeight) - 1) : 0,
    })),
    targets: [...document.querySelectorAll(".toc a, .foot a, .links a, .btn a, nav a, a.button")]
      .map((link) => ({ text: link.textContent.trim(), height: link.getBoundingClientRect().height })),
  };
}
"""


Look = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def look(browser: Browser) -> Iterator[Look]:
    """What `LOOK` says of a page at a width; each page is loaded once, and then resized."""
    seen: dict[tuple[Any, ...], dict[str, Any]] = {}
    with ExitStack() as stack:
        pages: dict[tuple[str, str], Page] = {}

        def look(issue: Shown, html: str, width: int = 375, scheme: Any = "light") -> dict[str, Any]:
            which = (issue.name, html)
            if which not in pages:
                pages[which] = stack.enter_context(
                    opened(browser, html, issue.pictures, width=width, scheme=scheme)
                )
            if (*which, width, scheme) not in seen:
                pages[which].set_viewport_size({"width": width, "height": 812})
                pages[which].emulate_media(color_scheme=scheme)
                seen[*which, width, scheme] = pages[which].evaluate(LOOK)
            return seen[*which, width, scheme]

        yield look


@pytest.mark.parametrize("width", [320, 375, 680, 700])
@pytest.mark.parametrize("medium", ["mail", "web"])
def test_nothing_is_wider_than_the_window(look: Look, issues: list[Shown], medium: str, width: int) -> None:
    for issue in issues:
        found = look(issue, getattr(issue, medium), width)
        assert found["wide"] == [], issue.name
        assert found["scroll"] <= width, issue.name


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("medium", ["mail", "web"])
def test_all_text_is_legible(look: Look, issues: list[Shown], medium: str, scheme: str) -> None:
    for issue in issues:
        found = look(issue, getattr(issue, medium), 375, scheme)
        assert len(found["texts"]) > 30
        assert [text for text in found["texts"] if text["contrast"] < 4.5] == [], issue.name
        assert [text for text in found["texts"] if text["size"] < 12] == [], issue.name


def test_all_text_is_legible_where_style_sheets_are_dropped(look: Look, issues: list[Shown]) -> None:
    for issue in issues:
        bare = re.sub(r"<style.*?</style>", "", issue.mail, flags=re.DOTALL)
        for width in (320, 680):
            found = look(issue, bare, width)
            assert found["scroll"] <= width, issue.name
            assert [text for text in found["texts"] if text["contrast"] < 4.5] == [], issue.name


def test_outlook_on_the_web_gets_a_legible_dark_mode(look: Look, issues: list[Shown]) -> None:
    for issue in issues:
        marked = issue.mail.replace("<body", '<body data-ogsc=""', 1)
        found = look(issue, marked)
        assert [text for text in found["texts"] if text["contrast"] < 4.5] == [], issue.name


@pytest.mark.parametrize("medium", ["mail", "web"])
def test_every_picture_is_there_in_its_own_shape_with_an_alt(
    look: Look, issues: list[Shown], medium: str
) -> None:
    for issue in issues:
        found = look(issue, getattr(issue, medium))
        assert found["pictures"]
        for picture in found["pictures"]:
            assert picture["loaded"], picture
            assert picture["alt"] is not None, picture
            assert picture["stretched"] < 0.02, picture


@pytest.mark.parametrize("medium", ["mail", "web"])
def test_a_thumb_finds_the_links_of_contents_button_and_footer(
    look: Look, issues: list[Shown], medium: str
) -> None:
    for issue in issues:
        found = look(issue, getattr(issue, medium))
        assert len(found["targets"]) >= 4
        assert [link for link in found["targets"] if link["height"] < 44] == [], issue.name


def test_dark_mode_is_dark(browser: Browser, issues: list[Shown]) -> None:
    for issue in issues[:3]:
        for scheme, dark in (("light", False), ("dark", True)):
            with opened(browser, issue.mail, issue.pictures, width=375, scheme=scheme) as page:  # type: ignore[arg-type]
                picture = picture_of(page, whole=False).convert("L").resize((75, 160))
                pixels = sorted(picture.tobytes())
                assert (pixels[len(pixels) // 2] < 80) == dark, issue.name


def test_the_pictures_of_the_readme_are_made_of_screens(tmp_path: Any) -> None:
    screens = [Image.new("RGB", (750, 1624), colour) for colour in ("white", "black")]
    phones(screens, tmp_path / "two.png")
    with Image.open(tmp_path / "two.png") as made:
        assert made.size == ((2 * 750 + 72 + 144) * 3 // 4, (1624 + 144) * 3 // 4)
