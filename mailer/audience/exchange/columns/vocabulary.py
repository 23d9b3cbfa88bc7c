"""Loads the words of `vocabulary.toml` once."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = ["vocabulary", "words_in"]


@lru_cache(maxsize=1)
def vocabulary() -> dict[str, Any]:
    """Returns every table of the file, as TOML has them."""
    return tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))


def words_in(text: str) -> frozenset[str]:
    """Returns the words of a text, each once."""
    return frozenset(text.split())
