"""The steps of a sending at which a process is killed, in the order in which they come.

`docs/delivery.md` has the same table in words; a test keeps the two in step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests.faults.kills.starter import COMMIT, THE_DOT, THE_JOURNAL_GOES, THE_LAST_BYTE, THE_RENAME

__all__ = ["RECOVERY", "STEPS", "Step"]

_SPOOLS = "mailer.spool.sqlite.spools:SqliteSpools"
_CLAIMS = "mailer.spool.sqlite.claims:ClaimOperations"
_CAMPAIGN = "mailer.spool.sqlite.campaign_row:CampaignRow"
_RECOVERY = "mailer.services.sending.recovery"
_JOURNAL = "mailer.spool.journal:Journal"
_SMTP = "mailer.transports.smtp.channel"
_RUN = "mailer.delivery.loop"
_INTAKE = "mailer.delivery.intake"
_SENDGRID = "mailer.transports.sendgrid.transport"

#: Nothing is settled before everything was answered: what is on the wire at a step is always the same.
CALM = {f"{_RUN}:_SETTLE_SECONDS": 3600.0, f"{_SENDGRID}:SendGrid.batch_size": 4}


@dataclass(frozen=True)
class Step:
    """Where a process is killed: at call number `call` of `at`, counted from the first call of `once`.

    `uncertain` and `arrived` are (killed right before, killed right after): how many are uncertain then, and
    how many of these the server took all the same.
    """

    name: str
    at: str
    once: str = ""
    call: int = 1
    uncertain: tuple[int, int] = (0, 0)
    arrived: tuple[int, int] = (0, 0)
    kind: str = "smtp"
    dials: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The place in the code, as the table names it."""
        return self.at.rpartition(":")[2]

    def kill(self, when: str) -> dict[str, Any]:
        """As `Desk.start` takes it."""
        return {"at": self.at, "when": when, "call": self.call, "once": self.once}


STEPS = (
    Step("freeze", f"{_SPOOLS}.freeze"),
    Step("folder written", "mailer.archive.campaign:write_folder_atomically"),
    Step("folder in place", THE_RENAME, once="mailer.archive.campaign:write_folder_atomically"),
    Step("freeze committed", COMMIT, once=f"{_SPOOLS}.freeze"),
    Step("recovery", f"{_RECOVERY}:settle_claims"),
    Step("status: sending", f"{_CAMPAIGN}.apply_event"),
    Step("manifest: sending", "mailer.archive.manifest:put_file"),
    Step("manifest in place", THE_RENAME, once="mailer.archive.manifest:put_file"),
    Step("journal opened", f"{_JOURNAL}.__init__"),
    Step("claim", f"{_CLAIMS}.claim"),
    Step("claim committed", COMMIT, once=f"{_CLAIMS}.claim"),
    Step("journal `>`", f"{_JOURNAL}.note_begun_deliveries", uncertain=(0, 1)),
    Step("connection", "mailer.transports.smtp.connection:open_session", uncertain=(1, 1)),
    Step("message", f"{_SMTP}:SmtpSession.run_mail_transaction", uncertain=(1, 1), arrived=(0, 1)),
    Step("final dot", THE_DOT, uncertain=(1, 1), arrived=(0, 1)),
    Step("request", THE_LAST_BYTE, uncertain=(4, 4), arrived=(0, 4), kind="sendgrid"),
    Step("journal `<`", f"{_JOURNAL}.note_outcomes", uncertain=(1, 1), arrived=(1, 0)),
    Step(
        "journal emptied",
        f"{_JOURNAL}.clear",
        # Of seven claims the last is known and not yet settled when nothing is on the wire any more.
        dials={f"{_RUN}:_JOURNAL_BYTES": 100, f"{_INTAKE}:_WINDOW": 7, f"{_INTAKE}:_CHUNK": 1},
    ),
    Step("settle", f"{_CLAIMS}.settle", once=f"{_CLAIMS}.claim"),
    Step("settle committed", COMMIT, once=f"{_CLAIMS}.settle", call=2),
    Step(
        "release",
        f"{_CLAIMS}.release",
        once=f"{_CLAIMS}.claim",
        dials={"mailer.transports.stop:StopFlag.is_set": 1},
    ),
    Step("journal sealed", f"{_JOURNAL}.refuse_writes"),
    Step("status: sent", f"{_CAMPAIGN}.apply_event", call=2),
    Step("manifest: sent", "mailer.archive.manifest:put_file", call=2),
    Step("journal removed", THE_JOURNAL_GOES),
)

#: The steps of a recovery that has something to recover.
RECOVERY = (
    Step("recovery", f"{_RECOVERY}:settle_claims"),
    Step("journal read", f"{_RECOVERY}:read_journal"),
    Step("settled", f"{_CLAIMS}.settle", once=f"{_RECOVERY}:settle_claims"),
    Step("released", f"{_CLAIMS}.release", once=f"{_RECOVERY}:settle_claims"),
    Step("committed", COMMIT, once=f"{_RECOVERY}:settle_claims"),
    Step("journal opened", f"{_JOURNAL}.__init__"),
    Step("claim", f"{_CLAIMS}.claim"),
)
