"""Defines the driver of a transport: the object that describes the transport to all other modules.

Each transport has one `DRIVER`, in a module that imports little; the code that opens connections is imported
only when a transport is opened or tried. The registry finds the driver for a URL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailer.config import Settings
    from mailer.transports.base import Sleep, Transport
    from mailer.transports.finding import Finding

__all__ = ["Driver", "ProviderDns", "TransportTrial", "UnwritableAddresses", "UrlForm"]


@dataclass(frozen=True, slots=True)
class UrlForm:
    """Describes a form of URL that a driver opens.

    `syntax` shows the form with placeholders (`smtp://user@host:port`), and `example` is a URL of this form.
    """

    scheme: str
    syntax: str
    example: str


@dataclass(frozen=True, slots=True)
class ProviderDns:
    """Describes the DNS records that a provider needs if it signs the messages and has its own return path.

    `domain` is the provider's domain: SPF must include it, and the CNAME records of DKIM point below it.
    `selectors` are the DKIM selectors, empty if they differ from account to account. `setup_page` names the
    page of the provider's website on which a domain is authenticated, and `own_return_path` is the provider's
    term for a return path in the customer's domain.
    """

    provider: str
    domain: str
    selectors: tuple[str, ...]
    setup_page: str
    own_return_path: str


@dataclass(frozen=True, slots=True)
class TransportTrial:
    """Describes how `mailer doctor` tries a transport without sending anything.

    `run` yields findings and may raise UnansweredQuery. `name` is the name of the finding if `run` yields
    none.
    """

    name: str
    run: Callable[[Settings], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class UnwritableAddresses:
    """Describes the addresses that a transport can never send to, so that a plan can leave them out.

    `name` is the transport's name. `matches` returns whether an address is one of these addresses, and `why`
    is the reason, which is the same for all of them.
    """

    name: str
    why: str
    matches: Callable[[str], bool]

    @property
    def reason_text(self) -> str:
        """Returns the end of a sentence that begins with an address: "cannot be written to by …: …"."""
        return f"cannot be written to by {self.name}: {self.why}"


def _accept_any_url(url: str) -> None:
    """Accepts any URL: the default of `Driver.check_url`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Opens the transports of some URL schemes, and describes what is common to these transports.

    `open` makes a transport from a URL and raises ConfigError; it does not connect yet. `check_url` raises
    ValueError if a URL is wrong; the text of the error continues the words "delivery.transport: ". `secrets`
    and `variables` are the names of the environment variables that the transport reads: the values of
    `secrets` are never shown, `variables` are ordinary settings.

    `peer` names the server or provider in sentences; `source` names the transport in the events of readers.
    If `signed_by_us` is True, the transport sends complete messages with our DKIM signatures. If `is_folder`
    is True, the transport writes into a folder, and its messages reach nobody. `unwritable` describes the
    addresses that the transport can never send to.
    `advice` says what to do if every recipient is refused.

    For `mailer doctor`, `dns` describes the DNS records that a provider needs, `host` returns the host name
    of the mail server in a URL, and `trial` tries the transport.
    """

    urls: tuple[UrlForm, ...]
    open: Callable[[str, Settings, Sleep], Transport]
    peer: str
    source: str
    check_url: Callable[[str], None] = _accept_any_url
    secrets: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    signed_by_us: bool = True
    is_folder: bool = False
    unwritable: UnwritableAddresses | None = None
    advice: str = "check what the answer names, such as the sender's verification or the key's permissions"
    dns: ProviderDns | None = None
    host: Callable[[str], str] | None = None
    trial: TransportTrial | None = None
