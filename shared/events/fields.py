"""Strict marshmallow fields for facts: nothing is coerced, each knows its JSON Schema.

Each leaf decides by one predicate, `fits`, which the compiled checker uses too (`compiled.py`).
Nothing here knows a fact.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

import marshmallow as ma

JsonSchema = dict[str, Any]
MAX_TEXT = 4000
MAX_INT = 2**53 - 1  # beyond this a JSON reader written in another language loses digits

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII).fullmatch


class Leaf(ma.fields.Field[Any]):
    """A field that is right or wrong as it stands; `nullable` may be null or left out."""

    rule: ClassVar[str] = "is not allowed"

    def __init__(self, about: str = "", *, nullable: bool = False, personal: bool = False) -> None:
        options: dict[str, Any] = {"load_default": None} if nullable else {"required": True}
        super().__init__(
            allow_none=nullable, metadata={"about": about, "personal": personal}, **options
        )
        self.nullable = nullable

    def fits(self, value: Any) -> bool:
        """Whether the value, which is not None, may stand here."""
        raise NotImplementedError

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> Any:
        if not self.fits(value):
            raise ma.ValidationError(self.rule)
        return value

    def body_schema(self) -> JsonSchema:
        """The JSON Schema of a value that is not null."""
        raise NotImplementedError

    def json_schema(self) -> JsonSchema:
        """The JSON Schema of this field with its description and nullability."""
        schema = self.body_schema()
        if about := self.metadata.get("about"):
            schema["description"] = about
        if self.metadata.get("personal"):
            schema["x-personal-data"] = True
        return nullable_schema(schema) if self.nullable else schema


def nullable_schema(schema: JsonSchema) -> JsonSchema:
    """The same schema, null allowed beside it."""
    if isinstance(schema.get("type"), str):
        out = {**schema, "type": [schema["type"], "null"]}
        if "enum" in schema:
            out["enum"] = [*schema["enum"], None]
        return out
    return {"oneOf": [schema, {"type": "null"}]}


class Text(Leaf):
    """Text of 1 to `longest` characters (`empty=True` allows none)."""

    rule = "must be text that is neither empty nor too long"

    def __init__(
        self, about: str = "", *, longest: int = MAX_TEXT, empty: bool = False, **options: Any
    ) -> None:
        super().__init__(about, **options)
        self.longest, self.shortest = longest, 0 if empty else 1

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and self.shortest <= len(value) <= self.longest

    def body_schema(self) -> JsonSchema:
        return {"type": "string", "minLength": self.shortest, "maxLength": self.longest}


class Word(Leaf):
    """A code: letters, digits, dot, dash, underscore; no blank."""

    rule = "must be a code of letters, digits, dots and dashes"
    pattern: ClassVar[str] = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,119}$"
    matches = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}", re.ASCII).fullmatch

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and type(self).matches(value) is not None

    def body_schema(self) -> JsonSchema:
        return {"type": "string", "pattern": self.pattern}


class Phone(Word):
    """A phone number in E.164."""

    rule = "must be a phone number in E.164"
    pattern = r"^\+[1-9][0-9]{6,14}$"
    matches = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII).fullmatch


class Choice(Leaf):
    """One of a few words."""

    rule = "must be one of the allowed words"

    def __init__(self, *choices: str, about: str = "", **options: Any) -> None:
        super().__init__(about, **options)
        self.choices = choices
        self._set = frozenset(choices)

    def fits(self, value: Any) -> bool:
        return isinstance(value, str) and value in self._set

    def body_schema(self) -> JsonSchema:
        return {"type": "string", "enum": list(self.choices)}


class Instant(Leaf):
    """An instant as RFC 3339 text in UTC: `2022-03-01T01:30:00Z`, up to microseconds."""

    rule = "must be an RFC 3339 instant in UTC ending in Z"

    def fits(self, value: Any) -> bool:
        if not isinstance(value, str) or _INSTANT(value) is None:
            return False
        try:
            datetime.fromisoformat(value[:19])  # the fraction cannot make it a wrong date
        except ValueError:
            return False
        return True

    def body_schema(self) -> JsonSchema:
        return {"type": "string", "format": "date-time", "pattern": "Z$"}


class Whole(Leaf):
    """A whole number from `least` up; never a bool."""

    rule = "must be a whole number in range"

    def __init__(self, about: str = "", *, least: int = 0, **options: Any) -> None:
        super().__init__(about, **options)
        self.least = least

    def fits(self, value: Any) -> bool:
        return type(value) is int and self.least <= value <= MAX_INT

    def body_schema(self) -> JsonSchema:
        return {"type": "integer", "minimum": self.least, "maximum": MAX_INT}


class Flag(Leaf):
    """True or false, nothing that merely looks like it."""

    rule = "must be true or false"

    def fits(self, value: Any) -> bool:
        return value is True or value is False

    def body_schema(self) -> JsonSchema:
        return {"type": "boolean"}


class Form(Leaf):
    """Form fields by name; the values are text, numbers, true, false or null."""

    rule = "must be an object of plain values"

    def fits(self, value: Any) -> bool:
        return isinstance(value, Mapping) and all(
            isinstance(name, str) and _plain(entry) for name, entry in value.items()
        )

    def body_schema(self) -> JsonSchema:
        plain = {"type": ["string", "number", "boolean", "null"]}
        return {"type": "object", "additionalProperties": plain}


def _plain(value: Any) -> bool:
    if value is None or isinstance(value, str | bool):
        return True
    if isinstance(value, int):
        return -MAX_INT <= value <= MAX_INT
    return isinstance(value, float) and -1e308 < value < 1e308  # NaN and infinities are not JSON


class Many(ma.fields.List[Any]):
    """A list of one kind of entry; lists and tuples only (marshmallow's own takes any iterable)."""

    rule: ClassVar[str] = "must be a list"

    def __init__(self, inner: Leaf | Part, about: str = "", *, longest: int = 500) -> None:
        super().__init__(inner, required=True, metadata={"about": about})
        self.longest = longest

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        if not isinstance(value, list | tuple) or len(value) > self.longest:
            raise ma.ValidationError(self.rule)
        return super()._deserialize(value, attr, data, **kwargs)


class Part(ma.fields.Field[Any]):
    """A nested object; unlike marshmallow's `Nested` it hands the root's `unknown` rule down."""

    def __init__(self, schema: type[ma.Schema], about: str = "", *, nullable: bool = False) -> None:
        options: dict[str, Any] = {"load_default": None} if nullable else {"required": True}
        super().__init__(allow_none=nullable, metadata={"about": about}, **options)
        self.nullable, self.schema_class = nullable, schema

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> Any:
        root: Any = self.root
        return self.schema_class(unknown=root.unknown).load(value)
