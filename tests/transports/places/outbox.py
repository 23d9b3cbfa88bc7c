"""A folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mailer.config import load_settings
from mailer.transports.registry import open_transport
from tests.transports.places.place import Place


@contextmanager
def folder(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    def recipients() -> list[str]:
        texts = [path.read_text("utf-8") for path in (workspace / "out/box").glob("*.eml")]
        return [text.split("To: ")[1].split("\n")[0].strip() for text in texts]

    yield Place(open_transport("outbox:out/box", load_settings(workspace)), recipients)


KINDS = {"outbox": folder}
