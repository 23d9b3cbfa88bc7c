"""An issue out of a text, in a workspace of its own."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mailer.config import Settings
from mailer.errors import IssueError
from mailer.issue.load import LoadedIssue, load_issue

Load = Callable[..., LoadedIssue]
Wrong = Callable[..., list[str]]

NAME = "issues/2026-11-21-morning.yaml"


def picture(format_: str = "PNG", size: tuple[int, int] = (4, 3)) -> bytes:
    """A small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "#b3261e").save(buffer, format_)
    return buffer.getvalue()


@pytest.fixture
def write(workspace: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a file of the workspace, its text dedented."""

    def write(name: str, content: str | bytes) -> Path:
        path = workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else textwrap.dedent(content).encode())
        return path

    return write


@pytest.fixture
def load(write: Callable[[str, str | bytes], Path], settings: Settings) -> Load:
    """Writes an issue and loads it."""

    def load(content: str | bytes, name: str = NAME) -> LoadedIssue:
        return load_issue(write(name, content), settings)

    return load


@pytest.fixture
def wrong(load: Load) -> Wrong:
    """What is said about a wrong issue, a line a problem."""

    def wrong(content: str | bytes, name: str = NAME) -> list[str]:
        with pytest.raises(IssueError) as caught:
            load(content, name)
        assert caught.value.exit_status == 2
        return str(caught.value).splitlines()

    return wrong


@pytest.fixture
def head() -> str:
    """The first lines of an issue."""
    return "edition: morning\ndate: 2026-11-21\nlanguage: en\n"
