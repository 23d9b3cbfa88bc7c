"""Lists the keys of an issue, taken from the model: all of them, those of texts, those of long texts."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from mailer.issue import model

__all__ = ["known_keys", "long_texts", "texts"]

#: From this many characters on, a text has paragraphs.
_LONG = 10_000


def _fields() -> list[tuple[str, Any]]:
    models = [each for each in vars(model).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    return [pair for each in models for pair in each.model_fields.items()]


def _is_text(field: Any) -> bool:
    kinds = get_args(field.annotation) or (field.annotation,)
    bare = {get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in kinds}
    return str in bare and bare <= {str, type(None)}


@lru_cache(maxsize=1)
def known_keys() -> frozenset[str]:
    """Returns all keys of an issue and its parts."""
    return frozenset({name for name, _ in _fields()} | {"include"})


@lru_cache(maxsize=1)
def texts() -> frozenset[str]:
    """Returns the keys that hold a text wherever they stand."""
    others = {name for name, field in _fields() if not _is_text(field)}
    return known_keys() - others


@lru_cache(maxsize=1)
def long_texts() -> frozenset[str]:
    """Returns the keys that hold a text of several paragraphs wherever they stand."""
    found = {
        name
        for name, field in _fields()
        if any(getattr(each, "max_length", 0) >= _LONG for each in field.metadata)
    }
    return frozenset(found & texts())
