"""What a person's fields may hold: text from outside made into values. Pure.

Each function raises AudienceError with one sentence. The import and the command line share them, so
that a value is either right everywhere or refused everywhere.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError

from mailer.audience.address import shown
from mailer.errors import AudienceError
from mailer.words import nearest

__all__ = [
    "STATUSES",
    "attribute_key",
    "attribute_value",
    "clean_line",
    "editions_of",
    "language_tag",
    "moment",
    "split_list",
    "status_word",
    "tags_of",
    "timezone_name",
]

STATUSES = ("pending", "active", "unsubscribed", "bounced", "complained", "erased")

MAX_NAME = 200
MAX_TAG = 100
MAX_TAGS = 100
MAX_KEY = 100
MAX_VALUE = 2000

_SPACES = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_BUT_BREAKS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_SEPARATORS = re.compile(r"[,;|，；、\n]")
_KEY_FILLERS = re.compile(r"[\W_]+")
_LANGUAGES = {
    "chinese": "zh",
    "中文": "zh",
    "汉语": "zh",
    "简体中文": "zh",
    "english": "en",
    "英文": "en",
    "英语": "en",
}
_STATUS_WORDS = {
    "pending": ("pending", "unconfirmed", "待确认", "未确认"),
    "active": ("active", "subscribed", "confirmed", "已订阅", "订阅"),
    "unsubscribed": ("unsubscribed", "unsubscribe", "opted out", "opted-out", "opt-out", "已退订", "退订"),
    "bounced": ("bounced", "cleaned", "hard bounce", "退信"),
    "complained": ("complained", "complaint", "spam", "投诉"),
}
_STATUS_OF = {word: status for status, words in _STATUS_WORDS.items() for word in words}
_DATE = re.compile(
    r"(?P<y>\d{4})(?:-|/|\.|年)(?P<m>\d{1,2})(?:-|/|\.|月)(?P<d>\d{1,2})日?"
    r"(?:[T ]+(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)\s*(?P<zone>Z|UTC|[+-]\d{2}:?\d{2})?)?"
)


def clean_line(text: str, what: str = "name", longest: int = MAX_NAME) -> str:
    """One line in NFC: runs of white space become one space. Raises for control characters and long text."""
    if text.isprintable() and "  " not in text and len(text) <= longest:
        line = text.strip()
        return line if line.isascii() else unicodedata.normalize("NFC", line)
    line = _SPACES.sub(" ", text).strip() if len(text) <= 100 * longest else text
    if _CONTROL.search(line):
        raise AudienceError(f"the {what} {shown(line)} holds a control character; remove it")
    if len(line) > longest:
        raise AudienceError(f"the {what} is longer than {longest:,} characters; shorten it")
    return line if line.isascii() else unicodedata.normalize("NFC", line)


@lru_cache(maxsize=4096)
def language_tag(text: str) -> str:
    """A language tag as Babel writes it (`zh`, `en-GB`), out of `zh_cn`, `EN` or `中文`; "" for ""."""
    word = text.strip()
    if not word:
        return ""
    known = _LANGUAGES.get(word.casefold())
    if known:
        return known
    try:
        return str(Locale.parse(word.replace("-", "_"))).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        raise AudienceError(
            f"the language {shown(word)} is not known; write a tag such as zh or en"
        ) from None


@lru_cache(maxsize=4096)
def timezone_name(text: str) -> str:
    """The name of a time zone that exists; "" for ""."""
    name = text.strip()
    if not name:
        return ""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError):
        raise AudienceError(
            f"the time zone {shown(name)} is not known; write a name such as Asia/Shanghai"
        ) from None


@lru_cache(maxsize=4096)
def status_word(text: str) -> str:
    """A status out of its own or another program's word for it; "" for ""."""
    word = text.strip().casefold()
    if not word:
        return ""
    try:
        return _STATUS_OF[word]
    except KeyError:
        known = ", ".join(_STATUS_WORDS)
        raise AudienceError(f"the status {shown(text.strip())} is not known; write one of {known}") from None


@lru_cache(maxsize=4096)
def split_list(text: str) -> tuple[str, ...]:
    """The parts between , ; | or a line break, in order, each once."""
    parts = (clean_line(part, "tag", MAX_TAG) for part in _SEPARATORS.split(text))
    return tuple(dict.fromkeys(part for part in parts if part))


def tags_of(parts: Iterable[str]) -> tuple[str, ...]:
    """Tags, cleaned, in order, each once. A tag may not hold what separates tags."""
    tags = tuple(dict.fromkeys(tag for part in parts for tag in split_list(part)))
    if len(tags) > MAX_TAGS:
        raise AudienceError(f"there are more than {MAX_TAGS} tags; keep what is used")
    return tags


def editions_of(names: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Names of editions that exist, each once. Raises with the nearest right name."""
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in known:
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise AudienceError(f"the edition {shown(name)} is not in mailer.toml; {hint}")
    return chosen


@lru_cache(maxsize=4096)
def moment(text: str, zone: dt.tzinfo) -> str:
    """A date with or without a time as the database keeps it (UTC). A bare time is one of `zone`."""
    given = text.strip()
    match = _DATE.fullmatch(given)
    try:
        if not match or not 1900 <= int(match["y"]) < 9999:
            raise ValueError
        at = dt.datetime(int(match["y"]), int(match["m"]), int(match["d"]), tzinfo=zone)
        if match["time"]:
            hour, _, rest = match["time"].partition(":")
            clock = dt.time.fromisoformat(f"{hour:0>2}:{rest}")
            at = dt.datetime.combine(at.date(), clock, tzinfo=zone)
        if match["zone"]:
            offset = match["zone"] if match["zone"] not in ("Z", "UTC") else "+0000"
            at = at.replace(tzinfo=dt.datetime.strptime(offset, "%z").tzinfo)
        return at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    except (ValueError, OverflowError):
        raise AudienceError(f"the date {shown(given)} is not clear; write it as 2026-01-31") from None


def attribute_key(text: str) -> str:
    """The name of an attribute: small letters, digits and _ of any script, as an expression can say it."""
    key = _KEY_FILLERS.sub("_", unicodedata.normalize("NFC", text).casefold()).strip("_")
    key = f"_{key}" if key[:1].isdigit() else key
    if not key:
        raise AudienceError(f"{shown(text)} cannot be the name of an attribute; use letters and digits")
    if len(key) > MAX_KEY:
        raise AudienceError(f"the attribute {shown(key)} has a name of more than {MAX_KEY} characters")
    return key


def attribute_value(text: str, key: str) -> str:
    """The text of an attribute. It may hold line breaks, no other control characters."""
    value = text.strip()
    if _CONTROL_BUT_BREAKS.search(value):
        raise AudienceError(f"{key} holds a control character; remove it")
    if len(value) > MAX_VALUE:
        raise AudienceError(f"{key} is longer than {MAX_VALUE:,} characters; shorten it")
    return value
