"""Arabic issues, and issues with one part in Arabic, as Chromium sets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.tongues import ARABIC, ENGLISH, MIXED, READER, rendered
from tools.screenshots import opened

pytestmark = pytest.mark.browser

#: How each text that can be seen is set, and where the boxes of the page stand.
SET = """
() => {
  const texts = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim(), element = node.parentElement;
    if (!text || ["STYLE", "SCRIPT"].includes(element.tagName) || !element.checkVisibility()) continue;
    if (element.getBoundingClientRect().height < 4) continue;
    if (element.closest("td.base[align]")) continue;  // the date, at the end of the masthead
    let block = element;
    while (getComputedStyle(block).display.startsWith("inline")) block = block.parentElement;
    const range = document.createRange();
    range.selectNodeContents(node);
    const at = range.getBoundingClientRect();
    const style = getComputedStyle(block);
    texts.push({ text, direction: getComputedStyle(element).direction, align: style.textAlign,
                 around: style.direction, left: at.left, right: innerWidth - at.right });
  }
  const boxes = (selector) => [...document.querySelectorAll(selector)].map((element) => {
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    return { left: box.left, right: box.right, padding: [style.paddingLeft, style.paddingRight],
             border: [style.borderLeftWidth, style.borderRightWidth], direction: style.direction,
             align: style.textAlign };
  });
  return { texts, wide: document.documentElement.scrollWidth, lists: boxes("ul:has(> li > p), .md ul"),
           quotes: boxes("blockquote"), notes: boxes(".note"), codes: boxes("pre, code"),
           heads: boxes("tr:first-child > th"), buttons: boxes(".btn a, a.button"),
           items: boxes(".headline, h2.head, h2.lead:not(.tint h2)") };
}
"""


def seen(
    browser: Browser, root: Path, text: str, medium: str, edition: str, width: int, scheme: Any
) -> dict[str, Any]:
    rendition = rendered(root, text, edition)
    html = rendition.html.fill(READER) if medium == "mail" else rendition.web
    with opened(browser, html, {}, width=width, scheme=scheme) as page:
        found: dict[str, Any] = page.evaluate(SET)
        return found


@pytest.mark.parametrize("edition", ["morning", "evening", "feature"])
@pytest.mark.parametrize("medium", ["mail", "web"])
@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (680, "dark")])
def test_an_arabic_issue_is_set_from_right_to_left(
    browser: Browser, workspace: Path, edition: str, medium: str, width: int, scheme: str
) -> None:
    found = seen(browser, workspace, ARABIC, medium, edition, width, scheme)
    assert found["wide"] == width
    arabic = [
        each for each in found["texts"] if any("\u0600" <= letter <= "\u06ff" for letter in each["text"])
    ]
    assert len(arabic) > 15
    for each in arabic:
        assert each["direction"] == "rtl", each
        assert each["align"] in ("right", "start", "-webkit-center"), each  # the button
        assert each["around"] == "rtl", each
    for box in found["lists"]:
        assert float(box["padding"][0][:-2]) == 0 < float(box["padding"][1][:-2])
    for box in found["quotes"]:
        assert box["border"][0] == "0px" != box["border"][1]
    for box in found["codes"]:
        assert box["direction"] == "ltr"
    first, second = found["heads"][:2]
    assert first["left"] > second["left"]
    assert first["align"] in ("right", "start")
    for button in found["buttons"]:
        assert width - button["right"] < button["left"]


@pytest.mark.parametrize("medium", ["mail", "web"])
@pytest.mark.parametrize(("issue", "turned"), [("en", "rtl"), ("ar", "ltr")])
def test_one_part_of_an_issue_is_set_the_other_way(
    browser: Browser, workspace: Path, medium: str, issue: str, turned: str
) -> None:
    found = seen(browser, workspace, MIXED[issue], medium, "morning", 375, "light")
    assert found["wide"] == 375
    ends = {"ltr": (0, 1), "rtl": (1, 0)}
    page = {"rtl": "ltr", "ltr": "rtl"}[turned]
    assert [box["direction"] for box in found["lists"]] == [turned, page]
    for box, direction in zip(found["lists"], (turned, page), strict=True):
        start, end = ends[direction]
        assert float(box["padding"][end][:-2]) == 0 < float(box["padding"][start][:-2])
    for box, direction in zip(found["quotes"], (turned, page), strict=True):
        start, end = ends[direction]
        assert box["border"][end] == "0px" != box["border"][start]
    assert [box["direction"] for box in found["notes"]] == [turned, page]
    heads = found["heads"]
    assert (heads[0]["left"] > heads[1]["left"]) == (turned == "rtl")
    assert (heads[2]["left"] > heads[3]["left"]) == (page == "rtl")
    for box, direction in zip(found["items"], (turned, page), strict=True):
        assert box["direction"] == direction
        assert box["align"] in ({"ltr": "left", "rtl": "right"}[direction], "start")
    comments = [each for each in found["texts"] if each["text"] == "Editor’s comment"]
    assert [each["direction"] for each in comments if issue == "en"] in ([], ["ltr", "ltr"])


@pytest.mark.parametrize("medium", ["mail", "web"])
def test_an_english_issue_is_set_as_before(browser: Browser, workspace: Path, medium: str) -> None:
    found = seen(browser, workspace, ENGLISH, medium, "morning", 375, "light")
    for each in found["texts"]:
        assert each["direction"] == "ltr"
    for box in found["lists"]:
        assert float(box["padding"][1][:-2]) == 0 < float(box["padding"][0][:-2])
    for button in found["buttons"]:
        assert button["left"] < 375 - button["right"]


@pytest.mark.parametrize("medium", ["mail", "web"])
@pytest.mark.parametrize("issue", ["en", "ar"])
def test_the_masthead_begins_where_a_line_begins(
    browser: Browser, workspace: Path, issue: str, medium: str
) -> None:
    text = {"en": ENGLISH, "ar": ARABIC}[issue]
    found = seen(browser, workspace, text, medium, "morning", 375, "light")
    name = next(each for each in found["texts"] if each["text"] == "Harbour Brief")
    assert (name["left"] < name["right"]) == (issue == "en")
