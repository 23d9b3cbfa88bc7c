"""Renders an issue: Jinja2, MJML and the inlining of styles run once for each different variant.

What a template sees is made in `views`; where the slots of the result stand is found in `slots/html_part.py`.
Whether the result is fit to be sent is asked in `check`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mailer.config import Settings
from mailer.errors import IssueError, MailerError, Problem
from mailer.issue.load import LoadedIssue
from mailer.issue.model import Issue, issue_for_variant
from mailer.language.catalogue import Translations
from mailer.language.dates import long_date, weekday
from mailer.language.template_functions import TRANSLATIONS
from mailer.language.theme_catalogues import theme_translations
from mailer.language_tags import direction_of
from mailer.render.faults import Faults
from mailer.render.html.inline import inline_styles
from mailer.render.html.mjml import render_mjml
from mailer.render.rendition import MEDIA, Rendition
from mailer.render.slots.html_part import html_part, without_slots
from mailer.render.slots.markers import Markers
from mailer.render.slots.slots import Context, Part
from mailer.render.slots.text_part import text_part
from mailer.render.source_positions import SourcePositions
from mailer.render.theme.direction import is_mixed, languages_in, set_direction
from mailer.render.theme.theme import MARKERS, Theme, open_theme
from mailer.render.views.build import ViewBuilder
from mailer.render.views.values import EditionView, LinksView
from mailer.theme_files import ThemeFiles, built_in_theme

__all__ = ["examine_variants", "render_variants"]

_T = TypeVar("_T")


def render_variants(
    loaded: LoadedIssue,
    settings: Settings,
    *,
    slug: str,
    variants: Collection[int],
    image_base: str | None = None,
) -> dict[int, Rendition]:
    """Returns the rendition of each variant (a bit mask of `only` expressions). Equal ones are one object.

    `image_base` stands before the names of pictures. Raises ThemeError, IssueError, or ConfigError for
    the logo.
    """
    inputs = _Inputs.of(loaded, settings, open_theme(settings.root), slug, image_base)
    renditions: dict[int, Rendition] = {}
    for issue, same in _distinct(loaded.issue, variants):
        rendition = _Rendering(inputs, issue, Faults()).rendition(same[0], MEDIA)
        renditions |= dict.fromkeys(same, rendition)
    return dict(sorted(renditions.items()))


def examine_variants(
    loaded: LoadedIssue, settings: Settings, *, slug: str, variants: Collection[int], faults: list[Problem]
) -> list[tuple[Rendition, frozenset[str]]]:
    """Returns the different renditions of an issue that may be faulty, each with the media that were made.

    The media are those of MEDIA; another one is empty. Nothing is raised: what `render_variants` would raise
    is added to `faults`, and rendering goes on.
    """
    gathered = Faults(faults)
    media: Collection[str] = MEDIA
    try:
        theme = open_theme(settings.root)
    except MailerError as error:
        gathered.add(error)
        theme, media = open_theme(built_in_theme().parent), ()
    inputs = _Inputs.of(loaded, settings, theme, slug)
    found: list[tuple[Rendition, frozenset[str]]] = []
    for issue, same in _distinct(loaded.issue, variants):
        rendering = _Rendering(inputs, issue, gathered)
        rendition = rendering.rendition(same[0], media)
        found.append((rendition, frozenset(rendering.made)))
    return found


@dataclass(frozen=True)
class _Inputs:
    """Holds the inputs that all variants of an issue share. `archive` is the address of its public page."""

    loaded: LoadedIssue
    settings: Settings
    theme: Theme
    archive: str
    image_base: str

    @classmethod
    def of(
        cls, loaded: LoadedIssue, settings: Settings, theme: Theme, slug: str, image_base: str | None = None
    ) -> _Inputs:
        archive = f"{settings.publication.base_url}/archive/{slug}/"
        return cls(
            loaded, settings, theme, archive, f"{archive}images/" if image_base is None else image_base
        )

    def seed(self, issue: Issue) -> str:
        """Returns a hash of all inputs of a variant, so that no text can hold one of its markers."""
        settings = self.settings
        editions = {key: edition.model_dump(mode="json") for key, edition in settings.editions.items()}
        parts = [
            self.loaded.digest,
            issue.model_dump_json(),
            settings.publication.model_dump_json(),
            settings.brand.model_dump_json(),
            json.dumps(editions),
            self.theme.digest,
            self.archive,
            self.image_base,
        ]
        return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()


def _distinct(issue: Issue, variants: Collection[int]) -> list[tuple[Issue, list[int]]]:
    """Returns the different issues that the variants show, each with its variants in ascending order."""
    found: list[tuple[Issue, list[int]]] = []
    for variant in sorted(set(variants)):
        shown = issue_for_variant(issue, variant)
        same = next((numbers for other, numbers in found if other == shown), None)
        if same is None:
            found.append((shown, [variant]))
        else:
            same.append(variant)
    return found


class _Rendering:
    """Renders one variant through the templates."""

    def __init__(self, inputs: _Inputs, issue: Issue, faults: Faults) -> None:
        self.issue = issue
        self.faults = faults
        #: The media that could be made.
        self.made: set[str] = set()
        self.settings = inputs.settings
        self.theme = inputs.theme
        self.edition = self.settings.editions[issue.edition]
        self.markers = Markers(inputs.seed(issue))
        self.image_base = inputs.image_base
        places = SourcePositions(inputs.loaded)
        self.viewer = ViewBuilder(places, self.settings, self.markers, inputs.image_base, faults)
        view = self.viewer.issue(issue)
        if places.problems:
            faults.add(
                IssueError.from_problems(sorted(places.problems, key=lambda p: (p.path or "", p.line or 0)))
            )
        self.subject = " ".join(view.subject.split())
        self.context = self._context(view, inputs.archive)

    def _context(self, view: Any, archive: str) -> dict[str, Any]:
        edition = self.edition
        return {
            "issue": view,
            "edition": EditionView(self.issue.edition, edition.name, edition.description, edition.layout),
            "publication": self.settings.publication,
            "brand": self.viewer.brand(),
            "language": self.issue.language,
            "dir": direction_of(self.issue.language),
            "mixed": is_mixed(self.issue),
            "date_long": long_date(self.issue.date, self.issue.language),
            "weekday": weekday(self.issue.date, self.issue.language),
            "links": LinksView("" if edition.public_page == "none" else archive),
            MARKERS: self.markers,
            TRANSLATIONS: self._translations(),
        }

    def _translations(self) -> Translations:
        try:
            return theme_translations(self.theme.files, self.issue.language)
        except MailerError as error:
            self.faults.add(error)
            sound = tuple(file for file in self.theme.files.all if file.path.startswith("(built-in)"))
            return theme_translations(ThemeFiles(sound), self.issue.language)

    def rendition(self, variant: int, media: Collection[str]) -> Rendition:
        html, mail = self._part(media, "email", self._email) or ("", Part(("",), ()))
        text = self._part(media, "text", self._text) or Part(("",), ())
        web = self._part(media, "web", self._web) or ""
        return Rendition(
            variant=variant,
            language=self.issue.language,
            subject=self.markers.part(self.subject, Context.HEADER),
            html=mail,
            text=text,
            web=web,
            theme=self.theme.digest,
            pictures=tuple(
                picture
                for name, picture in sorted(self.viewer.album.published.items())
                if self.image_base + name in html or self.image_base + name in web
            ),
            findings=tuple(sorted(self.viewer.album.findings, key=lambda p: (p.path or "", p.line or 0))),
        )

    def _part(self, media: Collection[str], medium: str, make: Callable[[], _T]) -> _T | None:
        """Returns the part for a medium; None where it is not asked for, or a fault of it was gathered."""
        if medium not in media:
            return None
        try:
            made = make()
        except MailerError as error:
            self.faults.add(error)
            return None
        self.made.add(medium)
        return made

    def _email(self) -> tuple[str, Part]:
        markup = render_mjml(self.theme, self._layout("email", ".mjml"), self._for("email"))
        html = inline_styles(self._with_direction(markup))
        return html, html_part(html, self.markers)

    def _text(self) -> Part:
        text = self.theme.render(self._layout("text", ".txt"), self._for("text"))
        return text_part(text, self.markers)

    def _web(self) -> str:
        page = self.theme.render(self._layout("web", ".html"), self._for("web"))
        return without_slots(self._with_direction(page), self.markers)

    def _with_direction(self, html: str) -> str:
        """Returns the page, set from right to left where parts of it are written so."""
        if not any(direction_of(language) == "rtl" for language in languages_in(self.issue)):
            return html
        return set_direction(html, self.markers, direction_of(self.issue.language))

    def _layout(self, medium: str, suffix: str) -> str:
        return self.theme.layout(self.edition.layout, medium, suffix)

    def _for(self, medium: str) -> Mapping[str, Any]:
        self.markers.steps[0] = 0
        return {**self.context, "medium": medium}
