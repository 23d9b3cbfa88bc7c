"""What a test needs of the machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["missing"]


def missing(what: str) -> NoReturn:
    """Where it must not be missed, in CI, that is a failure; elsewhere there is nothing to test with."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is needed here", pytrace=False)
    pytest.skip(f"there is no {what}")
