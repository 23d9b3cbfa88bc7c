"""Items that are several things at once, as an advertisement for an event, keep all that they say."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from tests.sent_html import elements

EVENT = {
    "starts": "2026-12-20T18:00",
    "venue": "Eventvenue",
    "address": "Eventaddress",
    "url": "https://www.example.com/eventurl",
}
JOB = {
    "organisation": "Joborganisation",
    "place": "Jobplace",
    "salary": "Jobsalary",
    "url": "https://www.example.com/joburl",
}
WORDS = {
    "event": ("Eventvenue", "Eventaddress", "eventurl", ".ics", "6:00"),
    "job": ("Joborganisation", "Jobplace", "Jobsalary", "joburl"),
    "quote": ("Quotetext",),
}


def _rendered(workspace: Path, layout: str, item: dict[str, Any]) -> Rendition:
    config = (workspace / "mailer.toml").read_text("utf-8").replace('"morning"', f'"{layout}"', 1)
    (workspace / "mailer.toml").write_text(config, "utf-8")
    path = workspace / "issues" / "mixed.yaml"
    items = json.dumps([item])
    path.write_text(f"edition: morning\ndate: 2026-11-21\nlanguage: en\nitems: {items}\n", "utf-8")
    settings = load_settings(workspace)
    return render_variants(load_issue(path, settings), settings, slug="x", variants=(0,))[0]


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("layout", ["morning", "brief"])
@pytest.mark.parametrize("sponsored", [False, True])
@pytest.mark.parametrize("kinds", ["event", "job", "event job", "event job quote"])
def test_nothing_is_left_out(workspace: Path, layout: str, sponsored: bool, kinds: str) -> None:
    parts = {"event": EVENT, "job": JOB, "quote": "Quotetext"}
    item = {
        "title": "Title",
        "url": "https://www.example.com/url",
        "label": "Label",
        "sponsored": sponsored,
        **{kind: parts[kind] for kind in kinds.split()},
    }
    made = _rendered(workspace, layout, item)
    words = ["Title", "Label", *(word for kind in kinds.split() for word in WORDS[kind])]
    shown = {"mail": made.html.fill({}), "text": made.text.fill({}), "web": made.web}
    missing = {medium: [word for word in words if word not in text] for medium, text in shown.items()}
    assert missing == {"mail": [], "text": [], "web": []}
    if sponsored:
        links = [each.attributes for each in elements(shown["mail"]) if each.tag == "a"]
        bought = [link["href"] for link in links if "www.example.com" in (link.get("href") or "")]
        assert bought
        assert all(link.get("rel") == "sponsored" for link in links if link.get("href") in bought)


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("layout", ["morning", "brief"])
def test_a_quote_that_is_an_advertisement_has_no_empty_headline(workspace: Path, layout: str) -> None:
    item = {"quote": "Quotetext", "sponsored": True, "url": "https://www.example.com/url"}
    made = _rendered(workspace, layout, item)
    for page in (made.html.fill({}), made.web):
        assert "Quotetext" in page
        assert not re.search(r"<h([1-6])[^>]*>(?:<a[^>]*>)?\s*(?:</a>)?</h\1>", page)
