"""Finds the name to send with EHLO (RFC 5321 section 4.1.4), and detects refusals of this name."""

from __future__ import annotations

import queue
import re
import smtplib
import socket
import threading
from functools import lru_cache
from typing import Final

__all__ = [
    "HelloRefused",
    "address_literal",
    "own_full_host_name",
    "helo_advice",
    "is_full_host_name",
    "is_about_helo",
]

_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#: The last label has a letter, so that an IPv4 address is no name.
_FULL_NAME = re.compile(rf"(?:{_LABEL}\.)+(?=[0-9-]*[A-Za-z]){_LABEL}")
#: Ends that many machines say and none is known by, or that stand for an address alone.
_NO_NAMES = re.compile(r"(?:^|\.)(?:localhost|localdomain|localhost[46]?\.localdomain[46]?|arpa)$")
_LOOK_UP_SECONDS: Final = 1.0
#: A refusal with these words is about the name. "need fully-qualified address" is about a mailbox, and
#: "send HELO first" about the order of commands.
_ABOUT_THE_NAME = re.compile(
    r"\b(?:he|eh)lo\b(?!.{0,3}first)|fully[- ]qualified[- ](?:host|domain)[- ]?name|\bfqdn\b"
    r"|invalid domain name|\bhost\s?name\b.{0,40}\b(?:invalid|required|rejected|not resolve)",
    re.IGNORECASE,
)


class HelloRefused(smtplib.SMTPHeloError):
    """Signals that the server refused EHLO and HELO; `name` is the name that was sent."""

    def __init__(self, code: int, words: bytes, name: str) -> None:
        super().__init__(code, words)
        self.name = name


def is_full_host_name(name: str) -> bool:
    """Returns whether `name` is a host name with a domain, and no default such as `localhost.localdomain`."""
    return len(name) <= 253 and bool(_FULL_NAME.fullmatch(name)) and not _NO_NAMES.search(name.lower())


def own_full_host_name() -> str:
    """Returns this machine's fully qualified host name, or '' if none is found within a second."""
    name = socket.gethostname().rstrip(".")
    if not is_full_host_name(name):
        name = _look_up_full_host_name(name)
    return name if is_full_host_name(name) else ""


def address_literal(address: str) -> str:
    """Returns an IP address in the form that EHLO uses if there is no host name."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def is_about_helo(code: int, reply: str) -> bool:
    """Returns whether a refusal of any command is about the name that EHLO sent.

    Postfix checks the name at RCPT by default: `504 5.5.2 <[127.0.0.1]>: Helo command rejected: need
    fully-qualified hostname`. A 503 is about the order of commands.
    """
    return code >= 400 and code != 503 and bool(_ABOUT_THE_NAME.search(reply))


def helo_advice(name: str) -> str:
    """Returns the end of a sentence: what to do after the server refused `name`, which EHLO sent."""
    return (
        f"EHLO said {name}: set [delivery] helo in mailer.toml to this machine's full public name, "
        "such as mail.example.org"
    )


@lru_cache(maxsize=8)
def _look_up_full_host_name(name: str) -> str:
    """Returns the full name for `name` from /etc/hosts or DNS; '' if that takes over a second."""
    found: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=lambda: found.put(socket.getfqdn(name)), name="full-name", daemon=True).start()
    try:
        return found.get(timeout=_LOOK_UP_SECONDS).rstrip(".")
    except queue.Empty:
        return ""
