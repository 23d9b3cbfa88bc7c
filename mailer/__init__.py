"""Newsletters as code: issues written in YAML, delivered and archived provably."""

from mailer.config import Settings, load_settings
from mailer.errors import MailerError

__all__ = ["MailerError", "Settings", "__version__", "load_settings"]

__version__ = "0.6.0"
