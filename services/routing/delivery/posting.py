"""One HTTP request to an agency, to nowhere but the public Internet, within one time limit.

A name is resolved here and the connection made to the very address that was checked, so that a
name that answers otherwise the next time leads nowhere else. No redirect, no proxy; what the peer
answers is not kept, and little of it is read.
"""

from __future__ import annotations

import email.utils
import logging
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any, Final

import httpcore2

from services.routing.domain.webhook import Outcome, is_public

SECONDS: Final = 15.0  # from the first byte of the name's question to the last of the answer
_MOST_READ: Final = 16_384
_PIECE: Final = 16_384
_HEADERS: Final = {
    "Content-Type": "application/cloudevents+json",
    "User-Agent": "lien-thong",
    "Accept-Encoding": "identity",
}
# The library's level of detail holds whole requests.
logging.getLogger("httpcore2").setLevel(logging.WARNING)


class NotPublic(httpcore2.ConnectError):
    """The name leads to an address where no webhook may go."""


class Poster:
    """Sends requests, several at once; `loopback` allows this machine (for tests)."""

    def __init__(
        self,
        *,
        loopback: bool = False,
        seconds: float = SECONDS,
        at_once: int = 16,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._seconds = seconds
        self._lines = _Lines(loopback=loopback)
        self._at_once = at_once
        self._context = context
        self._opening = threading.Lock()
        self._opened: httpcore2.ConnectionPool | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """What came of it; every failure is an Outcome."""
        pool = self._pool()
        self._lines.ends(time.monotonic() + self._seconds)
        given = list((_HEADERS | dict(headers)).items())
        limit = {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._seconds)}
        try:
            with pool.stream("POST", url, headers=given, content=body, extensions=limit) as answer:
                outcome = _outcome(answer)
                if outcome.failure is None:
                    _pass_over(answer)
        except Exception as broken:  # noqa: BLE001 - whatever it was, the agency may not have it
            return Outcome(_word(broken))
        return outcome

    def close(self) -> None:
        """Let go of the connections; what is on its way breaks off."""
        with self._opening:
            opened, self._opened = self._opened, None
        if opened is not None:
            opened.close()

    def _pool(self) -> httpcore2.ConnectionPool:
        with self._opening:  # at first use: authorities are read from the disk
            if self._opened is None:
                self._opened = httpcore2.ConnectionPool(
                    ssl_context=self._context or ssl.create_default_context(),
                    max_connections=self._at_once,
                    keepalive_expiry=4.0,
                    network_backend=self._lines,
                )
            return self._opened


def _outcome(answer: httpcore2.Response) -> Outcome:
    if 200 <= answer.status < 300:
        return Outcome()
    asked = next((value for name, value in answer.headers if name.lower() == b"retry-after"), b"")
    return Outcome(f"http {answer.status}", _wait(asked.decode("ascii", "replace").strip()))


def _pass_over(answer: httpcore2.Response) -> None:
    """Read a short answer, so that the line can be used again; break off a long one."""
    read = 0
    for piece in answer.iter_stream():
        read += len(piece)
        if read > _MOST_READ:
            return


def _wait(text: str) -> timedelta | None:
    """Retry-After as RFC 9110 has it: seconds, or an instant; None where it is neither."""
    if text.isdecimal():
        return timedelta(seconds=int(text[:6]))
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return at - datetime.now(UTC) if at.tzinfo else None


def _word(broken: BaseException) -> str:
    """A word of ours for what happened; texts of foreign errors are not kept."""
    causes = [broken]
    while (cause := causes[-1].__cause__ or causes[-1].__context__) and cause not in causes:
        causes.append(cause)
    for kinds, word in _WORDS:
        if any(isinstance(each, kinds) for each in causes):
            return word
    return "broken"


_WORDS: Final[tuple[tuple[Any, str], ...]] = (
    (NotPublic, "private"),
    (socket.gaierror, "name"),
    ((httpcore2.TimeoutException, TimeoutError), "timeout"),
    (ssl.SSLError, "tls"),
    (httpcore2.ConnectError, "unreachable"),
)


class _Lines(httpcore2.NetworkBackend):
    """Connects to checked addresses alone; each thread's request ends when its time is over."""

    def __init__(self, *, loopback: bool) -> None:
        self._loopback = loopback
        self._plain = httpcore2.SyncBackend()
        self._mine = threading.local()

    def ends(self, at: float) -> None:
        """The request that this thread makes now ends at that instant of the steady clock."""
        self._mine.end = at

    def left(self) -> float:
        """Seconds that it has left; ReadTimeout where none are."""
        left: float = self._mine.end - time.monotonic()
        if left <= 0:
            raise httpcore2.ReadTimeout
        return left

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - one limit holds for all
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.NetworkStream:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for each in addresses:
            self._check(each)
        for number, each in enumerate(addresses, 1):
            # One that does not answer leaves time for the next.
            share = self.left() / (len(addresses) - number + 1)
            try:
                line = self._plain.connect_tcp(each, port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                if number == len(addresses):
                    raise
            else:
                return _Line(line, self)
        raise httpcore2.ConnectError("the name has no address")

    def _check(self, text: str) -> None:
        address = ip_address(text.partition("%")[0])
        if not (is_public(address) or (self._loopback and address.is_loopback)):
            raise NotPublic("the name leads to an address that is not public")


class _Line(httpcore2.NetworkStream):
    """A connection on which nothing lasts longer than the request that uses it."""

    def __init__(self, inner: httpcore2.NetworkStream, lines: _Lines) -> None:
        self._inner = inner
        self._lines = lines

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        return self._inner.read(max_bytes, self._lines.left())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        # In pieces: a peer that takes a little now and then has no more time than any other.
        for begin in range(0, len(buffer), _PIECE):
            self._inner.write(buffer[begin : begin + _PIECE], self._lines.left())

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        left = self._lines.left()
        return _Line(self._inner.start_tls(ssl_context, server_hostname, left), self._lines)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
