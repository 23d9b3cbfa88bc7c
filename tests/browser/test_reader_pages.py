"""The pages for readers and the list of issues in a real browser: sizes, contrast, landmarks, the footer."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from mailer.config import TextByLanguage, load_settings
from mailer.site.archive_pages import ListedEdition, ListedIssue, ListedMonth
from mailer.site.pages import ReaderPages
from tests.browser.test_screenshots import LOOK
from tests.full_issue import ROOT
from tools.screenshots import SCHEMES, opened

pytestmark = pytest.mark.browser

LANGUAGES = ("en", "zh", "zh-Hant", "ar")
LONG = "另有：" + "跨境小包新规进入倒计时，" * 9
ENGLISH = ListedIssue("a", "A warehouse", "A roof.", "S", "The Long Read", "en", dt.date(2026, 11, 22))
CHINESE = ListedIssue("b", "旺季前夜，海外仓开始挑货", LONG, "S", "港口早报", "zh", dt.date(2026, 11, 21))
ISSUES = (ENGLISH, CHINESE)
UNKNOWN = ("not-found", "refused", "unavailable", "erased", "unknown", "copy", "incomplete")
NAMES = ("unsubscribe", "done", "preferences", "saved", "archive", *UNKNOWN)

#: What these tests ask about a page.
MEASURE = """
() => {
  const box = (selector) => document.querySelector(selector).getBoundingClientRect();
  const seen = (element) => element.checkVisibility() && !element.closest(".hidden");
  return {
    height: innerHeight, scroll: document.documentElement.scrollWidth,
    sheet: [box(".sheet").left, box(".sheet").right], footer: [box(".foot").top, box(".foot").bottom],
    end: box(".sheet").bottom,
    controls: [...document.querySelectorAll("button, .button, textarea")].filter(seen)
      .map((each) => [each.textContent.trim(), each.getBoundingClientRect().height]),
    alone: [...document.querySelectorAll("nav a, p > a:only-child")].filter(seen)
      .map((each) => [each.textContent.trim(), each.getBoundingClientRect().height]),
    solid: [...document.querySelectorAll("button, .button")]
      .filter((each) => getComputedStyle(each).backgroundColor !== "rgba(0, 0, 0, 0)").length,
    navs: [...document.querySelectorAll("nav")].map((each) => each.ariaLabel),
    marks: ["header", "main", "footer"].map((each) => document.querySelectorAll(`body ${each}`).length),
    radius: [...document.querySelectorAll("body *")]
      .map((each) => parseFloat(getComputedStyle(each).borderRadius)),
    bars: [...document.querySelectorAll("body *")].filter(seen).filter((each) => {
      const style = getComputedStyle(each);
      return (style.borderInlineStartWidth !== "0px") !== (style.borderInlineEndWidth !== "0px");
    }).length,
  };
}
"""


@pytest.fixture(scope="module")
def pages() -> dict[tuple[str, str], str]:
    settings = load_settings(ROOT)
    made = ReaderPages(settings)
    chosen: dict[str, Any] = {
        "editions": settings.editions,
        "chosen": ("morning",),
        "away": False,
        "refused": False,
        "unsubscribe": "/u",
    }
    filters = tuple(ListedEdition(key, e.name, e.language or "zh") for key, e in settings.editions.items())
    contexts: dict[str, dict[str, Any]] = {
        "unsubscribe": {"preferences": "/p"},
        "done": {"thanks": False, "preferences": "/p", "longest_reason": 100},
        "preferences": {**chosen, "saved": False},
        "saved": {**chosen, "saved": True},
        "archive": {
            "campaigns": ISSUES, "months": (ListedMonth(dt.date(2026, 11, 1), ISSUES),), "edition": "evening",
            "filters": filters, "newer": 1, "older": 3,
        },
    }  # fmt: skip
    return {
        (name, language): made.render_page(
            "preferences" if name == "saved" else name, language, **contexts.get(name, {})
        ).body.decode()
        for name in NAMES
        for language in LANGUAGES
    }


def each(
    browser: Browser, pages: dict[tuple[str, str], str], width: int, scheme: Any = "light"
) -> Iterator[tuple[str, str, Page]]:
    """Each page but those in Traditional Chinese, which differ in words alone."""
    page = browser.new_page(viewport={"width": width, "height": 812}, color_scheme=scheme)
    try:
        for (name, language), html in pages.items():
            if language != "zh-Hant":
                page.set_content(html)
                yield name, language, page
    finally:
        page.close()


@pytest.mark.parametrize("width", [320, 375, 1280])
def test_controls_are_high_and_the_footer_is_at_the_bottom(
    browser: Browser, pages: dict[tuple[str, str], str], width: int
) -> None:
    for name, language, page in each(browser, pages, width):
        found = page.evaluate(MEASURE)
        which = (name, language, width)
        assert found["scroll"] == width, which
        assert [text for text, height in found["controls"] if height < 48] == [], which
        assert [text for text, height in found["alone"] if height < 43.9] == [], which
        assert found["footer"][1] >= found["height"] - 0.5, which
        assert abs(found["footer"][0] - found["end"]) < 0.5, which
        assert found["sheet"][1] - found["sheet"][0] == min(width, 688), which
        assert found["solid"] <= 1, which
        assert found["bars"] == 0, which
        assert max(found["radius"]) <= 4, which


@pytest.mark.parametrize("scheme", SCHEMES)
def test_all_text_of_a_page_is_legible(
    browser: Browser, pages: dict[tuple[str, str], str], scheme: str
) -> None:
    for name, language, page in each(browser, pages, 375, scheme):
        found = page.evaluate(LOOK)
        assert len(found["texts"]) > 5
        assert [text for text in found["texts"] if text["contrast"] < 4.5] == [], (name, language)
        assert [text for text in found["texts"] if text["size"] < 13] == [], (name, language)


def test_a_page_fits_a_small_phone_with_large_text(
    browser: Browser, pages: dict[tuple[str, str], str]
) -> None:
    large = {key: html.replace("<html ", '<html style="font-size: 200%" ') for key, html in pages.items()}
    for name, language, page in each(browser, large, 320):
        found = page.evaluate(LOOK)
        assert max(text["size"] for text in found["texts"]) > 50
        assert found["scroll"] == 320, (name, language)
        assert found["wide"] == [], (name, language)


def test_landmarks_have_names_and_titles_have_one_h1(
    pages: dict[tuple[str, str], str], browser: Browser
) -> None:
    for name, language, page in each(browser, pages, 375):
        found = page.evaluate(MEASURE)
        assert found["marks"] == [1, 1, 1], name
        assert all(found["navs"]), name
        assert len(set(found["navs"])) == len(found["navs"]), name
        assert page.locator("h1").count() == 1, (name, language)


def test_a_reader_who_is_not_known_is_answered_in_each_language_of_the_editions(
    pages: dict[tuple[str, str], str],
) -> None:
    for name in UNKNOWN:
        for language, other in (("en", ["zh"]), ("zh", ["en"]), ("zh-Hant", ["zh", "en"])):
            html = pages[name, language]
            lines = re.findall(r'<p class="small after" lang="([^"]+)">', html)
            assert lines == other, (name, language)


def test_buttons_stand_side_by_side_where_there_is_room(
    browser: Browser, pages: dict[tuple[str, str], str]
) -> None:
    tops = (
        "() => [...document.querySelectorAll('.buttons > *')].map((each) => each.getBoundingClientRect().top)"
    )
    for width, rows in ((375, 2), (600, 1)):
        with opened(browser, pages["unsubscribe", "zh"], {}, width=width, scheme="light") as page:
            assert len(set(page.evaluate(tops))) == rows


def test_the_focus_of_the_keyboard_is_seen(browser: Browser, pages: dict[tuple[str, str], str]) -> None:
    with opened(browser, pages["unsubscribe", "en"], {}, width=375, scheme="light") as page:
        for _ in range(2):
            page.keyboard.press("Tab")
            style = page.evaluate("() => ({...getComputedStyle(document.activeElement)})")
            assert (style["outlineStyle"], style["outlineWidth"], style["outlineOffset"]) == (
                "solid",
                "3px",
                "3px",
            )


def test_a_name_has_title_marks_only_if_it_is_chinese(tmp_path: Path) -> None:
    settings = load_settings(ROOT)
    for name, wanted in (
        ("Harbour Brief", '退订 <span class="wordmark">Harbour Brief</span>？'),
        ("港口早报", "退订《<span>港口早报</span>》？"),
    ):
        publication = settings.publication.model_copy(update={"name": TextByLanguage(name)})
        made = ReaderPages(settings.model_copy(update={"publication": publication}))
        html = made.render_page("unsubscribe", "zh", preferences="/p").body.decode()
        assert f"<h1>{wanted}</h1>" in html
