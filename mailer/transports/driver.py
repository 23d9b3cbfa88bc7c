"""Defines a driver: what a transport states about itself, so that no other module needs to know its scheme.

Each transport has one `DRIVER`, in a module that imports little: all that opens connections is imported when
a transport is opened or tried. The registry finds the driver of a URL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mailer.config import Settings
    from mailer.transports.base import Sleep, Transport
    from mailer.transports.finding import Finding

__all__ = ["Driver", "ProviderDns", "Trial", "Unwritable", "UrlForm"]


@dataclass(frozen=True, slots=True)
class UrlForm:
    """Describes a URL that a driver opens: its scheme, its form, and an example with the usual port."""

    scheme: str
    written: str
    example: str


@dataclass(frozen=True, slots=True)
class ProviderDns:
    """Describes the DNS records of a provider that signs the messages and has its own return path.

    `domain` is the provider's: SPF includes it, and the CNAME records of DKIM lead below it. `selectors` are
    those of DKIM, empty where they differ from account to account. `set_up` is the place in the provider's
    pages where a domain is authenticated, `own_return_path` the provider's term for a return path in that
    domain.
    """

    provider: str
    domain: str
    selectors: tuple[str, ...]
    set_up: str
    own_return_path: str


@dataclass(frozen=True, slots=True)
class Trial:
    """Describes how `mailer doctor` tries a transport without sending anything.

    `run` yields its findings and may raise Unanswered; `name` is used where it yields no finding of its own.
    """

    name: str
    run: Callable[[Settings], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Unwritable:
    """Describes the addresses that a transport can never write to, which is known before a plan is made.

    `name` is the transport's name, `why` the reason for all of them; `matches` returns whether an address is
    one.
    """

    name: str
    why: str
    matches: Callable[[str], bool]

    @property
    def sentence(self) -> str:
        """Returns the rule as the end of a sentence that begins with an address or a number of them."""
        return f"cannot be written to by {self.name}: {self.why}"


def _accept(url: str) -> None:
    """Accepts any URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """Opens the transports of its schemes, and states what is the same for all of them.

    `open` makes a transport of a URL and opens no connection yet; it raises ConfigError. `check_url` raises
    ValueError with the words that follow "delivery.transport: ". `secrets` and `variables` are the names of
    environment variables that it reads: secrets are hidden, the others are settings.

    `peer` names the other side in a sentence; `source` names the transport in a reader's events.
    `signed_by_us` says that it takes whole messages, with our DKIM signatures. `is_folder` says that its
    messages reach nobody. `unwritable` are addresses that it can never write to. `advice` is what to do where
    every recipient is refused.

    For doctor, `dns` are the records that a provider wants published, and `host` returns the mail server that
    a URL names.
    """

    urls: tuple[UrlForm, ...]
    open: Callable[[str, Settings, Sleep], Transport]
    peer: str
    source: str
    check_url: Callable[[str], None] = _accept
    secrets: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()
    signed_by_us: bool = True
    is_folder: bool = False
    unwritable: Unwritable | None = None
    advice: str = "see to what it says, such as the sender's verification and the key's permissions"
    dns: ProviderDns | None = None
    host: Callable[[str], str] | None = None
    trial: Trial | None = None
