"""Languages are BCP 47 tags, whatever a list calls them."""

from __future__ import annotations

import re

import pytest
from babel import Locale
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailer.audience.values.languages import _OWN, language_tag
from mailer.errors import AudienceError
from mailer.language_tags import is_language_tag
from tests.sentences import check_sentence


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("zh", "zh"),
        ("ZH", "zh"),
        (" en ", "en"),
        ("en_US", "en-US"),
        ("en-us", "en-US"),
        ("zh-CN", "zh-Hans-CN"),
        ("zh_TW", "zh-Hant-TW"),
        ("zh-Hans-CN", "zh-Hans-CN"),
        ("zh-hans", "zh-Hans"),
        ("es-419", "es-419"),
        ("pt_BR", "pt-BR"),
        ("en_US.UTF-8", "en-US"),
        ("de_DE.utf8", "de-DE"),
        ("eng", "en"),
        ("deu", "de"),
        ("la", "la"),
        ("en-CN", "en-CN"),
        ("iw", "he"),
        ("English", "en"),
        ("english", "en"),
        ("ENGLISH", "en"),
        ("English (United States)", "en-US"),
        ("English (United Kingdom)", "en-GB"),
        ("English (US)", "en-US"),
        ("English (U.S.)", "en-US"),
        ("English (UK)", "en-GB"),
        ("English - United States", "en-US"),
        ("American English", "en-US"),
        ("British English", "en-GB"),
        ("German (Germany)", "de-DE"),
        ("German", "de"),
        ("Deutsch", "de"),
        ("Deutsch (Deutschland)", "de-DE"),
        ("Deutsch (Österreich)", "de-AT"),
        ("French", "fr"),
        ("Français", "fr"),
        ("franc\u0327ais (France)", "fr-FR"),
        ("Español", "es"),
        ("Spanish (Mexico)", "es-MX"),
        ("Português (Brasil)", "pt-BR"),
        ("Portuguese (Brazil)", "pt-BR"),
        ("русский", "ru"),
        ("Русский", "ru"),
        ("日本語", "ja"),
        ("한국어", "ko"),
        ("العربية", "ar"),
        ("עברית", "he"),
        ("Ελληνικά", "el"),
        ("中文", "zh"),
        ("汉语", "zh"),
        ("漢語", "zh"),
        ("普通话", "zh"),
        ("Chinese", "zh"),
        ("简体中文", "zh-Hans"),
        ("繁體中文", "zh-Hant"),
        ("繁体中文", "zh-Hant"),
        ("Chinese (Simplified)", "zh-Hans"),
        ("Simplified Chinese", "zh-Hans"),
        ("Chinese (Simplified, China)", "zh-Hans-CN"),
        ("Chinese (Traditional, Hong Kong SAR)", "zh-Hant-HK"),
        ("Chinese (China)", "zh-Hans-CN"),
        ("Chinese (PRC)", "zh-Hans-CN"),
        ("Chinese (Taiwan)", "zh-Hant-TW"),
        ("Chinese-Simplified", "zh-Hans"),
        ("chinese_traditional", "zh-Hant"),
        ("Chinese, Simplified", "zh-Hans"),
        ("zh-CHS", "zh-Hans"),
        ("Spanish (Latin America)", "es-419"),
        ("Español (España)", "es-ES"),
        ("Farsi", "fa"),
        ("en-UK", "en-GB"),
        ("中文（简体）", "zh-Hans"),
        ("中文(繁體)", "zh-Hant"),
        ("中文（中国）", "zh-Hans-CN"),
        ("英语", "en"),
        ("英文", "en"),
        ("英语（美国）", "en-US"),
        ("德语", "de"),
        ("法语", "fr"),
        ("日语", "ja"),
    ],
)
def test_a_language_is_known_by_its_tag_and_by_its_name(text: str, tag: str) -> None:
    assert language_tag(text) == tag
    assert is_language_tag(language_tag(text))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\t",
        "\\N",
        "NULL",
        "null",
        "-",
        "—",
        "unknown",
        "Unknown",
        "N/A",
        "未知",
        "und",
        "\u200b",
        "\ufeff",
    ],
)
def test_a_cell_that_says_nothing_is_no_language(text: str) -> None:
    assert language_tag(text) == ""


HOSTILE = [
    "en@x",
    "en@",
    "en@x\r\nSet-Cookie: a=b",
    "en@\r\n\r\n<script>",
    "en@\x00",
    "en@" + "x" * 30_000,
    "en@../../../etc",
    "en@\ud800",
    "en@中",
    "zh_CN@pinyin",
    "en\r\nX: y",
    "en\x00",
    "en;q=0.9",
    "en-US,en;q=0.9",
    "en.x\r\ny",
    "en_US.UTF-8@euro",
    "en-" + "a" * 36,
    "../en",
    "klingonese",
    "xx",
    "qqq",
    "en-XX-YY-ZZ",
    "123",
    "e",
    "English and German",
    "English, German",
    "English (Atlantis)",
    "English ()",
    "(United States)",
    "yes",
    "1",
    "http://example.org",
    "a" * 131,
    "中文" * 200,
    "x" * 1_000_000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_language_is_told_in_one_sentence(text: str) -> None:
    with pytest.raises(AudienceError) as caught:
        language_tag(text)
    assert "is not known; write a tag such as zh or en" in str(caught.value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


TEXTS = st.text(max_size=60)
LIKE_TAGS = st.from_regex(r"[a-zA-Z]{2,3}([-_@.][A-Za-z0-9\r\n\x00@.]{0,9}){0,4}", fullmatch=True)


@settings(deadline=None)  # the names are read at the first one
@given(TEXTS | LIKE_TAGS | st.builds("en@{}".format, TEXTS))
@example("en@x\r\n")
@example("en_us_posix")
@example("ca-ES-valencia")
@example("sl-rozaj-biske")
@example("de\n")
def test_a_language_is_a_short_tag_or_nothing(text: str) -> None:
    try:
        tag = language_tag(text)
    except AudienceError as error:
        check_sentence(error)
        return
    assert re.fullmatch(r"[A-Za-z0-9-]{0,35}", tag)
    assert tag == "" or is_language_tag(tag)
    assert language_tag(tag) == tag


@pytest.mark.parametrize("reader", ["en", "zh"])
def test_every_language_that_babel_names_is_read_by_its_name(reader: str) -> None:
    names = Locale.parse(reader).languages
    wrong = []
    for code, name in names.items():
        try:
            tag = language_tag(name)
        except AudienceError:
            tag = None
        if tag is None and code not in ("mul", "und", "zxx", "root"):
            wrong.append((code, name))
    assert not wrong


@pytest.mark.parametrize("text", ["en\n", "en\r\nX: y", "en ", "", "é", "en_US", "a" * 36, "-en", "en-"])
def test_only_a_tag_is_a_tag(text: str) -> None:
    assert not is_language_tag(text)


def test_the_own_names_of_languages_are_those_of_babel() -> None:
    for pair in _OWN.split(","):
        tag, _, name = pair.strip().partition(" ")
        locale = Locale.parse(tag, sep="-")
        own = locale.languages.get(tag.replace("-", "_")) or locale.languages[locale.language]
        assert own.casefold() == name
        assert language_tag(own) == tag
