"""Prints a plan for people."""

from __future__ import annotations

from collections.abc import Iterable

from mailer.audience.selection import Exclusion
from mailer.commands.context import say
from mailer.issue.model import reader_conditions
from mailer.services.planning.plan import Plan
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.planning.recipients import UNWRITABLE
from mailer.services.sending.proposal import frozen_plan
from mailer.transports.registry import unwritable_addresses_of

__all__ = ["say_plan"]


def say_plan(
    prepared: PreparedIssue,
    left: int | None = None,
    *,
    rows: Iterable[str] = (),
    warnings: Iterable[str] = (),
) -> None:
    """Prints a plan. `left` is the number of deliveries that an existing campaign has still to send.

    `rows` and `warnings` are what else is told of it: when it goes out, who is first.
    """
    existing, outbox_copies = prepared.existing, prepared.outbox_copies
    plan = frozen_plan(prepared)
    say(f"Campaign   {plan.slug}" + (f" ({existing.status})" if existing else " (new)"))
    say(f"Issue      {plan.issue} ({plan.edition}, {plan.date})")
    say(f"Subject    {plan.subject}")
    say(f"From       {plan.sender}")
    say(f"By         {plan.transport}")
    if plan.segment:
        say(f"Segment    {plan.segment}")
    if left is not None and existing:
        say(f"Left       {left:,} of {existing.plan['recipients']:,} readers")
    else:
        say(f"Readers    {plan.recipients:,} will get it")
        for reason, number in plan.excluded.items():
            say(f"           {number:,} will not: {_because(reason, plan.transport)}")
    if outbox_copies:
        say(f"Tried out  {outbox_copies.readers:,} had it in {_folder(outbox_copies.transport)} only")
    if len(plan.variants) > 1:
        for variant, number in plan.variants.items():
            say(f"           {number:,} {_reading(prepared, int(variant))}")
    if plan.domains:
        top = ", ".join(f"{domain} {number:,}" for domain, number in list(plan.domains.items())[:4])
        say(f"           mostly at {top}")
    if page := _public_page(prepared, plan):
        say(f"Archive    {page}")
    if plan.since:
        say(f"Since      {plan.since.campaign}: {plan.since.joined:,} new, {plan.since.left:,} gone")
    say(f"Size       HTML {plan.html_bytes / 1024:.1f} KB, message {plan.message_bytes / 1024:.1f} KB")
    say(f"Plan       {_hash(prepared)}")
    for row in rows:
        say(row)
    for warning in (*plan.warnings, *warnings):
        say(f"Warning    {warning}")
    if existing and existing.issue_hash != prepared.loaded.digest:
        say("Warning    the file has changed since; this campaign goes on with the issue as archived")
    if existing and plan.sender != prepared.plan.sender:
        say(f"Warning    From stays as it was frozen; mailer.toml says {prepared.plan.sender} by now")
    say()


def _folder(transport: str) -> str:
    """Returns the folder of an outbox's URL, such as `outbox/` for `outbox:outbox`."""
    return transport.partition(":")[2].rstrip("/") + "/"


def _public_page(prepared: PreparedIssue, plan: Plan) -> str:
    """Returns what the public page shows, or '' where every reader of the edition gets the same."""
    if plan.archive == "none":
        return "there is no public page: archive = false"
    only = ", ".join(reader_conditions(prepared.loaded.issue))
    shown = []
    if only and plan.archive == "variant":
        shown.append('shows what most readers get: archive = "variant"')
    elif only:
        shown.append(f"leaves out what is only for {only}")
    if plan.segment:
        shown.append("is open to all, and not to the segment alone")
    return f"the public page {' and '.join(shown)}" if shown else ""


def _reading(prepared: PreparedIssue, variant: int) -> str:
    """Returns what the readers of a variant get, in the words of the issue."""
    only = reader_conditions(prepared.loaded.issue)
    chosen = [expression for bit, expression in enumerate(only) if variant >> bit & 1]
    if not chosen:
        return "read what is for everybody (variant 0)"
    return f"also read what is only for {', '.join(chosen)} (variant {variant})"


def _because(reason: str, transport: str) -> str:
    if reason == UNWRITABLE:
        rule = unwritable_addresses_of(transport)
        return f"has an address that {rule.reason_text if rule else 'could not be written to'}"
    return Exclusion(reason).sentence if reason in set(Exclusion) else "has it already"


def _hash(prepared: PreparedIssue) -> str:
    return prepared.existing.plan_hash if prepared.existing else prepared.plan.hash
