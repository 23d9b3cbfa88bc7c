"""Messages for people name days in the workspace's time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mailer.clock import local_day
from mailer.config import Settings, load_settings
from mailer.errors import AudienceError
from mailer.services.readers.erase import erase_person
from mailer.services.subscribers.adding import AdditionRequest, add_person
from mailer.services.subscribers.address_change import change_address
from mailer.services.subscribers.history import person_history
from mailer.services.subscribers.importing import ImportRequest, import_lists
from mailer.services.subscribers.leaving import suppress_address, unsubscribe_person
from mailer.services.subscribers.restoring import restore_bounced_person

#: In Auckland it is the 22nd already.
pytestmark = pytest.mark.clock("2026-11-21T20:00:00")
DAY = "2026-11-22"


@pytest.fixture
def desk(settings: Settings, workspace: Path, clock: object) -> Settings:
    """The settings of a workspace in Auckland with Ann, and with Bo, who bounced and is suppressed."""
    (workspace / "list.csv").write_text("email,status\nann@example.org,\nbo@example.org,bounced\n")
    found = load_settings(
        workspace,
        {
            "MAILER_SECRET_KEY": "a-secret-key-for-tests-only",
            "MAILER_PUBLICATION_TIMEZONE": "Pacific/Auckland",
        },
    )
    import_lists(found, ImportRequest(workspace / "list.csv"))
    suppress_address(found, "bo@example.org", reason="asked by phone")
    return found


@pytest.mark.parametrize(
    "action",
    [
        lambda desk: change_address(desk, "bo@example.org", "new@example.org"),
        lambda desk: restore_bounced_person(desk, "bo@example.org", reason="it works"),
        lambda desk: add_person(desk, AdditionRequest("bo@example.org", consent="by phone")),
    ],
    ids=["change", "restore", "add"],
)
def test_a_suppression_is_told_with_its_local_day(
    desk: Settings, action: Callable[[Settings], object]
) -> None:
    with pytest.raises(AudienceError, match=f"on the suppression list since {DAY} "):
        action(desk)


def test_an_erasure_is_told_with_its_local_day(desk: Settings) -> None:
    erase_person(desk, "ann@example.org")
    for action in (person_history, unsubscribe_person):
        with pytest.raises(AudienceError, match=f"the person was erased on {DAY}, and"):
            action(desk, "ann@example.org")


def test_an_import_tells_a_consent_with_its_local_day(desk: Settings, workspace: Path) -> None:
    add_person(desk, AdditionRequest("cy@example.org", consent="web form"))
    (workspace / "list.csv").write_text("email,status\ncy@example.org,unsubscribed\n")
    imported = import_lists(desk, ImportRequest(workspace / "list.csv"))
    assert f"web form on {DAY}" in str(imported.to_json())


def test_a_time_without_a_zone_keeps_its_day() -> None:
    assert local_day("2026-11-21T20:00:00.000000Z", UTC) == "2026-11-21"
    assert local_day("2026-11-21T20:00:00.000000Z", ZoneInfo("Pacific/Auckland")) == DAY
    assert local_day("2026-11-21", ZoneInfo("Pacific/Auckland")) == "2026-11-21"
