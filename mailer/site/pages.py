"""Renders pages for readers, as bytes, from templates/web/pages/ of the workspace or of the built-in theme.

A page has no script. Its style sheets are allowed by their hashes, so nothing else can style the page. If a
page of the workspace fails, the built-in page is shown, and if that fails too, a plain text. So no error in
a template keeps a reader from unsubscribing.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Template, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from mailer.colour import most_readable_colour
from mailer.config import Settings
from mailer.display_text import without_control_characters
from mailer.language.catalogue import Translations
from mailer.language.dates import day_of_month, long_date, month_and_year
from mailer.language.reader_language import choose_language, page_translations
from mailer.language_tags import SOURCE_LANGUAGE, direction_of
from mailer.site.logo import PageLogo, page_logo
from mailer.site.page_words import PageWords
from mailer.site.plain_page import plain_page
from mailer.site.sandbox import LARGEST_PAGE, counting_steps, page_environment
from mailer.theme_files import built_in_theme_folder

__all__ = ["LARGEST_PAGE", "Page", "ReaderPages"]

_log = logging.getLogger("mailer.web")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_NAMES = (
    *("unsubscribe", "done", "preferences", "archive", "not-found", "refused", "unavailable"),
    *("erased", "unknown", "copy", "incomplete"),
)
#: The colours of text on a button.
_ON_ACCENT = ("#ffffff", "#000000")
#: A language tag, or several, the first wish first.
_Languages = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Page:
    """Holds a finished page: `body` is its HTML in UTF-8, `language` its language tag.

    `styles` has the SHA-256 in base64 of each style sheet of the page, for a Content-Security-Policy.
    `complete` is False if the page only asks the reader to try again later, because it cannot show the result
    of the request.
    """

    body: bytes
    language: str
    styles: tuple[str, ...] = ()
    complete: bool = True

    @classmethod
    def of(cls, html: str, language: str, *, complete: bool = True) -> Page:
        """Returns the page with this HTML. Raises UnicodeEncodeError if the HTML holds lone surrogates.

        `language` is a language tag, in which `_` may stand for `-`.
        """
        styles = tuple(_sha256_base64(style) for style in _STYLE.findall(html))
        return cls(html.encode(), language.replace("_", "-"), styles, complete)


@dataclass(frozen=True, slots=True)
class _PageTheme:
    """Holds the templates and translations of pages in `folders`. Earlier folders take precedence."""

    folders: tuple[Path, ...]
    environment: SandboxedEnvironment

    @classmethod
    def of(cls, folders: tuple[Path, ...]) -> _PageTheme:
        return cls(folders, page_environment(folders))


class ReaderPages:
    """Renders the pages for readers of a workspace.

    `render_page` never fails: an error in a template is logged, and a simpler page is returned.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = _PageTheme.of((settings.root / "templates", built_in_theme_folder()))
        self._built_in = _PageTheme.of(self._own.folders[1:])
        self._logo = self._read_logo()
        self._log_unreadable_files()

    def render_page(self, name: str, languages: _Languages, **context: Any) -> Page:
        """Returns the page `name`, rendered with `context`, in the first of `languages` with translations.

        `languages` is one language tag or several, in order of preference.
        """
        for theme, replacement in ((self._own, "the built-in page"), (self._built_in, "a plain text")):
            try:
                return self._render_from_theme(theme, name, languages, context)
            except Exception as error:  # a template can raise anything
                _log_failed_page(f"templates/web/pages/{name}.html", error, replacement)
        return self._page_without_template(name, languages, context)

    def _read_logo(self) -> PageLogo | None:
        try:
            return page_logo(self._settings)
        except Exception as error:  # a page without a logo is a page
            _log_failed_page("brand.logo", error, "no logo")
            return None

    def _archive_path(self) -> str:
        """Returns the path of the list of issues, or "" if no edition has public pages."""
        if all(edition.public_page == "none" for edition in self._settings.editions.values()):
            return ""
        return f"{urlsplit(self._settings.publication.base_url).path.rstrip('/')}/archive/"

    def _log_unreadable_files(self) -> None:
        """Logs the page templates and translation catalogues of the workspace that cannot be read."""
        for name in _NAMES:
            try:
                self._own.environment.get_template(f"{name}.html")
            except Exception as error:
                _log_failed_page(f"templates/web/pages/{name}.html", error, "the built-in page")
        try:
            page_translations(self._page_language(self._own, ""), self._own.folders)
        except Exception as error:
            _log_failed_page("templates/locale", error, "the built-in page")

    def _render_from_theme(
        self, theme: _PageTheme, name: str, languages: _Languages, context: Mapping[str, Any]
    ) -> Page:
        language = self._page_language(theme, languages)
        template = theme.environment.get_template(f"{name}.html")
        html = _render_with_size_limit(template, {**self._shared_context(theme, language), **context})
        return Page.of(html, language)

    def _page_language(self, theme: _PageTheme, languages: _Languages) -> str:
        """Returns the first of `languages` for which `theme` has translations.

        If there is none, returns the language of the publication, or else English.
        """
        wanted = (languages,) if isinstance(languages, str) else languages
        return choose_language((*wanted, self._settings.publication.language), theme.folders)

    def _page_without_template(self, name: str, languages: _Languages, context: Mapping[str, Any]) -> Page:
        try:
            language = self._page_language(self._built_in, languages)
            translate = page_translations(language, self._built_in.folders).translate
        except Exception:
            language, translate = SOURCE_LANGUAGE, Translations().translate
        html, complete = plain_page(
            name, context, self._settings.publication, language.replace("_", "-"), translate
        )
        return Page.of(html, language, complete=complete)

    def _shared_context(self, theme: _PageTheme, language: str) -> dict[str, Any]:
        settings = self._settings.in_language(language)
        words = PageWords(language, theme.folders, map(settings.edition_language, settings.editions))
        return {
            "_": words.translate,
            "elsewhere": words.elsewhere,
            "language": language.replace("_", "-"),
            "dir": direction_of(language),
            "dir_of": direction_of,
            "long_date": lambda day: long_date(day, language),
            "month_and_year": lambda day: month_and_year(day, language),
            "day_of_month": lambda day: day_of_month(day, language),
            "logo": self._logo,
            "archive": self._archive_path(),
            "publication": settings.publication,
            "editions": settings.editions,
            "brand": settings.brand,
            "on_accent": most_readable_colour(settings.brand.accent, _ON_ACCENT),
            "on_accent_dark": most_readable_colour(settings.brand.accent_dark, _ON_ACCENT),
        }


def _render_with_size_limit(template: Template, values: Mapping[str, Any]) -> str:
    """Returns the output of the template for `values`. Raises OverflowError if the output is too long.

    An error of the template itself is raised as it is.
    """
    parts: list[str] = []
    size = 0
    with counting_steps():
        for part in template.generate(values):
            parts.append(part)
            size += len(part)
            if size > LARGEST_PAGE:
                raise OverflowError(f"the page must not have more than {LARGEST_PAGE:,} characters")
    return "".join(parts)


def _log_failed_page(place: str, error: Exception, replacement: str) -> None:
    """Logs one line with the error, the file where it happened, and the page that replaces the broken one."""
    if isinstance(error, TemplateSyntaxError):
        place = f"templates/web/pages/{error.name}:{error.lineno}"
        words = error.message or "it is not a valid template"
    else:
        try:
            words = str(error)
        except Exception:
            words = ""
    words = without_control_characters(" ".join(words.split()))[:200] or type(error).__name__
    _log.error("%s: %s; %s is shown instead", place, words, replacement)


def _sha256_base64(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
