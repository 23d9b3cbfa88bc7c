"""Reads environment variables: keys of mailer.toml as MAILER_<SECTION>_<KEY>, secrets, and a few others."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from dotenv import dotenv_values
from pydantic import BaseModel

from mailer.config.by_language import TextByLanguage
from mailer.config.fields import Mailbox
from mailer.config.oauth import OAuth
from mailer.config.sections import SECTIONS, Edition
from mailer.display_text import decoded_argument, nearest_word
from mailer.errors import ConfigError, Problem

__all__ = [
    "OTHER_VARIABLES",
    "Environment",
    "KeyPath",
    "keys_with_types",
    "apply_environment",
    "read_environment",
    "variable_name",
]

_PREFIX: Final = "MAILER_"
#: The prefix of variables for the tests of mailer itself, which are ignored.
_OF_TESTS: Final = "MAILER_TEST_"
#: The variables that stand for no key of mailer.toml, each with its description.
OTHER_VARIABLES: Final[Mapping[str, str]] = {
    "MAILER_SECRET_KEY": "The key that signs unsubscribe links, or several with commas, the newest first.",
    "MAILER_SECRET_KEY_OLD": "Earlier keys, with commas, so that links in mails already sent still work.",
    "MAILER_SMTP_PASSWORD": "The password of the user in the transport's URL.",
    "MAILER_SMTP_CA_FILE": "A file with the certificates that an SMTP server is checked against.",
    "MAILER_OAUTH_CLIENT_SECRET": "The secret of the OAuth client.",
    "MAILER_OAUTH_REFRESH_TOKEN": 'The refresh token, for grant = "refresh_token".',
    "MAILER_OAUTH_KEY_FILE": 'The JSON key file of a service account, for grant = "service_account".',
    "SENDGRID_API_KEY": "The key of SendGrid's API.",
    "MAILER_SENDGRID_URL": "Another base URL of SendGrid's API, such as the URL of a mock server.",
    "MAILER_WORKSPACE": "The folder of the workspace if `--workspace` is not given; not read from .env.",
    "MAILER_DNS_SERVER": "The nameserver that `mailer doctor` asks, as HOST:PORT; not read from .env.",
}
_NOT_IN_A_FILE: Final = ("MAILER_WORKSPACE", "MAILER_DNS_SERVER")

#: The path of a key: `("editions", "morning", "name")`.
KeyPath = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Environment:
    """Holds mailer's environment variables by name. `from_file` has the names that only `.env` sets."""

    values: Mapping[str, str]
    from_file: frozenset[str]

    def get(self, name: str) -> str:
        """Returns the value of a variable, or '' if the variable is not set."""
        return self.values.get(name, "")


def read_environment(
    dotenv_text: str, environ: Mapping[str, str], transport_variables: frozenset[str] = frozenset()
) -> Environment:
    """Returns mailer's variables: those in `environ`, and those that only the text of `.env` sets.

    `transport_variables` has the names of the variables that transports read. Raises ConfigError if a value
    is not valid text.
    """
    from_dotenv = {k: v for k, v in dotenv_values(stream=io.StringIO(dotenv_text)).items() if v is not None}
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in {**from_dotenv, **environ}.items():
        if name.startswith(_OF_TESTS) or not (
            name.startswith(_PREFIX) or name in OTHER_VARIABLES or name in transport_variables
        ):
            continue
        try:
            found[name] = value if name in _NOT_IN_A_FILE else decoded_argument(value)
        except ValueError:
            problems.append(Problem(f"{name} holds bytes that are not UTF-8 text; set it again as UTF-8"))
    if problems:
        raise ConfigError.from_problems(problems)
    return Environment(found, frozenset(from_dotenv) - set(environ))


def variable_name(key_path: KeyPath) -> str:
    """Returns the name of the environment variable for a key, such as `MAILER_EDITIONS_MORNING_NAME`."""
    return _PREFIX + "_".join(key_path).replace("-", "_").upper()


def apply_environment(
    data: dict[str, Any], environment: Environment, transport_variables: frozenset[str] = frozenset()
) -> tuple[dict[KeyPath, str], list[Problem]]:
    """Replaces values in `data`, the tables of mailer.toml, by the values of environment variables.

    Returns a dictionary with the variable that set each key, and a list of problems with names of variables.
    A variable for a key takes precedence over a variable for the key's table. `transport_variables` has the
    names of the variables that transports read.
    """
    keys = _keys_by_variable(_edition_names(data, environment))
    origins: dict[KeyPath, str] = {}
    found = [(*keys[name], name) for name in environment.values if name in keys]
    for key_path, value_type, name in sorted(found, key=lambda each: len(each[0])):
        if _set_nested_value(data, key_path, _parse_variable_value(environment.values[name], value_type)):
            origins[key_path] = name
    return origins, list(
        _variable_name_problems(environment, [*keys, *OTHER_VARIABLES, *transport_variables])
    )


def _edition_names(data: Mapping[str, Any], environment: Environment) -> list[str]:
    """Returns the names of the editions, shortest first.

    They come from the environment variable for the whole table `editions`, or else from `data`.
    """
    text = environment.get(variable_name(("editions",)))
    editions = _parse_variable_value(text, dict) if text else data.get("editions")
    return sorted(editions, key=len) if isinstance(editions, dict) else []


def _keys_by_variable(editions: Iterable[str]) -> dict[str, tuple[KeyPath, Any]]:
    """Returns the path and the type of each key, by the name of the key's environment variable.

    If a variable could belong to two editions, it belongs to the one with the longer name.
    """
    tables: list[tuple[KeyPath, Any]] = [((name,), dict) for name in (*SECTIONS, "editions")]
    tables += [(("editions", name), dict) for name in editions]
    keys: list[tuple[KeyPath, Any]] = [
        (("editions", name, key), value_type)
        for name in editions
        for key, value_type in keys_with_types(Edition)
    ]
    keys += [
        ((section, key), value_type)
        for section, model in SECTIONS.items()
        for key, value_type in keys_with_types(model)
    ]
    keys += [(("delivery", "oauth", key), value_type) for key, value_type in keys_with_types(OAuth)]
    return {variable_name(key_path): (key_path, value_type) for key_path, value_type in (*tables, *keys)}


def keys_with_types(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Yields the keys of a table of mailer.toml, as written in the file, each with the type of its value."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field.annotation


def _set_nested_value(data: dict[str, Any], key_path: KeyPath, value: object) -> bool:
    """Puts `value` into nested tables. Returns False if `key_path` leads through a value that is no table."""
    table = data
    for key in key_path[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            return False
    table[key_path[-1]] = value
    return True


def _parse_variable_value(text: str, value_type: Any) -> object:
    """Returns `text` parsed as TOML, or `text` itself if it is not TOML or if `value_type` is text.

    A text that may have a form for each language is parsed only if it is a table.
    """
    types = set(_component_types(value_type))
    if types <= {str, Mailbox, NoneType}:
        return text
    try:
        document = tomllib.loads(f"value = {text}")
    except (RecursionError, ValueError):
        return text
    value = document.pop("value", None)
    if document or (tuple in types and not isinstance(value, list)):  # lists may be written with commas
        return text
    if TextByLanguage in types and not isinstance(value, dict):
        return text
    return value


def _component_types(annotation: Any) -> Iterator[Any]:
    """Yields the types in an annotation: for `Annotated[int | None, …]`, `int` and `NoneType`."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for part in get_args(annotation):
            yield from _component_types(part)
    elif origin is Annotated:
        yield from _component_types(get_args(annotation)[0])
    elif origin is Literal:
        yield from map(type, get_args(annotation))
    else:
        yield origin or annotation


def _variable_name_problems(environment: Environment, known_names: Sequence[str]) -> Iterator[Problem]:
    """Yields a problem for each variable with an unknown name, and for each that `.env` must not set."""
    short = {name.removeprefix(_PREFIX): name for name in known_names}
    for name in sorted(environment.values):
        file = ".env" if name in environment.from_file else None
        if name not in known_names:
            best = nearest_word(name.removeprefix(_PREFIX), short)
            hint = (
                f'did you mean "{short[best]}"?'
                if best
                else "the variable of a key in mailer.toml is MAILER_<SECTION>_<KEY>, "
                "as in MAILER_DELIVERY_TRANSPORT"
            )
            yield Problem(f"{name} is not known; {hint}", file)
        elif file and name in _NOT_IN_A_FILE:
            yield Problem(f"{name} is not read from this file; set it in the environment", file)
