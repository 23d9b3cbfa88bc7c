"""Handles HTML in a Markdown text: removes comments, keeps a few simple tags, reports all others.

`<br>` is a line break. `<sub> <sup> <kbd> <small> <mark>` are kept if they have no attributes and are closed
in the same paragraph. A tag whose name HTML does not know, such as `<String>`, is text.
"""

from __future__ import annotations

import re

from markdown_it.token import Token

from mailer.display_text import shortened
from mailer.issue.markdown.findings import FindingCollector, line_of_token

__all__ = ["SIMPLE", "replace_html_tags"]

#: The tags that work in a text.
SIMPLE = ("sub", "sup", "kbd", "small", "mark")
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9-]*)(.*?)(/?)>", re.DOTALL)
_COMMENT = re.compile(r"\s*<!--.*?-->", re.DOTALL)
_REFUSED = ("script", "style", "iframe", "object", "embed", "form", "input", "button", "textarea", "select")
_INSTEAD = {
    "b": "write **bold**",
    "strong": "write **bold**",
    "i": "write *italic*",
    "em": "write *italic*",
    "s": "write ~~struck~~",
    "del": "write ~~struck~~",
    "strike": "write ~~struck~~",
    "a": "write [words](https://…)",
    "img": "write ![what it shows](pictures/…)",
    "code": "write `code`",
    "pre": "write ``` above and below the code",
    "hr": "write --- between two empty lines",
    "h1": "write ## before a heading",
    "h2": "write ## before a heading",
    "h3": "write ### before a heading",
    "ul": "write a list with - before each entry",
    "ol": "write a list with 1. before each entry",
    "li": "write a list with - before each entry",
    "blockquote": "write > before a quotation",
    "table": "write a table with | between the cells",
    "p": "leave an empty line between paragraphs",
}
_NAMES = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo big blink blockquote "
    "body br button canvas caption center cite code col colgroup data datalist dd del details dfn dialog "
    "dir div dl dt em embed fieldset figcaption figure font footer form frame frameset h1 h2 h3 h4 h5 h6 "
    "head header hgroup hr html i iframe img input ins kbd label legend li link main map mark marquee "
    "math menu meta meter nav nobr noframes noscript object ol optgroup option output p param picture pre "
    "progress q rp rt ruby s samp script search section select slot small source span strike strong style "
    "sub summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul var "
    "video wbr"
)
_KNOWN = frozenset(_NAMES.split())


def replace_html_tags(children: list[Token], collector: FindingCollector) -> None:
    """Replaces HTML tags among the tokens of a paragraph, and comments in titles, in place.

    Tags that are allowed stay. Mistakes are added to `collector`.
    """
    for child in children:
        title = child.attrs.get("title")
        if isinstance(title, str) and "<!--" in title:
            child.attrs["title"] = title = _COMMENT.sub("", title).strip()
            if "<!--" in title:
                collector.add_error(
                    "a comment <!-- … --> is not closed and would be sent to readers; close it with -->",
                    line_of_token(child),
                )
    if not any(child.type == "html_inline" for child in children):
        return
    kept = _indexes_of_closed_tags(children)
    opened = {found[2].lower() for child in children if (found := _match_html_tag(child)) and not found[1]}
    for index, child in enumerate(children):
        if child.type == "html_inline" and index not in kept:
            _replace_tag(child, opened, collector)
            after = children[index + 1] if index + 1 < len(children) else None
            if child.type == "hardbreak" and after is not None and after.type == "softbreak":
                after.type = "text"  # the line ends already


def _indexes_of_closed_tags(children: list[Token]) -> set[int]:
    """Returns the indexes of opening and closing tags, such as `<sub>`, that are a pair in one element."""
    kept: set[int] = set()
    stack: list[tuple[str, int]] = []
    for index, child in enumerate(children):
        tag = _match_html_tag(child)
        name = tag[2].lower() if tag and not tag[3].strip() and not tag[4] else ""
        if name in SIMPLE and tag is not None and not tag[1]:
            stack.append((name, index))
        elif name in SIMPLE and stack and stack[-1][0] == name:
            kept |= {stack.pop()[1], index}
        elif child.nesting > 0:
            stack.append((child.tag, index))
        elif child.nesting < 0 and child.tag in (opened for opened, _ in stack):
            while stack.pop()[0] != child.tag:
                pass
    return kept


def _match_html_tag(token: Token) -> re.Match[str] | None:
    return _TAG.fullmatch(token.content) if token.type == "html_inline" else None


def _replace_tag(token: Token, opened_names: set[str], collector: FindingCollector) -> None:
    """Turns a tag that is not kept into a line break, a text or nothing, and reports it if necessary.

    `opened_names` are the names of the tags that the paragraph opens: their closing tags are not reported.
    """
    written = token.content
    tag = _match_html_tag(token)
    name = tag[2].lower() if tag else ""
    if name == "br":
        token.type, token.tag, token.content = "hardbreak", "br", ""
        return
    if tag and name not in _KNOWN:
        token.type = "text"
        return
    token.type, token.content = "text", ""
    if written.startswith("<!--") or (tag and tag[1] and name in opened_names):  # the opening tag is reported
        return
    shown = shortened(written, 40)
    line = line_of_token(token)
    if name in _REFUSED:
        collector.add_error(f"{shown} is not allowed in a mail; delete it", line)
    elif name in SIMPLE:
        collector.add_warning(
            f"{shown} is left out; <{name}> must have no attributes and must be closed in the same paragraph",
            line,
        )
    else:
        advice = f"{_INSTEAD[name]}, or " if name in _INSTEAD else "write "
        collector.add_warning(f"the HTML {shown} is left out; {advice}\\< if it is text", line)
