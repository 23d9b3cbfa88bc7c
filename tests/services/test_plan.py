"""A plan leaves out everybody whom another campaign of the same issue reached, or may reach."""

from __future__ import annotations

import pytest
from sqlite_utils import Database

from mailer.campaign.delivery_state import STATES
from mailer.config import Settings
from mailer.services.planning.plan import count_audience
from mailer.services.planning.recipients import RecipientSelection
from mailer.services.workspace import make_workspace
from mailer.transports.registry import unwritable_addresses_of
from tests.spooled import EDITION, add_readers, freeze


def planned_after(db: Database, settings: Settings, status: str, state: str) -> int:
    """How many of one reader are planned whose delivery of an earlier campaign is in `state`."""
    add_readers(db, 1)
    spool = freeze(db)
    spool.set_status(status)
    db.conn.execute("UPDATE deliveries SET state = ?", [state])
    selection = RecipientSelection(EDITION, None, (), earlier=(spool.campaign.id,))
    audience = count_audience(make_workspace(settings, db), selection)
    assert audience.recipients + audience.excluded.get("received", 0) == 1
    return audience.recipients


@pytest.mark.parametrize("state", ["accepted", "uncertain", "sending"])
def test_who_may_have_it_of_a_cancelled_campaign_does_not_get_it_again(
    db: Database, settings: Settings, state: str
) -> None:
    assert planned_after(db, settings, "cancelled", state) == 0


@pytest.mark.parametrize("state", ["pending", "deferred", "rejected", "skipped"])
def test_who_has_nothing_of_a_cancelled_campaign_is_free(
    db: Database, settings: Settings, state: str
) -> None:
    assert planned_after(db, settings, "cancelled", state) == 1


@pytest.mark.parametrize("status", ["sending", "paused", "sent"])
@pytest.mark.parametrize("state", STATES)
def test_of_any_other_campaign_only_who_was_skipped_is_free(
    db: Database, settings: Settings, status: str, state: str
) -> None:
    assert planned_after(db, settings, status, state) == (1 if state == "skipped" else 0)


@pytest.mark.parametrize("earlier", [False, True])
def test_readers_are_counted_once_whatever_keeps_them_from_it(
    db: Database, settings: Settings, earlier: bool
) -> None:
    """One has the issue already, one has an address that the transport cannot write to; one is both."""
    first, second, third, fourth = add_readers(db, 4)
    db.conn.execute("UPDATE subscribers SET address = 'é@example.org' WHERE id IN (?, ?)", [second, third])
    spool = freeze(db, people=[first, second])
    rule = unwritable_addresses_of("sendgrid:")
    numbers = (spool.campaign.id,) if earlier else ()
    selection = RecipientSelection(EDITION, None, (), earlier=numbers, unwritable=rule)
    for _ in range(2):  # a plan is surveyed when it is made and again when it is frozen
        audience = count_audience(make_workspace(settings, db), selection)
    expected = {"received": 2, "unwritable": 1} if earlier else {"unwritable": 2}
    assert audience.excluded == expected
    assert audience.recipients == (1 if earlier else 2)
    assert fourth
