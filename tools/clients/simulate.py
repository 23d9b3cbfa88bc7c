"""Opens a mail in Chromium as a simulated client shows it, and measures its layout there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Route

from tools.clients.facts import Rule, Simulation, load_facts
from tools.screenshots import Shown

__all__ = ["Client", "clients", "faults_of", "resolve_mso_conditionals"]

_HERE = Path(__file__).parent
_ADDRESS = "https://news.example.org/"
_HIDDEN = re.compile(r"<!--\[if ([^\]]*)\]>(?!<!-->)(.*?)<!\[endif\]-->", re.DOTALL)
_REVEALED = re.compile(r"<!--\[if ([^\]]*)\]><!-->(.*?)<!--<!\[endif\]-->", re.DOTALL)
_COMPARED = re.compile(r"(?:(gte|gt|lte|lt)\s+)?mso(?:\s+(\d+))?")


def resolve_mso_conditionals(html: str, version: int) -> str:
    """Returns the HTML as Word of this version reads it, without conditional comments.

    Conditions for IE are false. Raises ValueError for a condition that cannot be read.
    """

    def resolved(match: re.Match[str]) -> str:
        return match[2] if _holds(match[1], version) else ""

    return _HIDDEN.sub(resolved, _REVEALED.sub(resolved, html))


def _holds(condition: str, version: int) -> bool:
    """Returns whether a condition such as `!mso`, `gte mso 9` or `mso | IE` is true for this Word."""
    condition = condition.replace("(", " ").replace(")", " ").strip()
    if "|" in condition:
        return any(_holds(each, version) for each in condition.split("|"))
    if "&" in condition:
        return all(_holds(each, version) for each in condition.split("&"))
    if condition.startswith("!"):
        return not _holds(condition[1:], version)
    if re.fullmatch(r"(?:(?:gte|gt|lte|lt)\s+)?(?:IE(?:\s+\d+)?|true|vml)", condition):
        return condition == "true"
    match = _COMPARED.fullmatch(condition)
    if match is None:
        raise ValueError(f"the condition of a conditional comment cannot be read: {condition}")
    if match[2] is None:
        return True
    number = int(match[2])
    return {
        "gte": version >= number,
        "gt": version > number,
        "lte": version <= number,
        "lt": version < number,
        None: version == number,
    }[match[1]]


class Client:
    """Shows mails in one tab of a browser, its `page`. Nothing is loaded from a network."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._html = ""
        self._pictures: Mapping[str, bytes] = {}
        self._transform = (_HERE / "transform.js").read_text(encoding="utf-8")
        self._measure = (_HERE / "measure.js").read_text(encoding="utf-8")
        page.route("**/*", self._answer)

    def _answer(self, route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        if route.request.url == _ADDRESS:
            route.fulfill(body=self._html, content_type="text/html; charset=utf-8")
        elif name in self._pictures:
            route.fulfill(body=self._pictures[name], headers={"Cache-Control": "no-store"})
        else:
            route.abort()

    def show(self, document: Shown, simulation: Simulation, width: int) -> Page:
        """Loads the mail as this client shows it in a window of `width` px, and returns its page."""
        self._html = document.mail
        for rule in simulation.rules_of("source"):
            self._html = resolve_mso_conditionals(self._html, rule.options["version"])
        blocked = any(rule.name == "pictures-blocked" for rule in simulation.rules_of("browser"))
        self._pictures = {} if blocked else document.pictures
        self.page.set_viewport_size({"width": width, "height": 812})
        self.page.emulate_media(color_scheme=simulation.scheme)
        self.page.goto(_ADDRESS, wait_until="load")
        self.page.evaluate(self._transform, [_argument(rule) for rule in simulation.rules_of("page")])
        return self.page

    def measure(self, width: int) -> dict[str, Any]:
        """Returns the faults of the page that is shown, by kind, at a width in px, and `directions`."""
        self.page.set_viewport_size({"width": width, "height": 812})
        measured: dict[str, Any] = self.page.evaluate(self._measure, dict(load_facts().limits))
        return measured


def _argument(rule: Rule) -> dict[str, Any]:
    return {"name": rule.name, "options": dict(rule.options)}


@contextmanager
def clients(browser: Browser) -> Iterator[Client]:
    """Gives a tab for simulated clients, and closes it."""
    context = browser.new_context(viewport={"width": 375, "height": 812})
    try:
        yield Client(context.new_page())
    finally:
        context.close()


def faults_of(measured: Mapping[str, Any], checks: Sequence[str] | frozenset[str]) -> list[str]:
    """Returns the faults of these kinds as lines such as `contrast 3.2: Unsubscribe`, without repetitions."""
    lines = [
        f"{kind} {fault['is']}: {fault['text']}"
        for kind in sorted(checks)
        for fault in measured.get(kind, ())
    ]
    return list(dict.fromkeys(lines))
