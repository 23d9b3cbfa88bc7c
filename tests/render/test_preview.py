"""The line behind the subject, as a mail program reads it from the mail."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.issue.values.display_width import display_columns
from mailer.render.render import render_variants


def preview(workspace: Path, text: str) -> str:
    """What stands before everything else in the body of the mail."""
    path = workspace / "issues" / "preview.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text("edition: morning\ndate: 2026-11-26\nlanguage: en\n" + text, "utf-8")
    settings = load_settings(workspace)
    rendition = render_variants(load_issue(path, settings), settings, slug="preview", variants=[0])[0]
    body = rendition.html.fill(
        {"links.unsubscribe": "https://x.test/", "links.preferences": "https://x.test/"}
    )
    body = body[body.index("<body") :]
    found = re.match(
        r'<body[^>]*>\s*<div[^>]*>\s*<div style="display:none;mso-hide:all;[^"]*">([^<]*)</div>',
        body,
        re.DOTALL,
    )
    assert found, body[:500]
    return found[1]


def test_a_short_preheader_is_followed_by_blanks(workspace: Path) -> None:
    found = preview(workspace, "title: Brief\nitems: [{title: Fog}]\n")
    words, blanks = found[:3], found[3:]
    assert words == "Fog"
    assert 200 < len(blanks.encode()) <= 300
    assert not html.unescape(blanks).strip("\u034f\u00a0")


@pytest.mark.parametrize(
    ("intro", "expected"),
    [
        ("Write &#123;&#123; subscriber.email &#125;&#125; here.", "Write {{ subscriber.email }} here."),
        ("Write \\{\\{ first_name \\}\\} here.", "Write {{ first_name }} here."),
        ('Fish & chips <ferry> "now"[^1]\n\n  [^1]: x', 'Fish & chips <ferry> "now"'),
        ("| Boat |\n  |---|\n  | Gull |", "Fog"),
    ],
)
def test_it_is_made_of_finished_words(workspace: Path, intro: str, expected: str) -> None:
    found = html.unescape(preview(workspace, f"title: Brief\nintro: |\n  {intro}\nitems: [{{title: Fog}}]\n"))
    assert found.rstrip("\u034f\u00a0") == expected
    assert display_columns(found) >= 75


def test_a_long_one_needs_no_blanks(workspace: Path) -> None:
    words = (
        "The ferry rests today until the fog over the quay lifts, which is expected at about four or five."
    )
    assert preview(workspace, f"title: Brief\npreheader: {words!r}\nitems: [{{title: Fog}}]\n") == words
