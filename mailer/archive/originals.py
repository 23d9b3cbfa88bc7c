"""What an issue was made of: its file, its includes, and the pictures of the workspace that it shows."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from mailer.archive.paths import is_inner_path
from mailer.config import Settings
from mailer.errors import ArchiveError, Problem

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["originals"]

#: `![alt](src)` and `![alt](<src> "title")` in Markdown.
_MARKDOWN_IMAGE = re.compile(r"!\[[^\]]*\]\(\s*(?:<([^>\n]*)>|([^\s)]+))")


def originals(settings: Settings, loaded: LoadedIssue) -> Iterator[tuple[str, bytes]]:
    """(path in the workspace, bytes) of everything that is needed to render the issue again.

    Raises ArchiveError where a picture has gone since the issue was rendered.
    """
    done: set[str] = set()
    for source in loaded.files:
        if source.path not in done:
            done.add(source.path)
            yield source.path, source.data
    for path in (*_pictures(loaded), settings.brand.logo):
        if not path or path in done or not is_inner_path(path):
            continue
        done.add(path)
        try:
            yield path, (settings.root / path).read_bytes()
        except FileNotFoundError:
            continue  # not a picture of ours: a word that only looks like one
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise ArchiveError(Problem(f"cannot be archived: {why}", path)) from None


def _pictures(loaded: LoadedIssue) -> Iterator[str]:
    """Paths in the workspace that the issue names as pictures, from its own folder or from an include's."""
    folders = list(dict.fromkeys(posixpath.dirname(source.path) for source in loaded.files))
    for src in _sources(loaded.issue.model_dump(mode="json")):
        if ":" not in src and not src.startswith("/"):
            for folder in folders:
                yield posixpath.normpath(posixpath.join(folder, src))


def _sources(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("src"), str):
            yield value["src"]
        for inner in value.values():
            yield from _sources(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _sources(inner)
    elif isinstance(value, str):
        for match in _MARKDOWN_IMAGE.finditer(value):
            yield match[1] or match[2]
