"""Defines texts of mailer.toml that readers read, and that may have a form for each of several languages.

Such a text is written as a text, or as a table by language tag, as in `name = {zh = "早报", en = "Brief"}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema

from mailer.config.fields import Language, Line, NonEmptyLine, TitlePattern, check_not_empty
from mailer.language_tags import nearest_tag

__all__ = [
    "ByLanguage",
    "LineByLanguage",
    "NameByLanguage",
    "TextByLanguage",
    "TitlePatternByLanguage",
    "texts_in_language",
]

_Model = TypeVar("_Model", bound=BaseModel)
_STRIP = ConfigDict(str_strip_whitespace=True)


class TextByLanguage(str):
    """Represents a text together with its forms in other languages.

    The text itself is one of the forms, and `language` is the tag of its language. `forms` has each form as
    (language tag, text), in the order of mailer.toml. A text that was written without languages has no forms,
    and its `language` is ''.
    """

    __slots__ = ("forms", "language")
    forms: tuple[tuple[str, str], ...]
    language: str

    def __new__(cls, text: str, forms: tuple[tuple[str, str], ...] = (), language: str = "") -> Self:
        """Returns the text with its forms and the tag of its language."""
        made = super().__new__(cls, text)
        made.forms, made.language = forms, language
        return made

    def in_language(self, *wanted: str) -> TextByLanguage:
        """Returns the form for the first of the language tags `wanted` that has one, or else the first form.

        A text without forms is returned as it is.
        """
        if not self.forms:
            return self
        texts = dict(self.forms)
        found = next(filter(None, (nearest_tag(tag, texts) for tag in wanted)), self.forms[0][0])
        return TextByLanguage(texts[found], self.forms, found)


@dataclass(frozen=True)
class ByLanguage:
    """Makes a field accept a text of the type `text_type`, or a table with such texts by language tag."""

    text_type: Any

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Returns the schema of the field, as pydantic asks for it."""
        return core_schema.no_info_plain_validator_function(
            self._parse, serialization=core_schema.plain_serializer_function_ser_schema(_text_or_table)
        )

    @cached_property
    def _text(self) -> TypeAdapter[str]:
        return TypeAdapter(self.text_type, config=_STRIP)

    @cached_property
    def _table(self) -> TypeAdapter[dict[str, str]]:
        form: Any = Annotated[self.text_type, AfterValidator(check_not_empty)]
        return TypeAdapter(dict[Language, form], config=_STRIP)

    def _parse(self, value: object) -> TextByLanguage:
        if isinstance(value, TextByLanguage):
            return value
        if isinstance(value, str):
            return TextByLanguage(self._text.validate_python(value))
        if not isinstance(value, Mapping):
            raise ValueError("must be a text, or a table with a text for each language")
        forms = tuple(self._table.validate_python(value).items())
        if not forms:
            raise ValueError(
                'has no text; write one for each language, as in {zh = "港口早报", en = "Harbour Brief"}'
            )
        if len(forms) < len(value):
            raise ValueError("has two texts for one language; remove one of them")
        return TextByLanguage(forms[0][1], forms, forms[0][0])


def _text_or_table(text: TextByLanguage) -> str | dict[str, str]:
    """Returns the text as it may be written in mailer.toml."""
    return dict(text.forms) or str(text)


def texts_in_language(model: _Model, *wanted: str) -> _Model:
    """Returns the model with each TextByLanguage in the first of the languages `wanted` that it has."""
    texts = {name: text.in_language(*wanted) for name, text in model if isinstance(text, TextByLanguage)}
    return model.model_copy(update=texts) if any(text.forms for text in texts.values()) else model


NameByLanguage = Annotated[TextByLanguage, ByLanguage(NonEmptyLine)]
LineByLanguage = Annotated[TextByLanguage, ByLanguage(Line)]
TitlePatternByLanguage = Annotated[TextByLanguage, ByLanguage(TitlePattern)]
