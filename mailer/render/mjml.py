"""MJML -> HTML, by MRML, with its faults at the line of a template."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from mailer.errors import MailerError, Problem, ThemeError
from mailer.render.mjml_slips import slips
from mailer.render.theme import Theme
from mailer.render.wellformed import first_fault

__all__ = ["render_mjml"]

#: MRML would follow a circle of includes until its stack is full.
MAX_INCLUDES = 12
#: More slips than this at once help nobody.
MAX_SLIPS = 50

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_SOURCE = re.compile(r'from "([^"]*)"')
_POSITION = re.compile(r"\s*(?:from \"[^\"]*\"|in root template)?\s*at position ([0-9]+):[0-9]+")
_FETCHING = re.compile(
    r"<style\b[^>]*>[^<]*?(?P<import>@import[^<;]*)|<link\b[^>]*stylesheet[^>]*>", re.IGNORECASE
)


def render_mjml(theme: Theme, name: str, context: Mapping[str, Any]) -> str:
    """The HTML of a layout. Raises ThemeError with the template and line of what is wrong."""
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
        raise ThemeError(source.problem(message, name, markup.find(shown)))
    source.check()
    return html


class _Source:
    """The MJML of a layout and of what it includes, as rendered, and where in the theme it came from."""

    def __init__(self, theme: Theme, name: str, context: Mapping[str, Any]) -> None:
        self.theme = theme
        self.name = name
        self.context = context
        self.markups: dict[str, str] = {}
        self.loads = 0
        self.failed: MailerError | None = None

    def markup(self, name: str) -> str:
        """A rendered template that is safe to give to MRML. Raises ThemeError."""
        markup = _CONTROL.sub("", self.theme.render(name, self.context))
        self.markups[name] = markup
        fault = first_fault(markup)
        if fault is not None:
            raise ThemeError(self.problem(fault.message, name, fault.offset))
        return markup

    def load(self, path: str) -> str:
        """What `mj-include` gets: another template of the theme, and nothing else."""
        self.loads += 1
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
        """A problem at a character of a rendered template, as far as its place can be told."""
        place = None
        if offset >= 0:
            place = self.theme.place_of(name, self.context, self.markups[name], offset)
        return Problem(message, *(place or (self.theme.files.path_of(name), None)))

    def check(self) -> None:
        """Raises ThemeError with every slip that MRML has taken without a word."""
        found = [
            self.problem(slip.message, name, slip.offset)
            for name, markup in self.markups.items()
            for slip in islice(slips(markup), MAX_SLIPS)
        ]
        if found:
            raise ThemeError.of(dict.fromkeys(found))

    def explained(self, message: str) -> MailerError:
        """What MRML says, as a sentence."""
        if self.failed:
            return self.failed
        found = _SOURCE.search(message)
        name = found[1] if found and found[1] in self.markups else self.name
        markup, offset = self.markups[name], 0
        position = _POSITION.search(message)
        if position:
            offset = len(markup.encode()[: int(position[1])].decode("utf-8", "ignore"))
            message = _POSITION.sub("", message)
        near = " ".join(markup[offset : offset + 40].split())
        message = message.replace(" in root template", "")
        return ThemeError(self.problem(f'is not MJML: {message} (near "{near}")', name, offset))
