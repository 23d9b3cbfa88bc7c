"""Makes the plan: who will get an issue, who will not and why, and a hash over all of it.

A plan is made in one pass over the subscribers and holds only counts, so that a million readers need no more
memory than ten. Its hash covers what is sent (the renditions, the sender) and to whom (each person and
variant): two plans with one hash are the same sending.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from mailer.audience.planned import Planned, PlannedBuilder
from mailer.campaign.campaign import Campaign
from mailer.config import Settings
from mailer.message.message import Envelope, Message, Person, Template
from mailer.render.rendition import Rendition
from mailer.services.planning.recipients import RecipientSelection, count_common_ids
from mailer.services.workspace import Workspace

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = [
    "AudienceCounts",
    "AudienceChange",
    "PlanInput",
    "Plan",
    "audience_variants",
    "plan_content",
    "most_common_variant",
    "make_plan",
    "count_audience",
]


@dataclass(frozen=True, slots=True)
class AudienceCounts:
    """Holds the counts of one pass over the subscribers. `digest` covers each recipient and their variant."""

    recipients: int
    excluded: Mapping[str, int]
    variants: Mapping[int, int]
    domains: Mapping[str, int]
    digest: str


def count_audience(
    workspace: Workspace, selection: RecipientSelection, builder: PlannedBuilder | None = None
) -> AudienceCounts:
    """Counts the audience in one pass with constant memory. Adds the recipients to `builder`, if given."""
    excluded: Counter[str] = Counter()
    variants: Counter[int] = Counter()
    domains: Counter[str] = Counter()
    digest = hashlib.sha256()
    for rows in selection.read_batches(workspace):
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


def audience_variants(audience: AudienceCounts) -> tuple[int, ...]:
    """Returns the variants that must be rendered; variant 0 where there are no recipients."""
    return tuple(audience.variants) or (0,)


@dataclass(frozen=True, slots=True)
class AudienceChange:
    """Counts how the audience differs from the edition's last campaign."""

    campaign: str
    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Describes what would be sent now. Sizes are in bytes; `variants` counts readers by rendition.

    `archive` is what the public page shows: "everybody" for the parts that all readers get, "variant" for the
    variant that most readers get, "none" where there is no page.
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

    `people` are the recipients, `selection` says how they were selected, `public` is the rendition of the
    public page where it differs from what readers get, `last` is the edition's last campaign.
    """

    loaded: LoadedIssue
    renditions: Mapping[int, Rendition]
    audience: AudienceCounts
    people: Planned
    slug: str
    segment: str
    transport: str
    last: Campaign | None
    warnings: Sequence[str]
    public: Rendition | None


def make_plan(workspace: Workspace, inputs: PlanInput) -> Plan:
    """Returns the plan for a draft: its renditions, its recipients and its public page."""
    settings, audience, renditions = workspace.settings, inputs.audience, inputs.renditions
    issue = inputs.loaded.issue
    archive = settings.editions[issue.edition].public_page
    content = plan_content(settings, renditions, inputs.slug, archive, inputs.public)
    content_hash = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    both = hashlib.sha256(f"{content_hash}\n{audience.digest}\n{inputs.segment}".encode()).hexdigest()
    html_bytes, message_bytes = _largest_sizes(settings, inputs)
    names = {id(r): str(r.variant) for r in renditions.values()}
    variants: Counter[str] = Counter()
    for variant, number in audience.variants.items():
        variants[names[id(renditions[variant])]] += number
    return Plan(
        slug=inputs.slug,
        issue=inputs.loaded.path,
        edition=issue.edition,
        date=issue.date.isoformat(),
        subject=renditions[most_common_variant(audience)].subject.fill({}),
        sender=str(settings.publication.sender),
        segment=inputs.segment,
        transport=inputs.transport,
        recipients=audience.recipients,
        excluded=dict(audience.excluded),
        variants=dict(variants),
        domains=dict(list(audience.domains.items())[:10]),
        html_bytes=html_bytes,
        message_bytes=message_bytes,
        since=_change_since_last_campaign(workspace, inputs),
        warnings=tuple(inputs.warnings),
        content_hash=content_hash,
        audience_hash=audience.digest,
        hash=both[:16],
        archive=archive,
    )


def _largest_sizes(settings: Settings, inputs: PlanInput) -> tuple[int, int]:
    """Returns the bytes of the largest HTML, and those of the largest message."""
    envelope = Envelope(
        settings,
        campaign_id=0,
        slug=inputs.slug,
        edition=inputs.loaded.issue.edition,
        sent_at=datetime(2000, 1, 1, tzinfo=UTC),
    )
    different = {id(r): r for r in inputs.renditions.values()}.values()
    return (
        max(len(r.html.fill({}).encode()) for r in different),
        max(len(Message(Template(r, envelope), Person(0, "a@example.org")).raw()) for r in different),
    )


def plan_content(
    settings: Settings,
    renditions: Mapping[int, Rendition],
    slug: str,
    archive: str = "everybody",
    public: Rendition | None = None,
) -> dict[str, Any]:
    """Returns the content that a plan fixes, as JSON data; `renditions` are digests by variant.

    The key `public` is there where the public page differs from what all readers get: it is the value of
    `archive`, or the digest of the page.
    """
    content = {
        "sender": str(settings.publication.sender),
        "reply_to": str(settings.publication.reply_to or ""),
        "base_url": settings.publication.base_url,
        "slug": slug,
        "renditions": {str(variant): r.digest for variant, r in sorted(renditions.items())},
    }
    if archive != "everybody":
        content["public"] = archive
    elif public is not None and renditions.keys() != {0}:
        content["public"] = hashlib.sha256(public.web.encode()).hexdigest()
    return content


def most_common_variant(audience: AudienceCounts) -> int:
    """Returns the variant that most readers get."""
    return max(audience.variants, key=lambda variant: (audience.variants[variant], -variant), default=0)


def _change_since_last_campaign(workspace: Workspace, inputs: PlanInput) -> AudienceChange | None:
    """Returns how many joined and left since the edition's last campaign."""
    if inputs.last is None:
        return None
    spool = workspace.spools.open(inputs.last)
    both = count_common_ids((person for person, _ in inputs.people), spool.people())
    before = sum(spool.counts().values())
    return AudienceChange(inputs.last.slug, joined=inputs.audience.recipients - both, left=before - both)
