"""The web page of an issue in a real browser: its header, its lead, its footer, and large text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from mailer.config import load_settings
from mailer.issue.load import load_issue
from tests.browser.test_screenshots import LOOK
from tests.conftest import CONFIG
from tools.screenshots import Shown, opened, shown

pytestmark = pytest.mark.browser

BOX = "(at) => { const box = document.querySelector(at).getBoundingClientRect(); return [box.x, box.right]; }"
#: The words of each line of a headline.
LINES = """
(at) => {
  const node = document.querySelector(at).firstChild, lines = [];
  let last = null;
  for (let i = 0; i < node.data.length; i++) {
    const range = document.createRange();
    range.setStart(node, i); range.setEnd(node, i + 1);
    const top = Math.round(range.getBoundingClientRect().top);
    if (top === last) lines[lines.length - 1] += node.data[i]; else lines.push(node.data[i]);
    last = top;
  }
  return lines;
}
"""


def larger(html: str) -> str:
    return html.replace("<html ", '<html style="font-size: 200%" ', 1)


def test_an_issue_fits_a_small_phone_with_large_text(browser: Browser, issues: list[Shown]) -> None:
    for issue in issues[:3]:
        with opened(browser, larger(issue.web), issue.pictures, width=320, scheme="light") as page:
            found = page.evaluate(LOOK)
            assert found["scroll"] == 320, issue.name
            assert found["wide"] == [], issue.name
            assert page.locator(".masthead nav a").is_visible()
            assert page.locator(".masthead time").is_visible()


def test_the_sheet_is_688_px_wide_and_the_lead_reaches_its_edges(
    browser: Browser, issues: list[Shown]
) -> None:
    for width, sheet in ((375, [0, 375]), (1280, [296, 984])):
        morning = next(issue for issue in issues if issue.name == "2026-11-21-morning")
        with opened(browser, morning.web, morning.pictures, width=width, scheme="light") as page:
            assert page.evaluate(BOX, ".sheet") == sheet
            assert page.evaluate(BOX, ".lead img") == sheet
            assert page.evaluate(BOX, ".contents") == sheet
            pad = 17 if width == 375 else 56
            assert page.evaluate(BOX, "#item-6 img")[0] == sheet[0] + pad


def test_a_chinese_headline_breaks_at_its_comma(browser: Browser, issues: list[Shown]) -> None:
    morning = next(issue for issue in issues if issue.name == "2026-11-21-morning")
    with opened(browser, morning.web, morning.pictures, width=375, scheme="light") as page:
        assert page.evaluate(LINES, "#item-2 h2 a") == ["跨境小包申报新规一月生效，", "品名要写到材质"]


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Shown]:
    """Renders an issue of the edition `morning` in English."""

    def made(text: str) -> Shown:
        (tmp_path / "issues").mkdir()
        (tmp_path / "mailer.toml").write_text(CONFIG, encoding="utf-8")
        path = tmp_path / "issues/some.yaml"
        path.write_text(f"edition: morning\ndate: 2026-11-21\nlanguage: en\n{text}", encoding="utf-8")
        return shown(load_issue(path, load_settings(tmp_path)), tmp_path)

    return made


def test_the_footer_of_a_short_issue_is_at_the_bottom(
    browser: Browser, write: Callable[[str], Shown]
) -> None:
    issue = write("items: [{title: One}]\n")
    with opened(browser, issue.web, {}, width=1280, scheme="dark") as page:
        bottom = page.evaluate("() => document.querySelector('.foot').getBoundingClientRect().bottom")
        assert bottom == 812
        hidden = page.evaluate("() => document.querySelector('h1').getBoundingClientRect().width")
        assert hidden <= 1


def test_a_headline_is_larger_than_the_name_of_its_section(
    browser: Browser, write: Callable[[str], Shown]
) -> None:
    issue = write(
        "sections: [{title: Part, items: [{title: One}, {title: Two, body: Short}, "
        "{title: Three, body: A, comment: B}]}]\n"
    )
    size = "(at) => parseFloat(getComputedStyle(document.querySelector(at)).fontSize)"
    with opened(browser, issue.web, {}, width=375, scheme="light") as page:
        sizes = [page.evaluate(size, at) for at in ("#item-1 h3", "#item-3 h3", "#item-2 h3", ".opener h2")]
        assert sizes == [23, 20, 17, 15]
