"""Makes the JSON document about one imported list."""

from __future__ import annotations

from typing import Any

from mailer.audience.exchange.report import OUTCOMES, ImportReport

__all__ = ["import_report_json"]


def import_report_json(report: ImportReport) -> dict[str, Any]:
    """Returns the whole report on one imported list as JSON data."""
    return {
        "file": report.file,
        "dry_run": report.dry_run,
        "profile": report.profile,
        "read_as": report.read_as,
        "rows": report.total,
        **{outcome: report.count(outcome) for outcome in OUTCOMES},
        "no_edition": report.no_edition,
        "refused_file": report.refused_name if report.refused_file else None,
        "row_numbers": {outcome: str(report.rows[outcome]) for outcome in OUTCOMES},
        "unnamed_columns": list(report.unnamed_columns),
        "columns": [
            {"column": note.column, "read_as": note.read_as, "hint": note.hint} for note in report.columns
        ],
        "words": [
            {"column": note.column, "word": note.word, "status": note.status, "rows": note.rows}
            for note in report.words
        ],
        "cells_left_out": report.cells_left_out,
        "cells": [
            {"row": note.row, "address": note.address, "column": note.column, "reason": note.reason}
            for note in report.cells
        ],
        "addresses_cleaned": report.addresses_cleaned,
        "cleaned": [
            {"row": note.row, "address": note.address, "reason": note.reason} for note in report.cleaned
        ],
        "problems": [
            {"row": note.row, "address": note.address, "outcome": note.outcome, "reason": note.reason}
            for note in report.notes
        ],
    }
