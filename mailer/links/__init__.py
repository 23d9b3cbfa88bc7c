"""Makes and reads signed tokens and the URLs that carry them, without clock, database or network."""

from mailer.links.tokens import NOBODY, Purpose, Token, TokenCodec
from mailer.links.urls import LinkBuilder

__all__ = ["NOBODY", "LinkBuilder", "Purpose", "Token", "TokenCodec"]
