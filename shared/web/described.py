"""The API's description as a page for people: an OpenAPI document turned into what a template shows.

Plain HTML in the house's own layout: it reads without scripts, on a phone and aloud. For programs
there is /openapi.json, which any OpenAPI tool can open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """A parameter or a field: `ref` names the schema that it consists of."""

    name: str
    kind: str
    ref: str | None
    required: bool
    words: str
    place: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of an operation."""

    status: str
    words: str
    ref: str | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one address."""

    anchor: str
    method: str
    path: str
    words: str
    parameters: tuple[Value, ...]
    body: str | None
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """The operations of one tag, or the schemas."""

    name: str
    words: str
    operations: tuple[Operation, ...]


def parts(document: Document) -> list[Part]:
    """The operations in the order of the document, by tag."""
    tags = {tag["name"]: tag.get("description", "") for tag in document.get("tags", ())}
    found: dict[str, list[Operation]] = {}
    for path, item in document.get("paths", {}).items():
        shared = item.get("parameters", [])
        for method, operation in item.items():
            if method == "parameters":
                continue
            tag = (operation.get("tags") or [""])[0]
            found.setdefault(tag, []).append(_operation(document, path, method, operation, shared))
    return [Part(tag, tags.get(tag) or tag, tuple(each)) for tag, each in found.items()]


def schemas(document: Document) -> list[tuple[str, str, list[Value]]]:
    """Name, words and fields of each schema."""
    return [
        (name, schema.get("description", ""), list(_fields(schema)))
        for name, schema in sorted(document.get("components", {}).get("schemas", {}).items())
    ]


def _operation(
    document: Document, path: str, method: str, operation: Document, shared: list[Any]
) -> Operation:
    body = operation.get("requestBody", {}).get("content", {})
    given = [_resolved(document, each) for each in (*shared, *operation.get("parameters", []))]
    said = (operation.get("summary", ""), operation.get("description", ""))
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-').replace('{', '').replace('}', '')}",
        method=method.upper(),
        path=path,
        words=" ".join(text for text in said if text),
        parameters=tuple(_value(each["name"], each, each["in"]) for each in given),
        body=_ref_of(body),
        answers=tuple(_answers(document, operation)),
    )


def _answers(document: Document, operation: Document) -> Iterator[Answer]:
    for status, answer in sorted(operation.get("responses", {}).items(), key=lambda one: one[0]):
        told = _resolved(document, answer)
        yield Answer(status, told.get("description", ""), _ref_of(told.get("content", {})))


def _resolved(document: Document, part: Document) -> Document:
    """What a `$ref` inside the document stands for."""
    if "$ref" not in part:
        return part
    found: Any = document
    for step in part["$ref"].removeprefix("#/").split("/"):
        found = found[step]
    return found  # type: ignore[no-any-return]


def _ref_of(content: Document) -> str | None:
    for each in content.values():
        return _schema_name(each.get("schema", {}))
    return None


def _schema_name(schema: Document) -> str | None:
    inner = schema.get("items", schema)
    for choice in (inner, *inner.get("anyOf", ()), *inner.get("allOf", ())):
        if "$ref" in choice:
            return str(choice["$ref"].rpartition("/")[2])
    return None


def _fields(schema: Document) -> Iterator[Value]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield _value(name, {"schema": field, "required": name in required}, "")


def _value(name: str, given: Document, place: str) -> Value:
    schema = given.get("schema", {})
    words = [given.get("description") or schema.get("description") or "", *_limits(schema)]
    return Value(
        name=name,
        kind=_kind(schema),
        ref=_schema_name(schema),
        required=bool(given.get("required")),
        words="; ".join(text for text in words if text),
        place=place,
    )


def _kind(schema: Document) -> str:
    kinds = schema.get("type", "object" if "$ref" in schema else "")
    word = " | ".join(kinds) if isinstance(kinds, list) else str(kinds)
    if schema.get("format"):
        word += f" ({schema['format']})"
    if "items" in schema:
        inner = _kind(schema["items"])
        word += f" of {inner}" if inner else ""
    return word


def _limits(schema: Document) -> Iterator[str]:
    inner = schema.get("items", schema)
    if "enum" in inner:
        yield "one of: " + ", ".join(str(each) for each in inner["enum"])
    elif {"minimum", "maximum"} <= set(inner) and inner["maximum"] < 10**12:
        yield f"{inner['minimum']} to {inner['maximum']}"
    if schema.get("default") is not None:
        yield f"left out: {schema['default']}"
    if "example" in schema:
        yield f"such as {schema['example']}"
