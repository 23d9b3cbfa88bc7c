"""Finds Markdown that did not work and would reach readers as it was typed.

The rule runs before the parser joins escaped characters with the text around them, so that `\\*\\*` is never
reported. `markdown_findings_in_line` searches a text of one line, in which Markdown never works.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from mailer.issue.markdown.findings import Finding

__all__ = ["FOUND", "add_rule_for_unused_markdown", "markdown_findings_in_line"]

#: The key of the parser's environment under which the rule leaves its findings.
FOUND = "mailer.leftovers"

#: Replaces an escaped character, a tag, code, a picture or the edge of a link among the texts.
_OTHER = "\ufffc"
_LINK = "\ufffb"

_LINKS = (
    (re.compile(r"\]\([^)\s\ufffb]{0,500}\s"), "write %20 for a space in the URL of a link"),
    (
        re.compile(r"\][（〔［]|\][ \u3000]*[(（][ ]*(?:https?:|www\.|mailto:|\ufffb)"),
        "write a link as [words](https://…), with plain brackets and nothing between ] and (",
    ),
    (re.compile(r"\]\("), "close the brackets of the link, or correct its URL"),
)
_MARKS = (
    (re.compile(r"(?<![*\w])\*\*(?=[^\s*])|(?<=[^\s*])\*\*(?!\*)"), "**", "bold"),
    (re.compile(r"(?<![_\w])__(?=[^\s_])|(?<=[^\s_])__(?![_\w])"), "__", "bold"),
    (re.compile(r"(?<!~)~~(?=[^\s~])|(?<=[^\s~])~~(?!~)"), "~~", "struck"),
)
_PAIR = re.compile(
    r"\*\*(?=[^\s*])[^*\n]*(?<=[^\s*])\*\*|~~(?=[^\s~])[^~\n]*(?<=[^\s~])~~|(?<!\w)__(?=[^\s_])[^_\n]*\s[^_\n]*(?<=[^\s_])__"
)
_STARRED = re.compile(r"(?<![\w*\\])\*(?=[^\s*])[^*\n]*(?<=[^\s*])\*(?![\w*])")
_ENTITY = re.compile(
    r"&(?:amp|nbsp|quot|apos|lt|gt|shy|[lr][ds]quo|[nm]dash|hellip|#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6});"
)
_ELEMENT = re.compile(
    r"<br\s*/?>|<(b|i|u|s|em|strong|small|sup|sub|span|font|a|code|mark|p)\b[^<>]*>.*</\1>", re.IGNORECASE
)
_MISSING = re.compile(r"\[[^\[\]]+\]\[([^\[\]\ufffb\ufffc]+)\]")
_TASK = re.compile(r"\[[ xX]\](?:\s|$)")
_ATTRIBUTES = re.compile(
    r"(?<![_^\w])\{:?\s*(?:[.#][A-Za-z][\w-]*|[A-Za-z][\w-]*=(?:\"[^\"]*\"|[\w%.-]+))(?:\s+[^{}]*)?\}"
)
#: Marks of lists as word processors write them.
_BULLET = re.compile(r"(?m)^[ \t]*([•·・‣▪●○■◦–—])[ \t\u3000]*(?=\S)")
_HEADING = re.compile(r"#{2,6}[^\s#]")
_ALONE = re.compile(r"\s*<!--.*-->\s*", re.DOTALL)
_EDGE = re.compile(r"<!--|-->")
#: The beginning of a comment, also mistyped; without one, `-->` is an arrow.
_COMMENT = re.compile(r"(?<!\\)<\s?!\s?-")


def add_rule_for_unused_markdown(parser: MarkdownIt) -> None:
    """Adds to `parser` the rule that reports Markdown that did not work."""
    parser.core.ruler.before("text_join", "leftovers", _find_unused_markdown)


def _find_unused_markdown(state: StateCore) -> None:
    found: list[Finding] = state.env.setdefault(FOUND, [])
    lines = state.src.split("\n")
    line, has_comment_start = 0, _COMMENT.search(state.src) is not None
    for index, token in enumerate(state.tokens):
        line = token.map[0] if token.map else line
        if token.type == "inline":
            opened = [each.type for each in state.tokens[max(0, index - 2) : index]]
            found += _findings_in_paragraph(
                token.children or (),
                line,
                is_list_entry=opened == ["list_item_open", "paragraph_open"],
                has_comment_start=has_comment_start,
            )
        elif token.type == "code_block" and _ALONE.fullmatch(token.content):
            found.append(Finding(_IS_CODE, line, "error"))
        elif token.type == "fence" and token.map and not _is_fence_closed(token, lines):
            found.append(
                Finding(
                    f"the code that begins here is not closed; write {token.markup} below it", line, "warning"
                )
            )


def _is_fence_closed(token: Token, lines: Sequence[str]) -> bool:
    assert token.map is not None  # noqa: S101
    first, last = token.map
    return last - first > 1 and lines[last - 1].strip().endswith(token.markup)


def _findings_in_paragraph(
    children: Sequence[Token], line: int, *, is_list_entry: bool, has_comment_start: bool
) -> Iterator[Finding]:
    text = "".join(map(_searchable_text, children))
    for number, each in enumerate(text.split("\n")):
        for message in _messages_about_unused_markdown(each):
            yield Finding(message, line + number, "warning")
        if has_comment_start and _EDGE.search(each):
            yield Finding(_NOT_CLOSED, line + number, "error")
    for match in _MISSING.finditer(text):
        if "://" not in match[1]:
            message = (
                f"there is no definition [{match[1][:40]}]: in this item; write [{match[1][:40]}]: https://…"
            )
            yield Finding(message, line + text.count("\n", 0, match.start()), "warning")
    for child in children:
        if child.type == "image":  # a comment in its title is left out
            found = markdown_findings_in_line(str(child.attrs.get("title", "")))
            yield from (Finding(f.message, line, f.severity) for f in found if f.severity == "warning")
    bullets = _BULLET.findall(text)
    if len(bullets) > 1 and not any(child.type == "hardbreak" for child in children):
        message = f"lines that begin with {bullets[0]} are joined into one; write - to make a list of them"
        yield Finding(message, line, "warning")
    if is_list_entry and _TASK.match(text):
        yield Finding("a box such as [ ] is not drawn; delete it, or write ☐ or ☑", line, "warning")
    if _HEADING.match(text):
        yield Finding("a heading needs a space after its #; add it", line, "warning")
    if text.startswith("|") and text.count("\n") and all("|" in each for each in text.split("\n")):
        yield Finding("a table needs |---|---| as its second line; add it", line, "warning")


_IS_CODE = (
    "a comment <!-- … --> that is indented by four spaces is code and would be sent to readers; "
    "indent it less, or put ``` around it"
)
_NOT_CLOSED = (
    "a comment <!-- … --> must begin and end in one paragraph, or stand alone as a block; "
    "now it would be sent to readers"
)


def _searchable_text(token: Token) -> str:
    match token.type:
        case "text":
            return token.content
        case "softbreak" | "hardbreak":
            return "\n"
        case "link_open" | "link_close" if token.markup == "linkify":
            return ""
        case "link_open":
            return _LINK
    return _OTHER + "\n" * token.content.count("\n") if token.type == "html_inline" else _OTHER


def _messages_about_unused_markdown(text: str) -> Iterator[str]:
    """Yields messages about Markdown that did not work in one line of a text, at most one of each kind."""
    for pattern, advice in _LINKS:
        found = pattern.search(text)
        if found:
            yield f'"{_words_around(text, found.start())}" is not read as a link; {advice}'
            break
    for pattern, mark, name in _MARKS:
        found = pattern.search(text)
        if found:
            yield (
                f'"{_words_around(text, found.start())}" has {mark} without effect; write '
                f"{mark}{name}{mark} without spaces inside, or \\{mark[0]}\\{mark[0]} if it is text"
            )
    found = _ATTRIBUTES.search(text)
    if found:
        yield f'"{found[0][:40]}" has no meaning here and would be printed; delete it, or put it in backticks'


def markdown_findings_in_line(text: str) -> Iterator[Finding]:
    """Yields findings about Markdown in a text of one line, which is printed without parsing."""
    found = _PAIR.search(text) or _STARRED.search(text)
    if found:
        mark = found[0][:1] if found.re is _STARRED else found[0][:2]
        message = (
            f'"{found[0][:40]}" is printed with its {mark}, because this field is not Markdown; '
            f"delete the {mark}"
        )
        yield Finding(message, 0, "warning")
    found = re.search(r"\]\(|\][（](?:https?:|www\.)|\[[^\[\]]+\]\[[^\[\]]+\]", text)
    if found:
        near = _words_around(text, found.start())
        message = (
            f'"{near}" is printed with its brackets, because this field is not Markdown; '
            "write the link into url:"
        )
        yield Finding(message, 0, "warning")
    for pattern in (_ENTITY, _ELEMENT):
        found = pattern.search(text)
        if found:
            message = (
                f'"{found[0][:40]}" is printed as it is typed, because this field is not HTML; '
                "write plain text instead"
            )
            yield Finding(message, 0, "warning")
    if _COMMENT.search(text):
        yield Finding("a comment <!-- … --> would be printed here; delete it", 0, "error")


def _words_around(text: str, offset: int) -> str:
    """Returns up to 40 characters around `offset` in the searched text, for use in a message."""
    plain = text.replace(_OTHER, "…").replace(_LINK, "")
    start = max(0, offset - 16 - (len(text[:offset]) - len(text[:offset].replace(_LINK, ""))))
    return plain[start : start + 40].strip()
