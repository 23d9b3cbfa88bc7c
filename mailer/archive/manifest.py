"""Reads and updates manifest.json: the description of a campaign, and the hash of each of its files.

It is JSON with at least `schema`, `slug`, `status`, `created_at`, `started_at`, `finished_at`, `counts` and
`files` (inner path -> SHA-256). Keys that this version does not know are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailer.archive.paths import is_inner_path, path_text
from mailer.campaign.status import Status
from mailer.errors import ArchiveError, Problem
from mailer.files import put_file

__all__ = [
    "MANIFEST",
    "SCHEMA",
    "as_bytes",
    "has_public_page",
    "hash_of",
    "is_unstarted",
    "manifest_version",
    "read_manifest",
    "update_manifest",
]

MANIFEST = "manifest.json"
#: Goes up when an older mailer could misread what a newer one wrote.
SCHEMA = 1
_LARGEST = 32 * 1024 * 1024


def hash_of(data: bytes) -> str:
    """Returns the SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def as_bytes(document: Mapping[str, Any]) -> bytes:
    """Returns `document` as JSON in UTF-8, indented, so that a person can read a diff of it."""
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns the manifest of the campaign in `folder`. Raises ArchiveError where there is no sound one."""
    place = path_text(folder, MANIFEST)
    try:
        path = folder / MANIFEST
        if path.stat().st_size > _LARGEST:
            raise ArchiveError(Problem("is far too large for a manifest; restore it from a backup", place))
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArchiveError(Problem("is missing; restore the folder from a backup", place)) from None
    except OSError as error:
        raise ArchiveError(Problem(f"cannot be read: {_words(error)}", place)) from None
    except (ValueError, RecursionError):
        raise ArchiveError(Problem("is damaged (no valid JSON); restore it from a backup", place)) from None
    problem = _what_is_wrong(data)
    if problem:
        raise ArchiveError(Problem(problem, place))
    return dict(data)


def has_public_page(manifest: Mapping[str, Any]) -> bool:
    """Returns whether a campaign has a public page. All campaigns up to version 0.3.0 have one."""
    return manifest.get("public", 0) is not None


def manifest_version(folder: Path) -> tuple[int, int, int]:
    """Returns a value that differs after any change of the manifest in `folder`. Raises OSError."""
    seen = (folder / MANIFEST).stat()
    return seen.st_mtime_ns, seen.st_ino, seen.st_size


def update_manifest(folder: Path, changes: Mapping[str, Any]) -> None:
    """Sets keys of a manifest atomically and keeps the others. Raises ArchiveError; then nothing changed."""
    manifest = {**read_manifest(folder), **changes}
    try:
        put_file(folder / MANIFEST, as_bytes(manifest))
    except OSError as error:
        raise ArchiveError(
            Problem(
                f"cannot be written: {_words(error)}; the deliveries are safe in subscribers.db. "
                "Correct that and run the same command again",
                path_text(folder, MANIFEST),
            )
        ) from None


def is_unstarted(folder: Path) -> bool:
    """Returns whether `folder` is a campaign of which no message was sent yet."""
    try:
        manifest = read_manifest(folder)
    except ArchiveError:
        return False
    return manifest["started_at"] is None and manifest.get("status") in (Status.READY, Status.SCHEDULED)


def _what_is_wrong(data: object) -> str:
    if not isinstance(data, dict):
        return "is damaged (no JSON object); restore it from a backup"
    schema, files = data.get("schema"), data.get("files")
    if isinstance(schema, int) and schema > SCHEMA:
        return f"was written by a newer mailer (schema {schema}, this one reads {SCHEMA}); update mailer"
    times = [data.get(key) for key in ("created_at", "started_at", "finished_at")]
    sound = (
        schema == SCHEMA
        and isinstance(data.get("slug"), str)
        and isinstance(files, dict)
        and all(is_inner_path(name) and isinstance(value, str) for name, value in files.items())
        and all(time is None or isinstance(time, str) for time in times)
    )
    return "" if sound else "is damaged (not what mailer writes); restore it from a backup"


def _words(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
