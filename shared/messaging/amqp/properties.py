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
        (flags,) = struct.unpack_from(">H", block)
        at, found = 2, {}
        for flag, name, size in _LAYOUT:
            if not flags & flag:
                continue
            begin, at = _extent(block, at, size)
            if at > len(block):
                raise Malformed(f"{name} is longer than the properties that it stands in")
            found[name] = block[begin:at]
    except (struct.error, IndexError):
        raise Malformed("the properties end too early") from None
    if flags & _UNKNOWN_FLAGS or at != len(block):
        raise Malformed("the properties are longer than their flags say")
    return Properties(
        read_table(found.get("headers", b"")),
        _text(found.get("message_id")),
        _text(found.get("user_id")),
    )


def _extent(block: bytes, at: int, size: str | int) -> tuple[int, int]:
    """Where a value begins and ends, behind the length that it says itself."""
    if isinstance(size, int):
        return at, at + size
    if size == _STRING:
        return at + 1, at + 1 + block[at]
    (length,) = struct.unpack_from(">I", block, at)
    return at + 4, at + 4 + length


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
_INSIDE: Final[Mapping[int, Callable[[bytes, int, int, int], Any]]] = {
    ord("F"): _fields,
    ord("A"): _items,
    ord("S"): lambda data, begin, end, _: data[begin:end].decode(errors="replace"),
    ord("x"): lambda data, begin, end, _: data[begin:end],
}


def _value(data: bytes, at: int, end: int, deeper: int) -> tuple[Any, int]:
    """A value and where it ends."""
    kind, at = data[at], at + 1
    if kind == ord("V"):
        return None, at
    value: Any
    if (fixed := _FIXED.get(kind)) is not None:
        (value,), after = fixed.unpack_from(data, at), at + fixed.size
    elif kind == ord("T"):
        (seconds,), after = _TIMESTAMP.unpack_from(data, at), at + _TIMESTAMP.size
        value = _instant(seconds)
    elif kind == ord("D"):
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
