"""Writes and reads campaigns/<slug>/: the issue as sent, its rendered parts, and the manifest.

issue/                 the issue's file, its includes and pictures, as named in the workspace
email.html, email.txt  what most readers got, with the slots' defaults and nobody's links
web.html               the public page: what is for everybody, or what `archive` of the edition says
images/                the pictures of all that was sent
variants/MASK.json     what is really sent, with its slots
manifest.json          all of that with hashes; plan, times and counts (see `manifest`)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailer.archive.manifest import (
    MANIFEST,
    SCHEMA,
    as_bytes,
    has_public_page,
    hash_of,
    is_unstarted,
    manifest_version,
    read_manifest,
    update_manifest,
)
from mailer.archive.new_folder import put_folder
from mailer.archive.originals import originals
from mailer.archive.paths import is_file_name, is_inner_path, path_text
from mailer.campaign.slug import is_slug
from mailer.config import Settings
from mailer.errors import ArchiveError, MailerError, Problem
from mailer.render.rendition import Picture, Rendition

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = [
    "ArchivedCampaign",
    "is_unstarted",
    "list_campaigns",
    "read_manifest",
    "read_renditions",
    "update_manifest",
    "write_campaign",
]


@dataclass(frozen=True, slots=True)
class ArchivedCampaign:
    """Describes a campaign folder of the archive. If `problem` says that it is damaged, the other fields are
    empty.

    `public` says whether it has a public page.
    """

    slug: str
    edition: str = ""
    date: str = ""
    subject: str = ""
    language: str = ""
    started_at: str | None = None
    public: bool = True
    problem: str = ""


def write_campaign(
    folder: Path,
    *,
    settings: Settings,
    loaded: LoadedIssue,
    renditions: Mapping[int, Rendition],
    manifest: Mapping[str, Any],
    replace: bool = False,
) -> None:
    """Writes a campaign's folder atomically. An existing one stays, unless `replace` or its sending never
    started.

    `renditions` includes variant 0, too, where the public page shows what is for everybody.

    Raises ArchiveError for an invalid name, an existing folder, or a failed write; then nothing has changed.
    """
    if not is_slug(folder.name):
        raise ArchiveError(f'"{folder.name}" cannot be the name of a campaign; use letters, digits, - and _')
    if not renditions:
        raise ArchiveError(f"{path_text(folder)} was not written: there is nothing rendered to put into it")
    main = _main(renditions, manifest)
    public = {"everybody": 0, "variant": main, "none": None}[
        settings.editions[loaded.issue.edition].public_page
    ]
    if public not in (None, *renditions):
        raise ArchiveError(f"{path_text(folder)} was not written: its public page was not rendered")
    files: dict[str, bytes] = {}
    for name, data in _contents(settings, loaded, renditions, main, public):
        if not is_inner_path(name):
            raise ArchiveError(Problem("this name cannot be archived; rename the file", name))
        files[name] = data
    document = {
        "schema": SCHEMA,
        "slug": folder.name,
        "status": "ready",
        "created_at": None,
        "started_at": None,
        "finished_at": None,
        "counts": {},
        **manifest,
        **_description(settings, loaded, renditions, main, public),
        "files": {name: hash_of(files[name]) for name in sorted(files)},
    }
    _put(folder, [*files.items(), (MANIFEST, as_bytes(document))], replace=replace or is_unstarted(folder))


def _put(folder: Path, files: Sequence[tuple[str, bytes]], *, replace: bool) -> None:
    """Writes the files as the campaign's folder. Raises ArchiveError where that fails."""
    try:
        put_folder(folder, files, replace=replace)
    except FileExistsError:
        raise ArchiveError(
            f"{path_text(folder)} is there already and holds what was sent; move it away if it is not yours"
        ) from None
    except OSError as error:
        raise ArchiveError(
            f"{path_text(folder)} cannot be written: {(error.strerror or str(error)).lower()}; nothing was "
            "kept of it. Correct that and run the same command again"
        ) from None


def read_renditions(folder: Path) -> dict[int, Rendition]:
    """Returns the renditions to send, by variant; equal variants share one object.

    Raises ArchiveError where the files have changed.
    """
    manifest = read_manifest(folder)
    files = manifest["files"]
    read: dict[str, Rendition] = {}
    pictures: dict[str, Picture] = {}
    renditions: dict[int, Rendition] = {}
    try:
        for mask, name in manifest["variants"].items():
            if name not in read:
                data = json.loads(_checked(folder, name, files))
                for picture in data["pictures"]:
                    if picture["name"] not in pictures:
                        content = _checked(folder, f"images/{picture['name']}", files)
                        pictures[picture["name"]] = Picture(
                            picture["name"], content, picture["width"], picture["height"]
                        )
                shown_there = tuple(pictures[picture["name"]] for picture in data["pictures"])
                read[name] = replace(Rendition.from_json(data), pictures=shown_there)
            renditions[int(mask)] = read[name]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ArchiveError(
            Problem("lists its renditions wrongly; restore it from a backup", path_text(folder, MANIFEST))
        ) from None
    return renditions


def list_campaigns(
    folder: Path, known: dict[str, tuple[object, ArchivedCampaign]] | None = None
) -> list[ArchivedCampaign]:
    """Returns the campaigns of the archive, newest first; a damaged one is listed with its problem.

    A caller that asks often keeps `known`: then only manifests that have changed since are read again.
    """
    try:
        names = [path.name for path in folder.iterdir() if is_slug(path.name) and path.is_dir()]
    except OSError:
        return []
    known = {} if known is None else known
    for gone in set(known) - set(names):
        known.pop(gone, None)
    found = [_remembered(folder / name, known) for name in names]
    return sorted(found, key=lambda one: (one.date, one.started_at or "", one.slug), reverse=True)


def _remembered(folder: Path, known: dict[str, tuple[object, ArchivedCampaign]]) -> ArchivedCampaign:
    try:
        mark = manifest_version(folder)
    except OSError:
        return _archived(folder)
    before = known.get(folder.name)
    if before is None or before[0] != mark:
        before = known[folder.name] = (mark, _archived(folder))
    return before[1]


def _archived(folder: Path) -> ArchivedCampaign:
    try:
        manifest = read_manifest(folder)
    except MailerError as error:
        return ArchivedCampaign(folder.name, problem=str(error))
    text = {key: manifest.get(key) for key in ("edition", "date", "subject", "language")}
    return ArchivedCampaign(
        slug=folder.name,
        started_at=manifest["started_at"],
        public=has_public_page(manifest),
        **{key: value if isinstance(value, str) else "" for key, value in text.items()},
    )


def _main(renditions: Mapping[int, Rendition], manifest: Mapping[str, Any]) -> int:
    """Returns the variant that most readers get."""
    readers = manifest.get("plan", {}).get("variants", {})
    return max(sorted(renditions), key=lambda mask: readers.get(str(mask), 0))


def _contents(
    settings: Settings,
    loaded: LoadedIssue,
    renditions: Mapping[int, Rendition],
    main: int,
    public: int | None,
) -> Iterator[tuple[str, bytes]]:
    for path, data in originals(settings, loaded):
        yield f"issue/{path}", data
    shown_first = renditions[main]
    yield "email.html", shown_first.html.fill({}).encode()
    yield "email.txt", shown_first.text.fill({}).encode()
    if public is not None:
        yield "web.html", renditions[public].web.encode()
    written: set[str] = set()
    for mask, name in _variant_files(renditions).items():
        if name in written:
            continue
        written.add(name)
        rendition = renditions[mask]
        sizes = [{"name": p.name, "width": p.width, "height": p.height} for p in rendition.pictures]
        yield name, as_bytes({**rendition.to_json(), "pictures": sizes})
        for picture in rendition.pictures:
            if not is_file_name(picture.name):
                raise ArchiveError(Problem("this picture's name cannot be published", picture.name))
            yield f"images/{picture.name}", picture.data


def _variant_files(renditions: Mapping[int, Rendition]) -> dict[int, str]:
    """Returns the file of each variant: one file for all variants that are equal."""
    first: dict[int, int] = {}
    return {
        mask: f"variants/{first.setdefault(id(renditions[mask]), mask)}.json" for mask in sorted(renditions)
    }


def _description(
    settings: Settings,
    loaded: LoadedIssue,
    renditions: Mapping[int, Rendition],
    main: int,
    public: int | None,
) -> dict[str, Any]:
    """Returns the part of the manifest that is needed to render the issue again and to compare it."""
    edition = loaded.issue.edition
    return {
        "issue": loaded.path,
        "issue_digest": loaded.digest,
        "edition": edition,
        "language": renditions[main].language,
        "theme": renditions[main].theme,
        "main": main,
        "public": public,
        "variants": {str(mask): name for mask, name in _variant_files(renditions).items()},
        "settings": {
            "publication": settings.publication.model_dump(mode="json", by_alias=True),
            "brand": settings.brand.model_dump(mode="json"),
            "edition": settings.editions[edition].model_dump(mode="json", exclude={"time"}),
        },
    }


def _checked(folder: Path, name: str, files: Mapping[str, str]) -> bytes:
    place = path_text(folder, name)
    if name not in files:
        raise ArchiveError(Problem("is not a file of this campaign; restore the folder from a backup", place))
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ArchiveError(Problem(f"cannot be read: {why}; restore it from a backup", place)) from None
    if hash_of(data) != files[name]:
        raise ArchiveError(
            Problem("is not what was planned and sent: its hash differs; restore it from a backup", place)
        )
    return data
