"""The JSON Schema of an issue, for editors that check while one types. Made of the model."""

from __future__ import annotations

import json
from typing import Any

from mailer.issue.include import LISTS
from mailer.issue.model import Issue

__all__ = ["issue_schema", "schema_text"]

_INCLUDE = {
    "type": "object",
    "description": "The entry, or the list of entries, that stands in another file.",
    "properties": {"include": {"type": "string", "minLength": 1}},
    "required": ["include"],
    "additionalProperties": False,
}


def issue_schema() -> dict[str, Any]:
    """The schema as JSON data (draft 2020-12)."""
    schema = Issue.model_json_schema(mode="validation")
    definitions: dict[str, Any] = {**schema.pop("$defs"), "Include": _INCLUDE}
    for model in (schema, definitions["Section"]):
        for name, field in model["properties"].items():
            if name in LISTS:
                field["items"] = {"anyOf": [{"$ref": "#/$defs/Include"}, field["items"]]}
    for model in (schema, *definitions.values()):
        for field in model.get("properties", {}).values():
            field.pop("title", None)
            if field.get("default", ...) in ("", [], None):
                field.pop("default", None)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text() -> str:
    """The schema as a file holds it."""
    return json.dumps(issue_schema(), ensure_ascii=False, indent=2) + "\n"
