"""Runs the templates of pages in Jinja2's sandbox, with limits on steps and sizes.

A step is a round of a loop, a call or an include. All steps of one page together are limited, because a
template that never ends would keep every reader from unsubscribing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader, StrictUndefined, Template, nodes
from jinja2.runtime import Context
from jinja2.sandbox import SandboxedEnvironment

from mailer.render.theme import direction
from mailer.render.theme.filters import add_filters_and_tests

__all__ = ["LARGEST_PAGE", "MAX_STEPS", "PageEnvironment", "counting_steps", "page_environment"]

#: A page of more characters is a slip of its template.
LARGEST_PAGE = 1024 * 1024
#: So is one of more rounds of loops, calls and includes.
MAX_STEPS = 10_000

_steps: ContextVar[list[int] | None] = ContextVar("steps", default=None)


@contextmanager
def counting_steps() -> Iterator[None]:
    """Starts to count steps at 0 for the page that is rendered within the `with` block.

    Such blocks must not be nested.
    """
    token = _steps.set([0])
    try:
        yield
    finally:
        _steps.reset(token)


class PageEnvironment(SandboxedEnvironment):
    """Extends Jinja2's sandbox by limits: raises OverflowError for too large values and too many steps."""

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Returns `left operator right`. Raises OverflowError for a result that is too large."""
        if operator == "*":
            for value, times in ((left, right), (right, left)):
                if hasattr(value, "__len__") and isinstance(times, int) and len(value) * times > LARGEST_PAGE:
                    raise OverflowError("the result of a multiplication is too large")
        elif isinstance(right, int) and right > 100:
            raise OverflowError("the exponent must not be above 100")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Context, called: Any, /, *args: Any, **keywords: Any) -> Any:
        """Returns the result of a call in a template, and counts the call as a step."""
        _count_steps(1)
        return super().call(context, called, *args, **keywords)

    def count_loop(self, values: Iterable[Any]) -> list[Any]:
        """Returns the values that a loop iterates over, and counts each value as a step."""
        found = list(islice(values, MAX_STEPS + 1))
        _count_steps(len(found))
        return found

    def _load_template(self, name: str, globals: Any) -> Template:
        _count_steps(1)
        return super()._load_template(name, globals)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in tree.find_all(nodes.For):
            line = loop.lineno
            counted = nodes.EnvironmentAttribute("count_loop", lineno=line)
            loop.iter = nodes.Call(counted, [loop.iter], [], None, None, lineno=line)
        tree.set_environment(self)
        return tree


def page_environment(folders: Sequence[Path]) -> PageEnvironment:
    """Returns the environment for the pages in the theme folders `folders`. Earlier folders take precedence.

    A template `done.html` is a file in web/pages/ of a theme folder. A template `web/sheet.html` is a file in
    web/, with the partials that these pages share with the pages of issues. They also share the filters and
    tests.
    """
    pages = FileSystemLoader([folder / "web" / "pages" for folder in folders])
    shared = PrefixLoader({"web": FileSystemLoader([folder / "web" for folder in folders])})
    environment = PageEnvironment(
        loader=ChoiceLoader([pages, shared]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    add_filters_and_tests(environment)
    environment.globals.update(direction.GLOBALS)
    return environment


def _count_steps(steps: int) -> None:
    counter = _steps.get()
    if counter is not None:
        counter[0] += steps
        if counter[0] > MAX_STEPS:
            raise OverflowError(
                f"the page must not have more than {MAX_STEPS:,} rounds of loops, calls and includes"
            )
