"""`mailer subscribers unsubscribe` and `suppress`: one address, or those of a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mailer.audience.consent import suppression
from mailer.audience.consent.leaving import Taken, holder_of, suppress_all, unsubscribe_all
from mailer.audience.exchange.addresses import MOST_BYTES, Line, read_addresses, read_list
from mailer.audience.people import get
from mailer.audience.subscribers import MAX_REASON
from mailer.audience.subscribers import unsubscribe as take_off
from mailer.audience.values.address import Address, normalize_address
from mailer.audience.values.cells import clean_line, editions_of
from mailer.commands.context import emit_json, say, settings_of, warn
from mailer.commands.subscribers.person import AsJson, document_of, wanted
from mailer.config import Settings
from mailer.display_text import visible
from mailer.errors import InputError
from mailer.store.database import open_store

__all__ = ["suppress", "unsubscribe"]

#: So many of a kind are told one by one to a person; --json has all of them.
_TOLD = 20

_Who = Annotated[str | None, typer.Argument(metavar="ADDRESS")]
_File = Annotated[
    Path | None,
    typer.Option(
        "--file",
        metavar="FILE|-",
        help="All in it: a plain list of addresses, or a CSV with a column of them; - is standard input.",
    ),
]


def unsubscribe(
    context: typer.Context,
    address: _Who = None,
    file: _File = None,
    edition: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only from this edition; else from everything.")
    ] = None,
    reason: Annotated[str, typer.Option(help="In their own words.")] = "",
    as_json: AsJson = False,
) -> None:
    """Takes somebody off, as they asked, or everybody in a file."""
    settings = settings_of(context)
    if edition is not None:
        editions_of((edition,), settings.editions)
    place = edition or "everything"
    if len(reason.strip()) > MAX_REASON:
        warn(f"of the reason, the first {MAX_REASON} characters are kept")
    if file is not None:
        name, lines = _lines(address, file)
        db = open_store(settings.database)
        taken = unsubscribe_all(db, _addresses(lines), edition=edition, reason=reason)
        _tell(name, lines, taken, f"now off {place}", f"already off {place}", as_json=as_json)
        return
    who = normalize_address(_one(address))
    db = open_store(settings.database)
    person = holder_of(db, who) or wanted(db, who.address)
    changed = take_off(db, person.id, edition=edition, reason=reason, further=True)
    if as_json:
        after = get(db, person.id) or person
        emit_json({"changed": changed, "subscriber": document_of(after)})
    else:
        say(f"{person.address} {'is now off' if changed else 'was already off'} {place}.")


def suppress(
    context: typer.Context,
    address: _Who = None,
    file: _File = None,
    reason: Annotated[str, typer.Option(help="Why.")] = suppression.OPERATOR,
    as_json: AsJson = False,
) -> None:
    """Never writes to this address again, whoever asks, also if it is nobody's here; or to all in a file."""
    settings = settings_of(context)
    why = clean_line(reason, "reason") or suppression.OPERATOR
    if file is not None:
        name, lines = _lines(address, file)
        taken = suppress_all(open_store(settings.database), _addresses(lines), reason=why)
        _tell(name, lines, taken, "now suppressed", "already suppressed", as_json=as_json)
        return
    _suppress_one(settings, normalize_address(_one(address)), why, as_json=as_json)


def _suppress_one(settings: Settings, who: Address, why: str, *, as_json: bool) -> None:
    db = open_store(settings.database)
    taken = suppress_all(db, [who], reason=why)
    changed = taken.changed > 0
    if as_json:
        emit_json({"address": who.address, "changed": changed})
        return
    say(f"{who.address} {'is now' if changed else 'was already'} on the suppression list.")
    for _, now in taken.moved:
        say(f"It was the address of {now} before, who is not suppressed by this.")


def _one(address: str | None) -> str:
    if address is None:
        raise InputError("name an address, or a list of them with --file FILE; one of them")
    return address


def _lines(address: str | None, file: Path) -> tuple[str, list[Line]]:
    """The name of the list as messages show it, and its lines."""
    if address is not None:
        raise InputError("name an address, or a list of them with --file FILE; one of them")
    if str(file) == "-":
        return "standard input", read_addresses(_standard_input(), "standard input")
    name = visible(file.as_posix())
    return name, read_list(file, name)


def _standard_input() -> bytes:
    """Standard input as bytes, at most one more than a list may have."""
    stream = sys.stdin
    if stream is None:
        return b""
    raw = getattr(stream, "buffer", None)
    return raw.read(MOST_BYTES + 1) if raw is not None else stream.read().encode("utf-8", "surrogateescape")


def _addresses(lines: list[Line]) -> list[Address]:
    return [line.address for line in lines if line.address is not None]


def _tell(name: str, lines: list[Line], taken: Taken, did: str, already: str, *, as_json: bool) -> None:
    """What became of a list; ends with status 1 where some of it could not be read."""
    wrong = [line for line in lines if line.address is None]
    if as_json:
        emit_json(_document(name, lines, taken, wrong))
    else:
        counts = {
            did: taken.changed,
            already: taken.unchanged,
            "not known here": len(taken.unknown),
            "not readable": len(wrong),
        }
        say(f"{name}: {len(lines):,} {'line' if len(lines) == 1 else 'lines'}")
        for what, number in counts.items():
            if number:
                say(f"  {what:<26}{number:>11,}")
        for text in taken.unknown[:_TOLD]:
            say(f"not known here: {text}")
        _more(len(taken.unknown), "that are not known here")
        for before, now in taken.moved[:_TOLD]:
            say(f"{before} was the address of {now} before, who is not suppressed by this")
        _more(len(taken.moved), "whose address has changed since")
        for line in wrong[:_TOLD]:
            say(f"line {line.line}: {line.problem}")
        _more(len(wrong), "that could not be read")
    if wrong:
        raise typer.Exit(1)


def _more(number: int, what: str) -> None:
    if number > _TOLD:
        say(f"… and {number - _TOLD:,} more {what}")


def _document(name: str, lines: list[Line], taken: Taken, wrong: list[Line]) -> dict[str, Any]:
    return {
        "file": name,
        "lines": len(lines),
        "changed": taken.changed,
        "unchanged": taken.unchanged,
        "unknown": taken.unknown,
        "moved": [{"address": before, "now": now} for before, now in taken.moved],
        "unreadable": [{"line": line.line, "text": line.text, "reason": line.problem} for line in wrong],
    }
