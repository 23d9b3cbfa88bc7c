"""Parses segments: expressions that select people by their fields. An expression is never run as a program.

    language == "zh" and "vip" in tags and joined > 2026-01-01

`tokens` splits the text, `grammar` makes a typed tree, `fields` says which values a field can be compared
with, and `compiled` makes SQL with parameters. A missing value equals only the empty text `""`: every other
comparison with it is false, except that `!=` is true. Tags are compared without regard to case.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from mailer.audience.segments.fields import SUPPRESSED
from mailer.audience.segments.grammar import Node, attributes_in, parse_tree

__all__ = ["SUPPRESSED", "Segment", "parse_segment"]


@dataclass(frozen=True, slots=True)
class Segment:
    """Holds a checked segment expression. Two segments are equal if their text and time zone are equal."""

    text: str
    zone: dt.tzinfo
    tree: Node = field(repr=False, compare=False)

    def sql(self, table_alias: str = "s") -> tuple[str, tuple[object, ...]]:
        """Returns an SQL condition on subscribers, and its parameters.

        The condition is 0 or 1 and never NULL.

        `table_alias` is the name of the table `subscribers` in the statement.
        """
        from mailer.audience.segments.compiled import compile_tree

        return compile_tree(self.tree, table_alias, self.zone)

    @property
    def attributes(self) -> frozenset[str]:
        """Returns the names of the free attributes that the expression uses."""
        return frozenset(attributes_in(self.tree))


def parse_segment(text: str, zone: dt.tzinfo = dt.UTC) -> Segment:
    """Returns the segment of an expression. A date in the expression is a day in the time zone `zone`.

    Raises SegmentError, which tells the column (from 1) of the error in the expression.
    """
    return Segment(text, zone, parse_tree(text))
