"""Decides where emphasis may begin and end beside Chinese, Japanese and Korean characters.

CommonMark tells the two ends of `**…**` apart by white space and punctuation, which needs spaces between
words. The CommonMark CJK-friendly amendments (github.com/tats-u/markdown-cjk-friendly) let a CJK character
beside the run count like white space. Text without CJK characters is read as before.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

from markdown_it.common.utils import isMdAsciiPunct, isPunctChar, isWhiteSpace

__all__ = ["DelimiterFlanks", "delimiter_flanks"]

#: Hangul letters that are not wide: vowels and final consonants.
_HANGUL = re.compile("[\u1100-\u11ff\ud7b0-\ud7fb]")
#: Wide characters that are drawn as emoji without a variation selector.
_EMOJI = re.compile(
    "[\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab"
    "\u26bd\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c"
    "\u274e\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55"
    "\U0001f000-\U0001f1ff\U0001f201\U0001f21a\U0001f22f\U0001f232-\U0001f236\U0001f238-\U0001f23a"
    "\U0001f250\U0001f251\U0001f300-\U0001faff]"
)
#: Quotation marks that a variation selector makes full-width.
_QUOTES = "‘’“”"
_FULL_WIDTH = "\ufe01"


class DelimiterFlanks(NamedTuple):
    """Holds whether a run of `*`, `_` or `~` is left- and right-flanking as CommonMark defines these.

    Also holds whether the characters right before and right after the run are punctuation.
    """

    is_left_flanking: bool
    is_right_flanking: bool
    has_punctuation_before: bool
    has_punctuation_after: bool


def delimiter_flanks(before: str, after: str) -> DelimiterFlanks:
    """Returns how a run of `*`, `_` or `~` is flanked.

    `before` has the two characters before the run, or fewer at the beginning of the text; `after` has the
    next character, or nothing at the end.
    """
    last, cjk_before = _last_character_and_is_cjk(before)
    has_punctuation_before = _is_punctuation(last)
    has_punctuation_after = bool(after) and _is_punctuation(after)
    space_before = isWhiteSpace(ord(last))
    space_after = not after or isWhiteSpace(ord(after))
    beside_cjk = cjk_before or (bool(after) and _is_cjk(after))
    left = not space_after and (
        not has_punctuation_after or space_before or has_punctuation_before or beside_cjk
    )
    right = not space_before and (
        not has_punctuation_before or space_after or has_punctuation_after or beside_cjk
    )
    return DelimiterFlanks(left, right, has_punctuation_before, has_punctuation_after)


def _last_character_and_is_cjk(before: str) -> tuple[str, bool]:
    """Returns the last character of `before`, without a variation selector, and whether that one is CJK."""
    if not before:
        return " ", False
    last = before[-1]
    if "\U000e0100" <= last <= "\U000e01ef":  # stands behind ideographs alone
        return last, True
    if len(before) > 1 and "\ufe00" <= last <= "\ufe0e":
        base = before[-2]
        return base, _is_cjk(base) or (last == _FULL_WIDTH and base in _QUOTES)
    return last, _is_cjk(last)


@lru_cache(maxsize=4096)
def _is_cjk(character: str) -> bool:
    if _HANGUL.match(character):
        return True
    return unicodedata.east_asian_width(character) in "WFH" and not _EMOJI.match(character)


@lru_cache(maxsize=4096)
def _is_punctuation(character: str) -> bool:
    return isMdAsciiPunct(ord(character)) or isPunctChar(character)
