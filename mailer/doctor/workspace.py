"""Checks the configuration and the secrets of a workspace, without using the network."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from typing import Final
from urllib.parse import urlsplit

from mailer.config import Settings
from mailer.doctor.dns.host_names import is_example_domain, is_local_host, return_path_domain, sender_domain
from mailer.errors import ConfigError
from mailer.transports.finding import Finding, Status
from mailer.transports.registry import all_drivers, is_folder_transport, open_transport

__all__ = [
    "check_base_url",
    "check_env_file",
    "check_postal_address",
    "check_secret_key",
    "check_sender",
    "check_transport",
]

_KEY_CHARACTERS: Final = 32
_WEAK_KEY_CHARACTERS: Final = 16
_DISTINCT_CHARACTERS: Final = 8
_NEW_KEY: Final = (
    "put a long random value and a comma before the old value of MAILER_SECRET_KEY, as from "
    "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'"
)
#: What `mailer init` and the samples write as an address.
_PLACEHOLDERS: Final = ("example street", "exampletown", "port example")


def check_secret_key(settings: Settings) -> Iterator[Finding]:
    """Checks whether the keys that sign links are hard to guess. Old keys are checked too, because their
    links are still valid."""
    name = "secret key"
    try:
        keys = settings.signing_keys()
    except ConfigError:
        yield Finding(
            name,
            Status.ERROR,
            "MAILER_SECRET_KEY is not set, so no unsubscribe link can be signed",
            "put a long random value into .env, as from "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
        )
        return
    shortest = min(map(len, keys))
    if shortest < _WEAK_KEY_CHARACTERS or min(len(set(key)) for key in keys) < _DISTINCT_CHARACTERS:
        which = "MAILER_SECRET_KEY" if len(keys) == 1 else "a key in MAILER_SECRET_KEY"
        yield Finding(
            name,
            Status.ERROR,
            f"{which} is too short or too simple, so it can be guessed: {shortest} characters",
            _NEW_KEY,
        )
    elif shortest < _KEY_CHARACTERS:
        yield Finding(name, Status.WARNING, f"the shortest key has only {shortest} characters", _NEW_KEY)
    else:
        known = f"; older keys that are still accepted: {len(keys) - 1}" if len(keys) > 1 else ""
        yield Finding(name, Status.OK, f"MAILER_SECRET_KEY has {len(keys[0])} characters{known}")


def check_env_file(settings: Settings) -> Iterator[Finding]:
    """Checks whether other users of this machine can read the secrets in .env."""
    path = settings.root / ".env"
    try:
        mode = path.stat().st_mode
    except OSError:
        return  # secrets may come from the environment alone
    if stat.S_IMODE(mode) & 0o077:
        yield Finding(
            ".env",
            Status.WARNING,
            "other users of this machine can read the secrets in .env",
            "run chmod 600 .env",
        )
    else:
        yield Finding(".env", Status.OK, "only the owner can read .env")


def check_base_url(settings: Settings) -> Iterator[Finding]:
    """Checks whether base_url is a public https URL. One-click unsubscribing requires https (RFC 8058 section
    3.1)."""
    name, url = "base_url", settings.publication.base_url
    parts = urlsplit(url)
    host = parts.hostname or ""
    advice = "set publication.base_url to the https URL at which readers reach `mailer serve`"
    wrong = []
    if is_local_host(host):
        wrong.append("means this machine or a private network, which readers cannot reach")
    elif is_example_domain(host):
        wrong.append("uses a domain that is reserved for examples")
    if parts.scheme != "https":
        wrong.append("is not https, which one-click unsubscribing requires")
    if wrong:
        yield Finding(name, Status.ERROR, f"{url} {' and '.join(wrong)}", advice)
    else:
        yield Finding(name, Status.OK, f"{url} is https and public")


def check_sender(settings: Settings) -> Iterator[Finding]:
    """Checks whether the domains of From and of the return path are real: no example domains, no local
    names."""
    domains = dict.fromkeys((sender_domain(settings), return_path_domain(settings)))
    examples = [domain for domain in domains if is_example_domain(domain) or is_local_host(domain)]
    if examples:
        yield Finding(
            "sender",
            Status.ERROR,
            f"{' and '.join(examples)} is reserved for examples or for private networks",
            "set publication.from and delivery.return_path to addresses in your own domain",
        )
    else:
        yield Finding("sender", Status.OK, f"mail is sent from {settings.publication.sender.address}")


def check_postal_address(settings: Settings) -> Iterator[Finding]:
    """Checks whether the postal address for the footer is real: not the sample's address, and complete."""
    address = settings.publication.postal_address
    if any(word in address.casefold() for word in _PLACEHOLDERS):
        yield Finding(
            "postal address",
            Status.ERROR,
            "the postal address is still the example's, but the law of most countries requires a real one",
            "set publication.postal_address",
        )
    elif len(address) < 20 or not any(character.isdigit() for character in address):
        yield Finding(
            "postal address",
            Status.WARNING,
            f'"{" ".join(address.split())}" does not look like a complete postal address',
            "set publication.postal_address to an address that receives letters",
        )
    else:
        yield Finding("postal address", Status.OK, " ".join(address.split()))


def check_transport(settings: Settings) -> Iterator[Finding]:
    """Checks whether the transport has all its secrets, and whether it sends messages instead of writing them
    into a folder."""
    url = settings.delivery.transport
    try:
        open_transport(url, settings)
    except ConfigError as error:
        sentence, _, advice = str(error).partition("; ")
        yield Finding("transport", Status.ERROR, sentence, advice)
        return
    if is_folder_transport(url):
        *others, last = [form.example for each in all_drivers() if not each.is_folder for form in each.urls]
        yield Finding(
            "transport",
            Status.WARNING,
            f"{url} writes messages into a folder and sends nothing",
            f"set delivery.transport to {', '.join(others)} or {last}",
        )
    else:
        yield Finding("transport", Status.OK, f"{url} has all its settings")
