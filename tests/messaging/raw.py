"""A stranger who writes AMQP by hand, frame by frame, as no client library would. No test lives here."""

from __future__ import annotations

import socket
import struct
import urllib.parse
from types import TracebackType
from typing import Self

_METHOD, _HEADER, _BODY, _HEARTBEAT = 1, 2, 3, 8
_CONNECTION_CLOSE, _CHANNEL_CLOSE, _ACK, _NACK = (10, 50), (20, 40), (60, 80), (60, 120)
_FRAME = 131_072 - 8


class Refused(Exception):
    """The broker closed the channel or the connection; it says its code and words."""


def short(text: bytes) -> bytes:
    """A short string."""
    return bytes([len(text)]) + text


def long(data: bytes) -> bytes:
    """A long string, a table or an array behind its length."""
    return struct.pack(">I", len(data)) + data


def field(name: bytes, kind: bytes, value: bytes) -> bytes:
    """One field of a table."""
    return short(name) + kind + value


def headers(*fields: bytes) -> bytes:
    """Properties that are a table of headers and nothing else."""
    return struct.pack(">H", 0x2000) + long(b"".join(fields))


class RawPublisher:
    """One connection with one channel in confirm mode."""

    def __init__(self, url: str) -> None:
        parts = urllib.parse.urlsplit(url)
        self._line = socket.create_connection((str(parts.hostname), parts.port or 5672), 20)
        self._line.sendall(b"AMQP\x00\x00\x09\x01")
        self._expect((10, 10))
        user = (parts.username or "guest").encode()
        login = b"\x00" + user + b"\x00" + (parts.password or "guest").encode()
        self._method(0, 10, 11, long(b"") + short(b"PLAIN") + long(login) + short(b"en_US"))
        self._expect((10, 30))
        self._method(0, 10, 31, struct.pack(">HIH", 10, _FRAME + 8, 0))
        vhost = urllib.parse.unquote(parts.path[1:]).encode() or b"/"
        self._method(0, 10, 40, short(vhost) + short(b"") + b"\x00")
        self._expect((10, 41))
        self._method(1, 20, 10, short(b""))
        self._expect((20, 11))
        self._method(1, 85, 10, b"\x00")
        self._expect((85, 11))

    def publish(self, exchange: str, key: bytes, properties: bytes, body: bytes) -> None:
        """Send one message whose properties are these bytes; Refused where the broker takes none."""
        target = struct.pack(">H", 0) + short(exchange.encode()) + short(key) + b"\x00"
        self._method(1, 60, 40, target)
        self._frame(_HEADER, 1, struct.pack(">HHQ", 60, 0, len(body)) + properties)
        try:
            for at in range(0, len(body), _FRAME):
                self._frame(_BODY, 1, body[at : at + _FRAME])
        except OSError:  # it hung up in the middle of it; what it said comes first
            pass
        self._expect(_ACK)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Hang up without a word."""
        self._line.close()

    def _method(self, channel: int, of: int, number: int, arguments: bytes) -> None:
        self._frame(_METHOD, channel, struct.pack(">HH", of, number) + arguments)

    def _frame(self, kind: int, channel: int, payload: bytes) -> None:
        head = struct.pack(">BHI", kind, channel, len(payload))
        self._line.sendall(head + payload + b"\xce")

    def _expect(self, wanted: tuple[int, int]) -> None:
        while True:
            kind, _channel, size = struct.unpack(">BHI", self._read(7))
            payload = self._read(size + 1)[:-1]
            if kind != _METHOD:
                continue
            method = struct.unpack_from(">HH", payload)
            if method == wanted:
                return
            if method in (_CONNECTION_CLOSE, _CHANNEL_CLOSE):
                (code,) = struct.unpack_from(">H", payload, 4)
                raise Refused(f"{code} {payload[7 : 7 + payload[6]].decode()}")
            assert method != _NACK

    def _read(self, size: int) -> bytes:
        read = b""
        while len(read) < size:
            try:
                piece = self._line.recv(size - len(read))
            except ConnectionResetError:
                piece = b""
            if not piece:
                raise Refused("the broker hung up")
            read += piece
        return read
