"""Collects the warnings that an operator should read before an issue is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mailer.addresses import address_with_ascii_domain
from mailer.campaign.campaign import Campaign
from mailer.config import Settings
from mailer.errors import IssueError
from mailer.message.dkim import Signer, domains_may_align
from mailer.render.rendition import Rendition
from mailer.services.planning.plan import AudienceCounts
from mailer.services.planning.public_page import is_public_page_blank
from mailer.services.planning.recipients import UNWRITABLE
from mailer.services.planning.transport_choice import transport_problem
from mailer.transports.registry import unwritable_addresses_of

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["WarningInput", "collect_warnings"]


@dataclass(frozen=True, slots=True)
class WarningInput:
    """Holds the input of the warnings. `transport` is a URL, and `signer` signs the messages with DKIM.

    `others` are the campaigns of other issues, except campaigns that were cancelled before they reached
    anybody.
    """

    loaded: LoadedIssue
    renditions: Mapping[int, Rendition]
    audience: AudienceCounts
    transport: str
    signer: Signer | None
    others: Sequence[Campaign]


def collect_warnings(settings: Settings, inputs: WarningInput) -> list[str]:
    """Returns the warnings about a plan, without duplicates. Raises IssueError if the issue has errors and
    must not be sent."""
    return list(
        dict.fromkeys(
            (
                *_rendition_warnings(settings, inputs),
                *_same_date_warnings(inputs),
                *_sender_warnings(settings, inputs),
                *_audience_warnings(settings, inputs),
            )
        )
    )


def _rendition_warnings(settings: Settings, inputs: WarningInput) -> list[str]:
    from mailer.render.check import check_rendition

    warnings: list[str] = []
    for rendition in {id(r): r for r in inputs.renditions.values()}.values():
        problems = check_rendition(inputs.loaded, rendition, settings)
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise IssueError.from_problems(errors)
        warnings += [str(p).replace("warning: ", "", 1) for p in problems if str(p) not in warnings]
    return warnings


def _same_date_warnings(inputs: WarningInput) -> list[str]:
    """Returns a warning for each other issue of the same edition and date."""
    warnings: list[str] = []
    issue = inputs.loaded.issue
    for campaign in inputs.others:
        if (campaign.edition, campaign.issue_date) == (issue.edition, issue.date.isoformat()):
            how = "was sent" if campaign.started_at else "is planned"
            warnings.append(
                f"the {campaign.edition} edition of {campaign.issue_date} {how} already, "
                f"from {campaign.issue} (campaign {campaign.slug})"
            )
    return warnings


def _sender_warnings(settings: Settings, inputs: WarningInput) -> list[str]:
    warnings: list[str] = []
    if not settings.publication.base_url.startswith("https://"):
        warnings.append(
            "publication.base_url is not https, so mail programs will not offer their one-click unsubscribe"
        )
    sender = address_with_ascii_domain(settings.publication.sender.address).rpartition("@")[2]
    if inputs.signer and not domains_may_align(inputs.signer.domain, sender):
        warnings.append(
            f"dkim.domain {inputs.signer.domain} does not align with {sender}, the domain of From, "
            "so the signature does not count for DMARC"
        )
    return warnings


def _audience_warnings(settings: Settings, inputs: WarningInput) -> list[str]:
    warnings: list[str] = []
    if is_public_page_blank(inputs.loaded, settings):
        warnings.append(
            "no part of the issue is for everybody, so its public page is empty; set archive = false in "
            f"[editions.{inputs.loaded.issue.edition}] to make no page"
        )
    if trouble := transport_problem(inputs.transport, settings):
        warnings.append(f"the plan cannot be sent with these settings: {trouble}")
    number = inputs.audience.excluded.get(UNWRITABLE, 0)
    if number and (rule := unwritable_addresses_of(inputs.transport)):
        whose = "1 reader's address" if number == 1 else f"{number:,} readers' addresses"
        warnings.append(f"{whose} {rule.reason_text}; a server with SMTPUTF8 can write to them")
    if not inputs.audience.recipients:
        warnings.append("no reader would get the issue")
    return warnings
