"""Footnotes in the mail, the text part and the web page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from mailer.config import load_settings
from mailer.issue.load import load_issue
from mailer.render.check import check_rendition
from mailer.render.render import render_variants

READER = dict.fromkeys(("links.unsubscribe", "links.preferences"), "https://news.example.org/u/one.two")


class Made(NamedTuple):
    """What is made of the issue below, and what `mailer check` says of it."""

    html: str
    text: str
    web: str
    found: list[str]


ISSUE = """\
edition: {edition}
date: 2026-11-26
title: Notes
intro: |
  The ferry rests[^1] today^[Until the fog lifts.].

  [^1]: See the [timetable](https://example.org/ferry).
items:
  - title: A table
    body: |
      | Boat | Seats |
      |---|--:|
      | Gull[^g] | 80 |

      [^g]: Built in 1998.

          Rebuilt in 2011.
    comment: |
      渡轮[^1]停航。

      [^1]: 大雾。
    image: {{src: "https://example.org/gull.png", alt: The Gull, caption: "The Gull^[Drawn at noon.]"}}
"""


@pytest.fixture(params=["morning", "evening", "feature"])
def made(workspace: Path, request: pytest.FixtureRequest) -> Made:
    config = workspace / "mailer.toml"
    text = config.read_text("utf-8")
    edition = request.param if f"[editions.{request.param}]" in text else "morning"
    if edition != request.param:
        text = text.replace('layout = "morning"', f'layout = "{request.param}"')
        config.write_text(text, "utf-8")
    path = workspace / "issues" / "notes.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(ISSUE.format(edition=edition), "utf-8")
    settings = load_settings(workspace)
    loaded = load_issue(path, settings)
    rendition = render_variants(loaded, settings, slug="notes", variants=[0])[0]
    found = [problem.message for problem in check_rendition(loaded, rendition, settings)]
    return Made(rendition.html.fill(READER), rendition.text.fill(READER), rendition.web, found)


def test_references_lead_to_their_notes_and_back(made: Made) -> None:
    for html in (made.html, made.web):
        ids = re.findall(r'\bid="(note[^"]*)"', html)
        assert len(ids) == len(set(ids)) == 10
        leads = re.findall(r'<a[^>]*href="#(note[^"]*)"', html)
        assert sorted(leads) == sorted(ids)
        for tag in re.findall(r"<a[^>]*>", html):
            if 'href="#note' in tag:
                assert "target" not in tag
        assert html.count('class="footnotes"') == 4


def test_the_text_part_numbers_them(made: Made) -> None:
    text = made.text
    assert "The ferry rests[1] today[2]." in text
    assert "\n[1] See the timetable <https://example.org/ferry>." in text
    assert "\n[2] Until the fog lifts." in text
    assert re.search(r"Gull\[1\] +\| +80\b", text)
    assert re.search(r"\n *\[1\] Built in 1998\.\n\n? *Rebuilt in 2011\.", text)
    assert "渡轮[1]停航。" in text
    assert "[1] 大雾。" in text
    assert "^" not in text


def test_nothing_is_wrong_with_them(made: Made) -> None:
    assert not [line for line in made.found if "note" in line]
