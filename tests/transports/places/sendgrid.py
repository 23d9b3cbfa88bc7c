"""A stand-in for SendGrid's API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.transports.registry import open_transport
from tests.servers.sendgrid import KEY, SendGridApi
from tests.transports.places.place import Place


@contextmanager
def api(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    with SendGridApi() as server:
        monkeypatch.setenv("SENDGRID_API_KEY", KEY)
        monkeypatch.setenv("MAILER_SENDGRID_URL", server.url)
        yield Place(open_transport("sendgrid:", load_settings(workspace)), lambda: server.recipients)


KINDS = {"sendgrid": api}
