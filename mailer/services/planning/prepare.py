"""Loads, renders and plans an issue for a segment, before anything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.archive.campaign import is_unstarted_campaign
from mailer.audience.planned import PlannedPeople, PlannedPeopleBuilder
from mailer.audience.segments import Segment, parse_segment
from mailer.campaign.campaign import Campaign
from mailer.campaign.delivery_state import TO_SEND, State
from mailer.campaign.slug import slug_of
from mailer.campaign.status import Status
from mailer.config import Settings
from mailer.errors import CampaignError, IssueError, Problem, SegmentError
from mailer.issue.model import keys_and_reader_conditions, reader_conditions
from mailer.render.rendition import Rendition
from mailer.services.database.guard import refuse_if_database_lost_campaign
from mailer.services.planning.plan import Plan, PlanInput, count_audience, make_plan, variants_to_render
from mailer.services.planning.public_page import public_page_rendition
from mailer.services.planning.recipients import RecipientSelection
from mailer.services.planning.transport_choice import choose_transport
from mailer.services.planning.warnings import WarningInput, collect_warnings
from mailer.services.workspace import Workspace
from mailer.transports.registry import is_folder_transport, signer_for_transport, unwritable_addresses_of

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = [
    "PreparedIssue",
    "OutboxCopies",
    "PlanRequest",
    "is_campaign_of_issue",
    "count_deliveries_left",
    "prepare_issue",
    "make_recipient_selection",
]


@dataclass(frozen=True, slots=True)
class OutboxCopies:
    """Counts the readers to whom the campaign `slug` has written the issue into an outbox folder only."""

    slug: str
    transport: str
    readers: int


@dataclass(frozen=True, slots=True)
class PreparedIssue:
    """Holds an issue that was loaded, rendered and planned, and its recipients (`people`).

    `existing` is the campaign that already sends this issue to this audience, if any. `outbox_copies` is set
    if recipients have the issue only in an outbox folder. `newest_campaign_id` is the highest campaign id
    when the plan was made (0: no campaigns). `erased` counts the recipients of a stored plan who have been
    erased since. `public` is the rendition of the public page if the page shows only the parts for everybody,
    else None.
    """

    loaded: LoadedIssue
    renditions: Mapping[int, Rendition]
    selection: RecipientSelection
    plan: Plan
    existing: Campaign | None
    people: PlannedPeople
    outbox_copies: OutboxCopies | None = None
    newest_campaign_id: int = 0
    erased: int = 0
    public: Rendition | None = None

    @property
    def archived_renditions(self) -> Mapping[int, Rendition]:
        """Returns all renditions that the campaign's folder holds: the readers' renditions and the rendition
        of the public page."""
        return self.renditions if self.public is None else {0: self.public, **self.renditions}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequest:
    """Holds the parameters of a plan: the segment (an expression; "" means all) and the transport (a URL;
    None means the configured transport).

    With `include_received`, the plan includes people who already have the issue; test copies need that. With
    `new_campaign`, the plan does not continue a campaign that was only written into an outbox folder;
    schedules and canaries need that. `plan_hash` is the hash of an approved plan.
    """

    segment: str = ""
    transport: str | None = None
    include_received: bool = False
    new_campaign: bool = False
    plan_hash: str | None = None


def prepare_issue(workspace: Workspace, path: Path, request: PlanRequest) -> PreparedIssue:
    """Loads, renders and plans the issue at `path`. Writes nothing. Raises InputError with all problems.

    A campaign that was only written into a folder can be continued with a mail transport if nothing has
    changed since. If the issue, the theme, the sender or the readers have changed, a new campaign is planned.
    """
    # The modules that read and render issues are imported here, so that other commands start faster.
    from mailer.issue.load import load_issue

    loaded = load_issue(path, workspace.settings)
    known = workspace.spools.campaigns()
    same = [campaign for campaign in known if is_campaign_of_issue(campaign, loaded)]
    segment = " ".join(request.segment.split())
    alike = [c for c in same if c.segment == segment]
    existing = next((c for c in alike if c.status is not Status.CANCELLED), None)
    url = choose_transport(workspace.settings, existing, request.transport)
    existing = next((c for c in alike if not _was_cancelled_before_sending(workspace, c, url)), None)
    query = _PlanQuery(loaded, segment, url, known, same, request.include_received)
    prepared = _plan_issue(workspace, query, existing)
    if existing is None or is_folder_transport(url):
        return prepared
    spool = workspace.spools.open(existing)
    copies = spool.count_folder_copies()
    if is_folder_transport(existing.transport) and existing.started_at is not None and spool.reached_nobody():
        unchanged = prepared.plan.hash == existing.plan_hash or (
            request.plan_hash == existing.plan_hash
            and prepared.plan.content_hash == existing.plan.get("content_hash")
        )
        if request.new_campaign or not unchanged:
            prepared = _plan_issue(workspace, query, None)
    if not copies:
        return prepared
    return replace(prepared, outbox_copies=OutboxCopies(existing.slug, existing.transport, copies))


def count_deliveries_left(workspace: Workspace, prepared: PreparedIssue) -> int | None:
    """Returns how many deliveries the existing campaign still has to send over the plan's transport; None if
    there is no campaign."""
    if prepared.existing is None:
        return None
    if prepared.existing.status is Status.CANCELLED:
        return 0
    spool = workspace.spools.open(prepared.existing)
    counts = spool.delivery_counts_by_state()
    left = sum(counts[state] for state in TO_SEND)
    if workspace.settings.delivery.uncertain == "resend":
        left += counts[State.UNCERTAIN]
    return left if is_folder_transport(prepared.plan.transport) else left + spool.count_folder_copies()


@dataclass(frozen=True, slots=True)
class _PlanQuery:
    """Holds the parameters of a plan. `campaigns` are all campaigns, and `same_issue` are the campaigns of
    this issue.

    `transport` is a URL. With `include_received`, people who already have the issue are included.
    """

    loaded: LoadedIssue
    segment: str
    transport: str
    campaigns: Sequence[Campaign]
    same_issue: Sequence[Campaign]
    include_received: bool


def _plan_issue(workspace: Workspace, query: _PlanQuery, existing: Campaign | None) -> PreparedIssue:
    from mailer.render.render import render_variants

    settings, loaded, url, same = workspace.settings, query.loaded, query.transport, query.same_issue
    signer = signer_for_transport(url, settings)
    earlier = [] if query.include_received else [c.id for c in same if c is not existing]
    selection = replace(
        make_recipient_selection(
            loaded,
            settings,
            query.segment,
            earlier_campaign_ids=earlier,
            into_folder=is_folder_transport(url),
        ),
        unwritable=unwritable_addresses_of(url),
    )
    slug = existing.slug if existing else _find_free_slug(workspace, loaded, query.campaigns)
    builder = PlannedPeopleBuilder()
    audience = count_audience(workspace, selection, builder)
    people = builder.build()
    renditions = render_variants(loaded, settings, slug=slug, variants=variants_to_render(audience))
    public = public_page_rendition(loaded, settings, slug, renditions)
    dated = [
        campaign
        for campaign in query.campaigns
        if campaign not in same and not _was_cancelled_before_sending(workspace, campaign, url)
    ]
    inputs = PlanInput(
        loaded=loaded,
        renditions=renditions,
        audience=audience,
        people=people,
        slug=slug,
        segment=query.segment,
        transport=url,
        last=_last_campaign_of_edition(query.campaigns, loaded, same),
        warnings=collect_warnings(settings, WarningInput(loaded, renditions, audience, url, signer, dated)),
        public=public,
    )
    plan = make_plan(workspace, inputs)
    newest = max((campaign.id for campaign in query.campaigns), default=0)
    return PreparedIssue(
        loaded, renditions, selection, plan, existing, people, newest_campaign_id=newest, public=public
    )


def make_recipient_selection(
    loaded: LoadedIssue,
    settings: Settings,
    segment: str,
    *,
    earlier_campaign_ids: Sequence[int] = (),
    into_folder: bool = True,
) -> RecipientSelection:
    """Returns the selection of the recipients of an issue.

    `earlier_campaign_ids` are the ids of other campaigns of the issue, whose recipients are left out. If the
    new campaign is not written into a folder (`into_folder` is False), recipients who have the issue only in
    an outbox folder are not left out. Raises SegmentError for the segment, IssueError for an `only`
    expression of the issue.
    """
    zone = settings.publication.zone
    problems: list[Problem] = []
    parsed: dict[str, Segment] = {}
    for keys, expression in keys_and_reader_conditions(loaded.issue):
        try:
            parsed[expression] = parse_segment(expression, zone)
        except SegmentError as error:
            mark = loaded.position_of(*keys)
            problems += [
                Problem(f"only: {problem.message}", mark.path, mark.line, mark.column)
                for problem in error.problems
            ]
    if problems:
        raise IssueError.from_problems(problems)
    only = [parsed[expression] for expression in reader_conditions(loaded.issue)]
    chosen = parse_segment(segment, zone) if segment else None
    return RecipientSelection(
        loaded.issue.edition, chosen, tuple(only), tuple(sorted(earlier_campaign_ids)), into_folder
    )


def is_campaign_of_issue(campaign: Campaign, loaded: LoadedIssue) -> bool:
    """Returns whether a campaign belongs to this issue: the same edition and date, and the same file or the
    same content."""
    slot = campaign.edition == loaded.issue.edition and campaign.issue_date == loaded.issue.date.isoformat()
    return slot and (campaign.issue == loaded.path or campaign.issue_hash == loaded.digest)


def _was_cancelled_before_sending(workspace: Workspace, campaign: Campaign, transport_url: str) -> bool:
    """Returns whether a campaign was cancelled before it reached anybody, so that the issue may have a new
    campaign.

    If `transport_url` is an outbox folder, a reader whose message is in an outbox folder counts as reached.
    """
    if campaign.status is not Status.CANCELLED:
        return False
    return campaign.started_at is None or workspace.spools.open(campaign).reached_nobody(
        including_folder_copies=is_folder_transport(transport_url)
    )


def _find_free_slug(workspace: Workspace, loaded: LoadedIssue, campaigns: Sequence[Campaign]) -> str:
    """Returns an unused slug for a campaign: `2026-11-21-morning`, or with `-2` and so on if that is taken.

    `campaigns` are the campaigns that are known so far. Raises CampaignError if another process has made a
    campaign of that name since, or if the database has lost one.
    """
    settings = workspace.settings
    taken = {campaign.slug for campaign in campaigns}
    number = 1
    while True:
        slug = slug_of(loaded.issue.edition, loaded.issue.date, number)
        folder = settings.campaigns / slug
        if slug not in taken and (not folder.exists() or is_unstarted_campaign(folder)):
            return slug
        if slug not in taken:
            if any(campaign.slug == slug for campaign in workspace.spools.campaigns()):
                raise CampaignError(
                    f"campaign {slug} was made by somebody else just now; run this command again"
                )
            refuse_if_database_lost_campaign(settings, loaded, slug)
        number += 1


def _last_campaign_of_edition(
    campaigns: Sequence[Campaign], loaded: LoadedIssue, same_issue: Sequence[Campaign]
) -> Campaign | None:
    others = [
        c for c in campaigns if c.edition == loaded.issue.edition and c not in same_issue and c.started_at
    ]
    return others[0] if others else None
