"""Reads the fields of a form, or of a mail program's one-click POST. Any content of a body is accepted.

RFC 8058 allows urlencoded and multipart bodies. A body of another type, or a broken body, counts as a form
without fields.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from starlette.exceptions import HTTPException
from starlette.requests import Request

from mailer.display_text import without_control_characters

__all__ = ["FormFields", "read_form"]

FormFields = Mapping[str, Sequence[str]]

#: What a form may be encoded in. Of all that Python knows, some take long to decode or give no text.
_CHARSET = re.compile(r'charset\s*=\s*+"?+(?!(?:utf-?8|us-ascii|iso-8859-1)(?:["\s;]|$))', re.IGNORECASE)


async def read_form(request: Request) -> FormFields:
    """Returns the values of each form field by name, with LF as line ends and no invisible characters.

    Raises only HTTPException: 413 if the body is too large, 408 if it arrives too slowly.
    """
    await request.body()
    if _CHARSET.search(request.headers.get("content-type", "")):
        return {}
    fields: dict[str, list[str]] = {}
    try:
        async with request.form(max_files=0, max_fields=200) as form:
            for name, value in form.multi_items():
                if isinstance(value, str):
                    fields.setdefault(name, []).append(
                        without_control_characters(value.replace("\r\n", "\n"))
                    )
    except (HTTPException, ValueError, LookupError):
        return {}
    return fields
