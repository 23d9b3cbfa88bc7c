"""Builds the public URLs of a workspace. The URLs for one reader contain a signed token."""

from __future__ import annotations

from mailer.links.tokens import NOBODY, Purpose, Token, TokenCodec

__all__ = ["NOBODY", "LinkBuilder", "Purpose", "Token", "TokenCodec"]

# The lookup of an Enum member takes a tenth of the time in which a token is made.
_UNSUBSCRIBE, _PREFERENCES = Purpose.UNSUBSCRIBE, Purpose.PREFERENCES


class LinkBuilder:
    """Builds the URLs that messages contain. `mailer.web` serves their pages."""

    def __init__(self, base_url: str, tokens: TokenCodec) -> None:
        self.base_url = base_url.rstrip("/")
        self.tokens = tokens
        self._unsubscribe, self._preferences = f"{self.base_url}/u/", f"{self.base_url}/p/"

    def unsubscribe_url(self, stable_id: bytes, campaign_id: int) -> str:
        """Returns the URL by which a reader unsubscribes: GET shows a page, POST unsubscribes (RFC 8058)."""
        return self._unsubscribe + self.tokens.make(_UNSUBSCRIBE, stable_id, campaign_id)

    def preferences_url(self, stable_id: bytes, campaign_id: int) -> str:
        """Returns the URL of the page on which a reader chooses which editions to get."""
        return self._preferences + self.tokens.make(_PREFERENCES, stable_id, campaign_id)

    def archive_url(self, slug: str = "") -> str:
        """Returns the URL of a campaign's public page; without a slug, the URL of the list of campaigns."""
        return f"{self.base_url}/archive/{slug}/" if slug else f"{self.base_url}/archive/"
