"""Checks and cleans the fields of a person, as they come from outside. Pure.

Each function raises AudienceError with one sentence. The import and the command line share these functions,
so that both accept and refuse the same values.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from mailer.audience.values.address import quote
from mailer.audience.values.blanks import is_blank, is_null, strip_invisible, without_direction_marks
from mailer.audience.values.languages import language_tag
from mailer.audience.values.time_zones import timezone_name
from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = [
    "STATUSES",
    "attribute_key",
    "attribute_value",
    "clean_line",
    "editions_of",
    "joined_list",
    "language_tag",
    "split_list",
    "tags_of",
    "timezone_name",
]

STATUSES = ("pending", "active", "unsubscribed", "bounced", "complained", "erased")

MAX_NAME = 200
MAX_TAG = 100
MAX_TAGS = 100
MAX_KEY = 100
MAX_VALUE = 2000
_SHORT = 500

_SPACES = re.compile(r"\s+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_CONTROL_BUT_BREAKS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]")
_SEPARATORS = re.compile(r"[,;|，；、\n]")
# A part in quotes, with what separates it from the next or the end of the text after it.
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*(?=[,;|，；、\n]|\Z)')
_KEY_FILLERS = re.compile(r"[\W_]+")


def clean_line(text: str, what: str = "name", longest: int = MAX_NAME) -> str:
    """Returns one line in NFC, with single spaces and without marks that turn the direction of text.

    Returns "" for text that shows nothing (U+200B, U+00AD, U+2800, U+3164 and the like) and for `NULL` and
    `\\N`. Raises AudienceError for control characters and long text.
    """
    if text.isprintable() and "  " not in text and len(text) <= longest:
        line = text.strip()
        if line.isascii():
            return "" if is_null(line) else line
        return _visible_line(line)
    line = _SPACES.sub(" ", without_direction_marks(text)).strip() if len(text) <= 100 * longest else text
    if _CONTROL.search(line):
        raise AudienceError(f"the {what} {quote(line)} holds a control character; remove it")
    line = _visible_line(line)
    if len(line) > longest:
        raise AudienceError(f"the {what} is longer than {longest:,} characters; shorten it")
    return line


def _visible_line(line: str) -> str:
    line = strip_invisible(line)
    if is_null(line) or is_blank(line):
        return ""
    return line if line.isascii() else unicodedata.normalize("NFC", line)


def split_list(text: str) -> tuple[str, ...]:
    """Splits a text at , ; | 、 and line breaks. Keeps each part once, in its first spelling.

    A part in quotes may hold a separator (`"Smith, John";vip`). A JSON list of texts is accepted, too.
    """
    return _short_list(text) if len(text) <= _SHORT else _split(text)


def _split(text: str) -> tuple[str, ...]:
    parts = (clean_line(part, "tag", MAX_TAG) for part in _json_list(text) or _parts(text))
    return _each_once(part for part in parts if part)


#: Rows of a list repeat each other's tags, so short lists of tags are cached.
_short_list = lru_cache(maxsize=4096)(_split)


def tags_of(parts: Iterable[str]) -> tuple[str, ...]:
    """Cleans tags and returns each once, in order and in its first spelling, whatever the case."""
    tags = _each_once(tag for part in parts for tag in split_list(part))
    if len(tags) > MAX_TAGS:
        raise AudienceError(f"there are more than {MAX_TAGS} tags; keep what is used")
    return tags


def joined_list(parts: Iterable[str]) -> str:
    """Joins parts by ; into one cell that `split_list` reads back, with quotes where they are needed."""
    return ";".join(
        '"' + part.replace('"', '""') + '"' if _SEPARATORS.search(part) or part[:1] in ('"', "[") else part
        for part in parts
    )


def _each_once(parts: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for part in parts:
        found.setdefault(part.casefold(), part)
    return tuple(found.values())


def _parts(text: str) -> Iterator[str]:
    """Yields the parts between separators, without the quotes around them."""
    if '"' not in text:
        yield from _SEPARATORS.split(text)
        return
    place = 0
    while place <= len(text):
        quoted = _QUOTED.match(text, place)
        separator = None if quoted else _SEPARATORS.search(text, place)
        end = quoted.end() if quoted else separator.start() if separator else len(text)
        yield quoted[1].replace('""', '"') if quoted else text[place:end]
        place = end + 1


def _json_list(text: str) -> list[str]:
    if not text.lstrip().startswith("["):
        return []
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return parts if isinstance(parts, list) and all(isinstance(part, str) for part in parts) else []


def editions_of(names: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
    """Returns the names of editions, each once.

    Raises AudienceError with the nearest right name for another.
    """
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in known:
            near = nearest_word(name, known)
            hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
            raise AudienceError(f"the edition {quote(name)} is not in mailer.toml; {hint}")
    return chosen


def attribute_key(text: str) -> str:
    """Returns the name of an attribute in lower case: letters of any script, digits and _, as in segments."""
    key = _KEY_FILLERS.sub("_", unicodedata.normalize("NFC", text).casefold()).strip("_")
    key = f"_{key}" if key[:1].isdigit() else key
    if not key:
        raise AudienceError(f"{quote(text)} cannot be the name of an attribute; use letters and digits")
    if len(key) > MAX_KEY:
        raise AudienceError(f"the attribute {quote(key)} has a name of more than {MAX_KEY} characters")
    return key


def attribute_value(text: str, key: str) -> str:
    """Returns the text of an attribute in NFC. It may hold line breaks, but no other control characters.

    Returns "" for text that shows nothing, and for `NULL` and `\\N`. Raises AudienceError.
    """
    value = strip_invisible(text)
    if is_null(value):
        value = ""
    elif not value.isascii():
        value = "" if is_blank(value) else unicodedata.normalize("NFC", value)
    if _CONTROL_BUT_BREAKS.search(value):
        raise AudienceError(f"{key} holds a control character; remove it")
    if len(value) > MAX_VALUE:
        raise AudienceError(f"{key} is longer than {MAX_VALUE:,} characters; shorten it")
    return value
