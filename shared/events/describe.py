"""JSON Schemas and tables of the events, derived from their classes.

`asyncapi.py` and `reference.py` build documents from it; nothing of the running product needs it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import inspect

from shared.events.event import Event, Kind

JsonSchema = dict[str, Any]
SAMPLES: Final = Path(__file__).parent / "samples"


def json_schema(cls: type[Event]) -> JsonSchema:
    """The JSON Schema of an event's data, nested objects in place.

    Unknown names are left open, since readers must tolerate them.
    """
    schema = msgspec.json.schema(cls)
    parts = schema.get("$defs", {})
    made: JsonSchema = _in_place(parts[cls.__name__], parts)
    return {**made, "description": sentence(cls)}


def _in_place(node: Any, parts: dict[str, Any]) -> Any:
    if isinstance(node, list):
        return [_in_place(each, parts) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        about = {name: value for name, value in node.items() if name != "$ref"}
        return _in_place({**parts[node["$ref"].rpartition("/")[2]], **about}, parts)
    plain = {name: _in_place(value, parts) for name, value in node.items()}
    if "pattern" in plain:  # as a reader in another language writes it
        plain["pattern"] = plain["pattern"].replace(r"\Z", "$")
    return plain


def sentence(cls: type) -> str:
    """The first paragraph of a class's docstring."""
    return " ".join((cls.__doc__ or "").strip().split("\n\n")[0].split())


def sequel(cls: type) -> str:
    """The second paragraph of a class's docstring, what follows from the event; empty where none."""
    paragraphs = (cls.__doc__ or "").strip().split("\n\n")
    return " ".join(paragraphs[1].split()) if len(paragraphs) > 1 else ""


def sample_path(kind: Kind) -> Path:
    """Where the golden sample of an event lies."""
    return SAMPLES / f"{kind.type.removeprefix('vn.lienthong.')}.json"


def sample(kind: Kind) -> dict[str, Any]:
    """The golden sample of an event: a whole envelope."""
    loaded: dict[str, Any] = json.loads(sample_path(kind).read_text(encoding="utf-8"))
    return loaded


def rows(cls: type) -> Iterator[tuple[str, str, str]]:
    """(name, kind, about) of each field of an event, nested ones written out in the kind."""
    told = inspect.type_info(cls)
    assert isinstance(told, inspect.StructType)
    for field in told.fields:
        yield field.encode_name, _kind(field.type), _about(field.type)


def _about(told: inspect.Type) -> str:
    about = ""
    while isinstance(told, inspect.Metadata):
        about = about or (told.extra_json_schema or {}).get("description", "")
        told = told.type
    return about


def _kind(told: inspect.Type) -> str:  # noqa: PLR0911 - one word for each kind there is
    """How a field's kind reads in the documentation."""
    match told:
        case inspect.Metadata():
            return _kind(told.type)
        case inspect.UnionType():
            some = [each for each in told.types if not isinstance(each, inspect.NoneType)]
            return f"{_kind(some[0])} or null"
        case inspect.StructType():
            return f"object {{{', '.join(each.encode_name for each in told.fields)}}}"
        case inspect.VarTupleType():
            return f"list of {_kind(told.item_type)}"
        case inspect.LiteralType():
            return " / ".join(str(word) for word in told.values)
        case inspect.DictType():
            return "form"
        case inspect.StrType():
            return _text(told)
        case _:
            return _PLAIN[type(told)]


def _text(told: inspect.StrType) -> str:
    if told.pattern is None:
        return "text"
    return "phone" if r"\+" in told.pattern else "word"


_PLAIN: Final = {
    inspect.DateTimeType: "instant",
    inspect.IntType: "whole",
    inspect.BoolType: "flag",
}
