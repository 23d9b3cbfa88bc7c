"""Recomputes the HTML check of Mailpit from caniemail's data: how many clients support what a mail uses.

The method is Mailpit's (internal/htmlcheck, MIT). Each feature has a share of the tested versions of clients
that support it partly, and one of those that do not. Each share is weighted with the number of finds over the
number of elements. The highest weighted share of all features counts, for partial support and for none. One
feature decides, so the figures are printed and not aimed at. The data (caniemail.json, MIT) are not part of
this project.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

__all__ = ["HtmlCheck", "check_html", "read_support", "score"]

#: Elements and attributes that are features of caniemail, by the selector that finds them.
SELECTORS = {
    "html-anchor-links": "a[href^='#']",
    "html-base": "base",
    "html-form": "form",
    "html-hr": "hr",
    "html-image-maps": "map, img[usemap]",
    "html-link": "link",
    "html-object": "object, embed",
    "html-picture": "picture",
    "html-semantics": "article, aside, details, figcaption, figure, footer, header, main, mark, nav, section,"
    " summary, time",
    "html-srcset": "[srcset]",
    "html-style": "style",
    "html-svg": "svg",
    "html-video": "video",
}
#: Attributes that count once for a mail, however many elements have them.
ATTRIBUTES = {
    "background-color": "bgcolor",
    "background": "background",
    "border": "border",
    "height": "height",
    "padding": "padding",
    "width": "width",
}
#: Properties of style attributes; each is the feature `css-` and its name.
PROPERTIES = """
accent-color align-items aspect-ratio background background-blend-mode background-clip background-color
background-image background-origin background-position background-repeat background-size border border-image
border-radius box-shadow box-sizing caption-side clip-path column-count direction display filter flex-
direction flex-wrap float font font-kerning font-weight gap grid-template height hyphens inline-size
justify-content letter-spacing line-height list-style list-style-image list-style-position margin max-block-
size max-height max-width min-height min-inline-size min-width mix-blend-mode object-fit object-position
opacity outline outline-offset overflow overflow-wrap padding position tab-size table-layout text-align
text-align-last text-decoration text-decoration-color text-decoration-thickness text-emphasis text-emphasis-
position text-indent text-overflow text-shadow text-transform text-underline-offset transform visibility
white-space width word-break writing-mode z-index
""".split()  # noqa: SIM905
#: What is looked for in a style attribute beside properties, and in the text of style elements.
IN_ATTRIBUTES = {
    "css-display-none": r"(^|\s|;)display:none",
    "css-display-flex": r"(^|\s|;)display\s*:\s*flex($|\s|;)",
    "css-important": r"!important($|\s|;)",
    "css-rgb": r"(\s|:)rgb\(",
    "css-rgba": r"(\s|:)rgba\(",
    "css-unit-calc": r"(\s|:)calc\(",
}
IN_SHEETS = {
    "css-at-font-face": r"@font-face\s+?{",
    "css-at-import": r"@import\s",
    "css-at-media": r"@media\s?\(",
    "css-at-supports": r"@supports\s?\(",
    "css-pseudo-class-active": ":active",
    "css-pseudo-class-first-child": ":first-child",
    "css-pseudo-class-focus": ":focus",
    "css-pseudo-class-has": ":has",
    "css-pseudo-class-hover": ":hover",
    "css-pseudo-class-last-child": ":last-child",
    "css-pseudo-class-link": ":link",
    "css-pseudo-class-not": r":not\s*\(",
    "css-pseudo-class-nth-child": r":nth-child\s*\(",
    "css-pseudo-element-after": ":after",
    "css-pseudo-element-before": ":before",
}

_COUNT = """
(looked) => {
  const found = {};
  const add = (feature, number) => { if (number) found[feature] = (found[feature] || 0) + number; };
  for (const [feature, selector] of Object.entries(looked.selectors))
    add(feature, document.querySelectorAll(selector).length);
  add("html-body", 1);
  for (const element of document.querySelectorAll("[style]")) {
    const style = element.getAttribute("style");
    for (const name of looked.properties)
      if (new RegExp(`(^|\\\\s|;)${name}\\\\s*:`, "i").test(style)) add(`css-${name}`, 1);
    for (const [feature, pattern] of Object.entries(looked.inAttributes))
      if (new RegExp(pattern, "i").test(style)) add(feature, 1);
  }
  for (const [name, attribute] of Object.entries(looked.attributes))
    if (document.querySelector(`[${attribute}]`)) add(`css-${name}`, 1);
  const sheets = [...document.querySelectorAll("style")].map((style) => style.textContent).join("");
  for (const [feature, pattern] of Object.entries(looked.inSheets))
    add(feature, (sheets.match(new RegExp(pattern, "gi")) || []).length);
  return { found, nodes: document.querySelectorAll("*:not(html):not(head):not(meta)").length };
}
"""


@dataclass(frozen=True)
class Support:
    """Holds the shares of tested versions of clients, in percent: with partial support, and without any."""

    partial: float
    unsupported: float


@dataclass(frozen=True)
class HtmlCheck:
    """Holds Mailpit's figures for a mail, in percent, and the features that decided them."""

    supported: float
    unsupported: float
    partly_by: str
    unsupported_by: str

    @property
    def sentence(self) -> str:
        """Returns the figures as a sentence."""
        return (
            f"{self.supported:.1f} % supported (partly: {self.partly_by}), "
            f"{self.unsupported:.1f} % unsupported ({self.unsupported_by})."
        )


def read_support(path: Path) -> dict[str, Support]:
    """Returns the support of each feature of caniemail.json. Raises OSError where the file cannot be read."""
    features = json.loads(path.read_text(encoding="utf-8"))["data"]
    support = {}
    for feature in features:
        results = [
            result
            for platforms in feature["stats"].values()
            for versions in platforms.values()
            for result in versions.values()
        ]
        if results:
            no, yes = results.count("n"), results.count("y")
            share = 100 / len(results)
            support[feature["slug"]] = Support((len(results) - no - yes) * share, no * share)
    return support


def score(found: Mapping[str, int], nodes: int, support: Mapping[str, Support]) -> HtmlCheck:
    """Returns Mailpit's figures for a mail with so many elements and so many finds of each feature."""
    known = {feature: number for feature, number in found.items() if feature in support}

    def partly(feature: str) -> float:
        return support[feature].partial * known[feature] / nodes

    def never(feature: str) -> float:
        return support[feature].unsupported * known[feature] / nodes

    partly_by, unsupported_by = max(known, key=partly), max(known, key=never)
    return HtmlCheck(
        100 - partly(partly_by) - never(unsupported_by), never(unsupported_by), partly_by, unsupported_by
    )


def check_html(page: Page, support: Mapping[str, Support]) -> HtmlCheck:
    """Returns Mailpit's figures for the mail that the page shows without any simulation."""
    looked: dict[str, Any] = {
        "selectors": SELECTORS,
        "properties": PROPERTIES,
        "attributes": ATTRIBUTES,
        "inAttributes": IN_ATTRIBUTES,
        "inSheets": IN_SHEETS,
    }
    counted = page.evaluate(_COUNT, looked)
    return score(counted["found"], counted["nodes"], support)
