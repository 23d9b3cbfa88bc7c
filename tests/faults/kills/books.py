"""What a database says of all campaigns of an issue, held against what the server took.

`compare` is for a workspace in which every command has ended and every campaign that was not cancelled has
been sent to its end.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

from tests.faults.kills.audit import Audit
from tests.faults.kills.harness import Campaign, Desk

__all__ = ["compare", "compare_with_folder"]

_MAY_HAVE_IT = ("accepted", "uncertain")
#: The state of a refused delivery whose address does not exist: the reader counts as bounced from then on.
_BOUNCED = "rejected: address"
#: States that keep a person out of the next campaign of the same issue.
_OUT = (*_MAY_HAVE_IT, _BOUNCED)
_ENDS = (*_OUT, "rejected", "skipped")


def compare(desk: Desk, audit: Audit, *, readers: int, bound: int) -> None:
    """Raises AssertionError where a person has the issue twice, is lost, or is held without need.

    A person may have one copy more for each time that an operator sent their uncertain message again.
    `bound` is how often a delivery may have become uncertain: the messages on the wire at the kills.
    """
    got, resent, assumed = desk.log.recipients(), audit.resent(), audit.assumed()
    campaigns = desk.campaigns()
    books = [(campaign, _states(desk, campaign)) for campaign in campaigns]
    everybody = {f"reader{i}@example.org" for i in range(readers)}
    twice = sorted(address for address, times in got.items() if times > 1 + resent[address])
    sending = [f"{c.slug} {a}" for c, states in books for a, state in states.items() if state == "sending"]
    known = {a for _, states in books for a, state in states.items() if state in _MAY_HAVE_IT}
    accepted = {a for _, states in books for a, state in states.items() if state == "accepted"}
    missing = sorted(accepted - got.keys() - assumed)
    against = sorted(got.keys() - known - resent.keys())
    bounced = {a for _, states in books for a, state in states.items() if state == _BOUNCED}
    dropped = sorted(everybody - known - bounced - _ended_in(books[-1]))
    uncertain = audit.uncertain()

    tally = desk.tally
    tally.duplicates += len(twice)
    tally.lost += len({*missing, *dropped})
    tally.left_sending += len(sending)
    tally.uncertain += uncertain
    tally.bound += bound
    tally.resends += resent.total()
    assert not twice, f"they have it twice, and no operator sent it again: {twice}"
    assert not sending, f"no command runs, and these are left sending: {sending}"
    assert not missing, f"accepted, and never arrived: {missing}"
    assert not against, f"they have it, and no campaign knows: {against}"
    assert not dropped, f"nothing became of them: {dropped}"
    assert uncertain <= bound
    assert not audit.taken_back()
    assert not audit.claimed_too_late()
    _compare_audiences(books, everybody)
    for campaign in campaigns:
        compare_with_folder(desk, campaign)
    assert not list((desk.root / "campaigns").glob(".*")), "a half-made folder is left"


_Book = tuple[Campaign, dict[str, str]]


def _states(desk: Desk, campaign: Campaign) -> dict[str, str]:
    """Returns the state of each delivery of a campaign, by address."""
    with closing(sqlite3.connect(desk.root / "subscribers.db")) as database:
        rows = database.execute(
            "SELECT s.address, "
            "CASE WHEN d.state = 'rejected' AND d.cause = 'address' THEN ? ELSE d.state END "
            "FROM deliveries AS d JOIN subscribers AS s ON s.id = d.subscriber_id WHERE d.campaign_id = ?",
            [_BOUNCED, campaign.id],
        )
        return dict(rows.fetchall())


def _ended_in(last: _Book) -> set[str]:
    """Returns the addresses whose delivery in the last campaign has ended; none where it was cancelled."""
    campaign, states = last
    if campaign.status == "cancelled":
        return set()
    return {address for address, state in states.items() if state in _ENDS}


def _compare_audiences(books: list[_Book], everybody: set[str]) -> None:
    """Asserts that each campaign was made for exactly those who had nothing of the ones before."""
    left = set(everybody)
    for campaign, states in books:
        forgotten, added = sorted(left - states.keys()), sorted(states.keys() - left)
        assert not forgotten, f"{campaign.slug} leaves out {forgotten}"
        assert not added, f"{campaign.slug} is also for these, and they may have it already: {added}"
        left -= {address for address, state in states.items() if state in _OUT}


def compare_with_folder(desk: Desk, campaign: Campaign) -> None:
    """Asserts that the manifest of a campaign says what the database says."""
    said = desk.manifest(campaign.slug)
    assert said["status"] == campaign.status
    assert +Counter(said["counts"]) == desk.counts(campaign.slug), f"the manifest of {campaign.slug}"
