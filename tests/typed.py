"""Issues made at random, and the words that were typed into each of their fields.

The words of a text are compared as tokens: runs of letters and digits, and each Han character, kana and emoji
by itself. Marks are left out.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

__all__ = ["Field", "TypedIssue", "issues", "tokens"]

_ENGLISH = [
    "harbour",
    "cranes",
    "rest",
    "today",
    "12",
    "1,204",
    "e.g.",
    "it's",
    "A-1",
    "naïve",
    "Ωmega",
    "x²",
]
_CHINESE = ["港口", "今天", "休息", "“明天”", "再来……", "天黑了。", "《船期》", "，", "30%", "３月", "々"]
_KOREAN = ["항구의", "크레인이", "오늘은", "쉰다.", "한국어(韓國)는", "12월"]
_ARABIC = ["الميناء", "هادئ", "اليوم،", "العَرَبِيَّة", "٢٠٢٦"]
_OTHERS = ["हिन्दी", "ภาษาไทย", "カモメ", "が飛ぶ", "🚢", "👩‍👩‍👧", "☕️", "👍🏽", "תּוֹרָה", "Việt", "𠮷野家"]
_LANGUAGES = {"en": _ENGLISH, "zh": _CHINESE, "ko": _KOREAN, "ar": _ARABIC}
#: How words may be marked.
_KINDS = "plain plain plain bold italic link code struck both link-bold sup reference slot nested"
_MARKED = tuple(_KINDS.split())
_MIXED = [*_ENGLISH, *_CHINESE, *_KOREAN, *_ARABIC, *_OTHERS]


def _is_letter(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM" or character in "\u200c\u200d"


def _is_alone(character: str) -> bool:
    """Whether a character is a token by itself: Han, kana, emoji."""
    code = ord(character)
    return (
        0x3005 <= code <= 0x3007
        or 0x3040 <= code <= 0x30FF
        or 0x31F0 <= code <= 0x31FF
        or 0x3400 <= code <= 0x9FFF
        or 0xF900 <= code <= 0xFAFF
        or 0x1F000 <= code <= 0x1FAFF
        or 0x2600 <= code <= 0x27BF
        or 0x20000 <= code <= 0x3FFFF
    )


def tokens(text: str) -> list[str]:
    """The tokens of a text, in order. Joiners and variation selectors of emoji are left out."""
    found: list[str] = []
    run = ""
    for character in unicodedata.normalize("NFC", text):
        if character in "\ufe0f\ufe0e\u200d" or 0x1F3FB <= ord(character) <= 0x1F3FF:
            continue
        if _is_letter(character) and not _is_alone(character):
            run += character
            continue
        if run:
            found.append(run)
            run = ""
        if _is_alone(character):
            found.append(character)
    return [*found, run] if run else found


def _may_touch(before: str, after: str) -> bool:
    """Whether marks are read in any case between these: one side is plain and has a letter without blanks."""
    plain, marked = (before[-1], after[0]) if after[0] in "*~`[" else (after[0], before[-1])
    return _is_alone(plain) and marked in "*~`[)"


@dataclass(frozen=True)
class Field:
    """A text as it is typed, and its words between a first and a last one that nothing else has."""

    source: str
    words: tuple[str, ...]


@dataclass(frozen=True)
class TypedIssue:
    """The YAML of an issue, and its fields in the order in which they are read."""

    yaml: str
    edition: str
    language: str
    fields: tuple[Field, ...]


#: How words may be marked.


class _Writer:
    """Draws the parts of one issue."""

    def __init__(self, draw: Any, words: list[str]) -> None:
        self.draw = draw
        self.words = words
        self.number = 0
        self.fields: list[Field] = []

    def some(self, low: int, high: int) -> int:
        return int(self.draw(st.integers(low, high)))

    def one(self, values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def phrase(self) -> tuple[str, str]:
        """(Markdown, words) of one to three words."""
        chosen = [self.one(self.words) for _ in range(self.some(1, 3))]
        between = "" if self.words is _CHINESE else " "
        text = between.join(chosen)
        return text, text

    def piece(self) -> tuple[str, str]:
        """(Markdown, words) of some words, marked or not."""
        text, said = self.phrase()
        match self.one(_MARKED):
            case "bold":
                return f"**{text}**", said
            case "italic":
                return f"*{text}*", said
            case "link":
                return f"[{text}](https://www.example.org/{self.some(1, 9)})", said
            case "code":
                return f"`{text}`", said
            case "struck":
                return f"~~{text}~~", said
            case "both":
                return f"***{text}***", said
            case "link-bold":
                return f"**[{text}](https://www.example.org/a_b_c)**", said
            case "sup":
                return f"{text} H<sub>2</sub>O", f"{said} H2O"
            case "reference":
                return f"[{text}][port]", said
            case "slot":
                return f'{text} {{{{ subscriber.name or "reader" }}}}', f"{said} reader"
            case "nested":
                return f"**{text} *{text}* ~~{text}~~**", f"{said} {said} {said}"
        return text, said

    def paragraph(self, indent: str = "") -> tuple[str, str]:
        """(Markdown, words) of pieces with blanks and line ends between them."""
        source, said = "", ""
        for number in range(self.some(1, 5)):
            text, more = self.piece()
            between = self.one([" ", "\n", "\n", "  \n", "<br>\n", "touching"]) if number else ""
            if between == "touching":
                between = "" if _may_touch(source, text) else "\n"
            source += between.replace("\n", "\n" + indent) + text
            said += " " * bool(number) + more
        return source, said

    def block(self, *, plain: bool = False) -> tuple[str, str]:
        """(Markdown, words) of one block."""
        kind = self.one(["p", "p", "p", "ul", "ol", "quote", "h", "code", "table", "nested", "comment"])
        if plain:
            kind = "p"
        match kind:
            case "ul" | "ol":
                mark = "- " if kind == "ul" else "1. "
                entries = [self.paragraph(" " * len(mark)) for _ in range(self.some(1, 3))]
                return "\n".join(mark + text for text, _ in entries), " ".join(said for _, said in entries)
            case "quote":
                text, said = self.paragraph("> ")
                return "> " + text, said
            case "h":
                text, said = self.phrase()
                return "## " + text, said
            case "code":
                lines = [self.phrase()[0] for _ in range(self.some(1, 3))]
                return "```\n" + "\n".join("  " + line for line in lines) + "\n```", " ".join(lines)
            case "table":
                rows = [[self.phrase()[0] for _ in range(2)] for _ in range(self.some(2, 3))]
                lines = ["| " + " | ".join(row) + " |" for row in rows]
                return "\n".join([lines[0], "|---|--:|", *lines[1:]]), " ".join(" ".join(row) for row in rows)
            case "nested":
                first, said = self.paragraph("  ")
                second, more = self.paragraph("    ")
                return f"- {first}\n  - {second}", f"{said} {more}"
            case "comment":
                text, said = self.phrase()
                return f"{text} <!-- ask Jo -->", said
        return self.paragraph()

    def enclosed(self, source: str, said: str, between: str) -> str:
        """The text between two words that nothing else has; notes the field."""
        self.number += 1
        first, last = f"Qa{self.number}zq", f"Qe{self.number}zq"
        self.fields.append(Field(source, tuple(tokens(f"{first} {said} {last}"))))
        return f"{first}{between}{source}{between}{last}"

    def markdown(self, *, plain: bool = False) -> str:
        """A Markdown field."""
        blocks = [self.block(plain=plain) for _ in range(1 if plain else self.some(1, 3))]
        source = "\n\n".join(text for text, _ in blocks)
        if "][port]" in source:
            source += "\n\n[port]: https://www.example.org/港口"
        return self.enclosed(source, " ".join(said for _, said in blocks), "\n\n")

    def line(self) -> str:
        """A field of one line; no mark works in it."""
        source = " ".join(self.phrase()[0] for _ in range(self.some(1, 3)))
        return self.enclosed(source, source, " ")


def _block(text: str, indent: int) -> str:
    pad = " " * indent
    return "|\n" + "\n".join(pad + line if line else "" for line in text.split("\n"))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@st.composite
def issues(draw: Any) -> TypedIssue:
    """Issues in Chinese, English, Korean, Arabic, and with words of several scripts."""
    language = draw(st.sampled_from([*_LANGUAGES, "mixed"]))
    writer = _Writer(draw, _LANGUAGES.get(language, _MIXED))
    edition = draw(st.sampled_from(["morning", "evening", "feature"]))
    text = f"edition: {edition}\ndate: 2026-11-21\nlanguage: {'en' if language == 'mixed' else language}\n"
    text += f"subject: {_quoted(writer.line())}\n"
    text += f"preheader: {_quoted(writer.line())}\n"
    text += f"title: {_quoted(writer.line())}\n"
    text += f"intro: {_block(writer.markdown(), 2)}\n"
    if edition == "feature":
        text += f"body: {_block(writer.markdown(), 2)}\n"
    text += "items:\n"
    for _ in range(draw(st.integers(1, 2))):
        text += f"  - title: {_quoted(writer.line())}\n"
        text += f"    body: {_block(writer.markdown(), 6)}\n"
        text += f"    source: {_quoted(writer.line())}\n"
        text += f"    comment: {_block(writer.markdown(), 6)}\n"
    if draw(st.booleans()):
        text += f"column:\n  title: {_quoted(writer.line())}\n  body: {_block(writer.markdown(), 4)}\n"
    text += f"notice: {_block(writer.markdown(plain=True), 2)}\n"
    return TypedIssue(text, edition, language, tuple(writer.fields))
