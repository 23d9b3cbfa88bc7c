"""Prints a plan as text."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.audience.selection import Exclusion
from mailer.commands.context import say
from mailer.issue.model import reader_conditions
from mailer.services.planning.plan import Plan
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.planning.recipients import UNWRITABLE
from mailer.services.sending.proposal import plan_to_send
from mailer.transports.registry import unwritable_addresses_of

__all__ = ["say_plan"]


def say_plan(
    prepared: PreparedIssue,
    remaining: int | None = None,
    *,
    extra_rows: Iterable[str] = (),
    extra_warnings: Iterable[str] = (),
) -> None:
    """Prints a plan. `remaining` is the number of deliveries that an existing campaign still has to send.

    If there is no campaign yet, `remaining` is None. `extra_rows` and `extra_warnings` are printed with the
    plan: they are about the schedule and the canary.
    """
    existing, outbox_copies = prepared.existing, prepared.outbox_copies
    plan = plan_to_send(prepared)
    say(f"Campaign   {plan.slug}" + (f" ({existing.status})" if existing else " (new)"))
    say(f"Issue      {plan.issue} ({plan.edition}, {plan.date})")
    say(f"Subject    {plan.subject}")
    say(f"From       {plan.sender}")
    say(f"By         {plan.transport}")
    if plan.segment:
        say(f"Segment    {plan.segment}")
    if remaining is not None and existing:
        say(f"Left       {remaining:,} of {existing.plan['recipients']:,} readers")
    else:
        say(f"Readers    {plan.recipients:,} will get it")
        for reason, number in plan.excluded.items():
            say(f"           {number:,} will not: {_exclusion_text(reason, plan.transport)}")
    if outbox_copies:
        folder = _outbox_folder(outbox_copies.transport)
        say(f"Tried out  {outbox_copies.readers:,} got the issue in {folder} only")
    if len(plan.variants) > 1:
        for variant, number in plan.variants.items():
            say(f"           {number:,} {_variant_text(prepared, int(variant))}")
    if plan.domains:
        top = ", ".join(f"{domain} {number:,}" for domain, number in list(plan.domains.items())[:4])
        say(f"           mostly at {top}")
    if page := _public_page_text(prepared, plan):
        say(f"Archive    {page}")
    if plan.since:
        say(f"Since      {plan.since.campaign}: {plan.since.joined:,} new, {plan.since.left:,} gone")
    say(f"Size       HTML {plan.html_bytes / 1024:.1f} KB, message {plan.message_bytes / 1024:.1f} KB")
    say(f"Plan       {_plan_hash(prepared)}")
    for row in extra_rows:
        say(row)
    for warning in (*plan.warnings, *extra_warnings):
        say(f"Warning    {warning}")
    if existing and existing.issue_hash != prepared.loaded.digest:
        say("Warning    the issue has changed since the campaign was frozen; the archived issue is sent")
    if existing and plan.sender != prepared.plan.sender:
        sender = prepared.plan.sender
        say(f"Warning    From stays as in the frozen campaign; mailer.toml now says {sender}")
    say()


def _outbox_folder(transport: str) -> str:
    """Returns the folder in the URL of an outbox, such as `outbox/` for `outbox:outbox`."""
    return transport.partition(":")[2].rstrip("/") + "/"


def _public_page_text(prepared: PreparedIssue, plan: Plan) -> str:
    """Returns a text about how the public page differs from what readers get, or '' if it does not differ."""
    if plan.archive == "none":
        return "there is no public page: archive = false"
    only = ", ".join(reader_conditions(prepared.loaded.issue))
    shown = []
    if only and plan.archive == "variant":
        shown.append('shows what most readers get: archive = "variant"')
    elif only:
        shown.append(f"leaves out the parts that are only for {only}")
    if plan.segment:
        shown.append("is open to all, and not to the segment alone")
    return f"the public page {' and '.join(shown)}" if shown else ""


def _variant_text(prepared: PreparedIssue, variant: int) -> str:
    """Returns a text about the parts of the issue that the readers of this variant get."""
    only = reader_conditions(prepared.loaded.issue)
    chosen = [expression for bit, expression in enumerate(only) if variant >> bit & 1]
    if not chosen:
        return "get the parts that are for everybody (variant 0)"
    return f"also get the parts that are only for {', '.join(chosen)} (variant {variant})"


def _exclusion_text(reason: str, transport: str) -> str:
    if reason == UNWRITABLE:
        rule = unwritable_addresses_of(transport)
        return f"has an address that {rule.reason_text if rule else 'could not be written to'}"
    return Exclusion(reason).sentence if reason in set(Exclusion) else "has it already"


def _plan_hash(prepared: PreparedIssue) -> str:
    return prepared.existing.plan_hash if prepared.existing else prepared.plan.hash
