"""Finds the first tag of MJML that is not closed properly, before the MJML is given to the library MRML.

MRML itself does not say where most errors are. It accepts a wrong end tag, and it crashes with a stack
overflow if tags are nested very deep.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailer.render.html_names import VOID_ELEMENTS

__all__ = ["MAX_DEPTH", "TOKEN", "MarkupFault", "first_nesting_fault"]

MAX_DEPTH = 100

#: A comment, a tag, or a "<" that is neither.
TOKEN = re.compile(
    r"<!--.*?(?P<comment>-->|\Z)"
    r"|<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9:._-]*)"
    r"(?P<attributes>(?:\s+[^\s\"'<>/=]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'))?)*)\s*(?P<empty>/?)>"
    r"|<",
    re.DOTALL,
)


_CONDITIONS = ("<!--[if", "<!--<![endif")
#: The beginnings of a condition for Outlook that MRML's parser survives.
_CONDITION = re.compile(r"<!--\[if[^\]]*\](?:>-->|><!-->|-->|>)|<!--<!\[endif\](?:>-->|-->)")


@dataclass(frozen=True, slots=True)
class MarkupFault:
    """Describes a mistake in markup. `offset` is the index of the character where the mistake begins."""

    message: str
    offset: int


def first_nesting_fault(markup: str) -> MarkupFault | None:
    """Returns the first tag or comment in `markup` that is not closed or nested properly, or None."""
    stack: list[tuple[str, int]] = []
    for token in TOKEN.finditer(markup):
        name = token["name"]
        if name is None:
            if token["comment"] is None:
                return MarkupFault(_stray_bracket_message(markup, token.start()), token.start())
            if not token["comment"]:
                return MarkupFault(
                    'a comment is not closed; add "-->" at the end of the comment', token.start()
                )
            if token[0].startswith(_CONDITIONS) and not _CONDITION.match(token[0]):
                near = " ".join(token[0][:40].split())
                return MarkupFault(f'"{near}" must be written as <!--[if mso]> … <![endif]-->', token.start())
            continue
        lower = name.lower()
        if token["end"]:
            if lower in VOID_ELEMENTS:
                return MarkupFault(f"</{name}> must be removed: <{lower}> has no end tag", token.start())
            if not stack or stack[-1][0] != name:
                opened = f"<{stack[-1][0]}> is still open" if stack else "nothing is open"
                return MarkupFault(f"</{name}> stands where {opened}; correct the tags", token.start())
            stack.pop()
        elif not token["empty"] and lower not in VOID_ELEMENTS:
            stack.append((name, token.start()))
            if len(stack) > MAX_DEPTH:
                return MarkupFault(f"tags must not be nested more than {MAX_DEPTH} deep", token.start())
    if stack:
        return MarkupFault(f"<{stack[-1][0]}> is never closed; add </{stack[-1][0]}>", stack[-1][1])
    return None


def _stray_bracket_message(markup: str, offset: int) -> str:
    near = " ".join(markup[offset : offset + 40].split())
    if re.match(r"<[A-Za-z/]", near):
        return (
            f'the tag "{near}" is not closed, or an attribute has no quotes around it; add ">" or the quotes'
        )
    return f'"<" must be written as &lt; here ("{near}")'
