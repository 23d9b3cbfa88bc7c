"""What a server took, person by person, whichever server it is."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from mailer.transports.sendgrid.transport import SendGrid
from tests.servers.sendgrid import KEY, SendGridApi
from tests.servers.smtp import SmtpServer

__all__ = ["CONNECTIONS", "REQUEST", "Log"]

CONNECTIONS = 4
#: People in a request to SendGrid: few, so that what one lost answer leaves in doubt is few too.
REQUEST = 5
_PATIENCE_SECONDS = 60.0


class Log:
    """What a server took, person by person, and where it is."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.server: SmtpServer | SendGridApi = SmtpServer() if kind == "smtp" else SendGridApi()
        self.most_at_once = CONNECTIONS * (1 if kind == "smtp" else REQUEST)

    def __enter__(self) -> Self:
        self.server.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: TracebackType | BaseException | None) -> None:
        self.server.__exit__(kind, *rest)

    @property
    def words(self) -> list[str]:
        """What `send` is told of it."""
        return ["--transport", self.server.url if isinstance(self.server, SmtpServer) else "sendgrid:"]

    @property
    def env(self) -> dict[str, str]:
        if isinstance(self.server, SmtpServer):
            return {}
        return {"SENDGRID_API_KEY": KEY, "MAILER_SENDGRID_URL": self.server.url}

    def __len__(self) -> int:
        server = self.server
        return len(server.received if isinstance(server, SmtpServer) else server.delivered)

    def recipients(self) -> Counter[str]:
        """Who got it how often, once the server has read everything that was on its way."""
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while self.server.open:
            assert time.monotonic() < deadline, "a connection stays open"
            time.sleep(0.001)
        return Counter(self.server.recipients)

    def be_faulty(self, refusals: Sequence[tuple[int, bool]]) -> None:
        """Refuses, each after so many that went well: for now, or for good where True."""
        for after, for_good in refusals:
            if isinstance(self.server, SmtpServer):
                words = "554 5.7.1 not wanted today" if for_good else "450 4.2.1 try again later"
                self.server.fail("RCPT", "reply", words, after=after)
            elif for_good:
                body = {"errors": [{"message": "Does not contain a valid address.", "field": _FIRST}]}
                self.server.answer(400, body, after=after // REQUEST)
            else:
                self.server.answer(408, after=after // REQUEST)


_FIRST = "personalizations.0.to.0.email"
assert SendGrid.batch_size > REQUEST
