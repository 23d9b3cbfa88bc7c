"""Pages for readers, from templates/web/pages/ (the workspace's first): their language, colours and headers.

A page has no script. Its style is allowed by hash, so that nothing else can style or load anything.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from pathlib import Path
from typing import Any

from babel.dates import format_date
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import SandboxedEnvironment
from starlette.responses import HTMLResponse

from mailer.config import Settings
from mailer.errors import Problem, ThemeError
from mailer.render.lookup import built_in_theme
from mailer.web.words import catalogue, choose, locale_of

__all__ = ["Pages"]

_log = logging.getLogger("mailer.web")
_STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
_NAMES = ("unsubscribe", "done", "preferences", "archive", "not-found", "refused", "unavailable")


class Pages:
    """Makes pages. Raises ThemeError where a template of the workspace is no template."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._folders = (settings.root / "templates", built_in_theme())
        self._own = _environment(self._folders)
        self._built_in = _environment(self._folders[1:])
        for name in _NAMES:
            try:
                self._own.get_template(f"{name}.html")
            except TemplateSyntaxError as error:
                place = f"templates/web/pages/{error.name}"
                raise ThemeError(Problem(error.message or "is no template", place, error.lineno)) from None
        catalogue(self.language(""), self._folders)

    def language(self, wish: str) -> str:
        """The language a page is in for somebody with this language field."""
        return choose((wish, self._settings.publication.language), self._folders)

    def page(self, name: str, wish: str, *, status: int = 200, **context: Any) -> HTMLResponse:
        """The page `name`, in the wished language where there are strings for it."""
        html = self._html(name, self.language(wish), context)
        styles = " ".join(f"'sha256-{_sha256(style)}'" for style in _STYLE.findall(html)) or "'none'"
        policy = (
            f"default-src 'none'; style-src {styles}; img-src 'self' https: data:; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        headers = {
            "Content-Security-Policy": policy,
            "Content-Language": self.language(wish).replace("_", "-"),
        }
        return HTMLResponse(html, status, headers)

    def _html(self, name: str, language: str, context: dict[str, Any]) -> str:
        everything = {**self._shared(language), **context}
        try:
            return self._own.get_template(f"{name}.html").render(everything)
        except TemplateError as error:
            # A reader who wants to leave must not stand before a designer's slip.
            _log.error("templates/web/pages/%s.html: %s; the built-in page was shown", name, error)
            return self._built_in.get_template(f"{name}.html").render(everything)

    def _shared(self, language: str) -> dict[str, Any]:
        strings = catalogue(language, self._folders)
        locale = locale_of(language)

        def translated(text: str, **values: object) -> str:
            return strings.gettext(text).format(**values) if values else strings.gettext(text)

        return {
            "_": translated,
            "language": language.replace("_", "-"),
            "dir": locale.text_direction if locale else "ltr",
            "long_date": lambda day: format_date(day, "long", locale=language),
            "publication": self._settings.publication,
            "brand": self._settings.brand,
            "on_accent": _readable_on(self._settings.brand.accent),
            "on_accent_dark": _readable_on(self._settings.brand.accent_dark),
        }


def _environment(folders: tuple[Path, ...]) -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FileSystemLoader([folder / "web" / "pages" for folder in folders]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _readable_on(colour: str) -> str:
    """Black or white, whichever stands out more on `colour` (WCAG 2 relative luminance)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#ffffff" if 1.05 / (luminance + 0.05) >= (luminance + 0.05) / 0.05 else "#000000"


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
