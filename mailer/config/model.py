"""What is configured: frozen sections, and the Settings that hold them all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, Field, SecretStr

from mailer.config.fields import (
    BaseUrl,
    Colour,
    Filled,
    Frozen,
    Language,
    Limit,
    Line,
    Name,
    Sender,
    TimeOfDay,
    TimeZone,
    TitlePattern,
    TransportUrl,
)
from mailer.errors import ConfigError

__all__ = ["SECTIONS", "Brand", "Delivery", "Edition", "File", "Pace", "Publication", "Settings"]


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
    """A recurring publication slot. `layout` names a template of templates/email/; `time` is local."""

    name: Name
    title: TitlePattern = "{edition}, {date}"
    layout: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")] = "morning"
    language: Language | None = None
    time: TimeOfDay = None
    description: Line = ""


class Delivery(Frozen):
    """How messages leave. `connections` is how many are open at once."""

    transport: TransportUrl = "outbox:outbox"
    connections: Annotated[int, Field(ge=1, le=100)] = 8
    uncertain: Literal["hold", "resend"] = "hold"
    return_path: Sender | None = None


class Pace(Frozen):
    """Limits, overall and for a receiving domain."""

    limit: Limit | None = None
    domains: Mapping[str, Limit] = Field(default_factory=dict)


SECTIONS: dict[str, type[BaseModel]] = {
    "publication": Publication,
    "brand": Brand,
    "delivery": Delivery,
    "pace": Pace,
}


class File(Frozen):
    publication: Publication
    brand: Brand = Brand()
    editions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], Edition]
    delivery: Delivery = Delivery()
    pace: Pace = Pace()


class Settings(Frozen):
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
