"""Makes the public addresses of a workspace, with a signed token in those that belong to one reader."""

from __future__ import annotations

from mailer.links.tokens import NOBODY, Purpose, Token, Tokens

__all__ = ["NOBODY", "Links", "Purpose", "Token", "Tokens"]

# To look a member of an Enum up takes as long as a tenth of a token.
_UNSUBSCRIBE, _PREFERENCES = Purpose.UNSUBSCRIBE, Purpose.PREFERENCES


class Links:
    """Makes the links that messages hold and that `web/` answers."""

    def __init__(self, base_url: str, tokens: Tokens) -> None:
        self.base_url = base_url.rstrip("/")
        self.tokens = tokens
        self._unsubscribe, self._preferences = f"{self.base_url}/u/", f"{self.base_url}/p/"

    def unsubscribe(self, stable_id: bytes, campaign_id: int) -> str:
        """Returns a reader's unsubscribe link: GET shows a page, POST unsubscribes (RFC 8058)."""
        return self._unsubscribe + self.tokens.make(_UNSUBSCRIBE, stable_id, campaign_id)

    def preferences(self, stable_id: bytes, campaign_id: int) -> str:
        """Returns a reader's link to choose editions."""
        return self._preferences + self.tokens.make(_PREFERENCES, stable_id, campaign_id)

    def archive(self, slug: str = "") -> str:
        """Returns the public page of a campaign, or the list of campaigns without a slug."""
        return f"{self.base_url}/archive/{slug}/" if slug else f"{self.base_url}/archive/"
