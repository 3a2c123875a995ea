"""The kinds of values that events are made of: each a type with its limits, for msgspec.

The limits hold when writing as well as when reading, so that nothing leaves that a reader would
refuse.  Nothing here knows an event.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

MAX_TEXT: Final = 4000
MAX_MANY: Final = 500
#: How much a person may write now: less than is read, so that whatever is made of it fits as well.
WRITTEN_TEXT: Final = 2000
WRITTEN_ITEM: Final = 500
WRITTEN_ITEMS: Final = 20
MAX_INT: Final = 2**53 - 1  # beyond this a JSON reader written in another language loses digits


def about(words: str, *, personal: bool = False) -> Meta:
    """What a field says, for the documents; `personal` where it may name or reach a citizen."""
    if personal:
        return Meta(description=words, extra_json_schema={"x-personal-data": True})
    return Meta(description=words)


def _pattern(body: str) -> Meta:
    # Python's $ also stands before a last line feed; a reader in another language knows no \Z.
    return Meta(pattern=rf"^{body}\Z", extra_json_schema={"pattern": f"^{body}$"})


Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
MaybeEmpty = Annotated[str, Meta(max_length=MAX_TEXT)]
Line = Annotated[str, Meta(min_length=1, max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=500)]
Item = Annotated[str, Meta(min_length=1, max_length=1000)]
#: A code: letters, digits, dot, dash, colon, underscore; no blank.
Word = Annotated[str, _pattern(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,119}")]
#: A day of Viet Nam's calendar.
Day = Annotated[str, _pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")]
Sha256 = Annotated[str, _pattern(r"[0-9a-f]{64}")]
#: A phone number in E.164.
Phone = Annotated[str, _pattern(r"\+[1-9][0-9]{6,14}")]
#: An instant, RFC 3339 on the wire; what we write is in UTC and ends in Z.
Instant = Annotated[datetime, Meta(tz=True, extra_json_schema={"pattern": "Z$"})]
Whole = Annotated[int, Meta(ge=0, le=MAX_INT)]
#: Counts from 1.
Count = Annotated[int, Meta(ge=1, le=MAX_INT)]
#: A value of a form: text, number, true, false or null.
Plain = Annotated[int, Meta(ge=-MAX_INT, le=MAX_INT)] | float | str | bool | None
#: Form fields by name.
Form = Annotated[dict[str, Plain], Meta(extra_json_schema={"x-personal-data": True})]

Channel = Literal["direct", "online", "postal"]
Outcome = Literal["granted", "refused", "silent_consent"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Root of the objects that events are composed of."""


def places(error: msgspec.ValidationError) -> str:
    """Which place broke which rule, never a value: msgspec quotes the word of a wrong choice."""
    words: Any = str(error)
    if words.startswith("Invalid enum value"):
        _, _, place = words.rpartition(" - at ")
        return f"is none of the allowed words - at {place}"
    return str(words)
