"""Reads environment variables: keys of mailer.toml as MAILER_<SECTION>_<KEY>, secrets, and others."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from dotenv import dotenv_values
from pydantic import BaseModel

from mailer.config.fields import Mailbox
from mailer.config.oauth import OAuth
from mailer.config.sections import SECTIONS, Edition
from mailer.display_text import decoded_argument, nearest_word
from mailer.errors import ConfigError, Problem

__all__ = [
    "OTHER_VARIABLES",
    "Environment",
    "KeyPath",
    "keys_of",
    "apply_environment",
    "read_environment",
    "variable_of",
]

_PREFIX: Final = "MAILER_"
#: The prefix of variables for the tests of mailer itself, which are ignored.
_OF_TESTS: Final = "MAILER_TEST_"
#: The variables that stand for no key of mailer.toml, each with its description.
OTHER_VARIABLES: Final[Mapping[str, str]] = {
    "MAILER_SECRET_KEY": "The key that signs unsubscribe links; several with commas, the newest first.",
    "MAILER_SECRET_KEY_OLD": "Earlier keys with commas, so that the links in mails that went out still work.",
    "MAILER_SMTP_PASSWORD": "The password of the user in the transport's URL.",
    "MAILER_SMTP_CA_FILE": "A file with the certificates that an SMTP server is checked against.",
    "MAILER_OAUTH_CLIENT_SECRET": "The secret of the OAuth client.",
    "MAILER_OAUTH_REFRESH_TOKEN": 'The refresh token, for grant = "refresh_token".',
    "MAILER_OAUTH_KEY_FILE": 'The JSON key of a service account, for grant = "service_account".',
    "SENDGRID_API_KEY": "The key of SendGrid's API.",
    "MAILER_SENDGRID_URL": "Another base address of SendGrid's API, such as a mock's.",
    "MAILER_WORKSPACE": "The workspace, where `--workspace` is not given; not read from .env.",
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
        """Returns the value of a variable, or '' where it is not set."""
        return self.values.get(name, "")


def read_environment(
    file: str, environ: Mapping[str, str], transport_variables: frozenset[str] = frozenset()
) -> Environment:
    """Reads mailer's variables from `environ`, and from the text of `.env` those that `environ` lacks.

    `transport_variables` are names of variables that transports read. Raises ConfigError where a value is not
    valid text.
    """
    of_file = {k: v for k, v in dotenv_values(stream=io.StringIO(file)).items() if v is not None}
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for name, value in {**of_file, **environ}.items():
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
    return Environment(found, frozenset(of_file) - set(environ))


def variable_of(place: KeyPath) -> str:
    """Returns the environment variable of a key, such as `MAILER_EDITIONS_MORNING_NAME`."""
    return _PREFIX + "_".join(place).replace("-", "_").upper()


def apply_environment(
    data: dict[str, Any], environment: Environment, transport_variables: frozenset[str] = frozenset()
) -> tuple[dict[KeyPath, str], list[Problem]]:
    """Puts the values of environment variables into `data`, where they replace those of the file.

    Returns which key came from which variable, and the problems with names. A variable for a key takes
    precedence over a variable for its table.
    """
    places = _places(_editions(data, environment))
    origins: dict[KeyPath, str] = {}
    given = [(*places[name], name) for name in environment.values if name in places]
    for place, kind, name in sorted(given, key=lambda each: len(each[0])):
        if _put(data, place, _read(environment.values[name], kind)):
            origins[place] = name
    return origins, list(_wrong_names(environment, [*places, *OTHER_VARIABLES, *transport_variables]))


def _editions(data: Mapping[str, Any], environment: Environment) -> list[str]:
    """Returns the names of the editions: of the variable for the whole table, or else of the file."""
    text = environment.get(variable_of(("editions",)))
    editions = _read(text, dict) if text else data.get("editions")
    return sorted(editions, key=len) if isinstance(editions, dict) else []


def _places(editions: Iterable[str]) -> dict[str, tuple[KeyPath, Any]]:
    """Returns, by environment variable, the path and the type of its key.

    Where the names of two editions make a variable ambiguous, it belongs to the longer name.
    """
    tables: list[tuple[KeyPath, Any]] = [((name,), dict) for name in (*SECTIONS, "editions")]
    tables += [(("editions", name), dict) for name in editions]
    keys: list[tuple[KeyPath, Any]] = [
        (("editions", name, key), kind) for name in editions for key, kind in keys_of(Edition)
    ]
    keys += [((section, key), kind) for section, model in SECTIONS.items() for key, kind in keys_of(model)]
    keys += [(("delivery", "oauth", key), kind) for key, kind in keys_of(OAuth)]
    return {variable_of(place): (place, kind) for place, kind in (*tables, *keys)}


def keys_of(model: type[BaseModel]) -> Iterator[tuple[str, Any]]:
    """Yields the keys of a table, as written in the file, each with its type."""
    for name, field in model.model_fields.items():
        yield field.alias or name, field.annotation


def _put(data: dict[str, Any], place: KeyPath, value: object) -> bool:
    """Puts a value into nested tables; returns False where something else than a table is in the way."""
    table = data
    for key in place[:-1]:
        table = table.setdefault(key, {})
        if not isinstance(table, dict):
            return False
    table[place[-1]] = value
    return True


def _read(text: str, kind: Any) -> object:
    """Returns the value of a variable: its text for a text key, else its TOML, or its text if it is none."""
    kinds = set(_plain_types(kind))
    if kinds <= {str, Mailbox, NoneType}:
        return text
    try:
        document = tomllib.loads(f"value = {text}")
    except (RecursionError, ValueError):
        return text
    value = document.pop("value", None)
    if document or (tuple in kinds and not isinstance(value, list)):  # lists may be written with commas
        return text
    return value


def _plain_types(kind: Any) -> Iterator[Any]:
    """Yields the types that a type consists of, without their constraints."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        for part in get_args(kind):
            yield from _plain_types(part)
    elif origin is Annotated:
        yield from _plain_types(get_args(kind)[0])
    elif origin is Literal:
        yield from map(type, get_args(kind))
    else:
        yield origin or kind


def _wrong_names(environment: Environment, known: Sequence[str]) -> Iterator[Problem]:
    """Yields a problem for each unknown name, and for each name that `.env` must not set."""
    short = {name.removeprefix(_PREFIX): name for name in known}
    for name in sorted(environment.values):
        file = ".env" if name in environment.from_file else None
        if name not in known:
            best = nearest_word(name.removeprefix(_PREFIX), short)
            hint = (
                f'did you mean "{short[best]}"?'
                if best
                else "a key of mailer.toml is MAILER_<SECTION>_<KEY>, such as MAILER_DELIVERY_TRANSPORT"
            )
            yield Problem(f"{name} is not known; {hint}", file)
        elif file and name in _NOT_IN_A_FILE:
            yield Problem(f"{name} is not read from here; set it in the environment", file)
