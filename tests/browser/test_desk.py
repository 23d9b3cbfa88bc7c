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
