"""Defines the options of `mailer subscribers list` and `export` that select people."""

from __future__ import annotations

from typing import Annotated

import typer

__all__ = ["EditionFilter", "SegmentFilter", "StatusFilter"]

StatusFilter = Annotated[str | None, typer.Option(help="Only people with this status, such as active.")]
EditionFilter = Annotated[
    str | None, typer.Option(metavar="NAME", help="Only people who read this edition, such as morning.")
]
SegmentFilter = Annotated[
    str | None, typer.Option(metavar="EXPR", help='Only people who match, as in: language == "en"')
]
