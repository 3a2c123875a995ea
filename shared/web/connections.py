"""Connections of the embedded server that nobody outside can use up.

waitress counts any byte as activity and stops to listen at its limit of connections: a hundred
silent ones would shut everybody out. Here a request must be whole within a deadline, an answer
taken within another, and where connections run out the one that has kept us waiting longest goes.
Time is the monotonic clock's: a machine's clock may be put back.
"""

from __future__ import annotations

import copy
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser, ParsingError
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from shared.settings import Settings
from shared.web.rooms import takes_files
from shared.web.security import MAX_BODY

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

#: Beyond this the body is not even read; below it the app itself says what is too large.
MOST_READ: Final = 4 * MAX_BODY
MAX_HEADERS: Final = 32 * 1024
_CLEAN_EVERY: Final = 0.5  # seconds
#: Seconds that everybody has to begin: who is honest has asked by then.
_GRACE: Final = 0.5
#: Bytes a second of a phone with a weak signal, which may send a picture.
_SLOWEST: Final = 32 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How many connections are held at once, and how long (seconds) each kind of wait may last.

    Three doors and the databases of a city in one process fit into the 1,024 files that a process
    may usually open.
    """

    connections: int = 200
    request: float = 30.0  # from its first byte to its last
    idle: float = 20.0  # between two requests
    answer: float = 120.0  # until the last byte of it was taken
    upload: int = 12 * 1024 * 1024  # bytes, at the addresses that take files


def limits_of(settings: Settings) -> Limits:
    """With as much of an upload as the settings let lie with one dossier, and its form."""
    wanted = (max(settings.dossier_files_mb, settings.file_mb) + 2) * 1024 * 1024
    return Limits(upload=max(wanted, Limits().upload))


class _Parser(HTTPRequestParser):  # type: ignore[misc]
    """Refuses what two servers in a row may read as different requests (RFC 9112, 6.1)."""

    adj: Any

    def parse_header(self, header_plus: bytes) -> None:
        super().parse_header(header_plus)
        # It takes the header away where it obeys it: one that is left belongs to no HTTP/1.1.
        if "TRANSFER_ENCODING" in self.headers or (
            self.chunked and "CONTENT_LENGTH" in self.headers
        ):
            raise ParsingError("Transfer-Encoding stands alone and needs version 1.1")
        if takes_files(self.path):
            self.adj: Adjustments = self.adj.for_files


class _Channel(HTTPChannel):  # type: ignore[misc]
    """One connection; knows since when it keeps us waiting."""

    parser_class = _Parser

    def __init__(self, *args: Any, **options: Any) -> None:
        self.waiting_since = time.monotonic()
        super().__init__(*args, **options)

    def received(self, data: bytes) -> bool:
        if self.request is None and not self.requests:
            self.waiting_since = time.monotonic()  # the first byte of a request
        done: bool = super().received(data)
        return done

    def service(self) -> None:
        super().service()
        self.waiting_since = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Whether nothing of ours is on its way to it: no work and no answer."""
        return not (self.requests or self.total_outbufs_len or self.will_close)

    def is_late(self, now: float, limits: Limits) -> bool:
        """Whether it has kept us waiting for too long."""
        if self.requests:
            return False
        if self.total_outbufs_len:
            allowed = limits.answer
        else:
            allowed = limits.idle if self.request is None else limits.request
            if takes_files(getattr(self.request, "path", "")):  # none before its head is whole
                allowed += self.request.content_length / _SLOWEST
        return now - self.waiting_since > allowed


class BoundedServer(TcpWSGIServer):  # type: ignore[misc]
    """waitress on a socket that is bound already, within limits."""

    channel_class = _Channel
    next_channel_cleanup: float = 0.0

    def __init__(
        self,
        app: WSGIApplication,
        bound: socket.socket,
        sockets: dict[int, Any],
        *,
        threads: int,
        limits: Limits,
    ) -> None:
        self.limits = limits
        adjustments = Adjustments(
            sockets=[bound],
            threads=threads,
            ident=None,
            clear_untrusted_proxy_headers=False,  # ProxyFix counts the hops, see app.py
            max_request_body_size=MOST_READ,
            max_request_header_size=MAX_HEADERS,
            log_socket_errors=False,  # a caller that hangs up is no news
        )
        adjustments.for_files = copy.copy(adjustments)
        adjustments.for_files.max_request_body_size = limits.upload
        workers = ThreadedTaskDispatcher()
        workers.set_thread_count(threads)
        place = (bound.family, bound.type, bound.proto, bound.getsockname())
        super().__init__(
            app, sockets, True, bound,
            dispatcher=workers, adj=adjustments, bind_socket=False, sockinfo=place,
        )  # fmt: skip

    def tidy(self) -> None:
        """Part with who is late, and make room where it lacks.

        To be called between two turns of the loop: within one a new connection could be given the
        number of one just closed, and what the system said of the old one would be done to it.
        """
        now = time.monotonic()
        if now >= self.next_channel_cleanup:
            self.next_channel_cleanup = now + _CLEAN_EVERY
            for channel in self._channels():
                if channel.is_late(now, self.limits):
                    channel.handle_close()
        if self._is_full():
            self._make_room(now)

    def readable(self) -> bool:
        """Whether to take another connection now."""
        return bool(self.accepting) and not self._is_full()

    def _is_full(self) -> bool:
        return len(self.active_channels) >= self.limits.connections

    def _make_room(self, now: float) -> None:
        """Part with one that waits for nothing of ours: of those who hold most, the oldest."""
        held = Counter(channel.addr[0] for channel in self._channels())
        idle = [channel for channel in self._channels() if channel.is_idle]
        if idle:
            worst = max(idle, key=lambda each: (held[each.addr[0]], -each.waiting_since))
            if now - worst.waiting_since > _GRACE:
                worst.handle_close()

    def _channels(self) -> Iterator[_Channel]:
        return iter(tuple(self.active_channels.values()))
