"""What stands in the header of a message, read so that no stranger's bytes break the link.

Whoever may publish may put any type and any bytes there. Each string and table says its own
length, so what we do not use is stepped over unread; a table that cannot be read is left out.
Nothing here knows a connection. Source: AMQP 0-9-1, 4.2.5 and RabbitMQ's errata to it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple

# Larger tables are left out as well: 128 kB of headers would be 10 MB of Python's objects.
MOST_HEADERS: Final = 16_384
_DEEPEST: Final = 16

_STRING, _TABLE = "string", "table"
# The properties of a message in their order, each with its flag and its size in bytes.
_LAYOUT: Final[tuple[tuple[int, str, str | int], ...]] = (
    (0x8000, "content_type", _STRING),
    (0x4000, "content_encoding", _STRING),
    (0x2000, "headers", _TABLE),
    (0x1000, "delivery_mode", 1),
    (0x0800, "priority", 1),
    (0x0400, "correlation_id", _STRING),
    (0x0200, "reply_to", _STRING),
    (0x0100, "expiration", _STRING),
    (0x0080, "message_id", _STRING),
    (0x0040, "timestamp", 8),
    (0x0020, "type", _STRING),
    (0x0010, "user_id", _STRING),
    (0x0008, "app_id", _STRING),
    (0x0004, "cluster_id", _STRING),
)
_UNKNOWN_FLAGS: Final = 0x0003  # the last says that more flags follow: there are none


_FLAGS, _LENGTH = struct.Struct(">H"), struct.Struct(">I")


class Malformed(ValueError):
    """The bytes are not what their own lengths say; it holds none of them."""


class Properties(NamedTuple):
    """What is used of a message's properties; headers that cannot be read are none."""

    headers: Mapping[str, Any]
    message_id: str | None
    user_id: str | None


NOTHING: Final = Properties({}, None, None)


def read_properties(block: bytes) -> Properties:
    """The properties in a content header, from their flags on; Malformed."""
    try:
        (flags,) = _FLAGS.unpack_from(block)
        at, end, found = 2, len(block), {}
        for name, size in _laid_out(flags):
            begin, at = _extent(block, at, size)
            if at > end:
                raise Malformed(f"{name} is longer than the properties that it stands in")
            if name in Properties._fields:
                found[name] = block[begin:at]
    except (struct.error, IndexError):
        raise Malformed("the properties end too early") from None
    if flags & _UNKNOWN_FLAGS or at != end:
        raise Malformed("the properties are longer than their flags say")
    headers = found.get("headers")
    return Properties(
        read_table(headers) if headers else {},
        _text(found.get("message_id")),
        _text(found.get("user_id")),
    )


@lru_cache(maxsize=64)
def _laid_out(flags: int) -> tuple[tuple[str, str | int], ...]:
    """The properties that these flags announce: a peer sends all its messages alike."""
    return tuple((name, size) for flag, name, size in _LAYOUT if flags & flag)


def _extent(block: bytes, at: int, size: str | int) -> tuple[int, int]:
    """Where a value begins and ends, behind the length that it says itself."""
    if size is _STRING:
        at += 1
        return at, at + block[at - 1]
    if size is _TABLE:
        (length,) = _LENGTH.unpack_from(block, at)
        return at + 4, at + 4 + length
    return at, at + int(size)


def _text(raw: bytes | None) -> str | None:
    return None if raw is None else raw.decode(errors="replace")


def read_table(table: bytes) -> dict[str, Any]:
    """The fields of a table; none of one that is too large, too deep or cannot be read."""
    if len(table) > MOST_HEADERS:
        return {}
    try:
        return _fields(table, 0, len(table), _DEEPEST)
    except (Malformed, struct.error, IndexError):
        return {}


def _fields(data: bytes, at: int, end: int, deeper: int) -> dict[str, Any]:
    found = {}
    while at < end:
        begin, at = _extent(data, at, _STRING)
        name = data[begin:at].decode(errors="replace")
        found[name], at = _value(data, at, end, deeper)
    return found


def _items(data: bytes, at: int, end: int, deeper: int) -> list[Any]:
    found = []
    while at < end:
        value, at = _value(data, at, end, deeper)
        found.append(value)
    return found


_FIXED: Final[Mapping[int, struct.Struct]] = {
    ord(letter): struct.Struct(f">{form}")
    for letter, form in {
        "t": "?", "b": "b", "B": "B", "s": "h", "U": "h", "u": "H", "I": "i", "i": "I",
        "l": "q", "L": "q", "f": "f", "d": "d",
    }.items()
}  # fmt: skip
_DECIMAL: Final = struct.Struct(">Bi")
_TIMESTAMP: Final = struct.Struct(">Q")
_NONE, _SAID, _OF_TIME, _OF_DECIMAL = b"VSTD"
_INSIDE: Final[Mapping[int, Callable[[bytes, int, int, int], Any]]] = {
    ord("F"): _fields,
    ord("A"): _items,
    ord("x"): lambda data, begin, end, _: data[begin:end],
}


def _value(data: bytes, at: int, end: int, deeper: int) -> tuple[Any, int]:
    """A value and where it ends."""
    kind, at = data[at], at + 1
    value: Any
    if kind == _SAID and deeper:  # as nearly all are
        at += 4
        after = at + _LENGTH.unpack_from(data, at - 4)[0]
        value = data[at:after].decode(errors="replace")
    elif kind == _NONE:
        return None, at
    elif (fixed := _FIXED.get(kind)) is not None:
        (value,), after = fixed.unpack_from(data, at), at + fixed.size
    elif kind == _OF_TIME:
        (seconds,), after = _TIMESTAMP.unpack_from(data, at), at + _TIMESTAMP.size
        value = _instant(seconds)
    elif kind == _OF_DECIMAL:
        (scale, digits), after = _DECIMAL.unpack_from(data, at), at + _DECIMAL.size
        value = Decimal(digits).scaleb(-scale)
    elif (inside := _INSIDE.get(kind)) is not None and deeper:
        begin, after = _extent(data, at, _TABLE)
        value = inside(data, begin, after, deeper - 1) if after <= end else None
    else:
        raise Malformed("a field of a type that is not known here")
    if after > end:
        raise Malformed("a field that is longer than its table")
    return value, after


def _instant(seconds: int) -> datetime | int:
    """The aware instant in UTC; what lies outside the calendar stays the number that was sent."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return seconds
