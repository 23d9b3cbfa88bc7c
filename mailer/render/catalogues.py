"""The theme's words in the issue's language: gettext catalogues, read from their .po files.

`zh-Hans-CN` asks its own catalogue, then those of `zh-Hans` and `zh`, each the workspace's before the
built-in one; at the end stand the words as the templates have them.
"""

from __future__ import annotations

import gettext
import io
from functools import lru_cache
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from mailer.errors import Problem, ThemeError
from mailer.render.lookup import ThemeFile, ThemeFiles

__all__ = ["GLOBALS", "TRANSLATIONS", "translations"]

#: The key of the context under which the catalogue is; no template can name it.
TRANSLATIONS = " translations"


def translations(files: ThemeFiles, language: str) -> gettext.NullTranslations:
    """The catalogue for a language tag. Raises ThemeError where a .po file is broken."""
    parts = language.lower().split("-")
    chain: list[gettext.NullTranslations] = []
    for length in range(len(parts), 0, -1):
        chain += [_compiled(file) for file in files.catalogues.get("-".join(parts[:length]), ())]
    if not chain:
        return gettext.NullTranslations()
    # Compiled catalogues are shared, so each rendering links copies of its own.
    first, *rest = [_copy(each) for each in chain]
    for each in rest:
        first.add_fallback(each)
    return first


def _copy(catalogue: gettext.NullTranslations) -> gettext.NullTranslations:
    copy = gettext.GNUTranslations()
    copy.__dict__.update(catalogue.__dict__)
    copy._fallback = None  # type: ignore[attr-defined]
    return copy


@lru_cache(maxsize=64)
def _compiled(file: ThemeFile) -> gettext.NullTranslations:
    try:
        catalogue = read_po(io.BytesIO(file.text.encode()), abort_invalid=True)
        compiled = io.BytesIO()
        write_mo(compiled, catalogue)
        compiled.seek(0)
        return gettext.GNUTranslations(compiled)
    except PoFileError as error:
        line = (error.lineno or 0) + 1
        raise ThemeError(Problem(f"is not a catalogue: {error}", file.path, line)) from None
    except (ValueError, LookupError, IndexError, TypeError, AttributeError, SyntaxError) as error:
        raise ThemeError(Problem(f"is not a catalogue: {error}", file.path)) from None


def _catalogue(context: Context) -> gettext.NullTranslations:
    found: gettext.NullTranslations = context[TRANSLATIONS]
    return found


def _filled(context: Context, text: str, values: dict[str, Any], *, trusted: bool) -> str:
    """A translation with its values. `%` needs a value only where there are any."""
    if context.eval_ctx.autoescape:
        text = Markup(text) if trusted else escape(text)  # noqa: S704
    return text % values if values or trusted else text


@pass_context
def _text(context: Context, message: str, /, **values: Any) -> str:
    return _filled(context, _catalogue(context).gettext(message), values, trusted=False)


@pass_context
def _gettext(context: Context, message: str, /, **values: Any) -> str:
    return _filled(context, _catalogue(context).gettext(message), values, trusted=True)


@pass_context
def _ngettext(context: Context, one: str, many: str, number: int, /, **values: Any) -> str:
    text = _catalogue(context).ngettext(one, many, number)
    return _filled(context, text, {"num": number, **values}, trusted=True)


@pass_context
def _pgettext(context: Context, about: str, message: str, /, **values: Any) -> str:
    return _filled(context, _catalogue(context).pgettext(about, message), values, trusted=True)


@pass_context
def _npgettext(context: Context, about: str, one: str, many: str, number: int, /, **values: Any) -> str:
    text = _catalogue(context).npgettext(about, one, many, number)
    return _filled(context, text, {"num": number, **values}, trusted=True)


#: What templates call. `{% trans %}` becomes calls of all but `_`, and its body may hold tags.
GLOBALS: dict[str, Any] = {
    "_": _text,
    "gettext": _gettext,
    "ngettext": _ngettext,
    "pgettext": _pgettext,
    "npgettext": _npgettext,
}
