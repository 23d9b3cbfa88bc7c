"""What a form, or a mail program's one-click POST, sent. Whatever arrives, this gives an answer.

RFC 8058 allows urlencoded and multipart bodies; a body that is neither, or is broken, has no fields.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request

__all__ = ["Form", "read_form"]

Form = Mapping[str, Sequence[str]]


async def read_form(request: Request) -> Form:
    """Field names and their values. Raises 413 and 408 (see `safety`), and nothing else."""
    await request.body()
    fields: dict[str, list[str]] = {}
    try:
        async with request.form(max_files=0, max_fields=200) as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    fields.setdefault(name, []).append(value)
    except (HTTPException, ValueError, LookupError):
        return {}
    return fields
