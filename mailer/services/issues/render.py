"""Renders an issue as files to look at, without sending anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import SecretStr

from mailer.campaign.slug import slug_of
from mailer.config import Settings
from mailer.errors import InputError, Problem
from mailer.files import put_file
from mailer.issue.model import reader_conditions
from mailer.message.message import compose_sample
from mailer.render.rendition import Rendition

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["Rendered", "render_issue"]


@dataclass(frozen=True, slots=True)
class Rendered:
    """Describes an issue that was rendered to files: the sizes of its HTML and text (bytes), and its
    problems.

    `conditions` are the `only` expressions of its parts; the variant of each has its own folder, and so has
    the variant of readers to whom none applies. `is_public_page` says that the latter is the public page.
    """

    html: int
    text: int
    problems: tuple[Problem, ...]
    conditions: tuple[str, ...] = ()
    is_public_page: bool = False

    @property
    def has_errors(self) -> bool:
        """Returns whether a problem prevents the issue from being sent."""
        return any(problem.severity == "error" for problem in self.problems)

    @staticmethod
    def folder_of(output: Path, variant: int) -> Path:
        """Returns the folder with the files of a variant. Bit i of `variant` is set where the i-th condition
        holds."""
        return output / "variants" / str(variant)


def render_issue(settings: Settings, issue: Path, output: Path) -> Rendered:
    """Writes email.html, email.txt, web.html, message.eml and images/ into the folder `output`.

    The files show the issue with all of its parts. Where parts are for some readers `only`, variants/ has
    more folders: 0 for readers to whom no condition applies, and one for each condition alone. Raises
    IssueError, or InputError where `output` is a file.
    """
    from mailer.issue.load import load_issue
    from mailer.render.check import check_rendition

    loaded = load_issue(issue, settings)
    if output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file; name a folder for the rendered files")
    conditions = reader_conditions(loaded.issue)
    whole = (1 << len(conditions)) - 1
    files = dict(_files(loaded, settings, whole, inner=""))
    problems = check_rendition(loaded, _rendered(loaded, settings, whole, None), settings)
    for variant in _others(loaded):
        files |= _files(loaded, settings, variant, inner=f"variants/{variant}/")
    for name, data in files.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        put_file(path, data)
    return Rendered(
        len(files["email.html"]),
        len(files["email.txt"]),
        tuple(problems),
        tuple(conditions),
        settings.editions[loaded.issue.edition].public_page == "everybody",
    )


def _others(loaded: LoadedIssue) -> tuple[int, ...]:
    """Returns the variants that get their own folder: the one where no condition holds, and those where one
    does."""
    expressions = reader_conditions(loaded.issue)
    return (0, *(1 << bit for bit in range(len(expressions)))) if expressions else ()


def _rendered(loaded: LoadedIssue, settings: Settings, variant: int, images: str | None) -> Rendition:
    from mailer.render.render import render_variants

    slug = slug_of(loaded.issue.edition, loaded.issue.date)
    return render_variants(loaded, settings, slug=slug, variants=(variant,), image_base=images)[variant]


def _files(
    loaded: LoadedIssue, settings: Settings, variant: int, *, inner: str
) -> Iterator[tuple[str, bytes]]:
    """Yields (name, bytes) of one variant's files. The pages refer to pictures relative to their own
    folder."""
    page = _rendered(loaded, settings, variant, "../" * inner.count("/") + "images/")
    yield f"{inner}email.html", page.html.fill({}).encode()
    yield f"{inner}email.txt", page.text.fill({}).encode()
    yield f"{inner}web.html", page.web.encode()
    for picture in page.pictures:
        yield f"images/{picture.name}", picture.data
    yield f"{inner}message.eml", _message(loaded, settings, _rendered(loaded, settings, variant, None))


def _message(loaded: LoadedIssue, settings: Settings, rendition: Rendition) -> bytes:
    """Returns the message as it would be sent at the edition's usual time, to no real reader. It needs no
    secret key."""
    if not settings.secret_keys:
        settings = settings.model_copy(update={"secret_keys": (SecretStr("for looking at only"),)})
    issue = loaded.issue
    hour = settings.editions[issue.edition].time or dt.time(12)
    return compose_sample(
        settings,
        rendition,
        slug=slug_of(issue.edition, issue.date),
        edition=issue.edition,
        sent_at=dt.datetime.combine(issue.date, hour, settings.publication.zone),
    )
