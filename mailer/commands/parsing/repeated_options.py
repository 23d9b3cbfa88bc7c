"""Defines click commands that refuse an option which takes one value and is given twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from mailer.errors import InputError

__all__ = ["UniqueOptionsCommand", "UniqueOptionsGroup"]


class UniqueOptionsCommand(TyperCommand):
    """Parses the arguments of a command, and refuses a repeated option that takes one value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses `args` as the base class does. Raises InputError for an option that is given twice."""
        if not ctx.resilient_parsing:  # as for the shell's completion
            _refuse_repeated_options(self.make_parser(ctx).parse_args(list(args))[2])
        return super().parse_args(ctx, args)


class UniqueOptionsGroup(TyperGroup):
    """Parses the arguments of a group, and refuses a repeated option that takes one value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parses `args` as the base class does. Raises InputError for an option that is given twice."""
        if not ctx.resilient_parsing:  # as for the shell's completion
            _refuse_repeated_options(self.make_parser(ctx).parse_args(list(args))[2])
        return super().parse_args(ctx, args)


def _refuse_repeated_options(parameters: list[Any]) -> None:
    """Raises InputError if an option that takes one value is in `parameters` twice.

    `parameters` has the click parameters in the order in which they were given.
    """
    seen: set[str] = set()
    for option in _single_value_options(parameters):
        if option.name in seen:
            raise InputError(f"{max(option.opts, key=len)} may be given only once; leave one of them out")
        seen.add(option.name or "")


def _single_value_options(parameters: list[Any]) -> Iterator[TyperOption]:
    for parameter in parameters:
        if isinstance(parameter, TyperOption) and not (parameter.multiple or parameter.is_flag):
            yield parameter
