"""Holds what an operator says about a list: which tool wrote it, what columns hold, everybody's status."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailer.audience.exchange.columns.names import FIELDS, field_named
from mailer.audience.exchange.columns.profile import profile_name
from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = ["STATUSES", "Options", "options_of"]

#: The values of --status.
STATUSES = ("unsubscribed", "bounced", "complained", "suppressed")
ATTRIBUTE = "attributes."


@dataclass(frozen=True, slots=True)
class Options:
    """Holds the options of an import. `tool` is a profile ("": recognise it), `maps` are (column, field).

    `order` is the order of dates: dmy, mdy or "". `editions` are what the people of the list read, and
    `encoding` is a Python codec, or "" to detect it. `partial` says that the list is one of an archive, and
    need not have every column that the options name.
    """

    tool: str = ""
    maps: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    status: str = ""
    order: str = ""
    dry_run: bool = False
    partial: bool = False
    editions: tuple[str, ...] = ()
    encoding: str = ""


def options_of(
    *,
    tool: str | None = None,
    maps: Iterable[str] = (),
    ignored: Iterable[str] = (),
    status: str | None = None,
    order: str | None = None,
    dry_run: bool = False,
) -> Options:
    """Returns the options from the command line. Raises AudienceError with one sentence for a wrong one."""
    if status is not None and status not in STATUSES:
        raise AudienceError(_wrong("status of a whole list", status, STATUSES))
    if order is not None and order not in ("dmy", "mdy"):
        raise AudienceError(f'--dates is dmy or mdy, not "{order}"')
    return Options(
        profile_name(tool) if tool else "",
        tuple(_pair(text) for text in maps),
        tuple(ignored),
        status or "",
        order or "",
        dry_run,
    )


def _pair(text: str) -> tuple[str, str]:
    column, equals, word = text.rpartition("=")
    if not equals or not column.strip() or not word.strip():
        raise AudienceError(f'--map is COLUMN=FIELD, such as --map Mail=address, not "{text}"')
    if word.strip().startswith(ATTRIBUTE):
        return column.strip(), word.strip()
    field = field_named(word)
    if field is None:
        raise AudienceError(_wrong("field", word.strip(), FIELDS))
    return column.strip(), field


def _wrong(what: str, word: str, known: Iterable[str]) -> str:
    near = nearest_word(word, known)
    hint = f"did you mean {near}?" if near else f"there are {', '.join(known)}"
    return f'there is no {what} "{word}"; {hint}'
