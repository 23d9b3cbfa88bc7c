"""What every implementation of the spool knows of the other campaigns of an issue."""

from __future__ import annotations

import pytest

from mailer.campaign.status import Event
from mailer.spool.base import Spool, Spools
from mailer.spool.values import PlannedDelivery, SettledClaim
from mailer.transports.base import Outcome
from tests.spool.conformance import BUSY, LOST, NO, OK, campaign, everybody, taken

FOLDER = "outbox:outbox"


def another(
    spools: Spools,
    *outcomes: Outcome | None,
    into_folder: bool | None = None,
    begun: bool = True,
    **values: str,
) -> Spool:
    """A campaign to people 1, 2, … with these outcomes; None for one that is being handed over."""
    spool = spools.freeze(
        campaign(**{"slug": "first", **values}), [PlannedDelivery(n, 0) for n in range(1, len(outcomes) + 1)]
    )
    if begun:
        spool.apply_event(Event.BEGIN)
    spool = spools.open(spool.campaign, owner="one", into_folder=into_folder)
    spool.claim(9, everybody)
    spool.settle([SettledClaim(n, 1, one) for n, one in enumerate(outcomes, 1) if one is not None])
    return spool


def written_to(spools: Spools, *people: int, transport: str = "smtp://mx.example.org") -> list[int]:
    """Whom of these people the next campaign of the issue writes to."""
    spool = spools.freeze(campaign("next", transport=transport), [PlannedDelivery(n, 0) for n in people])
    return sorted(person for person, _ in taken(spool.claim(9, everybody)))


class OtherCampaigns:
    """The suite. A subclass gives the fixture `spools`: no campaign yet, and people 1 to 9."""

    def test_whoever_has_the_issue_or_may_have_it_is_left_out(self, spools: Spools) -> None:
        another(spools, OK, NO, BUSY, LOST, None)
        assert written_to(spools, 1, 2, 3, 4, 5, 6) == [2, 3, 6]
        row = next(spools.open(spools.find("next")).list_deliveries(only_person=1))
        assert (row.state, row.reason) == ("skipped", "received")

    def test_who_has_left_is_not_said_to_have_it(self, spools: Spools) -> None:
        another(spools, OK)
        spool = spools.freeze(campaign("next"), [PlannedDelivery(1, 0)])
        assert spool.claim(9, lambda _: {1: "unsubscribed"}) == []
        assert [row.reason for row in spool.list_deliveries()] == ["unsubscribed"]

    @pytest.mark.parametrize(
        ("values", "expected"),
        [
            ({}, []),
            ({"issue_hash": "corrected"}, []),
            ({"issue": "issues/renamed.yaml"}, []),
            ({"issue": "issues/y.yaml", "issue_hash": "y"}, [1]),
            ({"edition": "evening"}, [1]),
            ({"issue_date": "2026-11-20"}, [1]),
            ({"edition": "evening", "issue_hash": "corrected"}, [1]),
            ({"issue_date": "2026-11-20", "issue_hash": "corrected"}, [1]),
        ],
    )
    def test_only_campaigns_of_the_same_issue_count(
        self, spools: Spools, values: dict[str, str], expected: list[int]
    ) -> None:
        another(spools, OK, begun=True, into_folder=None, **values)
        assert written_to(spools, 1) == expected

    def test_a_campaign_that_never_began_does_not_count(self, spools: Spools) -> None:
        another(spools, OK, begun=False)
        assert written_to(spools, 1) == [1]

    def test_a_campaign_does_not_count_itself(self, spools: Spools) -> None:
        spool = another(spools, OK, LOST)
        assert spool.resolve_uncertain_deliveries(resend=True) == 1
        assert taken(spool.claim(9, everybody)) == [(2, 2)]

    def test_one_that_only_writes_files_leaves_nobody_out(self, spools: Spools) -> None:
        another(spools, OK, LOST, None)
        assert written_to(spools, 1, 2, 3, transport=FOLDER) == [1, 2, 3]

    def test_files_of_another_leave_nobody_out(self, spools: Spools) -> None:
        another(spools, OK, LOST, None, transport=FOLDER)
        assert written_to(spools, 1, 2, 3) == [1, 2, 3]

    def test_files_of_one_that_sends_by_now_leave_nobody_out(self, spools: Spools) -> None:
        another(spools, OK, LOST, None, into_folder=True)
        assert written_to(spools, 1, 2, 3) == [1, 2]

    @pytest.mark.parametrize("outcome", [OK, LOST])
    def test_one_that_has_sent_counts_though_it_writes_files_by_now(
        self, spools: Spools, outcome: Outcome
    ) -> None:
        another(spools, outcome, NO, None, transport=FOLDER, into_folder=False)
        assert written_to(spools, 1, 2, 3) == [2]

    @pytest.mark.parametrize("outcome", [NO, BUSY, None])
    def test_one_that_was_only_refused_and_writes_files_by_now_does_not_count(
        self, spools: Spools, outcome: Outcome | None
    ) -> None:
        another(spools, OK, slug="before", issue="before", issue_hash="before")
        another(spools, outcome, None, transport=FOLDER, into_folder=False)
        assert written_to(spools, 1, 2) == [1, 2]

    def test_who_has_it_by_several_is_left_out_once(self, spools: Spools) -> None:
        another(spools, OK, NO)
        for slug in ("second", "third"):
            spool = spools.freeze(campaign(slug), [PlannedDelivery(2, 0), PlannedDelivery(3, 0)])
            spool.apply_event(Event.BEGIN)
        spool.claim(9, everybody)
        spool.settle([SettledClaim(2, 1, OK), SettledClaim(3, 1, NO)])
        assert written_to(spools, 1, 2, 3) == [3]
