"""Jinja2's sandbox for the pages of a workspace, with bounds on what a page may compute.

All rounds of loops, calls and includes of one page together are bounded, also where they print nothing: an
endless page would keep everybody from leaving.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import Any

from jinja2 import Template, nodes
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

__all__ = ["LARGEST_PAGE", "MOST_STEPS", "PageEnvironment", "bounded"]

#: A page of more characters is a slip of its template.
LARGEST_PAGE = 1024 * 1024
#: So is one of more rounds of loops, calls and includes.
MOST_STEPS = 10_000

_steps: ContextVar[list[int] | None] = ContextVar("steps", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """Counts what the page that is rendered within does, from 0. No page is rendered within another."""
    token = _steps.set([0])
    try:
        yield
    finally:
        _steps.reset(token)


class PageEnvironment(SandboxedEnvironment):
    """Raises OverflowError instead of computing a value that fills the memory, or without an end."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """`left operator right`."""
        if operator == "*":
            for value, times in ((left, right), (right, left)):
                if hasattr(value, "__len__") and isinstance(times, int) and len(value) * times > LARGEST_PAGE:
                    raise OverflowError("a product is too large")
        elif isinstance(right, int) and right > 100:
            raise OverflowError("a power is too large")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, called: Any, /, *args: Any, **more: Any) -> Any:
        """What a call in a template gives, of a macro too."""
        _count(1)
        return super().call(context, called, *args, **more)

    def count_loop(self, values: Iterable[Any]) -> list[Any]:
        """The values of a loop, each of which counts."""
        found = list(islice(values, MOST_STEPS + 1))
        _count(len(found))
        return found

    def _load_template(self, name: str, globals: Any) -> Template:
        _count(1)
        return super()._load_template(name, globals)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            line = loop.lineno
            counted = nodes.EnvironmentAttribute("count_loop", lineno=line)
            loop.iter = nodes.Call(counted, [loop.iter], [], None, None, lineno=line)
        tree.set_environment(self)
        return tree


def _count(steps: int) -> None:
    counter = _steps.get()
    if counter is not None:
        counter[0] += steps
        if counter[0] > MOST_STEPS:
            raise OverflowError(f"its loops and calls go round more than {MOST_STEPS:,} times")
