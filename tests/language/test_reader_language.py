"""Every string of the pages has its translations."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from mailer.language.reader_language import accepted_languages, choose_language, page_translations
from mailer.theme_files import built_in_theme_folder

THEME = built_in_theme_folder()


def used() -> set[str]:
    found: set[str] = set()
    for path in sorted((THEME / "web/pages").glob("*.html")):
        for _, message, _, _ in extract("jinja2.ext:babel_extract", io.BytesIO(path.read_bytes())):
            found.add(message if isinstance(message, str) else message[0])
    return found


@pytest.mark.parametrize("language", ["zh", "zh_Hant"])
def test_every_string_is_translated_and_none_is_left_over(language: str) -> None:
    with (THEME / f"locale/{language}/LC_MESSAGES/web.po").open("rb") as file:
        catalogue = read_po(file)
    translated = {str(message.id): str(message.string) for message in catalogue if message.id}
    assert set(translated) == used()
    for original, translation in translated.items():
        assert translation.strip()
        assert [c for c in original if c in "{}"] == [c for c in translation if c in "{}"]


def test_without_any_wish_that_can_be_met_a_page_is_in_english() -> None:
    assert choose_language(("fr", "", "no language at all", "x" * 99), (THEME,)) == "en"
    assert choose_language(("zh-Hans-CN",), (THEME,)) == "zh"
    assert choose_language(("pt_BR", "en-GB"), (THEME,)) == "en_GB"


@pytest.mark.parametrize(
    "wish", ["zh-TW", "zh_TW", "zh-tw", "zh-HK", "zh-MO", "zh-Hant", "zh-Hant-TW", "zh-hant-hk"]
)
def test_readers_of_traditional_characters_get_them(wish: str) -> None:
    assert choose_language((wish,), (THEME,)) == "zh_Hant"
    assert page_translations("zh_Hant", (THEME,)).translate("Unsubscribe") == "退訂"


@pytest.mark.parametrize("wish", ["zh", "zh-CN", "zh_SG", "zh-Hans", "zh-Hans-HK"])
def test_readers_of_simplified_characters_get_them(wish: str) -> None:
    assert choose_language((wish,), (THEME,)) == "zh"
    assert page_translations("zh", (THEME,)).translate("Unsubscribe") == "退订"


def test_a_browser_says_which_characters_it_wants() -> None:
    assert choose_language(accepted_languages("zh-HK,zh;q=0.9,en;q=0.8"), (THEME,)) == "zh_Hant"
    assert choose_language(accepted_languages("fr,zh-Hant-MO;q=0.9,zh;q=0.8"), (THEME,)) == "zh_Hant"


def test_a_string_that_only_a_relative_has_is_taken_from_there(tmp_path: Path) -> None:
    for name, text in {"zh": "保存", "zh_TW": ""}.items():
        folder = tmp_path / "locale" / name / "LC_MESSAGES"
        folder.mkdir(parents=True)
        message = f'msgid "Keep"\nmsgstr "{text}"\n' if text else ""
        head = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
        (folder / "web.po").write_text(head + message, "utf-8")
    assert choose_language(("zh-Hant-TW",), (tmp_path,)) == "zh_TW"
    strings = page_translations("zh_TW", (tmp_path, THEME))
    assert strings.translate("Keep") == "保存"
    assert strings.translate("Save") == "儲存"
