"""Defines commands and groups whose modules are imported only when they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperCommand

from mailer.commands.parsing.arguments import with_text_arguments
from mailer.commands.parsing.completion import complete_values, is_completing
from mailer.commands.parsing.repeated_options import OnceCommand, OnceGroup

__all__ = ["Entry", "LazyCommand", "LazyGroup", "group_of"]


@dataclass(frozen=True, slots=True)
class Entry:
    """Names the module and function of a command, and the first sentence of its help."""

    module: str
    function: str
    help: str


class LazyCommand(TyperCommand):
    """Stands for a command in `--help` by its name and first sentence; `load` imports the whole command."""

    def __init__(self, name: str, entry: Entry) -> None:
        super().__init__(name, help=entry.help, rich_markup_mode=None)
        self._entry = entry

    def load(self) -> Any:
        """Imports the module of the command and returns the click command with its options."""
        function: Callable[..., Any] = getattr(import_module(self._entry.module), self._entry.function)
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        alone.command(self.name, cls=OnceCommand)(function)
        command = with_text_arguments(typer.main.get_command(alone))
        return complete_values(command) if is_completing() else command


class LazyGroup(OnceGroup):
    """Lists the commands of a group without importing them, and loads the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Returns the name that was called, the whole command, and the words that remain for it."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest


def group_of(name: str, help: str, entries: Mapping[str, Entry]) -> LazyGroup:
    """Returns the group `name` with a command for each entry; without words it prints its help."""
    commands: dict[str, Any] = {each: LazyCommand(each, entry) for each, entry in entries.items()}
    return LazyGroup(name=name, help=help, commands=commands, no_args_is_help=True, rich_markup_mode=None)
