"""How a campaign was taken so far: what the servers refused, what came back later, and in which words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mailer.audience.events import came_back
from mailer.spool.sqlite.deliveries import Spool
from mailer.spool.sqlite.reasons import with_function

__all__ = ["Verdict", "commonest_refusal", "refusals_note", "verdict"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`tried` deliveries have an outcome: `refused` were rejected, `doubtful` may not have arrived, and
    `came_back` were accepted and bounced or complained of since."""

    tried: int
    refused: int
    doubtful: int
    came_back: int

    @property
    def bad(self) -> int:
        """How many are no good sign."""
        return self.refused + self.doubtful + self.came_back


def verdict(spool: Spool) -> Verdict:
    """What is known of the whole campaign now."""
    counts = spool.counts()
    since = came_back(spool.database, spool.campaign.id)
    refused, doubtful = counts["rejected"], counts["uncertain"]
    return Verdict(counts["accepted"] + refused + doubtful, refused, doubtful, since)


def commonest_refusal(spool: Spool) -> str:
    """The words that servers used most for a refusal in this campaign, with nobody's address in them."""
    with_function(spool.database)
    row = spool.database.conn.execute(
        "SELECT without_addresses(reason) AS words FROM deliveries "
        "WHERE campaign_id = ? AND state = 'rejected' AND reason <> '' "
        "GROUP BY words ORDER BY count(*) DESC, words LIMIT 1",
        [spool.campaign.id],
    ).fetchone()
    return str(row[0]) if row else ""


def refusals_note(spool: Spool, outcomes: Mapping[str, int], share: float) -> str:
    """Why a run with these outcomes, of which more than `share` (0 to 1) were refused, does not go on."""
    rejected = outcomes.get("rejected", 0)
    settled = rejected + outcomes.get("accepted", 0) + outcomes.get("uncertain", 0)
    words = commonest_refusal(spool)
    return (
        f"{rejected:,} of {settled:,} messages ({rejected / settled:.1%}) were refused, "
        f"more than {share * 100:g}%" + (f"; most often a server said: {words}" if words else "")
    )
