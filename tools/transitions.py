"""Draws the statuses of a campaign for docs/delivery.md: `python -m tools.transitions` writes it there."""

from __future__ import annotations

from pathlib import Path

from mailer.campaign.status import TRANSITIONS

__all__ = ["BEGIN", "END", "drawing"]

BEGIN = "<!-- statuses: made by tools/transitions.py -->"
END = "<!-- end of statuses -->"
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


def main() -> None:
    """Writes the drawing into the page."""
    text = _PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(BEGIN) + len(BEGIN)], text[text.index(END) :]
    _PAGE.write_text(f"{before}\n{drawing()}\n{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
