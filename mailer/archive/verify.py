"""Verifies a campaign's folder: hashes every file again and renders the issue again.

A difference that a changed theme explains is a note, not a problem: the files show what was sent, and the
manifest has the hash of the theme that rendered them.
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
from mailer.archive.manifest import MANIFEST, has_public_page, read_manifest, sha256_hex
from mailer.archive.paths import display_path
from mailer.archive.recorded_settings import recorded_settings
from mailer.config import Settings
from mailer.errors import ArchiveError, MailerError
from mailer.files import is_temporary_name
from mailer.theme_files import read_theme

if TYPE_CHECKING:
    from mailer.render.rendition import Rendition

__all__ = ["Verification", "verify_campaign", "list_differences"]

#: The name of an unfinished manifest that a dead process left, up to version 0.1.0.
_UNFINISHED = f".{MANIFEST}.tmp"


@dataclass(frozen=True, slots=True)
class Verification:
    """Holds the result of verifying a campaign's folder, as sentences.

    `problems` are differences in the folder itself. `notes` are differences that a changed theme or another
    version of mailer explains.
    """

    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def list_differences(folder: Path, settings: Settings) -> list[str]:
    """Returns the problems, and then the notes, that `verify_campaign` finds; an empty list if none."""
    result = verify_campaign(folder, settings)
    return [*result.problems, *result.notes]


def verify_campaign(folder: Path, settings: Settings) -> Verification:
    """Compares every file with its hash in the manifest, and a new rendering with the sent renditions."""
    try:
        manifest = read_manifest(folder)
    except ArchiveError as error:
        return Verification((str(error),))
    problems = list(_problems_of_changed_files(folder, manifest))
    if manifest["slug"] != folder.name:
        problems.insert(0, f"{display_path(folder)} belongs to campaign {manifest['slug']} and was renamed")
    if problems:
        return Verification(tuple(problems))
    try:
        sent = read_renditions(folder)
    except ArchiveError as error:
        return Verification((str(error),))
    problems += _problems_of_files_unlike_renditions(folder, manifest, sent)
    if problems:
        return Verification(tuple(problems))
    try:
        now = _render_again(folder, manifest, settings, sent)
    except MailerError as error:
        return _verification_after_failed_rendering(folder, manifest, settings, error)
    return _compare_renditions(folder, manifest, settings, sent, now)


def _problems_of_changed_files(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    expected: dict[str, str] = manifest["files"]
    found = dict(_files_in(folder))
    for name in sorted(expected.keys() - found.keys()):
        yield f"{display_path(folder, name)} is missing"
    for name in sorted(found.keys() - expected.keys() - {MANIFEST}):
        if _is_unfinished_manifest(name, found[name]):
            continue
        yield f"{display_path(folder, name)} was not there when the campaign was sent"
    for name in sorted(expected.keys() & found.keys()):
        path = found[name]
        if path.is_symlink() or not path.is_file():
            yield f"{display_path(folder, name)} is not a regular file any more"
            continue
        try:
            if sha256_hex(path.read_bytes()) != expected[name]:
                yield f"{display_path(folder, name)} was changed: its SHA-256 is not the one in {MANIFEST}"
        except OSError as error:
            yield f"{display_path(folder, name)} cannot be read: {(error.strerror or str(error)).lower()}"


def _is_unfinished_manifest(name: str, path: Path) -> bool:
    """Returns whether the file `name` at `path` is a temporary manifest of a running or dead process."""
    return (name == _UNFINISHED or is_temporary_name(name, MANIFEST)) and not path.is_symlink()


def _problems_of_files_unlike_renditions(
    folder: Path, manifest: Mapping[str, Any], sent: Mapping[int, Rendition]
) -> Iterator[str]:
    """Yields a sentence for each of email.html, email.txt and web.html that differs from what was sent.

    `sent` holds the renditions that were sent, by variant.
    """
    main = sent.get(manifest.get("main", -1))
    if main is None:
        yield f"{display_path(folder, MANIFEST)} does not say which variant email.html was made of"
        return
    copies = {"email.html": main.html.fill({}), "email.txt": main.text.fill({})}
    if has_public_page(manifest):
        page = sent.get(manifest.get("public", manifest["main"]))
        if page is None:
            yield f"{display_path(folder, MANIFEST)} does not say which variant the public page was made of"
            return
        copies["web.html"] = page.web
    elif "web.html" in manifest["files"]:
        yield f"{display_path(folder, 'web.html')} exists, but {MANIFEST} says that there is no public page"
    for name, text in copies.items():
        if manifest["files"].get(name) != sha256_hex(text.encode()):
            place = display_path(folder, name)
            yield f"{place} is not what was sent: it differs from the rendition in variants/"


def _files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    for place, folders, files in os.walk(folder):
        here = Path(place)
        # A link to a folder is listed among the folders, but is not walked into.
        for name in [*files, *(name for name in folders if (here / name).is_symlink())]:
            yield (here / name).relative_to(folder).as_posix(), here / name


def _render_again(
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
            raise ArchiveError(f"the folder could not be copied to be rendered: {error}") from None
        then = recorded_settings(manifest, settings, root)
        loaded = load_issue(root / str(manifest.get("issue")), then)
        return render_variants(loaded, then, slug=str(manifest["slug"]), variants=tuple(sent))


def _verification_after_failed_rendering(
    folder: Path, manifest: Mapping[str, Any], settings: Settings, error: MailerError
) -> Verification:
    why = "; ".join(str(problem) for problem in error.problems)
    finding = f"{display_path(folder)} could not be rendered again: {why}"
    changes = list(_reasons_for_differences(manifest, settings))
    if changes:
        return Verification(notes=(f"{finding}. But {' and '.join(changes)}; no file was changed",))
    return Verification((finding,))


def _compare_renditions(
    folder: Path,
    manifest: Mapping[str, Any],
    settings: Settings,
    sent: Mapping[int, Rendition],
    now: Mapping[int, Rendition],
) -> Verification:
    differing = [mask for mask in sorted(sent) if _differing_parts(sent[mask], now[mask])]
    if not differing:
        return Verification()
    changes = list(_reasons_for_differences(manifest, settings))
    if changes:
        because = " and ".join(changes)
        note = f"{display_path(folder)} renders differently now because {because}. No file was changed"
        return Verification(notes=(note,))
    names = ", ".join(_differing_parts(sent[differing[0]], now[differing[0]]))
    return Verification(
        (
            f"{display_path(folder)} differs from a new rendering of its issue with the same theme; "
            f"different: {names}",
        )
    )


def _reasons_for_differences(manifest: Mapping[str, Any], settings: Settings) -> Iterator[str]:
    """Yields the reasons why a new rendering may differ from the sent one, although no file was changed."""
    then = str(manifest.get("theme"))
    try:
        today = read_theme(settings.root).digest
    except MailerError:
        today = "unreadable"
    if then != today:
        yield f"the theme has changed since (it was {then[:16]}, it is {today[:16]})"
    if manifest.get("mailer") not in (None, __version__):
        yield f"it was rendered by mailer {manifest['mailer']}, and this is {__version__}"


def _differing_parts(sent: Rendition, now: Rendition) -> list[str]:
    """Returns the names of the parts, such as `subject`, in which two renditions of a variant differ."""
    pairs = {
        "subject": (sent.subject, now.subject),
        "html": (sent.html, now.html),
        "text": (sent.text, now.text),
        "web page": (sent.web, now.web),
        "language": (sent.language, now.language),
        "pictures": (sent.pictures, now.pictures),
    }
    return [name for name, (one, other) in pairs.items() if one != other]
