"""axe finds no violation of WCAG A and AA in mails, web pages and pages for readers, light and dark."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.checkers.axe import SCHEMES, WIDTHS, violations
from tests.checkers.sending import LANGUAGES, Sent, html_of
from tests.chromium import needed_chromium
from tools.screenshots import Shown

pytestmark = [pytest.mark.browser, pytest.mark.node]

PAGE = """<!doctype html><html lang="en"><head><title>t</title><meta name="color-scheme" content="light dark">
<style>p {{ color: #595959; background: #ffffff }}
@media (prefers-color-scheme: dark) {{ p {{ background: #121212; color: {dark} }} }}</style></head>
<body><main><h1>h</h1><p>words</p>{more}</main></body></html>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with needed_chromium() as started:
        yield started


def test_mails_of_the_samples(browser: Browser, sent: Sent) -> None:
    first: dict[str, str] = {}
    for name, message in sent.messages.items():
        first.setdefault(name.partition("/")[0], html_of(message))
    assert violations(browser, first, sent.pictures()) == {}


@pytest.mark.parametrize("medium", ["mail", "web"])
def test_issues_with_every_field(browser: Browser, full_issues: list[Shown], medium: str) -> None:
    pictures = {name: data for issue in full_issues for name, data in issue.pictures.items()}
    assert violations(browser, {issue.name: getattr(issue, medium) for issue in full_issues}, pictures) == {}


def test_web_pages_of_the_samples_and_the_archive(
    browser: Browser, sent: Sent, pages: dict[str, str]
) -> None:
    public = {name: html for name, html in pages.items() if name.startswith(("web ", "archive"))}
    assert violations(browser, public, sent.pictures()) == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_for_readers(browser: Browser, sent: Sent, pages: dict[str, str], language: str) -> None:
    own = {name: html for name, html in pages.items() if name.endswith(f"({language})")}
    assert violations(browser, own, sent.pictures()) == {}


def test_axe_would_have_noticed(browser: Browser) -> None:
    pages = {
        "good": PAGE.format(dark="#dddddd", more='<img src="x.png" alt="">'),
        "dark": PAGE.format(dark="#444444", more=""),
        "picture": PAGE.format(dark="#dddddd", more='<img src="x.png">'),
        "wide": PAGE.format(
            dark="#dddddd",
            more="<style>@media (min-width: 600px) { p { color: #aaa !important } }</style>",
        ),
    }
    found = violations(browser, pages, {})
    assert {name: [each.split(":")[0] for each in told] for name, told in found.items()} == {
        "dark": [f"dark, {width} px" for width in WIDTHS],
        "picture": [f"{scheme}, {width} px" for scheme in SCHEMES for width in WIDTHS],
        "wide": ["light, 1280 px"],
    }
    assert "color-contrast, p" in found["dark"][0]
    assert "image-alt, img" in found["picture"][0]
