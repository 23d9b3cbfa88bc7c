"""Loads mailer.toml, `.env` and the environment into Settings, and reports all errors together."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from pydantic import SecretStr, ValidationError

from mailer.config.environment import Environment, KeyPath, apply_environment, read_environment
from mailer.config.model import ConfigFile, Settings
from mailer.config.oauth import OAuth
from mailer.config.sections import SECTIONS, Edition
from mailer.config.text import decode_text
from mailer.display_text import nearest_word
from mailer.errors import ConfigError, Problem

__all__ = ["CONFIG_NAME", "TransportRegistry", "find_workspace", "load_settings"]

CONFIG_NAME = "mailer.toml"

#: A number of more digits is too large for any setting, and Python refuses to parse some of them.
_MAX_DIGITS = 20
_LONG_NUMBER = re.compile(rf"[0-9](?:_?[0-9]){{{_MAX_DIGITS},}}")
_MAX_MESSAGE_LENGTH = 500
#: Pydantic's error types for a value that should be a table.
_NOT_A_TABLE = ("model_type", "dict_type", "mapping_type")
#: The secrets of [delivery.oauth], which come from the environment.
_SECRETS = ("client_secret", "refresh_token", "key_file")


def find_workspace(start: Path) -> Path:
    """Returns the folder that holds mailer.toml: `start` or the nearest parent folder.

    Raises ConfigError if none of these folders holds the file.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise ConfigError(
        f"there is no {CONFIG_NAME} in {start} or a folder above it; run `mailer init` to create a workspace"
    )


class TransportRegistry(Protocol):
    """Declares what this module needs from `mailer.transports.registry`, which is in a higher layer."""

    def check_url(self, url: str) -> None:
        """Raises ValueError if `url` is not the URL of a transport."""
        ...

    def environment_variable_names(self) -> frozenset[str]:
        """Returns the names of the environment variables that transports read."""
        ...


def load_settings(
    root: Path, environ: Mapping[str, str] | None = None, *, transports: TransportRegistry | None = None
) -> Settings:
    """Returns the settings of the workspace in the folder `root`. Raises ConfigError with all errors.

    `environ` has the environment variables; None stands for those of the process. Without `transports`, only
    the syntax of the transport's URL is checked.
    """
    text = _read_text(root / CONFIG_NAME)
    data = _parse_toml(text)
    env_file = root / ".env"
    dotenv = _read_text(env_file) if env_file.is_file() else ""
    others = transports.environment_variable_names() if transports else frozenset()
    environment = read_environment(dotenv, os.environ if environ is None else environ, others)
    origins, problems = apply_environment(data, environment, others)
    try:
        file = ConfigFile.model_validate(data, context={"transports": transports} if transports else None)
    except ValidationError as error:
        raise ConfigError.from_problems([*problems, *_validation_problems(error, text, origins)]) from None
    except RecursionError:  # dotted keys, which the parser does not nest
        raise ConfigError(_nesting_problem()) from None
    if not file.editions:
        problems.append(Problem("there is no [editions.NAME]; add at least one edition", CONFIG_NAME))
    if problems:
        raise ConfigError.from_problems(problems)
    return Settings(
        root=root,
        publication=file.publication,
        brand=file.brand,
        editions=MappingProxyType(dict(file.editions)),
        delivery=file.delivery,
        pace=file.pace,
        dkim=file.dkim,
        **_values_from_environment(root, environment),
    ).in_language(file.publication.language)


def _values_from_environment(root: Path, environment: Environment) -> dict[str, Any]:
    """Returns the fields of Settings that only the environment sets: secrets, and mailer's variables."""
    keys = _split_secret_keys(environment.get("MAILER_SECRET_KEY"))
    if keys:  # earlier keys alone sign nothing
        keys = list(dict.fromkeys(keys + _split_secret_keys(environment.get("MAILER_SECRET_KEY_OLD"))))
    found: dict[str, Any] = {"secret_keys": tuple(map(SecretStr, keys))}
    for name, variable in (
        ("oauth_client_secret", "MAILER_OAUTH_CLIENT_SECRET"),
        ("oauth_refresh_token", "MAILER_OAUTH_REFRESH_TOKEN"),
    ):
        if value := environment.get(variable):
            found[name] = SecretStr(value)
    if value := environment.get("MAILER_OAUTH_KEY_FILE"):
        found["oauth_key_file"] = root / value
    found["variables"] = MappingProxyType(
        {name: SecretStr(value) for name, value in environment.values.items()}
    )
    return found


def _split_secret_keys(text: str) -> list[str]:
    """Returns the secret keys of a comma-separated text, newest first."""
    return [key for part in text.split(",") if (key := part.strip())]


def _read_text(path: Path) -> str:
    try:
        return decode_text(path.read_bytes())
    except OSError as error:
        raise ConfigError(Problem(f"cannot be read: {error.strerror}", path.name)) from None
    except ValueError as error:
        raise ConfigError(Problem(str(error), path.name)) from None


def _parse_toml(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_problem(str(error))) from None
    except RecursionError:
        raise ConfigError(_nesting_problem()) from None
    except ValueError:  # what Python says of an integer of over 4,300 digits
        found = max(_LONG_NUMBER.finditer(text), key=lambda match: len(match[0]), default=None)
        line = text.count("\n", 0, found.start()) + 1 if found else None
        raise ConfigError(
            Problem("a number here has too many digits; write a smaller number", CONFIG_NAME, line)
        ) from None


def _nesting_problem() -> Problem:
    return Problem("is nested too deeply; no setting has more than three levels", CONFIG_NAME)


def _syntax_problem(message: str) -> Problem:
    match = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", message)
    if match:
        return Problem(f"is not valid TOML: {match[1]}", CONFIG_NAME, int(match[2]), int(match[3]))
    return Problem(f"is not valid TOML: {message}", CONFIG_NAME)


def _validation_problems(error: ValidationError, text: str, origins: Mapping[KeyPath, str]) -> list[Problem]:
    problems = []
    for item in error.errors(include_url=False):
        key_path = tuple(str(part) for part in item["loc"] if part != "[key]")
        label = ".".join(key_path)
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            message = f"{label} is missing"
        elif item["type"] == "extra_forbidden":
            message = f"{label} is not known" + _hint_for_unknown_key(key_path)
        elif item["type"] == "string_pattern_mismatch":
            message = f"{label}: use small letters, digits, - and _, beginning with a letter"
        else:
            message = f"{label}: {_shorten_message(message[:1].lower() + message[1:])}"
        variable = next(
            filter(None, (origins.get(key_path[:end]) for end in range(len(key_path), 0, -1))), None
        )
        if variable and item["type"] in _NOT_A_TABLE:
            message = f'{label}: is not a table such as {{key = "value"}}'
        if variable:
            problems.append(Problem(f"{message} (from {variable})", CONFIG_NAME))
        else:
            problems.append(Problem(message, CONFIG_NAME, _line_number_of_key(text, key_path)))
    return sorted(problems, key=lambda problem: problem.line or 0)


def _shorten_message(message: str) -> str:
    """Returns `message` without its middle if it is too long to read, as when it quotes a long value."""
    half = _MAX_MESSAGE_LENGTH // 2
    return message if len(message) <= _MAX_MESSAGE_LENGTH else f"{message[:half]} … {message[-half:]}"


def _hint_for_unknown_key(key_path: tuple[str, ...]) -> str:
    section = SECTIONS.get(key_path[0])
    if len(key_path) == 3 and key_path[0] == "editions":
        section = Edition
    if len(key_path) == 3 and key_path[:2] == ("delivery", "oauth"):
        section = OAuth
        if key_path[2] in _SECRETS:
            return f"; it is a secret, which is not kept in this file: set MAILER_OAUTH_{key_path[2].upper()}"
    known = (
        [field.alias or name for name, field in section.model_fields.items()]
        if section and len(key_path) > 1
        else list(ConfigFile.model_fields)
    )
    best = nearest_word(key_path[-1], known)
    return f'; did you mean "{best}"?' if best else f"; the known keys are {', '.join(known)}"


def _line_number_of_key(text: str, key_path: tuple[str, ...]) -> int | None:
    """Returns the line number of a key in the text of the file, or of the table that should hold the key.

    Returns None if neither is found.
    """
    table: tuple[str, ...] = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+([^\]]+)\]+", line)
        key = re.match(r"\s*([^=\s#\[]+)\s*=", line)
        if header:
            table = _split_dotted_key(header[1])
            here = table
        elif key:
            here = table + _split_dotted_key(key[1])
        else:
            continue
        common = 0
        for ours, theirs in zip(key_path, here, strict=False):
            if ours != theirs:
                break
            common += 1
        if common == len(here) and common and (best is None or common > best[0]):
            best = (common, number)
    return best[1] if best else None


def _split_dotted_key(text: str) -> tuple[str, ...]:
    parts = re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", text)
    return tuple(part.strip("\"'") for part in parts)
