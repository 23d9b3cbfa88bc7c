"""Renders MJML to HTML with MRML, and finds the line of a template for each fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html import unescape
from itertools import islice
from typing import Any

from mailer.errors import MailerError, Problem, ThemeError
from mailer.render.html.mjml_lint import lint_mjml
from mailer.render.html.mrml_escapes import EscapedMjml
from mailer.render.html.wellformed import first_fault
from mailer.render.theme.theme import Theme

__all__ = ["render_mjml"]

#: MRML would follow a circle of includes until its stack is full.
MAX_INCLUDES = 12
#: More slips than this at once help nobody.
MAX_SLIPS = 50

_SOURCE = re.compile(r'from "([^"]*)"')
_POSITION = re.compile(r"\s*(?:from \"[^\"]*\"|in root template)?\s*at position ([0-9]+):[0-9]+")
_FETCHING = re.compile(
    r"<style\b[^>]*>[^<]*?(?P<import>@import[^<;]*)|<link\b[^>]*stylesheet[^>]*>", re.IGNORECASE
)


def render_mjml(theme: Theme, name: str, context: Mapping[str, Any]) -> str:
    """Returns the HTML of a layout. Raises ThemeError with the template and line of the error."""
    from mjml import mjml2html

    source = _Source(theme, name, context)
    markup = source.markup(name)
    try:
        html: str = mjml2html(markup, fonts={}, include_loader=source.load)
    except ValueError as error:
        raise source.explained(str(error)) from None
    found = _FETCHING.search(html)
    if found:
        shown = found["import"] or found[0]
        message = (
            f'"{shown[:40]}" loads something from another site; take it out, and name no web font '
            "(Open Sans, Droid Sans, Lato, Roboto, Ubuntu)"
        )
        raise ThemeError(source.problem(message, name, source.handed[name].offset(markup.find(shown))))
    source.check()
    return html


class _Source:
    """Holds the rendered MJML of a layout and its includes, and the place of each part in the theme."""

    def __init__(self, theme: Theme, name: str, context: Mapping[str, Any]) -> None:
        self.theme = theme
        self.name = name
        self.context = context
        self.handed: dict[str, EscapedMjml] = {}
        self.loads = 0
        self.failed: MailerError | None = None

    def markup(self, name: str) -> str:
        """Returns a rendered template that is safe to give to MRML. Raises ThemeError."""
        handed = self.handed[name] = EscapedMjml.of(self.theme.render(name, self.context))
        fault = first_fault(handed.clean)
        if fault is not None:
            raise ThemeError(self.problem(fault.message, name, handed.clean_offset(fault.offset)))
        return handed.text

    def load(self, path: str) -> str:
        """Returns the template of the theme that `mj-include` names; it loads nothing else."""
        self.loads += 1
        path = unescape(path)
        try:
            if self.loads > MAX_INCLUDES:
                raise ThemeError(
                    self.problem(
                        f"mj-include is used more than {MAX_INCLUDES} times, or in a circle; "
                        'use {% include "…" %}',
                        path,
                    )
                )
            if path not in self.theme.files.templates:
                raise ThemeError(
                    self.problem(
                        f'mj-include: there is no template "{path}"; names begin at templates/, as in '
                        "email/partials/footer.mjml",
                        self.name,
                    )
                )
            return self.markup(path)
        except MailerError as error:
            self.failed = error
            raise ValueError("failed") from None

    def problem(self, message: str, name: str, offset: int = -1) -> Problem:
        """Returns a problem at a character of a rendered template, with its place as far as that is known."""
        place = None
        if offset >= 0:
            place = self.theme.place_of(name, self.context, self.handed[name].typed, offset)
        return Problem(message, *(place or (self.theme.files.display_path(name), None)))

    def check(self) -> None:
        """Raises ThemeError with every slip that MRML has taken without a word."""
        found = [
            self.problem(slip.message, name, slip.offset)
            for name, handed in self.handed.items()
            for slip in islice(lint_mjml(handed.typed), MAX_SLIPS)
        ]
        if found:
            raise ThemeError.from_problems(dict.fromkeys(found))

    def explained(self, message: str) -> MailerError:
        """Returns the error of MRML as a sentence."""
        if self.failed:
            return self.failed
        found = _SOURCE.search(message)
        name = unescape(found[1]) if found else self.name
        if name not in self.handed:
            name = self.name
        handed, offset = self.handed[name], 0
        position = _POSITION.search(message)
        if position:
            offset = len(handed.text.encode()[: int(position[1])].decode("utf-8", "ignore"))
            offset = handed.offset(offset)
            message = _POSITION.sub("", message)
        near = " ".join(handed.typed[offset : offset + 40].split())
        message = message.replace(" in root template", "")
        return ThemeError(self.problem(f'is not MJML: {message} (near "{near}")', name, offset))
