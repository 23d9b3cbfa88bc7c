"""Reads and updates the database row of a campaign."""

from __future__ import annotations

import json
from dataclasses import replace

from mailer.campaign.campaign import Campaign
from mailer.campaign.canary import Canary, Phase
from mailer.campaign.status import FINAL, Event, Status, source_statuses, target_status
from mailer.clock import utc_now
from mailer.spool.sqlite.part import SpoolPart
from mailer.spool.sqlite.rows import find_campaign
from mailer.store.database import writing

__all__ = ["CampaignRow"]

#: Applies an event, where the current status allows it.
_APPLY = """
    UPDATE campaigns SET status = :target, status_note = :note,
        started_at = CASE WHEN :begins THEN coalesce(started_at, :now) ELSE started_at END,
        finished_at = CASE WHEN :ends THEN :now ELSE NULL END
    WHERE id = :id AND status IN (SELECT value FROM json_each(:sources))
"""


class CampaignRow(SpoolPart):
    """Reads and updates the database row of a campaign."""

    def status(self) -> Status:
        """Returns the campaign's stored status, which another process may have changed."""
        row = self._db.conn.execute(
            "SELECT status FROM campaigns WHERE id = ?", [self.campaign.id]
        ).fetchone()
        return Status(row[0])

    def current_campaign(self) -> Campaign:
        """Returns the campaign as it is stored now."""
        return find_campaign(self._db, self.campaign.slug)

    def apply_event(self, event: Event, note: str = "") -> bool:
        """Changes the status by an event and stores `note`, a sentence for the operator.

        Returns False, with nothing changed, if the transition table does not allow the event now.
        """
        target = target_status(event)
        with writing(self._db) as db:
            changed = db.conn.execute(
                _APPLY,
                {
                    "target": target.value,
                    "note": self._redaction.redact_text(note),
                    "begins": event is Event.BEGIN,
                    "ends": target in FINAL,
                    "now": utc_now(),
                    "id": self.campaign.id,
                    "sources": json.dumps(source_statuses(event)),
                },
            ).rowcount
        return bool(changed)

    def set_due_time(self, due_at: str, local_time: str | None = None) -> None:
        """Sets the time (UTC) at which the scheduler starts the campaign; empty means never.

        `local_time` is the time of day in each reader's own zone (`08:00`); None leaves it unchanged.
        """
        with writing(self._db) as db:
            db.conn.execute(
                "UPDATE campaigns SET due_at = ?, local_time = coalesce(?, local_time) WHERE id = ?",
                [due_at, local_time, self.campaign.id],
            )

    def set_resume_time(self, until: str) -> None:
        """Sets the time (UTC) from which the campaign may resume automatically; empty means never."""
        self._set_column("held_until", until)

    def set_canary(self, canary: Canary, phase: Phase | None = None) -> None:
        """Stores the canary with this phase; None means with `canary.phase`."""
        self._set_column("canary", json.dumps(replace(canary, phase=phase or canary.phase).to_json()))

    def set_transport(self, url: str) -> None:
        """Stores the URL of the transport that the campaign uses from now on."""
        self._set_column("transport", url)

    def _set_column(self, column: str, value: str) -> None:
        with writing(self._db) as db:
            db.conn.execute(f"UPDATE campaigns SET {column} = ? WHERE id = ?", [value, self.campaign.id])

    def record_accepted_message(self) -> None:
        """Records that the transport accepted a message. Does nothing if messages go to an outbox folder."""
        if not self.into_folder:
            with writing(self._db) as db:
                db.conn.execute(
                    "UPDATE campaigns SET accepted_by = transport WHERE id = ?", [self.campaign.id]
                )

    def transport_has_accepted_message(self) -> bool:
        """Returns whether the campaign's current transport has accepted any message of the campaign."""
        row = self._db.conn.execute(
            "SELECT accepted_by = transport FROM campaigns WHERE id = ?", [self.campaign.id]
        ).fetchone()
        return bool(row[0])
