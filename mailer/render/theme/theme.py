"""Compiles and renders the templates of a theme in Jinja2's sandbox. Errors name the template and its line.

Templates can use `filters` and the functions of `language/template_functions.py`; `slots/template_calls.py`
handles the names whose values differ between readers. A process compiles the same files only once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

from jinja2 import BaseLoader, StrictUndefined, nodes, pass_context
from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateSyntaxError, UndefinedError
from jinja2.runtime import Context
from jinja2.utils import missing
from markupsafe import Markup

from mailer.display_text import nearest_word
from mailer.errors import MailerError, Problem, ThemeError
from mailer.language import template_functions
from mailer.render.slots.markers import MARKERS, Markers
from mailer.render.slots.template_calls import rewrite_slots
from mailer.render.theme import direction
from mailer.render.theme.bytecode import BuiltInBytecode
from mailer.render.theme.filters import add_filters_and_tests
from mailer.render.theme.safe_attributes import SandboxWithFastAttributes
from mailer.theme_files import ThemeFiles, read_theme

__all__ = ["MARKERS", "CONTEXT_NAMES", "Theme", "open_theme"]

CONTEXT_NAMES = tuple(
    "issue edition publication brand language dir mixed medium date_long weekday links subscriber "  # noqa: SIM905
    "_ ngettext pgettext bdi lang ours loop caller range dict cycler joiner namespace".split()
)
MAX_OUTPUT = 2_000_000
MAX_STEPS = 100_000
MAX_TEXT = 200_000

#: Around the place of a piece of template text, when the place of an output is asked for.
_SIGN = re.compile("\ue000([0-9]+)\ue001")


class _ExplainedUndefined(StrictUndefined):
    """Explains an undefined name in a template, and suggests the name that was probably meant."""

    @property
    def _undefined_message(self) -> str:
        name = str(self._undefined_name)
        owner = self._undefined_obj
        if self._undefined_hint:
            return str(self._undefined_hint)
        if owner is None:
            return f'there is no "{name}" in None; test the value first, with {{% if … %}}'
        if owner is missing:
            known: Iterable[str] = CONTEXT_NAMES
            message = f'there is no "{name}" here'
        else:
            known = [each for each in dir(owner) if not each.startswith("_")]
            message = f'there is no "{name}" in {getattr(owner, "called", None) or type(owner).__name__}'
        best = nearest_word(name, known)
        return message + (f'; did you mean "{best}"?' if best else "")


class _ThemeLoader(BaseLoader):
    def __init__(self, files: ThemeFiles) -> None:
        self.files = files

    def get_source(self, environment: Any, template: str) -> tuple[str, str, None]:  # noqa: ARG002
        file = self.files.templates.get(template)
        if file is None:
            raise TemplateNotFound(template)
        return file.text, template, None


class _ThemeEnvironment(SandboxWithFastAttributes):
    """Extends Jinja2's sandbox by slots, limits on loops, and limits on arithmetic.

    If `is_traced` is True, the output contains signs of the template lines that it comes from, which
    `Theme.position_of` reads.
    """

    intercepted_binops = frozenset(("*", "**", "%"))

    def __init__(self, files: ThemeFiles, *, is_traced: bool = False) -> None:
        super().__init__(
            loader=_ThemeLoader(files),
            extensions=["jinja2.ext.i18n"],
            undefined=_ExplainedUndefined,
            autoescape=lambda name: not (name or "").endswith(".txt"),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            cache_size=-1,
            auto_reload=False,
        )
        self.newstyle_gettext = True
        self.policies["ext.i18n.trimmed"] = True
        self.globals.update(template_functions.GLOBALS, **direction.GLOBALS)
        del self.globals["lipsum"]
        add_filters_and_tests(self)
        #: (template, line) of each sign, where the text of templates is signed.
        self.signs: list[tuple[str, int]] | None = [] if is_traced else None

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = rewrite_slots(super()._parse(source, name, filename), name or "template")
        if self.signs is not None:
            for data in tree.find_all(nodes.TemplateData):
                data.data = self._with_position_signs(data.data, name or "template", data.lineno)
        tree.set_environment(self)
        return tree

    def _with_position_signs(self, text: str, name: str, line: int) -> str:
        lines = []
        for number, each in enumerate(text.split("\n")):
            lines.append(f"\ue000{len(self.signs or ())}\ue001{each}")
            if self.signs is not None:
                self.signs.append((name, line + number))
        return "\n".join(lines)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Returns the result of `left operator right`. A text may be repeated up to a thousand times.

        Raises SecurityError for numbers above 10⁹ or an exponent above 16.
        """
        if operator == "%" and isinstance(left, str):
            return left % right
        if operator == "*" and isinstance(left, str) and isinstance(right, int) and right <= 1000:
            return (left * right)[:MAX_TEXT]
        if any(not isinstance(value, int | float) or abs(value) > 1e9 for value in (left, right)):
            raise SecurityError(f'"{operator}" can only be used with numbers up to 1,000,000,000')
        if operator == "**" and abs(right) > 16:
            raise SecurityError("the exponent must not be above 16")
        return super().call_binop(context, operator, left, right)

    @pass_context
    def make_slot(self, context: Context, paths: tuple[str, ...], default: Any, name: str, line: int) -> str:
        """Returns the marker of a slot that line `line` of the template `name` prints.

        `template_calls` replaces per-recipient names by calls of this method. The slot shows the first of
        `paths` (such as `subscriber.name`) that has a value for a reader, or `default`.
        """
        text = default.unescape() if isinstance(default, Markup) else str(default)
        markers: Markers = context[MARKERS]
        path = self.loader.files.display_path(name) if isinstance(self.loader, _ThemeLoader) else name
        return markers.make_marker(paths, text, (path, line))

    @pass_context
    def count_loop(self, context: Context, values: Iterable[Any]) -> list[Any]:
        """Returns the values that a loop iterates over, and adds their number to the rounds of the template.

        Raises SecurityError if all loops together have more than MAX_STEPS rounds.
        """
        counter: list[int] = context[MARKERS].steps
        found = list(islice(values, MAX_STEPS + 1))
        counter[0] += len(found)
        if counter[0] > MAX_STEPS:
            raise SecurityError(f"the loops of the theme must not have more than {MAX_STEPS:,} rounds")
        return found


@dataclass(frozen=True)
class Theme:
    """Holds the files of a workspace's theme, and the Jinja2 environment that compiles its templates."""

    files: ThemeFiles
    environment: _ThemeEnvironment

    @property
    def digest(self) -> str:
        """Returns the SHA-256 in hex of all files of the theme."""
        return self.files.digest

    def layout_template(self, layout: str, medium: str, suffix: str) -> str:
        """Returns the name of the template that renders a layout for a medium, such as `email/issue.mjml`.

        `layout` is the layout of the edition, `medium` one of MEDIA, and `suffix` the end of the template's
        name (`.mjml`, `.txt` or `.html`). Raises ThemeError if the theme has neither a template for the
        layout nor a general one.
        """
        wanted = f"{medium}/{layout}{suffix}"
        for name in (wanted, f"{medium}/issue{suffix}"):
            if name in self.files.templates:
                return name
        known = [n.split("/")[1].removesuffix(suffix) for n in self.files.templates if n.count("/") == 1]
        best = nearest_word(layout, known)
        advice = (
            f'did you mean the layout "{best}"?'
            if best and best != layout
            else "create it, or name another layout"
        )
        raise ThemeError(Problem(f"does not exist; {advice}", f"templates/{wanted}"))

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """Returns the output of the template `name` for `context`.

        Raises ThemeError if the template has an error. A MailerError that a value of the context raises is
        not changed.
        """
        return self._render(self.environment, name, context)

    def position_of(
        self, name: str, context: Mapping[str, Any], output: str, offset: int
    ) -> tuple[str, int] | None:
        """Returns (path, line) of the template text that a character of the output comes from, or None.

        `output` is the output of the template `name` for `context`, `offset` the index of the character. None
        means that the position is unknown.
        """
        is_traced = _ThemeEnvironment(self.files, is_traced=True)
        try:
            signed = self._render(is_traced, name, context)
        except MailerError:
            return None
        if _SIGN.sub("", signed) != output:
            return None
        last: tuple[str, int] | None = None
        gone = 0
        for sign in _SIGN.finditer(signed):
            if sign.start() - gone > offset:
                break
            gone += len(sign[0])
            last = (is_traced.signs or [])[int(sign[1])]
        return (self.files.display_path(last[0]), last[1]) if last else None

    def _render(self, environment: _ThemeEnvironment, name: str, context: Mapping[str, Any]) -> str:
        pieces: list[str] = []
        size = 0
        try:
            for piece in environment.get_template(name).generate(**context):
                size += len(piece)
                if size > MAX_OUTPUT:
                    path = self.files.display_path(name)
                    raise ThemeError(
                        Problem(f"must not print more than {MAX_OUTPUT // 1_000_000} MB of text", path)
                    )
                pieces.append(piece)
        except MailerError:
            raise
        except Exception as error:
            raise self._error_with_position(error, name) from None
        return "".join(pieces)

    def _error_with_position(self, error: Exception, name: str) -> ThemeError:
        """Returns `error` as a ThemeError with the template and line where it happened.

        `name` is the template that was rendered.
        """
        if isinstance(error, TemplateSyntaxError):
            path = self.files.display_path(error.name or name)
            return ThemeError(Problem(f"{error.message}", path, error.lineno))
        place, line = _innermost_template(error.__traceback__, self.files.templates) or (name, None)
        if isinstance(error, TemplateNotFound):
            best = nearest_word(str(error.name), self.files.templates)
            advice = (
                f'; did you mean "{best}"?'
                if best
                else "; the path must begin within templates/, as email/macros.mjml does"
            )
            message = f'there is no template "{error.name}"{advice}'
        elif isinstance(error, RecursionError):
            message = "includes or macros call each other without end, or are nested too deep"
        elif isinstance(error, UndefinedError | SecurityError):
            message = str(error)
        else:
            message = f"{type(error).__name__}: {error}"
        return ThemeError(Problem(message, self.files.display_path(place), line))


def _innermost_template(trace: TracebackType | None, templates: Mapping[str, Any]) -> tuple[str, int] | None:
    """Returns (template, line) of the innermost template in a traceback, or None if there is none.

    Jinja2 puts the names and lines of templates into tracebacks.
    """
    found = None
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name in templates:
            found = (name, trace.tb_lineno)
        trace = trace.tb_next
    return found


@lru_cache(maxsize=8)
def _compiled_theme(files: ThemeFiles) -> Theme:
    environment = _ThemeEnvironment(files)
    environment.bytecode_cache = BuiltInBytecode(_ThemeEnvironment)
    return Theme(files, environment)


def open_theme(root: Path) -> Theme:
    """Returns the theme of the workspace at `root`. Raises ThemeError if its files cannot be used."""
    return _compiled_theme(read_theme(root))
