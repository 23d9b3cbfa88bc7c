"""Makes the JSON Schema of an issue from the model, for editors that check while a person types."""

from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from typing import Any

from mailer.issue.include import LISTS
from mailer.issue.model import Issue

__all__ = ["issue_schema", "schema_text"]

_INCLUDE = {
    "type": "object",
    "description": "An entry, or a list of entries, that is in another file.",
    "properties": {"include": {"minLength": 1, "type": "string"}},
    "required": ["include"],
    "additionalProperties": False,
}


def issue_schema() -> dict[str, Any]:
    """Returns the JSON Schema (draft 2020-12) of an issue, as JSON data."""
    schema = Issue.model_json_schema(mode="validation")
    definitions: dict[str, Any] = {**schema.pop("$defs"), "Include": _INCLUDE}
    # An item needs a title, except beside a quote.
    definitions["Item"]["anyOf"] = [{"required": ["title"]}, {"required": ["quote"]}]
    for model in (schema, definitions["Section"]):
        for name, field in model["properties"].items():
            if name in LISTS:
                field["items"] = {"anyOf": [{"$ref": "#/$defs/Include"}, field["items"]]}
    descriptions = _key_descriptions()
    for kind, model in {"Issue": schema, **definitions}.items():
        for name, field in model.get("properties", {}).items():
            field.pop("title", None)
            field["description"] = descriptions[kind][name]
            if field.get("default", ...) in ("", [], None):
                field.pop("default", None)
        _accept_typed_and_blank_values(model)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "$defs": dict(sorted(definitions.items())),
    }


def _key_descriptions() -> dict[str, dict[str, str]]:
    """Returns what each key is for, by the name of its part and its own name."""
    return tomllib.loads((files("mailer.issue") / "key_descriptions.toml").read_text(encoding="utf-8"))


def _accept_typed_and_blank_values(object_schema: dict[str, Any]) -> None:
    """Changes the schema of an object, in place, to what the loader accepts beyond the model.

    The loader accepts numbers and booleans as texts, and blank optional values.
    """
    required = object_schema.get("required", ())
    for name, field in object_schema.get("properties", {}).items():
        _accept_scalars_as_text(field)
        if name in required:
            continue
        if "type" in field:
            kinds = field["type"] if isinstance(field["type"], list) else [field["type"]]
            field["type"] = [*kinds, "null"]
        elif "anyOf" in field and {"type": "null"} not in field["anyOf"]:
            field["anyOf"].append({"type": "null"})


def _accept_scalars_as_text(field_schema: dict[str, Any]) -> None:
    """Changes the schema of a text, in place, so that it accepts numbers and booleans too.

    YAML 1.2 reads `title: 2026` as a number and `title: true` as a boolean; in an issue both are texts.
    """
    if field_schema.get("type") == "string" and "pattern" not in field_schema:
        field_schema["type"] = ["string", "number", "boolean"]
    below_items = [field_schema["items"]] if "items" in field_schema else []
    for below in (*field_schema.get("anyOf", ()), *below_items):
        _accept_scalars_as_text(below)


def schema_text() -> str:
    """Returns the JSON Schema of an issue as indented JSON text."""
    return json.dumps(issue_schema(), ensure_ascii=False, indent=2) + "\n"
