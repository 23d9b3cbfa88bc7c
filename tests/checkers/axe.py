"""Runs axe-core in Chromium with its rules for WCAG 2.0 to 2.2, levels A and AA."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from playwright.sync_api import Browser, Route

from tests.needs import node_package

__all__ = ["SCHEMES", "WIDTHS", "violations"]

WIDTHS = (375, 1280)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
_ADDRESS = "https://news.example.org/"
_RUN = """
async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const options = { runOnly: tags, resultTypes: ["violations"], preload: false };
  const result = await axe.run(document, options);
  const told = (rule, node) =>
    `${rule.id}, ${node.target.join(" ")}: ${node.failureSummary.replace(/\\s+/g, " ")}`;
  return { passes: result.passes.map((rule) => rule.id),
           violations: result.violations.flatMap((rule) => rule.nodes.map((node) => told(rule, node))) };
}
"""


def violations(
    browser: Browser, pages: Mapping[str, str], pictures: Mapping[str, bytes]
) -> dict[str, list[str]]:
    """Returns the violations in each page of `pages`, by name, light and dark, at each of `WIDTHS`.

    A violation is one sentence with the rule, the selector of the element and what is wrong; a page without
    one is left out. `pictures` are the files that a page may load, by the last part of their URL. Raises
    AssertionError if axe did not look at the colours of a page.
    """
    source = node_package("axe-core") / "axe.min.js"
    served: dict[str, str] = {}

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if route.request.url == _ADDRESS:
            route.fulfill(body=served["html"], content_type="text/html; charset=utf-8")
        elif name in pictures:
            route.fulfill(body=pictures[name])
        else:
            route.abort()

    found: dict[str, list[str]] = {}
    context = browser.new_context()
    try:
        context.route("**/*", answer)
        page = context.new_page()
        for name, html in pages.items():
            served["html"] = html
            page.goto(_ADDRESS, wait_until="load")
            page.add_script_tag(path=source)
            for scheme in SCHEMES:
                page.emulate_media(color_scheme=scheme)
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": 812})
                    result: dict[str, Any] = page.evaluate(_RUN)
                    assert "color-contrast" in result["passes"] or result["violations"], name
                    told = [f"{scheme}, {width} px: {each}" for each in result["violations"]]
                    if told:
                        found.setdefault(name, []).extend(told)
    finally:
        context.close()
    return found
