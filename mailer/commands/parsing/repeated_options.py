"""Defines commands that refuse an option given twice where only one value would count."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption

from mailer.errors import InputError

__all__ = ["OnceCommand", "OnceGroup"]


class OnceCommand(TyperCommand):
    """Parses a command, and refuses a repeated option that takes one value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises InputError for an option that was given twice."""
        if not ctx.resilient_parsing:  # as for the shell's completion
            _check(self.make_parser(ctx).parse_args(list(args))[2])
        return super().parse_args(ctx, args)


class OnceGroup(TyperGroup):
    """Parses a group of commands, and refuses a repeated option that takes one value."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Raises InputError for an option that was given twice."""
        if not ctx.resilient_parsing:  # as for the shell's completion
            _check(self.make_parser(ctx).parse_args(list(args))[2])
        return super().parse_args(ctx, args)


def _check(order: list[Any]) -> None:
    """Raises InputError where a parameter with one value is found twice in the order of the command line."""
    seen: set[str] = set()
    for option in _single(order):
        if option.name in seen:
            raise InputError(f"{max(option.opts, key=len)} may be given once; leave one of them out")
        seen.add(option.name or "")


def _single(order: list[Any]) -> Iterator[TyperOption]:
    for parameter in order:
        if isinstance(parameter, TyperOption) and not (parameter.multiple or parameter.is_flag):
            yield parameter
