"""Verifies a campaign's folder: hashes every file again and renders the issue again.

A difference that comes from a changed theme is a note, not a problem: the files are the evidence, and the
manifest has the hash of the theme that made them.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailer import __version__
from mailer.archive.campaign import read_renditions
from mailer.archive.manifest import MANIFEST, has_public_page, hash_of, read_manifest
from mailer.archive.paths import path_text
from mailer.archive.recorded_settings import recorded_settings
from mailer.config import Settings
from mailer.errors import ArchiveError, MailerError
from mailer.files import is_temporary_name
from mailer.theme_files import read_theme

if TYPE_CHECKING:
    from mailer.render.rendition import Rendition

__all__ = ["Verification", "examine", "verify"]

#: The name of an unfinished manifest that a dead process left, up to version 0.1.0.
_UNFINISHED = f".{MANIFEST}.tmp"


@dataclass(frozen=True, slots=True)
class Verification:
    """Holds the result of a verification: `problems` in the folder itself, `notes` on changes around it."""

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def verify(folder: Path, settings: Settings) -> list[str]:
    """Returns all problems and notes of `examine`, problems first. Empty where nothing has changed."""
    result = examine(folder, settings)
    return [*result.problems, *result.notes]


def examine(folder: Path, settings: Settings) -> Verification:
    """Compares every file with its hash, and a new rendering of the archived issue with what was sent."""
    try:
        manifest = read_manifest(folder)
    except ArchiveError as error:
        return Verification((str(error),))
    problems = list(_changed_files(folder, manifest))
    if manifest["slug"] != folder.name:
        problems.insert(0, f"{path_text(folder)} belongs to campaign {manifest['slug']} and was renamed")
    if problems:
        return Verification(tuple(problems))
    try:
        sent = read_renditions(folder)
    except ArchiveError as error:
        return Verification((str(error),))
    problems += _changed_copies(folder, manifest, sent)
    if problems:
        return Verification(tuple(problems))
    try:
        now = _rendered_again(folder, manifest, settings, sent)
    except MailerError as error:
        return _not_rendered(folder, manifest, settings, error)
    return _compared(folder, manifest, settings, sent, now)


def _changed_files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    expected: dict[str, str] = manifest["files"]
    found = dict(_files_in(folder))
    for name in sorted(expected.keys() - found.keys()):
        yield f"{path_text(folder, name)} is missing"
    for name in sorted(found.keys() - expected.keys() - {MANIFEST}):
        if _is_unfinished(name, found[name]):
            continue
        yield f"{path_text(folder, name)} was not there when the campaign was sent"
    for name in sorted(expected.keys() & found.keys()):
        path = found[name]
        if path.is_symlink() or not path.is_file():
            yield f"{path_text(folder, name)} is not a regular file any more"
            continue
        try:
            if hash_of(path.read_bytes()) != expected[name]:
                yield f"{path_text(folder, name)} was changed: its SHA-256 is not the one in {MANIFEST}"
        except OSError as error:
            yield f"{path_text(folder, name)} cannot be read: {(error.strerror or str(error)).lower()}"


def _is_unfinished(name: str, path: Path) -> bool:
    """Returns whether this is a temporary manifest of a writer, running or dead."""
    return (name == _UNFINISHED or is_temporary_name(name, MANIFEST)) and not path.is_symlink()


def _changed_copies(
    folder: Path, manifest: Mapping[str, Any], sent: Mapping[int, Rendition]
) -> Iterator[str]:
    """Compares the parts that people open with the renditions sent, whatever their hashes in the manifest."""
    main = sent.get(manifest.get("main", -1))
    if main is None:
        yield f"{path_text(folder, MANIFEST)} does not say which variant the others were made of"
        return
    copies = {"email.html": main.html.fill({}), "email.txt": main.text.fill({})}
    if has_public_page(manifest):
        page = sent.get(manifest.get("public", manifest["main"]))
        if page is None:
            yield f"{path_text(folder, MANIFEST)} does not say which variant the public page was made of"
            return
        copies["web.html"] = page.web
    elif "web.html" in manifest["files"]:
        yield f"{path_text(folder, 'web.html')} is there, and {MANIFEST} says that there is no public page"
    for name, text in copies.items():
        if manifest["files"].get(name) != hash_of(text.encode()):
            place = path_text(folder, name)
            yield f"{place} is not what was sent: it differs from the variant it was made of"


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        # A link to a folder is listed among the folders, but is not walked into.
        for name in [*files, *(name for name in folders if (here / name).is_symlink())]:
            yield (here / name).relative_to(folder).as_posix(), here / name


def _rendered_again(
    folder: Path, manifest: Mapping[str, Any], settings: Settings, sent: Mapping[int, Rendition]
) -> dict[int, Rendition]:
    # Only here, because the inliner alone takes a third of a second to import.
    from mailer.issue.load import load_issue
    from mailer.render.render import render_variants

    with tempfile.TemporaryDirectory(prefix="mailer-verify-") as scratch:
        root = Path(scratch).resolve() / "workspace"
        try:
            shutil.copytree(folder / "issue", root)
            if (settings.root / "templates").is_dir():
                shutil.copytree(settings.root / "templates", root / "templates", dirs_exist_ok=True)
        except (OSError, shutil.Error) as error:
            raise ArchiveError(f"it could not be copied for a look: {error}") from None
        then = recorded_settings(manifest, settings, root)
        loaded = load_issue(root / str(manifest.get("issue")), then)
        return render_variants(loaded, then, slug=str(manifest["slug"]), variants=tuple(sent))


def _not_rendered(
    folder: Path, manifest: Mapping[str, Any], settings: Settings, error: MailerError
) -> Verification:
    why = "; ".join(str(problem) for problem in error.problems)
    finding = f"{path_text(folder)} could not be rendered again: {why}"
    changes = list(_changed_around(manifest, settings))
    if changes:
        return Verification(notes=(f"{finding}. But {' and '.join(changes)}; every file is as it was",))
    return Verification((finding,))


def _compared(
    folder: Path,
    manifest: Mapping[str, Any],
    settings: Settings,
    sent: Mapping[int, Rendition],
    now: Mapping[int, Rendition],
) -> Verification:
    differing = [mask for mask in sorted(sent) if _parts(sent[mask], now[mask])]
    if not differing:
        return Verification()
    changes = list(_changed_around(manifest, settings))
    if changes:
        because = " and ".join(changes)
        note = f"{path_text(folder)} renders differently now because {because}. Every file is as it was"
        return Verification(notes=(note,))
    names = ", ".join(_parts(sent[differing[0]], now[differing[0]]))
    return Verification(
        (
            f"{path_text(folder)} does not match what its issue renders to with the same theme; "
            f"different: {names}",
        )
    )


def _changed_around(manifest: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """Returns the reasons why the same issue may rightly look different today."""
    then = str(manifest.get("theme"))
    try:
        today = read_theme(settings.root).digest
    except MailerError:
        today = "unreadable"
    if then != today:
        yield f"the theme has changed since (it was {then[:16]}, it is {today[:16]})"
    if manifest.get("mailer") not in (None, __version__):
        yield f"it was rendered by mailer {manifest['mailer']}, and this is {__version__}"


def _parts(sent: Rendition, now: Rendition) -> list[str]:
    """Returns the parts that differ."""
    pairs = {
        "subject": (sent.subject, now.subject),
        "html": (sent.html, now.html),
        "text": (sent.text, now.text),
        "web page": (sent.web, now.web),
        "language": (sent.language, now.language),
        "pictures": (sent.pictures, now.pictures),
    }
    return [name for name, (one, other) in pairs.items() if one != other]
