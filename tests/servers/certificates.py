"""Certificates for servers on loopback, made once a test run."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import trustme

__all__ = ["authority_file", "server_file", "server_tls"]


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


def server_tls(*names: str) -> ssl.SSLContext:
    """A server's TLS with a certificate for `names` (127.0.0.1 and localhost where there are none)."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _authority().issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
    return context


def authority_file(folder: Path) -> Path:
    """The PEM file with which a client may trust these servers."""
    path = folder / "authority.pem"
    _authority().cert_pem.write_to_path(str(path))
    return path


def server_file(folder: Path) -> Path:
    """A PEM file with the key and the certificates of a server at 127.0.0.1 and localhost."""
    path = folder / "server.pem"
    _authority().issue_cert("127.0.0.1", "localhost").private_key_and_cert_chain_pem.write_to_path(str(path))
    return path
