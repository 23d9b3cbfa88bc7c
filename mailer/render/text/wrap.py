"""Wraps plain text by display width, for Chinese and Latin text alike.

Wide characters take two columns, and a line may end between any two of them, except for two rules: no line
begins with a closing mark, and no line ends with an opening mark (JIS X 4051, and W3C's requirements for
Chinese text layout). Latin words and addresses stay whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from mailer.render.text.display_columns import MARKER, display_width
from mailer.render.text.lines import BREAK, KEEP, LEAD, MARKS, SPACE, PlainText, TableLines, TextLine

__all__ = [
    "LIMIT",
    "WIDTH",
    "display_width",
    "flowing_line",
    "wrap_paragraph",
    "has_too_long_line",
    "underline",
    "wrap",
]

#: Paragraphs are wrapped to WIDTH columns; a line that a reader's values make longer may have LIMIT
#: (RFC 5322, section 2.1.1).
WIDTH, LIMIT = 72, 78

_NO_START = frozenset("、。，．・：；？！）］｝〕〉》」』】〗’”…—～·％‰℃,.;:?!)]}%ー々")
_NO_END = frozenset("（［｛〔〈《「『【〖‘“([{￥＄$#@<")
_PIECE = re.compile(
    rf"(?P<space>[ \t]+)|(?P<whole>{MARKER.pattern}|(?:https?://|mailto:)[!-~]+)|(?P<text>[^ \t]+?)"
    rf"(?=[ \t]|$|(?:https?://|mailto:)|{MARKER.pattern})",
    re.IGNORECASE,
)
_LEAD = re.compile(r"(?P<quote>(?:> ?)*)(?P<indent> *)(?P<bullet>(?:• |[0-9]{1,9}[.)] )?)")
#: Han and kana, each of which may begin a line.
_ALONE = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u9fff\uf900-\ufaff\uff66-\uff9d\U00020000-\U0003ffff]"
)
_HANGUL = re.compile("[\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7fb]")
#: A Korean word has at most so many columns; what is longer is a text without spaces.
_KOREAN_WORD = WIDTH // 2
#: What stands before a line takes at most so much of it, however deeply lists and quotations are nested.
_MOST_BEFORE = 40


def underline(text: object, mark: str = "-") -> str:
    """Returns a line of text with a second line of the same width below it, made of the character `mark`."""
    line = str(text)
    return f"{line}\n{mark * max(1, display_width(line))}"


def wrap(text: object, width: int = WIDTH, indent: str = "", first: str | None = None) -> str:
    """Returns `text` with each paragraph wrapped to `width` columns.

    `indent` is put before each line; if `first` is given, it replaces `indent` before the first line. Further
    lines of a list entry are indented by the width of the bullet. Code is not wrapped. Paragraphs with slots
    get marks by which `slots/text_part.py` finds them.
    """
    value = text if isinstance(text, str) else str(text)
    if isinstance(value, PlainText):
        lines: Sequence[TextLine | TableLines] = value.lines
    else:
        lines = [flowing_line(line) for line in MARKS.sub("", value).split("\n")]
    out: list[str] = []
    for line in _with_tables_laid_out(lines, width - display_width(indent)):
        before = indent if out or first is None else first
        out += _wrap_line(line, before, indent, width)
    return "\n".join(out) if out else (indent if first is None else first).rstrip()


def flowing_line(text: str) -> TextLine:
    """Returns a line of plain text as a TextLine: quotation marks (`>`) and bullet apart from the words."""
    lead = _LEAD.match(text)
    if lead is None or not lead[0]:
        return TextLine(text)
    hanging = lead["quote"] + " " * display_width(lead["indent"] + lead["bullet"])
    return TextLine(text[len(lead[0]) :], lead[0], hanging)


def has_too_long_line(lines: str) -> bool:
    """Returns whether any line of the text `lines` has more than LIMIT columns."""
    return any(display_width(line) > LIMIT for line in lines.split("\n"))


def wrap_paragraph(text: str, first_prefix: str, other_prefix: str) -> str:
    """Returns a paragraph wrapped to WIDTH columns, with a prefix before each line."""
    found = _lines_of_paragraph(text, _columns_left(WIDTH, first_prefix, other_prefix))
    return "\n".join(
        ((other_prefix if number else first_prefix) + line).rstrip() for number, (_, line) in enumerate(found)
    )


def _lines_of_paragraph(text: str, max_columns: int) -> Iterator[tuple[str, str]]:
    """Yields the lines of a paragraph, broken to `max_columns` columns, as (space before the line, line).

    The space is the one at which the text was broken, or "" if it was broken between two wide characters.
    """
    line, width, gap, joint = "", 0, "", ""
    for space, unit in _unbreakable_units(text):
        gap = gap or space
        more = display_width(unit)
        if line and width + display_width(gap) + more > max_columns:
            yield joint, line
            line, width, joint = unit, more, gap
        elif line:
            line, width = line + gap + unit, width + display_width(gap) + more
        else:
            line, width = unit, more
        gap = ""
    yield joint, line


def _columns_left(width: int, *prefixes: str) -> int:
    """Returns how many of `width` columns are left for text beside the widest of `prefixes`."""
    return max(16, width - max(display_width(each) for each in prefixes))


def _with_tables_laid_out(lines: Sequence[TextLine | TableLines], width: int) -> Iterator[TextLine]:
    for line in lines:
        if isinstance(line, TableLines):
            yield from line.lines(_columns_left(width, line.first, line.rest))
        else:
            yield line


def _wrap_line(line: TextLine, first_indent: str, indent: str, width: int) -> Iterator[str]:
    first, rest = (
        first_indent + _prefix_of_bounded_length(line.first),
        indent + _prefix_of_bounded_length(line.rest),
    )
    if line.kind != "flowing":
        yield (first + (KEEP if line.kind == "code" else "") + line.text).rstrip()
        return
    broke = list(_lines_of_paragraph(line.text, _columns_left(width, first, rest)))
    slots = MARKER.search(line.text) is not None
    for number, (_, text) in enumerate(broke):
        lead = first if number == 0 else rest
        if not slots:
            yield (lead + text).rstrip()
            continue
        following = broke[number + 1 : number + 2]
        end = "" if not following else SPACE if following[0][0] else BREAK
        hanging = "" if number else rest + LEAD
        yield f"{lead}{LEAD}{hanging}{text}{end}"


def _prefix_of_bounded_length(prefix: str) -> str:
    return prefix if len(prefix) <= _MOST_BEFORE else prefix[-_MOST_BEFORE:]


def _unbreakable_units(text: str) -> Iterator[tuple[str, str]]:
    """Yields the pieces of a text that no line may end within, as (space before the piece, piece)."""
    space, unit, glued = "", "", False
    for before, atom in _words_and_characters(text):
        if unit and not before and (glued or _are_inseparable(unit[-1], atom[0]) or atom[0] in _NO_START):
            unit += atom
        else:
            if unit:
                yield space, unit
            space, unit = before, atom
        glued = unit[-1] in _NO_END
    if unit:
        yield space, unit


def _are_inseparable(left: str, right: str) -> bool:
    """Returns whether no line may end between two characters: narrow ones, or letters of one word.

    A line of Korean ends only at spaces, also beside brackets and Han: `『책』을`, `한국어(韓國)는`.
    """
    if display_width(left) == 1 == display_width(right) or _HANGUL.match(left) or _HANGUL.match(right):
        return True
    word = _is_word_character(left) and _is_word_character(right)
    return word and not _ALONE.match(left) and not _ALONE.match(right)


def _is_word_character(character: str) -> bool:
    """Returns whether the character is a part of words: a letter, a digit, or a vowel sign, as in Hindi."""
    return unicodedata.category(character)[0] in "LNM"


def _words_and_characters(text: str) -> Iterator[tuple[str, str]]:
    """Yields the words, addresses, slots and single wide characters of a text, as (space before, piece)."""
    space = ""
    for piece in _PIECE.finditer(text):
        if piece["space"]:
            space = " "
            continue
        for word in (piece["whole"],) if piece["whole"] else _split_words(piece["text"]):
            yield space, word
            space = ""


def _split_words(text: str) -> Iterator[str]:
    if text.isascii() or (_HANGUL.search(text) and display_width(text) <= _KOREAN_WORD):
        yield text
        return
    from wcwidth import iter_graphemes

    word = ""
    for cluster in iter_graphemes(text):
        if display_width(cluster) > 1:
            if word:
                yield word
                word = ""
            yield cluster
        else:
            word += cluster
    if word:
        yield word
