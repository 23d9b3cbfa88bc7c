"""Implements the commands `resume`, `retry` and `resolve` of `mailer campaigns`."""

from __future__ import annotations

from typing import Annotated

import typer

from mailer.commands.context import JsonFlag, emit_json, say, settings_of
from mailer.commands.output import say_result, show_progress, warn_of_moved_database
from mailer.commands.signals import stop_on_signals
from mailer.errors import InputError
from mailer.services.campaigns.decisions import make_failed_deliveries_pending, resolve_uncertain_deliveries
from mailer.services.campaigns.documents import campaign_details, campaign_overview
from mailer.services.campaigns.resume import resume_campaign
from mailer.services.sending.result import SendResult
from mailer.services.sending.send import finish_campaign
from mailer.services.workspace import Workspace, open_workspace

__all__ = ["resolve", "resume", "retry"]

Slug = Annotated[str, typer.Argument(metavar="SLUG", help="The campaign's name, such as 2026-11-21-morning.")]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address", metavar="ADDRESS", help="Only the delivery to this address, such as li@example.org."
    ),
]


def resume(context: typer.Context, slug: Slug, as_json: JsonFlag = False) -> None:
    """Continues a campaign, or sends a scheduled or missed one now."""
    workspace = open_workspace(settings_of(context))
    overview = campaign_overview(workspace, slug)
    warn_of_moved_database(workspace.db, workspace.settings)
    with (
        stop_on_signals() as stop,
        show_progress(sum(overview.counts.values()), quiet=as_json) as observe,
    ):
        result = resume_campaign(workspace, slug, stop=stop, observe=observe)
    if result is not None:
        _print_result(workspace, result, as_json)
    elif as_json:
        emit_json(campaign_details(workspace, slug).to_json())
    else:
        say(f"Campaign {slug} continues: the process that was waiting sends the rest.")


def retry(
    context: typer.Context, slug: Slug, address: AddressOption = None, as_json: JsonFlag = False
) -> None:
    """Retries rejected and deferred deliveries, except to people who bounced."""
    workspace = open_workspace(settings_of(context))
    again, left_out = make_failed_deliveries_pending(workspace, slug, address=address)
    if left_out and not as_json:
        say(
            f"{left_out:,} {'is' if left_out == 1 else 'are'} left out, because mail to them bounced. "
            "`mailer subscribers restore` restores people who were wrongly marked as bounced."
        )
    elif not again and not as_json:
        say("No delivery was rejected or deferred.")
    _send_remaining(workspace, slug, as_json, address, retried=again, left_out=left_out)


def resolve(
    context: typer.Context,
    slug: Slug,
    resend: Annotated[
        bool,
        typer.Option(
            "--resend", help="Send uncertain deliveries again; some people may get the issue twice."
        ),
    ] = False,
    assume_sent: Annotated[
        bool,
        typer.Option(
            "--assume-sent",
            help="Count uncertain deliveries as accepted; some people may not have the issue.",
        ),
    ] = False,
    address: AddressOption = None,
    as_json: JsonFlag = False,
) -> None:
    """Settles uncertain deliveries, which were in flight when a run died."""
    if resend == assume_sent:
        raise InputError(
            "choose one of --resend (some may get it twice) and --assume-sent (some may not get it)"
        )
    workspace = open_workspace(settings_of(context))
    number = resolve_uncertain_deliveries(workspace, slug, resend=resend, address=address)
    if resend and number:
        _send_remaining(workspace, slug, as_json, address)
    elif as_json:
        emit_json(campaign_details(workspace, slug).to_json())
    elif not number:
        say(f"No delivery of {slug} is uncertain.")
    else:
        counted = "counts" if number == 1 else "count"
        say(f"{number:,} uncertain {'delivery' if number == 1 else 'deliveries'} {counted} as accepted.")


def _send_remaining(
    workspace: Workspace, slug: str, as_json: bool, address: str | None = None, **extra_counts: int
) -> None:
    """Sends the remaining deliveries of a campaign, and prints the result.

    If `address` is given, sends only the delivery to this address. `extra_counts` are numbers, by key, that
    are added to the JSON document of the result.
    """
    total = 1 if address is not None else campaign_overview(workspace, slug).deliveries_left
    warn_of_moved_database(workspace.db, workspace.settings)
    with stop_on_signals() as stop, show_progress(total, quiet=as_json) as observe:
        result = finish_campaign(workspace, slug, stop=stop, observe=observe, only_address=address)
    _print_result(workspace, result, as_json, extra_counts)


def _print_result(
    workspace: Workspace, result: SendResult, as_json: bool, extra_counts: dict[str, int] | None = None
) -> None:
    if as_json:
        emit_json({**result.to_json(), **(extra_counts or {})})
    else:
        say_result(workspace.settings, result)
    if not (result.is_complete or result.is_waiting):
        raise typer.Exit(1)
