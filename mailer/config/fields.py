"""Defines the types of the values in mailer.toml. Each type rejects a wrong value with an error message."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
from string import Formatter
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from mailer.addresses import quote, read_domain, strip_invisible_characters
from mailer.config.mailboxes import check_return_path, read_mailbox
from mailer.config.urls import split_url
from mailer.language_tags import normalised_language_tag

__all__ = [
    "FEEDBACK_STREAM",
    "TITLE_FIELDS",
    "ArchiveSetting",
    "BareAddress",
    "BaseUrl",
    "Colour",
    "Domain",
    "FeedbackId",
    "NonEmpty",
    "FrozenModel",
    "HeloName",
    "KeyFile",
    "Language",
    "Line",
    "Mailbox",
    "NonEmptyLine",
    "ReturnPath",
    "Selector",
    "Sender",
    "TimeOfDay",
    "TimeZone",
    "TitlePattern",
    "TransportUrl",
    "check_not_empty",
]

#: The third of the four identifiers in Feedback-ID; the fourth is the sender id.
FEEDBACK_STREAM = "newsletter"
TITLE_FIELDS = ("edition", "publication", "date", "weekday", "number")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
#: Matches the scheme of a URL (RFC 3986 section 3.1).
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:")
_SELECTOR = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_FEEDBACK_ID = re.compile(r"[A-Za-z0-9._-]{5,15}")
_DOMAIN = re.compile(rf"(?:{_LABEL}\.)+{_LABEL}")


class FrozenModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, defer_build=True)


class Mailbox(FrozenModel):
    """Holds the name and the e-mail address of a sender, both without control characters."""

    name: str = ""
    address: str

    def __str__(self) -> str:
        return f"{self.name} <{self.address}>" if self.name else self.address


def _check_one_line(value: str) -> str:
    if any(ord(c) < 32 or ord(c) == 127 for c in value):
        raise ValueError("must be one line without control characters")
    return value


def check_not_empty(value: str) -> str:
    """Returns `value`. Raises ValueError if it is empty."""
    if not value:
        raise ValueError("must not be empty")
    return value


def _parse_mailbox(value: object) -> Mailbox:
    if isinstance(value, Mailbox):
        return value
    if not isinstance(value, str):
        raise ValueError('must be a text such as "desk@news.example.org"')
    name, address = read_mailbox(_check_one_line(strip_invisible_characters(value)))
    return Mailbox(name=name, address=address)


def _check_return_path(value: Mailbox) -> Mailbox:
    check_return_path(value.address)
    return value


def _parse_bare_address(value: object) -> Mailbox:
    mailbox = _parse_mailbox(value)
    if mailbox.name:
        raise ValueError(f'"{mailbox}" has a name; write the address alone, as in leave@news.example.org')
    return mailbox


def _check_feedback_id(value: str) -> str:
    """Returns `value`. Raises ValueError if it is neither '' nor a sender id as Gmail documents it.

    Gmail asks for 5 to 15 characters, and for identifiers that differ within one Feedback-ID.
    """
    if value and not _FEEDBACK_ID.fullmatch(value):
        raise ValueError(
            f'"{value[:80]}" is not a sender id for Gmail; use 5 to 15 of the characters A-Z a-z 0-9 . - _'
        )
    if value == FEEDBACK_STREAM:
        raise ValueError(f'"{value}" stands in Feedback-ID already; choose another sender id')
    return value


def _check_base_url(value: str) -> str:
    try:
        parts = split_url(value)
        usable = parts.scheme in ("http", "https") and parts.hostname and not re.search(r"[\s<>]", value)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(f'"{value}" is not a URL such as https://news.example.org')
    if not value.isascii():
        raise ValueError("must be ASCII: write the host as xn--…, and anything else percent-encoded")
    if parts.query or parts.fragment:
        raise ValueError("must end with the path; remove ? or # and what follows")
    if len(value) > 800:
        raise ValueError("must be at most 800 characters, so that it fits into a mail header")
    return value.rstrip("/")


def _check_time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'"{value}" is not a time zone such as Asia/Shanghai') from None
    return value


def _parse_language(value: str) -> str:
    try:
        return normalised_language_tag(value)
    except ValueError:
        raise ValueError(f"{quote(value)} is not a language tag such as en or zh") from None


def _check_colour(value: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        raise ValueError(f'"{value}" is not a colour such as #b4232a')
    return value.lower()


def _parse_time_of_day(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
        return dt.time.fromisoformat(value)
    if isinstance(value, dt.time):
        return value
    raise ValueError(f'"{value}" is not a time of day such as "08:00"')


def _parse_archive_setting(value: object) -> object:
    words = {"true": True, "false": False}  # as they come from the environment
    if isinstance(value, str):
        value = words.get(value.strip(), value.strip())
    if isinstance(value, bool) or value == "variant":
        return value
    raise ValueError(f'"{value}" is not one of true, false and "variant"')


def _check_title_pattern(value: str) -> str:
    try:
        fields = [field[1:] for field in Formatter().parse(value) if field[1] is not None]
    except ValueError as error:
        raise ValueError(f"is not a title pattern: {error}") from None
    for name, form, conversion in fields:
        if name not in TITLE_FIELDS:
            known = ", ".join(f"{{{field}}}" for field in TITLE_FIELDS)
            raise ValueError(f"{{{name}}} is not known here; a title may use {known}")
        if form or conversion:
            raise ValueError(f"{{{name}}} has something after the name; write the name alone in the braces")
    return value


def _check_transport_url(value: str, info: ValidationInfo) -> str:
    """Returns `value`. Raises ValueError if it is not the URL of a transport.

    The validation context holds the known transports; without a context, only the scheme's syntax is checked.
    """
    _check_one_line(value)
    if info.context is not None:
        info.context["transports"].check_url(value)
    elif not _SCHEME.match(value):
        raise ValueError(f'"{value}" is not the URL of a transport; it must begin with a scheme and a colon')
    return value


def _domain_in_ascii(value: str) -> str:
    """Returns a domain in ASCII (RFC 5890), without a full stop at the end. Returns '' for ''."""
    try:
        ascii_form = read_domain(value) if not value.isascii() else value.lower()
    except ValueError:
        ascii_form = ""
    if value and (len(ascii_form) > 253 or not _DOMAIN.fullmatch(ascii_form)):
        raise ValueError(f'"{value}" is not a domain such as news.example.org')
    return ascii_form


def _helo_name_in_ascii(value: str) -> str:
    """Returns the name for EHLO: a full host name in ASCII, or an IP address in brackets. Returns '' for ''.

    RFC 5321 section 4.1.3 defines both forms. Raises ValueError for any other text.
    """
    if value.startswith("[") and value.endswith("]"):
        kind, colon, address = value[1:-1].rpartition("IPv6:")
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            raise ValueError(
                f'"{value}" is not an IP address in brackets such as [192.0.2.1] or [IPv6:2001:db8::1]'
            ) from None
        if kind or (parsed.version == 6) != bool(colon):
            raise ValueError(
                f'"{value}" is not an IP address in brackets such as [192.0.2.1] or [IPv6:2001:db8::1]'
            )
        return value
    try:
        ipaddress.ip_address(value)
    except ValueError:
        pass
    else:
        literal = f"[IPv6:{value}]" if ":" in value else f"[{value}]"
        raise ValueError(f'"{value}" is an IP address, which must be in brackets: write "{literal}"')
    try:
        return _domain_in_ascii(value.removesuffix("."))
    except ValueError:
        raise ValueError(f'"{value}" is not a full host name such as mail.example.org') from None


def _check_dkim_selector(value: str) -> str:
    if len(value) > 180 or not _SELECTOR.fullmatch(value):
        raise ValueError(
            f'"{value[:80]}" is not a selector such as s2026; use small letters, digits and -, '
            "beginning and ending with a letter or a digit"
        )
    return value


def _check_key_file(value: str) -> str:
    if "-----BEGIN" in value or "\n" in value:
        raise ValueError(
            "must be the name of a file, not a key; put the key into a file and write the name here"
        )
    return check_not_empty(_check_one_line(value))


#: True: the public page shows what is for everybody; "variant": what most readers got; False: there is none.
ArchiveSetting = Annotated[bool | Literal["variant"], BeforeValidator(_parse_archive_setting)]
Line = Annotated[str, AfterValidator(_check_one_line)]
NonEmpty = Annotated[str, AfterValidator(check_not_empty)]
NonEmptyLine = Annotated[str, AfterValidator(_check_one_line), AfterValidator(check_not_empty)]
Sender = Annotated[Mailbox, BeforeValidator(_parse_mailbox)]
ReturnPath = Annotated[Mailbox, BeforeValidator(_parse_mailbox), AfterValidator(_check_return_path)]
BareAddress = Annotated[Mailbox, BeforeValidator(_parse_bare_address)]
FeedbackId = Annotated[str, AfterValidator(_check_feedback_id)]
BaseUrl = Annotated[str, AfterValidator(_check_base_url)]
TimeZone = Annotated[str, AfterValidator(_check_time_zone)]
Language = Annotated[str, AfterValidator(_parse_language)]
Colour = Annotated[str, AfterValidator(_check_colour)]
TimeOfDay = Annotated[dt.time | None, BeforeValidator(_parse_time_of_day)]
TitlePattern = Annotated[str, AfterValidator(_check_one_line), AfterValidator(_check_title_pattern)]
Domain = Annotated[str, AfterValidator(_domain_in_ascii)]
HeloName = Annotated[str, AfterValidator(_helo_name_in_ascii)]
Selector = Annotated[str, AfterValidator(_check_dkim_selector)]
KeyFile = Annotated[str, AfterValidator(_check_key_file)]
TransportUrl = Annotated[str, AfterValidator(_check_transport_url)]
