"""Finds the transport that a URL names: a folder, an SMTP server or a provider.

A transport is added by one line here and one folder (docs/transports.md). A driver's module is imported when
a URL of its scheme is met.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Final

from mailer.errors import ConfigError

if TYPE_CHECKING:
    from mailer.config import Settings
    from mailer.message.dkim import Signer
    from mailer.transports.base import Sleep, Transport, Unwritable
    from mailer.transports.driver import Driver

__all__ = [
    "check_url",
    "driver_of",
    "drivers",
    "find_driver",
    "is_folder",
    "open_signer",
    "open_transport",
    "source_of",
    "unwritable_by",
    "variable_names",
]

#: The scheme of a URL, and the module that has its DRIVER.
_MODULES: Final = {
    "outbox": "mailer.transports.outbox.driver",
    "smtp": "mailer.transports.smtp.driver",
    "smtps": "mailer.transports.smtp.driver",
    "sendgrid": "mailer.transports.sendgrid.driver",
}


def drivers() -> tuple[Driver, ...]:
    """Returns all drivers, each once, in the order of their schemes."""
    return tuple(_load(module) for module in dict.fromkeys(_MODULES.values()))


def find_driver(url: str) -> Driver | None:
    """Returns the driver of a URL, or of a scheme alone; None where there is none."""
    module = _MODULES.get(url.partition(":")[0].lower())
    return _load(module) if module else None


def driver_of(url: str) -> Driver:
    """Returns the driver of a URL. Raises ConfigError where no transport has its scheme."""
    driver = find_driver(url) if ":" in url else None
    if driver is None:
        raise ConfigError(_not_a_transport(url))
    return driver


def open_transport(url: str, settings: Settings, *, sleep: Sleep = time.sleep) -> Transport:
    """Returns the transport that `url` names. Opens no connection and no file yet.

    `sleep` waits between two attempts; give it the `wait` of an event to cut waits short when a run ends.
    Raises ConfigError where no transport has the URL's scheme, or a secret that it needs is not set.
    """
    return driver_of(url).open(url, settings, sleep)


def open_signer(url: str, settings: Settings) -> Signer | None:
    """Returns the keys that sign for a transport; None where there are none or the provider signs.

    The keys are those of the current settings, and are read from their files here. Raises ConfigError where a
    key cannot be used.
    """
    driver = find_driver(url)
    if driver is not None and not driver.signed_by_us:
        return None
    from mailer.message.dkim import load_signer

    return load_signer(settings)


def is_folder(url: str) -> bool:
    """Returns whether a transport (a URL, or a source of events) is a folder, whose messages reach nobody."""
    driver = find_driver(url)
    return driver is not None and driver.is_folder


def source_of(url: str) -> str:
    """Returns the name that events of readers have for a transport as the source of a refusal."""
    driver = find_driver(url)
    return driver.source if driver else url.partition(":")[0]


def unwritable_by(url: str) -> Unwritable | None:
    """Returns the addresses that the transport of a URL can never write to, so that a plan leaves them out.

    Returns None where nothing is known beforehand, as with SMTP, where the server decides.
    """
    driver = find_driver(url)
    return driver.unwritable if driver else None


def check_url(url: str) -> None:
    """Raises ValueError where `url` cannot be a transport's; its text follows the name of a setting."""
    scheme, colon, _ = url.partition(":")
    driver = find_driver(url) if colon and scheme in _MODULES else None
    if driver is None:
        raise ValueError(_not_a_transport(url))
    driver.check_url(url)


def variable_names() -> frozenset[str]:
    """Returns the names of all environment variables that transports read, secrets among them."""
    return frozenset(name for driver in drivers() for name in driver.secrets + driver.variables)


def _load(module: str) -> Driver:
    driver: Driver = import_module(module).DRIVER
    return driver


def _not_a_transport(url: str) -> str:
    *others, last = [form.written for driver in drivers() for form in driver.urls]
    return f'"{url}" is not a transport; use {", ".join(others)} or {last}'
