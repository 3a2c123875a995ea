"""A TCP proxy in this process that can cut, swallow or slow down what it carries."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
import time
from typing import Self

_CHUNK = 65536
#: Seconds for a peer that takes nothing; two that wait for each other would hold us for ever.
_PATIENCE = 20.0


class FaultProxy:
    """Listens on a free local port and carries bytes to `target` until told to misbehave.

    `cut()` closes what is open and refuses new connections, `cut_after(count)` does so in the middle
    of what it carries, `hole()` takes everything and passes nothing on, `stall()` takes nothing,
    `delay(seconds)` slows each chunk down, `crumble(size)` passes on small pieces, `heal()` ends
    all of it.
    """

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._peers: dict[socket.socket, socket.socket] = {}
        self._lock = threading.RLock()
        self._mode = "carry"
        self._delay = 0.0
        self._size = _CHUNK
        self._left: int | None = None  # bytes until the cut
        self._stopping = threading.Event()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="fault-proxy", daemon=True)

    @property
    def host(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(5)
        with self._lock:
            self._close_all()
            self._selector.close()
            self._listener.close()

    def cut(self) -> None:
        """Close every connection and refuse new ones, as a broker that died."""
        with self._lock:
            self._mode = "cut"
            self._close_all()

    def cut_after(self, count: int) -> None:
        """Cut as soon as so many more bytes have been passed on, whichever way they go."""
        with self._lock:
            self._left = count

    def hole(self) -> None:
        """Keep connections open and lose every byte, as a cable that was pulled."""
        with self._lock:
            self._mode = "hole"

    def stall(self) -> None:
        """Read nothing, so that whoever sends fills every buffer on the way and then waits."""
        with self._lock:
            self._mode = "stall"

    def crumble(self, size: int) -> None:
        """Pass everything on in pieces of at most `size` bytes."""
        with self._lock:
            self._size = size

    def delay(self, seconds: float) -> None:
        """Hold each chunk for `seconds`."""
        with self._lock:
            self._delay = seconds

    def heal(self) -> None:
        """Carry again; connections that lost bytes in a hole are closed, as TCP would have it."""
        with self._lock:
            if self._mode == "hole":
                self._close_all()
            self._mode, self._delay, self._size, self._left = "carry", 0.0, _CHUNK, None

    def _run(self) -> None:
        while not self._stopping.is_set():
            if self._mode == "stall":
                self._stopping.wait(0.02)
                continue
            for key, _ in self._selector.select(0.02):
                found = key.fileobj
                if not isinstance(found, socket.socket):
                    continue
                with self._lock:
                    if found is self._listener:
                        self._accept()
                    elif found in self._peers:
                        self._carry(found)

    def _accept(self) -> None:
        near, _ = self._listener.accept()
        if self._mode == "cut":
            near.close()
            return
        try:
            far = socket.create_connection(self._target, timeout=5)
        except OSError:
            near.close()
            return
        for here, there in ((near, far), (far, near)):
            here.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            here.settimeout(_PATIENCE)
            self._peers[here] = there
            self._selector.register(here, selectors.EVENT_READ)

    def _carry(self, here: socket.socket) -> None:
        try:
            chunk = here.recv(_CHUNK)
        except OSError:
            chunk = b""
        if not chunk:
            self._close(here)
            return
        if self._mode == "hole":
            return
        if self._delay:
            time.sleep(self._delay)
        try:
            self._pass_on(self._peers[here], chunk)
        except OSError:
            self._close(here)

    def _pass_on(self, there: socket.socket, chunk: bytes) -> None:
        part = chunk if self._left is None else chunk[: self._left]
        for begin in range(0, len(part), self._size):
            there.sendall(part[begin : begin + self._size])
        if self._left is not None:
            self._left -= len(part)
            if self._left == 0:
                self._left = None
                self.cut()

    def _close(self, here: socket.socket) -> None:
        there = self._peers.pop(here, None)
        for each in (here, there):
            if each is not None:
                self._peers.pop(each, None)
                with contextlib.suppress(KeyError, ValueError):
                    self._selector.unregister(each)
                each.close()

    def _close_all(self) -> None:
        for here in list(self._peers):
            self._close(here)
