"""The links of a text: where they may lead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from markdown_it.token import Token

from mailer.issue.markdown.findings import Report
from mailer.issue.markdown.placeholders import PLACEHOLDER

__all__ = ["check_links"]

_LINK = re.compile(r"(?:https?://[^/]|mailto:.)", re.IGNORECASE)


def check_links(children: Sequence[Token], report: Report) -> None:
    """Tells of links that lead elsewhere than to the web, a mailbox or one reader's own page."""
    for token in children:
        if token.type != "link_open":
            continue
        href = str(token.attrs.get("href", ""))
        if not _LINK.match(href) and not PLACEHOLDER.match(href):
            shown = href[:80] or "nothing"
            report.error(
                f'the link leads to "{shown}"; it must begin with https://, http:// or mailto:',
                int(token.meta.get("line", 0)),
            )
