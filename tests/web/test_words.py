"""Every string of the pages has its Chinese."""

from __future__ import annotations

import io

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from mailer.render.lookup import built_in_theme
from mailer.web.words import choose

THEME = built_in_theme()


def used() -> set[str]:
    found: set[str] = set()
    for path in sorted((THEME / "web/pages").glob("*.html")):
        for _, message, _, _ in extract("jinja2.ext:babel_extract", io.BytesIO(path.read_bytes())):
            found.add(message if isinstance(message, str) else message[0])
    return found


@pytest.mark.parametrize("language", ["zh"])
def test_every_string_is_translated_and_none_is_left_over(language: str) -> None:
    with (THEME / f"locale/{language}/LC_MESSAGES/web.po").open("rb") as file:
        catalogue = read_po(file)
    translated = {str(message.id): str(message.string) for message in catalogue if message.id}
    assert set(translated) == used()
    for original, translation in translated.items():
        assert translation.strip()
        assert [c for c in original if c in "{}"] == [c for c in translation if c in "{}"]


def test_without_any_wish_that_can_be_met_a_page_is_in_english() -> None:
    assert choose(("fr", "", "no language at all", "x" * 99), (THEME,)) == "en"
    assert choose(("zh-Hant-TW",), (THEME,)) == "zh"
    assert choose(("pt_BR", "en-GB"), (THEME,)) == "en_GB"
