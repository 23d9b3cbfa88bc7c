"""Chromium for the tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser

from tests.needs import missing
from tools import screenshots
from tools.screenshots import chromium

__all__ = ["needed_chromium"]


@contextmanager
def needed_chromium() -> Iterator[Browser]:
    """A browser; where none is installed, the test that asks is skipped, or fails in CI."""
    if not screenshots.CHROMIUM.exists():
        missing(str(screenshots.CHROMIUM))
    with chromium() as started:
        yield started
