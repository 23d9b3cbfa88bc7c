"""Holds and checks the options of an import: the tool that wrote the list, what columns hold, everybody's
status.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mailer.audience.exchange.columns.names import FIELDS, field_of_map_option
from mailer.audience.exchange.columns.profile import checked_tool_name
from mailer.display_text import nearest_word
from mailer.errors import AudienceError

__all__ = ["STATUSES", "ImportOptions", "options_of_command"]

#: The values of --status.
STATUSES = ("unsubscribed", "bounced", "complained", "suppressed")
ATTRIBUTE = "attributes."


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Holds the options of an import.

    `tool` names a profile ("": recognise the tool), `maps` has (column, field), and `ignored` columns are
    left out. `status` is everybody's status, and `order` the order of dates ("dmy", "mdy" or ""). `editions`
    are those that new people read. `encoding` is a Python codec ("": detect it). `partial` is true for a list
    of an archive, which need not have every column that the options name.
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


def options_of_command(
    *,
    tool: str | None = None,
    maps: Iterable[str] = (),
    ignored: Iterable[str] = (),
    status: str | None = None,
    order: str | None = None,
    dry_run: bool = False,
) -> ImportOptions:
    """Returns the import options of a command line. Raises AudienceError if an option has a wrong value."""
    if status is not None and status not in STATUSES:
        raise AudienceError(_unknown_value_message("status of a whole list", status, STATUSES))
    if order is not None and order not in ("dmy", "mdy"):
        raise AudienceError(f'--dates must be dmy or mdy, not "{order}"')
    return ImportOptions(
        checked_tool_name(tool) if tool else "",
        tuple(_parse_map_option(text) for text in maps),
        tuple(ignored),
        status or "",
        order or "",
        dry_run,
    )


def _parse_map_option(text: str) -> tuple[str, str]:
    column, equals, word = text.rpartition("=")
    if not equals or not column.strip() or not word.strip():
        raise AudienceError(f'--map must be COLUMN=FIELD, such as --map Mail=address, not "{text}"')
    if word.strip().startswith(ATTRIBUTE):
        return column.strip(), word.strip()
    field = field_of_map_option(word)
    if field is None:
        raise AudienceError(_unknown_value_message("field", word.strip(), FIELDS))
    return column.strip(), field


def _unknown_value_message(noun: str, word: str, known_values: Iterable[str]) -> str:
    near = nearest_word(word, known_values)
    hint = f"did you mean {near}?" if near else f"choose from {', '.join(known_values)}"
    return f'there is no {noun} "{word}"; {hint}'
