"""Both implementations of the spool do the same to a delivery in each state."""

from __future__ import annotations

import pytest
from sqlite_utils import Database

from mailer.spool.base import Spools
from mailer.spool.open import spools_of
from tests.spool.every_state import EveryState
from tests.spool.memory import MemorySpools
from tests.spool.test_conformance import Kept
from tests.spooled import add_readers


class TestSqlite(EveryState):
    @pytest.fixture
    def spools(self, db: Database) -> Spools:
        add_readers(db, 9)
        return spools_of(db)


class TestMemory(EveryState):
    @pytest.fixture
    def spools(self) -> Spools:
        return MemorySpools(Kept())
