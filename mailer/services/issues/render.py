"""Renders an issue to files that an editor can look at. Sends nothing."""

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
from mailer.message.message import Message
from mailer.message.sample import sample_message
from mailer.render.rendition import Rendition

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["RenderedIssue", "render_issue"]


@dataclass(frozen=True, slots=True)
class RenderedIssue:
    """Holds the result of rendering an issue to files: the sizes of its HTML and text, and its problems.

    `conditions` are the `only` expressions in the issue. The variant of each condition has its own folder,
    and so has the variant of readers who meet no condition. `is_public_page` is true if the public page shows
    the variant of readers who meet no condition.
    """

    html_bytes: int
    text_bytes: int
    problems: tuple[Problem, ...]
    conditions: tuple[str, ...] = ()
    is_public_page: bool = False

    @property
    def has_errors(self) -> bool:
        """Returns whether a problem prevents the issue from being sent."""
        return any(problem.severity == "error" for problem in self.problems)

    @staticmethod
    def variant_folder(output: Path, variant: int) -> Path:
        """Returns the folder below `output` that holds the files of a variant. Bit i of `variant` is set if
        the readers of the variant meet condition i."""
        return output / "variants" / str(variant)


def render_issue(settings: Settings, issue: Path, output: Path) -> RenderedIssue:
    """Writes email.html, email.txt, web.html, message.eml and images/ into the folder `output`.

    Their slots are filled with the data of an invented reader.

    These files show the issue with all its parts. If parts have an `only` condition, `output` also gets a
    folder variants/ with a folder for each condition alone, and a folder 0 for readers who meet no condition.
    Raises IssueError, or InputError if `output` is a file.
    """
    from mailer.issue.load import load_issue
    from mailer.render.check import check_rendition

    loaded = load_issue(issue, settings)
    if output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file; name a folder for the rendered files")
    conditions = reader_conditions(loaded.issue)
    whole = (1 << len(conditions)) - 1
    files = dict(_render_files(loaded, settings, whole, subfolder=""))
    problems = check_rendition(loaded, _render_variant(loaded, settings, whole, None), settings)
    for variant in _variants_with_own_folder(loaded):
        files |= _render_files(loaded, settings, variant, subfolder=f"variants/{variant}/")
    for name, data in files.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        put_file(path, data)
    return RenderedIssue(
        len(files["email.html"]),
        len(files["email.txt"]),
        tuple(problems),
        tuple(conditions),
        settings.editions[loaded.issue.edition].public_page == "everybody",
    )


def _variants_with_own_folder(loaded: LoadedIssue) -> tuple[int, ...]:
    """Returns the variant for which no condition is true, and the variant of each condition alone; empty if
    there are no conditions."""
    expressions = reader_conditions(loaded.issue)
    return (0, *(1 << bit for bit in range(len(expressions)))) if expressions else ()


def _render_variant(
    loaded: LoadedIssue, settings: Settings, variant: int, image_base: str | None
) -> Rendition:
    from mailer.render.render import render_variants

    slug = slug_of(loaded.issue.edition, loaded.issue.date)
    return render_variants(loaded, settings, slug=slug, variants=(variant,), image_base=image_base)[variant]


def _render_files(
    loaded: LoadedIssue, settings: Settings, variant: int, *, subfolder: str
) -> Iterator[tuple[str, bytes]]:
    """Yields (name, content) of each file of one variant. `subfolder` is "" or the folder of the variant,
    such as "variants/1/".

    The pages refer to pictures by paths relative to their own folder.
    """
    page = _render_variant(loaded, settings, variant, "../" * subfolder.count("/") + "images/")
    sent = _render_variant(loaded, settings, variant, None)
    message = _make_sample_message(loaded, settings, sent)
    yield f"{subfolder}email.html", page.html.fill(message.values).encode()
    yield f"{subfolder}email.txt", page.text.fill(message.values).encode()
    yield f"{subfolder}web.html", page.web.encode()
    for picture in page.pictures:
        yield f"images/{picture.name}", picture.data
    yield f"{subfolder}message.eml", message.raw()


def _make_sample_message(loaded: LoadedIssue, settings: Settings, rendition: Rendition) -> Message:
    """Returns the message as it would be sent at the edition's usual time, to an invented reader. Needs no
    secret key."""
    if not settings.secret_keys:
        settings = settings.model_copy(update={"secret_keys": (SecretStr("for looking at only"),)})
    issue = loaded.issue
    hour = settings.editions[issue.edition].time or dt.time(12)
    return sample_message(
        settings,
        rendition,
        slug=slug_of(issue.edition, issue.date),
        edition=issue.edition,
        sent_at=dt.datetime.combine(issue.date, hour, settings.publication.zone),
    )
