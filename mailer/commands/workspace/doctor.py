"""Implements `mailer doctor`, which checks whether a workspace is ready to send."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Final

import typer

from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.commands.json_output import set_exit_explanation
from mailer.errors import InputError
from mailer.transports.finding import Finding, Status

__all__ = ["doctor"]

_COLOURS: Final = {
    Status.OK: typer.colors.GREEN,
    Status.WARNING: typer.colors.YELLOW,
    Status.ERROR: typer.colors.RED,
    Status.UNKNOWN: typer.colors.MAGENTA,
}
_WIDTH: Final = max(map(len, Status))
_INTERRUPTED: Final = 130  # what a shell says of a program that SIGINT ended


def doctor(
    context: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Skip every check that needs the network.")
    ] = False,
    dns_server: Annotated[
        str | None,
        typer.Option(
            envvar="MAILER_DNS_SERVER",
            metavar="HOST:PORT",
            help="The nameserver to ask, such as 127.0.0.1:53, in place of the machine's own.",
        ),
    ] = None,
    seconds: Annotated[
        float,
        typer.Option(
            "--time",
            metavar="SECONDS",
            min=1,
            max=600,
            help="The longest time that all checks may take, such as 10.",
        ),
    ] = 30.0,
    as_json: JsonFlag = False,
) -> None:
    """Checks settings, database, DNS records and servers.

    The command changes nothing and sends nothing.
    """
    # Only here: no other command needs the DNS.
    from mailer.doctor.examine import examine_workspace

    given = context.get_parameter_source("dns_server")
    if offline and given is not None and given.name == "COMMANDLINE":
        raise InputError("--offline and --dns-server cannot be used together; leave one of them out")
    settings = settings_of(context)
    try:
        examination = examine_workspace(settings, offline=offline, nameserver=dns_server, seconds=seconds)
    except KeyboardInterrupt:
        say("mailer: stopped; nothing was changed", err=True)
        set_exit_explanation("stopped; nothing was changed")
        raise typer.Exit(_INTERRUPTED) from None
    if as_json:
        emit_json(examination.to_json())
    else:
        _print_findings(examination.findings)
    if not examination.is_ready:
        raise typer.Exit(1)


def _print_findings(findings: Sequence[Finding]) -> None:
    """Prints each finding on a line, in columns, and then the number of findings of each status."""
    coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    width = max(len(finding.name) for finding in findings) + 1
    for finding in findings:
        status = f"{finding.status:<{_WIDTH}}"
        if coloured:
            status = typer.style(status, fg=_COLOURS[finding.status])
        advice = f"; {finding.advice}" if finding.advice else ""
        say(f"  {finding.name + ':':<{width}}  {finding.message}{advice}", raw_prefix=status)
    counts = Counter(finding.status for finding in findings)
    say()
    say(", ".join(_count_text(counts[status], status) for status in Status if counts[status]))


def _count_text(count: int, status: Status) -> str:
    plural = count > 1 and status in (Status.WARNING, Status.ERROR)
    return f"{count} {status}{'s' if plural else ''}"
