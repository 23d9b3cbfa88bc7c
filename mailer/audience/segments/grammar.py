"""Parses a segment expression into a typed tree, by recursive descent.

either     = both {"or" both}
both       = negation {"and" negation}
negation   = "not" negation | "(" either ")" | test
test       = field sign value | value sign field | field ["not"] "in" list | value ["not"] "in" field | flag
list       = ("(" | "[") value {"," value} [","] (")" | "]")
flag       = "suppressed"
field      = name | "attributes" "." name | "attributes" "[" string "]"
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mailer.audience.segments.fields import FIELDS, Field, attribute_field, checked_value, named_field
from mailer.audience.segments.tokens import Literals, Token, fail, tokens
from mailer.audience.values.address import quote

__all__ = ["Group", "Node", "Not", "Comparison", "attributes_in", "parse_tree"]

MAX_DEPTH = 16
MAX_VALUES = 200

_SIGNS = ("==", "!=", "<", "<=", ">", ">=")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares a field with values: `field sign value`, or the field is one of several (sign "in")."""

    field: Field
    sign: str
    values: tuple[Literals, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Negates a node."""

    part: Node


@dataclass(frozen=True, slots=True)
class Group:
    """Joins nodes by `and` (all of them) or `or` (any of them)."""

    word: Literal["and", "or"]
    parts: tuple[Node, ...]


Node = Comparison | Not | Group


def parse_tree(text: str) -> Node:
    """Returns the tree of an expression. Raises SegmentError."""
    return _Parser(text).whole()


def attributes_in(node: Node) -> Iterator[str]:
    """Yields the names of the free attributes under `node`."""
    if isinstance(node, Group):
        for part in node.parts:
            yield from attributes_in(part)
    elif isinstance(node, Not):
        yield from attributes_in(node.part)
    elif node.field.attribute:
        yield node.field.attribute


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(tokens(text))
        self._next = 0
        self._depth = 0
        self._values = 0

    def whole(self) -> Node:
        if self._now.kind == "end":
            raise fail('the expression is empty; write one such as language == "zh"', 1)
        node, rest = self._either(), self._take()
        if rest.text in _SIGNS:
            raise fail("a comparison has two sides; join two comparisons with and", rest.column)
        if rest.kind != "end":
            raise fail(f"{quote(rest.text)} is not expected here; join tests with and / or", rest.column)
        return node

    @property
    def _now(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._now
        if token.kind != "end":
            self._next += 1
        return token

    def _takes(self, *texts: str) -> bool:
        if self._now.kind in ("word", "sign") and self._now.text in texts:
            self._next += 1
            return True
        return False

    def _either(self) -> Node:
        parts = [self._both()]
        while self._takes("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Group("or", tuple(parts))

    def _both(self) -> Node:
        parts = [self._negation()]
        while self._takes("and"):
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else Group("and", tuple(parts))

    def _negation(self) -> Node:
        column = self._now.column
        opening = self._now.text == "(" and self._now.kind == "sign"
        if not opening and not (self._now.text == "not" and self._now.kind == "word"):
            return self._test()
        self._take()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise fail(f"more than {MAX_DEPTH} brackets deep; write it flatter", column)
        node: Node = self._either() if opening else Not(self._negation())
        if opening and not self._takes(")"):
            raise fail(f"the bracket of column {column} is not closed; write ) here", self._now.column)
        self._depth -= 1
        return node

    def _test(self) -> Node:
        column = self._now.column
        left = self._operand()
        sign = self._now
        if sign.text in _SIGNS and sign.kind == "sign":
            self._take()
            return self._comparison(left, sign.text, column)
        negated = self._takes("not")
        if self._takes("in"):
            node = self._membership(left, column)
            return Not(node) if negated else node
        if isinstance(left, Field) and left.kind == "flag" and not negated:
            return Comparison(left, "==", (True,))
        if isinstance(left, Field):
            example = f'"…" in {left.name}' if left.kind in ("tags", "editions") else f"{left.name} == …"
            raise fail(f"{left.name} is not compared with anything; write {example}", sign.column)
        raise fail("a value alone says nothing; compare a field with it", column)

    def _comparison(self, left: Field | Token, sign: str, column: int) -> Node:
        place = self._now.column
        bare = self._now.text if self._now.kind == "name" else ""
        right = self._operand()
        if isinstance(left, Token):
            if isinstance(right, Token):
                raise fail("both sides are values; compare a field with a value", column)
            return self._compared(right, _FLIPPED.get(sign, sign), left)
        if isinstance(right, Field):
            raise fail(f'both sides are fields; put a value in quotes, as in "{bare}"', place)
        return self._compared(left, sign, right)

    def _compared(self, field: Field, sign: str, value: Token) -> Node:
        checked = checked_value(field, sign, self._counted(value), value.column)
        return (
            Not(Comparison(field, "==", (checked,))) if sign == "!=" else Comparison(field, sign, (checked,))
        )

    def _membership(self, left: Field | Token, column: int) -> Node:
        place = self._now.column
        if isinstance(left, Token):
            field = self._operand() if self._now.kind == "name" else None
            if not isinstance(field, Field) or field.kind not in ("tags", "editions"):
                raise fail("a value can be in tags or in editions", place)
            if not isinstance(left.value, str):
                raise fail(
                    f'{field.name} are texts; put the value in quotes, as in "…" in {field.name}', column
                )
            return Comparison(field, "in", (self._counted(left),))
        return Comparison(left, "in", self._list(left))

    def _list(self, field: Field) -> tuple[Literals, ...]:
        start = self._now
        if not self._takes("(", "["):
            raise fail(f'write the values in brackets, as in {field.name} in ("…", "…")', start.column)
        closing = ")" if start.text == "(" else "]"
        values: list[Literals] = []
        while not self._takes(closing):
            value = self._take()
            if value.kind != "value":
                raise fail(f"a value in quotes, or {closing}, is expected here", value.column)
            values.append(checked_value(field, "in", self._counted(value), value.column))
            if not self._takes(",") and self._now.text != closing:
                raise fail(f"a comma or {closing} is expected here", self._now.column)
        if not values:
            raise fail("the list is empty; nothing is in it", start.column)
        return tuple(values)

    def _counted(self, token: Token) -> Literals:
        self._values += 1
        if self._values > MAX_VALUES:
            raise fail(f"there are more than {MAX_VALUES} values; use a tag instead", token.column)
        return token.value

    def _operand(self) -> Field | Token:
        token = self._take()
        if token.kind == "value":
            return token
        if token.kind != "name":
            what = quote(token.text) if token.text else "the end"
            raise fail(f"a field or a value is expected here, not {what}", token.column)
        if token.text == "subscriber" and self._now.text == ".":
            known = ", ".join(FIELDS)
            raise fail(f'leave out "subscriber."; the fields are {known}', token.column)
        if token.text != "attributes":
            if self._now.text == ".":
                raise fail("only attributes have parts; write attributes.NAME", token.column)
            return named_field(token.text, token.column)
        if self._takes("."):
            name = self._take()
            if name.kind in ("name", "word"):
                return attribute_field(name.text, name.column)
        elif self._takes("["):
            name = self._take()
            if isinstance(name.value, str) and name.kind == "value" and self._takes("]"):
                return attribute_field(name.value, name.column)
        raise fail('name the attribute, as in attributes.company or attributes["company"]', token.column)
