"""Reads the conditional comments of Outlook in a mail: whether they are balanced, and what each program sees.

There are three kinds, and each has an end of its own:

    <!--[if mso]> … <![endif]-->              `hidden`: a comment for every program but Outlook
    <!--[if !mso]><!--> … <!--<![endif]-->    `shown`: for others no comment; Outlook asks the condition
    <![if !mso]> … <![endif]>                 `bare`: the same in the older spelling, which is not HTML
"""

from __future__ import annotations

import operator
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

__all__ = ["conditional_faults", "element_faults", "seen_by"]

_MARK = re.compile(
    r"(?P<shown><!--\[if[^\]>]*\]>\s*<!--(?:\s*--)?>)"
    r"|(?P<hidden><!--\[if[^\]>]*\]>)"
    r"|(?P<bare><!\[if[^\]>]*\]>)"
    r"|(?P<end_shown><!--\s*<!\[endif\]-->)"
    r"|(?P<end_hidden><!\[endif\]-->)"
    r"|(?P<end_bare><!\[endif\]>)"
    r"|(?P<comment><!--.*?-->)"
    r"|(?P<open_comment><!--)"
    r"|(?P<comment_end>-->)",
    re.IGNORECASE | re.DOTALL,
)
_CONDITION = re.compile(r"\[if([^\]>]*)\]", re.IGNORECASE)
_WORD = re.compile(
    r"\s*(?:(?P<sign>[!&|()])|(?:(?P<than>lte?|gte?)\s+)?(?P<name>mso|IE|true|false)\b(?:\s+(?P<number>\d+))?)",
    re.IGNORECASE,
)
_COMPARE = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge, None: operator.eq}
#: The version that Outlook for Windows has said it has since 2016.
_OUTLOOK = 16
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr")
)


@dataclass(frozen=True)
class _Mark:
    """A beginning or an end of a conditional, or a comment. `kind` is the name of a group of `_MARK`."""

    kind: str
    text: str
    line: int
    start: int
    end: int

    def __str__(self) -> str:
        return f"line {self.line}: {self.text[:40]}"


def _marks(html: str) -> Iterator[_Mark]:
    for found in _MARK.finditer(html):
        line = html.count("\n", 0, found.start()) + 1
        yield _Mark(str(found.lastgroup), found[0], line, found.start(), found.end())


def conditional_faults(html: str) -> list[str]:
    """Returns one sentence, with its line, for each fault of the conditional comments."""
    faults: list[str] = []
    open_ones: list[_Mark] = []
    for mark in _marks(html):
        inside = open_ones[-1] if open_ones else None
        if inside and inside.kind == "hidden" and mark.kind != "end_hidden":
            faults.append(f"{mark} stands within {inside}, whose end it is for other programs")
        if mark.kind in ("hidden", "shown", "bare"):
            open_ones.append(mark)
            try:
                _is_true(mark)
            except ValueError as error:
                faults.append(f"{mark} {error}")
        elif mark.kind.startswith("end_"):
            if inside is None:
                faults.append(f"{mark} ends nothing")
            elif mark.kind != f"end_{inside.kind}":
                faults.append(f"{mark} is not the end of {inside}")
            del open_ones[-1:]
        elif mark.kind == "comment_end":
            faults.append(f"{mark} ends no comment")
        elif mark.kind == "open_comment":
            faults.append(f"{mark} has no end")
        elif re.search(r"\[\s*(?:if|endif)\b", mark.text, re.IGNORECASE):
            faults.append(f"{mark} is a comment, not a conditional")
    return faults + [f"{mark} has no end" for mark in open_ones]


def seen_by(html: str, *, outlook: bool) -> str:
    """Returns the HTML that Outlook for Windows or any other program reads; conditionals must be balanced."""
    kept: list[str] = []
    reads = [True]
    at = 0
    for mark in _marks(html):
        if mark.kind in ("comment", "open_comment", "comment_end"):
            continue
        if reads[-1]:
            kept.append(html[at : mark.start])
        at = mark.end
        if mark.kind.startswith("end_"):
            reads.pop()
        else:
            wanted = _is_true(mark) if outlook else mark.kind != "hidden"
            reads.append(reads[-1] and wanted)
    return "".join(kept) + html[at:]


def _is_true(mark: _Mark) -> bool:
    """Returns whether the condition holds in Outlook for Windows. Raises ValueError if it cannot be read."""
    found = _CONDITION.search(mark.text)
    assert found is not None
    words, at = [], 0
    text = found[1].strip()
    while at < len(text):
        word = _WORD.match(text, at)
        if word is None:
            raise ValueError(f"has a condition that is none: {text}")
        words.append(word)
        at = word.end()
    condition = _Condition(words)
    value = condition.either()
    if condition.words:
        raise ValueError(f"has a condition that goes on: {text}")
    return value


class _Condition:
    """Reads the words of a condition from left to right: `!` binds most, then `&`, then `|`."""

    def __init__(self, words: list[re.Match[str]]) -> None:
        self.words = words

    def _next(self, *signs: str) -> bool:
        if self.words and self.words[0]["sign"] in signs:
            del self.words[0]
            return True
        return False

    def either(self) -> bool:
        value = self._both()
        while self._next("|"):
            value = self._both() or value
        return value

    def _both(self) -> bool:
        value = self._one()
        while self._next("&"):
            value = self._one() and value
        return value

    def _one(self) -> bool:
        if self._next("!"):
            return not self._one()
        if self._next("("):
            value = self.either()
            if not self._next(")"):
                raise ValueError("has a condition without its )")
            return value
        if not self.words or self.words[0]["sign"]:
            raise ValueError("has a condition that lacks a word")
        word = self.words.pop(0)
        name = word["name"].lower()
        if name != "mso" or word["number"] is None:
            return name in ("mso", "true")
        return bool(_COMPARE[word["than"] and word["than"].lower()](_OUTLOOK, int(word["number"])))


def element_faults(html: str) -> list[str]:
    """Returns which elements are not closed, or not in their order: every end tag must be written."""
    return _Elements.read(html)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []
        self.open: list[tuple[str, int]] = []

    @classmethod
    def read(cls, html: str) -> list[str]:
        elements = cls()
        elements.feed(html)
        elements.close()
        return elements.faults + [f"line {line}: <{name}> is not closed" for name, line in elements.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self.open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of VML may close itself, and so may a void one."""

    def handle_endtag(self, tag: str) -> None:
        line = self.getpos()[0]
        if not self.open:
            self.faults.append(f"line {line}: </{tag}> closes nothing")
            return
        name, began = self.open.pop()
        if name != tag:
            self.faults.append(f"line {line}: </{tag}> closes <{name}> of line {began}")
