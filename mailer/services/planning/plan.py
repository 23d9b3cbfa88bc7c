"""The plan: who will get an issue, who will not and why, and a hash over all of it.

A plan is made in one pass over the subscribers and holds only counts, so that a million readers need no
more memory than ten. Its hash covers what is sent (the renditions, the sender) and to whom (each
person and variant): two plans with one hash are the same sending.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlite_utils import Database

from mailer.audience.planned import Packer
from mailer.audience.segments import Segment
from mailer.audience.selection import mask_sql, reason_sql
from mailer.config import Settings
from mailer.message.message import Envelope, Message, Person, Template
from mailer.render.rendition import Rendition
from mailer.spool.sqlite.campaigns import Campaign
from mailer.spool.sqlite.folders import goes_into_folder
from mailer.transports.base import Unwritable

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = [
    "RECEIVED",
    "UNWRITABLE",
    "Audience",
    "Change",
    "Plan",
    "Selection",
    "audience_variants",
    "content_of",
    "main_variant",
    "make_plan",
    "survey",
]


#: The reason of those who have the issue by another campaign, and of those to whose address the transport
#: cannot write. All others are an Exclusion.
RECEIVED = "received"
UNWRITABLE = "unwritable"


@dataclass(frozen=True, slots=True)
class Selection:
    """Who is asked for: an edition's readers, within a segment, less those who have the issue already.

    `earlier` are the ids of other campaigns of the issue. Copies in an outbox folder count as having it only
    where this campaign goes into a folder, too (`into_folder`). `unwritable` are addresses that the transport
    cannot write to; the SQL asks for them by a function that `survey` gives to the connection.
    """

    edition: str
    segment: Segment | None
    only: tuple[Segment, ...]
    earlier: tuple[int, ...] = ()
    into_folder: bool = True
    unwritable: Unwritable | None = None

    def sql(self) -> tuple[str, list[Any]]:
        """Selects (id, domain, reason, variant) of every subscriber; no reason means: gets it."""
        reason, reason_parameters = reason_sql(self.edition, self.segment)
        mask, mask_parameters = mask_sql(self.only)
        already = "NULL"
        if self.earlier:
            marks = ", ".join("?" * len(self.earlier))
            folders = "" if self.into_folder else f" AND NOT ({_only_in_folder()})"
            already = (
                # What a cancelled campaign never sent does not count; what another may still send does.
                f"(SELECT '{RECEIVED}' FROM deliveries AS e JOIN campaigns AS c ON c.id = e.campaign_id "
                f"WHERE e.subscriber_id = s.id AND e.campaign_id IN ({marks}){folders} AND CASE c.status "
                "WHEN 'cancelled' THEN e.state IN ('accepted', 'uncertain', 'sending') "
                "ELSE e.state <> 'skipped' END)"
            )
        cannot = f"CASE WHEN unwritable(s.address) THEN '{UNWRITABLE}' END" if self.unwritable else "NULL"
        return (
            f"SELECT s.id, s.domain, coalesce({reason}, {already}, {cannot}) AS reason, {mask} AS variant "
            "FROM subscribers AS s",
            [*reason_parameters, *self.earlier, *mask_parameters],
        )

    def recipients_sql(self) -> tuple[str, list[Any]]:
        """Selects (subscriber_id, variant) of those who get it."""
        sql, parameters = self.sql()
        return (
            f"SELECT q.id AS subscriber_id, q.variant FROM ({sql}) AS q WHERE q.reason IS NULL",
            parameters,
        )


@dataclass(frozen=True, slots=True)
class Audience:
    """What one pass over the subscribers found. `digest` covers each recipient and their variant."""

    recipients: int
    excluded: Mapping[str, int]
    variants: Mapping[int, int]
    domains: Mapping[str, int]
    digest: str


def survey(db: Database, selection: Selection, packer: Packer | None = None) -> Audience:
    """Counts the audience in one pass and flat memory. Adds the recipients to the packer, if there is one."""
    if selection.unwritable is not None:
        db.conn.create_function("unwritable", 1, selection.unwritable.holds, deterministic=True)
    sql, parameters = selection.sql()
    excluded: Counter[str] = Counter()
    variants: Counter[int] = Counter()
    domains: Counter[str] = Counter()
    digest = hashlib.sha256()
    cursor = db.conn.execute(sql + " ORDER BY s.id", parameters)
    while rows := cursor.fetchmany(5000):
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
        if packer is not None:
            packer.add(ids, reads)
    return Audience(
        recipients=variants.total(),
        excluded=dict(excluded.most_common()),
        variants=dict(sorted(variants.items())),
        domains=dict(domains.most_common()),
        digest=digest.hexdigest(),
    )


def audience_variants(audience: Audience) -> tuple[int, ...]:
    """The variants that must be rendered; the plain one where nobody is there to read any."""
    return tuple(audience.variants) or (0,)


def _only_in_folder() -> str:
    """The condition of deliveries that went into a folder alone, or are of a campaign that goes there."""
    return (
        f"e.in_folder = 1 OR ({goes_into_folder('c.transport')} AND e.state NOT IN ('accepted', 'uncertain'))"
    )


@dataclass(frozen=True, slots=True)
class Change:
    """How the audience differs from the edition's last campaign."""

    campaign: str
    joined: int
    left: int


@dataclass(frozen=True, slots=True)
class Plan:
    """One sending as it would be now. Sizes are bytes; `variants` counts readers by rendition.

    `archive` is what the public page shows: "everybody" for what is for everybody, "variant" for what most
    readers get, "none" where there is no page.
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
    since: Change | None
    warnings: tuple[str, ...]
    content_hash: str
    audience_hash: str
    hash: str
    archive: str = "everybody"

    def to_json(self) -> dict[str, Any]:
        """The plan as JSON data."""
        return asdict(self)


def make_plan(
    db: Database,
    settings: Settings,
    loaded: LoadedIssue,
    renditions: Mapping[int, Rendition],
    audience: Audience,
    selection: Selection,
    *,
    slug: str,
    segment: str,
    transport: str,
    last: Campaign | None,
    warnings: Sequence[str],
    public: Rendition | None,
) -> Plan:
    """The plan of sending `renditions` to `audience`, and of showing the page of `public` to the world."""
    issue = loaded.issue
    sender = str(settings.publication.sender)
    archive = settings.editions[issue.edition].public_page
    content = content_of(settings, renditions, slug, archive, public)
    content_hash = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    both = hashlib.sha256(f"{content_hash}\n{audience.digest}\n{segment}".encode()).hexdigest()
    main = renditions[main_variant(audience)]
    envelope = Envelope(
        settings, campaign_id=0, slug=slug, edition=issue.edition, sent_at=datetime(2000, 1, 1, tzinfo=UTC)
    )
    sizes = [
        (len(r.html.fill({}).encode()), len(Message(Template(r, envelope), Person(0, "a@example.org")).raw()))
        for r in {id(r): r for r in renditions.values()}.values()
    ]
    names = {id(r): str(r.variant) for r in renditions.values()}
    variants: Counter[str] = Counter()
    for variant, number in audience.variants.items():
        variants[names[id(renditions[variant])]] += number
    return Plan(
        slug=slug,
        issue=loaded.path,
        edition=issue.edition,
        date=issue.date.isoformat(),
        subject=main.subject.fill({}),
        sender=sender,
        segment=segment,
        transport=transport,
        recipients=audience.recipients,
        excluded=dict(audience.excluded),
        variants=dict(variants),
        domains=dict(list(audience.domains.items())[:10]),
        html_bytes=max(html for html, _ in sizes),
        message_bytes=max(message for _, message in sizes),
        since=_change(db, selection, audience, last),
        warnings=tuple(warnings),
        content_hash=content_hash,
        audience_hash=audience.digest,
        hash=both[:16],
        archive=archive,
    )


def content_of(
    settings: Settings,
    renditions: Mapping[int, Rendition],
    slug: str,
    archive: str = "everybody",
    public: Rendition | None = None,
) -> dict[str, Any]:
    """What is sent, as JSON data; `renditions` are digests by variant.

    `public` is there where the public page shows something else than all readers get: what `archive` says,
    or the digest of the page.
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


def main_variant(audience: Audience) -> int:
    """The variant that most readers get."""
    return max(audience.variants, key=lambda variant: (audience.variants[variant], -variant), default=0)


def _change(db: Database, selection: Selection, audience: Audience, last: Campaign | None) -> Change | None:
    if last is None:
        return None
    sql, parameters = selection.recipients_sql()
    both = db.conn.execute(
        # Who was written to last time and is again.
        f"SELECT count(*) FROM ({sql}) AS a JOIN deliveries AS d "
        "ON d.campaign_id = ? AND d.subscriber_id = a.subscriber_id",
        [*parameters, last.id],
    ).fetchone()[0]
    before = db.conn.execute("SELECT count(*) FROM deliveries WHERE campaign_id = ?", [last.id]).fetchone()[0]
    return Change(last.slug, joined=audience.recipients - both, left=before - both)
