"""What takes messages from us: a folder, an SMTP server, or SendGrid. Chosen by a URL."""

from __future__ import annotations

import time
from pathlib import Path

from mailer.config import Settings
from mailer.errors import ConfigError
from mailer.transports.base import Pause, Transport, Unwritable
from mailer.transports.outbox import Outbox

__all__ = ["is_folder", "open_transport", "source_of", "unwritable_by"]


def open_transport(url: str, settings: Settings, *, pause: Pause = time.sleep) -> Transport:
    """The transport that `url` names. Opens no connection and no file yet.

    `pause` waits between two attempts; give it the `wait` of an event to cut waits short when a run ends.
    Raises ConfigError where the URL is none of ours, or a secret that it needs is not set.
    """
    scheme, colon, rest = url.partition(":")
    match scheme.lower() if colon else "":
        case "outbox":
            if not rest.strip():
                raise ConfigError('the transport "outbox:" names no folder; write outbox:PATH')
            return Outbox(settings.root / Path(rest), rest)
        case "smtp" | "smtps":
            from mailer.transports.smtp.transport import Smtp

            return Smtp.from_url(url, settings, pause)
        case "sendgrid":
            from mailer.transports.sendgrid.transport import SendGrid

            return SendGrid.from_settings(url, settings, pause)
    raise ConfigError(
        f'"{url}" is not a transport; use outbox:PATH, smtp://user@host:port, '
        "smtps://user@host:port or sendgrid:"
    )


def unwritable_by(url: str) -> Unwritable | None:
    """The addresses that the transport of a URL can never write to, so that a plan leaves them out.

    None where nothing is known beforehand, as with SMTP, where it is for the server to say.
    """
    if url.partition(":")[0].lower() == "sendgrid":
        from mailer.transports.sendgrid.request import UNWRITABLE

        return UNWRITABLE
    return None


def is_folder(url: str) -> bool:
    """Returns whether a transport (a URL) is an outbox: what goes into a folder reaches nobody."""
    return url.partition(":")[0].lower() == "outbox"


def source_of(url: str) -> str:
    """Returns how refusals by the transport of this URL are learned of: `smtp`, `sendgrid`, …"""
    scheme = url.partition(":")[0]
    return "smtp" if scheme == "smtps" else scheme
