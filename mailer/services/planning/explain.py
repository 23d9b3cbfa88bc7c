"""Explains why one person gets an issue, or does not get it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mailer.audience.consent.bounces import Bounce, bounces_of
from mailer.audience.consent.suppression import is_suppressed
from mailer.audience.selection import Exclusion, exclusion_of, variant_of
from mailer.audience.subscribers import find
from mailer.audience.values.address import normalize_address
from mailer.campaign.campaign import PersonDelivery
from mailer.issue.model import reader_conditions
from mailer.services.planning.prepare import is_campaign_of_issue, make_recipient_selection
from mailer.services.workspace import Workspace
from mailer.transports.registry import unwritable_addresses_of

__all__ = ["PersonExplanation", "explain_whether_person_gets_issue"]


@dataclass(frozen=True, slots=True)
class PersonExplanation:
    """Holds what is known about one person and one issue.

    `known` is true if the person is a subscriber. `exclusion` says why the person would not get the issue now
    (None: no reason). `only` lists the conditions of the issue that are true for the person. `deliveries` are
    the person's deliveries in earlier campaigns of the issue. `bounce` is the last bounce, if the person is
    marked as bounced. `unwritable` says why the configured transport cannot write to the address, or is "".
    """

    address: str
    issue: str
    known: bool
    exclusion: Exclusion | None
    only: tuple[str, ...]
    deliveries: tuple[PersonDelivery, ...]
    bounce: Bounce | None = None
    unwritable: str = ""


def explain_whether_person_gets_issue(workspace: Workspace, address: str, issue: Path) -> PersonExplanation:
    """Explains whether and why the person at `address` gets the issue in the file `issue`.

    Raises AudienceError for an invalid address, and IssueError for an invalid issue.
    """
    from mailer.issue.load import load_issue

    db, settings = workspace.db, workspace.settings
    loaded = load_issue(issue, settings)
    selection = make_recipient_selection(loaded, settings, "")
    checked = normalize_address(address)
    person = find(db, address)
    if person is None:
        gone = Exclusion.SUPPRESSED if is_suppressed(db, checked.key) else None
        return PersonExplanation(checked.address, loaded.path, False, gone, (), ())
    variant = variant_of(db, person.id, selection.only)
    slugs = workspace.spools.slugs_by_id()
    alike = [c for c in workspace.spools.campaigns() if is_campaign_of_issue(c, loaded)]
    address = person.address or checked.address
    expressions = reader_conditions(loaded.issue)
    rule = unwritable_addresses_of(settings.delivery.transport)
    return PersonExplanation(
        address=address,
        issue=loaded.path,
        known=True,
        exclusion=exclusion_of(db, person.id, loaded.issue.edition),
        only=tuple(text for bit, text in enumerate(expressions) if variant >> bit & 1),
        deliveries=tuple(workspace.spools.deliveries_of(person.id, alike)),
        unwritable=rule.reason_text if rule and rule.matches(address) else "",
        bounce=next(iter(bounces_of(db, person.id, slugs)), None) if person.status == "bounced" else None,
    )
