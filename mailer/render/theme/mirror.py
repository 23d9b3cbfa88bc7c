"""Mirrors the rules of a style sheet for text from right to left: `left` becomes `right` and vice versa."""

from __future__ import annotations

import re
from typing import Literal

from markupsafe import Markup

__all__ = ["mirror_rules"]

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_SIDE = re.compile(r"(?<![a-z])(left|right)(?![a-z])")
_OTHER = {"left": "right", "right": "left"}
#: Properties with a value for each side, from the top clockwise.
_FOUR = frozenset(("padding", "margin", "border-width", "border-style", "border-color"))
_WORDS = frozenset(("text-align", "float", "clear"))


def mirror_rules(css: str, part: Literal["", "ltr", "rtl"] = "") -> str:
    """Returns the CSS rules in `css`, which are for text from left to right, mirrored for right to left.

    If `part` is given, the rules are for a part of a page that runs in the direction `part`, while the page
    runs in the other direction. Then only the declarations that must differ are returned, with `[dir="…"]`
    before each selector. A rule for cells with an `align` attribute is not mirrored, because such a rule
    means the side that it names.
    """
    rules = [(selector.strip(), _parse_declarations(body)) for selector, body in _RULE.findall(css)]
    mirrored = _rule_for_part if part else _mirrored_rule
    made = [rule for selector, each in rules for rule in mirrored(selector, each, part)]
    text = "\n".join(f"{selector} {{ {'; '.join(body)}; }}" for selector, body in made)
    return Markup(text) if isinstance(css, Markup) else text  # noqa: S704


def _parse_declarations(body: str) -> list[tuple[str, str]]:
    pairs = (declaration.partition(":") for declaration in body.split(";") if declaration.strip())
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _mirrored_rule(
    selector: str, declarations: list[tuple[str, str]], _part: str
) -> list[tuple[str, list[str]]]:
    if "[align" in selector:
        return [(selector, [f"{name}: {value}" for name, value in declarations])]
    return [(selector, ["{}: {}".format(*_mirrored_property(name, value)) for name, value in declarations])]


def _rule_for_part(
    selector: str, declarations: list[tuple[str, str]], part: str
) -> list[tuple[str, list[str]]]:
    """Returns the rule with only the declarations that must differ from the rest of the page.

    The list is empty if none differ. `part` is the direction of the part.
    """
    body: list[str] = []
    for name, value in declarations:
        opposite = _mirrored_property(name, value)
        if opposite == (name, value) and "[align" not in selector:
            continue
        as_written = part == "ltr" or "[align" in selector
        here, there = ((name, value), opposite) if as_written else (opposite, (name, value))
        if here[0] != there[0]:
            body.append(f"{there[0]}: 0")
        body.append("{}: {}".format(*here))
    selectors = (f'[dir="{part}"] {each.strip()}' for each in selector.split(","))
    return [(", ".join(selectors), body)] if body else []


def _mirrored_property(name: str, value: str) -> tuple[str, str]:
    if name in _WORDS:
        return name, _SIDE.sub(lambda side: _OTHER[side[1]], value)
    values = re.split(r"\s+(?![^(]*\))", value)
    important = values[4:] == ["!important"]
    if len(values) == 4 or (len(values) == 5 and important):
        if name in _FOUR:
            values[1], values[3] = values[3], values[1]
        elif name == "border-radius":
            values[:4] = values[1], values[0], values[3], values[2]
        return name, " ".join(values)
    return _SIDE.sub(lambda side: _OTHER[side[1]], name), value
