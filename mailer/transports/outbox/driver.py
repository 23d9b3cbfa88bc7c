"""Defines the driver of `outbox:PATH`, a folder of the workspace: its messages reach nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mailer.transports.driver import Driver, UrlForm

if TYPE_CHECKING:
    from mailer.config import Settings
    from mailer.transports.base import Sleep, Transport

__all__ = ["DRIVER"]


def _open_transport(url: str, settings: Settings, sleep: Sleep) -> Transport:  # noqa: ARG001 - a folder does not wait
    from mailer.transports.outbox.transport import Outbox

    return Outbox.from_url(url, settings)


DRIVER: Final = Driver(
    urls=(UrlForm("outbox", "outbox:PATH", "outbox:outbox"),),
    open=_open_transport,
    peer="the transport",
    source="outbox",
    is_folder=True,
)
