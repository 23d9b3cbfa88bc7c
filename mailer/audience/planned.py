"""Packs the people of a plan, as (subscriber id, variant), into about one or two bytes per person.

    version (1 byte), then blocks: first id, last id, number of people, size in bytes | deflated columns

A block has two columns of 64-bit numbers: the differences between successive ids, and the variants. The bytes
of a column are transposed (the first byte of each number, then the second of each, and so on), because most
of the transposed bytes are zero and compress well. Packing and unpacking hold one block of about 65,000
people as numbers, so a million people need little more memory than their packed bytes.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from operator import sub

from mailer.errors import StoreError

__all__ = ["PlanDifference", "PlannedPeopleBuilder", "PlannedPeople", "compare_planned_people"]

#: The number of people at which a block is closed.
BLOCK = 65_536
_VERSION = b"\x01"
#: The first id of a block, its last, how many people it has, and how many bytes of columns follow.
_HEAD = struct.Struct("<qqII")
#: The size of a number, in bytes.
_WIDTH = 8


@dataclass(frozen=True, slots=True)
class PlannedPeople:
    """Holds the people of a plan in packed form.

    Iterating yields (subscriber id, variant) in the order of the ids.

    Every method raises StoreError if `data` is damaged.
    """

    data: bytes

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for block in self._blocks():
            yield from zip(*block.unpack(), strict=True)

    def __len__(self) -> int:
        return sum(block.number for block in self._blocks())

    def without_subscriber(self, subscriber_id: int) -> PlannedPeople:
        """Returns the planned people without this subscriber, or the same object if that changes nothing."""
        for block in self._blocks():
            if block.first <= subscriber_id <= block.last:
                ids, variants = block.unpack()
                if subscriber_id not in ids:
                    return self
                place = ids.index(subscriber_id)
                del ids[place], variants[place]
                return PlannedPeople(
                    self.data[: block.begin] + _pack_block(ids, variants) + self.data[block.end :]
                )
        return self

    def _blocks(self) -> Iterator[_Block]:
        if not self.data.startswith(_VERSION):
            raise _damaged_plan_error()
        begin = len(_VERSION)
        while begin < len(self.data):
            try:
                first, last, number, size = _HEAD.unpack_from(self.data, begin)
            except struct.error:
                raise _damaged_plan_error() from None
            columns = begin + _HEAD.size
            yield _Block(first, last, number, begin, columns + size, self.data[columns : columns + size])
            begin = columns + size


class PlannedPeopleBuilder:
    """Builds a `PlannedPeople` of people that are added in the order of their ids."""

    def __init__(self) -> None:
        self._packed = [_VERSION]
        self._ids: array[int] = array("q")
        self._variants: array[int] = array("q")

    def add(self, ids: Sequence[int], variants: Sequence[int]) -> None:
        """Adds people: their ids, each larger than all earlier ids, and the variant of each."""
        self._ids.extend(ids)
        self._variants.extend(variants)
        if len(self._ids) >= BLOCK:
            self._finish_block()

    def build(self) -> PlannedPeople:
        """Returns all people that were added."""
        self._finish_block()
        return PlannedPeople(b"".join(self._packed))

    def _finish_block(self) -> None:
        self._packed.append(_pack_block(self._ids, self._variants))
        self._ids, self._variants = array("q"), array("q")


@dataclass(frozen=True, slots=True)
class PlanDifference:
    """Counts the differences between the people of a plan and the people who would get the issue now.

    `added` people were not planned, `other_variant` people would now read another variant than planned, and
    `removed` people were planned but would not get the issue now.
    """

    added: int
    other_variant: int
    removed: int


def compare_planned_people(
    planned: Iterable[tuple[int, int]], present: Iterable[tuple[int, int]]
) -> PlanDifference:
    """Counts the differences between two streams of (subscriber id, variant), both in the order of the ids.

    Needs the same memory for streams of any length.
    """
    added = other_variant = removed = 0
    those = iter(planned)
    awaited = next(those, None)
    for subscriber_id, variant in present:
        while awaited is not None and awaited[0] < subscriber_id:
            removed += 1
            awaited = next(those, None)
        if awaited is None or awaited[0] != subscriber_id:
            added += 1
            continue
        other_variant += awaited[1] != variant
        awaited = next(those, None)
    removed += (awaited is not None) + sum(1 for _ in those)
    return PlanDifference(added, other_variant, removed)


@dataclass(frozen=True, slots=True)
class _Block:
    """Holds one block of packed people.

    `first` and `last` are subscriber ids, and `number` is the number of people. `begin` and `end` are the
    positions of the block in the packed bytes, and `columns` has the two deflated columns.
    """

    first: int
    last: int
    number: int
    begin: int
    end: int
    columns: bytes

    def unpack(self) -> tuple[array[int], array[int]]:
        """Returns the subscriber ids and the variants of the block's people."""
        size = self.number * _WIDTH
        try:
            columns = zlib.decompress(self.columns)
        except zlib.error:
            raise _damaged_plan_error() from None
        if len(columns) != 2 * size:
            raise _damaged_plan_error()
        steps = _numbers_of_transposed_bytes(columns[:size])
        steps[0] = self.first
        return array("q", accumulate(steps)), _numbers_of_transposed_bytes(columns[size:])


def _pack_block(ids: array[int], variants: array[int]) -> bytes:
    """Returns one packed block of these people, or no bytes if there are no people."""
    if not ids:
        return b""
    steps = array("q", [0])
    steps.extend(map(sub, ids[1:], ids))
    columns = zlib.compress(_transposed_bytes(steps) + _transposed_bytes(variants))
    return _HEAD.pack(ids[0], ids[-1], len(ids), len(columns)) + columns


def _transposed_bytes(column: array[int]) -> bytes:
    """Returns the bytes of 64-bit numbers, transposed: the lowest byte of each number, then the next."""
    raw = _little_endian(column).tobytes()
    return b"".join(raw[plane::_WIDTH] for plane in range(_WIDTH))


def _numbers_of_transposed_bytes(transposed: bytes) -> array[int]:
    """Returns the numbers that `_transposed_bytes` made into bytes."""
    number = len(transposed) // _WIDTH
    raw = bytearray(len(transposed))
    for plane in range(_WIDTH):
        raw[plane::_WIDTH] = transposed[plane * number : (plane + 1) * number]
    column = array("q")
    column.frombytes(raw)
    return _little_endian(column)


def _little_endian(column: array[int]) -> array[int]:
    """Converts a column between the byte order of this machine and little-endian."""
    if sys.byteorder == "little":
        return column
    swapped = column[:]  # pragma: no cover - no such machine runs the tests
    swapped.byteswap()  # pragma: no cover
    return swapped  # pragma: no cover


def _damaged_plan_error() -> StoreError:
    return StoreError("a plan in subscribers.db is damaged; make it again with `mailer plan`")
