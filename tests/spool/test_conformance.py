"""Both implementations of the spool do what the protocol says."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlite_utils import Database

from mailer.spool.base import Spools
from mailer.spool.open import spools_of
from mailer.spool.values import PlannedDelivery, SettledClaim
from tests.spool.conformance import Conformance, campaign
from tests.spool.memory import MemorySpools
from tests.spooled import add_readers


class Kept:
    """A redaction that keeps all words."""

    def redact_outcomes(self, settled: Sequence[SettledClaim]) -> Sequence[SettledClaim]:
        return settled

    def redact_text(self, text: str) -> str:
        return text


class TestSqlite(Conformance):
    @pytest.fixture
    def spools(self, db: Database) -> Spools:
        add_readers(db, 9)
        return spools_of(db)

    def test_what_is_frozen_in_a_transaction_that_fails_is_not_there(self, spools: Spools) -> None:
        def freeze_and_fail() -> None:
            with spools.transaction():
                spools.freeze(campaign(), [PlannedDelivery(1, 0)])
                raise RuntimeError

        with pytest.raises(RuntimeError):
            freeze_and_fail()
        assert spools.campaigns() == []


class TestMemory(Conformance):
    @pytest.fixture
    def spools(self) -> Spools:
        return MemorySpools(Kept())
