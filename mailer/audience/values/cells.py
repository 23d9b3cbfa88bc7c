"""Checks and cleans the data of a person that come from a list or a command line. Pure.

Each function raises AudienceError for a wrong value. Imports and commands share these functions, so that both
accept and refuse the same values.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from mailer.audience.values.address import quote
from mailer.audience.values.blanks import is_blank, is_database_null, strip_invisible, without_direction_marks
from mailer.audience.values.languages import language_tag
from mailer.audience.values.time_zones import timezone_name
from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = [
    "STATUSES",
    "attribute_key",
    "attribute_value",
    "clean_line",
    "checked_editions",
    "join_list",
    "language_tag",
    "split_list",
    "clean_tags",
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


def clean_line(text: str, field_name: str = "name", max_length: int = MAX_NAME) -> str:
    """Returns one line of text in Unicode NFC, with single spaces and without direction marks.

    Returns "" for invisible text (U+200B, U+00AD, U+2800, U+3164 and the like), for `NULL` and for `\\N`.
    Raises AudienceError, which calls the text `field_name`, for control characters and for more than
    `max_length` characters.
    """
    if text.isprintable() and "  " not in text and len(text) <= max_length:
        line = text.strip()
        if line.isascii():
            return "" if is_database_null(line) else line
        return _visible_line(line)
    line = _SPACES.sub(" ", without_direction_marks(text)).strip() if len(text) <= 100 * max_length else text
    if _CONTROL.search(line):
        raise AudienceError(f"the {field_name} {quote(line)} holds a control character; remove it")
    line = _visible_line(line)
    if len(line) > max_length:
        raise AudienceError(f"the {field_name} is longer than {max_length:,} characters; shorten it")
    return line


def _visible_line(line: str) -> str:
    line = strip_invisible(line)
    if is_database_null(line) or is_blank(line):
        return ""
    return line if line.isascii() else unicodedata.normalize("NFC", line)


def split_list(text: str) -> tuple[str, ...]:
    """Splits a text at , ; | 、 and line breaks. Returns each part once; letter case does not matter.

    A part in quotes may hold a separator (`"Smith, John";vip`). A JSON list of texts is accepted, too.
    """
    return _split_list_cached(text) if len(text) <= _SHORT else _split_list_uncached(text)


def _split_list_uncached(text: str) -> tuple[str, ...]:
    parts = (clean_line(part, "tag", MAX_TAG) for part in _parse_json_list(text) or _separated_parts(text))
    return _without_repeats(part for part in parts if part)


#: Rows of a list repeat each other's tags, so short lists of tags are cached.
_split_list_cached = lru_cache(maxsize=4096)(_split_list_uncached)


def clean_tags(parts: Iterable[str]) -> tuple[str, ...]:
    """Returns the cleaned tags of the given texts, each once and in order. Letter case does not matter.

    Raises AudienceError for too many tags.
    """
    tags = _without_repeats(tag for part in parts for tag in split_list(part))
    if len(tags) > MAX_TAGS:
        raise AudienceError(f"a person can have at most {MAX_TAGS} tags; remove some")
    return tags


def join_list(parts: Iterable[str]) -> str:
    """Joins parts by ; into one cell that `split_list` can read back. Parts are quoted if needed."""
    return ";".join(
        '"' + part.replace('"', '""') + '"' if _SEPARATORS.search(part) or part[:1] in ('"', "[") else part
        for part in parts
    )


def _without_repeats(parts: Iterable[str]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for part in parts:
        found.setdefault(part.casefold(), part)
    return tuple(found.values())


def _separated_parts(text: str) -> Iterator[str]:
    """Yields the parts of a text between separators, without the quotes around the parts."""
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


def _parse_json_list(text: str) -> list[str]:
    if not text.lstrip().startswith("["):
        return []
    try:
        parts = json.loads(text)
    except (ValueError, RecursionError):
        return []
    return parts if isinstance(parts, list) and all(isinstance(part, str) for part in parts) else []


def checked_editions(names: Iterable[str], known_editions: Collection[str]) -> tuple[str, ...]:
    """Returns the names of editions, each once.

    Raises AudienceError, with the nearest known name, for an unknown edition.
    """
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in known_editions:
            near = nearest_word(name, known_editions)
            hint = f"did you mean {near}?" if near else f"choose from {', '.join(known_editions)}"
            raise AudienceError(f"the edition {quote(name)} is not in mailer.toml; {hint}")
    return chosen


def attribute_key(text: str) -> str:
    """Returns the name of an attribute as segments write it: lower-case letters of any script, digits and _.

    Raises AudienceError if no valid name can be made.
    """
    key = _KEY_FILLERS.sub("_", unicodedata.normalize("NFC", text).casefold()).strip("_")
    key = f"_{key}" if key[:1].isdigit() else key
    if not key:
        raise AudienceError(f"{quote(text)} cannot be the name of an attribute; use letters and digits")
    if len(key) > MAX_KEY:
        raise AudienceError(
            f"the attribute {quote(key)} has a name of more than {MAX_KEY} characters; shorten it"
        )
    return key


def attribute_value(text: str, attribute: str) -> str:
    """Returns the text of the attribute with this name, in Unicode NFC. The text may have line breaks.

    Returns "" for invisible text, for `NULL` and for `\\N`. Raises AudienceError for other control characters
    and for long text.
    """
    value = strip_invisible(text)
    if is_database_null(value):
        value = ""
    elif not value.isascii():
        value = "" if is_blank(value) else unicodedata.normalize("NFC", value)
    if _CONTROL_BUT_BREAKS.search(value):
        raise AudienceError(f"{attribute} holds a control character; remove it")
    if len(value) > MAX_VALUE:
        raise AudienceError(f"{attribute} is longer than {MAX_VALUE:,} characters; shorten it")
    return value
