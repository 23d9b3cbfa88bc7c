"""Makes the plan of an issue: who will get it, who will not and why, and a hash of all of this.

The audience is counted in one pass over the subscribers, and the plan holds only counts, so that memory does
not grow with the number of readers. The hash covers the content (the renditions, the sender) and the
recipients (each person and variant): two plans with the same hash send the same messages to the same people.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mailer.audience.planned import PlannedPeople, PlannedPeopleBuilder
from mailer.campaign.campaign import Campaign
from mailer.config import Settings
from mailer.message.message import Envelope, Message, MessageTemplate, Person
from mailer.render.rendition import Rendition
from mailer.services.planning.recipients import RecipientSelection, count_ids_in_both
from mailer.services.workspace import Workspace

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = [
    "AudienceCounts",
    "AudienceChange",
    "PlanInput",
    "Plan",
    "variants_to_render",
    "make_plan_content",
    "variant_of_most_readers",
    "make_plan",
    "count_audience",
]


@dataclass(frozen=True, slots=True)
class AudienceCounts:
    """Holds the counts of one pass over the subscribers.

    `excluded` counts the excluded people by reason, `variants` the recipients by variant, `domains` the
    recipients by domain. `digest` is a hash of all recipients and their variants.
    """

    recipients: int
    excluded: Mapping[str, int]
    variants: Mapping[int, int]
    domains: Mapping[str, int]
    digest: str


def count_audience(
    workspace: Workspace, selection: RecipientSelection, builder: PlannedPeopleBuilder | None = None
) -> AudienceCounts:
    """Counts the audience in one pass with constant memory. Also adds each recipient to `builder`, if a
    builder is given."""
    excluded: Counter[str] = Counter()
    variants: Counter[int] = Counter()
    domains: Counter[str] = Counter()
    digest = hashlib.sha256()
    for rows in selection.read_subscriber_batches(workspace):
        ids: list[int] = []
        reads: list[int] = []
        for subscriber, domain, reason, variant in rows:
            if reason is not None:
                excluded[reason] += 1
                continue
            variants[variant] += 1
            domains[domain] += 1
            ids.append(subscriber)
            reads.append(variant)
        digest.update("".join(f"{i}:{v};" for i, v in zip(ids, reads, strict=True)).encode("ascii"))
        if builder is not None:
            builder.add(ids, reads)
    return AudienceCounts(
        recipients=variants.total(),
        excluded=dict(excluded.most_common()),
        variants=dict(sorted(variants.items())),
        domains=dict(domains.most_common()),
        digest=digest.hexdigest(),
    )


def variants_to_render(audience: AudienceCounts) -> tuple[int, ...]:
    """Returns the variants that must be rendered for the audience; variant 0 if there are no recipients."""
    return tuple(audience.variants) or (0,)


@dataclass(frozen=True, slots=True)
class AudienceChange:
    """Counts the people who joined and left since the edition's last campaign, which has the slug
    `campaign`."""

    campaign: str
    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Describes what would be sent now, as the operator is shown it.

    `variants` counts the readers of each rendition, and `since` is the change since the edition's last
    campaign. Sizes are in bytes. `archive` says what the public page shows: "everybody" for the parts that
    all readers get, "variant" for the variant that most readers get, "none" if there is no page.
    """

    slug: str
    issue: str
    edition: str
    date: str
    subject: str
    sender: str
    segment: str
    transport: str
    recipients: int
    excluded: Mapping[str, int]
    variants: Mapping[str, int]
    domains: Mapping[str, int]
    html_bytes: int
    message_bytes: int
    since: AudienceChange | None
    warnings: tuple[str, ...]
    content_hash: str
    audience_hash: str
    hash: str
    archive: str = "everybody"

    def to_json(self) -> dict[str, Any]:
        """Returns the plan as JSON data."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInput:
    """Holds the input of a plan.

    `people` are the recipients, `segment` is the expression that selected them, and `last` is the edition's
    last campaign. `public` is the rendition of the public page if the page shows only the parts for
    everybody, else None.
    """

    loaded: LoadedIssue
    renditions: Mapping[int, Rendition]
    audience: AudienceCounts
    people: PlannedPeople
    slug: str
    segment: str
    transport: str
    last: Campaign | None
    warnings: Sequence[str]
    public: Rendition | None


def make_plan(workspace: Workspace, inputs: PlanInput) -> Plan:
    """Returns the plan for the renditions, the recipients and the public page in `inputs`."""
    settings, audience, renditions = workspace.settings, inputs.audience, inputs.renditions
    issue = inputs.loaded.issue
    archive = settings.editions[issue.edition].public_page
    content = make_plan_content(settings, renditions, inputs.slug, archive, inputs.public)
    content_hash = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    both = hashlib.sha256(f"{content_hash}\n{audience.digest}\n{inputs.segment}".encode()).hexdigest()
    html_bytes, message_bytes = _largest_html_and_message_sizes(settings, inputs)
    names = {id(r): str(r.variant) for r in renditions.values()}
    variants: Counter[str] = Counter()
    for variant, number in audience.variants.items():
        variants[names[id(renditions[variant])]] += number
    return Plan(
        slug=inputs.slug,
        issue=inputs.loaded.path,
        edition=issue.edition,
        date=issue.date.isoformat(),
        subject=renditions[variant_of_most_readers(audience)].subject.fill({}),
        sender=str(settings.publication.sender),
        segment=inputs.segment,
        transport=inputs.transport,
        recipients=audience.recipients,
        excluded=dict(audience.excluded),
        variants=dict(variants),
        domains=dict(list(audience.domains.items())[:10]),
        html_bytes=html_bytes,
        message_bytes=message_bytes,
        since=_audience_change_since_last_campaign(workspace, inputs),
        warnings=tuple(inputs.warnings),
        content_hash=content_hash,
        audience_hash=audience.digest,
        hash=both[:16],
        archive=archive,
    )


def _largest_html_and_message_sizes(settings: Settings, inputs: PlanInput) -> tuple[int, int]:
    """Returns the size in bytes of the largest HTML part, and of the largest message."""
    envelope = Envelope(
        settings.in_language(inputs.loaded.issue.language),
        campaign_id=0,
        slug=inputs.slug,
        edition=inputs.loaded.issue.edition,
        sent_at=datetime(2000, 1, 1, tzinfo=UTC),
    )
    different = {id(r): r for r in inputs.renditions.values()}.values()
    return (
        max(len(r.html.fill({}).encode()) for r in different),
        max(len(Message(MessageTemplate(r, envelope), Person(0, "a@example.org")).raw()) for r in different),
    )


def make_plan_content(
    settings: Settings,
    renditions: Mapping[int, Rendition],
    slug: str,
    public_page_kind: str = "everybody",
    public_page: Rendition | None = None,
) -> dict[str, Any]:
    """Returns the content that a plan fixes, as JSON data. The renditions are stored as digests by variant.

    `public_page_kind` says what the public page shows (see `Plan.archive`), and `public_page` is the
    rendition of the page if it shows only the parts for everybody. If the page differs from what all readers
    get, the key `public` holds a digest of the page, or `public_page_kind` if that is not "everybody".
    """
    content = {
        "sender": str(settings.publication.sender),
        "reply_to": str(settings.publication.reply_to or ""),
        "base_url": settings.publication.base_url,
        "slug": slug,
        "renditions": {str(variant): r.digest for variant, r in sorted(renditions.items())},
    }
    if public_page_kind != "everybody":
        content["public"] = public_page_kind
    elif public_page is not None and renditions.keys() != {0}:
        content["public"] = hashlib.sha256(public_page.web.encode()).hexdigest()
    return content


def variant_of_most_readers(audience: AudienceCounts) -> int:
    """Returns the variant that most readers get."""
    return max(audience.variants, key=lambda variant: (audience.variants[variant], -variant), default=0)


def _audience_change_since_last_campaign(workspace: Workspace, inputs: PlanInput) -> AudienceChange | None:
    """Returns how many people joined and left since the edition's last campaign; None if there was no earlier
    campaign."""
    if inputs.last is None:
        return None
    spool = workspace.spools.open(inputs.last)
    both = count_ids_in_both((person for person, _ in inputs.people), spool.subscriber_ids())
    before = sum(spool.delivery_counts_by_state().values())
    return AudienceChange(inputs.last.slug, joined=inputs.audience.recipients - both, left=before - both)
