"""The parts of an issue's web page in a real browser: their places, sizes and targets, and what it logs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from mailer.config import load_settings
from mailer.issue.load import LoadedIssue
from tests.browser.test_screenshots import LOOK
from tests.pictured import pictured
from tools.screenshots import SCHEMES, Shown, opened, shown

pytestmark = pytest.mark.browser

LONG = "unbreakable" * 12
BOX = "(at) => { const box = document.querySelector(at).getBoundingClientRect(); return [box.x, box.right]; }"
STYLE = "([at, name]) => getComputedStyle(document.querySelector(at))[name]"
TEXT = f"""\
number: 528
kicker: Kicker {LONG}
standfirst: A standfirst
byline: Byline
intro: An intro
image: {{src: p/wide.png, alt: Cover, caption: Caption, credit: "Photo: {LONG}"}}
numbering: through
notices:
  - {{text: "Before [link](https://example.org/b)", place: before}}
  - {{text: "In the footer [link](https://example.org/f)", place: footer}}
sections:
  - title: Stories
    image: {{src: p/wide.png, alt: Section, credit: Credit}}
    items:
      - title: First
        byline: Byline
        body: "Words\\n\\n> Said\\n>\\n> — Ann"
        image: [{{src: p/wide.png, alt: A}}, {{src: p/wide.png, alt: B, place: below}}]
        links: [{{text: "{LONG}", url: "https://example.org/l"}}, {{text: Two, url: "https://example.org/2"}}]
      - {{quote: {{text: "Said and written", by: "Ann {LONG}"}}}}
      - {{title: Paid, sponsored: true, body: Bought, source: Wire, url: "https://example.org/ad"}}
      - title: Meeting
        event: {{starts: "2026-12-20T18:00", venue: Hall, address: "{LONG}", url: "https://example.org/event"}}
        body: Come
      - {{title: Planner, job: {{organisation: Port, place: "{LONG}", url: "https://example.org/job"}}}}
  - title: Links
    style: list
    items:
      - {{title: One, url: "https://example.org/1"}}
      - {{title: "Two {LONG}", url: "https://example.org/2", body: Words, source: Wire}}
      - {{title: Three, url: "https://example.org/3"}}
call_to_action: {{label: Button, url: "https://example.org/c", condition: For some}}
related:
  - {{title: "{LONG}", url: "https://example.org/r", kind: PDF, date: 2026-11-14}}
  - title: Many
    url: https://example.org/many
    items: [{", ".join(f'{{title: M{n}, url: "https://example.org/{n}"}}' for n in range(9))}]
"""


@pytest.fixture(scope="module")
def issue(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    root = tmp_path_factory.mktemp("parts") / "desk"
    loaded: LoadedIssue = pictured(root, "evening", TEXT)
    return shown(loaded, root, load_settings(root))


@pytest.fixture
def on_telephone(browser: Browser, issue: Shown) -> Iterator[Page]:
    with opened(browser, issue.web, issue.pictures, width=375, scheme="light") as page:
        yield page


def style(page: Page, at: str, name: str) -> str:
    return str(page.evaluate(STYLE, [at, name]))


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_everything_fits_and_is_legible(browser: Browser, issue: Shown, width: int, scheme: Any) -> None:
    with opened(browser, issue.web, issue.pictures, width=width, scheme=scheme) as page:
        found = page.evaluate(LOOK)
        assert found["scroll"] <= width
        assert found["wide"] == []
        assert [text for text in found["texts"] if text["contrast"] < 4.5 or text["size"] < 12] == []


def test_a_thumb_finds_links_that_stand_alone(on_telephone: Page) -> None:
    height = "(links) => links.map((link) => link.getBoundingClientRect().height)"
    for at in (".contents a", ".entry .name a", ".related a", ".attend a", ".action a", ".foot a"):
        heights = on_telephone.locator(at).evaluate_all(height)
        assert heights, at
        assert min(heights) >= 44, at


def test_the_cover_and_the_lead_reach_the_edges_and_no_other_picture(browser: Browser, issue: Shown) -> None:
    for width, sheet in ((375, [0, 375]), (1280, [296, 984])):
        with opened(browser, issue.web, issue.pictures, width=width, scheme="light") as page:
            pad = 17 if width == 375 else 56
            inner = [sheet[0] + pad, sheet[1] - pad]
            assert page.evaluate(BOX, ".cover img") == sheet
            assert page.evaluate(BOX, ".lead figure:first-child img") == sheet
            assert page.evaluate(BOX, ".opener + figure img") == inner
            assert page.evaluate(BOX, ".lead .byline + figure img") == inner


def test_an_event_stands_beside_its_day(on_telephone: Page) -> None:
    left, right = on_telephone.evaluate(BOX, ".day")
    assert (left, right - left) == (17, 68)
    assert on_telephone.evaluate(BOX, ".event .rest")[0] == 17 + 68
    assert style(on_telephone, ".day b", "fontSize") == "34px"
    assert style(on_telephone, ".day b", "lineHeight") == "38px"
    assert style(on_telephone, ".event", "borderTopWidth") == "1px"
    assert style(on_telephone, ".event .button", "minHeight") == "48px"


def test_an_advertisement_is_in_a_box_on_the_paper(on_telephone: Page) -> None:
    sides = [
        style(on_telephone, ".sponsor", f"border{side}Width") for side in ("Top", "Right", "Bottom", "Left")
    ]
    assert sides == ["1px"] * 4
    assert style(on_telephone, ".sponsor", "backgroundColor") == "rgba(0, 0, 0, 0)"
    assert style(on_telephone, ".sponsor .count", "fontSize") == "13px"


def test_one_button_is_solid(on_telephone: Page) -> None:
    colours = on_telephone.locator(".button").evaluate_all(
        "(all) => all.map((each) => getComputedStyle(each).backgroundColor)"
    )
    assert len(colours) == 2
    assert colours.count("rgba(0, 0, 0, 0)") == 1


def test_a_short_quotation_is_larger_than_text_and_no_heading(on_telephone: Page) -> None:
    assert style(on_telephone, ".quote.large p", "fontSize") == "20px"
    assert style(on_telephone, ".quote.large p", "fontWeight") == "400"
    assert style(on_telephone, ".quote figcaption", "fontSize") == "14px"


def test_numbers_of_a_list_stand_in_a_column_of_their_own(on_telephone: Page) -> None:
    assert on_telephone.evaluate(BOX, ".entry > b")[0] == 17
    assert on_telephone.evaluate(BOX, ".entry .name")[0] == 17 + 32


def test_many_links_are_in_two_columns_where_there_is_room(browser: Browser, issue: Shown) -> None:
    left = "(links) => new Set(links.map((link) => link.getBoundingClientRect().x)).size"
    for width, columns in ((375, 1), (680, 2), (1280, 2)):
        with opened(browser, issue.web, issue.pictures, width=width, scheme="light") as page:
            assert page.locator(".many li a").evaluate_all(left) == columns


def test_nothing_is_logged_under_the_policy_of_the_archive(browser: Browser, issue: Shown) -> None:
    """The data of events is no script to a browser."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https: data:; base-uri 'none'"
    html = issue.web.replace(
        '<meta charset="utf-8">',
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{policy}">',
    )
    said: list[str] = []
    with opened(browser, html, issue.pictures, width=375, scheme="light") as page:
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.reload(wait_until="load")
        assert page.locator('script[type="application/ld+json"]').count() == 1
    assert said == []
    scripted = html.replace("</head>", "<script>document.title = 'x'</script></head>")
    with opened(browser, scripted, issue.pictures, width=375, scheme="light") as page:
        page.on("console", lambda message: said.append(message.text))
        page.reload(wait_until="load")
    assert len(said) == 1


def test_the_name_below_a_quotation_in_a_text_is_small_and_upright(browser: Browser, issue: Shown) -> None:
    assert '<p class="by">— Ann</p>' in issue.web
    with opened(browser, issue.web, issue.pictures, width=375, scheme="light") as page:
        assert style(page, ".md blockquote .by", "fontSize") == "14px"
        assert style(page, ".md blockquote .by", "fontStyle") == "normal"
        assert style(page, ".md blockquote p:first-child", "fontStyle") == "italic"
        assert style(page, ".md blockquote .by", "marginTop") == "8px"
