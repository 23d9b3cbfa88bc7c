"""Reads and updates the row of a campaign on SQLite."""

from __future__ import annotations

import json
from dataclasses import replace

from mailer.campaign.campaign import Campaign
from mailer.campaign.canary import Canary, Phase
from mailer.campaign.status import FINAL, Event, Status, sources_of, target_of
from mailer.clock import utc_now
from mailer.spool.sqlite.part import Part
from mailer.spool.sqlite.rows import campaign_at
from mailer.store.database import writing

__all__ = ["CampaignRow"]

#: The status follows an event, where it is one in which the event may happen.
_APPLY = """
    UPDATE campaigns SET status = :target, status_note = :note,
        started_at = CASE WHEN :begins THEN coalesce(started_at, :now) ELSE started_at END,
        finished_at = CASE WHEN :ends THEN :now ELSE NULL END
    WHERE id = :id AND status IN (SELECT value FROM json_each(:sources))
"""


class CampaignRow(Part):
    """Reads and updates the row of a campaign."""

    def status(self) -> Status:
        """Returns the status as it is now; another process may have changed it."""
        row = self._db.conn.execute(
            "SELECT status FROM campaigns WHERE id = ?", [self.campaign.id]
        ).fetchone()
        return Status(row[0])

    def refreshed(self) -> Campaign:
        """Returns the campaign as it is now."""
        return campaign_at(self._db, self.campaign.slug)

    def apply(self, event: Event, note: str = "") -> bool:
        """Applies an event to the status. Returns whether the transition table allows it."""
        target = target_of(event)
        with writing(self._db) as db:
            changed = db.conn.execute(
                _APPLY,
                {
                    "target": target.value,
                    "note": self._redaction.text(note),
                    "begins": event is Event.BEGIN,
                    "ends": target in FINAL,
                    "now": utc_now(),
                    "id": self.campaign.id,
                    "sources": json.dumps(sources_of(event)),
                },
            ).rowcount
        return bool(changed)

    def set_due(self, due_at: str, local_time: str | None = None) -> None:
        """Sets the time (UTC) at which the scheduler starts the campaign; empty means never."""
        with writing(self._db) as db:
            db.conn.execute(
                "UPDATE campaigns SET due_at = ?, local_time = coalesce(?, local_time) WHERE id = ?",
                [due_at, local_time, self.campaign.id],
            )

    def set_held_until(self, moment: str) -> None:
        """Sets the time (UTC) from which the campaign may resume automatically; empty means never."""
        self._set("held_until", moment)

    def set_canary(self, canary: Canary, phase: Phase | None = None) -> None:
        """Stores the canary, with `phase` instead of its own where that is given."""
        self._set("canary", json.dumps(replace(canary, phase=phase or canary.phase).to_json()))

    def set_transport(self, transport: str) -> None:
        """Stores the URL of the transport that the campaign uses from now on."""
        self._set("transport", transport)

    def _set(self, column: str, value: str) -> None:
        with writing(self._db) as db:
            db.conn.execute(f"UPDATE campaigns SET {column} = ? WHERE id = ?", [value, self.campaign.id])

    def note_accepted(self) -> None:
        """Records that the transport accepted a message of the campaign; an outbox folder does not count."""
        if not self.into_folder:
            with writing(self._db) as db:
                db.conn.execute(
                    "UPDATE campaigns SET accepted_by = transport WHERE id = ?", [self.campaign.id]
                )

    def was_accepted(self) -> bool:
        """Returns whether the campaign's current transport has accepted any message of it."""
        row = self._db.conn.execute(
            "SELECT accepted_by = transport FROM campaigns WHERE id = ?", [self.campaign.id]
        ).fetchone()
        return bool(row[0])
