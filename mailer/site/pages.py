"""Makes pages for readers, as bytes, from templates/web/pages/ (the workspace's before the built-in ones).

A page has no script. Its style is allowed by hash, so that nothing else can style or load anything. A page
of the workspace that fails is replaced by the built-in one, and where that fails too, by a plain text, so
that an error in a template keeps nobody from leaving.
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

from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment

from mailer.colour import most_readable_colour
from mailer.config import Settings
from mailer.display_text import without_control_characters
from mailer.language.catalogue import Translations
from mailer.language.dates import long_date
from mailer.language.direction import isolated_name
from mailer.language.reader_language import choose_language, page_translations
from mailer.language_tags import SOURCE_LANGUAGE, direction_of
from mailer.site.plain_page import plain_page
from mailer.site.sandbox import LARGEST_PAGE, PageEnvironment, counting_steps
from mailer.theme_files import built_in_theme

__all__ = ["LARGEST_PAGE", "Page", "Pages"]

_log = logging.getLogger("mailer.web")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_NAMES = (
    *("unsubscribe", "done", "preferences", "archive", "not-found", "refused", "unavailable"),
    *("erased", "unknown", "copy", "incomplete"),
)
#: The colours of text on a button.
_ON_ACCENT = ("#ffffff", "#000000")
#: A language tag, or several, the first wish first.
_LanguageWish = str | Sequence[str]


@dataclass(frozen=True, slots=True)
class Page:
    """Holds a finished page: `body` is HTML in UTF-8, `language` its language tag.

    `styles` has the SHA-256 in base64 of each of its style sheets, for a Content-Security-Policy. A page that
    is not `complete` does not say what happened: it only asks the reader to try again later.
    """

    body: bytes
    language: str
    styles: tuple[str, ...] = ()
    complete: bool = True

    @classmethod
    def of(cls, html: str, language: str, *, complete: bool = True) -> Page:
        """Returns the page of this HTML. Raises UnicodeEncodeError where it is not text."""
        styles = tuple(_sha256(style) for style in _STYLE.findall(html))
        return cls(html.encode(), language.replace("_", "-"), styles, complete)


@dataclass(frozen=True, slots=True)
class _Theme:
    """Holds templates and translations: the workspace's before the built-in ones, or only the built-in."""

    folders: tuple[Path, ...]
    environment: SandboxedEnvironment

    @classmethod
    def of(cls, folders: tuple[Path, ...]) -> _Theme:
        return cls(folders, _environment(folders))


class Pages:
    """Makes pages. `page` never fails, even if the templates are broken; the log says what is wrong."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._own = _Theme.of((settings.root / "templates", built_in_theme()))
        self._built_in = _Theme.of(self._own.folders[1:])
        self._log_unreadable_files()

    def page(self, name: str, wish: _LanguageWish, **context: Any) -> Page:
        """Returns the page `name` in the first of the wanted languages that has a catalogue."""
        for theme, instead in ((self._own, "the built-in page"), (self._built_in, "a plain text")):
            try:
                return self._from_theme(theme, name, wish, context)
            except Exception as error:  # a template can raise anything
                _log_failure(f"templates/web/pages/{name}.html", error, instead)
        return self._plain(name, wish, context)

    def _log_unreadable_files(self) -> None:
        """Logs, at the start, which templates and catalogues cannot be read."""
        for name in _NAMES:
            try:
                self._own.environment.get_template(f"{name}.html")
            except Exception as error:
                _log_failure(f"templates/web/pages/{name}.html", error, "the built-in page")
        try:
            page_translations(self._language(self._own, ""), self._own.folders)
        except Exception as error:
            _log_failure("templates/locale", error, "the built-in page")

    def _from_theme(self, theme: _Theme, name: str, wish: _LanguageWish, context: Mapping[str, Any]) -> Page:
        language = self._language(theme, wish)
        template = theme.environment.get_template(f"{name}.html")
        html = _rendered(template, {**self._shared(theme, language), **context})
        return Page.of(html, language)

    def _language(self, theme: _Theme, wish: _LanguageWish) -> str:
        """Returns the language of a page for a reader's language field, or for a list of wanted languages."""
        wishes = (wish,) if isinstance(wish, str) else wish
        return choose_language((*wishes, self._settings.publication.language), theme.folders)

    def _plain(self, name: str, wish: _LanguageWish, context: Mapping[str, Any]) -> Page:
        try:
            language = self._language(self._built_in, wish)
            translate = page_translations(language, self._built_in.folders).translate
        except Exception:
            language, translate = SOURCE_LANGUAGE, Translations().translate
        html, complete = plain_page(
            name, context, self._settings.publication, language.replace("_", "-"), translate
        )
        return Page.of(html, language, complete=complete)

    def _shared(self, theme: _Theme, language: str) -> dict[str, Any]:
        translations = page_translations(language, theme.folders)

        def translated(text: str, **values: object) -> str:
            found = translations.translate(text)
            return found.format(**values) if values else found

        return {
            "_": translated,
            "language": language.replace("_", "-"),
            "dir": direction_of(language),
            "dir_of": direction_of,
            "bdi": lambda text: isolated_name(text, direction_of(language)),
            "long_date": lambda day: long_date(day, language),
            "publication": self._settings.publication,
            "brand": self._settings.brand,
            "on_accent": most_readable_colour(self._settings.brand.accent, _ON_ACCENT),
            "on_accent_dark": most_readable_colour(self._settings.brand.accent_dark, _ON_ACCENT),
        }


def _rendered(template: Template, values: Mapping[str, Any]) -> str:
    """Returns the output of the template. Raises OverflowError where it is too long, or its own error."""
    parts: list[str] = []
    size = 0
    with counting_steps():
        for part in template.generate(values):
            parts.append(part)
            size += len(part)
            if size > LARGEST_PAGE:
                raise OverflowError(f"it gives more than {LARGEST_PAGE:,} characters")
    return "".join(parts)


def _log_failure(place: str, error: Exception, instead: str) -> None:
    """Logs one line: the place of the error, and what readers get instead."""
    if isinstance(error, TemplateSyntaxError):
        place = f"templates/web/pages/{error.name}:{error.lineno}"
        words = error.message or "it is no template"
    else:
        try:
            words = str(error)
        except Exception:
            words = ""
    words = without_control_characters(" ".join(words.split()))[:200] or type(error).__name__
    _log.error("%s: %s; %s is shown instead", place, words, instead)


def _environment(folders: tuple[Path, ...]) -> SandboxedEnvironment:
    return PageEnvironment(
        loader=FileSystemLoader([folder / "web" / "pages" for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
