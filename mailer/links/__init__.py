"""Makes and reads signed tokens and the URLs that carry them. Pure: no clock, no database, no network."""

from mailer.links.tokens import NOBODY, Purpose, Token, TokenCodec
from mailer.links.urls import LinkBuilder

__all__ = ["NOBODY", "LinkBuilder", "Purpose", "Token", "TokenCodec"]
