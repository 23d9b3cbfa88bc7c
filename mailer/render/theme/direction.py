"""Marks the languages within a page, and sets the writing direction of its parts.

`lang` and `ours` are functions for templates: they mark a part of the issue, or words of the theme, in
another language than the surrounding text (WCAG 2.2, 3.1.2). `set_direction` works on a finished page with
text from right to left: MRML writes every cell from left to right, Outlook needs attributes on tables, and
the order of characters in code, addresses, numbers and readers' values must not depend on the text beside
them.
"""

from __future__ import annotations

import re
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from mailer.issue.model import Issue
from mailer.language.direction import isolated_name
from mailer.language_tags import direction_of
from mailer.render.html_names import VOID_ELEMENTS
from mailer.render.slots.markers import Markers

__all__ = ["GLOBALS", "has_both_directions", "languages_in", "set_direction"]

_PIECE = re.compile(
    r"<!--.*?-->|<style\b.*?</style>|<title\b.*?</title>|<[A-Za-z/](?:[^>\"']|\"[^\"]*\"|'[^']*')*>",
    re.DOTALL | re.IGNORECASE,
)
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_DIR = re.compile(r"\sdir=[\"']?(ltr|rtl)", re.IGNORECASE)
#: A text that is nothing but an address.
_ADDRESS = re.compile(r"\s*(?:(?:https?://|mailto:|www\.)\S+|[^\s@]+@[^\s@]+\.[^\s@]+)\s*")

_GAP = r"(?:[ \u00a0\u202f]|&nbsp;|&#160;|&#8239;)"
_GROUPS = rf"(?:{_GAP}[0-9]{{3}}(?![0-9]))"
#: A number that falls apart in a text from right to left: a sign goes to its other side, groups of digits
#: change places (Unicode's UAX 9 joins digits at a mark between them, and not at a blank or behind a sign).
_TORN = re.compile(
    r"(?<![\w&#;.,+-])(?:"
    r"\+[0-9]{1,3}(?:[ -][0-9]{2,})+"  # a telephone number
    rf"|[+\u2212±-][0-9]+(?:[.,'’][0-9]+|{_GROUPS})*[%‰]?"
    rf"|[0-9]{{1,3}}{_GROUPS}+(?:[.,][0-9]+)?[%‰]?"
    r")(?![0-9])"
)


def languages_in(issue: Issue) -> set[str]:
    """Returns the tags of all languages that the issue and its parts are written in."""
    sections = [issue.language, *(section.language for section in issue.sections)]
    items = [item.language for item in (*issue.items, *(i for s in issue.sections for i in s.items))]
    return {*sections, *items, issue.column.language if issue.column else ""} - {""}


def has_both_directions(issue: Issue) -> bool:
    """Returns whether the issue has text from left to right and text from right to left."""
    return len({direction_of(language) for language in languages_in(issue)}) > 1


def _language_attributes(language: str, around: str) -> str:
    """Returns the attribute `lang`, and `dir` if the direction differs, each with a space before it.

    `around` is the language of the surrounding text. Returns "" if `around` is the same as `language`.
    """
    if language == around:
        return ""
    direction = direction_of(language)
    dir_attribute = f' dir="{direction}"' if direction != direction_of(around) else ""
    return f' lang="{escape(language)}"{dir_attribute}'


def _language_of_part(context: Context, part: Any) -> str:
    language: str = context["language"] if part is None else part.language
    return language


@pass_context
def _lang_attributes(context: Context, part: Any, around: Any = None) -> Markup:
    """Returns the attributes `lang` and `dir` of an item, a section or the column, for a template.

    `around` is the surrounding part, or None if this is the issue. Returns "" if both have the same language.
    """
    return Markup(_language_attributes(_language_of_part(context, part), _language_of_part(context, around)))  # noqa: S704


@pass_context
def _marked_theme_words(context: Context, text: str, around: Any = None) -> str:
    """Returns words of the theme, for a template to print within `around`, a part of the issue.

    If the language of `around` is not the theme's, the words are put into an element with a `lang` of their
    own. None stands for the whole issue.
    """
    if not context.eval_ctx.autoescape:
        return text
    language = getattr(text, "language", context["language"])
    attributes = _language_attributes(language, _language_of_part(context, around))
    if not attributes:
        return text
    words = text.rstrip(" ")  # a space within would stand at the other side
    return Markup(f"<span{attributes}>{escape(words)}</span>{text[len(words) :]}")  # noqa: S704


@pass_context
def _isolated_name(context: Context, text: str, part: Any = None) -> str:
    """Returns a name in any language, in a `<bdi>` if its direction differs from that of `part`.

    `part` is the item, section or column that the name is printed in, None for the issue.
    """
    if not context.eval_ctx.autoescape:
        return text
    return isolated_name(text, direction_of(_language_of_part(context, part)))


#: What templates call.
GLOBALS: dict[str, Any] = {"bdi": _isolated_name, "lang": _lang_attributes, "ours": _marked_theme_words}


def set_direction(html: str, markers: Markers, direction: str) -> str:
    """Returns the page with `dir` attributes, and with MRML's styles changed to the direction of each part.

    `direction` (`ltr` or `rtl`) is the direction of the whole page. In `html`, each part in the other
    direction must have a `dir` attribute already.
    """
    return _DirectionWriter(html, markers, direction).rewritten()


class _DirectionWriter:
    """Adds writing directions to a page, tag by tag. `open` holds the open elements and their directions."""

    def __init__(self, html: str, markers: Markers, direction: str) -> None:
        self.html = html
        self.markers = markers
        self.open: list[tuple[str, str]] = [("", direction)]
        self.inside = False  # the body

    def rewritten(self) -> str:
        """Returns the whole page with writing directions."""
        pieces: list[str] = []
        end = 0
        for match in _PIECE.finditer(self.html):
            pieces += [self._isolated_text(self.html[end : match.start()]), self._rewritten_tag(match)]
            end = match.end()
        return "".join([*pieces, self._isolated_text(self.html[end:])])

    def _rewritten_tag(self, match: re.Match[str]) -> str:
        piece = match[0]
        if piece.startswith("<!--"):  # what Outlook alone reads
            return piece.replace("<table ", '<table dir="rtl" ') if self.open[-1][1] == "rtl" else piece
        found = _TAG.match(piece)
        if found is None:
            return piece
        tag = found[2].lower()
        if tag in ("style", "title"):
            return piece
        if found[1]:
            self._close_element(tag)
            return piece
        self.inside = self.inside or tag == "body"
        around, direction = self.open[-1][1], self._element_direction(tag, piece, match.end())
        if tag not in VOID_ELEMENTS and not piece.endswith("/>"):
            self.open.append((tag, direction))
        return self._tag_with_direction(tag, piece, direction, around)

    def _close_element(self, tag: str) -> None:
        for index in range(len(self.open) - 1, 0, -1):
            if self.open[index][0] == tag:
                del self.open[index:]
                return

    def _element_direction(self, tag: str, piece: str, end: int) -> str:
        written = _DIR.search(piece)
        if written:
            return written[1].lower()
        if tag in ("pre", "code", "kbd", "samp"):
            return "ltr"
        if tag == "a" and _ADDRESS.fullmatch(self.html[end : self.html.find("<", end)]):
            return "ltr"
        return self.open[-1][1]

    def _tag_with_direction(self, tag: str, piece: str, direction: str, around: str) -> str:
        """Returns the start tag `piece` with the `dir` attribute and the styles that the element needs.

        `around` is the direction of the surrounding element.
        """
        wanted = direction != around or (tag == "body" and direction == "rtl")
        if tag == "table" or (tag == "td" and "direction:ltr" in piece):  # Outlook inherits nothing here
            wanted = "rtl" in (direction, self.open[0][1])
        if direction == "rtl":  # as MRML writes a column, and the cell of a section
            piece = piece.replace("text-align:left;direction:ltr", "text-align:right;direction:rtl")
            piece = piece.replace("direction:ltr", "direction:rtl")
        if wanted and not _DIR.search(piece):
            return f'{piece[: len(tag) + 1]} dir="{direction}"{piece[len(tag) + 1 :]}'
        return piece

    def _isolated_text(self, text: str) -> str:
        """Returns a text between two tags, with numbers and slots in `<bdi>` elements where needed."""
        if not self.inside:
            return text
        if "slot" not in text.lower():
            return self._isolated_numbers(text)
        pieces: list[str] = []
        end = 0
        for match, slot in self.markers.find_markers_in_piece(text):
            address = slot.is_link or slot.paths[0] == "subscriber.email"
            start = '<bdi dir="ltr">' if address else "<bdi>"
            pieces += [self._isolated_numbers(text[end : match.start()]), start, match[0], "</bdi>"]
            end = match.end()
        return "".join([*pieces, self._isolated_numbers(text[end:])])

    def _isolated_numbers(self, text: str) -> str:
        return _TORN.sub(r'<bdi dir="ltr">\g<0></bdi>', text) if self.open[-1][1] == "rtl" else text
