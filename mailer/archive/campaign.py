"""Writes and reads campaigns/<slug>/: the issue as sent, its rendered parts, and the manifest.

issue/                 the issue's file, its includes and pictures, with their paths in the workspace
email.html, email.txt  the variant that most readers got, with default values and without personal links
web.html               the public page, in the variant that the edition's setting `archive` chooses
images/                the pictures of all renditions that were sent
variants/MASK.json     each rendition that is sent, with its slots
manifest.json          the hash of each of these files; plan, times and counts (see `manifest`)
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
    TIMES,
    has_public_page,
    is_unstarted_campaign,
    json_bytes,
    manifest_fingerprint,
    read_manifest,
    sha256_hex,
    update_manifest,
)
from mailer.archive.new_folder import write_folder_atomically
from mailer.archive.originals import original_files
from mailer.archive.paths import display_path, is_path_inside_folder, is_published_file_name
from mailer.campaign.slug import is_slug
from mailer.config import Settings
from mailer.errors import ArchiveError, MailerError, Problem
from mailer.render.rendition import Picture, Rendition

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = [
    "ArchivedCampaign",
    "is_unstarted_campaign",
    "list_campaigns",
    "read_manifest",
    "read_renditions",
    "update_manifest",
    "write_campaign",
]


@dataclass(frozen=True, slots=True)
class ArchivedCampaign:
    """Describes a campaign of the archive. Versions up to 0.5.0 wrote no `title` and no `preheader`.

    `public` is True if the campaign has a public page. `problem` describes the damage of a damaged folder;
    then of the other fields only `slug` is set. `started_at` is None if nothing was sent yet.
    """

    slug: str
    edition: str = ""
    date: str = ""
    subject: str = ""
    language: str = ""
    title: str = ""
    preheader: str = ""
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
    """Writes the folder of a campaign atomically.

    `renditions` holds, by variant, the renditions to send, and also variant 0 if the public page shows it.
    `manifest` holds the keys of manifest.json that this function does not compute itself. An existing folder
    is replaced only if `replace` is True or no message of its campaign was sent. Raises ArchiveError for an
    invalid name, an existing folder, or a failed write; then nothing has changed.
    """
    if not is_slug(folder.name):
        raise ArchiveError(f'"{folder.name}" cannot be the name of a campaign; use letters, digits, - and _')
    if not renditions:
        raise ArchiveError(f"{display_path(folder)} was not written: it has no renditions")
    main_variant = _variant_of_most_readers(renditions, manifest)
    public_variant = {"everybody": 0, "variant": main_variant, "none": None}[
        settings.editions[loaded.issue.edition].public_page
    ]
    if public_variant not in (None, *renditions):
        raise ArchiveError(f"{display_path(folder)} was not written: its public page was not rendered")
    files: dict[str, bytes] = {}
    for name, data in _archived_files(settings, loaded, renditions, main_variant, public_variant):
        if not is_path_inside_folder(name):
            raise ArchiveError(Problem("this name cannot be archived; rename the file", name))
        files[name] = data
    document = {
        "schema": SCHEMA,
        "slug": folder.name,
        "status": "ready",
        **dict.fromkeys(TIMES),
        "counts": {},
        **manifest,
        **_manifest_keys_for_rendering(settings, loaded, renditions, main_variant, public_variant),
        "files": {name: sha256_hex(files[name]) for name in sorted(files)},
    }
    _write_campaign_folder(
        folder,
        [*files.items(), (MANIFEST, json_bytes(document))],
        replace=replace or is_unstarted_campaign(folder),
    )


def _write_campaign_folder(folder: Path, files: Sequence[tuple[str, bytes]], *, replace: bool) -> None:
    """Writes `files`, each as (path in the folder, bytes), as the campaign's folder, atomically.

    An existing folder is replaced only if `replace` is True. Raises ArchiveError if the write fails.
    """
    try:
        write_folder_atomically(folder, files, replace=replace)
    except FileExistsError:
        raise ArchiveError(
            f"{display_path(folder)} already holds a campaign that was sent; "
            "move that folder away to use its name"
        ) from None
    except OSError as error:
        raise ArchiveError(
            f"{display_path(folder)} cannot be written: {(error.strerror or str(error)).lower()}. "
            "Nothing was written; correct this and run the same command again"
        ) from None


def read_renditions(folder: Path) -> dict[int, Rendition]:
    """Returns, by variant, the renditions that an archived campaign sends. Equal variants share one object.

    Raises ArchiveError if a file has changed since the campaign was written.
    """
    manifest = read_manifest(folder)
    files = manifest["files"]
    read: dict[str, Rendition] = {}
    pictures: dict[str, Picture] = {}
    renditions: dict[int, Rendition] = {}
    try:
        for mask, name in manifest["variants"].items():
            if name not in read:
                data = json.loads(_read_verified_file(folder, name, files))
                for picture in data["pictures"]:
                    if picture["name"] not in pictures:
                        content = _read_verified_file(folder, f"images/{picture['name']}", files)
                        pictures[picture["name"]] = Picture(
                            picture["name"], content, picture["width"], picture["height"]
                        )
                shown_there = tuple(pictures[picture["name"]] for picture in data["pictures"])
                read[name] = replace(Rendition.from_json(data), pictures=shown_there)
            renditions[int(mask)] = read[name]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ArchiveError(
            Problem("lists no valid renditions; restore it from a backup", display_path(folder, MANIFEST))
        ) from None
    return renditions


def list_campaigns(
    folder: Path, cache: dict[str, tuple[object, ArchivedCampaign]] | None = None
) -> list[ArchivedCampaign]:
    """Returns all campaigns in the archive `folder`, newest first, including damaged ones.

    A caller that passes the same `cache` at each call (empty at first) reads only the manifests that have
    changed since the last call.
    """
    try:
        names = [path.name for path in folder.iterdir() if is_slug(path.name) and path.is_dir()]
    except OSError:
        return []
    cache = {} if cache is None else cache
    for gone in set(cache) - set(names):
        cache.pop(gone, None)
    found = [_cached_campaign(folder / name, cache) for name in names]
    return sorted(found, key=lambda one: (one.date, one.started_at or "", one.slug), reverse=True)


def _cached_campaign(folder: Path, cache: dict[str, tuple[object, ArchivedCampaign]]) -> ArchivedCampaign:
    try:
        mark = manifest_fingerprint(folder)
    except OSError:
        return _read_campaign(folder)
    before = cache.get(folder.name)
    if before is None or before[0] != mark:
        before = cache[folder.name] = (mark, _read_campaign(folder))
    return before[1]


def _read_campaign(folder: Path) -> ArchivedCampaign:
    try:
        manifest = read_manifest(folder)
    except MailerError as error:
        return ArchivedCampaign(folder.name, problem=str(error))
    names = ("edition", "date", "subject", "language", "title", "preheader")
    return ArchivedCampaign(
        slug=folder.name,
        started_at=manifest["started_at"],
        public=has_public_page(manifest),
        **{name: text for name in names if isinstance(text := manifest.get(name), str)},
    )


def _variant_of_most_readers(renditions: Mapping[int, Rendition], manifest: Mapping[str, Any]) -> int:
    """Returns the variant that most readers get, according to the plan in `manifest`."""
    readers = manifest.get("plan", {}).get("variants", {})
    return max(sorted(renditions), key=lambda mask: readers.get(str(mask), 0))


def _archived_files(
    settings: Settings,
    loaded: LoadedIssue,
    renditions: Mapping[int, Rendition],
    main_variant: int,
    public_variant: int | None,
) -> Iterator[tuple[str, bytes]]:
    for path, data in original_files(settings, loaded):
        yield f"issue/{path}", data
    shown_first = renditions[main_variant]
    yield "email.html", shown_first.html.fill({}).encode()
    yield "email.txt", shown_first.text.fill({}).encode()
    if public_variant is not None:
        yield "web.html", renditions[public_variant].web.encode()
    written: set[str] = set()
    for mask, name in _file_paths_of_variants(renditions).items():
        if name in written:
            continue
        written.add(name)
        rendition = renditions[mask]
        sizes = [{"name": p.name, "width": p.width, "height": p.height} for p in rendition.pictures]
        yield name, json_bytes({**rendition.to_json(), "pictures": sizes})
        for picture in rendition.pictures:
            if not is_published_file_name(picture.name):
                raise ArchiveError(
                    Problem("a published picture must not have this name; rename the picture", picture.name)
                )
            yield f"images/{picture.name}", picture.data


def _file_paths_of_variants(renditions: Mapping[int, Rendition]) -> dict[int, str]:
    """Returns, by variant, the path of the variant's file. Equal variants share one file."""
    first: dict[int, int] = {}
    return {
        mask: f"variants/{first.setdefault(id(renditions[mask]), mask)}.json" for mask in sorted(renditions)
    }


def _manifest_keys_for_rendering(
    settings: Settings,
    loaded: LoadedIssue,
    renditions: Mapping[int, Rendition],
    main_variant: int,
    public_variant: int | None,
) -> dict[str, Any]:
    """Returns the keys of the manifest that are needed to render and compare the issue again."""
    edition = loaded.issue.edition
    return {
        "issue": loaded.path,
        "issue_digest": loaded.digest,
        "edition": edition,
        "language": renditions[main_variant].language,
        "theme": renditions[main_variant].theme,
        "main": main_variant,
        "public": public_variant,
        "variants": {str(mask): name for mask, name in _file_paths_of_variants(renditions).items()},
        "settings": {
            "publication": settings.publication.model_dump(mode="json", by_alias=True),
            "brand": settings.brand.model_dump(mode="json"),
            "edition": settings.editions[edition].model_dump(mode="json", exclude={"time"}),
        },
    }


def _read_verified_file(folder: Path, name: str, files: Mapping[str, str]) -> bytes:
    place = display_path(folder, name)
    if name not in files:
        raise ArchiveError(Problem(f"is not listed in {MANIFEST}; restore the folder from a backup", place))
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ArchiveError(Problem(f"cannot be read: {why}; restore it from a backup", place)) from None
    if sha256_hex(data) != files[name]:
        raise ArchiveError(
            Problem(
                "was changed after the campaign was planned: its hash differs; restore it from a backup",
                place,
            )
        )
    return data
