"""Collects the files that an issue was made of, including the issue's pictures and the logo."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mailer.archive.paths import is_path_inside_folder
from mailer.config import Settings
from mailer.errors import ArchiveError, Problem
from mailer.issue.files.file_names import path_on_disk

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["original_files"]


def original_files(settings: Settings, loaded: LoadedIssue) -> Iterator[tuple[str, bytes]]:
    """Returns each file that is needed to render the issue again, as (path in the workspace, bytes).

    Raises ArchiveError if the logo cannot be read.
    """
    files = {source.path: source.data for source in (*loaded.files, *loaded.pictures)}
    yield from files.items()
    logo = settings.brand.logo
    if logo and logo not in files and is_path_inside_folder(logo):
        try:
            yield logo, path_on_disk(settings.root, logo).read_bytes()
        except FileNotFoundError:
            return  # an address, or a file that rendering has already complained about
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise ArchiveError(Problem(f"cannot be archived: {why}", logo)) from None
