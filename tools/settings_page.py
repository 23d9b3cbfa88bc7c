"""Writes docs/mailer-toml.md out of the model of mailer.toml: `python -m tools.settings_page`."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import AfterValidator, BaseModel, BeforeValidator
from pydantic.fields import FieldInfo

from mailer.config.by_language import ByLanguage, TextByLanguage
from mailer.config.environment import OTHER_VARIABLES, variable_name
from mailer.config.fields import Mailbox
from mailer.config.oauth import OAuth
from mailer.config.sections import SECTIONS, Edition

__all__ = ["PAGE", "page_text"]

PAGE: Final = Path(__file__).parents[1] / "docs/mailer-toml.md"

_HEAD: Final = """\
# mailer.toml

Every key, made from the model by `python -m tools.settings_page`. A key without a default is required.
All that is wrong with the file is told in one answer, each with its line.

## The environment

Each key can come from the variable in the last column. It wins over the file. `.env` beside `mailer.toml` is
read as a part of the environment, and what is really set there wins over `.env`.

- A text is written as it is, without quotes: `MAILER_PUBLICATION_NAME=The Quay`.
- Anything else is written as in the file: `MAILER_DELIVERY_CONNECTIONS=4`,
  `MAILER_PACE_LIMIT=["50/s", "20000/h"]`.
- A table is written as an inline table, and takes the place of the whole table in the file:
  `MAILER_PACE_DOMAINS={"gmail.com" = "2/s"}`, `MAILER_DKIM_KEYS={s2026 = ".dkim/s2026.pem"}`,
  `MAILER_BRAND={accent = "#b4232a"}`. A variable for one key wins over the one for its table.
- A name, description or title by language is such a table, too; anything else is the text itself:
  `MAILER_PUBLICATION_NAME={zh = "码头", en = "The Quay"}`.
- In the names of editions, `-` becomes `_`: `MAILER_EDITIONS_LATE_NIGHT_TIME=22:00`.
- A name that begins with `MAILER_` and is none is an error, with the nearest right name. Names that begin
  with `MAILER_TEST_` are for the tests of mailer itself.

## Names by language

`name` and `description` of the publication, and `name`, `title` and `description` of an edition may have a
text for each language, as an inline table or as a table of its own:

```toml
[publication]
name = {zh = "港口早报", en = "Harbour Brief"}
language = "zh"

[editions.weekly]
name = {zh = "一周港口", zh-Hant = "一週港口", en = "Harbour Weekly"}
title = {zh = "{edition}（{date}）", en = "{edition}, {date}"}
layout = "brief"
rhythm = "weekly"
```

Every mail and its web page has the names in the issue's language: masthead, footer, `List-Id`, titles, links.
A page for a reader has them in the language of the page, the list of issues in that of each issue. Commands
and their JSON have them in the publication's language.

- A language is a tag such as `zh` or `zh-Hant`. A reader of `zh-Hant-TW` gets `zh-Hant`, or else `zh`, or
  else any other kind of Chinese. Without any of these, the text in the publication's language stands there,
  or else the first one of the table.
- `from` stays one mailbox for all languages, because readers and filters know a sender by it.
- A campaign keeps the names that it was made with.

## Rhythms

`rhythm` says how often an edition comes out. Words of the built-in theme follow it: a brief ends with "That
is all for today.", "… for this week." or "… for this month." Without it a brief ends as a daily one. A
workspace's own templates see it as [`edition.rhythm`](themes.md).

## Variables without a key

These stand for no key of the file. Secrets come only from here:

"""
_TITLES: Final[Mapping[tuple[str, ...], str]] = {
    ("editions", "NAME"): "One table for each edition; its name has small letters, digits, `-` and `_`.",
    (
        "delivery",
        "oauth",
    ): "Only for an SMTP server that takes tokens in place of a password; see [smtp.md](smtp.md).",
}
#: What may be written, by the function that checks it.
_CHECKED: Final[Mapping[str, str]] = {
    "_check_one_line": "one line",
    "check_not_empty": "not empty",
    "_parse_mailbox": "`Name <address>`",
    "_check_return_path": "an address",
    "_parse_bare_address": "an address",
    "_check_feedback_id": "5 to 15 characters A-Z a-z 0-9 . - _",
    "_check_base_url": "http(s), at most 800 characters",
    "_check_time_zone": "such as `Asia/Shanghai`",
    "_parse_language": "a tag such as `zh`",
    "_check_colour": "`#rrggbb`",
    "_parse_time_of_day": "`08:00`",
    "_parse_archive_setting": "`true`, `false`, `variant`",
    "_check_title_pattern": "may use {edition}, {publication}, {date}, {weekday}, {number}",
    "_check_transport_url": "see [transports.md](transports.md)",
    "_domain_in_ascii": "a domain",
    "_helo_name_in_ascii": "a full name, or `[192.0.2.1]`",
    "_check_dkim_selector": "",
    "_check_key_file": "",
    "_check_tenant": "",
    "_check_token_url": "https",
    "_parse_oauth_table": "",
    "_parse_rate_limits": "`20/s`; s, m, h or d",
    "_parse_daily_limits": "from 1",
    "_parse_date": "`2026-11-21`",
    "parse_share": "above `0%`, at most `100%`",
    "parse_hold_time": "`30m`; s, m, h or d; `ask`",
    "parse_time_span": "`24h`; s, m, h or d; at most `10d`",
}  # fmt: skip
_TYPES: Final[Mapping[Any, str]] = {
    str: "text",
    TextByLanguage: "text, or table by language",
    Mailbox: "text",
    int: "number",
    float: "share",
    bool: "true or false",
    dt.time: "time",
    dt.date: "date",
    dt.timedelta: "time span",
    OAuth: "table",
    get_origin(Mapping[str, str]): "table",
    tuple: "list",
}


def page_text() -> str:
    """The whole page."""
    lines = [_HEAD.rstrip("\n"), "", "| variable | |", "|---|---|"]
    lines += [f"| `{name}` | {sentence} |" for name, sentence in OTHER_VARIABLES.items()]
    for place, model in _tables():
        lines += ["", f"## [{'.'.join(place)}]", ""]
        lines += [_TITLES[place], ""] if place in _TITLES else []
        lines += ["| key | | type | default | values | environment |", "|---|---|---|---|---|---|"]
        for name, field in model.model_fields.items():
            lines.append(_row(place, field.alias or name, field))
    return "\n".join(lines) + "\n"


def _tables() -> Iterator[tuple[tuple[str, ...], type[BaseModel]]]:
    for section, model in SECTIONS.items():
        yield (section,), model
        if section == "brand":
            yield ("editions", "NAME"), Edition
        if section == "delivery":
            yield ("delivery", "oauth"), OAuth


def _row(place: tuple[str, ...], key: str, field: FieldInfo) -> str:
    if not field.description:
        raise ValueError(f"{'.'.join(place)}.{key} has no description")
    cells = (
        f"`{key}`",
        field.description,
        _type(field.annotation),
        _default(field),
        "; ".join(dict.fromkeys(filter(None, _values(field)))),
        f"`{variable_name((*place, key)).replace('_NAME_', '_<NAME>_')}`",
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _type(kind: Any) -> str:
    origin = get_origin(kind)
    if origin is Literal:
        return "text"
    if kind in _TYPES:
        return _TYPES[kind]
    if origin in _TYPES:
        return _TYPES[origin]
    if hasattr(kind, "__metadata__"):
        return _type(get_args(kind)[0])
    return next(_type(part) for part in get_args(kind) if part is not type(None))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value in (None, "", (), {}):
        return "none"
    if isinstance(value, dt.timedelta):
        hours, rest = divmod(value.seconds + value.days * 86400, 3600)
        return f'`"{hours}h"`' if not rest else f'`"{rest // 60}m"`'
    if isinstance(value, float):
        return f'`"{value:.0%}"`'
    return f"`{json.dumps(value)}`"


def _values(field: FieldInfo) -> Iterator[str]:
    kinds = [kind for kind in get_args(field.annotation) if kind is not type(None)]
    kind = kinds[0] if len(kinds) == 1 else field.annotation
    if get_origin(kind) is Literal:
        yield ", ".join(f"`{value}`" for value in get_args(kind))
    low = high = None
    for each in _metadata(field):
        if isinstance(each, ByLanguage):
            yield from (_CHECKED[check.func.__name__] for check in get_args(each.text_type)[1:])
            continue
        low = each.ge if isinstance(each, Ge) else low
        high = each.le if isinstance(each, Le) else high
        if getattr(each, "pattern", None):
            yield "small letters, digits, `-` and `_`"
        if isinstance(each, (AfterValidator, BeforeValidator)):
            function: Callable[..., object] = each.func
            yield _CHECKED[function.__name__]
    if low is not None and high is not None:
        yield f"{low} to {high}"


def _metadata(field: FieldInfo) -> Iterator[Any]:
    yield from field.metadata
    for part in get_args(field.annotation):
        if get_origin(field.annotation) not in (Mapping, tuple):
            yield from getattr(part, "__metadata__", ())


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page_text(), encoding="utf-8")


if __name__ == "__main__":
    main()
