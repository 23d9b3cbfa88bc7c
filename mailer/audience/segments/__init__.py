"""Parses segments: expressions over a person's fields, which are never evaluated as a program.

    language == "zh" and "vip" in tags and joined > 2026-01-01

`tokens` splits the text, `grammar` makes a typed tree, `fields` says which values a field is compared with,
`compiled` makes SQL with parameters. A missing value equals the empty text `""` and nothing else: any other
comparison with it is false, and `!=` is true. Tags are compared without regard to case.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from mailer.audience.segments.fields import SUPPRESSED
from mailer.audience.segments.grammar import Node, attributes_in, parse_tree

__all__ = ["SUPPRESSED", "Segment", "parse"]


@dataclass(frozen=True, slots=True)
class Segment:
    """Holds a checked expression. Two segments of the same text and time zone are equal."""

    text: str
    zone: dt.tzinfo
    tree: Node = field(repr=False, compare=False)

    def sql(self, alias: str = "s") -> tuple[str, tuple[object, ...]]:
        """Returns a condition on subscribers under `alias`, and its parameters.

        The condition is 0 or 1 and never NULL.
        """
        from mailer.audience.segments.compiled import compile_tree

        return compile_tree(self.tree, alias, self.zone)

    @property
    def attributes(self) -> frozenset[str]:
        """Returns the names of the free attributes that the expression reads."""
        return frozenset(attributes_in(self.tree))


def parse(text: str, zone: dt.tzinfo = dt.UTC) -> Segment:
    """Returns the segment of an expression; dates in it are days in `zone`.

    Raises SegmentError whose Problem has the column (from 1) of what is wrong.
    """
    return Segment(text, zone, parse_tree(text))
