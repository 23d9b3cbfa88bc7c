"""From a path to an issue and a segment to everything a sending needs, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sqlite_utils import Database

from mailer.addresses import header_address
from mailer.archive.campaign import is_unstarted
from mailer.audience.planned import Packer, Planned
from mailer.audience.segments import Segment, parse
from mailer.config import Settings
from mailer.errors import IssueError, Problem, SegmentError
from mailer.issue.model import only_expressions, only_places
from mailer.message.dkim import Signer, is_aligned
from mailer.render.rendition import Rendition
from mailer.services.planning.plan import (
    UNWRITABLE,
    Audience,
    Plan,
    Selection,
    audience_variants,
    make_plan,
    survey,
)
from mailer.services.planning.public_page import public_rendition, shows_nothing
from mailer.services.planning.transport_choice import choose_way, why_not
from mailer.services.sending.database_guard import refuse_if_forgotten
from mailer.spool.sqlite.campaigns import Campaign, campaigns
from mailer.spool.sqlite.deliveries import Spool
from mailer.transports.registry import is_folder, open_signer, unwritable_by

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["OPEN_STATES", "Prepared", "TriedOut", "is_same_issue", "left_in", "prepare", "selection_for"]

#: States in which a run has something to do.
OPEN_STATES = ("pending", "sending", "deferred")


@dataclass(frozen=True, slots=True)
class TriedOut:
    """Copies of the issue that went into an outbox folder only: `readers` of the campaign `slug`."""

    slug: str
    transport: str
    readers: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """An issue, rendered and planned; `existing` is the campaign that sent it to this audience already.

    `tried_out` is set where the plan goes to readers who have it in a folder only.
    `public` is the rendition of the public page where that shows what is for everybody, else None.
    `people` are the recipients of the plan, `newest` is the number of the newest campaign that there was
    (0: none), `erased` counts recipients of a kept plan who are not in `people` any more.
    """

    loaded: LoadedIssue
    renditions: Mapping[int, Rendition]
    selection: Selection
    plan: Plan
    existing: Campaign | None
    people: Planned
    tried_out: TriedOut | None = None
    newest: int = 0
    erased: int = 0
    public: Rendition | None = None

    @property
    def archived(self) -> Mapping[int, Rendition]:
        """All renditions that the campaign's folder holds: those of readers, and that of the public page."""
        return self.renditions if self.public is None else {0: self.public, **self.renditions}


def prepare(
    db: Database,
    settings: Settings,
    path: Path,
    *,
    segment: str = "",
    transport: str | None = None,
    anew: bool = False,
    apart: bool = False,
    approved: str | None = None,
) -> Prepared:
    """Loads, renders and plans. Raises InputError with everything that is wrong; writes nothing.

    A campaign that only went into a folder goes on by another transport where nothing has changed since.
    Where the issue, its look, its sender or its readers have changed, there is a new campaign.
    With `anew`, as for a test copy, the plan counts also those who have the issue already. `apart` asks for a
    new campaign after a try-out in any case, as a time or a canary needs; `approved` is the hash of a plan
    that was looked at, which a campaign in a folder may be of.
    """
    # What reads and renders issues is imported here, so that other commands begin sooner.
    from mailer.issue.load import load_issue

    loaded = load_issue(path, settings)
    known = campaigns(db)
    same = [campaign for campaign in known if is_same_issue(campaign, loaded)]
    segment = " ".join(segment.split())
    alike = [c for c in same if c.segment == segment]
    existing = next((c for c in alike if c.status != "cancelled"), None)
    way = choose_way(settings, existing, transport)
    existing = next((c for c in alike if not _was_dropped(db, c, way)), None)
    request = _Request(loaded, segment, way, known, same, anew)
    prepared = _plan(db, settings, request, existing)
    if existing is None or is_folder(way):
        return prepared
    spool = Spool(db, existing)
    copies = spool.copies_in_folder()
    if is_folder(existing.transport) and existing.started_at is not None and spool.is_free():
        unchanged = prepared.plan.hash == existing.plan_hash or (
            approved == existing.plan_hash and prepared.plan.content_hash == existing.plan.get("content_hash")
        )
        if apart or not unchanged:
            prepared = _plan(db, settings, request, None)
    if not copies:
        return prepared
    return replace(prepared, tried_out=TriedOut(existing.slug, existing.transport, copies))


def left_in(db: Database, settings: Settings, prepared: Prepared) -> int | None:
    """How many the campaign that exists has still to send by the transport of the plan; None without one."""
    if prepared.existing is None:
        return None
    if prepared.existing.status == "cancelled":
        return 0
    spool = Spool(db, prepared.existing)
    counts = spool.counts()
    left = sum(counts[state] for state in OPEN_STATES)
    if settings.delivery.uncertain == "resend":
        left += counts["uncertain"]
    return left if is_folder(prepared.plan.transport) else left + spool.copies_in_folder()


@dataclass(frozen=True, slots=True)
class _Request:
    """What is asked for, and the campaigns there are: all `known`, and those of the `same` issue.

    With `anew`, who has the issue already counts, too.
    """

    loaded: LoadedIssue
    segment: str
    way: str
    known: Sequence[Campaign]
    same: Sequence[Campaign]
    anew: bool


def _plan(db: Database, settings: Settings, request: _Request, existing: Campaign | None) -> Prepared:
    from mailer.render.render import render_variants

    loaded, way, known, same = request.loaded, request.way, request.known, request.same
    signer = open_signer(way, settings)
    earlier = [] if request.anew else [c.id for c in same if c is not existing]
    selection = replace(
        selection_for(loaded, settings, request.segment, earlier=earlier, into_folder=is_folder(way)),
        unwritable=unwritable_by(way),
    )
    slug = existing.slug if existing else _free_slug(settings, loaded, known)
    packer = Packer()
    audience = survey(db, selection, packer)
    renditions = render_variants(loaded, settings, slug=slug, variants=audience_variants(audience))
    public = public_rendition(loaded, settings, slug, renditions)
    plan = make_plan(
        db,
        settings,
        loaded,
        renditions,
        audience,
        selection,
        slug=slug,
        segment=request.segment,
        transport=way,
        last=_last(known, loaded, same),
        warnings=_warnings(db, settings, way, signer, loaded, renditions, audience, known, same),
        public=public,
    )
    newest = max((campaign.id for campaign in known), default=0)
    return Prepared(
        loaded, renditions, selection, plan, existing, packer.planned(), newest=newest, public=public
    )


def selection_for(
    loaded: LoadedIssue,
    settings: Settings,
    segment: str,
    *,
    earlier: Sequence[int] = (),
    into_folder: bool = True,
) -> Selection:
    """Who is asked for. Raises SegmentError for the segment, IssueError for an `only` of the issue."""
    zone = settings.publication.zone
    problems: list[Problem] = []
    parsed: dict[str, Segment] = {}
    for keys, expression in only_places(loaded.issue):
        try:
            parsed[expression] = parse(expression, zone)
        except SegmentError as error:
            mark = loaded.mark_of(*keys)
            problems += [
                Problem(f"only: {problem.message}", mark.path, mark.line, mark.column)
                for problem in error.problems
            ]
    if problems:
        raise IssueError.of(problems)
    only = [parsed[expression] for expression in only_expressions(loaded.issue)]
    chosen = parse(segment, zone) if segment else None
    return Selection(loaded.issue.edition, chosen, tuple(only), tuple(sorted(earlier)), into_folder)


def is_same_issue(campaign: Campaign, loaded: LoadedIssue) -> bool:
    """The same file for the same date, or the very same words under another name."""
    slot = campaign.edition == loaded.issue.edition and campaign.issue_date == loaded.issue.date.isoformat()
    return slot and (campaign.issue == loaded.path or campaign.issue_hash == loaded.digest)


def _was_dropped(db: Database, campaign: Campaign, way: str) -> bool:
    """Whether a campaign was cancelled that reached nobody: the issue may be planned anew, as another.

    A copy in a folder is enough to count, where the issue is to go into a folder again.
    """
    if campaign.status != "cancelled":
        return False
    return campaign.started_at is None or Spool(db, campaign).is_free(copies=is_folder(way))


def _free_slug(settings: Settings, loaded: LoadedIssue, known: Sequence[Campaign]) -> str:
    """`2026-11-21-morning`, or with `-2` and so on where that name is taken."""
    taken = {campaign.slug for campaign in known}
    base = f"{loaded.issue.date.isoformat()}-{loaded.issue.edition}"
    number = 1
    while True:
        slug = base if number == 1 else f"{base}-{number}"
        folder = settings.campaigns / slug
        if slug not in taken and (not folder.exists() or is_unstarted(folder)):
            return slug
        if slug not in taken:
            refuse_if_forgotten(settings, loaded, slug)
        number += 1


def _last(known: Sequence[Campaign], loaded: LoadedIssue, same: Sequence[Campaign]) -> Campaign | None:
    others = [c for c in known if c.edition == loaded.issue.edition and c not in same and c.started_at]
    return others[0] if others else None


def _warnings(
    db: Database,
    settings: Settings,
    way: str,
    signer: Signer | None,
    loaded: LoadedIssue,
    renditions: Mapping[int, Rendition],
    audience: Audience,
    known: Sequence[Campaign],
    same: Sequence[Campaign],
) -> list[str]:
    from mailer.render.check import check_rendition

    warnings: list[str] = []
    for rendition in {id(r): r for r in renditions.values()}.values():
        problems = check_rendition(loaded, rendition, settings)
        errors = [problem for problem in problems if problem.severity == "error"]
        if errors:
            raise IssueError.of(errors)
        warnings += [str(p).replace("warning: ", "", 1) for p in problems if str(p) not in warnings]
    for campaign in known:
        slot = (campaign.edition, campaign.issue_date)
        if (
            campaign not in same
            and not _was_dropped(db, campaign, way)
            and slot == (loaded.issue.edition, loaded.issue.date.isoformat())
        ):
            how = "was sent" if campaign.started_at else "is planned"
            warnings.append(
                f"the {campaign.edition} edition of {campaign.issue_date} {how} already, "
                f"from {campaign.issue} (campaign {campaign.slug})"
            )
    if not settings.publication.base_url.startswith("https://"):
        warnings.append(
            "publication.base_url is not https, so mail programs will not offer their one-click unsubscribe"
        )
    sender = header_address(settings.publication.sender.address).rpartition("@")[2]
    if signer and not is_aligned(signer.domain, sender):
        warnings.append(
            f"dkim.domain {signer.domain} has nothing in common with {sender} of From, "
            "so the signature does not count for DMARC"
        )
    if shows_nothing(loaded, settings):
        warnings.append(
            "nothing of the issue is for everybody, so its public page is empty; archive = false in "
            f"[editions.{loaded.issue.edition}] makes none"
        )
    if trouble := why_not(way, settings):
        warnings.append(f"it cannot be sent like this: {trouble}")
    if (number := audience.excluded.get(UNWRITABLE, 0)) and (rule := unwritable_by(way)):
        whose = "1 reader's address" if number == 1 else f"{number:,} readers' addresses"
        warnings.append(f"{whose} {rule.sentence}; a server with SMTPUTF8 can write to them")
    if not audience.recipients:
        warnings.append("nobody would get it")
    return list(dict.fromkeys(warnings))
