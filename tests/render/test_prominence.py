"""Which item leads, which are compact lines, and what a view says of titles and tags."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import Settings
from mailer.issue.load import load_issue
from mailer.render.faults import RenderingFaults
from mailer.render.slots.markers import Markers
from mailer.render.source_positions import SourcePositions
from mailer.render.views.build import ViewBuilder
from mailer.render.views.values import IssueView

SHORT = "body: Short {{ subscriber.name or 'reader' }}."
SECTIONS = f"""
sections:
  - title: One
    items:
      - {{title: First, body: Short}}
      - title: Second
        {SHORT}
      - {{title: Third}}
  - title: Two
    items:
      - {{title: Opens, body: Short}}
      - {{title: Commented, body: Short, comment: A word}}
      - {{title: Long, body: "{"x" * 121}"}}
      - {{title: Just, body: "{"x" * 120}"}}
      - {{title: Twice, body: "One.\\n\\nTwo."}}
      - {{title: Listed, body: "- One"}}
      - {{title: Captioned, image: {{src: "https://example.org/a.png", alt: A, caption: C}}}}
      - {{title: Linked, image: {{src: "https://example.org/a.png", alt: A, url: "https://example.org/"}}}}
      - {{title: Within, body: "![A](https://example.org/a.png) B"}}
      - {{title: Thumbnail, image: {{src: "https://example.org/a.png", alt: A}}}}
"""
ITEMS = "items: [{title: First, body: Short}, {title: Second, body: Short}]\n"


def view_of(workspace: Path, settings: Settings, layout: str, text: str) -> IssueView:
    edition = settings.editions["morning"].model_copy(update={"layout": layout})
    settings = settings.model_copy(update={"editions": {**settings.editions, "morning": edition}})
    path = workspace / "issues" / "some.yaml"
    path.write_text("edition: morning\ndate: 2026-11-21\nlanguage: en\n" + text, "utf-8")
    positions = SourcePositions(load_issue(path, settings))
    builder = ViewBuilder(positions, settings, Markers("x"), "https://example.org/", RenderingFaults())
    return builder.issue_view(positions.loaded.issue)


def compact(view: IssueView) -> list[str]:
    return [item.title for item in view.all_items if item.compact]


@pytest.mark.parametrize("layout", ["morning", "evening", "feature", "digest", "brief"])
def test_only_the_first_item_leads(workspace: Path, settings: Settings, layout: str) -> None:
    for text in (SECTIONS, ITEMS):
        view = view_of(workspace, settings, layout, text)
        leads = [item.title for item in view.all_items if item.lead]
        assert leads == ([] if layout in ("brief", "feature") else ["First"])
        assert not any(item.lead and item.compact for item in view.all_items)


def test_a_short_item_behind_the_first_of_its_section_is_compact(workspace: Path, settings: Settings) -> None:
    for layout in ("morning", "evening", "feature"):
        view = view_of(workspace, settings, layout, SECTIONS)
        assert compact(view) == ["Second", "Third", "Just", "Thumbnail"]
        assert compact(view_of(workspace, settings, layout, ITEMS)) == []


def test_a_digest_is_compact_and_a_brief_is_not(workspace: Path, settings: Settings) -> None:
    digest = view_of(workspace, settings, "digest", SECTIONS)
    assert compact(digest) == ["Second", "Third", "Opens", "Long", "Just", "Thumbnail"]
    assert compact(view_of(workspace, settings, "digest", ITEMS)) == ["Second"]
    assert compact(view_of(workspace, settings, "brief", SECTIONS)) == []


def test_a_title_that_the_editor_wrote_is_told_from_a_default(workspace: Path, settings: Settings) -> None:
    assert view_of(workspace, settings, "morning", "title: Mine\n" + ITEMS).has_title
    assert not view_of(workspace, settings, "morning", ITEMS).has_title
    assert not view_of(workspace, settings, "morning", "title: ''\n" + ITEMS).has_title


def test_every_tag_is_listed_once(workspace: Path, settings: Settings) -> None:
    items = "items: [{title: A, tags: [b, c], language: ar}, {title: B, tags: [d, c]}]\n"
    view = view_of(workspace, settings, "morning", "tags: [a, b]\n" + items)
    assert view.all_tags == ("a", "b", "c", "d")
    assert [(tag.language, tag.dir) for tag in view.all_tags] == [
        ("en", "ltr"),
        ("en", "ltr"),
        ("ar", "rtl"),
        ("en", "ltr"),
    ]
