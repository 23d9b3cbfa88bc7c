"""Reads and updates manifest.json: the description of a campaign, and the hash of each of its files.

The file is JSON with at least `schema`, `slug`, `status`, `created_at`, `started_at`, `finished_at`, `counts`
and `files` (path in the folder -> SHA-256). Keys that this version does not know are kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mailer.archive.paths import display_path, is_path_inside_folder
from mailer.campaign.status import Status
from mailer.errors import ArchiveError, Problem
from mailer.files import put_file

__all__ = [
    "MANIFEST",
    "SCHEMA",
    "TIMES",
    "json_bytes",
    "has_public_page",
    "sha256_hex",
    "is_unstarted_campaign",
    "manifest_fingerprint",
    "read_manifest",
    "update_manifest",
]

MANIFEST = "manifest.json"
#: Goes up when an older mailer could misread what a newer one wrote.
SCHEMA = 1
#: The keys of a campaign's times, each None or a time in UTC.
TIMES = ("created_at", "started_at", "finished_at")
_LARGEST = 32 * 1024 * 1024


def sha256_hex(data: bytes) -> str:
    """Returns the SHA-256 of `data` in hex."""
    return hashlib.sha256(data).hexdigest()


def json_bytes(document: Mapping[str, Any]) -> bytes:
    """Returns `document` as indented JSON in UTF-8, with each value on a line of its own."""
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Returns the manifest of the campaign in `folder`. Raises ArchiveError if it is missing or damaged."""
    place = display_path(folder, MANIFEST)
    try:
        path = folder / MANIFEST
        if path.stat().st_size > _LARGEST:
            raise ArchiveError(Problem("is far too large for a manifest; restore it from a backup", place))
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise ArchiveError(Problem("is missing; restore the folder from a backup", place)) from None
    except OSError as error:
        raise ArchiveError(Problem(f"cannot be read: {_text_of_os_error(error)}", place)) from None
    except (ValueError, RecursionError):
        raise ArchiveError(Problem("is damaged (no valid JSON); restore it from a backup", place)) from None
    problem = _manifest_problem(data)
    if problem:
        raise ArchiveError(Problem(problem, place))
    return dict(data)


def has_public_page(manifest: Mapping[str, Any]) -> bool:
    """Returns whether the campaign has a public page.

    A campaign that version 0.3.0 or an earlier one made always has a public page.
    """
    return manifest.get("public", 0) is not None


def manifest_fingerprint(folder: Path) -> tuple[int, int, int]:
    """Returns (time of change, inode, size) of the manifest in `folder`. Another result later means a change.

    Raises OSError if the file cannot be found.
    """
    seen = (folder / MANIFEST).stat()
    return seen.st_mtime_ns, seen.st_ino, seen.st_size


def update_manifest(folder: Path, changes: Mapping[str, Any]) -> None:
    """Sets the keys in `changes` in the manifest in `folder`, atomically. All other keys stay as they are.

    Raises ArchiveError if the manifest cannot be read or written; then nothing has changed.
    """
    manifest = {**read_manifest(folder), **changes}
    try:
        put_file(folder / MANIFEST, json_bytes(manifest))
    except OSError as error:
        raise ArchiveError(
            Problem(
                f"cannot be written: {_text_of_os_error(error)}; the deliveries are safe in subscribers.db. "
                "Correct this and run the same command again",
                display_path(folder, MANIFEST),
            )
        ) from None


def is_unstarted_campaign(folder: Path) -> bool:
    """Returns whether `folder` holds a campaign of which no message has been sent yet."""
    try:
        manifest = read_manifest(folder)
    except ArchiveError:
        return False
    return manifest["started_at"] is None and manifest.get("status") in (Status.READY, Status.SCHEDULED)


def _manifest_problem(data: object) -> str:
    if not isinstance(data, dict):
        return "is damaged (no JSON object); restore it from a backup"
    schema, files = data.get("schema"), data.get("files")
    if isinstance(schema, int) and schema > SCHEMA:
        return f"was written by a newer mailer (schema {schema}, this one reads {SCHEMA}); update mailer"
    times = [data.get(key) for key in TIMES]
    sound = (
        schema == SCHEMA
        and isinstance(data.get("slug"), str)
        and isinstance(files, dict)
        and all(is_path_inside_folder(name) and isinstance(value, str) for name, value in files.items())
        and all(time is None or isinstance(time, str) for time in times)
    )
    return "" if sound else "is damaged (a key is missing or has a wrong value); restore it from a backup"


def _text_of_os_error(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
