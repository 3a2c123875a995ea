"""JSON Schemas and tables of the facts, derived from the marshmallow schemas.

`asyncapi.py` and `reference.py` build documents from it; nothing of the running product needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import marshmallow as ma

from shared.events.facts import FACTS, FactType
from shared.events.fields import JsonSchema, Leaf, Many, Part, nullable_schema

SAMPLES: Final = Path(__file__).parent / "samples"


def json_schema(schema: type[ma.Schema]) -> JsonSchema:
    """The JSON Schema of a marshmallow schema, nested objects in place.

    Unknown names are left open, since readers must tolerate them.
    """
    fields = schema().fields
    out: JsonSchema = {
        "type": "object",
        "required": [name for name, field in fields.items() if field.required],
        "properties": {name: field_schema(field) for name, field in fields.items()},
    }
    if said := sentence(schema):
        out["description"] = said
    return out


def field_schema(field: Any) -> JsonSchema:
    """The JSON Schema of one field."""
    if isinstance(field, Leaf):
        return field.json_schema()
    about = field.metadata.get("about")
    if isinstance(field, Part):
        schema = json_schema(field.schema_class)
        if about:
            schema["description"] = about
        return nullable_schema(schema) if field.nullable else schema
    if isinstance(field, Many):
        schema = {
            "type": "array",
            "items": field_schema(field.inner),
            "maxItems": field.longest,
        }
        return {**schema, "description": about} if about else schema
    raise TypeError(f"no JSON Schema for a field of type {type(field).__name__}")


def sentence(schema: type[ma.Schema]) -> str:
    """The first paragraph of a schema's docstring."""
    return " ".join((schema.__doc__ or "").strip().split("\n\n")[0].split())


def sample(fact: FactType) -> dict[str, Any]:
    """The golden sample of a fact: a whole envelope."""
    path = SAMPLES / f"{fact.name}.v1.json"
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


def rows(fact: FactType) -> Iterator[tuple[str, str, str]]:
    """(name, kind, about) of each field of a fact, nested ones written out in the kind."""
    for name, field in fact.schema().fields.items():
        yield name, kind(field), str(field.metadata.get("about", ""))


def kind(field: Any) -> str:
    """How a field's kind reads in the documentation."""
    if isinstance(field, Part):
        inside = ", ".join(field.schema_class().fields)
        said = f"object {{{inside}}}"
    elif isinstance(field, Many):
        return f"list of {kind(field.inner)}"
    else:
        said = _leaf_kind(field)
    return f"{said} or null" if field.nullable else said


def _leaf_kind(field: Leaf) -> str:
    schema = field.body_schema()
    if "enum" in schema:
        return " / ".join(schema["enum"])
    return type(field).__name__.lower()


def facts() -> Iterator[FactType]:
    """All facts in the order of the registry."""
    return iter(FACTS.values())
