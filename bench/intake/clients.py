"""Sixteen clients that ask one door over HTTP/1.1, each on a connection that stays open."""

from __future__ import annotations

import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bench.contest import percentile

CLIENTS = 16
_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)
_LOCATION = re.compile(rb"\r\nlocation: *([^\r]+)", re.IGNORECASE)


class Line:
    """One connection to a door; `ask` waits for the whole answer. Not as it should be: an error."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = self._opened()

    def _opened(self) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self._port), timeout=60)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def ask(self, request: bytes, wanted: int) -> str:
        """The answer's Location, if it has one; its status must be the one wanted."""
        try:
            head, body = self._answer(request)
        except ConnectionError:  # it was let go while nothing was asked
            self._socket.close()
            self._socket = self._opened()
            head, body = self._answer(request)
        if not head.startswith(b"HTTP/1.1 %d" % wanted):
            raise RuntimeError(f"answered {head[:200]!r} {body[:500]!r}")
        found = _LOCATION.search(head)
        return found[1].decode() if found else ""

    def _answer(self, request: bytes) -> tuple[bytes, bytes]:
        self._socket.sendall(request)
        got = self._more()
        while (end := got.find(b"\r\n\r\n")) < 0:
            got += self._more()
        head, body = got[:end], got[end + 4 :]
        length = _LENGTH.search(head)
        while len(body) < (int(length[1]) if length else 0):
            body += self._more()
        return head, body

    def _more(self) -> bytes:
        got = self._socket.recv(65536)
        if not got:
            raise ConnectionResetError
        return got

    def close(self) -> None:
        """Let the connection go."""
        self._socket.close()


def request(
    method: str, target: str, headers: Mapping[str, str], body: bytes | None = None
) -> bytes:
    """A request as it goes over the line."""
    told = {"Host": "localhost", **headers}
    if body is not None:
        told["Content-Length"] = str(len(body))
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {text}" for name, text in told.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + (body or b"")


Act = Callable[[Line, int], None]


@dataclass
class Asked:
    """What one run showed: how many, in how many seconds, and the milliseconds of each, sorted.

    At a rate the milliseconds count from when it was due: a late one does not move the next.
    """

    count: int
    seconds: float
    waits: list[float] = field(repr=False)

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self.count / self.seconds

    def at(self, share: float) -> float:
        """The milliseconds that this share of all did not exceed."""
        return percentile(self.waits, share)


def ask(port: int, act: Act, first: int, count: int, *, rate: float | None = None) -> Asked:
    """Do `act` for each number from `first` on, by sixteen clients; `rate` a second or at once."""
    waits: list[list[float]] = [[] for _ in range(CLIENTS)]
    failures: list[BaseException] = []
    began = time.monotonic() + 0.02

    def work(index: int) -> None:
        line = Line(port)
        try:
            for place in range(index, count, CLIENTS):
                due = time.monotonic()
                if rate is not None:
                    due = began + place / rate
                    time.sleep(max(0.0, due - time.monotonic()))
                act(line, first + place)
                waits[index].append((time.monotonic() - due) * 1000)
        except BaseException as wrong:
            failures.append(wrong)
            raise
        finally:
            line.close()

    threads = [threading.Thread(target=work, args=(index,)) for index in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return Asked(count, time.monotonic() - began, sorted(w for each in waits for w in each))
