"""Wraps plain text by display width, for Chinese and Latin text alike.

Wide characters take two columns and may be broken between, with the few rules of kinsoku that matter: no
line begins with a closing mark, none ends with an opening one (JIS X 4051, and W3C's requirements for
Chinese text layout). Latin words and addresses stay whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from mailer.render.text.display_columns import MARKER, columns
from mailer.render.text.lines import BREAK, KEEP, LEAD, MARKS, SPACE, Line, PlainText, TableLines

__all__ = ["LIMIT", "WIDTH", "columns", "flowing", "rewrapped", "too_long", "underline", "wrap"]

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
    """Returns a line of text, and under it as many columns of `mark`."""
    line = str(text)
    return f"{line}\n{mark * max(1, columns(line))}"


def wrap(text: object, width: int = WIDTH, indent: str = "", first: str | None = None) -> str:
    """Returns `text` with each paragraph wrapped to `width` columns; lists and quotations hang.

    `indent` stands before each line, and `first` before the first line instead. Code stays as it is. The
    paragraphs with slots are marked, for `slots/text_part.py` to find them.
    """
    value = text if isinstance(text, str) else str(text)
    if isinstance(value, PlainText):
        given: Sequence[Line | TableLines] = value.lines
    else:
        given = [flowing(line) for line in MARKS.sub("", value).split("\n")]
    out: list[str] = []
    for line in _laid_out(given, width - columns(indent)):
        before = indent if out or first is None else first
        out += _wrapped(line, before, indent, width)
    return "\n".join(out) if out else (indent if first is None else first).rstrip()


def flowing(text: str) -> Line:
    """Returns a line of plain text, its quotation marks and bullet split off from its words."""
    lead = _LEAD.match(text)
    if lead is None or not lead[0]:
        return Line(text)
    hanging = lead["quote"] + " " * columns(lead["indent"] + lead["bullet"])
    return Line(text[len(lead[0]) :], lead[0], hanging)


def too_long(lines: str) -> bool:
    """Returns whether one of the lines has more than LIMIT columns."""
    return any(columns(line) > LIMIT for line in lines.split("\n"))


def rewrapped(text: str, first: str, rest: str) -> str:
    """Returns a paragraph wrapped to WIDTH columns: `first` before its first line, `rest` before others."""
    found = _broken(text, _room_for(WIDTH, first, rest))
    return "\n".join(((rest if number else first) + line).rstrip() for number, (_, line) in enumerate(found))


def _broken(text: str, room: int) -> Iterator[tuple[str, str]]:
    """Yields (space before, line) of a paragraph broken to `room` columns."""
    line, width, gap, joint = "", 0, "", ""
    for space, unit in _units(text):
        gap = gap or space
        more = columns(unit)
        if line and width + columns(gap) + more > room:
            yield joint, line
            line, width, joint = unit, more, gap
        elif line:
            line, width = line + gap + unit, width + columns(gap) + more
        else:
            line, width = unit, more
        gap = ""
    yield joint, line


def _room_for(width: int, *before: str) -> int:
    """Returns the columns of `width` that are left for words beside the texts before them."""
    return max(16, width - max(columns(each) for each in before))


def _laid_out(given: Sequence[Line | TableLines], width: int) -> Iterator[Line]:
    for line in given:
        if isinstance(line, TableLines):
            yield from line.lines(_room_for(width, line.first, line.rest))
        else:
            yield line


def _wrapped(line: Line, before: str, indent: str, width: int) -> Iterator[str]:
    first, rest = before + _short(line.first), indent + _short(line.rest)
    if line.kind != "flowing":
        yield (first + (KEEP if line.kind == "code" else "") + line.text).rstrip()
        return
    broke = list(_broken(line.text, _room_for(width, first, rest)))
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


def _short(before: str) -> str:
    return before if len(before) <= _MOST_BEFORE else before[-_MOST_BEFORE:]


def _units(text: str) -> Iterator[tuple[str, str]]:
    """Yields (space before, text) of every unbreakable unit, in order."""
    space, unit, glued = "", "", False
    for before, atom in _atoms(text):
        if unit and not before and (glued or _are_one(unit[-1], atom[0]) or atom[0] in _NO_START):
            unit += atom
        else:
            if unit:
                yield space, unit
            space, unit = before, atom
        glued = unit[-1] in _NO_END
    if unit:
        yield space, unit


def _are_one(before: str, after: str) -> bool:
    """Returns whether no line ends between two characters: narrow ones, and those of a word.

    A Korean line ends at spaces alone, also beside brackets and Han: `『책』을`, `한국어(韓國)는`.
    """
    if columns(before) == 1 == columns(after) or _HANGUL.match(before) or _HANGUL.match(after):
        return True
    word = _is_letter(before) and _is_letter(after)
    return word and not _ALONE.match(before) and not _ALONE.match(after)


def _is_letter(character: str) -> bool:
    """Returns whether words are made of it: letters, digits, and the signs of vowels, as in Hindi."""
    return unicodedata.category(character)[0] in "LNM"


def _atoms(text: str) -> Iterator[tuple[str, str]]:
    """Yields words, addresses, slots and single wide characters, each with the space before it."""
    space = ""
    for piece in _PIECE.finditer(text):
        if piece["space"]:
            space = " "
            continue
        for word in (piece["whole"],) if piece["whole"] else _words(piece["text"]):
            yield space, word
            space = ""


def _words(text: str) -> Iterator[str]:
    if text.isascii() or (_HANGUL.search(text) and columns(text) <= _KOREAN_WORD):
        yield text
        return
    from wcwidth import iter_graphemes

    word = ""
    for cluster in iter_graphemes(text):
        if columns(cluster) > 1:
            if word:
                yield word
                word = ""
            yield cluster
        else:
            word += cluster
    if word:
        yield word
