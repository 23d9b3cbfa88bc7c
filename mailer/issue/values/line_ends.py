"""Decides whether a line end in a source text becomes a space or nothing in the finished text.

Chinese and Japanese are written without spaces, so a line end between two of their characters becomes nothing
(CSS Text Level 3, 4.1.3, has the same rule). Latin, Hangul and all other scripts need a space.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

__all__ = ["joins_without_space"]

_ScriptKind = Literal["cjk", "other", "ambiguous"]

#: Han, kana, bopomofo, Yi and the marks that are set with them. Full-width letters and digits are among the
#: marks: they are as wide as Han characters and take no space. Hangul is not among them.
_CJK = re.compile(
    "[\u2e80-\u2fff\u3000-\u302d\u3030-\u312f\u3190-\u31ff\u3220-\u325f\u3280-\u4dbf\u4e00-\ua4cf"
    "\uf900-\ufaff\ufe10-\ufe1f\ufe30-\ufe6f\uff01-\uff9f\uffe0-\uffe5"
    "\U0001aff0-\U0001b16f\U0001f200-\U0001f2ff\U00020000-\U0003fffd]"
)
#: Emoji and the symbols that are drawn as such.
_EMOJI = re.compile("[\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
#: A slot, which is filled for each reader: its letters are not known.
_SLOT = re.compile(r"\{\{[^{}\n]*\}\}")
#: An emoji of two or three characters, such as a digit in a key.
_KEYCAP = re.compile("[0-9#*]\ufe0f?\u20e3")
_BLANK = " \t\r\n"
_SLOT_SIGN = "\U000f0000"
_EMOJI_SIGN = "\u2605"
#: The furthest that the nearest letter is looked for.
_REACH = 500


def joins_without_space(before: str, after: str) -> bool:
    """Returns whether a line end between two texts becomes nothing; otherwise it becomes a space.

    `before` and `after` are all the text on each side as readers see it, without Markdown. A line end becomes
    nothing between two Han characters, kana or CJK marks. Marks that are used with all scripts (“ ” ‘ ’ … —
    ·, circled numbers, emoji) and slots (`{{ … }}`) count like the nearest letter on their side, or like the
    other side if their side has no letter. A slot has a space beside digits and full-width letters, because a
    name in Latin letters would run into them. Digits, ASCII marks and other scripts need a space. ASCII white
    space next to the line end is ignored.
    """
    left = _with_one_character_slots(before.rstrip(_BLANK)[-_REACH:])[::-1]
    right = _with_one_character_slots(after.lstrip(_BLANK)[:_REACH])
    if not left or not right:
        return False
    if _SLOT_SIGN in (left[0], right[0]) and (
        _runs_into_latin_word(left[0]) or _runs_into_latin_word(right[0])
    ):
        return False
    first, second = _script_kind_next_to_line_end(left), _script_kind_next_to_line_end(right)
    if first == second == "ambiguous":
        return False
    return {first, second} <= {"cjk", "ambiguous"}


def _with_one_character_slots(text: str) -> str:
    """Returns the text with each slot and keycap emoji as one character, without zero-width characters."""
    text = _KEYCAP.sub(_EMOJI_SIGN, _SLOT.sub(_SLOT_SIGN, text))
    return "".join(c for c in text if unicodedata.category(c) not in ("Mn", "Me", "Cf"))


def _script_kind_next_to_line_end(side: str) -> _ScriptKind:
    """Returns whether the text on one side of a line end is CJK, other or ambiguous.

    `side` is that text, read from the line end outwards: before the line end it is reversed.
    """
    kind = _script_kind(side[0]) if side else "ambiguous"
    if kind != "ambiguous":
        return kind
    return next((_script_kind(c) for c in side if _is_letter(c)), "ambiguous")


def _runs_into_latin_word(character: str) -> bool:
    """Returns whether readers would take this character as a part of a Latin word beside it."""
    return unicodedata.category(character).startswith("N") or "\uff21" <= character <= "\uff5a"


def _script_kind(character: str) -> _ScriptKind:
    if _is_letter(character):
        return "cjk" if _CJK.match(character) else "other"
    if character == _SLOT_SIGN or (_EMOJI.match(character) and character not in "\u2329\u232a"):
        return "ambiguous"
    if _CJK.match(character):
        return "cjk"
    wide = unicodedata.east_asian_width(character)
    return "ambiguous" if wide == "A" else "other"


def _is_letter(character: str) -> bool:
    return unicodedata.category(character).startswith("L")
