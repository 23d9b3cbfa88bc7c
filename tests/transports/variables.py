"""Settings with environment variables of a transport."""

from __future__ import annotations

from pydantic import SecretStr

from mailer.config import Settings

__all__ = ["with_variables"]


def with_variables(settings: Settings, **values: str) -> Settings:
    """The settings as they were if these variables were set, too."""
    more = {name: SecretStr(value) for name, value in values.items()}
    return settings.model_copy(update={"variables": {**settings.variables, **more}})
