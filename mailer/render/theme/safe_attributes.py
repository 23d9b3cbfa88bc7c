"""Decides which attributes templates may read, as Jinja2's sandbox does, at a fraction of its cost.

A template reads thousands of attributes in one rendering, nearly all of them fields of views. Jinja2 tests
the object of each against a dozen types.
"""

from __future__ import annotations

import types
from functools import lru_cache
from typing import Any

from jinja2.sandbox import SandboxedEnvironment, is_internal_attribute

__all__ = ["SandboxWithFastAttributes"]

#: The types whose objects have further attributes that no template may read.
_GUARDED = (
    types.FunctionType,
    types.MethodType,
    type,
    types.CodeType,
    types.TracebackType,
    types.FrameType,
    types.GeneratorType,
    types.CoroutineType,
    types.AsyncGeneratorType,
)


class SandboxWithFastAttributes(SandboxedEnvironment):
    """Extends Jinja2's sandbox: it remembers for each type whether its objects need all of Jinja2's tests."""

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        """Returns whether a template may read the attribute `attr` of `obj`: the same as in Jinja2."""
        if attr.startswith("_"):
            return False
        kind: Any = type(obj)
        return not (_is_guarded(kind) and is_internal_attribute(obj, attr))


@lru_cache(maxsize=1024)
def _is_guarded(kind: Any) -> bool:
    return issubclass(kind, _GUARDED)
