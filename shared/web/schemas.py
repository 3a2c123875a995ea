"""Strict marshmallow pieces for request schemas: nothing is coerced, unknown fields are refused.

The schemas themselves stand beside the routes that use them.
"""

from __future__ import annotations

import unicodedata
from datetime import date, datetime
from typing import Any, Final

import marshmallow as ma
from marshmallow import fields, validate

from shared.kernel.clock import format_instant, parse_day, parse_instant
from shared.kernel.letters import tidy

MAX_INT: Final = 2**53 - 1
# Years in which anything here can happen; near the ends of the calendar no other zone has an hour.
FIRST_YEAR: Final = 1900
END_YEAR: Final = 2200

_Messages = dict[str, str | list[Any] | dict[Any, Any]]
_WHOLE: Final[_Messages] = {"invalid": "Not a valid whole number."}
_INSTANT: Final[_Messages] = {"invalid": "Not a valid instant."}
_TEXT: Final[_Messages] = {
    "empty": "Text must not be empty.",
    "unstorable": "Text holds characters that cannot be stored.",
}
# The same rule for the API's description: no control characters, and not blanks alone.
_LETTER: Final = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
_ANY_TEXT: Final = f"^{_LETTER}*$"
_SOME_TEXT: Final = rf"^{_LETTER}*[^\x00-\x20\x7f-\xa0\s]{_LETTER}*$"
_UNSTORABLE: Final = frozenset({"Cc", "Cs"})  # control characters and lone surrogates


class Schema(ma.Schema):
    """Root of request and response schemas: unknown fields are refused, order is as declared."""

    class Meta:
        """marshmallow's own place for options."""

        unknown = ma.RAISE


class StrictInt(fields.Integer):
    """A whole number: no text, no bool, no fraction; 2.0 is whole, as JSON Schema says."""

    default_error_messages = _WHOLE

    def __init__(self, **options: Any) -> None:
        options["metadata"] = _bounds(options, -MAX_INT, MAX_INT)
        super().__init__(**options)

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if type(value) is not int or not -MAX_INT <= value <= MAX_INT:
            raise self.make_error("invalid", input=value)
        return value


class QueryInt(fields.Integer):
    """A whole number in a query string, where everything is text: plain digits only."""

    default_error_messages = _WHOLE

    def __init__(self, **options: Any) -> None:
        options["metadata"] = _bounds(options, 0, 10**15 - 1)
        super().__init__(**options)

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> int:
        text = str(value)
        if not (text.isascii() and text.isdigit() and len(text) <= 15):
            raise self.make_error("invalid", input=value)
        return int(text)


class StrictBool(fields.Boolean):
    """True or false, not "yes", not 1."""

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> bool:
        if value is not True and value is not False:
            raise self.make_error("invalid", input=value)
        return bool(value)


class StrictText(fields.String):
    """Text in NFC without blanks around it, not empty, and without characters no database keeps."""

    default_error_messages = _TEXT

    def __init__(self, *, longest: int = 1000, empty: bool = False, **options: Any) -> None:
        validators = [validate.Length(max=longest), *_as_list(options.pop("validate", None))]
        metadata: dict[str, Any] = {} if empty else {"minLength": 1}
        if not any(isinstance(each, validate.Regexp) for each in validators):
            metadata["pattern"] = _ANY_TEXT if empty else _SOME_TEXT
        metadata |= options.pop("metadata", {})
        super().__init__(validate=validators, metadata=metadata, **options)
        self.empty = empty

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> str:
        if not isinstance(value, str):
            raise self.make_error("invalid", input=value)
        if not _storable(value):
            raise self.make_error("unstorable", input=value)
        text = tidy(value)
        if not text and not self.empty:
            raise self.make_error("empty", input=value)
        return text


def _storable(text: str) -> bool:
    return not any(
        unicodedata.category(letter) in _UNSTORABLE and letter not in "\n\r\t" for letter in text
    )


def _bounds(options: dict[str, Any], least: int, most: int) -> dict[str, Any]:
    """Metadata with the narrowest bounds: metadata would hide what a Range validator says."""
    for each in _as_list(options.get("validate")):
        if isinstance(each, validate.Range):
            least = least if each.min is None else max(least, each.min)
            most = most if each.max is None else min(most, each.max)
    said: dict[str, Any] = options.get("metadata", {})
    return {"minimum": least, "maximum": most} | said


def _as_list(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]


class Instant(fields.Field[datetime]):
    """An RFC 3339 instant with its zone, from 1900 to 2199; aware UTC inside, written with "Z"."""

    default_error_messages = _INSTANT

    def __init__(self, **options: Any) -> None:
        said = {"type": "string", "format": "date-time", "pattern": "^(19|20|21)[0-9]{2}-"}
        metadata = said | options.pop("metadata", {})
        super().__init__(metadata=metadata, **options)

    def _serialize(self, value: datetime | None, *_context: Any, **_options: Any) -> str | None:
        return None if value is None else format_instant(value)

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> datetime:
        if not isinstance(value, str) or not value.isascii():
            raise self.make_error("invalid", input=value)
        try:
            at = parse_instant(value)
        except ValueError:
            raise self.make_error("invalid", input=value) from None
        if not FIRST_YEAR <= int(value[:4]) < END_YEAR:  # as it is written, whatever its zone
            raise self.make_error("invalid", input=value)
        return at


class Day(fields.Date):
    """A day written YYYY-MM-DD; nothing else that ISO 8601 knows."""

    def _deserialize(self, value: Any, *_context: Any, **_options: Any) -> date:
        try:
            return parse_day(value)
        except (TypeError, ValueError):
            raise self.make_error("invalid", input=value, obj_type=self.OBJ_TYPE) from None


class FaultSchema(Schema):
    """One fault."""

    place = fields.String(required=True, metadata={"description": "Such as papers.0.code"})
    pointer = fields.String(
        metadata={"description": "JSON pointer into the body, such as #/papers/0/code"}
    )
    rule = fields.String(metadata={"description": "The same as a stable code, for programs"})
    vi = fields.String(required=True)
    en = fields.String(required=True)


class ProblemSchema(Schema):
    """RFC 9457 problem document; some codes say more in members of their own (`extra` of errors)."""

    class Meta(Schema.Meta):
        """A reader passes over what it does not know, as RFC 9457 asks."""

        unknown = ma.INCLUDE

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)
    errors = fields.List(fields.Nested(FaultSchema))
    allowed = fields.List(fields.String(), metadata={"description": "Moves that are allowed now"})
