"""Reads languages as BCP 47 tags, from the tags and names that other programs write. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

from mailer.addresses import quote
from mailer.audience.values.blanks import is_missing_value
from mailer.errors import AudienceError
from mailer.language_tags import is_language_tag

__all__ = ["language_tag"]

# A language, then perhaps a script, a region and a variant.
_TAG = re.compile(
    r"[A-Za-z]{2,3}(?:[-_][A-Za-z]{4})?(?:[-_](?:[A-Za-z]{2}|[0-9]{3}))?(?:[-_][A-Za-z0-9]{4,8})?"
)
# `en_US.UTF-8`: how POSIX systems name a language.
_CODESET = re.compile(r"\.utf-?8$", re.I)
# `English (United States)`, `中文（简体）`, `Chinese - Simplified`.
_NAME = re.compile(r"([^()（）]{1,60})[(（]([^()（）]{1,60})[)）]")
_SEPARATORS = re.compile(r"[-_,，/]")
_LONGEST_NAME = 130

# Names in use that Unicode CLDR does not have.
_MORE = {
    "汉语": "zh",
    "漢語": "zh",
    "华语": "zh",
    "国语": "zh",
    "普通话": "zh",
    "mandarin": "zh",
    "zh chs": "zh-Hans",
    "zh cht": "zh-Hant",
    "farsi": "fa",
    "castilian": "es",
    "castellano": "es",
    "bahasa indonesia": "id",
    "bahasa melayu": "ms",
    "português do brasil": "pt-BR",
    "українська мова": "uk",
    "русский язык": "ru",
    "ภาษาไทย": "th",
    "chinese simplified": "zh-Hans",
    "chinese traditional": "zh-Hant",
    "简体": "zh-Hans",
    "繁体": "zh-Hant",
    "繁體": "zh-Hant",
    "简体中文": "zh-Hans",
    "簡體中文": "zh-Hans",
    "繁体中文": "zh-Hant",
    "繁體中文": "zh-Hant",
    "英文": "en",
    "日文": "ja",
    "韩文": "ko",
    "德文": "de",
    "法文": "fr",
    "俄文": "ru",
    "西班牙文": "es",
    "葡萄牙文": "pt",
    "意大利文": "it",
    "阿拉伯文": "ar",
    "越南文": "vi",
    "泰文": "th",
}
_REGIONS = {
    "usa": "US",
    "u.s.": "US",
    "us": "US",
    "uk": "GB",
    "u.k.": "GB",
    "great britain": "GB",
    "prc": "CN",
    "people's republic of china": "CN",
    "hong kong": "HK",
    "hong kong s.a.r.": "HK",
    "macao": "MO",
    "macau": "MO",
    "hong kong sar": "HK",
    "macao sar": "MO",
    "macau sar": "MO",
    "大陆": "CN",
    "中国大陆": "CN",
    "香港": "HK",
    "澳门": "MO",
}
_SCRIPTS = {
    "simplified": "Hans",
    "traditional": "Hant",
    "简体": "Hans",
    "繁体": "Hant",
    "簡體": "Hans",
    "繁體": "Hant",
    "简": "Hans",
    "繁": "Hant",
}
# The own names of the languages that most readers of the web use, as Unicode CLDR has them (a test compares
# them): reading them from Babel loads all of its words in 70 languages, which takes 80 MB.
_OWN = (
    "af afrikaans, am አማርኛ, ar العربية, az azərbaycan, be беларуская, bg български, bn বাংলা, bs "
    "bosanski, ca català, cs čeština, cy cymraeg, da dansk, de deutsch, el ελληνικά, en english, es "
    "español, et eesti, eu euskara, fa فارسی, fi suomi, fil filipino, fr français, ga gaeilge, gl galego, "
    "gu ગુજરાતી, he עברית, hi हिन्दी, hr hrvatski, hu magyar, hy հայերեն, id indonesia, is íslenska, it "
    "italiano, ja 日本語, ka ქართული, kk қазақ тілі, km ខ្មែរ, kn ಕನ್ನಡ, ko 한국어, ky кыргызча, lo ລາວ, lt "
    "lietuvių, lv latviešu, mk македонски, ml മലയാളം, mn монгол, mr मराठी, ms melayu, my မြန်မာ, nb norsk "
    "bokmål, ne नेपाली, nl nederlands, nn norsk nynorsk, no norsk, pa ਪੰਜਾਬੀ, pl polski, pt português, ro "
    "română, ru русский, si සිංහල, sk slovenčina, sl slovenščina, sq shqip, sr српски, sv svenska, sw "
    "kiswahili, ta தமிழ், te తెలుగు, th ไทย, tr türkçe, uk українська, ur اردو, uz o‘zbek, vi tiếng việt, "
    "zh 中文, zh-Hant 繁體中文, zu isizulu "
)


@lru_cache(maxsize=4096)
def language_tag(text: str) -> str:
    """Returns the BCP 47 tag of a language, such as `zh`, `en-GB` or `zh-Hans-CN`, of at most 35 characters.

    Accepts tags in any spelling (`zh_cn`, `EN`, `en_US.UTF-8`), and names of languages in English, in Chinese
    and in the language itself, with a region or a script in brackets: `English (United States)`, `Deutsch`,
    `中文（繁體）`. Returns "" for blank cells, `\\N`, `NULL`, `-` and `unknown`. Raises AudienceError for an
    unknown language.
    """
    if is_missing_value(text):
        return ""
    word = text.strip()
    tag = "" if len(word) > _LONGEST_NAME else _normalized_tag(word) or _tag_of_language_name(word)
    if not is_language_tag(tag):
        raise AudienceError(f"the language {quote(word)} is not known; write a tag such as zh or en")
    return tag


def _normalized_tag(word: str) -> str:
    word = _CODESET.sub("", word)
    if not _TAG.fullmatch(word):
        return ""
    language, *others = word.replace("-", "_").split("_")
    language = get_global("language_aliases").get(language.lower(), language.lower())
    plain = "_".join([language, *others])
    try:
        return str(Locale.parse(plain)).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        return _tag_unknown_to_babel(plain)


def _tag_unknown_to_babel(tag: str) -> str:
    """Returns the tag of a language that exists but for which Babel has no data (`la`, `en_CN`), or ""."""
    language, *others = tag.split("_")
    if language not in Locale("en").languages or len(language) > 3:
        return ""
    cased = [part.title() if len(part) == 4 and part.isalpha() else part.upper() for part in others]
    territories, scripts = Locale("en").territories, Locale("en").scripts
    if all(part in territories or part in scripts for part in cased):
        return "-".join([language, *cased])
    return ""


def _tag_of_language_name(word: str) -> str:
    name = _folded_name(word)
    found = _tags_by_language_name().get(name) or _tags_by_language_name().get(
        " ".join(_SEPARATORS.sub(" ", name).split())
    )
    if found:
        return found
    match = _NAME.fullmatch(name)
    if match:
        language, inside = match.groups()
    else:
        language, dash, inside = name.partition(" - ")
        if not dash:
            return ""
    tag = _tags_by_language_name().get(language.strip())
    return _tag_with_script_and_region(tag, re.split(r"[,，、]", inside)) if tag else ""


def _tag_with_script_and_region(tag: str, names: list[str]) -> str:
    """Returns the tag with a script and a region added. `names` has the names of the script and the region.

    Returns "" if a name is unknown.
    """
    script = region = ""
    try:
        regions = _region_codes_by_name(tag.partition("-")[0])
    except (UnknownLocaleError, ValueError):
        regions = _region_codes_by_name("en")
    for part in (part.strip() for part in names):
        if part in _script_codes_by_name():
            script = _script_codes_by_name()[part]
        elif part in regions:
            region = regions[part]
        else:
            return ""
    language = tag.partition("-")[0] if script or region else tag
    return _normalized_tag("-".join(filter(None, (language, script, region)))) if script or region else tag


def _folded_name(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


@cache
def _tags_by_language_name() -> dict[str, str]:
    """Returns language tags by the languages' names: in the language itself, in Chinese and in English.

    If two languages have the same name, the later one in this order is taken.
    """
    own = (pair.strip().partition(" ") for pair in _OWN.split(","))
    names = {name: tag for tag, _, name in own}
    for reader in ("zh_Hant", "zh", "en"):
        for code, name in Locale.parse(reader).languages.items():
            tag = code.replace("_", "-")
            if is_language_tag(tag) and code not in ("mul", "und", "zxx", "root"):
                names[_folded_name(name)] = tag
    return names | {_folded_name(name): tag for name, tag in _MORE.items()}


@lru_cache(maxsize=16)
def _region_codes_by_name(language: str) -> dict[str, str]:
    """Returns codes of regions by their names in English, in Chinese and in `language`."""
    names = dict(_REGIONS)
    for reader in ("en", "zh", "zh_Hant", language):
        for code, name in Locale.parse(reader).territories.items():
            names.setdefault(_folded_name(name), code)
    return names


@cache
def _script_codes_by_name() -> dict[str, str]:
    names = dict(_SCRIPTS)
    for reader in ("en", "zh", "zh_Hant"):
        for code, name in Locale.parse(reader).scripts.items():
            names.setdefault(_folded_name(name), code)
    return names
