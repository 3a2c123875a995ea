"""The bytes of one connection to a mail server. No call blocks: where it must wait, it yields.

Whoever drives such a talk may do something else at each `Waiting`, and may leave it for good. Each
wait has one end for the whole of a reply, so that a server which drips single bytes gains nothing.
"""

from __future__ import annotations

import errno
import queue
import re
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

from services.notify.domain.delivery import Waiting

T = TypeVar("T")
Talk = Generator[Waiting, None, T]

#: The longest between two words of ours while a server is waited for.
SLICE_SECONDS: Final = 0.25
_CHUNK: Final = 65_536
# RFC 5321 says 512 bytes for a line of a reply; some say more. Nobody says a hundred lines.
_LONGEST_LINE: Final = 4_096
_MOST_LINES: Final = 100
_LINE: Final = re.compile(rb"([1-5]\d\d)(?:([ -])(.*))?", re.DOTALL)


class Broken(Exception):
    """The connection is of no more use; the text is a reason of ours, never the server's words."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server said: its code, and the lines behind it."""

    code: int
    lines: tuple[str, ...] = ()


class Wire:
    """A connection; `Broken` where the server closes it, is too slow or speaks no SMTP."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._held = b""

    def expect_silence(self) -> None:
        """`Broken` where the server has said more than it was asked for, or has hung up."""
        try:
            more = self._socket.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            more = None
        except OSError as error:
            raise Broken(type(error).__name__) from None
        self._held += more or b""
        if self._held:
            raise Broken("more than was asked for")
        if more is not None:
            raise Broken("closed by the server")

    @property
    def closed(self) -> bool:
        """Whether this end has hung up."""
        return self._socket.fileno() < 0

    @property
    def own_address(self) -> str:
        """This end of the line."""
        return str(self._socket.getsockname()[0])

    def encrypt(self, context: ssl.SSLContext, host: str, seconds: float) -> Talk[None]:
        """From here on by TLS; what was said before it, and not asked for, is not believed."""
        if self._held:
            raise Broken("more than was asked for before TLS")
        end = time.monotonic() + seconds
        try:
            wrapped = context.wrap_socket(
                self._socket, server_hostname=host, do_handshake_on_connect=False
            )
        except OSError as error:  # nobody is there any more
            raise Broken(type(error).__name__) from None
        self._socket = wrapped
        yield from self._done(wrapped.do_handshake, end)

    def send(self, data: bytes, seconds: float) -> Talk[None]:
        """Hand all of it to the system; `Broken` means that its end certainly did not go out."""
        end, left = time.monotonic() + seconds, memoryview(data)
        while left:
            send = partial(self._socket.send, left[:_CHUNK])
            left = left[(yield from self._done(send, end, selectors.EVENT_WRITE)) :]

    def reply(self, seconds: float) -> Talk[Reply]:
        """The whole of the next reply, however many lines it has."""
        end = time.monotonic() + seconds
        lines: list[str] = []
        code: bytes | None = None
        while len(lines) < _MOST_LINES:
            found = _LINE.fullmatch((yield from self._line(end)))
            if found is None or code not in (None, found[1]):
                break
            code = found[1]
            lines.append((found[3] or b"").decode("utf-8", "replace"))
            if found[2] != b"-":
                return Reply(int(code), tuple(lines))
        raise Broken("no reply of SMTP")

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def _line(self, end: float) -> Talk[bytes]:
        while b"\n" not in self._held[: _LONGEST_LINE + 1]:
            if len(self._held) > _LONGEST_LINE:
                raise Broken("no reply of SMTP")
            more = yield from self._done(lambda: self._socket.recv(_CHUNK), end)
            if not more:
                raise Broken("closed by the server")
            self._held += more
        line, _, self._held = self._held.partition(b"\n")
        return line.removesuffix(b"\r")

    def _done(
        self, act: Callable[[], T], end: float, wanted: int = selectors.EVENT_READ
    ) -> Talk[T]:
        """What `act` returns once the socket lets it; tried once more even when time is up."""
        while True:
            try:
                return act()
            except BlockingIOError:
                pass
            except ssl.SSLWantReadError:
                wanted = selectors.EVENT_READ
            except ssl.SSLWantWriteError:
                wanted = selectors.EVENT_WRITE
            except OSError as error:
                raise Broken(type(error).__name__) from None
            yield from _rest(self._socket, wanted, end)


def connected(host: str, port: int, seconds: float) -> Talk[Wire]:
    """A line to the server, by the first of its addresses that takes one."""
    found = yield from _addresses(host, port, time.monotonic() + seconds)
    reason = "no address"
    for family, kind, protocol, _, address in found:
        line = socket.socket(family, kind, protocol)
        line.setblocking(False)
        try:
            yield from _connect(line, address, time.monotonic() + seconds / len(found))
            return Wire(line)
        except Broken as broken:
            reason = str(broken)
            line.close()
        except GeneratorExit:
            line.close()
            raise
    raise Broken(reason)


def _connect(line: socket.socket, address: Any, end: float) -> Talk[None]:
    error = line.connect_ex(address)
    while error in (errno.EINPROGRESS, errno.EWOULDBLOCK):
        yield from _rest(line, selectors.EVENT_WRITE, end)
        error = line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) or _peer(line)
    if error:
        raise Broken(errno.errorcode.get(error, "not connected"))
    line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _peer(line: socket.socket) -> int:
    """0 once there is somebody at the other end."""
    try:
        line.getpeername()
    except OSError:
        return errno.EINPROGRESS
    return 0


def _addresses(host: str, port: int, end: float) -> Talk[list[Any]]:
    # Asking for a name cannot be broken off: where it hangs, its thread is left behind.
    answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, name="smtp.resolver", daemon=True).start()
    while True:
        try:
            found = answers.get(timeout=SLICE_SECONDS)
        except queue.Empty:
            if time.monotonic() >= end:
                raise Broken("the host's address was not found in time") from None
            yield Waiting()
            continue
        if isinstance(found, OSError):
            raise Broken("the host has no address")
        return found


def _rest(line: socket.socket, wanted: int, end: float) -> Talk[None]:
    """Until the socket is ready, a slice at most; `Broken` when time is up."""
    left = end - time.monotonic()
    if left <= 0:
        raise Broken("no answer in time")
    with selectors.DefaultSelector() as waiting:
        waiting.register(line, wanted)
        ready = waiting.select(min(left, SLICE_SECONDS))
    if not ready:
        yield Waiting()
