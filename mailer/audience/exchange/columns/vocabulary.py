"""Loads the words that imports recognise from `vocabulary.toml`."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["vocabulary", "words_in"]


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Any]:
    """Returns all tables of `vocabulary.toml`. The file is read once."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def words_in(text: str) -> frozenset[str]:
    """Returns the different words of a text, which are separated by spaces."""
    return frozenset(text.split())
