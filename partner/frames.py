"""Odd properties of a message must not take the line along: what pika cannot decode is left out.

A header with a date of the year 50000, or of a type that pika does not know, would end the
connection, come again, and end the next one. The kit reads bodies alone, so it can do without.
"""

from __future__ import annotations

import struct
from typing import Any

from pika import exceptions as wrong
from pika import frame, spec
from pika.adapters.select_connection import SelectConnection

_HEAD = struct.Struct(">BHL")  # type, channel, size of the payload
_CONTENT = struct.Struct(">HHQ")  # class, weight, size of the body
_UNDECODABLE = (
    ValueError,
    ArithmeticError,
    IndexError,
    OSError,  # a date that the system's calendar does not reach
    RecursionError,
    TypeError,
    struct.error,
    wrong.InvalidFieldTypeException,
)


class TolerantConnection(SelectConnection):  # type: ignore[misc]  # pika has no types
    """pika's connection, which takes a message whose properties cannot be decoded without them."""

    def _read_frame(self) -> tuple[int, Any]:
        try:
            consumed, found = super()._read_frame()
        except _UNDECODABLE:
            return self._without_properties()
        return consumed, found

    def _without_properties(self) -> tuple[int, Any]:
        """The header frame at the front of the buffer, which is there as a whole."""
        kind, channel, size = _HEAD.unpack_from(self._frame_buffer)
        if kind != spec.FRAME_HEADER:
            raise wrong.InvalidFrameError("a frame that cannot be decoded")
        _, _, body_size = _CONTENT.unpack_from(self._frame_buffer, _HEAD.size)
        end = _HEAD.size + size + spec.FRAME_END_SIZE
        return end, frame.Header(channel, body_size, spec.BasicProperties())
