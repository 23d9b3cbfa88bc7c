"""Finds the driver that opens the transport of a URL: a folder, an SMTP server or a provider.

A new transport needs one line in this module and one folder (docs/transports.md). The module of a driver is
imported when a URL with its scheme is first used.
"""

from __future__ import annotations

import time
from importlib import import_module
from typing import TYPE_CHECKING, Final

from mailer.errors import ConfigError

if TYPE_CHECKING:
    from mailer.config import Settings
    from mailer.message.dkim import Signer
    from mailer.transports.base import Sleep, Transport, UnwritableAddresses
    from mailer.transports.driver import Driver

__all__ = [
    "check_url",
    "driver_of",
    "all_drivers",
    "find_driver",
    "is_folder_transport",
    "signer_for_transport",
    "open_transport",
    "event_source_of",
    "unwritable_addresses_of",
    "environment_variable_names",
]

#: The scheme of a URL, and the module that has its DRIVER.
_MODULES: Final = {
    "outbox": "mailer.transports.outbox.driver",
    "smtp": "mailer.transports.smtp.driver",
    "smtps": "mailer.transports.smtp.driver",
    "sendgrid": "mailer.transports.sendgrid.driver",
}


def all_drivers() -> tuple[Driver, ...]:
    """Returns all drivers, each of them once."""
    return tuple(_load_driver(module) for module in dict.fromkeys(_MODULES.values()))


def find_driver(url: str) -> Driver | None:
    """Returns the driver for a URL (or for a scheme without a URL); None if no transport has the scheme."""
    module = _MODULES.get(url.partition(":")[0].lower())
    return _load_driver(module) if module else None


def driver_of(url: str) -> Driver:
    """Returns the driver for a URL. Raises ConfigError if no transport has its scheme."""
    driver = find_driver(url) if ":" in url else None
    if driver is None:
        raise ConfigError(_unknown_transport_text(url))
    return driver


def open_transport(url: str, settings: Settings, *, sleep: Sleep = time.sleep) -> Transport:
    """Returns the transport for a URL. It opens no connection and no file yet.

    `sleep` waits between two attempts for a number of seconds; it may return early, with a true value, if the
    run is ending. Raises ConfigError if no transport has the scheme of the URL, or if a secret that the
    transport needs is not set.
    """
    return driver_of(url).open(url, settings, sleep)


def signer_for_transport(url: str, settings: Settings) -> Signer | None:
    """Returns the DKIM signer for the messages of a transport (a URL).

    Returns None if no DKIM keys are configured or the provider signs. The key files are read now. Raises
    ConfigError if a key cannot be used.
    """
    driver = find_driver(url)
    if driver is not None and not driver.signed_by_us:
        return None
    from mailer.message.dkim import load_signer

    return load_signer(settings)


def is_folder_transport(url: str) -> bool:
    """Returns whether a transport is a folder, so that its messages reach nobody.

    `url` is the transport's URL, or its name in the events of readers.
    """
    driver = find_driver(url)
    return driver is not None and driver.is_folder


def event_source_of(url: str) -> str:
    """Returns the name by which readers' events refer to the transport of a URL."""
    driver = find_driver(url)
    return driver.source if driver else url.partition(":")[0]


def unwritable_addresses_of(url: str) -> UnwritableAddresses | None:
    """Returns a description of the addresses that the transport of a URL can never send to.

    Returns None if no such addresses are known in advance, as with SMTP, where the server decides.
    """
    driver = find_driver(url)
    return driver.unwritable if driver else None


def check_url(url: str) -> None:
    """Raises ValueError if `url` is not a transport's URL.

    The text of the error continues the name of a setting.
    """
    scheme, colon, _ = url.partition(":")
    driver = find_driver(url) if colon and scheme in _MODULES else None
    if driver is None:
        raise ValueError(_unknown_transport_text(url))
    driver.check_url(url)


def environment_variable_names() -> frozenset[str]:
    """Returns the names of all environment variables that transports read, those of secrets included."""
    return frozenset(name for driver in all_drivers() for name in driver.secrets + driver.variables)


def _load_driver(module_name: str) -> Driver:
    driver: Driver = import_module(module_name).DRIVER
    return driver


def _unknown_transport_text(url: str) -> str:
    *others, last = [form.syntax for driver in all_drivers() for form in driver.urls]
    return f'"{url}" is not a transport; use {", ".join(others)} or {last}'
