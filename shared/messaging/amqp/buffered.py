"""py-amqp's connection on sockets that are read and written in large pieces.

py-amqp reads each frame with three `recv` and writes each message by itself; RabbitMQ pays as much
for every small write as we do. Here what has arrived is read up to 64 kB at once and frames are
taken from memory, and what is sent within `together` leaves in one write. What a method means stays
py-amqp's business, what a message is that of `contents`; when to read and write is the link's.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Final

from amqp.exceptions import UnexpectedFrame
from amqp.transport import SSLTransport, TCPTransport
from kombu.transport import pyamqp

from shared.messaging.amqp.contents import Content, reader

PIECE: Final = 65_536
_HEAD: Final = struct.Struct(">BHI")  # type, channel, size of the payload
_OVERHEAD: Final = 8  # the head, and one byte that ends the frame
_FRAME_END: Final = 0xCE
# No broker sends a larger one to us; what claims to be is no AMQP, and is not waited for.
_LARGEST: Final = 64 * 1024 * 1024

Frame = tuple[int, int, bytes]  # type, channel, payload


class Frames:
    """Takes frames out of a stream that arrives in pieces of any size; knows no socket."""

    def __init__(self) -> None:
        self._data = b""  # what frames are taken from, beginning at `_at`
        self._at = 0
        self._more: list[bytes] = []  # what came later, joined once it completes a frame
        self._length = 0
        self._needed = _OVERHEAD

    def feed(self, piece: bytes) -> None:
        """These bytes have arrived."""
        self._more.append(piece)
        self._length += len(piece)

    def next(self) -> Frame | None:
        """The next frame; None where its end has not arrived."""
        if self._more:
            self._join()
        left = len(self._data) - self._at
        needed = _OVERHEAD
        if left >= needed:
            kind, channel, size = _HEAD.unpack_from(self._data, self._at)
            needed += size
            if size > _LARGEST:
                raise UnexpectedFrame(f"a frame of {size} bytes")
            if left >= needed:
                return kind, channel, self._taken(needed)
        self._needed = needed
        return None

    def _taken(self, length: int) -> bytes:
        begin, end = self._at, self._at + length
        if self._data[end - 1] != _FRAME_END:
            raise UnexpectedFrame("a frame of the broker's has no end where it says")
        self._at, self._needed = end, _OVERHEAD
        return self._data[begin + _HEAD.size : end - 1]

    def _join(self) -> None:
        rest = len(self._data) - self._at
        if rest + self._length < self._needed:
            return  # a large frame in small pieces must not be copied with each of them
        pieces = [self._data[self._at :], *self._more] if rest else self._more
        self._data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        self._at, self._more, self._length = 0, [], 0


class _Buffered:
    """What both transports have; mixed in before py-amqp's own."""

    connected: bool
    sock: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._frames = Frames()
        self._gathered: bytearray | None = None  # None: each write goes out at once

    def read_frame(self, _unpack: object = None) -> Frame:
        """The next frame; waits for it, but not longer than the socket does (TimeoutError)."""
        while (frame := self._frames.next()) is None:
            self._take(self._receive())
        return frame

    def arrived(self) -> Iterator[Frame]:
        """The frames that are here, without waiting for more; the last may be here in part."""
        more = True
        while more:
            piece = self._receive_now()
            if piece is not None:
                self._take(piece)
            more = piece is not None and self._is_more_after(piece)
            while (frame := self._frames.next()) is not None:
                yield frame

    @contextlib.contextmanager
    def together(self) -> Iterator[None]:
        """What is written meanwhile leaves at the end in one write; nothing of it, if it fails."""
        gathered = self._gathered = bytearray()
        try:
            yield
        finally:
            self._gathered = None
        if gathered:
            self.write(memoryview(gathered))

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._gathered is None:
            super().write(data)  # type: ignore[misc] # py-amqp's, which sends all of it
        else:
            self._gathered += data

    def _take(self, piece: bytes) -> None:
        if not piece:
            self.connected = False
            raise ConnectionResetError("the broker closed the connection")
        self._frames.feed(piece)

    def _receive(self) -> bytes:
        try:
            return bytes(self.sock.recv(PIECE))
        except BlockingIOError as late:  # the socket's own limit (SO_RCVTIMEO)
            raise TimeoutError("the broker did not answer in time") from late
        except TimeoutError:
            raise
        except OSError:
            self.connected = False
            raise

    def _receive_now(self) -> bytes | None:
        try:
            return self._without_waiting()
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return None
        except OSError:
            self.connected = False
            raise

    def _without_waiting(self) -> bytes:
        return bytes(self.sock.recv(PIECE, socket.MSG_DONTWAIT))

    def _is_more_after(self, piece: bytes) -> bool:
        return len(piece) == PIECE


class BufferedTcp(_Buffered, TCPTransport):  # type: ignore[misc] # py-amqp has no types
    """AMQP in the clear."""


class BufferedTls(_Buffered, SSLTransport):  # type: ignore[misc] # the same
    """AMQP over TLS; one read brings one record of at most 16 kB."""

    def _without_waiting(self) -> bytes:
        limit = self.sock.gettimeout()
        # TLS has records that are no data: to be readable does not mean that a read would return.
        self.sock.settimeout(0.0)
        try:
            return bytes(self.sock.recv(PIECE))
        finally:
            self.sock.settimeout(limit)

    def _is_more_after(self, _piece: bytes) -> bool:
        return True  # until a read says that there is nothing


class BufferedConnection(pyamqp.Connection):
    """py-amqp's connection on such a transport."""

    # With connection.blocked py-amqp polls the socket before each publish, which costs a fifth of
    # the relay's time; a blocked broker confirms nothing, and that is seen soon enough.
    negotiate_capabilities: ClassVar[dict[str, bool]] = {
        "consumer_cancel_notify": True,
        "connection.blocked": False,
        "authentication_failure_close": True,
    }

    #: Who is given each message that has arrived; set by whoever consumes or publishes.
    take: Callable[[Content], None]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, frame_handler=reader, **kwargs)

    def Transport(  # noqa: N802 - py-amqp's name, and the way it calls
        self,
        host: str,
        connect_timeout: float | None,
        ssl: Any = None,
        read_timeout: float | None = None,
        write_timeout: float | None = None,
        socket_settings: dict[int, int] | None = None,
    ) -> _Buffered:
        kind = BufferedTls if ssl else BufferedTcp
        return kind(
            host,
            connect_timeout=connect_timeout,
            ssl=ssl,
            read_timeout=read_timeout,
            write_timeout=write_timeout,
            socket_settings=socket_settings,
        )


class BufferedTransport(pyamqp.Transport):
    """kombu's, with our connection."""

    Connection = BufferedConnection
