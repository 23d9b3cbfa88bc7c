"""Parses a segment expression into a typed tree, by recursive descent.

or_expression  = and_expression {"or" and_expression}
and_expression = negation {"and" negation}
negation       = "not" negation | "(" or_expression ")" | test
test           = field sign value | value sign field
               | field ["not"] "in" list | value ["not"] "in" field | flag
list           = ("(" | "[") value {"," value} [","] (")" | "]")
flag           = "suppressed"
field          = name | "attributes" "." name | "attributes" "[" string "]"
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from mailer.audience.segments.fields import FIELDS, Field, attribute_field, checked_value, field_by_name
from mailer.audience.segments.tokens import Literals, Token, segment_error, tokenize
from mailer.audience.values.address import quote

__all__ = ["BooleanGroup", "Node", "Negation", "Comparison", "attributes_in", "parse_tree"]

MAX_DEPTH = 16
MAX_VALUES = 200

_SIGNS = ("==", "!=", "<", "<=", ">", ">=")
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Comparison:
    """Compares a field with a value, or tells whether the field is one of several values (sign "in")."""

    field: Field
    sign: str
    values: tuple[Literals, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """Negates a node."""

    part: Node


@dataclass(frozen=True, slots=True)
class BooleanGroup:
    """Joins nodes by `and` (all must be true) or `or` (one must be true)."""

    word: Literal["and", "or"]
    parts: tuple[Node, ...]


Node = Comparison | Negation | BooleanGroup


def parse_tree(text: str) -> Node:
    """Returns the tree of a segment expression. Raises SegmentError if the expression is wrong."""
    return _Parser(text).parse_expression()


def attributes_in(node: Node) -> Iterator[str]:
    """Yields the names of the free attributes that a tree uses."""
    if isinstance(node, BooleanGroup):
        for part in node.parts:
            yield from attributes_in(part)
    elif isinstance(node, Negation):
        yield from attributes_in(node.part)
    elif node.field.attribute:
        yield node.field.attribute


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(tokenize(text))
        self._next = 0
        self._depth = 0
        self._values = 0

    def parse_expression(self) -> Node:
        if self._current_token.kind == "end":
            raise segment_error('the expression is empty; write one such as language == "zh"', 1)
        node, rest = self._parse_or(), self._take_token()
        if rest.text in _SIGNS:
            raise segment_error(
                "a comparison must have two sides only; join two comparisons with the word and", rest.column
            )
        if rest.kind != "end":
            raise segment_error(
                f"{quote(rest.text)} is not expected here; join comparisons with and / or", rest.column
            )
        return node

    @property
    def _current_token(self) -> Token:
        return self._tokens[self._next]

    def _take_token(self) -> Token:
        token = self._current_token
        if token.kind != "end":
            self._next += 1
        return token

    def _accept_token(self, *texts: str) -> bool:
        if self._current_token.kind in ("word", "sign") and self._current_token.text in texts:
            self._next += 1
            return True
        return False

    def _parse_or(self) -> Node:
        parts = [self._parse_and()]
        while self._accept_token("or"):
            parts.append(self._parse_and())
        return parts[0] if len(parts) == 1 else BooleanGroup("or", tuple(parts))

    def _parse_and(self) -> Node:
        parts = [self._parse_negation()]
        while self._accept_token("and"):
            parts.append(self._parse_negation())
        return parts[0] if len(parts) == 1 else BooleanGroup("and", tuple(parts))

    def _parse_negation(self) -> Node:
        column = self._current_token.column
        opening = self._current_token.text == "(" and self._current_token.kind == "sign"
        if not opening and not (self._current_token.text == "not" and self._current_token.kind == "word"):
            return self._parse_test()
        self._take_token()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise segment_error(
                f"the expression is nested more than {MAX_DEPTH} levels deep; simplify it", column
            )
        node: Node = self._parse_or() if opening else Negation(self._parse_negation())
        if opening and not self._accept_token(")"):
            raise segment_error(
                f"the bracket in column {column} is not closed; write ) here", self._current_token.column
            )
        self._depth -= 1
        return node

    def _parse_test(self) -> Node:
        column = self._current_token.column
        left = self._parse_operand()
        sign = self._current_token
        if sign.text in _SIGNS and sign.kind == "sign":
            self._take_token()
            return self._parse_comparison(left, sign.text, column)
        negated = self._accept_token("not")
        if self._accept_token("in"):
            node = self._parse_membership(left, column)
            return Negation(node) if negated else node
        if isinstance(left, Field) and left.kind == "flag" and not negated:
            return Comparison(left, "==", (True,))
        if isinstance(left, Field):
            example = f'"…" in {left.name}' if left.kind in ("tags", "editions") else f"{left.name} == …"
            raise segment_error(f"{left.name} is not compared with anything; write {example}", sign.column)
        raise segment_error("a value alone is no comparison; compare a field with it", column)

    def _parse_comparison(self, left: Field | Token, sign: str, column: int) -> Node:
        place = self._current_token.column
        bare = self._current_token.text if self._current_token.kind == "name" else ""
        right = self._parse_operand()
        if isinstance(left, Token):
            if isinstance(right, Token):
                raise segment_error("both sides are values; compare a field with a value", column)
            return self._comparison_node(right, _FLIPPED.get(sign, sign), left)
        if isinstance(right, Field):
            raise segment_error(f'both sides are fields; put a value in quotes, as in "{bare}"', place)
        return self._comparison_node(left, sign, right)

    def _comparison_node(self, field: Field, sign: str, value: Token) -> Node:
        checked = checked_value(field, sign, self._count_and_return_value(value), value.column)
        return (
            Negation(Comparison(field, "==", (checked,)))
            if sign == "!="
            else Comparison(field, sign, (checked,))
        )

    def _parse_membership(self, left: Field | Token, column: int) -> Node:
        place = self._current_token.column
        if isinstance(left, Token):
            field = self._parse_operand() if self._current_token.kind == "name" else None
            if not isinstance(field, Field) or field.kind not in ("tags", "editions"):
                raise segment_error('after a value, "in" must be followed by tags or editions', place)
            if not isinstance(left.value, str):
                raise segment_error(
                    f'{field.name} are texts; put the value in quotes, as in "…" in {field.name}', column
                )
            return Comparison(field, "in", (self._count_and_return_value(left),))
        return Comparison(left, "in", self._parse_list(left))

    def _parse_list(self, field: Field) -> tuple[Literals, ...]:
        start = self._current_token
        if not self._accept_token("(", "["):
            raise segment_error(
                f'write the values in brackets, as in {field.name} in ("…", "…")', start.column
            )
        closing = ")" if start.text == "(" else "]"
        values: list[Literals] = []
        while not self._accept_token(closing):
            value = self._take_token()
            if value.kind != "value":
                raise segment_error(f"a value in quotes, or {closing}, is expected here", value.column)
            values.append(checked_value(field, "in", self._count_and_return_value(value), value.column))
            if not self._accept_token(",") and self._current_token.text != closing:
                raise segment_error(f"a comma or {closing} is expected here", self._current_token.column)
        if not values:
            raise segment_error("the list is empty; write at least one value", start.column)
        return tuple(values)

    def _count_and_return_value(self, token: Token) -> Literals:
        self._values += 1
        if self._values > MAX_VALUES:
            raise segment_error(f"there are more than {MAX_VALUES} values; use a tag instead", token.column)
        return token.value

    def _parse_operand(self) -> Field | Token:
        token = self._take_token()
        if token.kind == "value":
            return token
        if token.kind != "name":
            what = quote(token.text) if token.text else "the end"
            raise segment_error(f"a field or a value is expected here, not {what}", token.column)
        if token.text == "subscriber" and self._current_token.text == ".":
            known = ", ".join(FIELDS)
            raise segment_error(f'leave out "subscriber."; the fields are {known}', token.column)
        if token.text != "attributes":
            if self._current_token.text == ".":
                raise segment_error("only attributes have parts; write attributes.NAME", token.column)
            return field_by_name(token.text, token.column)
        if self._accept_token("."):
            name = self._take_token()
            if name.kind in ("name", "word"):
                return attribute_field(name.text, name.column)
        elif self._accept_token("["):
            name = self._take_token()
            if isinstance(name.value, str) and name.kind == "value" and self._accept_token("]"):
                return attribute_field(name.value, name.column)
        raise segment_error(
            'name the attribute, as in attributes.company or attributes["company"]', token.column
        )
