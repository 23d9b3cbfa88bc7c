"""The table in docs/delivery.md and the fault tests say the same."""

from __future__ import annotations

import re
from pathlib import Path

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs" / "delivery.md"


def rows() -> list[list[str]]:
    _, _, section = DOCS.read_text("utf-8").partition("## When something fails\n")
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


def test_every_sentence_in_the_table_is_proved_by_a_fault_test() -> None:
    tests = "\n".join(
        path.read_text("utf-8") for path in HERE.glob("test_*.py") if path.name != Path(__file__).name
    )
    assert len(rows()) > 20
    for what, reads, do in rows():
        for phrase in re.findall("`([^`]+)`", reads):
            assert phrase in tests, f"{what}: no test reads {phrase!r}"
        assert do
