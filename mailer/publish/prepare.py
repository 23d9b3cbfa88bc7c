"""From a path to an issue and a segment to everything a sending needs, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlite_utils import Database

from mailer.archive.campaign import is_unstarted
from mailer.audience.segments import Segment, parse
from mailer.config import Settings
from mailer.delivery.campaigns import Campaign, campaigns
from mailer.delivery.dkim import Signer, is_aligned, open_signer
from mailer.delivery.message import header_address
from mailer.delivery.plan import Audience, Plan, Selection, audience_variants, make_plan, survey
from mailer.errors import IssueError, Problem, SegmentError
from mailer.issue.load import LoadedIssue, load_issue
from mailer.issue.model import only_expressions, only_places
from mailer.publish.guard import refuse_if_forgotten
from mailer.publish.way import choose_way, why_not
from mailer.render.check import check_rendition
from mailer.render.render import render_variants
from mailer.render.rendition import Rendition

__all__ = ["Prepared", "is_same_issue", "prepare", "selection_for"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """An issue, rendered and planned; `existing` is the campaign that sent it to this audience already."""

    loaded: LoadedIssue
    renditions: Mapping[int, Rendition]
    selection: Selection
    plan: Plan
    existing: Campaign | None


def prepare(
    db: Database,
    settings: Settings,
    path: Path,
    *,
    segment: str = "",
    transport: str | None = None,
    anew: bool = False,
) -> Prepared:
    """Loads, renders and plans. Raises InputError with everything that is wrong; writes nothing.

    With `anew`, as for a test copy, the plan counts also those who have the issue already.
    """
    loaded = load_issue(path, settings)
    known = campaigns(db)
    same = [campaign for campaign in known if is_same_issue(campaign, loaded)]
    segment = " ".join(segment.split())
    existing = next((c for c in same if c.segment == segment and not _was_dropped(c)), None)
    way = choose_way(settings, existing, transport)
    signer = open_signer(way, settings)
    earlier = [] if anew else [c.id for c in same if c is not existing]
    selection = selection_for(loaded, settings, segment, earlier=earlier)
    slug = existing.slug if existing else _free_slug(settings, loaded, known)
    audience = survey(db, selection)
    renditions = render_variants(loaded, settings, slug=slug, variants=audience_variants(audience))
    plan = make_plan(
        db,
        settings,
        loaded,
        renditions,
        audience,
        selection,
        slug=slug,
        segment=segment,
        transport=way,
        last=_last(known, loaded, same),
        warnings=_warnings(settings, way, signer, loaded, renditions, audience, known, same),
    )
    return Prepared(loaded, renditions, selection, plan, existing)


def selection_for(
    loaded: LoadedIssue, settings: Settings, segment: str, *, earlier: Sequence[int] = ()
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
    return Selection(
        loaded.issue.edition, parse(segment, zone) if segment else None, tuple(only), tuple(sorted(earlier))
    )


def is_same_issue(campaign: Campaign, loaded: LoadedIssue) -> bool:
    """The same file for the same date, or the very same words under another name."""
    slot = campaign.edition == loaded.issue.edition and campaign.issue_date == loaded.issue.date.isoformat()
    return slot and (campaign.issue == loaded.path or campaign.issue_hash == loaded.digest)


def _was_dropped(campaign: Campaign) -> bool:
    """Cancelled before the first message: the issue may be planned anew, as another campaign."""
    return campaign.status == "cancelled" and campaign.started_at is None


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
    settings: Settings,
    way: str,
    signer: Signer | None,
    loaded: LoadedIssue,
    renditions: Mapping[int, Rendition],
    audience: Audience,
    known: Sequence[Campaign],
    same: Sequence[Campaign],
) -> list[str]:
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
            and not _was_dropped(campaign)
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
    if trouble := why_not(way, settings):
        warnings.append(f"it cannot be sent like this: {trouble}")
    if not audience.recipients:
        warnings.append("nobody would get it")
    return list(dict.fromkeys(warnings))
