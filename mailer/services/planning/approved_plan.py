"""Stores the plan that an operator was shown, and later compares it with what would be sent.

`send --plan HASH` sends exactly the content of the plan with that hash, and only to its recipients. People
who have left since the plan are skipped. If anything else has changed, a new plan is needed.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mailer.audience.planned import PlanDifference, compare_planned_people
from mailer.config import Settings
from mailer.errors import CampaignError
from mailer.services.planning.plan import make_plan_content
from mailer.services.planning.prepare import PreparedIssue
from mailer.services.workspace import Workspace
from mailer.spool.sqlite.kept_plans import KEPT_FOR, KeptPlan, find_plan, store_plan
from mailer.store.database import busy_timeout, to_store_error

__all__ = ["apply_approved_plan", "keep_plan"]

#: Storing a plan does not wait for longer than this for another writer (seconds).
_PATIENCE = 1.0
_NAMES = {
    "sender": "the sender",
    "reply_to": "the address for replies",
    "base_url": "base_url",
    "slug": "the campaign's name",
    "segment": "the segment",
    "renditions": "the issue or the theme",
    "public": "the issue or the theme",
    "archive": "the public page",
}


def keep_plan(workspace: Workspace, prepared: PreparedIssue) -> str:
    """Stores the plan for `send --plan`. Returns "" on success, otherwise a sentence that says why the plan
    could not be stored.

    Stores nothing if the issue already has a campaign, because the campaign holds its plan.
    """
    if prepared.existing is not None:
        return ""
    try:
        with busy_timeout(workspace.db, _PATIENCE):
            plan, content = prepared.plan, _current_plan_content(workspace.settings, prepared)
            store_plan(workspace.db, plan.hash, plan.to_json(), content, prepared.people)
    except sqlite3.OperationalError as error:
        why = to_store_error(error, workspace.settings.database.name)
        return f"this plan could not be stored, so `mailer send --plan` will not find it: {why}"
    return ""


def apply_approved_plan(workspace: Workspace, prepared: PreparedIssue, plan_hash: str) -> PreparedIssue:
    """Returns the issue with the content and the recipients of the approved plan that has this hash.

    Some of the recipients may have left since the plan. If the issue already has a campaign, the campaign
    must have been made from this plan. Raises CampaignError if it has another plan, if the plan is not
    stored, if the content has changed, or if a recipient is new or would get another variant.
    """
    plan_again = f"Plan again with `mailer plan {prepared.loaded.path}`"
    if prepared.existing is not None:
        if prepared.existing.plan_hash != plan_hash:
            raise CampaignError(
                f"the plan of campaign {prepared.existing.slug} is {prepared.existing.plan_hash}, "
                f"not {plan_hash}; nothing was sent. Look at `mailer plan {prepared.loaded.path}`"
            )
        return prepared
    kept = find_plan(workspace.db, plan_hash)
    if kept is None:
        raise CampaignError(
            f"plan {plan_hash} is not known: plans are kept for {KEPT_FOR.days} days, in the database where "
            f"they were made. The plan is {prepared.plan.hash} now; nothing was sent. {plan_again}"
        )
    if prepared.plan.slug != kept.plan["slug"]:
        raise CampaignError(
            f"campaign {kept.plan['slug']} was made since plan {plan_hash}, so this command would create "
            f"{prepared.plan.slug}; nothing was sent. {plan_again}"
        )
    plan = prepared.plan
    changed = _names_of_changed_plan_parts(
        kept,
        {
            **_current_plan_content(workspace.settings, prepared),
            "segment": plan.segment,
            "archive": plan.archive,
        },
    )
    if changed:
        raise CampaignError(
            f"{' and '.join(changed)} changed since plan {plan_hash}; nothing was sent. {plan_again}"
        )
    difference = compare_planned_people(kept.people, prepared.people)
    if difference.added or difference.other_variant:
        raise CampaignError(f"{_plan_difference_text(difference)}; nothing was sent. {plan_again}")
    return _restore_kept_plan(prepared, kept)


def _current_plan_content(settings: Settings, prepared: PreparedIssue) -> dict[str, Any]:
    plan = prepared.plan
    return make_plan_content(settings, prepared.renditions, plan.slug, plan.archive, prepared.public)


def _names_of_changed_plan_parts(kept: KeptPlan, content: Mapping[str, Any]) -> list[str]:
    """Returns the names of the parts, such as "the sender", that differ between the stored plan and the
    current content `content`.

    A variant that no reader gets any more does not count as a change.
    """
    # A plan of version 0.3.0 or earlier has no entry for the public page.
    planned = {**content, **kept.content, "segment": kept.plan["segment"]}
    planned["archive"] = kept.plan.get("archive", content["archive"])
    if planned["archive"] != content["archive"]:
        planned.pop("public", None)  # the page differs in any case
    both = planned["renditions"].keys() & content["renditions"].keys()
    compared = (content.keys() & planned.keys()) - {"renditions"}
    changed = [key for key in content if key in compared and content[key] != planned[key]]
    if any(planned["renditions"][variant] != content["renditions"][variant] for variant in both):
        changed.append("renditions")
    return list(dict.fromkeys(_NAMES[key] for key in changed))


def _plan_difference_text(difference: PlanDifference) -> str:
    joined, other = difference.added, difference.other_variant
    parts = [f"{joined:,} reader{'' if joined == 1 else 's'} joined since that plan"] if joined else []
    if other:
        noun = "" if joined else " reader" if other == 1 else " readers"
        parts.append(f"{other:,}{noun} would get another version than planned")
    return ", ".join(parts)


def _restore_kept_plan(prepared: PreparedIssue, kept: KeptPlan) -> PreparedIssue:
    """Returns the issue with the stored plan and its recipients.

    People who were erased since the plan are not among the recipients, because their ids are not known any
    more.
    """
    first: dict[str, str] = {}  # digest -> the first of the identical variants
    for variant, digest in sorted(kept.content["renditions"].items(), key=lambda item: int(item[0])):
        first.setdefault(digest, variant)
    readers = Counter(str(variant) for _, variant in kept.people)
    variants: Counter[str] = Counter()
    for variant, number in sorted(readers.items(), key=lambda item: int(item[0])):
        variants[first[kept.content["renditions"][variant]]] += number
    plan = replace(
        prepared.plan,
        recipients=readers.total(),
        excluded=kept.plan["excluded"],
        variants=dict(variants),
        domains=kept.plan["domains"],
        content_hash=kept.plan["content_hash"],
        audience_hash=kept.plan["audience_hash"],
        hash=kept.plan["hash"],
    )
    erased = kept.plan["recipients"] - readers.total()
    return replace(prepared, plan=plan, people=kept.people, erased=erased)
