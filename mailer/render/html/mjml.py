"""Converts MJML to HTML with the library MRML, and finds the template and line of each error."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from html import unescape
from itertools import islice
from typing import Any

from mailer.errors import MailerError, Problem, ThemeError
from mailer.render.html.mjml_lint import lint_mjml
from mailer.render.html.mrml_escapes import EscapedMjml
from mailer.render.html.mrml_html import adjust_mrml_html, style_sheets
from mailer.render.html.uninlined_rules import find_uninlined_rules
from mailer.render.html.wellformed import first_nesting_fault
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


def render_mjml(
    theme: Theme, name: str, context: Mapping[str, Any], *, findings: list[Problem] | None = None
) -> str:
    """Returns the HTML that the MJML template `name` gives for `context`.

    Adds a warning to `findings` for each rule of a style sheet that cannot be inlined. Raises ThemeError,
    which names the template and the line, if the template has an error.
    """
    from mjml import mjml2html

    source = _MjmlSource(theme, name, context)
    markup = source.render_checked(name)
    try:
        html: str = mjml2html(markup, fonts={}, include_loader=source.load_include)
    except ValueError as error:
        raise source.error_with_mistakes(str(error)) from None
    finally:
        if findings is not None:
            findings += source.uninlined_rules()
    found = _FETCHING.search(html)
    if found:
        shown = found["import"] or found[0]
        message = (
            f'"{shown[:40]}" loads a file from another site; remove it, and name no web font '
            "(Open Sans, Droid Sans, Lato, Roboto, Ubuntu)"
        )
        raise ThemeError(
            source.problem_at(
                message, name, source.rendered[name].text_offset_to_typed_offset(markup.find(shown))
            )
        )
    source.raise_for_silent_mistakes()
    sheets = [sheet for each in source.rendered.values() for sheet in style_sheets(each.text)]
    return adjust_mrml_html(html, [sheet.rules for sheet in sheets if sheet.inline_only])


class _MjmlSource:
    """Holds the rendered MJML of a template and its includes, and finds positions in the theme's files."""

    def __init__(self, theme: Theme, name: str, context: Mapping[str, Any]) -> None:
        self.theme = theme
        self.name = name
        self.context = context
        self.rendered: dict[str, EscapedMjml] = {}
        self.loads = 0
        self.failed: MailerError | None = None

    def render_checked(self, name: str) -> str:
        """Returns the rendered MJML of the template `name`, escaped for MRML.

        Raises ThemeError if a tag is not closed properly, which could crash MRML.
        """
        rendered = self.rendered[name] = EscapedMjml.of(self.theme.render(name, self.context))
        fault = first_nesting_fault(rendered.clean)
        if fault is not None:
            raise ThemeError(
                self.problem_at(fault.message, name, rendered.clean_offset_to_typed_offset(fault.offset))
            )
        return rendered.text

    def load_include(self, path: str) -> str:
        """Returns the rendered MJML of the template at `path`, which an `mj-include` names.

        Only templates of the theme are loaded. An error is kept in the attribute `failed`, and ValueError is
        raised for MRML.
        """
        self.loads += 1
        path = unescape(path)
        try:
            if self.loads > MAX_INCLUDES:
                raise ThemeError(
                    self.problem_at(
                        f"mj-include is used more than {MAX_INCLUDES} times, or in a circle; "
                        'use {% include "…" %}',
                        path,
                    )
                )
            if path not in self.theme.files.templates:
                raise ThemeError(
                    self.problem_at(
                        f'mj-include: there is no template "{path}"; the path must begin within templates/, '
                        "as email/partials/footer.mjml does",
                        self.name,
                    )
                )
            return self.render_checked(path)
        except MailerError as error:
            self.failed = error
            raise ValueError("failed") from None

    def problem_at(self, message: str, name: str, offset: int = -1) -> Problem:
        """Returns a problem with the position of the character `offset` in the rendered template `name`.

        If `offset` is -1, or if the line cannot be found, the problem names only the template's file.
        """
        place = None
        if offset >= 0:
            place = self.theme.position_of(name, self.context, self.rendered[name].typed, offset)
        return Problem(message, *(place or (self.theme.files.display_path(name), None)))

    def silent_mistakes(self) -> list[Problem]:
        """Returns all mistakes that MRML accepts silently, with their positions."""
        found = [
            self.problem_at(slip.message, name, slip.offset)
            for name, rendered in self.rendered.items()
            for slip in islice(lint_mjml(rendered.typed), MAX_SLIPS)
        ]
        return list(dict.fromkeys(found))

    def raise_for_silent_mistakes(self) -> None:
        """Raises ThemeError with all mistakes that MRML accepts silently, if there are any."""
        found = self.silent_mistakes()
        if found:
            raise ThemeError.from_problems(found)

    def uninlined_rules(self) -> list[Problem]:
        """Returns a warning for each rule of a style sheet that cannot be inlined."""
        found = [
            replace(self.problem_at(fault.message, name, sheet.offset + fault.offset), severity="warning")
            for name, rendered in self.rendered.items()
            for sheet in style_sheets(rendered.typed)
            for fault in islice(find_uninlined_rules(sheet.rules, inline_only=sheet.inline_only), MAX_SLIPS)
        ]
        return list(dict.fromkeys(found))

    def error_with_mistakes(self, message: str) -> MailerError:
        """Returns an error with the message of MRML, and with the mistakes that MRML does not report.

        The message of MRML is left out if one of these mistakes is on the same line, because the mistake
        names the cause.
        """
        error = self.error_with_position(message)
        if self.failed:
            return error
        found = self.silent_mistakes()
        told = {(problem.path, problem.line) for problem in found}
        found += [problem for problem in error.problems if (problem.path, problem.line) not in told]
        return ThemeError.from_problems(found)

    def error_with_position(self, message: str) -> MailerError:
        """Returns an error with the message of MRML and with the template and line where it happened.

        Returns the error of an include instead, if an include has failed.
        """
        if self.failed:
            return self.failed
        found = _SOURCE.search(message)
        name = unescape(found[1]) if found else self.name
        if name not in self.rendered:
            name = self.name
        rendered, offset = self.rendered[name], 0
        position = _POSITION.search(message)
        if position:
            offset = len(rendered.text.encode()[: int(position[1])].decode("utf-8", "ignore"))
            offset = rendered.text_offset_to_typed_offset(offset)
            message = _POSITION.sub("", message)
        near = " ".join(rendered.typed[offset : offset + 40].split())
        message = message.replace(" in root template", "")
        return ThemeError(self.problem_at(f'is not valid MJML: {message} (near "{near}")', name, offset))
