"""Loads the Settings of a workspace from mailer.toml and from environment variables.

A variable MAILER_* takes precedence over a key of mailer.toml. Secrets come only from the environment. `.env`
beside mailer.toml is read as a part of the environment; variables that are set elsewhere take precedence.
All errors are reported together, each with its line.
"""

from mailer.config.by_language import TextByLanguage
from mailer.config.fields import FEEDBACK_STREAM, TITLE_FIELDS, Mailbox
from mailer.config.load import CONFIG_NAME, find_workspace, load_settings
from mailer.config.model import Settings
from mailer.config.oauth import OAuth
from mailer.config.rates import Rate
from mailer.config.sections import Brand, Delivery, Dkim, Edition, Pace, Publication

__all__ = [
    "CONFIG_NAME",
    "FEEDBACK_STREAM",
    "TITLE_FIELDS",
    "Brand",
    "Delivery",
    "Dkim",
    "Edition",
    "Mailbox",
    "OAuth",
    "Pace",
    "Publication",
    "Rate",
    "Settings",
    "TextByLanguage",
    "find_workspace",
    "load_settings",
]
