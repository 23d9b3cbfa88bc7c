"""Defines the model of mailer.toml, and the Settings of a workspace, which also have secrets and paths."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import Field, SecretStr

from mailer.addresses import address_with_ascii_domain
from mailer.config.by_language import texts_in_language
from mailer.config.fields import FrozenModel
from mailer.config.sections import Brand, Delivery, Dkim, Edition, Pace, Publication
from mailer.errors import ConfigError

__all__ = ["ConfigFile", "Settings"]


class ConfigFile(FrozenModel):
    publication: Publication
    brand: Brand = Brand()
    editions: dict[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")], Edition]
    delivery: Delivery = Delivery()
    pace: Pace = Pace()
    dkim: Dkim = Dkim()


class Settings(FrozenModel):
    """Holds the checked settings of a workspace. `root` is the folder of the workspace.

    Texts that have a form for each of several languages are in the publication's language, for operators.
    `in_language` gives them in the language of a mail or a page.

    `variables` has mailer's environment variables by name, including those of `.env`, for the transports.
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

    def environment_variable(self, name: str) -> str:
        """Returns the text of an environment variable, or '' if the variable is not set."""
        value = self.variables.get(name)
        return value.get_secret_value() if value else ""

    @property
    def database(self) -> Path:
        """Returns the path of subscribers.db."""
        return self.root / "subscribers.db"

    @property
    def campaigns(self) -> Path:
        """Returns the path of the folder that holds one folder for each campaign."""
        return self.root / "campaigns"

    @property
    def dkim_domain(self) -> str:
        """Returns the domain that signs, in ASCII: `[dkim] domain`, or else the domain of From."""
        if self.dkim.domain:
            return self.dkim.domain
        return address_with_ascii_domain(self.publication.sender.address).rpartition("@")[2]

    @property
    def dkim_keys(self) -> tuple[tuple[str, Path], ...]:
        """Returns (selector, absolute path of the private key) for each key, in the order of signing."""
        return tuple((selector, self.root.absolute() / name) for selector, name in self.dkim.keys.items())

    def in_language(self, language: str) -> Settings:
        """Returns the settings with the texts for readers, such as names, in the language with this tag.

        A text without a form in this language is in the publication's language, or else in its first form.
        """
        wanted = (language, self.publication.language)
        editions = {key: texts_in_language(edition, *wanted) for key, edition in self.editions.items()}
        return self.model_copy(
            update={
                "publication": texts_in_language(self.publication, *wanted),
                "editions": MappingProxyType(editions),
            }
        )

    def edition_language(self, edition: str) -> str:
        """Returns the language of the edition with the name `edition`, or else that of the publication."""
        return self.editions[edition].language or self.publication.language

    def signing_keys(self) -> tuple[str, ...]:
        """Returns the secret keys that sign tokens, the newest first. Raises ConfigError if there is none."""
        if not self.secret_keys:
            raise ConfigError(
                "MAILER_SECRET_KEY is not set, so no unsubscribe link can be signed; put a long random "
                "value into .env (`mailer init` makes one)"
            )
        return tuple(key.get_secret_value() for key in self.secret_keys)
