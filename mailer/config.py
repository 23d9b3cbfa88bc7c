"""Frozen Settings: defaults < mailer.toml < MAILER_* environment. Secrets only from the environment.

`.env` beside mailer.toml is read as part of the environment, and what is really set there wins.
Everything that is wrong is told in one answer, each with its line.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Formatter
from types import MappingProxyType
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from dotenv import dotenv_values
from email_validator import EmailNotValidError, validate_email
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
)

from mailer.errors import ConfigError, Problem
from mailer.words import nearest

__all__ = [
    "CONFIG_NAME",
    "Brand",
    "Delivery",
    "Edition",
    "Mailbox",
    "Pace",
    "Publication",
    "Rate",
    "Settings",
    "find_workspace",
    "load_settings",
]

CONFIG_NAME = "mailer.toml"
TITLE_FIELDS = ("edition", "publication", "date", "weekday")
_SECTIONS = ("publication", "brand", "editions", "delivery", "pace")
_MAILBOX = re.compile(r"\s*(?:\"?(?P<name>[^\"<>]*?)\"?\s*<(?P<a>[^<>]+)>|(?P<b>[^<>\s]+))\s*")
_RATE = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*/\s*(s|m|h|d)\s*")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


class Mailbox(_Frozen):
    """`Name <address>`, both free of control characters."""

    name: str = ""
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


class Rate(_Frozen):
    """`count` messages in each `seconds`: "20/s" is 20 in 1."""

    count: float
    seconds: float

    def __str__(self) -> str:
        unit = {1: "s", 60: "m", 3600: "h", 86400: "d"}[int(self.seconds)]
        return f"{self.count:g}/{unit}"


def _one_line(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("must be one line without control characters")
    return value


def _filled(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _mailbox(value: object) -> object:
    if not isinstance(value, str):
        return value
    match = _MAILBOX.fullmatch(_one_line(value))
    address = match and (match["a"] or match["b"])
    if not match or not address:
        raise ValueError(f'"{value}" is not a sender; write "Name <name@example.org>"')
    try:
        checked = validate_email(address.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise ValueError(f'"{address}" is not an e-mail address: {error}') from None
    return Mailbox(name=(match["name"] or "").strip(), address=checked.normalized)


def _base_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or re.search(r"[\s<>]", value):
        raise ValueError(f'"{value}" is not an address such as https://news.example.org')
    if parts.query or parts.fragment:
        raise ValueError("must end with the path; leave out ? and #")
    if len(value) > 800:
        raise ValueError("must be at most 800 characters, so that it fits into a mail header")
    return value.rstrip("/")


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'"{value}" is not a time zone such as Asia/Shanghai') from None
    return value


def _language(value: str) -> str:
    try:
        return str(Locale.parse(value.replace("-", "_"))).replace("_", "-")
    except (UnknownLocaleError, ValueError):
        raise ValueError(f'"{value}" is not a language tag such as en or zh') from None


def _colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError(f'"{value}" is not a colour such as #b4232a')
    return value.lower()


def _time(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        return dt.time.fromisoformat(value)
    if isinstance(value, dt.time):
        return value
    raise ValueError(f'"{value}" is not a time of day such as "08:00"')


def _title(value: str) -> str:
    try:
        names = [name for _, name, _, _ in Formatter().parse(value) if name is not None]
    except ValueError as error:
        raise ValueError(f"is not a pattern: {error}") from None
    for name in names:
        if name not in TITLE_FIELDS:
            known = ", ".join(f"{{{field}}}" for field in TITLE_FIELDS)
            raise ValueError(f"{{{name}}} is not known here; a title may use {known}")
    return value


def _rate(value: object) -> object:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if not match or float(match[1]) <= 0:
        raise ValueError(f'"{value}" is not a rate such as "20/s" (s, m, h or d)')
    seconds = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}[match[2]]
    return Rate(count=float(match[1]), seconds=seconds)


def _transport(value: str) -> str:
    scheme = value.partition(":")[0]
    if scheme not in ("outbox", "smtp", "smtps", "sendgrid") or ":" not in value:
        raise ValueError(
            f'"{value}" is not a transport; use outbox:PATH, smtp://user@host:port, '
            "smtps://user@host:port or sendgrid:"
        )
    if scheme in ("smtp", "smtps") and urlsplit(value).password is not None:
        raise ValueError("holds a password; leave it out and set MAILER_SMTP_PASSWORD")
    return value


Line = Annotated[str, AfterValidator(_one_line)]
Name = Annotated[str, AfterValidator(_one_line), AfterValidator(_filled)]
Sender = Annotated[Mailbox, BeforeValidator(_mailbox)]
Colour = Annotated[str, AfterValidator(_colour)]
Limit = Annotated[Rate, BeforeValidator(_rate)]
Language = Annotated[str, AfterValidator(_language)]


class Publication(_Frozen):
    """Who publishes, and from where."""

    name: Name
    sender: Annotated[Sender, Field(alias="from")]
    reply_to: Sender | None = None
    postal_address: Annotated[str, AfterValidator(_filled)]
    base_url: Annotated[str, AfterValidator(_base_url)]
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    language: Language = "en"
    description: Line = ""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of dates and times in issues and on the command line."""
        return ZoneInfo(self.timezone)


class Brand(_Frozen):
    """How it looks. `logo` is a picture in the workspace or an https address; `logo_width` is in CSS px."""

    logo: str = ""
    logo_width: Annotated[int, Field(ge=16, le=600)] = 120
    accent: Colour = "#b3261e"
    accent_dark: Colour = "#ff9d94"
    ink: Colour = "#1d1d1f"
    paper: Colour = "#ffffff"
    background: Colour = "#f2f2ef"


class Edition(_Frozen):
    """A recurring publication slot. `layout` names a template of templates/email/; `time` is local."""

    name: Name
    title: Annotated[Line, AfterValidator(_title)] = "{edition}, {date}"
    layout: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")] = "morning"
    language: Language | None = None
    time: Annotated[dt.time | None, BeforeValidator(_time)] = None
    description: Line = ""


class Delivery(_Frozen):
    """How messages leave. `connections` is how many are open at once."""

    transport: Annotated[str, AfterValidator(_transport)] = "outbox:outbox"
    connections: Annotated[int, Field(ge=1, le=100)] = 8
    uncertain: Literal["hold", "resend"] = "hold"
    return_path: Sender | None = None


class Pace(_Frozen):
    """Limits, overall and for a receiving domain."""

    limit: Limit | None = None
    domains: Mapping[str, Limit] = Field(default_factory=dict)


_MODELS: dict[str, type[BaseModel]] = {
    "publication": Publication,
    "brand": Brand,
    "delivery": Delivery,
    "pace": Pace,
}


class _File(_Frozen):
    publication: Publication
    brand: Brand = Brand()
    editions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], Edition]
    delivery: Delivery = Delivery()
    pace: Pace = Pace()


class Settings(_Frozen):
    """Everything that is configured, checked. `root` is the workspace's folder."""

    root: Path
    publication: Publication
    brand: Brand
    editions: Mapping[str, Edition]
    delivery: Delivery
    pace: Pace
    secret_keys: tuple[SecretStr, ...] = ()
    smtp_password: SecretStr | None = None
    smtp_ca_file: Path | None = None
    sendgrid_key: SecretStr | None = None
    sendgrid_url: str = "https://api.sendgrid.com"

    @property
    def database(self) -> Path:
        """Where subscribers.db is."""
        return self.root / "subscribers.db"

    @property
    def campaigns(self) -> Path:
        """Where the campaign folders are."""
        return self.root / "campaigns"

    def edition_language(self, edition: str) -> str:
        """The language of an edition, which is the publication's where it has none of its own."""
        return self.editions[edition].language or self.publication.language

    def signing_keys(self) -> tuple[str, ...]:
        """The secret keys for tokens. Raises ConfigError where there is none."""
        if not self.secret_keys:
            raise ConfigError(
                "MAILER_SECRET_KEY is not set, so no unsubscribe link can be signed; put a long random "
                "value into .env (`mailer init` makes one)"
            )
        return tuple(key.get_secret_value() for key in self.secret_keys)


def find_workspace(start: Path) -> Path:
    """The folder that holds mailer.toml: `start` or the nearest parent. Raises ConfigError."""
    start = start.resolve()
    for folder in (start, *start.parents):
        if (folder / CONFIG_NAME).is_file():
            return folder
    raise ConfigError(f"there is no {CONFIG_NAME} in {start} or above; run `mailer init` to make a workspace")


def load_settings(root: Path, environ: Mapping[str, str] | None = None) -> Settings:
    """The settings of the workspace at `root`. Raises ConfigError with all that is wrong."""
    path = root / CONFIG_NAME
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError(Problem(f"cannot be read: {error.strerror}", CONFIG_NAME)) from None
    except UnicodeDecodeError:
        raise ConfigError(Problem("is not UTF-8; save it as UTF-8", CONFIG_NAME)) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_toml_problem(str(error))) from None
    environment = _environment(root, os.environ if environ is None else environ)
    origins = _overlay(data, environment)
    try:
        file = _File.model_validate(data)
    except ValidationError as error:
        raise ConfigError.of(_problems(error, text, origins)) from None
    if not file.editions:
        raise ConfigError(Problem("there is no [editions.NAME]; a workspace needs one", CONFIG_NAME))
    keys = [key.strip() for key in environment.get("MAILER_SECRET_KEY", "").split(",")]
    password = environment.get("MAILER_SMTP_PASSWORD")
    sendgrid = environment.get("SENDGRID_API_KEY")
    more: dict[str, Any] = {}
    if environment.get("MAILER_SMTP_CA_FILE"):
        more["smtp_ca_file"] = root / environment["MAILER_SMTP_CA_FILE"]
    if environment.get("MAILER_SENDGRID_URL"):
        more["sendgrid_url"] = environment["MAILER_SENDGRID_URL"].rstrip("/")
    return Settings(
        root=root,
        publication=file.publication,
        brand=file.brand,
        editions=MappingProxyType(dict(file.editions)),
        delivery=file.delivery,
        pace=file.pace,
        secret_keys=tuple(SecretStr(key) for key in keys if key),
        smtp_password=SecretStr(password) if password else None,
        sendgrid_key=SecretStr(sendgrid) if sendgrid else None,
        **more,
    )


def _environment(root: Path, environ: Mapping[str, str]) -> dict[str, str]:
    env_file = root / ".env"
    values: dict[str, str] = {}
    if env_file.is_file():
        values = {k: v for k, v in dotenv_values(env_file).items() if v is not None}
    return {**values, **environ}


def _overlay(data: dict[str, Any], environment: Mapping[str, str]) -> dict[tuple[str, ...], str]:
    """Puts MAILER_<SECTION>_<KEY> into `data`; gives which key came from which variable."""
    origins: dict[tuple[str, ...], str] = {}
    for variable, value in environment.items():
        if not variable.startswith("MAILER_"):
            continue
        section, _, key = variable.removeprefix("MAILER_").lower().partition("_")
        if section == "editions":
            editions: dict[str, Any] = data["editions"] if isinstance(data.get("editions"), dict) else {}
            for name in sorted(editions, key=len, reverse=True):
                field = key.removeprefix(name.replace("-", "_") + "_")
                if field != key and field in Edition.model_fields:
                    editions[name][field] = value
                    origins["editions", name, field] = variable
                    break
        elif section in _MODELS:
            field_names = {f.alias or name: name for name, f in _MODELS[section].model_fields.items()}
            if key in field_names and key != "domains":
                table = data.setdefault(section, {})
                if isinstance(table, dict):
                    integer = _MODELS[section].model_fields[field_names[key]].annotation is int
                    table[key] = int(value) if integer and value.isdecimal() else value
                    origins[section, key] = variable
    return origins


def _toml_problem(message: str) -> Problem:
    match = re.search(r"^(.*) \(at line (\d+), column (\d+)\)$", message)
    if match:
        return Problem(f"is not valid TOML: {match[1]}", CONFIG_NAME, int(match[2]), int(match[3]))
    return Problem(f"is not valid TOML: {message}", CONFIG_NAME)


def _problems(error: ValidationError, text: str, origins: Mapping[tuple[str, ...], str]) -> list[Problem]:
    problems = []
    for item in error.errors(include_url=False):
        place = tuple(str(part) for part in item["loc"] if part != "[key]")
        label = ".".join(place)
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "missing":
            message = f"{label} is missing"
        elif item["type"] == "extra_forbidden":
            message = f"{label} is not known" + _suggestion(place)
        elif item["type"] == "string_pattern_mismatch":
            message = f"{label}: use small letters, digits, - and _, beginning with a letter"
        else:
            message = f"{label}: {message[:1].lower()}{message[1:]}"
        variable = origins.get(place)
        if variable:
            problems.append(Problem(f"{message} (from {variable})", CONFIG_NAME))
        else:
            problems.append(Problem(message, CONFIG_NAME, _line_of(text, place)))
    return sorted(problems, key=lambda problem: problem.line or 0)


def _suggestion(place: tuple[str, ...]) -> str:
    section = _MODELS.get(place[0])
    if len(place) == 3 and place[0] == "editions":
        section = Edition
    known = (
        [field.alias or name for name, field in section.model_fields.items()]
        if section and len(place) > 1
        else list(_SECTIONS)
    )
    best = nearest(place[-1], known)
    return f'; did you mean "{best}"?' if best else f"; known here: {', '.join(known)}"


def _line_of(text: str, place: tuple[str, ...]) -> int | None:
    """The line of a key, or of the table that should hold it, found in the text of the file."""
    table: tuple[str, ...] = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), 1):
        header = re.match(r"\s*\[+([^\]]+)\]+", line)
        key = re.match(r"\s*([^=\s#\[]+)\s*=", line)
        if header:
            table = _dotted(header[1])
            here = table
        elif key:
            here = table + _dotted(key[1])
        else:
            continue
        common = 0
        for ours, theirs in zip(place, here, strict=False):
            if ours != theirs:
                break
            common += 1
        if common == len(here) and common and (best is None or common > best[0]):
            best = (common, number)
    return best[1] if best else None


def _dotted(text: str) -> tuple[str, ...]:
    parts = re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", text)
    return tuple(part.strip("\"'") for part in parts)
