"""What is configured: frozen sections, and the Settings that hold them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr, model_validator

from mailer.addresses import header_address
from mailer.config.fields import (
    Archive,
    BaseUrl,
    Colour,
    Domain,
    Filled,
    Frozen,
    Helo,
    KeyFile,
    Language,
    Line,
    Name,
    ReturnPath,
    Selector,
    Sender,
    TimeOfDay,
    TimeZone,
    TitlePattern,
    TransportUrl,
)
from mailer.config.oauth import OAuthTable
from mailer.config.rates import Day, Days, Hold, Limits, Share, Span
from mailer.errors import ConfigError

__all__ = ["SECTIONS", "Brand", "Delivery", "Dkim", "Edition", "File", "Pace", "Publication", "Settings"]


class Publication(Frozen):
    """Who publishes, and from where."""

    name: Name
    sender: Annotated[Sender, Field(alias="from")]
    reply_to: Sender | None = None
    postal_address: Filled
    base_url: BaseUrl
    timezone: TimeZone = "UTC"
    language: Language = "en"
    description: Line = ""

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of dates and times in issues and on the command line."""
        return ZoneInfo(self.timezone)


class Brand(Frozen):
    """How it looks. `logo` is a picture in the workspace or an https address; `logo_width` is in CSS px."""

    logo: str = ""
    logo_width: Annotated[int, Field(ge=16, le=600)] = 120
    accent: Colour = "#b3261e"
    accent_dark: Colour = "#ff9d94"
    ink: Colour = "#1d1d1f"
    paper: Colour = "#ffffff"
    background: Colour = "#f2f2ef"


class Edition(Frozen):
    """A recurring publication slot. `layout` names a template of templates/email/.

    `time` is when it usually goes out, in the workspace's zone: what `send --at usual` means. `archive` says
    what the public page of an issue shows, see `public_page`.
    """

    name: Name
    title: TitlePattern = "{edition}, {date}"
    layout: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")] = "morning"
    language: Language | None = None
    time: TimeOfDay = None
    description: Line = ""
    archive: Archive = True

    @property
    def public_page(self) -> Literal["everybody", "variant", "none"]:
        """What the public page shows: what is for everybody, or what most readers got; "none" for no page."""
        if self.archive == "variant":
            return "variant"
        return "everybody" if self.archive else "none"


class Delivery(Frozen):
    """How messages leave. `connections` is how many are open at once.

    `hold` is for how long the first few of a `--canary` are watched; None waits for the operator. Mail that a
    server defers is tried again for `retry_for`, and then given up. `helo` is what EHLO says; '' stands for
    this machine's own name. With `oauth`, the user of the transport's URL logs in with an access token.
    """

    transport: TransportUrl = "outbox:outbox"
    connections: Annotated[int, Field(ge=1, le=100)] = 8
    uncertain: Literal["hold", "resend"] = "hold"
    hold: Hold = dt.timedelta(minutes=30)
    retry_for: Span = dt.timedelta(hours=24)
    return_path: ReturnPath | None = None
    helo: Helo = ""
    oauth: OAuthTable = None


class Pace(Frozen):
    """How fast messages may leave, overall and for a receiving domain, and when a campaign pauses itself.

    `warm_up` is the number of messages on each day from `warm_up_start` on; after the last there is no cap.
    `rejects` is the share of refusals (0 to 1) above which a campaign pauses.
    """

    limit: Limits = ()
    domains: Mapping[Domain, Limits] = Field(default_factory=dict)
    warm_up: Days = ()
    warm_up_start: Day = None
    rejects: Share = 0.1

    @model_validator(mode="after")
    def _a_warm_up_begins(self) -> Self:
        if self.warm_up and self.warm_up_start is None:
            raise ValueError(
                "has a warm_up and no warm_up_start; add the first day: warm_up_start = 2026-11-21"
            )
        return self


class Dkim(Frozen):
    """Signatures (RFC 6376): a private key's file for each selector, in the order of the signatures.

    `domain` is what signs, in ASCII; '' stands for the domain of From. A file is relative to the workspace.
    """

    domain: Domain = ""
    keys: Mapping[Selector, KeyFile] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _a_domain_has_keys(self) -> Self:
        if self.domain and not self.keys:
            raise ValueError('has a domain and no keys; add keys = { s2026 = ".dkim/s2026.pem" }')
        return self


SECTIONS: dict[str, type[BaseModel]] = {
    "publication": Publication,
    "brand": Brand,
    "delivery": Delivery,
    "pace": Pace,
    "dkim": Dkim,
}


class File(Frozen):
    publication: Publication
    brand: Brand = Brand()
    editions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], Edition]
    delivery: Delivery = Delivery()
    pace: Pace = Pace()
    dkim: Dkim = Dkim()


class Settings(Frozen):
    """Everything that is configured, checked. `root` is the workspace's folder.

    `variables` are those of the environment and of `.env`, of which each transport reads its own by name.
    """

    root: Path
    publication: Publication
    brand: Brand
    editions: Mapping[str, Edition]
    delivery: Delivery
    pace: Pace
    dkim: Dkim = Dkim()
    secret_keys: tuple[SecretStr, ...] = ()
    oauth_client_secret: SecretStr | None = None
    oauth_refresh_token: SecretStr | None = None
    oauth_key_file: Path | None = None
    variables: Annotated[Mapping[str, SecretStr], Field(repr=False)] = MappingProxyType({})

    @property
    def database(self) -> Path:
        """Where subscribers.db is."""
        return self.root / "subscribers.db"

    @property
    def campaigns(self) -> Path:
        """Where the campaign folders are."""
        return self.root / "campaigns"

    @property
    def dkim_domain(self) -> str:
        """The domain that signs, in ASCII: `[dkim] domain`, or the domain of From."""
        if self.dkim.domain:
            return self.dkim.domain
        return header_address(self.publication.sender.address).rpartition("@")[2]

    @property
    def dkim_keys(self) -> tuple[tuple[str, Path], ...]:
        """(selector, absolute path of the private key) in the order of the signatures; () signs nothing."""
        return tuple((selector, self.root.absolute() / name) for selector, name in self.dkim.keys.items())

    def variable(self, name: str) -> str:
        """The text of an environment variable, or '' where it is not set."""
        value = self.variables.get(name)
        return value.get_secret_value() if value else ""

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
