"""Renders an issue: Jinja2, MJML and the inlining of styles run once for each different variant.

The module `views` makes the values that a template sees, `slots/html_part.py` finds the slots in the finished
HTML, and `check` finds errors in the result.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from mailer.config import Settings
from mailer.errors import IssueError, MailerError, Problem, ThemeError
from mailer.issue.load import LoadedIssue
from mailer.issue.model import Issue, issue_for_variant
from mailer.language.catalogue import Translations
from mailer.language.dates import long_date, weekday
from mailer.language.template_functions import TRANSLATIONS
from mailer.language.theme_catalogues import theme_translations
from mailer.language_tags import direction_of
from mailer.render.faults import RenderingFaults
from mailer.render.html.empty_links import without_empty_links
from mailer.render.html.inline import inline_styles
from mailer.render.html.mjml import render_mjml
from mailer.render.html.mrml_html import compact_styles
from mailer.render.html.web_pictures import find_relative_pictures
from mailer.render.rendition import MEDIA, Rendition
from mailer.render.slots.html_part import html_part, html_without_slots
from mailer.render.slots.markers import Markers
from mailer.render.slots.slots import RenditionPart, SlotContext
from mailer.render.slots.text_part import text_part
from mailer.render.source_positions import SourcePositions
from mailer.render.theme.direction import has_both_directions, languages_in, set_direction
from mailer.render.theme.theme import MARKERS, Theme, open_theme
from mailer.render.views.build import ViewBuilder
from mailer.render.views.values import EditionView, LinksView
from mailer.theme_files import ThemeFiles, built_in_theme_folder

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
    """Returns the rendition of each variant in `variants` (bit masks of `only` expressions), by variant.

    Variants whose readers see the same parts of the issue share one object. `slug` is the campaign's name,
    for the URL of the public page. `image_base` is the beginning of the URLs of pictures; None means the
    campaign's folder on the public site. Raises ThemeError, IssueError, or, if the logo cannot be used,
    ConfigError.
    """
    inputs = _RenderingInputs.of(loaded, settings, open_theme(settings.root), slug, image_base)
    renditions: dict[int, Rendition] = {}
    for issue, same in _distinct_issues(loaded.issue, variants):
        rendition = _VariantRendering(inputs, issue, RenderingFaults()).render(same[0], MEDIA)
        renditions |= dict.fromkeys(same, rendition)
    return dict(sorted(renditions.items()))


def examine_variants(
    loaded: LoadedIssue, settings: Settings, *, slug: str, variants: Collection[int], faults: list[Problem]
) -> list[tuple[Rendition, frozenset[str]]]:
    """Renders an issue that may have errors. Adds all errors to `faults` instead of raising the first.

    Returns each different rendition, with the names of the parts that could be rendered (some of MEDIA). All
    other parts of the rendition are empty.
    """
    collecting = RenderingFaults(faults)
    media: Collection[str] = MEDIA
    try:
        theme = open_theme(settings.root)
    except MailerError as error:
        collecting.raise_or_collect(error)
        theme, media = open_theme(built_in_theme_folder().parent), ()
    inputs = _RenderingInputs.of(loaded, settings, theme, slug)
    found: list[tuple[Rendition, frozenset[str]]] = []
    for issue, same in _distinct_issues(loaded.issue, variants):
        rendering = _VariantRendering(inputs, issue, collecting)
        rendition = rendering.render(same[0], media)
        found.append((rendition, frozenset(rendering.made)))
    return found


@dataclass(frozen=True)
class _RenderingInputs:
    """Holds the inputs that all variants of an issue share.

    `archive` is the URL of the issue's public page, `image_base` the beginning of the URLs of pictures.
    """

    loaded: LoadedIssue
    settings: Settings
    theme: Theme
    archive: str
    image_base: str

    @classmethod
    def of(
        cls, loaded: LoadedIssue, settings: Settings, theme: Theme, slug: str, image_base: str | None = None
    ) -> _RenderingInputs:
        archive = f"{settings.publication.base_url}/archive/{slug}/"
        return cls(
            loaded, settings, theme, archive, f"{archive}images/" if image_base is None else image_base
        )

    def marker_seed(self, issue: Issue) -> str:
        """Returns a hash of all inputs of a variant.

        Each marker contains this hash, so no text of the issue can hold a marker by chance.
        """
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


def _distinct_issues(issue: Issue, variants: Collection[int]) -> list[tuple[Issue, list[int]]]:
    """Returns the issues that the variants show, without duplicates, as (issue, variants that show it).

    The variants of an issue are in ascending order.
    """
    found: list[tuple[Issue, list[int]]] = []
    for variant in sorted(set(variants)):
        shown = issue_for_variant(issue, variant)
        same = next((numbers for other, numbers in found if other == shown), None)
        if same is None:
            found.append((shown, [variant]))
        else:
            same.append(variant)
    return found


class _VariantRendering:
    """Renders one variant of an issue through the templates."""

    def __init__(self, inputs: _RenderingInputs, issue: Issue, faults: RenderingFaults) -> None:
        self.issue = issue
        self.faults = faults
        #: The media that could be made.
        self.made: set[str] = set()
        #: Warnings about the templates.
        self.findings: list[Problem] = []
        self.settings = inputs.settings.in_language(issue.language)
        self.theme = inputs.theme
        self.edition = self.settings.editions[issue.edition]
        self.markers = Markers(inputs.marker_seed(issue))
        self.image_base = inputs.image_base
        positions = SourcePositions(inputs.loaded)
        self.viewer = ViewBuilder(positions, self.settings, self.markers, inputs.image_base, faults)
        view = self.viewer.issue_view(issue)
        if positions.problems:
            faults.raise_or_collect(
                IssueError.from_problems(
                    sorted(positions.problems, key=lambda p: (p.path or "", p.line or 0))
                )
            )
        self.subject = " ".join(view.subject.split())
        self.context = self._template_context(view, inputs.archive)

    def _template_context(self, view: Any, archive: str) -> dict[str, Any]:
        edition = self.edition
        return {
            "issue": view,
            "edition": EditionView(
                self.issue.edition, edition.name, edition.description, edition.layout, edition.rhythm or ""
            ),
            "publication": self.settings.publication,
            "brand": self.viewer.brand_view(),
            "language": self.issue.language,
            "dir": direction_of(self.issue.language),
            "mixed": has_both_directions(self.issue),
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
            self.faults.raise_or_collect(error)
            sound = tuple(file for file in self.theme.files.all if file.path.startswith("(built-in)"))
            return theme_translations(ThemeFiles(sound), self.issue.language)

    def render(self, variant: int, media: Collection[str]) -> Rendition:
        html, mail = self._render_part(media, "email", self._render_email) or ("", RenditionPart(("",), ()))
        text = self._render_part(media, "text", self._render_text) or RenditionPart(("",), ())
        web = self._render_part(media, "web", self._render_web) or ""
        shown = "\n".join((html, *text.fragments, web))
        return Rendition(
            variant=variant,
            language=self.issue.language,
            subject=self.markers.cut_at_markers(self.subject, SlotContext.HEADER),
            html=mail,
            text=text,
            web=web,
            theme=self.theme.digest,
            pictures=tuple(
                picture
                for name, picture in sorted(self.viewer.album.published.items())
                if self.image_base + name in shown
            ),
            findings=tuple(
                sorted(
                    (*self.viewer.album.findings, *self.findings), key=lambda p: (p.path or "", p.line or 0)
                )
            ),
        )

    def _render_part(
        self, wanted_media: Collection[str], medium: str, make_part: Callable[[], _T]
    ) -> _T | None:
        """Returns the part of the rendition for `medium` (one of MEDIA), which `make_part` makes.

        Returns None if `wanted_media` does not include `medium`, or if `make_part` failed and the error was
        collected.
        """
        if medium not in wanted_media:
            return None
        try:
            made = make_part()
        except MailerError as error:
            self.faults.raise_or_collect(error)
            return None
        self.made.add(medium)
        return made

    def _render_email(self) -> tuple[str, RenditionPart]:
        markup = render_mjml(
            self.theme,
            self._layout_template("email", ".mjml"),
            self._context_for_medium("email"),
            findings=self.findings,
        )
        html = compact_styles(inline_styles(self._with_direction_attributes(markup)))
        return html, html_part(html, self.markers)

    def _render_text(self) -> RenditionPart:
        text = self.theme.render(self._layout_template("text", ".txt"), self._context_for_medium("text"))
        return text_part(text, self.markers)

    def _render_web(self) -> str:
        name, context = self._layout_template("web", ".html"), self._context_for_medium("web")
        page = self.theme.render(name, context)
        if faults := find_relative_pictures(page):
            raise ThemeError.from_problems(
                Problem(fault.message, *self._place_in_theme(name, context, page, fault.offset))
                for fault in faults
            )
        page = self._with_direction_attributes(without_empty_links(page))
        return html_without_slots(page, self.markers)

    def _place_in_theme(
        self, name: str, context: Mapping[str, Any], output: str, offset: int
    ) -> tuple[str, int | None]:
        """Returns (path, line) of the template text that a character of `output` comes from.

        The line is None if it is unknown; then the path is that of the template `name`.
        """
        found = self.theme.position_of(name, context, output, offset)
        return found or (self.theme.files.display_path(name), None)

    def _with_direction_attributes(self, html: str) -> str:
        """Returns the page with `dir` attributes, or unchanged if all languages run from left to right."""
        if not any(direction_of(language) == "rtl" for language in languages_in(self.issue)):
            return html
        return set_direction(html, self.markers, direction_of(self.issue.language))

    def _layout_template(self, medium: str, suffix: str) -> str:
        return self.theme.layout_template(self.edition.layout, medium, suffix)

    def _context_for_medium(self, medium: str) -> Mapping[str, Any]:
        self.markers.steps[0] = 0
        return {**self.context, "medium": medium}
