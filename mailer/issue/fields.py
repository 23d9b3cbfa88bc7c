"""The kinds of value that an issue holds, each with the sentence for a wrong one."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

__all__ = ["SLOT", "Article", "Body", "Date", "Line", "Name", "PictureSource", "Tag", "Url", "parse_date"]

#: A place that is filled for each reader: `{{ subscriber.name or "reader" }}`.
SLOT = re.compile(r"\{\{[^{}\n]*\}\}")

MAX_LINE = 500
MAX_BODY = 100_000

_NOT_ONE_LINE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_NOT_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]")
_NOT_IN_URL = re.compile(r'[\s<>"\\^`{|}]')


def _one_line(value: str) -> str:
    value = value.strip(" \t\r\n")
    found = _NOT_ONE_LINE.search(value)
    if found and found[0] in "\r\n\u2028\u2029\x85":
        raise ValueError("must be one line")
    if found:
        raise ValueError(f"holds the control character U+{ord(found[0]):04X}; delete it")
    return value


def _filled(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _body(value: str) -> str:
    value = re.sub(r"\r\n?", "\n", value)
    found = _NOT_TEXT.search(value)
    if found:
        raise ValueError(f"holds the control character U+{ord(found[0]):04X}; delete it")
    return value.strip("\n").rstrip()


def parse_date(value: str) -> dt.date:
    """A date written as YYYY-MM-DD. Raises ValueError with a sentence."""
    match = re.fullmatch(r"([0-9]{4})-([0-9]{2})-([0-9]{2})", value.strip())
    if not match:
        raise ValueError(f'"{_short(value)}" is not a date; write it as 2026-11-21')
    try:
        return dt.date(int(match[1]), int(match[2]), int(match[3]))
    except ValueError:
        raise ValueError(f"{value.strip()} is not in the calendar; write it as 2026-11-21") from None


def _date(value: Any) -> Any:
    return parse_date(value) if isinstance(value, str) else value


def _url(value: str) -> str:
    """An http, https or mailto address. Slots may stand in its path and query, or be all of it."""
    if SLOT.fullmatch(value):
        if not re.match(r"\{\{\s*links\.", value):
            raise ValueError(f"{value} is not a link; a slot alone may be {{{{ links.preferences }}}}")
        return value
    bare = SLOT.sub("\ue000", value)
    shown = _short(value)
    if _NOT_IN_URL.search(bare):
        raise ValueError(
            f'"{shown}" is not a web address; spaces, quotes and brackets are written as %20 and so on'
        )
    try:
        parts = urlsplit(bare)
        host = parts.hostname or ""
    except ValueError:
        raise ValueError(f'"{shown}" is not a web address') from None
    if parts.scheme not in ("http", "https", "mailto"):
        raise ValueError(f'"{shown}" must begin with https://, http:// or mailto:')
    if parts.scheme == "mailto":
        if not re.fullmatch(r"[^@\ue000]+@[^@\ue000]+", parts.path) or parts.netloc:
            raise ValueError(f'"{shown}" needs an address, as in mailto:desk@example.org')
    elif not host or "\ue000" in parts.netloc:
        raise ValueError(f'"{shown}" needs a host, as in https://example.org/page')
    return value


def _picture(value: str) -> str:
    if "{{" in value:
        raise ValueError("cannot hold a slot; a picture is the same for everybody")
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.-]*):", value)
    if scheme:
        if scheme[1].lower() != "https":
            raise ValueError(f'"{_short(value)}" must be a file of the workspace, or begin with https://')
        return _url(value)
    return value


def _short(value: str) -> str:
    value = _NOT_ONE_LINE.sub(" ", value)
    return value if len(value) <= 80 else value[:79] + "…"


Line = Annotated[str, Field(max_length=MAX_LINE), AfterValidator(_one_line)]
Name = Annotated[
    str, Field(min_length=1, max_length=MAX_LINE), AfterValidator(_one_line), AfterValidator(_filled)
]
Tag = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_one_line), AfterValidator(_filled)]
Body = Annotated[str, Field(max_length=MAX_BODY), AfterValidator(_body)]
Article = Annotated[
    str, Field(min_length=1, max_length=MAX_BODY), AfterValidator(_body), AfterValidator(_filled)
]
Url = Annotated[
    str,
    Field(min_length=1, max_length=2000),
    AfterValidator(_one_line),
    AfterValidator(_filled),
    AfterValidator(_url),
]
PictureSource = Annotated[
    str,
    Field(min_length=1, max_length=MAX_LINE),
    AfterValidator(_one_line),
    AfterValidator(_filled),
    AfterValidator(_picture),
]
Date = Annotated[
    dt.date,
    BeforeValidator(_date),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{4}-[0-9]{2}-[0-9]{2}\s*$"}),
]
