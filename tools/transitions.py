"""Draws the statuses of a campaign and the states of a delivery for docs/delivery.md.

`python -m tools.transitions` writes both tables there.
"""

from __future__ import annotations

from pathlib import Path

from mailer.campaign.delivery_state import CHANGES
from mailer.campaign.status import TRANSITIONS

__all__ = ["BEGIN", "BEGIN_STATES", "END", "END_STATES", "drawing", "drawing_of_states"]

BEGIN = "<!-- statuses: made by tools/transitions.py -->"
END = "<!-- end of statuses -->"
BEGIN_STATES = "<!-- states: made by tools/transitions.py -->"
END_STATES = "<!-- end of states -->"
_PAGE = Path(__file__).parents[1] / "docs" / "delivery.md"


def drawing() -> str:
    """Returns a table of Markdown, one row for each event."""
    rows = ["| event | means | from | to | caused by |", "|---|---|---|---|---|"]
    for transition in TRANSITIONS:
        sources = ", ".join(f"`{status}`" for status in transition.sources)
        actors = ", ".join(transition.actors)
        rows.append(
            f"| {transition.event} | {transition.meaning} | {sources} | `{transition.target}` | {actors} |"
        )
    return "\n".join(rows)


def drawing_of_states() -> str:
    """Returns a table of Markdown, one row for each operation of the spool that changes deliveries."""
    rows = ["| operation | from | to |", "|---|---|---|"]
    for change in CHANGES:
        sources, targets = (
            ", ".join(f"`{state}`" for state in states) for states in (change.sources, change.targets)
        )
        rows.append(f"| {change.operation} | {sources} | {targets} |")
    return "\n".join(rows)


def main() -> None:
    """Writes both tables into the page."""
    text = _PAGE.read_text(encoding="utf-8")
    for begin, end, table in ((BEGIN, END, drawing()), (BEGIN_STATES, END_STATES, drawing_of_states())):
        before, after = text[: text.index(begin) + len(begin)], text[text.index(end) :]
        text = f"{before}\n{table}\n{after}"
    _PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
