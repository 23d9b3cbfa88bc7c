"""Implements `mailer subscribers unsubscribe` and `suppress`, for one address or a file of addresses."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mailer.audience.consent.suppression import OPERATOR
from mailer.audience.exchange.addresses import MOST_BYTES, read_address_file, read_addresses
from mailer.audience.subscribers import MAX_REASON
from mailer.commands.context import JsonFlag, emit_json, say, settings_of, warn
from mailer.display_text import without_control_characters
from mailer.errors import InputError
from mailer.services.subscribers import leaving
from mailer.services.subscribers.leaving import AddressList, AddressListResult

__all__ = ["suppress", "unsubscribe"]

#: At most this many addresses of a kind are printed one by one; --json has all of them.
_MAX_SHOWN = 20

_Who = Annotated[
    str | None, typer.Argument(metavar="ADDRESS", help="The person's address, such as li@example.org.")
]
_File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE|-",
        help="A file of addresses, one a line or in a column of a CSV; - is standard input.",
    ),
]


def unsubscribe(
    context: typer.Context,
    address: _Who = None,
    file: _File = None,
    edition: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="The edition to leave, such as morning; otherwise all mail."),
    ] = None,
    reason: Annotated[
        str, typer.Option(help='The reason in their own words, such as "too many mails".')
    ] = "",
    as_json: JsonFlag = False,
) -> None:
    """Unsubscribes one person, or every address in a file."""
    settings = settings_of(context)
    place = edition or "everything"
    if file is not None:
        taken = leaving.unsubscribe_list(
            settings, _read_address_list(address, file), edition=edition, reason=reason
        )
        _warn_of_long_reason(reason)
        _print_list_result(taken, f"now off {place}", f"already off {place}", as_json=as_json)
        return
    done = leaving.unsubscribe_person(settings, _required_address(address), edition=edition, reason=reason)
    _warn_of_long_reason(reason)
    if as_json:
        emit_json(done.to_json())
    else:
        say(f"{done.person.address} {'is now' if done.changed else 'was already'} unsubscribed from {place}.")


def _warn_of_long_reason(reason: str) -> None:
    if len(reason.strip()) > MAX_REASON:
        warn(f"the reason is too long; only its first {MAX_REASON} characters are kept")


def suppress(
    context: typer.Context,
    address: _Who = None,
    file: _File = None,
    reason: Annotated[str, typer.Option(help='The reason, such as "asked by letter".')] = OPERATOR,
    as_json: JsonFlag = False,
) -> None:
    """Puts an address, or all addresses in a file, on the suppression list.

    No mail is ever sent to the address again. The address need not belong to a subscriber.
    """
    settings = settings_of(context)
    if file is not None:
        taken = leaving.suppress_list(settings, _read_address_list(address, file), reason=reason)
        _print_list_result(taken, "now suppressed", "already suppressed", as_json=as_json)
        return
    done = leaving.suppress_address(settings, _required_address(address), reason=reason)
    if as_json:
        emit_json(done.to_json())
        return
    say(f"{done.address} {'is now' if done.changed else 'was already'} on the suppression list.")
    for now in done.moved_to:
        say(f"{now} had this address before, and is not suppressed.")


def _required_address(address: str | None) -> str:
    if address is None:
        raise InputError("name either an address, or a list of them with --file FILE")
    return address


def _read_address_list(address: str | None, file: Path) -> AddressList:
    if address is not None:
        raise InputError("name either an address, or a list of them with --file FILE")
    if str(file) == "-":
        name = "standard input"
        return AddressList(name, read_addresses(_read_standard_input(), name))
    name = without_control_characters(file.as_posix())
    return AddressList(name, read_address_file(file, name))


def _read_standard_input() -> bytes:
    """Returns the bytes of standard input, up to one byte more than a list may have."""
    stream = sys.stdin
    if stream is None:
        return b""
    raw = getattr(stream, "buffer", None)
    return raw.read(MOST_BYTES + 1) if raw is not None else stream.read().encode("utf-8", "surrogateescape")


def _print_list_result(
    result: AddressListResult, changed_label: str, unchanged_label: str, *, as_json: bool
) -> None:
    """Prints what was done with a list of addresses, and exits with status 1 if a line could not be read.

    The labels, such as `now off everything`, are printed before the numbers of changed and unchanged people.
    """
    taken, wrong, number = result.outcome, result.unreadable, len(result.source.lines)
    if as_json:
        emit_json(result.to_json())
    else:
        counts = {
            changed_label: taken.changed,
            unchanged_label: taken.unchanged,
            "not known here": len(taken.unknown),
            "not readable": len(wrong),
        }
        say(f"{result.source.name}: {number:,} {'line' if number == 1 else 'lines'}")
        for what, count in counts.items():
            if count:
                say(f"  {what:<26}{count:>11,}")
        for text in taken.unknown[:_MAX_SHOWN]:
            say(f"not known here: {text}")
        _say_number_of_omitted(len(taken.unknown), "that are not known here")
        for before, now in taken.moved[:_MAX_SHOWN]:
            say(f"{now} had the address {before} before, and is not suppressed")
        _say_number_of_omitted(len(taken.moved), "whose address has changed since")
        for line in wrong[:_MAX_SHOWN]:
            say(f"line {line.line}: {line.problem}")
        _say_number_of_omitted(len(wrong), "that could not be read")
    if wrong:
        raise typer.Exit(1)


def _say_number_of_omitted(line_count: int, description: str) -> None:
    if line_count > _MAX_SHOWN:
        say(f"… and {line_count - _MAX_SHOWN:,} more {description}")
