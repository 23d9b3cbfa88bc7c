"""Lists the keys of an issue from its model: all keys, keys of texts, and keys of long texts."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel

from mailer.issue import model, parts

__all__ = ["known_keys", "long_text_keys", "text_keys"]

#: From this many characters on, a text has paragraphs.
_LONG = 10_000


def _model_fields() -> list[tuple[str, Any]]:
    named = {**vars(parts), **vars(model)}.values()
    models = [each for each in named if isinstance(each, type) and issubclass(each, BaseModel)]
    return [pair for each in models for pair in each.model_fields.items()]


def _is_text_field(field: Any) -> bool:
    kinds = get_args(field.annotation) or (field.annotation,)
    bare = {get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in kinds}
    return str in bare and bare <= {str, type(None)}


@lru_cache(maxsize=1)
def known_keys() -> frozenset[str]:
    """Returns all keys of an issue and of its parts, such as items and sections."""
    return frozenset({name for name, _ in _model_fields()} | {"include"})


@lru_cache(maxsize=1)
def text_keys() -> frozenset[str]:
    """Returns the keys whose value is a text in every part of an issue that has the key."""
    others = {name for name, field in _model_fields() if not _is_text_field(field)}
    return known_keys() - others


@lru_cache(maxsize=1)
def long_text_keys() -> frozenset[str]:
    """Returns the keys whose value is a text of several paragraphs in every part that has the key."""
    found = {
        name
        for name, field in _model_fields()
        if any(getattr(each, "max_length", 0) >= _LONG for each in field.metadata)
    }
    return frozenset(found & text_keys())
