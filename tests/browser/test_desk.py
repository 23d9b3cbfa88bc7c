"""Mails of different desks on a telephone: their height, the distance of rules, the size of headlines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tools.clients.documents import desk_names, documents
from tools.clients.facts import load_facts
from tools.clients.simulate import Client, clients
from tools.screenshots import opened

pytestmark = pytest.mark.browser

#: Where the rules are, but for those of tables of data, and the sizes of headlines and names of sections.
LOOK = """
() => {
  const rules = new Set();
  for (const each of document.querySelectorAll("td, blockquote, ol.footnotes")) {
    if (each.closest(".data, table.stack") || !each.checkVisibility()) continue;
    const style = getComputedStyle(each), box = each.getBoundingClientRect();
    if (parseFloat(style.borderLeftWidth)) continue;
    if (parseFloat(style.borderTopWidth)) rules.add(Math.round(box.top));
    if (parseFloat(style.borderBottomWidth)) rules.add(Math.round(box.bottom));
  }
  const size = (each) => parseFloat(getComputedStyle(each).fontSize);
  const sizes = (at) => [...document.querySelectorAll(at)].map(size);
  const footer = document.querySelector(".foot").closest(".edge, table[align=center]");
  return {
    rules: [...rules].sort((one, other) => one - other),
    headlines: sizes("h1, h2.lead, h2.head, h2.less, h3.lead, h3.head, h3.less"),
    names: sizes("h2.part"),
    above: footer.getBoundingClientRect().top,
    buttons: document.querySelectorAll("td.btn:not(.outline)").length,
  };
}
"""


@pytest.fixture(scope="module")
def client(browser: Browser) -> Iterator[Client]:
    with clients(browser) as opened:
        yield opened


def look(client: Client, name: str) -> dict[str, Any]:
    page = client.show(documents()[name], load_facts().simulations["plain"], 375)
    found: dict[str, Any] = page.evaluate(LOOK)
    return found


def test_fifteen_lines_take_a_screen_and_a_half(client: Client) -> None:
    assert 812 * 0.8 < look(client, "desk-morning-lines")["above"] <= 812 * 1.5


@pytest.mark.parametrize("name", desk_names())
def test_rules_keep_their_distance_and_headlines_are_larger_than_names_of_sections(
    client: Client, name: str
) -> None:
    found = look(client, name)
    rules = found["rules"]
    assert len(rules) >= 1
    near = [(one, other) for one, other in itertools.pairwise(rules) if other - one < 24]
    assert near == []
    assert min(found["headlines"], default=99) > max(found["names"], default=0)
    assert found["buttons"] <= 1


#: How far the words are from the links below them, which have room for a thumb.
ABOVE_LINKS = """
() => [...document.querySelectorAll(".md + p.small > .go:first-child")].map((link) => {
  const block = link.parentNode.previousElementSibling.lastElementChild, text = document.createRange();
  const words = block.matches("ul, ol") ? block.lastElementChild : block;
  text.selectNodeContents(link);
  return Math.round(text.getBoundingClientRect().top - words.getBoundingClientRect().bottom);
})
"""
SAID = """
() => {
  const text = (at) => [...document.querySelectorAll(at)].map((each) => each.innerText.trim());
  const face = getComputedStyle(document.querySelector(".big, .day b")).fontFamily;
  return {
    facts: text(".day ~ td p.small:has(br), .when:has(br)"),
    buttons: text(".outline a, .attend .button"),
    face,
  };
}
"""


def test_links_are_near_the_words_they_belong_to(client: Client) -> None:
    page = client.show(documents()["desk-repositories"], load_facts().simulations["plain"], 375)
    gaps = page.evaluate(ABOVE_LINKS)
    assert len(gaps) == 10
    assert max(gaps) <= 16, gaps


@pytest.mark.parametrize(("name", "buttons"), [("desk-club", []), ("desk-council", ["Details"])])
def test_events_are_the_same_in_the_mail_and_on_the_web(
    browser: Browser, name: str, buttons: list[str]
) -> None:
    document = documents()[name]
    found = []
    for html in (document.mail, document.web):
        with opened(browser, html, document.pictures, width=375, scheme="light") as page:
            found.append(page.evaluate(SAID))
    assert found[0] == found[1]
    assert found[0]["facts"]
    assert found[0]["buttons"] == buttons
    assert "Georgia" not in found[0]["face"]


def test_an_outlined_button_has_round_corners(client: Client) -> None:
    page = client.show(documents()["desk-council"], load_facts().simulations["plain"], 375)
    style = "([at, name]) => getComputedStyle(document.querySelector(at))[name]"
    assert page.evaluate(style, [".outline", "borderRadius"]) == "4px"
    assert page.evaluate(style, ["table:has(> tbody > tr > .outline)", "borderCollapse"]) == "separate"


def test_the_date_keeps_its_distance_from_the_name(client: Client) -> None:
    page = client.show(documents()["desk-council"], load_facts().simulations["plain"], 320)
    box = """(at) => {
      const text = document.createRange();
      text.selectNodeContents(at);
      return text.getBoundingClientRect();
    }"""
    name, date = (page.locator(at).evaluate(box) for at in (".name", ".date"))
    assert date["left"] - name["right"] >= 12


def test_a_byline_keeps_its_distance_from_the_cover(client: Client) -> None:
    page = client.show(documents()["desk-essay"], load_facts().simulations["plain"], 375)
    bottom = page.locator("p.small").first.evaluate("(at) => at.getBoundingClientRect().bottom")
    top = page.locator("img[alt^='Illustration']").first.evaluate("(at) => at.getBoundingClientRect().top")
    assert top - bottom == 24


def test_sections_of_a_brief_are_opened_alike_in_the_mail_and_on_the_web(browser: Browser) -> None:
    document = documents()["desk-bilingual"]
    counts = []
    for html, at in ((document.mail, "td.rule.count"), (document.web, ".opener .count")):
        with opened(browser, html, document.pictures, width=375, scheme="light") as page:
            counts.append(page.locator(at).all_inner_texts())
    assert counts == [["3 条", "3 条"]] * 2
