"""Both implementations of the spool do what the protocol says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlite_utils import Database

from mailer.spool.base import Spools
from mailer.spool.open import spools_of
from mailer.spool.values import Settled
from tests.spool.conformance import Conformance
from tests.spool.memory import MemorySpools
from tests.spooled import add_readers


class Kept:
    """A redaction that keeps all words."""

    def outcomes(self, settled: Sequence[Settled]) -> Sequence[Settled]:
        return settled

    def text(self, words: str) -> str:
        return words


class TestSqlite(Conformance):
    @pytest.fixture
    def spools(self, db: Database) -> Spools:
        add_readers(db, 9)
        return spools_of(db)


class TestMemory(Conformance):
    @pytest.fixture
    def spools(self) -> Spools:
        return MemorySpools(Kept())
