"""The faster test of attributes decides as Jinja2's own does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import StrictUndefined
from jinja2.exceptions import SecurityError
from jinja2.sandbox import SandboxedEnvironment
from markupsafe import Markup

from mailer.render.theme.safe_attributes import SandboxWithFastAttributes


def iter_nothing() -> Iterator[int]:
    yield from ()


async def _coroutine() -> None:
    """Is never awaited."""


async def _async_generator() -> Any:
    yield 1


def _frame() -> Any:
    return sys._getframe()


def _traceback() -> Any:
    try:
        raise ValueError
    except ValueError as error:
        return error.__traceback__


_COROUTINE = _coroutine()
OBJECTS: tuple[Any, ...] = (
    "text",
    Markup("a"),
    1,
    [1],
    {"a": 1},
    str,
    SandboxedEnvironment,
    _frame,
    "".join,
    [].append,
    SandboxedEnvironment().getattr,
    _frame.__code__,
    _frame(),
    _traceback(),
    iter_nothing(),
    _COROUTINE,
    _async_generator(),
    SandboxedEnvironment(),
)
_COROUTINE.close()
NAMES = sorted({name for each in OBJECTS for name in dir(each)})


@pytest.mark.parametrize("number", range(len(OBJECTS)))
def test_every_attribute_of_every_kind_of_object_is_decided_as_in_jinja(number: int) -> None:
    fast, slow, each = SandboxWithFastAttributes(), SandboxedEnvironment(), OBJECTS[number]
    for name in NAMES:
        assert fast.is_safe_attribute(each, name, None) == slow.is_safe_attribute(each, name, None), name


@given(st.sampled_from(OBJECTS), st.text(max_size=12))
def test_any_name_is_decided_as_in_jinja(each: Any, name: str) -> None:
    fast, slow = SandboxWithFastAttributes(), SandboxedEnvironment()
    assert fast.is_safe_attribute(each, name, None) == slow.is_safe_attribute(each, name, None)


def test_templates_still_cannot_reach_code() -> None:
    environment = SandboxWithFastAttributes(undefined=StrictUndefined)
    names = ("f.__globals__", "f.__code__", "g.gi_frame", "''.__class__.mro()")
    for written in (f"{{{{ {name} }}}}" for name in names):
        with pytest.raises(SecurityError, match="unsafe"):
            environment.from_string(written).render(f=_frame, g=iter_nothing())
