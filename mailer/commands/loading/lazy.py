"""Defines commands and groups whose modules are imported only when they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import typer
import typer.main
from typer.core import TyperCommand

from mailer.commands.parsing.arguments import check_text_arguments
from mailer.commands.parsing.completion import add_value_completion, is_completing
from mailer.commands.parsing.repeated_options import UniqueOptionsCommand, UniqueOptionsGroup

__all__ = ["CommandEntry", "LazyCommand", "LazyGroup", "lazy_group"]


@dataclass(frozen=True, slots=True)
class CommandEntry:
    """Holds what `--help` and the import of a command need.

    `module` and `function` are the names of the command's module and function, and `help` is the first
    sentence of the command's help.
    """

    module: str
    function: str
    help: str


class LazyCommand(TyperCommand):
    """Stands for a command that is not imported yet, so that `--help` can list the command quickly.

    `load` imports the whole command.
    """

    def __init__(self, name: str, entry: CommandEntry) -> None:
        super().__init__(name, help=entry.help, rich_markup_mode=None)
        self._entry = entry

    def load(self) -> Any:
        """Imports the module of the command, and returns the click command with all options."""
        function: Callable[..., Any] = getattr(import_module(self._entry.module), self._entry.function)
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
        alone.command(self.name, cls=UniqueOptionsCommand)(function)
        command = check_text_arguments(typer.main.get_command(alone))
        return add_value_completion(command) if is_completing() else command


class LazyGroup(UniqueOptionsGroup):
    """Lists the commands of a group without importing their modules, and loads the command that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """Returns the name of the command that is called, the loaded command, and the remaining arguments."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, LazyCommand) else command, rest


def lazy_group(name: str, help: str, entries: Mapping[str, CommandEntry]) -> LazyGroup:
    """Returns the group `name` with a command for each entry. Without arguments the group prints its help."""
    commands: dict[str, Any] = {each: LazyCommand(each, entry) for each, entry in entries.items()}
    return LazyGroup(name=name, help=help, commands=commands, no_args_is_help=True, rich_markup_mode=None)
