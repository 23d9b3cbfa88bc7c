"""Issues that the samples do not have: odd titles, pictures of other sites, texts about markup."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailer.config import Settings, load_settings
from mailer.issue.load import load_issue
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition
from tests.render.test_same_words import Words
from tests.sent_html import elements


def rendered(workspace: Path, text: str, layout: str = "morning") -> Rendition:
    """An issue in English, in an edition of this layout."""
    config = (workspace / "mailer.toml").read_text("utf-8").replace('"morning"', f'"{layout}"', 1)
    (workspace / "mailer.toml").write_text(config, "utf-8")
    path = workspace / "issues" / "odd.yaml"
    path.write_text(f"edition: morning\ndate: 2026-11-21\nlanguage: en\n{text}", "utf-8")
    settings = load_settings(workspace)
    return render_variants(load_issue(path, settings), settings, slug="x", variants=(0,))[0]


def words(html: str) -> str:
    """The words of a page, with one blank between them."""
    return " ".join(Words(html).text.split())


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize(
    "title",
    ["Why?", "He said “no.”", "(It rests!)", "Comma,", "A dash —", "لماذا؟", "何？」", "だ．", "港口休息。"],
)
def test_nothing_ends_a_headline_of_a_brief_that_ends_by_itself(workspace: Path, title: str) -> None:
    made = rendered(workspace, f'items: [{{title: "{title}", body: Text.}}]\n', "brief")
    for page in (made.html.fill({}), made.web):
        assert f"{title} Text." in words(page)


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("title", ["Cranes rest", "Cranes “rest”", "Cranes (all)", "100 %"])
def test_a_full_stop_ends_any_other_headline_of_a_brief(workspace: Path, title: str) -> None:
    made = rendered(workspace, f"items: [{{title: '{title}', body: Text.}}]\n", "brief")
    for page in (made.html.fill({}), made.web):
        assert f"{title}. Text." in words(page)


def test_links_side_by_side_are_words_of_their_own(workspace: Path, settings: Settings) -> None:
    """Outlook for Windows pads no link, and a screen reader or a copy has no padding at all."""
    made = rendered(
        workspace, 'items: [{title: One, source: Example Wire, url: "https://www.example.org/one"}]\n'
    )
    assert "Unsubscribe Preferences Web version" in words(made.html.fill({}))
    for page in (made.html.fill({}), made.web):
        assert "Example Wire Read in full at example.org" in words(page)


def test_a_compact_line_has_its_picture_of_another_site(workspace: Path, settings: Settings) -> None:
    text = "sections:\n- title: S\n  items:\n  - title: First\n  - title: Second\n"
    text += "    image: {src: https://pics.example.org/a.png, alt: Far away}\n"
    made = rendered(workspace, text)
    pictures = [each.attributes for each in elements(made.html.fill({})) if each.tag == "img"]
    assert [(each["alt"], each["width"]) for each in pictures if each["alt"]] == [("Far away", "96")]
    assert 'alt="Far away"' in made.web


def test_rules_of_tables_stand_in_mails_with_such_tables_alone(workspace: Path, settings: Settings) -> None:
    said = 'items: [{title: A stack of data small, body: "A `class=\\"data stack small` <mj-text"}]\n'
    said = said.replace("<mj-text", "`<mj-text>`")
    made = rendered(workspace, said).html.fill({})
    assert ".stack thead" not in made
    assert ".c .headline" not in made
    assert ".number, .line" not in made
    rows = ["| a | b | c | d | e | f |", "|---|---|---|---|---|---|"]
    rows += ["| one | two words | three hundred | 4,000 | five | six |"]
    wide = "\n    ".join(rows)
    made = rendered(workspace, f"items:\n- title: T\n  body: |\n    {wide}\n").html.fill({})
    assert ".stack thead" in made


@pytest.mark.parametrize(
    "piece",
    [
        "<mj-text>Own</mj-text>",
        "<mj-raw><tr><td>Own</td></tr></mj-raw>",
        "<mj-section><mj-column><mj-text>Own</mj-text></mj-column></mj-section>",
        "<mj-wrapper><mj-section><mj-column><mj-text>Own</mj-text></mj-column></mj-section></mj-wrapper>",
        '<mj-hero background-color="#222222"><mj-text color="#ffffff">Own</mj-text></mj-hero>',
    ],
)
def test_a_piece_of_any_element_of_mjml_stands_where_it_is_named(
    workspace: Path, settings: Settings, piece: str
) -> None:
    path = workspace / "templates/email/partials/contents.mjml"
    path.parent.mkdir(parents=True)
    path.write_text(piece, "utf-8")
    made = rendered(workspace, "intro: Before.\nitems: [{title: Behind}]\n").html.fill({})
    assert "Before. Own 1 Behind" in words(made)


#: What templates/web/fonts.html of versions before 0.6.0 gave, with faces of a workspace's own.
EARLIER_FACES = (
    "{% macro own(language) %}Ours{% endmacro %}{% macro sans(language) %}Mine{% endmacro %}"
    "{% macro serif(language) %}Yours{% endmacro %}"
)


@pytest.mark.usefixtures("settings")
@pytest.mark.parametrize("layout", ["morning", "evening", "feature", "brief", "digest"])
def test_faces_of_an_earlier_version_are_those_of_the_mail_and_its_page(workspace: Path, layout: str) -> None:
    fonts = workspace / "templates/web/fonts.html"
    fonts.parent.mkdir(parents=True)
    fonts.write_text(EARLIER_FACES, "utf-8")
    made = rendered(workspace, "items: [{title: One, language: ja}, {title: Two}]\n", layout)
    assert "font-family:Yours" in made.html.fill({})
    assert "font-family:Mine" in made.html.fill({})
    assert "--text: Yours; --plain: Mine;" in made.web


def test_a_long_name_above_the_text_part_is_wrapped(workspace: Path, settings: Settings) -> None:
    name = "The Quarterly Bulletin of the Harbour Masters and Pilots of the Eastern Estuary"
    config = (workspace / "mailer.toml").read_text("utf-8")
    (workspace / "mailer.toml").write_text(config.replace(settings.publication.name, name, 1), "utf-8")
    head = rendered(workspace, "items: [{title: One}]\n").text.fill({}).partition("====")[0]
    assert max(map(len, head.splitlines())) <= 72
    assert f"{name} · Saturday, November 21, 2026" in " ".join(head.split())
