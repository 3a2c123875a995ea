"""Calls on the sockets of one process, counted inside it; what they carry is nobody's business here."""

from __future__ import annotations

import socket
from typing import Any


class Calls:
    """What the sockets of one process to the broker were asked to do, once `install` has run."""

    def __init__(self) -> None:
        self.writes = 0
        self.reads = 0

    def install(self, broker_port: int) -> None:
        """Count from now on, in this process."""

        def counting(name: str, *, writes: bool) -> None:
            real = getattr(socket.socket, name)

            def call(sock: socket.socket, *arguments: Any) -> Any:
                if _leads_to(sock, broker_port):
                    self.writes += writes
                    self.reads += not writes
                return real(sock, *arguments)

            setattr(socket.socket, name, call)

        for name in ("send", "sendall"):
            counting(name, writes=True)
        counting("recv", writes=False)


def _leads_to(sock: socket.socket, port: int) -> bool:
    if sock.family not in (socket.AF_INET, socket.AF_INET6):
        return False
    try:
        return bool(sock.getpeername()[1] == port)
    except OSError:
        return False
