"""`mailer render`: an issue as files to look at, without sending anything."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import SecretStr

from mailer.campaign.slug import slug_of
from mailer.commands.context import say, settings_of
from mailer.config import Settings
from mailer.errors import InputError
from mailer.files import put_file
from mailer.issue.model import only_expressions
from mailer.message.message import compose_sample
from mailer.render.rendition import Rendition

if TYPE_CHECKING:
    from mailer.issue.load import LoadedIssue

__all__ = ["render"]


def render(
    context: typer.Context,
    issue: Annotated[Path, typer.Argument(metavar="ISSUE", help="The issue's YAML file.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where the files go.")],
) -> None:
    """Writes email.html, email.txt, web.html, message.eml and images/ into DIR.

    They show the issue with all of its parts. Where parts are for some readers `only`, DIR/variants/
    holds folders more: 0 for readers to whom no condition applies, and one for each condition alone.
    """
    from mailer.issue.load import load_issue
    from mailer.render.check import check_rendition

    settings = settings_of(context)
    loaded = load_issue(issue, settings)
    if output.exists() and not output.is_dir():
        raise InputError(f"{output} is a file; name a folder for the rendered files")
    whole = (1 << len(only_expressions(loaded.issue))) - 1
    files = dict(_files(loaded, settings, whole, inner=""))
    sent = _rendered(loaded, settings, whole, None)
    problems = check_rendition(loaded, sent, settings)
    for variant in _others(loaded):
        files |= _files(loaded, settings, variant, inner=f"variants/{variant}/")
    for name, data in files.items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        put_file(path, data)
    for problem in problems:
        say(str(problem), err=True)
    html, text = len(files["email.html"]), len(files["email.txt"])
    say(
        f"{output}: email.html ({html / 1000:.1f} KB), email.txt ({text / 1000:.1f} KB), web.html, "
        "message.eml"
    )
    expressions = only_expressions(loaded.issue)
    if expressions and settings.editions[loaded.issue.edition].public_page == "everybody":
        say(f"{output / 'variants' / '0'}: what is for everybody; its web.html is the public page")
    for bit, expression in enumerate(expressions):
        say(f"{output / 'variants' / str(1 << bit)}: what readers see of whom `{expression}` alone is true")
    if any(problem.severity == "error" for problem in problems):
        raise typer.Exit(1)


def _others(loaded: LoadedIssue) -> tuple[int, ...]:
    """The variants that are worth a look: no condition holds, or just one."""
    expressions = only_expressions(loaded.issue)
    return (0, *(1 << bit for bit in range(len(expressions)))) if expressions else ()


def _rendered(loaded: LoadedIssue, settings: Settings, variant: int, images: str | None) -> Rendition:
    from mailer.render.render import render_variants

    slug = slug_of(loaded.issue.edition, loaded.issue.date)
    return render_variants(loaded, settings, slug=slug, variants=(variant,), image_base=images)[variant]


def _files(
    loaded: LoadedIssue, settings: Settings, variant: int, *, inner: str
) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of one variant's files. The pages name their pictures as from their own folder."""
    page = _rendered(loaded, settings, variant, "../" * inner.count("/") + "images/")
    yield f"{inner}email.html", page.html.fill({}).encode()
    yield f"{inner}email.txt", page.text.fill({}).encode()
    yield f"{inner}web.html", page.web.encode()
    for picture in page.pictures:
        yield f"images/{picture.name}", picture.data
    yield f"{inner}message.eml", _message(loaded, settings, _rendered(loaded, settings, variant, None))


def _message(loaded: LoadedIssue, settings: Settings, rendition: Rendition) -> bytes:
    """The message as it would be sent at the edition's hour, to nobody; without a secret key too."""
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
