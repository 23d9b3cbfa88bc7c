"""The web page of an issue in each layout: what leads, what is compact, what a brief and a digest are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailer.config import Settings, load_settings
from mailer.errors import Problem
from mailer.issue.load import load_issue
from mailer.render.render import examine_variants
from tests.full_issue import FULL_WORDS, full_issue

ITEMS = """
  - {title: One, body: First words., source: {name: Wire, url: "https://example.org/w"}, tags: [b, c]}
  - {title: Two?, body: Second words., url: "https://example.org/two"}
  - {title: Three, body: "A.\\n\\nB.", source: Wire, comment: A remark}
  - {title: 四, language: zh, body: 第四, tags: [港]}
  - {title: Five}
  - {title: Six, body: Sixth}
  - {title: Seven, body: "- listed", source: Wire}
"""
FLAT = "title: Mine\ntags: [a, b]\nitems:" + ITEMS


def web_page(root: Path, settings: Settings, layout: str, text: str) -> str:
    """The page alone: the theme need not have a mail of the layout."""
    edition = settings.editions["morning"].model_copy(update={"layout": layout})
    settings = settings.model_copy(update={"editions": {**settings.editions, "morning": edition}})
    path = root / "issues" / "some.yaml"
    path.write_text("edition: morning\ndate: 2026-11-21\nlanguage: en\n" + text, "utf-8")
    faults: list[Problem] = []
    loaded = load_issue(path, settings)
    ((rendition, media),) = examine_variants(loaded, settings, slug="x", variants=[0], faults=faults)
    assert "web" in media, faults
    return rendition.web


def nested(items: str = ITEMS) -> str:
    return "title: Mine\nsections:\n  - title: Part\n    intro: Opening.\n    items:" + items.replace(
        "\n  -", "\n      -"
    )


def test_a_brief_is_a_list_of_paragraphs(workspace: Path, settings: Settings) -> None:
    for text in (FLAT, nested()):
        page = web_page(workspace, settings, "brief", text)
        assert 'class="contents"' not in page
        assert page.count('<article class="item') == 7
        assert page.count('<article class="item third"') == 2
        heading = "h2" if text == FLAT else "h3"
        assert f'<{heading} class="run">One.</{heading}> <div class="md"><p>First words.</p></div>' in page
        assert '<a href="https://example.org/two">Two?</a></' in page  # it ends with a mark already
        assert 'class="run">四。</' in page
        assert '</p></div> <span class="small"><a href="https://example.org/w">Wire</a></span>' in page
        assert "A remark</p></div>" in page
        assert page.count("That is all for today.") == 1
        assert page.index("Sixth") < page.index("That is all for today.")


def test_a_digest_has_compact_lines_below_its_lead(workspace: Path, settings: Settings) -> None:
    page = web_page(workspace, settings, "digest", nested())
    kinds = re.findall(r'<article class="(\w+)[^"]*" id="item-(\d)"', page)
    assert [kind for kind, _ in kinds] == ["story", "line", "story", "line", "line", "line", "story"]
    assert 'class="contents"' not in page
    assert "That is all" not in page
    assert '<h3 class="headline"><a href="https://example.org/two">Two?</a></h3>' in page


def test_contents_are_numbered_in_the_morning_and_sections_are_counted(
    workspace: Path, settings: Settings
) -> None:
    page = web_page(workspace, settings, "morning", FLAT)
    contents = page[
        page.index('<nav class="contents"') : page.index("</nav>", page.index('class="contents"'))
    ]
    assert "7 stories in this issue" in contents
    assert "<b>7</b>" in contents
    evening = web_page(workspace, settings, "evening", FLAT)
    assert "<b>7</b>" not in evening
    assert '<div class="numbered">' not in evening
    two = nested() + "  - title: Other\n    items: [{title: Last}]\n"
    page = web_page(workspace, settings, "evening", two)
    contents = page[
        page.index('<nav class="contents"') : page.index("</nav>", page.index('class="contents"'))
    ]
    assert re.findall(r'href="#([^"]+)"', contents) == ["section-1", "section-2"]
    assert '<span class="count">7 stories</span>' in contents
    assert '<span class="count">1 story</span>' in contents
    few = web_page(workspace, settings, "morning", "items: [{title: A}, {title: B}]\n")
    assert 'class="contents"' not in few


def test_tags_stand_once_at_the_end(workspace: Path, settings: Settings) -> None:
    page = web_page(workspace, settings, "morning", FLAT)
    assert "#b<" not in page
    line = page[page.index('<p class="small closing">') :].split("</p>")[0]
    assert re.findall(r"<span([^>]*)>([^<]*)</span>", line) == [
        ("", "a"), ("", "b"), ("", "c"), (' lang="zh"', "港"),
    ]  # fmt: skip


def test_a_title_that_nobody_wrote_is_not_shown(workspace: Path, settings: Settings) -> None:
    assert "<h1>Mine</h1>" in web_page(workspace, settings, "morning", FLAT)
    page = web_page(workspace, settings, "morning", FLAT.replace("title: Mine\n", ""))
    assert re.search(r'<h1 class="hidden">Morning Brief, November 21, 2026</h1>', page)
    assert page.count("<h1") == 1


@pytest.mark.parametrize("layout", ["brief", "digest"])
@pytest.mark.parametrize("sections", [False, True])
def test_nothing_that_an_editor_wrote_is_left_out(tmp_path: Path, layout: str, sections: bool) -> None:
    root = tmp_path / "desk"
    full_issue(root, edition="morning", sections=sections)
    config = root / "mailer.toml"
    config.write_text(
        config.read_text("utf-8").replace('layout = "morning"', f'layout = "{layout}"'), "utf-8"
    )
    settings = load_settings(root)
    faults: list[Problem] = []
    loaded = load_issue(root / "issues/full.yaml", settings)
    ((rendition, _),) = examine_variants(loaded, settings, slug="x", variants=[0], faults=faults)
    assert [word for word in FULL_WORDS if word not in rendition.web] == []


def test_a_part_in_another_language_has_its_own_type(workspace: Path, settings: Settings) -> None:
    page = web_page(workspace, settings, "morning", FLAT)
    assert ':is([lang|="zh"], [lang|="ja"], [lang|="ko"], [lang|="yue"]) {' in page
    assert "'PingFang SC', 'Microsoft YaHei'" in page
    assert '<article class="story" id="item-4" lang="zh">' in page


def test_landmarks_of_an_issue_have_names(workspace: Path, settings: Settings) -> None:
    page = web_page(
        workspace, settings, "evening", nested() + "related: [{title: R, url: 'https://example.org'}]\n"
    )
    assert all("aria-label" in nav for nav in re.findall("<nav[^>]*>", page))
    assert len(re.findall("<nav", page)) == 2
    assert [len(re.findall(f"<{mark}[ >]", page)) for mark in ("header", "main", "footer")] == [1, 1, 1]
    assert "<aside" not in page


EARLIER_MACROS = """\
{% macro figure(picture) %}<p>Mine: <img src="{{ picture.src }}" alt="{{ picture.alt }}"></p>{% endmacro %}
{% macro article(text) %}{% for block in text.blocks %}{{ block.html }}{% endfor %}{% endmacro %}
{% macro story(item, tag, numbered, around=none) %}
<article id="{{ item.anchor }}"><{{ tag }}>Mine: {{ item.title }}</{{ tag }}>
{{ article(item.body) }}</article>
{% endmacro %}
"""


@pytest.mark.parametrize("layout", ["morning", "evening", "digest", "brief"])
def test_macros_of_an_earlier_version_work(workspace: Path, settings: Settings, layout: str) -> None:
    (workspace / "templates/web").mkdir(parents=True)
    (workspace / "templates/web/macros.html").write_text(EARLIER_MACROS, "utf-8")
    page = web_page(workspace, settings, layout, nested())
    assert page.count("<h3>Mine: ") == 7
