from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po

from mailer.errors import ThemeError
from mailer.language.template_functions import TRANSLATIONS
from mailer.language.theme_catalogues import theme_translations
from mailer.render.slots.markers import Markers
from mailer.render.theme.theme import MARKERS, Theme
from mailer.theme_files import built_in_theme_folder, read_theme

HEAD = (
    'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=1; plural=0;\\n"\n\n'
)
ZH = HEAD + (
    'msgid "Unsubscribe"\nmsgstr "退订"\n\nmsgid "Hello %(name)s"\nmsgstr "你好 %(name)s"\n\n'
    'msgid "%(num)d story"\nmsgid_plural "%(num)d stories"\nmsgstr[0] "%(num)d 条"\n\n'
    'msgctxt "verb"\nmsgid "Open"\nmsgstr "打开"\n\n'
    'msgctxt "verb"\nmsgid "%(num)d day"\nmsgid_plural "%(num)d days"\nmsgstr[0] "%(num)d 天"\n\n'
    'msgid "A & B"\nmsgstr "甲 & 乙"\n'
)
HANS = HEAD + 'msgid "Unsubscribe"\nmsgstr "取消订阅"\n'
PO = "locale/{}/LC_MESSAGES/mailer.po"

Said = Callable[..., str]


@pytest.fixture
def said(theme: Callable[..., Theme]) -> Said:
    """What a template says in a language, with two catalogues beside it."""

    def render(template: str, language: str, *, name: str = "text/x.txt", **values: Any) -> str:
        opened = theme(**{name: template, PO.format("zh"): ZH, PO.format("zh_Hans"): HANS})
        context = {
            MARKERS: Markers("x"),
            TRANSLATIONS: theme_translations(opened.files, language),
            "language": language,
            **values,
        }
        return opened.render(name, context)

    return render


@pytest.mark.parametrize(
    ("language", "word"),
    [("zh", "退订"), ("zh-Hans-CN", "取消订阅"), ("zh-Hant", "退订"), ("en", "Unsubscribe"), ("ZH", "退订")],
)
def test_a_language_falls_back_to_its_parents_and_then_to_the_words_as_written(
    said: Said, language: str, word: str
) -> None:
    assert said('{{ _("Unsubscribe") }}', language) == word


def test_a_message_missing_in_one_catalogue_is_found_in_the_next(said: Said) -> None:
    assert said('{{ pgettext("verb", "Open") }}', "zh-Hans") == "打开"
    assert said('{{ _("Unknown 100%") }}', "zh-Hans") == "Unknown 100%"


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('{{ _("Hello %(name)s", name="X") }}', "你好 X"),
        ('{{ ngettext("%(num)d story", "%(num)d stories", 3) }}', "3 条"),
        ('{{ npgettext("verb", "%(num)d day", "%(num)d days", 2) }}', "2 天"),
        ('{% trans name="X" %}Hello {{ name }}{% endtrans %}', "你好 X"),
        ("{% trans num=3 %}{{ num }} story{% pluralize %}{{ num }} stories{% endtrans %}", "3 stories"),
        ("{% trans %}\n  Un\n  translated 5%\n{% endtrans %}", "Un translated 5%"),
        ('{{ gettext("Unsubscribe") }}', "退订"),
    ],
)
def test_all_ways_to_say_something(said: Said, template: str, text: str) -> None:
    assert said(template, "zh") == text


def test_what_is_translated_is_text_and_is_escaped(said: Said) -> None:
    page = (
        '{{ _("A & B") }} {{ _("Hello %(name)s", name="<b>") }} {% trans n="<" %}<i>{{ n }}</i>{% endtrans %}'
    )
    assert said(page, "zh", name="web/x.html") == "甲 &amp; 乙 你好 &lt;b&gt; <i>&lt;</i>"


def test_the_workspace_wins_message_by_message(
    theme: Callable[..., Theme], tmp_path: Path, theme_files: Any
) -> None:
    built_in = tmp_path / "no-theme" / PO.format("zh")
    built_in.parent.mkdir(parents=True)
    built_in.write_text(ZH, "utf-8")
    opened = theme(**{PO.format("zh"): HANS})
    words = theme_translations(opened.files, "zh")
    assert words.translate("Unsubscribe") == "取消订阅"
    assert words.translate("A & B") == "甲 & 乙"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + 'msgid "a"\nmsgstr b\n', "mailer.po:5: is not a valid line of a gettext catalogue"),
        (HEAD + 'msgid "a"\nmsgstr "b\n', "mailer.po:5: is not a valid line of a gettext catalogue"),
        ("nonsense\n", "mailer.po:1: is not a valid line of a gettext catalogue"),
        (
            HEAD.replace("plural=0", "plural=os()") + 'msgid "a"\nmsgstr "b"\n',
            "mailer.po: cannot be read as a gettext catalogue",
        ),
    ],
)
def test_a_broken_catalogue_is_told_with_its_line(
    theme: Callable[..., Theme], text: str, message: str
) -> None:
    opened = theme(**{PO.format("zh"): text})
    with pytest.raises(ThemeError) as caught:
        theme_translations(opened.files, "zh")
    assert message in str(caught.value)


CATALOGUES = sorted((built_in_theme_folder() / "locale").glob("*/LC_MESSAGES/mailer.po"))


def _messages() -> dict[str, str]:
    """The messages of the built-in templates, each with its plural or ""."""
    found: dict[str, str] = {}
    for folder in ("email", "text", "web"):
        for path in sorted((built_in_theme_folder() / folder).rglob("*.*")):
            if "pages" in path.relative_to(built_in_theme_folder()).parts:
                continue
            for _, message, _, _ in extract("jinja2.ext:babel_extract", io.BytesIO(path.read_bytes())):
                one, many = (message, "") if isinstance(message, str) else message[:2]
                found[one] = many or ""
    return found


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_catalogue_has_every_message_of_the_templates(path: Path) -> None:
    with path.open("rb") as file:
        translated = {
            message.id[0] if isinstance(message.id, tuple | list) else message.id: message
            for message in read_po(file)
            if message.id
        }
    wanted = _messages()
    assert set(translated) == set(wanted)
    slots = re.compile(r"%\(\w+\)[sd]")
    for original, message in translated.items():
        forms = message.string if isinstance(message.string, tuple | list) else (message.string,)
        for form in forms:
            assert form is not None
            assert form.strip()
            assert sorted(slots.findall(form)) == sorted(slots.findall(wanted[original] or original)), (
                original
            )
            assert form.endswith(" ") <= original.endswith(" ")


@pytest.mark.parametrize(
    ("language", "word"),
    [
        *(
            (tag, "退訂")
            for tag in ("zh-TW", "zh_tw", "zh-HK", "zh-MO", "zh-Hant", "zh-Hant-TW", "zh-Hant-XX")
        ),
        *((tag, "退订") for tag in ("zh", "zh-CN", "zh-SG", "zh-Hans", "zh-Hans-HK")),
        ("tlh", "Unsubscribe"),
    ],
)
def test_a_country_says_which_characters_are_meant(language: str, word: str, tmp_path: Path) -> None:
    said = theme_translations(read_theme(tmp_path), language).translate("Unsubscribe")
    assert said == word
    assert said.language == ("en" if word == "Unsubscribe" else language)
