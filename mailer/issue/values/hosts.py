"""Writes the host and port of a web URL in ASCII; letters beyond ASCII are encoded by IDNA (RFC 5891)."""

from __future__ import annotations

import ipaddress
import re
import unicodedata

__all__ = ["ascii_authority"]

_LABEL = re.compile(r"[a-z0-9_-]+")
_REPEATED = re.compile(r"(?:https?|webcal):?", re.IGNORECASE)
#: Characters that IDNA drops without a word.
_DROPPED = re.compile("[\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def ascii_authority(text: str) -> str:
    """Returns `host` or `host:port` in ASCII from the part of a URL between `//` and the path.

    Raises ValueError with a sentence if the host or the port is not valid.
    """
    if not text:
        raise ValueError("needs a host, as in https://example.org/page")
    if _REPEATED.fullmatch(text):
        raise ValueError("begins with https:// twice; delete one of them")
    if "@" in text:
        raise ValueError('contains a user name before "@", which mail programs treat as fraud; remove it')
    host, port = _split_host_and_port(text)
    if port is not None:
        _check_port(port)
        port = str(int(port))
    return _ascii_host(host) + ("" if port is None else f":{port}")


def _split_host_and_port(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        end = text.find("]")
        host, rest = text[: end + 1], text[end + 1 :]
        if end < 0 or (rest and not rest.startswith(":")):
            raise ValueError("has a bracket in its host that is not closed; close it")
        return host, rest[1:] if rest else None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _check_port(port: str) -> None:
    if not re.fullmatch(r"[0-9]+", port):
        raise ValueError(
            f'has the port "{port[:20]}", which is not a number; correct it, or delete it with its colon'
        )
    if not 0 < int(port[:9]) <= 65535:
        raise ValueError(f"has the port {port[:20]}, but a port must be from 1 to 65535; correct it")


def _ascii_host(host: str) -> str:
    if not host:
        raise ValueError("needs a host, as in https://example.org/page")
    if host.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(host[1:-1]).compressed}]"
        except ValueError:
            raise ValueError(f"has the host {host[:60]}, which is not an IPv6 address; correct it") from None
    for character in host:
        if not _is_allowed_in_host(character):
            raise ValueError(
                f'has "{character}" in its host, which is not allowed; write a host as in https://example.org/page'
            )
    if _DROPPED.search(host):
        raise ValueError("has an invisible character in its host; delete it")
    labels = host.split(".")
    if "" in labels:
        where = "ends with a full stop" if labels[-1] == "" and "" not in labels[:-1] else "has an empty part"
        raise ValueError(f"has a host that {where}; write a host such as example.org")
    plain = _ascii_labels(host, labels)
    if any(len(label) > 63 for label in plain.split(".")) or len(plain) > 253:
        raise ValueError("has a host that is too long; each part of it must have at most 63 letters")
    if re.fullmatch(r"[0-9]+", labels[-1]):
        _check_ipv4(plain)
    return plain


def _ascii_labels(host: str, labels: list[str]) -> str:
    if host.isascii():
        return host.lower()
    if any(len(label) > 63 for label in labels):
        raise ValueError("has a host that is too long; each part of it must have at most 63 letters")
    import idna

    try:
        return ".".join(
            label.lower() if _LABEL.fullmatch(label.lower()) else idna.encode(label, uts46=True).decode()
            for label in labels
        )
    except (idna.IDNAError, UnicodeError) as error:
        if "too long" in str(error):
            raise ValueError(
                "has a host that is too long; each part of it must have at most 63 letters"
            ) from None
        raise ValueError(
            f'has the host "{host[:60]}", which cannot be registered; correct it, or write it as xn--…'
        ) from None


def _is_allowed_in_host(character: str) -> bool:
    if character.isascii():
        return character.isalnum() or character in ".-_"
    if "\uff01" <= character <= "\uff5e":  # full-width forms of ASCII
        return False
    return unicodedata.category(character)[0] in "LNM" or character in "\u00b7\u30fb\u200c\u200d"


def _check_ipv4(host: str) -> None:
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        raise ValueError(
            f"has the host {host[:60]}, which is neither a name nor an IPv4 address; correct it"
        ) from None
