"""Reads `{{ … }}` in the texts of an issue: slots and nothing else.

An editor may write `{{ subscriber.name or "reader" }}`. Expressions consist of names, strings and `or` only,
so that no code can be executed. `{{ "{{" }}` prints braces. `{%` and `{#` have no meaning here and are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from mailer.display_text import nearest_word

__all__ = [
    "ALLOWED",
    "BRACES",
    "FIELDS",
    "LINKS",
    "ExpressionError",
    "replace_slots",
    "slot_path",
    "slot_text",
    "slots_of",
    "text_for_everybody",
]

FIELDS = ("name", "email", "language", "attributes")
LINKS = ("unsubscribe", "preferences")
ALLOWED = (
    "subscriber.name, subscriber.email, subscriber.language, subscriber.attributes.KEY, "
    "links.unsubscribe and links.preferences"
)

_ATTRIBUTES = "subscriber.attributes."

#: The one way to write two braces that are text.
BRACES = '{{ "{{" }}'

_WORD = re.compile(
    r"""\s*(?:(?P<name>[^\W\d]\w*(?:\s*(?:\.\s*\w+|\[\s*(?:"[^"\n]*"|'[^'\n]*')\s*\]))*)"""
    r"""|(?P<string>"[^"\n]*"|'[^'\n]*')|(?P<end>\}\})|(?P<other>\S))"""
)
#: Quotation marks that programs put in place of straight ones.
_CURLY = "“”‘’„«»「」『』＂＇"
_STEP = re.compile(r"""[^\W]\w*|\[\s*(?:"[^"\n]*"|'[^'\n]*')\s*\]""")


class ExpressionError(ValueError):
    """Describes a mistake in an expression. `line` is the line in the text, counted from 0."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def slot_path(names: tuple[str, ...]) -> str:
    """Returns the path of a slot, such as `subscriber.name`, from its names, such as (subscriber, name).

    Raises ValueError with the valid paths if there is no such slot.
    """
    match names:
        case ("subscriber", "name" | "email" | "language"):
            return ".".join(names)
        case ("subscriber", "attributes", key) if key:
            return ".".join(names)
        case ("links", "unsubscribe" | "preferences"):
            return ".".join(names)
        case ("subscriber", "attributes", *_):
            raise ValueError("write an attribute as subscriber.attributes.KEY")
        case ("subscriber" | "links" as group, field, *rest):
            best = nearest_word(field, FIELDS if group == "subscriber" else LINKS)
            advice = (
                f'did you mean "{group}.{best}"?' if best and not rest else f"the known names are {ALLOWED}"
            )
            raise ValueError(f"{'.'.join(names)} is not known; {advice}")
    best = nearest_word(names[0], ("subscriber", "links"))
    advice = f'did you mean "{best}"?' if best and best != names[0] else f"the known names are {ALLOWED}"
    raise ValueError(f"{'.'.join(names)} is not known here; {advice}")


def slot_text(paths: Sequence[str], default: str) -> str:
    """Returns a slot as it is written in an issue. `replace_slots` reads the result as the same slot."""
    words = [_path_text(path) for path in paths]
    if default:
        words.append(_quoted(default))
    return "{{ " + " or ".join(words) + " }}"


def _path_text(path: str) -> str:
    key = path.removeprefix(_ATTRIBUTES)
    if key == path or re.fullmatch(r"\w+", key):
        return path
    return f"{_ATTRIBUTES[:-1]}[{_quoted(key)}]"


def _quoted(text: str) -> str:
    quote = "'" if '"' in text else '"'
    return f"{quote}{text}{quote}"


def replace_slots(text: str, make_value: Callable[[tuple[str, ...], str], str]) -> str:
    """Returns `text` with the result of `make_value(paths, default)` in place of each slot.

    `paths` are the alternatives in the slot, such as `subscriber.name`; `default` is its default text. Raises
    ExpressionError at the first expression that is not valid.
    """
    pieces: list[str] = []
    end = 0
    for start, stop, paths, default in slots_of(text):
        pieces += (text[end:start], make_value(paths, default) if paths else default)
        end = stop
    return "".join([*pieces, text[end:]])


def text_for_everybody(text: str) -> str:
    """Returns `text` as one line, with the default of each slot in place of the slot.

    Raises ExpressionError at the first expression that is not valid.
    """
    return " ".join(replace_slots(text, lambda _paths, default: default).split())


def slots_of(text: str) -> Iterator[tuple[int, int, tuple[str, ...], str]]:
    """Yields (start, end, paths, default) of each expression. A string in braces has no paths.

    `start` and `end` are offsets in `text`. `paths` are alternatives: the first that has a value is used, and
    `default` if none has.

    Raises ExpressionError at the first expression that is not valid.
    """
    start = text.find("{{")
    while start >= 0:
        try:
            paths, default, end = _read_expression(text, start + 2)
        except ValueError as error:
            message = str(error)
            if BRACES not in message:
                message += f"; if two braces are meant as text, write {BRACES}"
            raise ExpressionError(message, text.count("\n", 0, start)) from None
        yield start, end, paths, default
        start = text.find("{{", end)


def _read_expression(text: str, position: int) -> tuple[tuple[str, ...], str, int]:
    """Returns the paths, the default and the end of the expression whose content begins at `position`."""
    paths: list[str] = []
    default: str | None = None
    while True:
        word = _WORD.match(text, position)
        if word is None:
            raise ValueError('"{{" is not closed by "}}"; write {{ "{{" }} to print two braces')
        position = word.end()
        if default is not None:
            pass
        elif word["string"]:
            default = word["string"][1:-1]
        elif word["name"] and word["name"] != "or":
            steps = tuple(
                step[1:-1].strip()[1:-1] if step.startswith("[") else step
                for step in _STEP.findall(word["name"])
            )
            paths.append(slot_path(steps))
        elif word["other"] and word["other"] in _CURLY:
            raise ValueError(
                f"the quotation mark {word['other']} does not work between {{{{ and }}}}; "
                'write {{ subscriber.name or "reader" }} with straight quotes'
            )
        else:
            raise ValueError(
                f"between {{{{ and }}}} there must be a name or a text in quotes; the names are {ALLOWED}"
            )
        word = _WORD.match(text, position)
        if word is None:
            raise ValueError('"{{" is not closed by "}}"; write {{ "{{" }} to print two braces')
        position = word.end()
        if word["end"]:
            return tuple(paths), default or "", position
        if word["name"] == "or" and default is None:
            continue
        if word["other"] == "|":
            raise ValueError('filters are not allowed in an issue; write {{ subscriber.name or "reader" }}')
        raise ValueError(
            f'"{(word["name"] or word["string"] or word["other"])[:40]}" is not allowed here; '
            'join names with "or", and put a text in quotes last'
        )
