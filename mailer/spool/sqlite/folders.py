"""The SQL condition for campaigns whose transport is a folder."""

from __future__ import annotations

from mailer.transports.registry import folder_schemes

__all__ = ["goes_into_folder"]


def goes_into_folder(column: str) -> str:
    """Returns the SQL condition that the URL in `column` is a folder's: what goes there reaches nobody."""
    schemes = [f"lower({column}) LIKE '{scheme}:%'" for scheme in folder_schemes()]
    return f"({' OR '.join(schemes)})"
