"""Makes the plain page that is shown if no template can be rendered. Its texts are in this file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from mailer.config import Publication
from mailer.language_tags import direction_of

__all__ = ["plain_page"]

_LATER = (
    "Please try again in a minute",
    "We could not save that just now, so nothing has changed. Reload this page in a minute, or reply to the "
    "newsletter and a person will help.",
)
_WORDS = {
    "unsubscribe": (
        "Unsubscribe",
        "Nothing has changed yet. Press the button and you will get no more newsletters from us.",
    ),
    "done": ("You are unsubscribed", ""),
    "not-found": ("There is nothing here", ""),
    "refused": (
        "That did not work",
        "Nothing has changed. Open the link in the newsletter again, or reply to the newsletter and a person "
        "will help.",
    ),
    "incomplete": (
        "This link is incomplete",
        "Nothing was changed.\n"
        "Please use the link of another issue, or write to {address} and a person will help.",
    ),
    "unknown": (
        "We could not find you",
        "Nothing was changed.\n"
        "If you still get our newsletters, please write to {address} and a person will help.",
    ),
    "erased": (
        "Nothing is sent to you any more",
        "If you still get our newsletters, please write to {address} and a person will help.",
    ),
    "copy": (
        "This is a test copy",
        "Nothing was changed.\nThe link belongs to nobody, because the message was sent for a test.",
    ),
}
_REFUSED = "We cannot write to this address again. Please write to {address}, and a person will help."


def plain_page(
    name: str,
    context: Mapping[str, Any],
    publication: Publication,
    language: str,
    translate: Callable[[str], str],
) -> tuple[str, bool]:
    """Returns the plain HTML of the page `name`, and whether the page shows the result of the request.

    The second value is False if the page only asks the reader to try again. `context` holds the values that a
    template of this page would get, `language` is a language tag, and `translate` translates an English text
    into that language.
    """
    title, text = _title_and_text(name, context)
    address = (publication.reply_to or publication.sender).address
    lines = [translate(line).replace("{address}", address) for line in (title, *text.split("\n")) if line]
    if context.get("thanks"):
        lines.append(translate("Thank you for telling us."))
    body = "".join(f"<p>{escape(line)}</p>\n" for line in lines)
    if name == "unsubscribe":
        body += (
            '<form method="post"><input type="hidden" name="step" value="page">'
            f'<button type="submit">{escape(translate("Unsubscribe"))}</button></form>\n'
        )
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer"><style>body{overflow-wrap:anywhere}</style>'
    )
    page = (
        f'<!doctype html>\n<html lang="{escape(language)}" dir="{direction_of(language)}">\n'
        f"<head>{head}<title>{escape(lines[0])}</title></head>\n"
        f"<body>\n{body}</body>\n</html>\n"
    )
    return page, (title, text) != _LATER


def _title_and_text(name: str, context: Mapping[str, Any]) -> tuple[str, str]:
    """Returns the title and the text of the page `name`, in English.

    For a page that has no plain text, such as the choice of editions, the text asks the reader to try again.
    """
    if name != "preferences":
        return _WORDS.get(name, _LATER)
    if context.get("refused"):
        return "Your editions", _REFUSED
    if not context.get("saved"):
        return _LATER
    away = context.get("away")
    return (
        "Your editions",
        "Saved. You will get no more newsletters from us." if away else "Your choice is saved.",
    )
