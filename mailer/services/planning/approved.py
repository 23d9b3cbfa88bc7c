"""Keeps the plan that an operator looks at, and compares what would be sent with it later.

`send --plan HASH` sends what that plan told, to nobody beyond those planned. People who have left since are
skipped; after any other change the plan must be made again.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mailer.audience.planned import Difference, compare
from mailer.config import Settings
from mailer.errors import CampaignError
from mailer.services.planning.plan import content_of
from mailer.services.planning.prepare import Prepared
from mailer.services.workspace import Workspace
from mailer.spool.sqlite.kept_plans import KEPT_FOR, KeptPlan, find_plan, keep
from mailer.store.database import explain, waiting_at_most

__all__ = ["approved", "keep_plan"]

#: A plan is only looked at: it does not wait for longer than this for another writer.
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


def keep_plan(workspace: Workspace, prepared: Prepared) -> str:
    """Keeps the plan for `send --plan`. Returns why it could not, as a sentence; empty where it could.

    Of an issue that has a campaign already nothing is kept: the campaign is the plan.
    """
    if prepared.existing is not None:
        return ""
    try:
        with waiting_at_most(workspace.db, _PATIENCE):
            plan, content = prepared.plan, _content(workspace.settings, prepared)
            keep(workspace.db, plan.hash, plan.to_json(), content, prepared.people)
    except sqlite3.OperationalError as error:
        why = explain(error, workspace.settings.database.name)
        return f"this plan could not be kept, so `mailer send --plan` will not know it: {why}"
    return ""


def approved(workspace: Workspace, prepared: Prepared, wanted: str) -> Prepared:
    """Returns what is sent by the plan of this hash: its people, of whom some may have left since.

    Where a campaign of the issue exists, it must be of that plan. Otherwise raises CampaignError where the
    plan is not kept, where the content is not what was planned, or where somebody present was not planned or
    reads another version.
    """
    plan_again = f"Plan again with `mailer plan {prepared.loaded.path}`"
    if prepared.existing is not None:
        if prepared.existing.plan_hash != wanted:
            raise CampaignError(
                f"the plan of campaign {prepared.existing.slug} is {prepared.existing.plan_hash}, "
                f"not {wanted}; nothing was sent. Look at `mailer plan {prepared.loaded.path}`"
            )
        return prepared
    kept = find_plan(workspace.db, wanted)
    if kept is None:
        raise CampaignError(
            f"the plan is {prepared.plan.hash} now, and {wanted} is not known: plans are kept for "
            f"{KEPT_FOR.days} days, in the database that they were made with; nothing was sent. {plan_again}"
        )
    if prepared.plan.slug != kept.plan["slug"]:
        raise CampaignError(
            f"campaign {kept.plan['slug']} was made since plan {wanted}, so this send would make "
            f"{prepared.plan.slug}; nothing was sent. {plan_again}"
        )
    plan = prepared.plan
    changed = _changed(
        kept, {**_content(workspace.settings, prepared), "segment": plan.segment, "archive": plan.archive}
    )
    if changed:
        raise CampaignError(
            f"{' and '.join(changed)} changed since plan {wanted}; nothing was sent. {plan_again}"
        )
    difference = compare(kept.people, prepared.people)
    if difference.joined or difference.other:
        raise CampaignError(f"{_in_words(difference)}; nothing was sent. {plan_again}")
    return _as_planned(prepared, kept)


def _content(settings: Settings, prepared: Prepared) -> dict[str, Any]:
    plan = prepared.plan
    return content_of(settings, prepared.renditions, plan.slug, plan.archive, prepared.public)


def _changed(kept: KeptPlan, content: Mapping[str, Any]) -> list[str]:
    """What is not sent as it was planned, in words. A variant whose last reader left is no change."""
    # A plan of version 0.3.0 or earlier says nothing of the public page.
    planned = {**content, **kept.content, "segment": kept.plan["segment"]}
    planned["archive"] = kept.plan.get("archive", content["archive"])
    if planned["archive"] != content["archive"]:
        planned.pop("public", None)  # it is another page in any case
    both = planned["renditions"].keys() & content["renditions"].keys()
    compared = (content.keys() & planned.keys()) - {"renditions"}
    changed = [key for key in content if key in compared and content[key] != planned[key]]
    if any(planned["renditions"][variant] != content["renditions"][variant] for variant in both):
        changed.append("renditions")
    return list(dict.fromkeys(_NAMES[key] for key in changed))


def _in_words(difference: Difference) -> str:
    joined, other = difference.joined, difference.other
    parts = [f"{joined:,} reader{'' if joined == 1 else 's'} joined since that plan"] if joined else []
    if other:
        noun = "" if joined else " reader" if other == 1 else " readers"
        parts.append(f"{other:,}{noun} would get another version than planned")
    return ", ".join(parts)


def _as_planned(prepared: Prepared, kept: KeptPlan) -> Prepared:
    """The plan that was kept, without those who were erased since: nothing knows their numbers any more."""
    first: dict[str, str] = {}  # of the variants that are the same, the first names them all
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
