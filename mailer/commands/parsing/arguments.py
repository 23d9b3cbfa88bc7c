"""Checks that the arguments of a command are UTF-8 text before it runs.

Paths are left alone, because a file may well be called so. In a reason, which is kept in people's own words,
such bytes become U+FFFD: what was asked for is done. Anything else is refused, because it would mean
something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from mailer.display_text import decoded_argument, without_control_characters
from mailer.errors import InputError

__all__ = ["command_name", "wants_json", "with_text_arguments"]

_FREE_WORDS = ("reason",)


def with_text_arguments(program: Any) -> Any:
    """Returns `program` with each of its commands changed to check its arguments first.

    A command raises InputError before it does anything where an argument is not UTF-8.
    """
    for command in _leaves(program):
        command.callback = _checked(command.callback, _names(command))
    return program


def command_name(program: Any, words: Sequence[str]) -> str:
    """Returns the name of the command that `words` call, such as `campaigns show`, without its arguments."""
    names: list[str] = []
    known = program.commands
    for word in words:
        if word in known:
            names.append(word)
            known = getattr(known[word], "commands", {})
    return " ".join(names)


def wants_json(program: Any, words: Sequence[str]) -> bool:
    """Returns whether `words` hold the option `--json`, also where other words are wrong.

    Not counted is the value of an option, as in `--reason --json`, and what follows `--`.
    """
    if "--json" not in words:
        return False
    command = program
    remaining = iter(words)
    for word in remaining:
        if word in ("--", "--json"):
            return word == "--json"
        if not word.startswith("-"):
            command = _loaded(getattr(command, "commands", {}).get(word, command))
        elif any(
            word in each.opts and not each.is_flag for each in command.params if hasattr(each, "is_flag")
        ):
            next(remaining, None)
    return False


def _loaded(command: Any) -> Any:
    """Returns the whole command, with its options, where it is one that is loaded when it is called."""
    return command.load() if hasattr(command, "load") else command


def _leaves(command: Any) -> Iterator[Any]:
    below = getattr(command, "commands", None)
    if below is None:
        yield command
        return
    for one in below.values():
        yield from _leaves(one)


def _names(command: Any) -> dict[str, str]:
    """Returns what each argument is called on the command line: `--segment`, `ADDRESS`."""
    names = {}
    for parameter in command.params:
        option = max(parameter.opts, key=len)
        names[parameter.name] = (
            option if option.startswith("-") else (parameter.metavar or option).strip("[]")
        )
    return names


def _checked(callback: Callable[..., Any], names: Mapping[str, str]) -> Callable[..., Any]:
    def call(**values: Any) -> Any:
        return callback(**{name: _text(value, name, names) for name, value in values.items()})

    return call


def _text(value: Any, name: str, names: Mapping[str, str]) -> Any:
    if isinstance(value, (list, tuple)):
        return type(value)(_text(one, name, names) for one in value)
    if not isinstance(value, str):
        return value
    try:
        return decoded_argument(value)
    except ValueError:
        if name in _FREE_WORDS:
            return without_control_characters(value)
        raise InputError(
            f'{names.get(name, name)} "{without_control_characters(value[:80])}" holds bytes that are not '
            "UTF-8 text; write it again in UTF-8. Nothing was changed"
        ) from None
