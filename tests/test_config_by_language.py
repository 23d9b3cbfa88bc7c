"""Names, titles and descriptions of mailer.toml may have a text for each language."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailer.config import Settings, TextByLanguage, load_settings
from mailer.config.sections import Edition
from mailer.errors import ConfigError

NAME = 'name = "Harbour Brief"'
FORMS = (("zh", "港口早报"), ("en", "Harbour Brief"))
TABLE = 'name = {zh = "港口早报", en = "Harbour Brief"}'


def with_name(root: Path, written: str, environ: dict[str, str] | None = None) -> Settings:
    """Returns the settings with another line for the publication's name."""
    path = root / "mailer.toml"
    path.write_text(path.read_text("utf-8").replace(NAME, written, 1), "utf-8")
    return load_settings(root, environ or {})


def test_a_text_is_what_it_was(workspace: Path) -> None:
    settings = load_settings(workspace, {})
    name = settings.publication.name
    assert (name, name.forms, name.language) == ("Harbour Brief", (), "")
    assert settings.in_language("zh") == settings
    assert name.in_language("zh") is name
    assert settings.publication.model_dump_json().startswith('{"name":"Harbour Brief",')
    assert json.dumps(settings.editions["morning"].model_dump(mode="json")) == (
        '{"name": "Morning Brief", "title": "{edition}, {date}", "layout": "morning", "language": "zh", '
        '"time": "08:00:00", "description": "", "archive": true}'
    )


@pytest.mark.parametrize(
    "written",
    [
        TABLE,
        'name.zh = "港口早报"\nname.en = " Harbour Brief "',
        TABLE.replace("zh", "ZH").replace("en", "en_GB"),
    ],
)
def test_a_name_has_a_text_for_each_language(workspace: Path, written: str) -> None:
    settings = with_name(workspace, written)
    assert settings.publication.name == "Harbour Brief"  # the publication's own language
    for language, name in {
        "zh": "港口早报",
        "zh_Hant": "港口早报",
        "zh-Hant-TW": "港口早报",
        "en-US": "Harbour Brief",
        "fr": "Harbour Brief",
        "": "Harbour Brief",
    }.items():
        assert settings.in_language(language).publication.name == name


def test_without_the_publications_language_the_first_text_stands(workspace: Path) -> None:
    settings = with_name(workspace, 'name = {ja = "港", zh = "港口早报"}')
    assert settings.publication.name == "港"
    assert settings.publication.name.language == "ja"
    there_and_back = settings.in_language("zh").in_language("fr")
    assert there_and_back.publication.name == "港"


def test_editions_have_names_titles_and_descriptions_by_language(workspace: Path) -> None:
    path = workspace / "mailer.toml"
    table = (
        'name = {zh = "早报", en = "Morning"}\ndescription = {zh = "每天", en = "Daily"}\n'
        'title = {zh = "{edition}（{date}）", en = "{edition}: {date}"}'
    )
    path.write_text(path.read_text("utf-8").replace('name = "Morning Brief"', table), "utf-8")
    settings = load_settings(workspace, {})
    edition = settings.editions["morning"]
    assert (edition.name, edition.description, edition.title) == ("Morning", "Daily", "{edition}: {date}")
    edition = settings.in_language("zh-CN").editions["morning"]
    assert (edition.name, edition.description, edition.title) == ("早报", "每天", "{edition}（{date}）")
    assert edition.name.language == "zh"
    dump = edition.model_dump(mode="json", exclude={"time"})
    assert dump["name"] == {"zh": "早报", "en": "Morning"}
    assert Edition.model_validate(dump).name.forms == edition.name.forms


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            "name = {}",
            'name: has no text; write one for each language, as in {zh = "港口早报", en = "Harbour Brief"}',
        ),
        ('name = {english = "x"}', 'name.english: "english" is not a language tag such as en or zh'),
        ('name = {zh = "", en = "x"}', "name.zh: must not be empty"),
        ('name = {zh = "  ", en = "x"}', "name.zh: must not be empty"),
        ('name = {zh = 5, en = "x"}', "name.zh: input should be a valid string"),
        (r'name = {zh = "a\nb"}', "name.zh: must be one line without control characters"),
        ('name = {zh = "a", ZH = "b"}', "name: has two texts for one language; remove one of them"),
        ('name = ["a"]', "name: must be a text, or a table with a text for each language"),
        ("name = 5", "name: must be a text, or a table with a text for each language"),
        ('name = ""', "name: must not be empty"),
    ],
)
def test_a_wrong_name_is_one_sentence_with_its_line(workspace: Path, written: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        with_name(workspace, written)
    assert str(caught.value) == f"mailer.toml:2: publication.{message}"


def test_the_line_in_a_table_of_its_own_is_that_of_the_language(workspace: Path) -> None:
    path = workspace / "mailer.toml"
    text = path.read_text("utf-8").replace(NAME + "\n", "", 1)
    text = text.replace(
        "[editions.morning]", '[publication.name]\nen = "Harbour"\nzh = ""\n\n[editions.morning]', 1
    )
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as caught:
        load_settings(workspace, {})
    line = text.splitlines().index('zh = ""') + 1
    assert str(caught.value) == f"mailer.toml:{line}: publication.name.zh: must not be empty"


def test_a_title_pattern_is_checked_in_each_language(workspace: Path) -> None:
    path = workspace / "mailer.toml"
    wrong = 'layout = "morning"\ntitle = {en = "{edition}", zh = "{datum}"}'
    path.write_text(path.read_text("utf-8").replace('layout = "morning"', wrong), "utf-8")
    with pytest.raises(ConfigError, match=r"title\.zh: \{datum\} is not known here"):
        load_settings(workspace, {})
    empty = path.read_text("utf-8").replace("{datum}", "")
    path.write_text(empty, "utf-8")
    with pytest.raises(ConfigError, match=r"title\.zh: must not be empty"):
        load_settings(workspace, {})


def test_the_environment_has_a_text_or_a_table(workspace: Path) -> None:
    def name(value: str) -> TextByLanguage:
        return load_settings(workspace, {"MAILER_PUBLICATION_NAME": value}).publication.name

    assert name(TABLE.removeprefix("name = ")).forms == FORMS
    for text in ("The Quay", "2026", "true", '"quoted"', '["a"]', "{edition}", "{", "2026-11-21"):
        assert (name(text), name(text).forms) == (text, ())
    with pytest.raises(
        ConfigError, match=r"publication\.name: has no text; .* \(from MAILER_PUBLICATION_NAME\)"
    ):
        name("{}")


@pytest.mark.parametrize("rhythm", ["daily", "weekly", "monthly"])
def test_an_edition_may_have_a_rhythm(workspace: Path, rhythm: str) -> None:
    settings = load_settings(workspace, {"MAILER_EDITIONS_MORNING_RHYTHM": rhythm})
    assert settings.editions["morning"].rhythm == rhythm
    assert settings.editions["morning"].model_dump()["rhythm"] == rhythm
    assert settings.editions["evening"].rhythm is None


def test_another_rhythm_is_an_error(workspace: Path) -> None:
    with pytest.raises(ConfigError, match=r"rhythm: input should be 'daily', 'weekly' or 'monthly'"):
        load_settings(workspace, {"MAILER_EDITIONS_MORNING_RHYTHM": "hourly"})


def test_a_copy_keeps_all_forms() -> None:
    text = TextByLanguage("港口早报", FORMS, "zh")
    for same in (copy.deepcopy(text), pickle.loads(pickle.dumps(text))):
        assert (same, same.forms, same.language) == (text, FORMS, "zh")
    assert Edition(name=text).name is text


@given(
    forms=st.dictionaries(st.sampled_from(["zh", "en", "ar", "zh-Hant", "en-GB", "ja"]), st.text(min_size=1)),
    wanted=st.lists(st.sampled_from(["zh", "zh-TW", "en", "fr", "ar-EG", "", "x" * 50, "-", "ja_JP"])),
)
def test_there_is_always_a_form(forms: dict[str, str], wanted: list[str]) -> None:
    text = TextByLanguage(next(iter(forms.values()), "plain"), tuple(forms.items()), next(iter(forms), ""))
    found = text.in_language(*wanted)
    assert found.forms == text.forms
    assert found == forms[found.language] if forms else found == "plain"
