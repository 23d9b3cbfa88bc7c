"""What the page of an issue tells search engines about its events, as data that any JSON parser reads."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mailer.config import Settings
from tests.render.test_layouts import Page
from tests.render.test_web_layouts import web_page

SCRIPT = re.compile(r"<script([^>]*)>(.*?)</script>", re.DOTALL)


def data_of(page: str) -> list[dict[str, Any]]:
    """The data of each event; there is no other script."""
    found = SCRIPT.findall(page)
    assert {attributes for attributes, _ in found} <= {' type="application/ld+json"'}
    assert page.count("<script") == page.count("</script") == len(found)
    return [json.loads(text) for _, text in found]


def event(
    workspace: Path, settings: Settings, text: str, more: str = "", layout: str = "morning"
) -> dict[str, Any]:
    page = web_page(workspace, settings, layout, f"items:\n  - title: Meeting\n    event: {text}\n{more}")
    (data,) = data_of(page)
    return data


@pytest.mark.parametrize("layout", ["morning", "evening", "feature", "digest", "brief"])
def test_an_event_is_told_with_its_time_place_and_picture(
    workspace: Path, settings: Settings, layout: str
) -> None:
    data = event(
        workspace,
        settings,
        '{starts: "2026-12-20T18:00", ends: "2026-12-20T21:00", venue: Harbour House, '
        'address: "12 Quay Street", url: "https://example.org/event"}',
        "    url: https://example.org/story\n    image: {src: 'https://example.org/a.png', alt: A}\n",
        layout,
    )
    assert data == {
        "@context": "https://schema.org",
        "@type": "Event",
        "name": "Meeting",
        "startDate": "2026-12-20T18:00:00+08:00",
        "endDate": "2026-12-20T21:00:00+08:00",
        "location": {"@type": "Place", "name": "Harbour House", "address": "12 Quay Street"},
        "url": "https://example.org/event",
        "image": ["https://example.org/a.png"],
    }


def test_times_keep_their_offset_and_days_have_none(workspace: Path, settings: Settings) -> None:
    far = event(workspace, settings, '{starts: "2026-12-20T18:00-05:00", ends: "2026-12-21T02:30Z"}')
    assert (far["startDate"], far["endDate"]) == ("2026-12-20T18:00:00-05:00", "2026-12-21T02:30:00+00:00")
    days = event(workspace, settings, "{starts: 2026-12-20, ends: 2026-12-22}")
    assert (days["startDate"], days["endDate"]) == ("2026-12-20", "2026-12-22")


def test_nothing_is_said_that_the_issue_does_not_say(workspace: Path, settings: Settings) -> None:
    """An event without a place may be online, or the editor left the place out."""
    data = event(workspace, settings, "{starts: 2026-12-20}")
    assert set(data) == {"@context", "@type", "name", "startDate"}
    assert event(workspace, settings, "{starts: 2026-12-20, venue: Hall 3}")["location"] == {
        "@type": "Place",
        "name": "Hall 3",
    }
    linked = event(workspace, settings, "{starts: 2026-12-20}", "    url: https://example.org/story\n")
    assert linked["url"] == "https://example.org/story"


@pytest.mark.parametrize(
    "title",
    [
        "</script><script>alert(1)</script>",
        "<script>alert(1)//",
        "]]> & &amp; &quot;",
        '"}, {"a": "b\\',
        "港口早报 <b>",
        "موعد +971 50 123 456",
    ],
)
@pytest.mark.parametrize("language", ["en", "ar"])
def test_any_title_stays_within_the_data(
    workspace: Path, settings: Settings, title: str, language: str
) -> None:
    item = f"title: {json.dumps(title)}, language: {language}, event: {{starts: 2026-12-20}}"
    text = f"items: [{{{item}}}]\n"
    page = web_page(workspace, settings, "morning", text)
    (data,) = data_of(page)
    assert data["name"] == title
    assert len(Page(page).all("script")) == 1


def test_slots_have_their_defaults(workspace: Path, settings: Settings) -> None:
    text = (
        "items:\n  - title: Meeting of {{ subscriber.name or 'A \"<b>' }}\n"
        "    event: {starts: 2026-12-20, venue: '{{ subscriber.attributes.town }}'}\n"
    )
    (data,) = data_of(web_page(workspace, settings, "morning", text))
    assert data["name"] == 'Meeting of A "<b>'


def test_each_event_has_data_of_its_own(workspace: Path, settings: Settings) -> None:
    text = "\n".join(f"  - {{title: E{day}, event: {{starts: 2026-12-{day}}}}}" for day in (20, 21, 22))
    page = web_page(workspace, settings, "evening", f"items:\n  - title: Story\n{text}\n")
    assert [each["name"] for each in data_of(page)] == ["E20", "E21", "E22"]
    assert data_of(web_page(workspace, settings, "evening", "items: [{title: Story}]\n")) == []


def test_only_an_event_has_such_data(workspace: Path, settings: Settings) -> None:
    (workspace / "templates/web").mkdir(parents=True)
    path = workspace / "templates/web/issue.html"
    for value in ("issue.items[0]", "issue", "'x'"):
        path.write_text(f"<!doctype html>\n{{{{ {value} | event_data }}}}", "utf-8")
        with pytest.raises(AssertionError, match="can only be used with an item that has an event"):
            web_page(workspace, settings, "morning", "items: [{title: One}]\n")
