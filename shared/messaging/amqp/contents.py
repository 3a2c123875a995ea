"""Messages out of frames: each is put together by itself, and whatever is odd in it stays its own.

py-amqp reads all properties of a message and raises at the first that is odd, which costs the link
and every message that was on its way. It also keeps a body of any size. Here a body over the limit
is passed over as its frames arrive: its size and hash are told, and how it began.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable
from typing import Any, Final

from amqp import spec
from amqp.exceptions import UnexpectedFrame

from shared.events.envelope import MAX_BYTES
from shared.messaging.amqp.properties import NOTHING, Malformed, Properties, read_properties
from shared.messaging.model import BEGINNING, too_large

_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8
_DELIVER, _RETURN = spec.Basic.Deliver, spec.Basic.Return
_HEAD: Final = struct.Struct(">HHQ")  # class, weight, size of the body


class Content:
    """One message that is arriving; `largest` bytes of a body are kept, of a larger one the beginning.

    `fault` says why the message cannot be taken for what it is, None where it can.
    """

    __slots__ = (
        "_hash",
        "_left",
        "_pieces",
        "_room",
        "arguments",
        "fault",
        "largest",
        "properties",
        "size",
    )

    def __init__(self, arguments: bytes, largest: int) -> None:
        self.arguments = arguments
        self.largest = largest
        self.properties: Properties = NOTHING
        self.size = self._left = -1  # not known before the header
        self.fault: str | None = None
        self._room = 0
        self._pieces: list[bytes] = []
        self._hash: Any = None

    def head(self, payload: bytes) -> None:
        """The header frame: size and properties."""
        _, _, self.size = _HEAD.unpack_from(payload)
        self._left = self._room = self.size
        if self.size > self.largest:
            self.fault = too_large(self.size)
            self._room, self._hash = BEGINNING, hashlib.sha256()
        try:
            self.properties = read_properties(payload[_HEAD.size :])
        except Malformed as wrong:
            self.fault = self.fault or f"its AMQP properties cannot be read: {wrong}"

    def add(self, payload: bytes) -> None:
        """The next frame of the body."""
        self._left -= len(payload)
        if self._hash is not None:
            self._hash.update(payload)
            payload = payload[: self._room]
            self._room -= len(payload)
        if payload:
            self._pieces.append(payload)

    @property
    def headed(self) -> bool:
        """Whether its header has come."""
        return self.size >= 0

    @property
    def complete(self) -> bool:
        """Whether all of it has come."""
        return self.headed and self._left <= 0

    @property
    def body(self) -> bytes:
        """The body, or how it begins."""
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    @property
    def digest(self) -> str | None:
        """SHA-256 of a body that was too large to be kept, in hexadecimal."""
        return None if self._hash is None else str(self._hash.hexdigest())


def reader(connection: Any, callback: Callable[..., Any]) -> Callable[[Any], bool]:
    """What py-amqp calls with each frame: methods go to `callback`, messages to `connection.take`."""
    arriving: dict[int, Content] = {}  # by channel

    def on_frame(frame: Any) -> bool:
        kind, channel, payload = frame
        connection.bytes_recv += 1  # what its heartbeats count
        if kind == _HEARTBEAT:
            return False
        content = arriving.get(channel)
        if kind == _METHOD and content is None:
            method = struct.unpack_from(">HH", payload)
            if method not in (_DELIVER, _RETURN):
                callback(channel, method, payload, None)
                return True
            largest = MAX_BYTES if method == _DELIVER else 0  # what comes back is known here
            arriving[channel] = Content(payload, largest)
            return False
        _put(content, kind, payload)
        if content is None or not content.complete:
            return False
        del arriving[channel]
        connection.take(content)
        return True

    return on_frame


def _put(content: Content | None, kind: int, payload: bytes) -> None:
    if content is not None and kind == _HEADER and not content.headed:
        content.head(payload)
    elif content is not None and kind == _BODY and content.headed:
        content.add(payload)
    else:
        raise UnexpectedFrame(f"a frame of type {kind} where there is none to come")


def delivered(content: Content) -> tuple[int, str]:
    """The tag and the routing key of a delivery."""
    at = 4 + 1 + content.arguments[4]  # behind the consumer's tag
    tag, _redelivered = struct.unpack_from(">QB", content.arguments, at)
    _exchange, after = _short(content.arguments, at + 9)
    routing_key, _ = _short(content.arguments, after)
    return tag, routing_key


def returned(content: Content) -> tuple[str, str]:
    """The exchange and the routing key of a message that came back."""
    _reason, at = _short(content.arguments, 6)  # behind the reply code
    exchange, at = _short(content.arguments, at)
    routing_key, _ = _short(content.arguments, at)
    return exchange, routing_key


def _short(data: bytes, at: int) -> tuple[str, int]:
    """A short string and where it ends; a key may be any bytes to its publisher."""
    end = at + 1 + data[at]
    return data[at + 1 : end].decode(errors="replace"), end
