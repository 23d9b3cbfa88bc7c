"""Names of publication and editions in the language of the issue, and the words of an edition's rhythm."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mailer.archive.recorded_settings import recorded_settings
from mailer.config import Settings, load_settings
from mailer.issue.load import load_issue
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition

ITEMS = "items: [{title: One, body: Text.}, {title: Two, body: Text.}, {title: Three, body: Text.}]\n"
NAMES = {
    "zh": ("港口早报", "晨间快讯", "港口新闻"),
    "en": ("Harbour Brief", "Morning Watch", "News of the port"),
}


@pytest.fixture
def named(workspace: Path) -> Settings:
    """The settings of a publication with names by language."""
    path = workspace / "mailer.toml"
    text = path.read_text("utf-8")
    publication, edition, about = zip(*NAMES.values(), strict=True)
    for old, texts in {'name = "Harbour Brief"': publication, 'name = "Morning Brief"': edition}.items():
        text = text.replace(old, f'name = {{zh = "{texts[0]}", en = "{texts[1]}"}}', 1)
    text = text.replace('layout = "morning"', f'description = {{zh = "{about[0]}", en = "{about[1]}"}}', 1)
    path.write_text(text, "utf-8")
    return load_settings(workspace)


def rendered(settings: Settings, language: str, more: str = ITEMS) -> Rendition:
    path = settings.root / "issues/2026-11-21-morning.yaml"
    path.write_text(f"edition: morning\ndate: 2026-11-21\nlanguage: {language}\n{more}", "utf-8")
    loaded = load_issue(path, settings)
    return render_variants(loaded, settings, slug="2026-11-21-morning", variants=[0])[0]


@pytest.mark.parametrize(
    ("language", "own", "other"),
    [("zh", "zh", "en"), ("en", "en", "zh"), ("zh-Hant-TW", "zh", "en"), ("fr", "en", "zh")],
)
def test_every_part_has_the_names_of_the_issues_language(
    named: Settings, language: str, own: str, other: str
) -> None:
    made = rendered(named, language)
    publication, edition, _ = NAMES[own]
    mail, text = made.html.fill({}), made.text.fill({})
    for part in (mail, text, made.web):
        assert publication in part
        assert edition in part
        # The postal address holds the English name in every language.
        assert NAMES[other][0] not in part.replace(named.publication.postal_address, "")
        assert NAMES[other][1] not in part
    assert f'<meta property="og:site_name" content="{publication}">' in made.web
    assert made.subject.fill({}).startswith(edition)


def test_templates_see_plain_texts(named: Settings) -> None:
    own = named.root / "templates/text/morning.txt"
    own.parent.mkdir(parents=True)
    own.write_text(
        "{{ publication.name }}|{{ edition.name | upper }}|{{ edition.description }}|{{ edition.rhythm }}|"
        "{{ publication.name in 'x Harbour Brief' }}|{{ publication.description }}|{{ links.unsubscribe }}\n"
    )
    for language, seen in {
        "zh": "港口早报|晨间快讯|港口新闻||False||",
        "en": "Harbour Brief|MORNING WATCH|News of the port||True||",
    }.items():
        assert rendered(named, language).text.fill({"links.unsubscribe": ""}).strip() == seen


def test_a_logo_without_a_picture_is_called_by_the_name(named: Settings) -> None:
    brand = named.brand.model_copy(update={"logo": "https://example.org/logo.png"})
    own = named.root / "templates/text/morning.txt"
    own.parent.mkdir(parents=True)
    own.write_text("{{ brand.logo.alt }}{{ links.unsubscribe }}")
    settings = named.model_copy(update={"brand": brand})
    assert rendered(settings, "zh").text.fill({}).startswith("港口早报")


def test_names_by_language_are_recorded_and_restored(named: Settings) -> None:
    manifest = {
        "edition": "morning",
        "settings": {
            "publication": named.publication.model_dump(mode="json", by_alias=True),
            "brand": named.brand.model_dump(mode="json"),
            "edition": named.editions["morning"].model_dump(mode="json", exclude={"time"}),
        },
    }
    assert manifest["settings"]["publication"]["name"] == {"zh": "港口早报", "en": "Harbour Brief"}  # type: ignore[index]
    then = recorded_settings(manifest, named)
    assert then.publication == named.publication
    assert then.publication.name.forms == named.publication.name.forms
    assert rendered(then, "zh") == rendered(named, "zh")


LAST_WORDS = {
    "en": ("That is all for today.", "That is all for this week.", "That is all for this month."),
    "zh": ("以上就是今天的全部内容。", "以上就是本周的全部内容。", "以上就是本月的全部内容。"),
    "zh-Hant": ("以上就是今天的全部內容。", "以上就是本週的全部內容。", "以上就是本月的全部內容。"),
}


@pytest.mark.parametrize("language", LAST_WORDS)
@pytest.mark.parametrize(("rhythm", "which"), [(None, 0), ("daily", 0), ("weekly", 1), ("monthly", 2)])
def test_a_brief_ends_in_the_words_of_its_rhythm(
    workspace: Path, language: str, rhythm: str | None, which: int
) -> None:
    variables = {"MAILER_EDITIONS_MORNING_LAYOUT": "brief"}
    variables |= {"MAILER_EDITIONS_MORNING_RHYTHM": rhythm} if rhythm else {}
    made = rendered(load_settings(workspace, variables), language)
    for part in (made.html.fill({}), made.text.fill({}), made.web):
        assert [words for words in LAST_WORDS[language] if words in part] == [LAST_WORDS[language][which]]


@pytest.mark.parametrize("rhythm", ["daily", "weekly", "monthly"])
@pytest.mark.parametrize("layout", ["morning", "evening", "digest", "feature"])
def test_a_rhythm_changes_nothing_but_words(workspace: Path, layout: str, rhythm: str) -> None:
    variables = {"MAILER_EDITIONS_MORNING_LAYOUT": layout}
    plain = rendered(load_settings(workspace, variables), "en")
    variables["MAILER_EDITIONS_MORNING_RHYTHM"] = rhythm
    assert rendered(load_settings(workspace, variables), "en") == plain


@pytest.mark.parametrize("layout", ["morning", "evening", "digest", "brief"])
def test_no_count_stands_where_there_is_nothing_to_count(workspace: Path, layout: str) -> None:
    settings = load_settings(workspace, {"MAILER_EDITIONS_MORNING_LAYOUT": layout})
    empty = '{title: %s, intro: Text., items: [{title: Hidden, only: language == "zh"}]}'
    made = rendered(settings, "en", f"intro: x\nsections: [{empty % 'A'}, {empty % 'B'}]\n")
    for part in (made.html.fill({}), made.text.fill({}), made.web):
        assert "Hidden" not in part
        assert not re.search(r"\b0 stor", part)
