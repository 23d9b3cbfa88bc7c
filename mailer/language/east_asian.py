"""Answers what typesetting asks of languages: their marks, and whether they are set as East Asian ones."""

from __future__ import annotations

from mailer.language_tags import primary_language, script_of

__all__ = [
    "comma",
    "full_stop_after",
    "has_east_asian_characters",
    "is_east_asian",
    "is_unspaced",
    "with_title_marks",
]

_UNSPACED = frozenset(("zh", "yue", "ja"))
_EAST_ASIAN = _UNSPACED | {"ko"}
#: The first character of Unicode's East Asian blocks, CJK Radicals Supplement.
_FIRST_CHARACTER = "\u2e80"
_CLOSING_MARKS = "”’\"'»」』）)]"
_ENDS = frozenset(".,!?…:;—–。，、！？：；．؟۔،؛")


def is_east_asian(language: str) -> bool:
    """Returns whether a language (a tag) is set in faces and sizes for East Asian characters."""
    return primary_language(language) in _EAST_ASIAN


def is_unspaced(language: str) -> bool:
    """Returns whether a language (a tag) is written without blanks between words and sentences."""
    return primary_language(language) in _UNSPACED


def has_east_asian_characters(text: str) -> bool:
    """Returns whether a text has a character of the East Asian blocks, or of any block behind them."""
    return any(character >= _FIRST_CHARACTER for character in text)


def comma(language: str) -> str:
    """Returns the comma between the words of a line in this language (a tag), with the blank behind it."""
    if is_unspaced(language):
        return "，"
    return "، " if script_of(language) == "Arab" else ", "


def full_stop_after(text: str, language: str) -> str:
    """Returns what ends a text in this language if more follows on its line: a full stop, or ''.

    A text that ends with a mark of its own, perhaps within quotation marks or brackets, needs none.
    """
    end = text.rstrip(_CLOSING_MARKS)[-1:]
    if not end or end in _ENDS:
        return ""
    return "。" if is_unspaced(language) else "."


def with_title_marks(name: str, language: str) -> str:
    """Returns a name for a sentence in this language: in Chinese, 《》 stand around a name in East Asian
    characters."""
    if primary_language(language) == "zh" and has_east_asian_characters(name) and "《" not in name:
        return f"《{name}》"
    return name
