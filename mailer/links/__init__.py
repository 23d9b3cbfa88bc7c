"""Makes and reads signed tokens and the URLs that carry them. Pure: no clock, no database, no network."""

from mailer.links.tokens import NOBODY, Purpose, Token, Tokens
from mailer.links.urls import Links

__all__ = ["NOBODY", "Links", "Purpose", "Token", "Tokens"]
