"""Reads columns that tell a person's status. Pure, except that the cells are counted.

A row with a cell that is not understood is refused, so that nobody becomes active by mistake. There is one
exception: in a column that may be no status at all (a CRM's "Status"), a word that does not mean leaving is
ignored.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from mailer.audience.exchange.columns.cell_words import (
    RANKS,
    folded_text,
    is_no,
    is_number,
    is_yes,
    means_no_value,
)
from mailer.audience.exchange.columns.exclusion_words import asks_for_consent, exclusion_status
from mailer.audience.exchange.columns.profile import status_words
from mailer.audience.values.address import quote
from mailer.errors import AudienceError

__all__ = ["CellRule", "StatusColumn", "CellMeaning"]

#: At most so many different cells of a column are remembered and reported.
MAX_WORDS = 1000
_DATE = re.compile(r"\d{1,4}[-/.年]\d{1,2}[-/.月]\d{1,4}日?(?:[ T].*)?|\d{9,13}|\d{4}\d{2}\d{2}(?:T\d{6}Z?)?")
_NEGATION = re.compile(
    r"\b(?:not|never|no|nie|nicht|kein|non|pas|sin)\b|^un(?=bounce|block|cancel)|未|没有|非", re.I
)


@dataclass(frozen=True, slots=True)
class CellRule:
    """Says how the cells of a column are read.

    `how` is words, status, only, time, reason, yes, no, refusal or name (see the module `profile`). `status`
    is the result for time, reason, yes and no, and `blank` the result for an empty cell.
    """

    how: str
    status: str = ""
    blank: str = ""

    @classmethod
    def parse(cls, text: str) -> CellRule:
        """Returns the rule that a profile writes as text, such as `no unsubscribed blank pending`."""
        how, *rest = text.split()
        return cls(how, rest[0] if rest else "", rest[2] if len(rest) > 2 else "")

    def in_words(self) -> str:
        """Returns a description of the rule for messages."""
        if self.how in ("words", "status", "name", "only"):
            return "status"
        cells = {"time": "anything in it", "reason": "anything in it", "yes": "yes"}.get(self.how, "no")
        return f"who has left ({cells}: {self.status})"


@dataclass(slots=True)
class CellMeaning:
    """Holds the status that a cell of a column means ("": none), and the number of rows with the cell.

    `note` says why the cell was ignored, if it was.
    """

    column: str
    status: str
    note: str = ""
    rows: int = 0


@dataclass(slots=True)
class StatusColumn:
    """Reads a column that tells a person's status, and remembers what different cells of the column mean.

    `words` has the tool's own words for a status. `refused` counts the rows by a cell that is not understood.
    """

    column: str
    index: int
    rule: CellRule
    words: Mapping[str, str]
    meanings: dict[str, CellMeaning] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)

    def read(self, cell: str) -> CellMeaning:
        """Returns what a cell means. Raises AudienceError if the cell is not understood."""
        meaning = self.meanings.get(cell)
        if meaning is None:
            meaning = self._interpret(cell)
            if self.rule.how in ("time", "reason"):
                meaning = self.meanings.setdefault(
                    f"(anything: {meaning.status})" if meaning.status else "", meaning
                )
            elif len(self.meanings) < MAX_WORDS:
                self.meanings[cell] = meaning
        return meaning

    def try_read(self, cell: str, problems: list[str]) -> CellMeaning | None:
        """Returns what a cell means.

        If the cell is not understood, adds a message to `problems` and returns None.
        """
        try:
            return self.read(cell)
        except AudienceError as error:
            problems += [problem.message for problem in error.problems]
            if cell in self.refused or len(self.refused) < MAX_WORDS:
                self.refused[cell] = self.refused.get(cell, 0) + 1
            return None

    def _interpret(self, cell: str) -> CellMeaning:
        if means_no_value(cell):
            return CellMeaning(self.column, self.rule.blank)
        how, status = self.rule.how, self.rule.status
        if how == "only":
            return CellMeaning(self.column, self.words.get(folded_text(cell), ""))
        if how == "name":
            how, status = "yes", exclusion_status(self.column)
            if not status:
                how, status = ("no", "unsubscribed") if asks_for_consent(self.column) else ("words", "")
        word = folded_text(cell)
        known = self.words.get(word) or status_words().get(word, "")
        if how == "reason":
            said = exclusion_status(cell)
            return CellMeaning(self.column, "complained" if "complained" in (known, said) else status)
        if how == "time":
            return (
                CellMeaning(self.column, "")
                if is_no(cell)
                else CellMeaning(self.column, known if RANKS[known] >= RANKS[status] else status)
            )
        if how == "refusal":
            said = known or exclusion_status(cell)
            return CellMeaning(
                self.column, status if is_no(cell) else said if RANKS[said] > RANKS["active"] else ""
            )
        if how in ("yes", "no") and (is_yes(cell) or is_no(cell)):
            return CellMeaning(self.column, status if is_yes(cell) is (how == "yes") else "active")
        if known:
            return CellMeaning(self.column, known)
        if how == "yes" and _DATE.fullmatch(cell.strip()):
            return CellMeaning(self.column, status)
        if how == "no" and _DATE.fullmatch(cell.strip()):
            return CellMeaning(self.column, "active")
        return self._meaning_of_unknown_word(cell)

    def _meaning_of_unknown_word(self, cell: str) -> CellMeaning:
        """Returns the meaning of a word that no profile has. Raises AudienceError if it may mean a status."""
        said, word = exclusion_status(cell), folded_text(cell)
        if said and not _NEGATION.search(cell):
            return CellMeaning(self.column, said)
        letter = len(word) == 1 and word.isascii()
        plain = not (said or letter or is_yes(cell) or is_no(cell) or is_number(cell))
        if self.rule.how == "status" and plain:
            return CellMeaning(
                self.column,
                "",
                f"the status {quote(cell.strip(), 40)} is not known and was ignored",
            )
        raise AudienceError(
            f"the status {quote(cell.strip(), 40)} in {quote(self.column, 40)} is not known; write active, "
            "pending, unsubscribed, bounced or complained, or leave the column out with --ignore"
        )
