"""Defines the parameters of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mailer.clock import now
from mailer.delivery.pacing.pace import Pacer
from mailer.delivery.progress import Progress
from mailer.delivery.retry import USUAL, Backoff
from mailer.delivery.workers.connections import ConnectionPool
from mailer.message.message import MessageTemplate
from mailer.spool.base import Spool, Spools
from mailer.transports.base import Transport
from mailer.transports.stop import StopFlag

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["RunParameters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParameters:
    """Holds the parameters of a run over the deliveries of a campaign.

    `db` is the audience's database and `spool` the campaign's spool, opened as the owner of this run's
    claims. `templates` are the messages by variant. `source` is the transport's name in the events of
    readers (`smtp`). `journal` is the path of the journal. The run ends when `stop` is set. With
    `only_person`, only the delivery to this subscriber id is claimed. `observe` is called with the progress
    four times a second.

    `rejects` is the share (0 to 1) of refusals above which the run pauses the campaign. `clock` returns
    seconds since 1970, for the rate limits. `backoff` computes when deferred deliveries are tried again.
    `connections` is the largest number of connections of this run; `pool` limits the connections of all runs
    that share it.
    """

    db: Database
    spools: Spools
    spool: Spool
    templates: Mapping[int, MessageTemplate]
    transport: Transport
    journal: Path
    pacer: Pacer
    stop: StopFlag
    source: str
    connections: int = 1
    only_person: int | None = None
    observe: Callable[[Progress], None] = lambda _: None
    backoff: Backoff = USUAL
    rejects: float = 1.0
    clock: Callable[[], float] = lambda: now().timestamp()
    pool: ConnectionPool | None = None
