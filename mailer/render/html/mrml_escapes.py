"""Escapes rendered MJML so that the library MRML keeps every attribute and every space as they were typed.

MRML prints attribute values with Rust's debug quoting, which turns a full-width space into `\\u{3000}` and a
backslash into two. It also drops white space that begins with a line end between two tags, so that words in
two elements run together. Numeric character references and plain spaces pass through MRML, and the HTML
parser of the inliner reads them as the characters again. White space beside block elements has no meaning in
HTML: MRML may drop it, because the size of a mail is limited.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from mailer.render.html_names import URL_ATTRIBUTES

__all__ = ["EscapedMjml"]

#: A line end of another system, a line separator of Unicode's first pages, and what XML cannot hold.
_FOREIGN = re.compile("\r\n?|\x85|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_INSTEAD = {"\r\n": "\n", "\r": "\n", "\x85": " "}

#: A comment, a style sheet or script, or a tag, and the white space up to the next one that MRML drops.
_TOKEN = re.compile(
    r"(?:(?P<comment><!--.*?-->)"
    r"|(?P<raw><(?P<sheet>mj-style|style|script)\b[^>]*(?<!/)>.*?</(?P=sheet)\s*>)"
    r"|<(?P<name>/?[A-Za-z][A-Za-z0-9:._-]*)"
    r"(?P<attributes>[^<>\"']*(?:(?:\"[^\"]*\"|'[^']*')[^<>\"']*)*)>)"
    r"(?P<space>\n\s*(?=<(?P<next>!--(?:\[if|<!\[endif\])?|/?[A-Za-z][A-Za-z0-9:._-]*)))?"
    r"|(?P<close>\]\]>)",
    re.DOTALL,
)
_CONDITION = re.compile(r"(<!--\[if[^\]]*\]>)(.+)(<!\[endif\]-->)", re.DOTALL)
_VALUE = re.compile(r"(?P<name>[^\s\"'<>/=]+)\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)')")
_ODD = re.compile(r"[^ !#-;=?-\[\]-~]")
#: The same in the attributes of a tag, where quotes stand around a value, and a space at an end of one.
_SUSPECT = re.compile(r"[^ -;=?-\[\]-~]|'|=\" | \"")
_BLANK = re.compile("[\t\n\f\r ]+")
_LINE_ENDS = re.compile("[\t\n\r]+")

_WORDS = frozenset(("alt", "title"))
#: Beside these (and all of MJML's own) white space between tags is not seen.
_BLOCKS = frozenset(
    "!--[if !--<![endif] address article aside blockquote body br caption center col colgroup dd details "  # noqa: SIM905
    "dialog dir div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hgroup hr "
    "html legend li link main menu meta nav ol optgroup option p pre script section style summary table "
    "tbody td tfoot th thead title tr ul".split()
)
_KEEPING = frozenset(("pre", "/pre", "textarea", "/textarea", "listing", "/listing"))

#: Where a piece of the text begins and ends, and what is written instead.
_Edit = tuple[int, int, str]


@dataclass(frozen=True)
class EscapedMjml:
    """Holds rendered MJML in three forms.

    `typed` is the output of the templates. `clean` is `typed` without forbidden characters. `text` is `clean`
    with escapes, and is given to MRML.
    """

    typed: str
    clean: str
    text: str

    @classmethod
    def of(cls, typed: str) -> EscapedMjml:
        """Returns the MJML `typed`, which templates have printed, in all three forms."""
        clean = _apply_edits(typed, _edits_that_clean(typed))
        return cls(typed, clean, _apply_edits(clean, _edits_that_escape(clean)))

    def clean_offset_to_typed_offset(self, offset: int) -> int:
        """Converts an offset in `clean` to an offset in `typed`, the output of the templates."""
        return _offset_before_edits(_edits_that_clean(self.typed), offset)

    def text_offset_to_typed_offset(self, offset: int) -> int:
        """Converts an offset in `text`, the input of MRML, to an offset in the templates' output `typed`."""
        return self.clean_offset_to_typed_offset(_offset_before_edits(_edits_that_escape(self.clean), offset))


def _apply_edits(text: str, edits: Iterator[_Edit]) -> str:
    pieces: list[str] = []
    last = 0
    for start, end, new in edits:
        pieces += (text[last:start], new)
        last = end
    return "".join([*pieces, text[last:]]) if pieces else text


def _offset_before_edits(edits: Iterator[_Edit], offset: int) -> int:
    """Converts `offset`, which counts in the edited text, to the offset in the text before the edits."""
    shift = 0
    for start, end, new in edits:
        if offset < start + shift:
            break
        if offset < start + shift + len(new):
            return min(offset - shift, end - 1)
        shift += len(new) - (end - start)
    return offset - shift


def _edits_that_clean(text: str) -> Iterator[_Edit]:
    for found in _FOREIGN.finditer(text):
        yield *found.span(), _INSTEAD.get(found[0], "")


def _edits_that_escape(text: str) -> Iterator[_Edit]:
    kept = 0  # how many elements are open that keep white space
    for token in _TOKEN.finditer(text):
        name, attributes, space = token.group("name", "attributes", "space")
        if name is None:
            yield from _edits_of_token_outside_tags(token)
            name = "!--" if _is_unconditional_comment(token["comment"]) else "br"
        else:
            if name.lower() in _KEEPING and not attributes.endswith("/"):
                kept = max(0, kept + (-1 if name[0] == "/" else 1))
            if attributes and _SUSPECT.search(attributes):
                yield from _edits_that_escape_attributes(token, name.startswith("mj-"))
        if space:
            new = _preserved_white_space(space, name, token["next"], bool(kept))
            if new != space:
                yield *token.span("space"), new


def _edits_of_token_outside_tags(token: re.Match[str]) -> Iterator[_Edit]:
    """Yields edits for a token that is no tag: a condition for Outlook, or `]]>`, which MRML refuses.

    The tags within a condition are escaped too, because MRML reads them.
    """
    if token["close"]:
        yield *token.span("close"), "]]&gt;"
    elif token["comment"] and (condition := _CONDITION.fullmatch(token["comment"])):
        start = token.start("comment") + condition.start(2)
        for begin, end, new in _edits_that_escape(condition[2]):
            yield start + begin, start + end, new


def _is_unconditional_comment(comment: str | None) -> bool:
    return comment is not None and not comment.startswith(("<!--[if", "<!--<![endif"))


def _edits_that_escape_attributes(token: re.Match[str], is_mjml: bool) -> Iterator[_Edit]:
    """Yields the edits that escape the attribute values of a tag as character references.

    `is_mjml` is True for a tag of MJML, whose attributes are mostly CSS, and False for a tag of HTML.
    """
    start = token.start("attributes")
    for found in _VALUE.finditer(token["attributes"]):
        group = "single" if found["double"] is None else "double"
        value = found[group]
        new = _escaped_attribute_value(value, found["name"].lower(), is_mjml)
        if new != value:
            begin, end = found.span(group)
            yield start + begin, start + end, new


def _escaped_attribute_value(value: str, name: str, is_mjml: bool) -> str:
    if name in URL_ATTRIBUTES:
        value = _LINE_ENDS.sub("", value.strip("\t\n\r "))  # as browsers read addresses
    elif is_mjml and name not in _WORDS:
        value = _LINE_ENDS.sub(" ", value)
    return _ODD.sub(lambda odd: f"&#{ord(odd[0])};", value)


@lru_cache(maxsize=1000)
def _preserved_white_space(space: str, previous_tag: str, following_tag: str, inside_pre: bool) -> str:
    """Returns the white space between two tags, changed so that MRML keeps it if a reader would see it.

    `previous_tag` and `following_tag` are the names of the tags. `inside_pre` is True within `<pre>` and
    elements like it.
    """
    if inside_pre:
        return f"&#10;{space[1:]}"
    before, after = (name.removeprefix("/").lower() for name in (previous_tag, following_tag))
    if before.startswith("mj") and after.startswith("mj") and before != after:
        return space
    short = _BLANK.sub(" ", space)
    return space if short == " " and (_is_block_element(before) or _is_block_element(after)) else short


def _is_block_element(name: str) -> bool:
    return name in _BLOCKS or name.startswith("mj")
