"""Finds the rules of an `mj-style` that the inliner does not apply.

These are rules with `:not()` or `:hover`, with a colon in an attribute selector (`a[href^="https:"]`), or
within `@media`. An `<mj-style inline="inline">` does not stay in the mail, so all of them are lost there. Any
other sheet stays: rules that only a style sheet can hold, such as `:hover` and `@media`, are meant for it,
and the others are rules that somebody may take for inlined ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailer.display_text import shortened
from mailer.render.html.inline import is_inlined
from mailer.render.html.wellformed import MarkupFault

__all__ = ["find_uninlined_rules"]

_TOKEN = re.compile(
    r"(?P<comment>/\*.*?(?:\*/|\Z))"
    r"|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
    r"|(?P<mark>[{};,()\[\]])",
    re.DOTALL,
)
_NOT_LINE_END = re.compile(r"[^\n]")
#: Selectors of elements, classes, ids and attributes with blanks, ">", "+" and "~" between them, all of which
#: are inlined. Other selectors are given to the inliner, which takes longer.
_SIMPLE = r"[.#][a-zA-Z][\w-]*|\[[a-z-]+(?:[~|^$*]?=(?:\"[\w -]*\"|'[\w -]*'|[a-zA-Z][\w-]*))?\]"
_COMPOUND = rf"(?:[a-z][a-z0-9]*(?:{_SIMPLE})*|(?:{_SIMPLE})+)"
_PLAIN = re.compile(rf"{_COMPOUND}(?:(?:\s*[>+~]\s*|\s+){_COMPOUND})*", re.ASCII)
#: The name of an element with an upper-case letter.
_UPPER_CASE = re.compile(r"(?:^|[\s>+~])(?P<name>[a-z]*[A-Z][A-Za-z0-9]*)")
#: Text in quotes, and attribute selectors.
_IN_BRACKETS = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\[[^\]]*\]")
#: Pseudo-classes that depend on the reader or the program, pseudo-elements with one colon, and `:root`.
_DYNAMIC = re.compile(
    r":(?:active|after|any-link|before|checked|disabled|enabled|first-letter|first-line|focus|focus-visible"
    r"|focus-within|hover|link|root|target|visited|-[\w-]+)(?![\w-])",
    re.IGNORECASE,
)
_LOST = (
    'so the rule has no effect: an mj-style with inline="inline" does not stay in the mail; '
    "move the rule into an mj-style without inline"
)
_CLASS = "give the elements a class"
_LOST_STATIC = (
    'so the rule has no effect: an mj-style with inline="inline" does not stay in the mail; '
    f"{_CLASS}, or move the rule into an mj-style without inline, within @media screen {{ … }}"
)
_STAYS = (
    "so the rule works only in mail programs that read style sheets; "
    f"{_CLASS}, or write @media screen {{ … }} around the rule if that is meant"
)


def find_uninlined_rules(rules: str, *, inline_only: bool) -> Iterator[MarkupFault]:
    """Yields a fault for each selector and each at-rule of the style sheet `rules` that is not inlined.

    `inline_only` tells whether the sheet does not stay in the mail. In a sheet that stays, at-rules and
    selectors that no `style` attribute can stand for are no fault.
    """
    css = _without_comments(rules)
    for start, end in _preludes(css):
        prelude = rules[start:end]
        if prelude.startswith("@"):
            if inline_only:
                name = re.split(r"[\s({;\"']", prelude)[0]
                yield MarkupFault(f"{name} is not inlined, {_LOST}", start)
        elif not _PLAIN.fullmatch(prelude):
            yield from _faults_of_selectors(prelude, start, inline_only)


def _faults_of_selectors(prelude: str, offset: int, inline_only: bool) -> Iterator[MarkupFault]:
    selectors = list(_selectors(prelude))
    if not any(selector for _, selector in selectors):
        return
    known = [_is_plain_or_dynamic(selector) for _, selector in selectors]
    inlined = [
        is_inlined(selector) if plain is None else plain
        for plain, (_, selector) in zip(known, selectors, strict=True)
    ]
    if None in known and any(inlined) and not is_inlined(prelude):
        # One selector that cannot be parsed makes the others invalid too, as in browsers.
        yield MarkupFault(
            f'"{shortened(prelude)}" has a selector that the inliner cannot read, so the whole rule is not '
            "inlined; correct the selector, or write it as a rule of its own",
            offset,
        )
        return
    for (start, selector), applied in zip(selectors, inlined, strict=True):
        upper = _UPPER_CASE.search(selector)
        shown = shortened(selector)
        if not applied:
            is_dynamic = _is_for_style_sheets(selector)
            if inline_only or not is_dynamic:
                advice = _STAYS if not inline_only else _LOST if is_dynamic else _LOST_STATIC
                yield MarkupFault(f'"{shown}" is not inlined, {advice}', offset + start)
        elif upper is not None:
            name = upper["name"]
            yield MarkupFault(
                f'"{shown}" is not inlined; write "{name.lower()}" instead of "{name}"', offset + start
            )


def _is_plain_or_dynamic(selector: str) -> bool | None:
    """Returns True for a plain selector, which is inlined, and False for one that is for style sheets alone.

    Returns None for any other.
    """
    if _PLAIN.fullmatch(selector):
        return True
    return False if _is_for_style_sheets(selector) else None


def _is_for_style_sheets(selector: str) -> bool:
    """Returns whether a selector depends on more than the elements of the mail, so that only a style sheet
    can hold its rule."""
    plain = _IN_BRACKETS.sub("", selector)
    return "*" in plain or "::" in plain or _DYNAMIC.search(plain) is not None


def _without_comments(css: str) -> str:
    """Returns the style sheet with a blank for each character of its comments, and the same line ends."""
    return _TOKEN.sub(
        lambda token: _NOT_LINE_END.sub(" ", token[0]) if token["comment"] is not None else token[0], css
    )


def _preludes(css: str) -> Iterator[tuple[int, int]]:
    """Yields the start and end of what stands before each block of the outermost level, and of each
    at-rule without a block."""
    depth = begin = 0
    for token in _TOKEN.finditer(css):
        mark = token["mark"]
        if mark == "{":
            if depth == 0:
                yield _stripped_span(css, begin, token.start())
            depth += 1
        elif mark == "}" and depth:
            depth -= 1
            begin = token.end()
        elif mark == ";" and depth == 0:
            start, end = _stripped_span(css, begin, token.start())
            if css.startswith("@", start):
                yield start, end
            begin = token.end()


def _selectors(prelude: str) -> Iterator[tuple[int, str]]:
    """Yields the offset and the text of each selector in a list of selectors."""
    depth = begin = 0
    for token in _TOKEN.finditer(prelude):
        mark = token["mark"] or ""
        depth += (mark in ("(", "[")) - (mark in (")", "]"))
        if mark == "," and depth == 0:
            start, end = _stripped_span(prelude, begin, token.start())
            yield start, prelude[start:end]
            begin = token.end()
    start, end = _stripped_span(prelude, begin, len(prelude))
    yield start, prelude[start:end]


def _stripped_span(text: str, start: int, end: int) -> tuple[int, int]:
    """Returns the start and end of what is left of `text[start:end]` without blanks at its ends."""
    part = text[start:end]
    return start + len(part) - len(part.lstrip()), start + len(part.rstrip())
