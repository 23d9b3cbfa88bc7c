"""A real SMTP server on loopback, with TLS and without, with PIPELINING and without."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.transports.registry import open_transport
from tests.servers.certificates import authority_file, server_tls
from tests.servers.smtp import SmtpServer
from tests.transports.places.place import Place


@contextmanager
def server(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    login: bool = False,
    implicit: bool = False,
    pipelining: bool = True,
) -> Iterator[Place]:
    if login:
        monkeypatch.setenv("MAILER_SMTP_PASSWORD", "s3cret")
        monkeypatch.setenv("MAILER_SMTP_CA_FILE", str(authority_file(workspace)))
    with SmtpServer(
        tls=server_tls() if login else None,
        login=("desk@example.org", "s3cret") if login else None,
        implicit=implicit,
        pipelining=pipelining,
    ) as running:
        yield Place(open_transport(running.url, load_settings(workspace)), lambda: running.recipients)


KINDS = {
    "smtp": server,
    "smtp with starttls and auth": partial(server, login=True),
    "smtps": partial(server, login=True, implicit=True),
    "smtp without pipelining": partial(server, pipelining=False),
}
