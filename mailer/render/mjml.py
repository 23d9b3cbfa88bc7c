"""MJML -> HTML, by MRML, with its faults at the line of a template."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from mailer.errors import MailerError, Problem, ThemeError
from mailer.render.theme import Theme
from mailer.render.wellformed import first_fault

__all__ = ["render_mjml"]

_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_POSITION = re.compile(r"\s*(?:from \"[^\"]*\"|in root template)?\s*at position ([0-9]+):[0-9]+")
_FETCHING = re.compile(
    r"<style\b[^>]*>[^<]*?(?P<import>@import[^<;]*)|<link\b[^>]*stylesheet[^>]*>", re.IGNORECASE
)


def render_mjml(theme: Theme, name: str, context: Mapping[str, Any]) -> str:
    """The HTML of a layout. Raises ThemeError with the template and line of what is wrong."""
    from mjml import mjml2html

    raw = theme.render(name, context)
    markup = _CONTROL.sub("", raw)
    failed: list[MailerError] = []

    def where(offset: int) -> tuple[str, int | None]:
        return theme.place_of(name, context, markup, offset) or (theme.files.path_of(name), None)

    fault = first_fault(markup)
    if fault is not None:
        raise ThemeError(Problem(fault.message, *where(fault.offset)))
    try:
        html: str = mjml2html(markup, fonts={}, include_loader=_loader(theme, name, context, failed))
    except Exception as error:  # MRML raises ValueError, and whatever the loader raised inside it
        if failed:
            raise failed[0] from None
        raise _explained(str(error), markup, where) from None
    found = _FETCHING.search(html)
    if found:
        shown = found["import"] or found[0]
        place = markup.find(shown)
        raise ThemeError(
            Problem(
                f'"{shown[:40]}" loads something from another site; take it out, and name no web font '
                "(Open Sans, Droid Sans, Lato, Roboto, Ubuntu)",
                *(where(place) if place >= 0 else (theme.files.path_of(name), None)),
            )
        )
    return html


def _loader(theme: Theme, name: str, context: Mapping[str, Any], failed: list[MailerError]) -> Any:
    """Gives `mj-include` other templates of the theme, and nothing else."""
    open_names: list[str] = []

    def load(path: str) -> str:
        try:
            if len(open_names) > 50:
                raise ThemeError(Problem("mj-include goes round in a circle", theme.files.path_of(path)))
            open_names.append(path)
            if path not in theme.files.templates:
                raise ThemeError(
                    Problem(
                        f'mj-include: there is no template "{path}"; names begin at templates/, as in '
                        "email/partials/footer.mjml",
                        theme.files.path_of(name),
                    )
                )
            markup = _CONTROL.sub("", theme.render(path, context))
            fault = first_fault(markup)
            if fault is not None:
                place = theme.place_of(path, context, markup, fault.offset) or (
                    theme.files.path_of(path),
                    None,
                )
                raise ThemeError(Problem(fault.message, *place))
            return markup
        except MailerError as error:
            failed.append(error)
            raise ValueError(str(error)) from None

    return load


def _explained(message: str, markup: str, where: Callable[[int], tuple[str, int | None]]) -> ThemeError:
    found = _POSITION.search(message)
    offset = 0
    if found:
        offset = len(markup.encode()[: int(found[1])].decode("utf-8", "ignore"))
        message = _POSITION.sub("", message)
    near = " ".join(markup[offset : offset + 40].split())
    message = message.replace(" in root template", "")
    return ThemeError(Problem(f'is not MJML: {message} (near "{near}")', *where(offset)))
